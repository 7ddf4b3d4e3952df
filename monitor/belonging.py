"""Which brands an item belongs to, and whether it counts there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors import registry
from connectors.contract import Kind, Scope
from monitor.app import Watched
from monitor.config.models import SourceSettings
from monitor.matching import Verdict, decide
from monitor.normalise import Row
from storage.engine import Database
from storage.known import known_ids
from storage.reasons import EXCLUDED


@dataclass(frozen=True, slots=True)
class Matched:
    """An item that is one brand's, and whether it counts there."""

    brand: Watched
    row: Row
    uncounted: str | None


def counts_all(source: SourceSettings) -> bool:
    """Does everything this source brings count, or only what names the brand?"""
    if source.match is not None:
        return source.match == "all"
    return registry.plugin(source.type).capabilities.scope is Scope.SUBJECT


def matched(row: Row, brands: Sequence[Watched], *, match_all: bool) -> Iterable[Matched]:
    """The brands that this item is about. An own post is its account's by nature."""
    for brand in brands:
        if match_all or row.kind == Kind.POST:
            yield Matched(brand, row, None)
            continue
        verdict = decide((row.title, row.text), brand.keywords).verdict
        if verdict is not Verdict.NOT_NAMED:
            yield Matched(brand, row, EXCLUDED if verdict is Verdict.EXCLUDED else None)


def silenced(
    database: Database, platform: str, rows: Sequence[Row], brands: Sequence[Watched], found: Sequence[Matched]
) -> Iterator[Matched]:
    """Items stored for a brand that they do not name: their author has taken the name out, so that they count no more.

    ``found``: what names its brand. One look at the store for each brand; an item that was never stored stays outside.
    """
    for brand in brands:
        named = {entry.row.external_id for entry in found if entry.brand.id == brand.id}
        unnamed = {row.external_id: row for row in rows if row.external_id not in named}
        for external_id in known_ids(database, brand.id, platform, sorted(unnamed)):
            yield Matched(brand, unnamed[external_id], EXCLUDED)
