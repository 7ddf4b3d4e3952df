"""The ways from a figure's path to its items, one for each shape of path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from monitor import sums as s
from monitor.annotations import noted, sides
from monitor.app import App
from monitor.coverage import coverage_of
from monitor.drivers import behind
from monitor.insights import telling_sources
from monitor.lazily import lazily
from monitor.reading import KINDS, Read, groups_of, read, topics_of
from monitor.report import TRAILING_DAYS, shared_sources
from monitor.schedule import Window, comparison, trailing
from monitor.slices import stretches
from storage import queries, windows
from storage.records import ItemFilter
from storage.tables import COUNTS, UNCOUNTED
from storage.windows import WindowItem


class Lost(ValueError):
    """The path leads nowhere; says why, where that is known."""


class MadeOf(Enum):
    """How a figure comes from its items."""

    ITEMS = "items"
    SUM = "sum"
    GROWTH = "growth"
    AUTHORS = "authors"
    FOLLOWERS = "followers"
    RATIO = "ratio"  # it rests on them


@dataclass(frozen=True, slots=True)
class Target:
    """The items of a figure. ``counts``: what is added up; ``value``: where it cannot be asked of the store."""

    wanted: ItemFilter
    made_of: MadeOf = MadeOf.ITEMS
    counts: Sequence[str] = ()
    value: int | None = None

    @property
    def words(self) -> str:
        """``items``, ``likes of items`` ..., ``authors of items``, ``rests on items``."""
        match self.made_of:
            case MadeOf.ITEMS:
                return "items"
            case MadeOf.SUM:
                return f"{' + '.join(self.counts)} of items"
            case MadeOf.GROWTH:
                return f"growth in {self.counts[0]} of items"
            case MadeOf.RATIO:
                return "rests on items"
        return f"{self.made_of.value} of items"


LABELS: Final = ("positive", "negative", "neutral")
ENGAGEMENT: Final = ("likes", "shares", "comments")
FIGURE: Final = {"social": "mention", "reviews": "review"}
EVERYTHING: Final = (*KINDS, "post")
RESTS_ON: Final[Mapping[str, Mapping[str, Any]]] = {
    **{name: {"labels": LABELS} for name in ("score", "low", "high", "deff", "variants.experience")},
    **{f"variants.{name}": {"labels": ("positive", "negative")} for name in ("polar", "positive_share")},
    "variants.mean_compound": {"known": ("compound",)},
}
"""What the parts of a score that are no counts rest on."""
_MOOD: Final = r"(?:social|reviews)\.(?:\w+|uncounted\.\w+|variants\.\w+)"
_TAIL: Final = rf"({_MOOD}|volume|before|mentions|engagement\.(?:known\.|gained\.)?\w+)"


@dataclass(frozen=True)
class Ways:
    """One brand's figures over one window."""

    app: App
    brand: str
    window: Window

    def target(self, path: str) -> Target:
        """The items of the figure; ``Lost`` where there is no such figure."""
        for pattern, way in _WAYS:
            if found := re.fullmatch(pattern, path):
                return way(self, *found.groups())
        raise Lost

    # Windows and what is read of them --------------------------------------------------------------------------

    @lazily
    def other(self) -> Window:
        return comparison(self.window)

    def base(self, window: Window | None = None) -> ItemFilter:
        chosen = window or self.window
        return ItemFilter(brand=self.brand, since=chosen.start, until=chosen.end)

    def _reads(self) -> tuple[Read, Read]:
        """Both windows, read as for a report: with the same sample."""
        both = (self.window, self.other)
        expected = s.labelled(*(self._sums(one) for one in both))
        now, before = (read(self.app, self.brand, one, expected=expected) for one in both)
        return now, before

    def _sums(self, window: Window) -> s.BySource:
        return queries.sums_by_source(self.app.database, self.brand, (window.start, window.end))

    def _among(self, window: Window, keep: Callable[[WindowItem], bool]) -> ItemFilter:
        """The counted items of a window that are to be kept."""
        found = windows.counted_items(self.app.database, self.brand, (window.start, window.end))
        return replace(self.base(window), ids=[item.id for item in found if keep(item)])

    # Parts that stand in many places ---------------------------------------------------------------------------

    def plain(self, tail: str) -> Target:
        return _of_tail(self.base(), tail)

    def source(self, name: str, tail: str) -> Target:
        return _of_tail(replace(self.base(), sources=(name,)), tail)

    def stretch(self, name: str, tail: str) -> Target:
        found = stretches(self.window)
        if name not in found:
            raise Lost(f'no stretch "{name}" in this window; it goes from {min(found)} to {max(found)}')
        return _of_tail(self.base(found[name]), tail)

    def group(self, dimension: str, name: str, tail: str) -> Target:
        topics = topics_of(self.app, self.brand) if dimension == "topic" else {}
        window = self.other if tail == "before" else self.window
        found = self._among(window, lambda item: item.kind in KINDS and (dimension, name) in groups_of(item, topics))
        return _of_tail(found, "volume" if tail == "before" else tail)

    def topic(self, name: str, tail: str) -> Target:
        if name not in topics_of(self.app, self.brand):
            raise Lost
        return self.group("topic", name, tail)

    def rival(self, name: str, tail: str) -> Target:
        if name not in self.app.settings.brand(self.brand).competitors:
            raise Lost
        theirs = replace(self, brand=name)
        if tail == "share_of_voice":
            return theirs.share_of_voice({self.brand, name})
        return theirs.plain("volume.mentions" if tail == "mentions" else tail)

    def trailing(self, tail: str) -> Target:
        return _of_tail(self.base(trailing(self.window.end, TRAILING_DAYS, self.window.zone)), tail)

    def around(self, text: str, figure: str, side: str, tail: str) -> Target:
        """The score before or after an event, over the sources that were complete in both stretches."""
        for one in noted(self.app, self.brand):
            both = sides(one, self.app.now(), self.window) if one.text == text else None
            if both is not None:
                complete = [coverage_of(self.app, self.brand, part).complete_sources for part in both]
                base = self.base(both[side == "after"])
                return _mood(replace(base, sources=sorted(complete[0] & complete[1])), figure, tail)
        raise Lost

    # Parts that stand in one place -----------------------------------------------------------------------------

    def volume(self, name: str) -> Target:
        match name:
            case "mentions" | "reviews":
                return Target(replace(self.base(), kinds=(name.removesuffix("s"),)))
            case "before":
                return Target(replace(self.base(self.other), kinds=KINDS))
            case "share_of_voice":
                return self.share_of_voice({self.brand, *self.app.settings.brand(self.brand).competitors})
        raise Lost

    def share_of_voice(self, brands: Set[str]) -> Target:
        sources = sorted(shared_sources(self.app, brands))
        if not sources or len(brands) < 2:
            raise Lost("no share of voice: no source looks for the brand and its competitors")
        return Target(replace(self.base(), kinds=("mention",), sources=sources), MadeOf.RATIO)

    def copies(self, name: str) -> Target:
        now = read(self.app, self.brand, self.window)
        return Target(replace(self.base(), ids=now.copies[name.removesuffix("s")]))

    def rating(self, name: str) -> Target:
        reviews = replace(self.base(), kinds=("review",))
        match name:
            case "count":
                return Target(replace(reviews, known=("stars",)))
            case "mean" | "low" | "high":
                return Target(replace(reviews, known=("stars",)), MadeOf.RATIO)
            case "csat" | "csat_as_written" | "csat_overall":
                return Target(replace(reviews, known=("rating",)), MadeOf.RATIO)
            case "velocity":
                return Target(reviews, MadeOf.RATIO)
        raise Lost

    def csat_of_source(self, source: str) -> Target:
        return Target(replace(self.base(), kinds=("review",), known=("rating",), sources=(source,)), MadeOf.RATIO)

    def histogram(self, cell: str) -> Target:
        return Target(replace(self.base(), kinds=("review",), star_cell=int(cell)))

    def replied(self) -> Target:
        return Target(replace(self.base(), kinds=("review",), known=("reply",)))

    def answered(self, name: str) -> Target:
        showing = {
            source for (source, kind), one in self._sums(self.window).items() if kind == "review" and one["replied"]
        }
        sources = sorted(showing | telling_sources(self.app))
        if not sources:
            raise Lost("no source shows the owner's answers")
        reviews = replace(self.base(), kinds=("review",), sources=sources)
        match name:
            case "reviews" | "share":
                return Target(reviews, MadeOf.ITEMS if name == "reviews" else MadeOf.RATIO)
            case "answered":
                return Target(replace(reviews, known=("reply",)))
            case "unanswered":
                return Target(replace(reviews, unknown=("reply",)))
            case "outdated":
                return Target(self._among(self.window, _is_outdated))
            case "median_hours":
                return Target(self._among(self.window, _is_timed), MadeOf.RATIO)
        raise Lost

    def engagement(self, whose: str, tail: str) -> Target:
        base = replace(self.base(), kinds=("mention",) if whose == "mentions" else ("post",))
        if whose == "own" and tail == "posts":
            return Target(base)
        if whose == "own" and tail == "rate":
            return Target(replace(base, known=("engagement",)), MadeOf.RATIO)
        return _engagement(base, tail)

    def reach(self, name: str) -> Target:
        known = ("author",) if name == "authors" else ("followers",)
        made_of = MadeOf.FOLLOWERS if name == "followers" else MadeOf.AUTHORS
        return Target(replace(self.base(), kinds=KINDS, known=known), made_of)

    def authors(self) -> Target:
        return self.reach("authors")

    def author(self, number: str, name: str) -> Target:
        theirs = replace(self.base(self.other if name == "before" else None), kinds=KINDS, author_id=int(number))
        match name:
            case "items" | "before":
                return Target(theirs)
            case "engagement":
                return Target(replace(theirs, known=("engagement",)), MadeOf.SUM, ENGAGEMENT)
        return Target(replace(theirs, labels=LABELS), MadeOf.ITEMS if name == "total" else MadeOf.RATIO)

    def texts(self) -> Target:
        now, _ = self._reads()
        return Target(replace(self.base(), ids=[one.id for one in now.documents]))

    def driver(self, side: str, term: str, name: str = "items") -> Target:
        found = behind(self.app, self.brand, *self._reads(), side, term)
        if found is None:
            raise Lost
        if name == "others":
            return Target(replace(self.base(self.other if side == "new" else None), ids=found.others))
        items = replace(self.base(), ids=found.ids)
        return Target(items) if name == "items" else Target(items, MadeOf.AUTHORS, value=found.authors)

    def language(self, code: str) -> Target:
        return Target(replace(self.base(), languages=(code,), labels=("unscored",), unscored="language"))


