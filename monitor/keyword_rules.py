"""How many of the stored items each of a brand's words would catch, and what would change if all were decided anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, Literal

from monitor.app import App, Watched, watched
from monitor.config.models import BrandSettings, Settings
from monitor.judging import Judge, judge_by
from monitor.looking import Extent, Look
from monitor.matching import Keywords, Verdict, decide, holds, page_of
from storage import marks, mutes, queries
from storage.engine import Database
from storage.marks import Decided, Seen
from storage.reasons import Mutes

Kind = Literal["keyword", "query", "required", "exclude"]
SECONDS: Final = 10.0
"""For all brands together, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one word of the configuration does among the items that words decide about.

    ``items``: it is in so many; ``counted``: of these so many count now. ``alone``: so many rest on it alone: no other keyword
    names the brand in them, no other required word is there; or, of an exclusion, they would count without it. A query's
    ``excluded`` are those that it leaves out by its own NOT.
    """

    kind: Kind
    text: str
    items: int
    counted: int
    alone: int
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class BrandRules:
    """A brand's words with what each does.

    ``decided``: items that words decide about (own posts, and what counts by nature, are not). ``counting`` and
    ``would_count``: items that count now, and would if all were decided anew; ``in_`` and ``out`` are the ways between.
    ``beyond``: how many items no keyword decides about, by source.
    """

    brand: str
    extent: Extent
    decided: int
    rules: tuple[RuleCount, ...]
    counting: int
    would_count: int
    in_: int
    out: int
    beyond: Mapping[str, int] = field(default_factory=dict)

    @property
    def stale(self) -> bool:
        """Would a rematch change anything?"""
        return bool(self.in_ or self.out)


def rules_of(app: App, brands: Sequence[str] | None = None, *, seconds: float | None = None) -> list[BrandRules]:
    """The rules of these brands (all without any), counted over the store; over its newest items if ``seconds`` run out."""
    names = list(app.brands if brands is None else brands)
    return _counted(app.settings, app.database, [app.brands[name] for name in names], seconds)


def rules_in(settings: Settings, database: Database, *, seconds: float = SECONDS) -> list[BrandRules]:
    """The same of a store that nothing is to be written to; brands that it does not know are left out."""
    known = queries.brand_ids(database)
    brands = [watched(brand, known[brand.name]) for brand in settings.brands if brand.name in known]
    return _counted(settings, database, brands, seconds)


def _counted(
    settings: Settings, database: Database, brands: Sequence[Watched], seconds: float | None
) -> list[BrandRules]:
    speaks, muted = judge_by(settings, database, brands), mutes.in_force(database)
    share = None if seconds is None else seconds / max(1, len(brands))
    return [_of_brand(settings.brand(one.name), one, database, speaks, muted, share) for one in brands]


def _of_brand(
    brand: BrandSettings, one: Watched, database: Database, speaks: Judge, muted: Mutes, seconds: float | None
) -> BrandRules:
    look, count = Look(database, one.id, seconds=seconds), _Count(brand, speaks, muted)
    for entry in look:
        count.take(entry.item)
    return count.ended(look)


# -------------------------------------------------------------------------------------------------- one by one


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    text: str
    keywords: Keywords


def _rules(brand: BrandSettings) -> Iterator[_Rule]:
    sensitive = brand.case_sensitive
    if brand.query is not None:
        yield _Rule("query", brand.query, Keywords.compile(query=brand.query, case_sensitive=sensitive))
    lists: tuple[tuple[Kind, Sequence[str]], ...] = (
        ("keyword", brand.named_by),
        ("required", brand.required),
        ("exclude", brand.exclude),
    )
    for kind, texts in lists:
        for text in dict.fromkeys(texts):
            yield _Rule(kind, text, Keywords.compile([text], case_sensitive=sensitive))


@dataclass
class _Count:
    """Counts, item by item."""

    brand: BrandSettings
    speaks: Judge
    muted: Mutes
    rules: list[_Rule] = field(init=False)
    items: Counter[int] = field(default_factory=Counter)
    counted: Counter[int] = field(default_factory=Counter)
    alone: Counter[int] = field(default_factory=Counter)
    excluded: Counter[int] = field(default_factory=Counter)
    decided: int = 0
    beyond: Counter[int] = field(default_factory=Counter)
    ways: Counter[tuple[bool, bool]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rules = list(_rules(self.brand))

    def take(self, item: Seen) -> None:
        counts = item.uncounted is None
        if item.erased_at is not None:  # it stays as it is
            self.ways[counts, counts] += 1
            return
        after = marks.reason_of(item, Decided(item, self.speaks.verdict(item)[0]), self.muted)
        self.ways[counts, after is None] += 1
        if self.speaks.heeds_words(item):
            self.decided += 1
            self._count(item)
        else:
            self.beyond[item.source_id] += 1

    def _count(self, item: Seen) -> None:
        page = page_of(item.said, case_sensitive=self.brand.case_sensitive)
        found = {number for number, rule in enumerate(self.rules) if holds(page, rule.keywords)}
        left_out = self._left_out_by_query(item, found)
        for number in found:
            self.items[number] += 1
            self.counted[number] += item.uncounted is None
        self.excluded.update(left_out)
        self.alone.update(self._decisive(found, left_out))

    def _left_out_by_query(self, item: Seen, found: Set[int]) -> set[int]:
        """The query, where the brand has one and its own NOT leaves this item out."""
        chosen = (n for n, rule in enumerate(self.rules) if rule.kind == "query" and n not in found)
        return {n for n in chosen if decide(item.said, self.rules[n].keywords).verdict is Verdict.EXCLUDED}

    def _decisive(self, found: Set[int], left_out: Set[int]) -> Iterator[int]:
        """The rules without which the item would be decided otherwise."""
        of = {
            kind: [n for n in found if self.rules[n].kind == kind]
            for kind in ("keyword", "query", "required", "exclude")
        }
        naming = of["keyword"] or of["query"]
        required = of["required"] or not self.brand.required
        if not required or not (naming or left_out):
            return
        against = [*of["exclude"], *left_out]
        yield from against if len(against) == 1 else ()
        if not against:
            yield from naming if len(naming) == 1 else ()
            yield from of["required"] if len(of["required"]) == 1 else ()

    def ended(self, look: Look) -> BrandRules:
        rules = (
            RuleCount(rule.kind, rule.text, self.items[n], self.counted[n], self.alone[n], self.excluded[n])
            for n, rule in enumerate(self.rules)
        )
        return BrandRules(
            brand=self.brand.name,
            extent=look.extent,
            decided=self.decided,
            rules=tuple(rules),
            counting=self.ways[True, True] + self.ways[True, False],
            would_count=self.ways[True, True] + self.ways[False, True],
            in_=self.ways[False, True],
            out=self.ways[True, False],
            beyond=self.speaks.named(self.beyond),
        )
