"""The part of a report that reads a window's items one by one: design effects, breakdowns, topics, drivers, authors.

Linear in the window, never in the store. What it comes to is kept until anything in one of the two windows has changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from monitor.app import App
from monitor.matching import Keywords, Verdict, decide
from monitor.metrics.clusters import clusters
from monitor.metrics.groups import Group
from monitor.metrics.likeness import Families
from monitor.normalise import bare_text, said
from monitor.schedule import Window
from storage import windows
from storage.windows import WindowItem

KINDS: Final = ("mention", "review")
DIMENSIONS: Final = ("place", "country", "app_version", "language")
"""What a breakdown goes by, beside the source."""
SAMPLE: Final = 20_000
"""Texts at most that drivers are made of; of more a sample, always the same of the same items."""
_SIGNS: Final = {"positive": 1, "negative": -1, "neutral": 0, None: None}


class Draft(NamedTuple):
    """A text for the drivers, before its cluster is known."""

    id: int
    sign: int | None
    engagement: int
    title: str | None
    text: str | None


class Seen(NamedTuple):
    """What is remembered of an item while its window is read; ``said``: the number of its text."""

    id: int
    kind: str
    source: str
    sign: int | None
    author_id: int | None
    said: int | None
    slice: int
    groups: tuple[tuple[str, str], ...]
    drawn: Draft | None


class Document(NamedTuple):
    """A text that drivers are made of."""

    id: int
    sign: int | None
    engagement: int
    title: str | None
    text: str | None
    cluster: int


@dataclass(slots=True)
class Writer:
    """An author in one window: items, the engagement they received, and followers as last seen."""

    id: int
    name: str | None = None
    source: str = ""
    followers: int | None = None
    items: int = 0
    engagement: int | None = None
    signs: list[int] = field(default_factory=list)


TOP: Final = 5
"""Items in each list of a report's top items."""
RUNNING: Final = 100
"""Texts of which it is remembered how far they came: the first may all turn out to be copies of each other."""
WORST: Final = 1
"""Stars that a verdict of "no" stands for among the reviews without an answer."""


@dataclass(slots=True)
class Top:
    """The items that lead in something, one of each text; those far behind are forgotten."""

    _best: dict[int, tuple[Any, int]] = field(default_factory=dict)

    def add(self, height: Any, number: int, said: int | None) -> None:
        """``number``: the id, or the negative id where the older of equals leads; ``said``: the number of its text."""
        text, entry = -1 - abs(number) if said is None else said, (height, number)
        if text not in self._best or entry > self._best[text]:
            self._best[text] = entry
        if len(self._best) > 4 * RUNNING:
            first = sorted(self._best.items(), key=lambda known: known[1], reverse=True)[:RUNNING]
            self._best = dict(first)

    def ids(self, families: Sequence[int]) -> list[int]:
        """The first one first, one of each family; ``families``: by the number of a text."""
        found: dict[int, int] = {}
        for text, (_, number) in sorted(self._best.items(), key=lambda known: known[1], reverse=True):
            found.setdefault(text if text < 0 else families[text], abs(number))
        return list(found.values())[:TOP]


@dataclass(slots=True)
class Answers:
    """What the owner did with the reviews of one source."""

    reviews: int = 0
    answered: int = 0
    outdated: int = 0
    seconds: list[float] = field(default_factory=list)


Groups = dict[tuple[str, str], dict[str, Group]]


@dataclass(slots=True)
class Read:
    """A window, read. ``groups``: by (dimension, name), then by kind; ``slices``: by (number, kind).

    ``foreign``: counted items of any kind without a label because of their language, by language. ``copies``: by kind those
    that say nearly the same as an earlier one; ``like``: how many others say nearly the same as an item, where any does.
    """

    totals: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    groups: Groups = field(default_factory=lambda: defaultdict(lambda: defaultdict(Group)))
    slices: dict[tuple[int, str], Group] = field(default_factory=lambda: defaultdict(Group))
    writers: dict[int, Writer] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    answers: dict[str, Answers] = field(default_factory=lambda: defaultdict(Answers))
    top: dict[str, list[int]] = field(default_factory=dict)
    copies: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    like: dict[int, int] = field(default_factory=dict)
    foreign: Counter[str] = field(default_factory=Counter)
    sampled: bool = False

    def group(self, dimension: str, name: str, kind: str) -> Group:
        """The group, empty where nothing is in it."""
        return self.groups.get((dimension, name), {}).get(kind, Group())

    def names(self, dimension: str) -> list[str]:
        """The names of a dimension's groups."""
        return sorted(name for found, name in self.groups if found == dimension)