def _of_tail(base: ItemFilter, tail: str) -> Target:
    """The part of a figure's path that stands behind a name."""
    head, _, rest = tail.partition(".")
    if head in FIGURE:
        return _mood(base, head, rest)
    if head == "engagement":
        return _engagement(replace(base, kinds=EVERYTHING), rest)
    if tail in ("volume", "volume.mentions"):
        return Target(replace(base, kinds=KINDS if tail == "volume" else ("mention",)))
    raise Lost


def _mood(base: ItemFilter, figure: str, tail: str) -> Target:
    base = replace(base, kinds=(FIGURE[figure],))
    if tail in (*LABELS, "unscored"):
        return Target(replace(base, labels=(tail,)))
    if tail == "total":
        return Target(replace(base, labels=LABELS))
    if tail in RESTS_ON:
        return Target(replace(base, **RESTS_ON[tail]), MadeOf.RATIO)
    reason = tail.removeprefix("uncounted.")
    if reason in UNCOUNTED and base.ids is None:
        return Target(replace(base, uncounted=reason))
    raise Lost


def _engagement(base: ItemFilter, tail: str) -> Target:
    part, _, count = tail.rpartition(".")
    if tail == "items":
        return Target(base)
    if count not in COUNTS:
        raise Lost
    match part:
        case "":
            return Target(replace(base, known=(count,)), MadeOf.SUM, (count,))
        case "known":
            return Target(replace(base, known=(count,)))
        case "gained":
            assert base.since is not None
            assert base.until is not None
            grown = replace(base, since=None, until=None, grown=(count, base.since, base.until))
            return Target(grown, MadeOf.GROWTH, (count,))
    raise Lost


