"""What other words would make of the figures, before anything is changed: nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from monitor.app import App, watched
from monitor.config.models import BrandSettings
from monitor.figures import Sentiment
from monitor.judging import Judge, judge
from monitor.looking import Extent, Look
from monitor.metrics.clusters import clusters
from monitor.metrics.groups import Group
from monitor.metrics.likeness import Families
from monitor.normalise import bare_text, said
from monitor.suggesting import log_odds, words_in, words_of
from monitor.sums import figure
from storage import marks, mutes, sources
from storage.marks import PERSON, Decided, Seen
from storage.reasons import NOT_ABOUT_US, Mutes
from storage.recent import Recent

MOST: Final = 200_000
"""The newest so many items are looked at, unless more are asked for."""
EXAMPLES: Final = 20
COMPARED: Final = 5_000
"""Texts of either side that an example is compared with."""
_SIGNS: Final = {"positive": 1, "negative": -1, "neutral": 0, None: None}
_KINDS: Final = ("mention", "review")


@dataclass(frozen=True, slots=True)
class Change:
    """Another state of a brand's words: exclusions more (``exclude``) and fewer (``keep``), other lists, another query.

    ``None`` leaves a list or the query as it is.
    """

    exclude: Sequence[str] = ()
    keep: Sequence[str] = ()
    keywords: Sequence[str] | None = None
    required: Sequence[str] | None = None
    query: str | None = None

    def of(self, brand: BrandSettings) -> BrandSettings:
        """The brand as it would be; ``QueryError`` or ``ValueError`` where that makes no sense."""
        kept = [word for word in brand.exclude if word not in self.keep]
        given = {"keywords": self.keywords, "required": self.required, "query": self.query}
        told: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        if self.query is not None and self.keywords is None:
            told["keywords"] = []  # one stands instead of the other
        elif self.keywords and self.query is None:
            told["query"] = None
        changed = brand.model_copy(update={**told, "exclude": list(dict.fromkeys([*kept, *self.exclude]))})
        changed.compiled()
        return changed


@dataclass(frozen=True, slots=True)
class Caught:
    """An item that would count no more. ``doubt``: why that may be wrong; ``None``: nothing speaks for it."""

    id: int
    title: str | None
    text: str | None
    label: str | None
    source: str
    by: str | None
    doubt: str | None


@dataclass(frozen=True, slots=True)
class Scores:
    """The score of what counts: of mentions, and of reviews. Over the items that were looked at."""

    social: Sentiment
    reviews: Sentiment


@dataclass(frozen=True, slots=True)
class Trial:
    """What a change would come to, over the items that were looked at.

    ``excluded``: items that count now and would not; ``back``: the other way round. ``marked``: items that people called not
    about the brand and that the new words would have caught. ``pending``: items that would change without this change, too,
    since the present words have not been applied to them; they are among the others. ``by_word``: what each new exclusion
    catches of what counts now. ``beyond``: how many items no keyword decides about, by source.
    """

    brand: str
    extent: Extent
    counting: int
    would_count: int
    excluded: int
    back: int
    marked: int
    pending: int
    by_word: Mapping[str, int]
    by_source: Mapping[str, int]
    by_label: Mapping[str, int]
    before: Scores
    after: Scores
    examples: tuple[Caught, ...]
    beyond: Mapping[str, int] = field(default_factory=dict)


DOUBT_PERSON: Final = "a person has labelled it"
DOUBT_WORDS: Final = "its words are more like those of what goes on counting"


def would_catch(
    app: App,
    brand: str,
    words: Sequence[str] | Change,
    *,
    seconds: float | None = None,
    most: int | None = MOST,
) -> Trial:
    """What excluding ``words``, or another change of the brand's words, would do to the stored items.

    ``seconds`` and ``most`` bound the look; the newest items come first, and ``extent`` says how far it came.
    ``QueryError`` or ``ValueError`` where the change makes no sense.
    """
    change = words if isinstance(words, Change) else Change(exclude=words)
    one = app.brands[brand]
    new = watched(change.of(app.settings.brand(brand)), one.id)
    known = judge(app)
    other = replace(known, brands={**known.brands, one.id: new})
    look = Look(app.database, one.id, seconds=seconds, most=most)
    trial = _Trial(change, known, other, mutes.in_force(app.database))
    for entry in look:
        trial.take(entry)
    names = {state.id: state.name for state in sources.states(app.database)}
    return trial.ended(brand, look.extent, names)


# ------------------------------------------------------------------------------------------------- item by item


@dataclass
class _Side:
    """What counts, before or after: enough of each item for a score with its interval."""

    texts: Families
    items: list[tuple[str, int, int | None, int | None, int | None]] = field(default_factory=list)
    count: int = 0

    def add(self, entry: Recent, text: int | None) -> None:
        """``text``: the number of what it says among the texts."""
        item = entry.item
        self.count += 1
        if item.kind in _KINDS:
            sign = _SIGNS[item.label]
            self.items.append((item.kind, item.source_id, sign, item.author_id, text))

    def scores(self) -> Scores:
        """Source: METRICS 2.1, 2.3."""
        groups = {kind: Group() for kind in _KINDS}
        families = self.texts.joined()
        joined = clusters((author, None if text is None else families[text]) for _, _, _, author, text in self.items)
        for (kind, source, sign, _, _), cluster in zip(self.items, joined, strict=True):
            groups[kind].add(str(source), cluster, sign)
        social, reviews = (figure(groups[kind].tally, groups[kind].deff()) for kind in _KINDS)
        return Scores(social, reviews)


@dataclass
class _Trial:
    change: Change
    known: Judge
    other: Judge
    muted: Mutes
    texts: Families = field(default_factory=lambda: Families(bare_text))
    before: _Side = field(init=False)
    after: _Side = field(init=False)
    caught: list[tuple[Seen, str | None]] = field(default_factory=list)
    staying: list[Seen] = field(default_factory=list)
    excluded: int = 0
    back: int = 0
    marked: int = 0
    pending: int = 0
    by_word: Counter[str] = field(default_factory=Counter)
    by_source: Counter[int] = field(default_factory=Counter)
    by_label: Counter[str] = field(default_factory=Counter)
    beyond: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.before, self.after = _Side(self.texts), _Side(self.texts)

    def take(self, entry: Recent) -> None:
        item = entry.item
        counts = item.uncounted is None
        would, by = (counts, None) if item.erased_at is not None else self._decided(item)
        self.beyond[item.source_id] += item.erased_at is None and not self.known.heeds_words(item)
        text = self._text(entry) if counts or would else None
        if counts:
            self.before.add(entry, text)
        if would:
            self.after.add(entry, text)
        if counts and not would:
            self._catch(item, by)
        elif counts and len(self.staying) < COMPARED:
            self.staying.append(item)
        self.back += would and not counts

    def _text(self, entry: Recent) -> int | None:
        item = entry.item
        if entry.fingerprint is None:
            return None
        return self.texts.add(entry.fingerprint, said(item.title, item.text) or "")

    def _decided(self, item: Seen) -> tuple[bool, str | None]:
        """Would the item count, and which exclusion speaks against it?"""
        excluded, by = self.other.verdict(item)
        now = self.known.verdict(item)[0]
        would = self._reason(item, excluded) is None
        self.pending += (self._reason(item, now) is None) != (item.uncounted is None)
        self.marked += item.uncounted == NOT_ABOUT_US and bool(excluded) and not now
        return would, by

    def _reason(self, item: Seen, excluded: bool | None) -> str | None:
        return marks.reason_of(item, Decided(item, excluded), self.muted)

    def _catch(self, item: Seen, by: str | None) -> None:
        self.excluded += 1
        self.by_source[item.source_id] += 1
        self.by_label[item.label or "unscored"] += 1
        if by is not None:
            self.by_word[by] += 1
        if len(self.caught) < COMPARED:
            self.caught.append((item, by))

    def ended(self, brand: str, extent: Extent, names: Mapping[int, str]) -> Trial:
        return Trial(
            brand=brand,
            extent=extent,
            counting=self.before.count,
            would_count=self.after.count,
            excluded=self.excluded,
            back=self.back,
            marked=self.marked,
            pending=self.pending,
            by_word=dict(self.by_word.most_common()),
            by_source={names[number]: count for number, count in self.by_source.most_common()},
            by_label=dict(self.by_label.most_common()),
            before=self.before.scores(),
            after=self.after.scores(),
            examples=tuple(
                _example(*one, names) for one in examples_of(self.caught, self.staying, self.change.exclude)
            ),
            beyond=self.known.named(+self.beyond),
        )


def _example(item: Seen, by: str | None, doubt: str | None, names: Mapping[int, str]) -> Caught:
    return Caught(item.id, item.title, item.text, item.label, names[item.source_id], by, doubt)


# ------------------------------------------------------------------------------------------------- wrong catches


def examples_of(
    caught: Sequence[tuple[Seen, str | None]],
    staying: Sequence[Seen],
    exclude: Sequence[str] = (),
    limit: int = EXAMPLES,
) -> list[tuple[Seen, str | None, str | None]]:
    """Of what is caught the likeliest mistakes first, each with what speaks for one; then the newest.

    A mistake is likely where a person has labelled the item, and where its words are commoner among what goes on counting than
    among what is caught beside it (the mean log-odds ratio of its words, itself and the words of the exclusion left out).
    """
    never = words_in(" ".join(exclude))
    texts = [words_of(item) - never for item, _ in caught]
    there, here = _texts_with(texts), _texts_with(map(words_of, staying))
    likeness = [_likeness(words, there, len(texts), here, len(staying)) for words in texts]
    ranked = sorted(range(len(caught)), key=lambda n: (caught[n][0].label_by != PERSON, -max(likeness[n], 0.0), n))
    return [(*caught[n], _doubt(caught[n][0], likeness[n])) for n in ranked[:limit]]


def _doubt(item: Seen, likeness: float) -> str | None:
    if item.label_by == PERSON:
        return DOUBT_PERSON
    return DOUBT_WORDS if likeness > 0 else None


def _likeness(words: Iterable[str], there: Counter[str], caught: int, here: Counter[str], staying: int) -> float:
    """Above 0 where the words are commoner in what stays."""
    if caught < 2 or not staying:
        return 0.0
    odds = [log_odds(here[word], staying, there[word] - 1, caught - 1) for word in words]
    return sum(odds) / len(odds) if odds else 0.0


def _texts_with(texts: Iterable[Iterable[str]]) -> Counter[str]:
    return Counter(word for words in texts for word in words)