def read(app: App, brand: str, window: Window, slices: Sequence[Window] = (), *, expected: int = 0) -> Read:
    """Read a brand's window. ``expected``: about how many items there are, which decides how large a sample is drawn."""
    found, notes = Read(), _Notes()
    share = min(1.0, SAMPLE / expected) if expected else 1.0
    topics = topics_of(app, brand)
    edges = [part.start for part in slices]
    seen = [
        _see(found, notes, item, topics, edges, share)
        for item in _noted(found, windows.counted_items(app.database, brand, (window.start, window.end)))
        if item.kind in KINDS
    ]
    families = notes.families.joined()
    ties = [(one.author_id, None if one.said is None else families[one.said]) for one in seen]
    for one, cluster in zip(seen, clusters(ties), strict=True):
        _sort_in(found, one, cluster)
    found.top = {name: top.ids(families) for name, top in notes.top.items()}
    _count_copies(found, notes, seen, families)
    found.sampled = share < 1
    return found


@dataclass(slots=True)
class _Notes:
    """What is gathered while a window is read and is not known before its end."""

    families: Families = field(default_factory=lambda: Families(bare_text))
    top: dict[str, Top] = field(default_factory=lambda: defaultdict(Top))


def _said(families: Families, item: WindowItem) -> int | None:
    return None if item.fingerprint is None else families.add(item.fingerprint, said(item.title, item.text) or "")


def _count_copies(found: Read, notes: _Notes, seen: Sequence[Seen], families: Sequence[int]) -> None:
    """Of short texts only what an author repeats is a copy: others say the same by chance."""
    sizes = Counter(families[one.said] for one in seen if one.said is not None)
    known: set[tuple[str, int, int | None]] = set()
    for one in seen:
        if one.said is None or sizes[family := families[one.said]] < 2:
            continue
        found.like[one.id] = sizes[family] - 1
        is_short = notes.families.is_short(one.said)
        key = (one.kind, family, one.author_id if is_short else None)
        if key in known:
            found.copies[one.kind].append(one.id)
        elif not is_short or one.author_id is not None:
            known.add(key)


def totals_of(app: App, brand: str, edges: tuple[datetime, datetime]) -> dict[str, Group]:
    """The labels of a window by kind, with what makes items depend on each other, and nothing else of it."""
    texts = Families(bare_text)
    seen = [
        (item.kind, item.source, _SIGNS[item.label], item.author_id, _said(texts, item))
        for item in windows.counted_items(app.database, brand, edges)
        if item.kind in KINDS
    ]
    found, families = {kind: Group() for kind in KINDS}, texts.joined()
    ties = [(one[3], None if one[4] is None else families[one[4]]) for one in seen]
    for one, cluster in zip(seen, clusters(ties), strict=True):
        found[one[0]].add(one[1], cluster, one[2])
    return found


def topics_of(app: App, brand: str) -> Mapping[str, Keywords]:
    """The configured topics that a brand's items are sorted into."""
    return {topic.name: topic.compiled() for topic in app.settings.topics if not topic.brands or brand in topic.brands}


def _noted(found: Read, items: Iterable[WindowItem]) -> Iterator[WindowItem]:
    """The items, with those noted that the scorer does not read."""
    for item in items:
        if item.unscored == "language" and item.label is None:
            found.foreign[item.language or "unknown"] += 1
        yield item