def _is_outdated(item: WindowItem) -> bool:
    """Source: METRICS 3."""
    return (
        item.kind == "review"
        and item.replied
        and item.reply_at is not None
        and item.updated_at is not None
        and item.updated_at > item.reply_at
    )


def _is_timed(item: WindowItem) -> bool:
    return item.kind == "review" and item.replied and item.reply_at is not None and item.reply_at >= item.published_at


_WAYS: Final[Sequence[tuple[str, Callable[..., Target]]]] = (
    (r"reviews\.replied", Ways.replied),
    (r"reviews\.rating\.histogram\.([1-5])", Ways.histogram),
    (r"reviews\.rating\.answered\.(\w+)", Ways.answered),
    (r"reviews\.rating\.csat_by_source\.(.+)", Ways.csat_of_source),
    (r"reviews\.rating\.(\w+)", Ways.rating),
    (r"engagement\.reach\.(followers|authors|known)", Ways.reach),
    (r"engagement\.(mentions|own)\.(.+)", Ways.engagement),
    (r"volume\.(\w+)", Ways.volume),
    (rf"by_source\.(.+)\.{_TAIL}", Ways.source),
    (rf"series\.([^.]+)\.{_TAIL}", Ways.stretch),
    (rf"breakdowns\.(source|place|country|app_version|language)\.(.+)\.{_TAIL}", Ways.group),
    (rf"topics\.(.+)\.{_TAIL}", Ways.topic),
    (rf"competitors\.(.+)\.({_MOOD}|mentions|share_of_voice)", Ways.rival),
    (rf"trailing\.({_MOOD})", Ways.trailing),
    (r"annotations\.(.+)\.(social|reviews)\.(before|after)\.([\w.]+)", Ways.around),
    (r"drivers\.texts", Ways.texts),
    (r"drivers\.(negative|positive|new)\.(.+)\.(items|others|authors)", Ways.driver),
    (r"drivers\.(negative|positive|new)\.([^.]+)", Ways.driver),
    (r"authors\.total", Ways.authors),
    (r"authors\.(?:\w+\.)?(\d+)\.(items|before|engagement|score|total)", Ways.author),
    (r"copies\.(mentions|reviews)", Ways.copies),
    (r"coverage\.unscored_languages\.(.+)", Ways.language),
    (rf"({_MOOD})", Ways.plain),
)