def _see(
    found: Read,
    notes: _Notes,
    item: WindowItem,
    topics: Mapping[str, Keywords],
    edges: Sequence[datetime],
    share: float,
) -> Seen:
    number = _said(notes.families, item)
    _remember_writer(found, item)
    _remember_top(notes.top, item, number)
    if item.kind == "review":
        _remember_answer(found.answers[item.source], item)
    return Seen(
        id=item.id,
        kind=item.kind,
        source=item.source,
        sign=_SIGNS[item.label],
        author_id=item.author_id,
        said=number,
        slice=bisect_right(edges, item.published_at) - 1,
        groups=tuple(groups_of(item, topics)),
        drawn=_draft(item) if (item.title or item.text) and _drawn(item.id, share) else None,
    )


def _draft(item: WindowItem) -> Draft:
    return Draft(item.id, _SIGNS[item.label], _engagement(item), item.title, item.text)


def _engagement(item: WindowItem) -> int:
    return (item.likes or 0) + (item.shares or 0) + (item.comments or 0)


def _remember_top(top: Mapping[str, Top], item: WindowItem, number: int | None) -> None:
    """In the orders of :func:`storage.listing.items`; what waits for an answer with the fewest stars first, then the newest.

    Each review waits for an answer of its own, whatever others say.
    """
    if item.label == "positive":
        top["positive"].add(item.compound or 0, item.id, number)
    elif item.label == "negative":
        top["negative"].add(-(item.compound or 0), -item.id, number)
        if item.kind == "review" and not item.replied:
            top["unanswered"].add((-(item.star_cell or WORST), item.published_at), item.id, None)
    if (engagement := _engagement(item)) > 0:
        top["engaged"].add(engagement, item.id, number)


def groups_of(item: WindowItem, topics: Mapping[str, Keywords]) -> Iterator[tuple[str, str]]:
    """The groups that an item is in, as (dimension, name)."""
    yield "source", item.source
    for name in DIMENSIONS:
        value = getattr(item, name)
        if value:
            yield name, value
    for name, keywords in topics.items():
        if decide((item.title, item.text), keywords).verdict is Verdict.COUNTED:
            yield "topic", name


def _sort_in(found: Read, one: Seen, cluster: int) -> None:
    found.totals[one.kind].add(one.source, cluster, one.sign)
    if one.slice >= 0:
        found.slices[one.slice, one.kind].add(one.source, cluster, one.sign)
    if one.drawn is not None:
        found.documents.append(Document(*one.drawn, cluster))
    for key in one.groups:
        found.groups[key][one.kind].add(one.source, cluster, one.sign)


def _remember_writer(found: Read, item: WindowItem) -> None:
    if item.author_id is None:
        return
    writer = found.writers.setdefault(item.author_id, Writer(item.author_id))
    writer.name, writer.source = item.author or writer.name, item.source
    writer.followers = item.followers
    writer.items += 1
    received = [count for count in (item.likes, item.shares, item.comments) if count is not None]
    if received:
        writer.engagement = (writer.engagement or 0) + sum(received)
    sign = _SIGNS[item.label]
    if sign is not None:
        writer.signs.append(sign)


def _remember_answer(answers: Answers, item: WindowItem) -> None:
    answers.reviews += 1
    if not item.replied:
        return
    answers.answered += 1
    if item.reply_at is None:
        return
    if item.updated_at is not None and item.updated_at > item.reply_at:
        answers.outdated += 1
    if item.reply_at >= item.published_at:
        answers.seconds.append((item.reply_at - item.published_at) / timedelta(seconds=1))


def _drawn(item_id: int, share: float) -> bool:
    """Is the item in the sample? Always answered alike, whatever else there is."""
    if share >= 1:
        return True
    return int.from_bytes(blake2b(item_id.to_bytes(8), digest_size=8).digest()) < share * 2**64


def potential_readers(writers: Iterable[Writer]) -> Iterator[tuple[int, int | None]]:
    """Authors with their followers, for :func:`monitor.metrics.engagement.potential_reach`."""
    for writer in writers:
        yield writer.id, writer.followers
