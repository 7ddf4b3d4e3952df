"""What ``check`` says of the store: is it sound, what was left unscored by language, and is a rescore due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.checking import Finding
from monitor.config import Settings
from monitor.firing import rules_of
from monitor.keyword_rules import BrandRules, rules_in
from monitor.rule_trials import try_out
from monitor.scoring.pipeline import versions
from monitor.scoring.registry import ScorerError
from storage import queries, relabel, schema
from storage.engine import Database, StorageError, is_unmade, open_database

PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Stock:
    """``left_out``: items of the last 30 days without a label because of their language, by brand and language.

    ``outdated``: items whose label was made under other scoring settings than the present ones. ``caught``: items of the
    last 30 days that each enabled rule would have caught. ``words``: what each of a brand's words catches.
    """

    finding: Finding
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    outdated: int = 0
    caught: Mapping[str, int] = field(default_factory=dict)
    words: Sequence[BrandRules] = ()


def take_stock(settings: Settings, now: Callable[[], datetime]) -> Stock:
    """How the configured store is. Raises nothing, changes nothing, and makes no file that is not there."""
    if is_unmade(settings.monitor.database):
        return Stock(Finding("store", "database", "sqlite", ok=True, state="will be made"))
    try:
        database = open_database(settings.monitor.database)
        try:
            return _stock(settings, database, now())
        finally:
            database.close()
    except StorageError as error:
        return Stock(Finding("store", "database", "database", ok=False, state="cannot be used", mend=str(error)))


def _stock(settings: Settings, database: Database, now: datetime) -> Stock:
    kind = database.engine.dialect.name
    version = schema.version(database)
    if version != schema.HEAD:
        return Stock(Finding("store", "database", kind, ok=True, state="will be brought up to date"))
    count = sum(row["count"] for row in queries.stats(database)["items"])
    window = (now - PERIOD, now + timedelta(days=1))
    found = {brand.name: queries.unscored_by_language(database, brand.name, window) for brand in settings.brands}
    return Stock(
        Finding("store", "database", kind, ok=True, state=f"holds {count:,} items"),
        {brand: languages for brand, languages in found.items() if languages},
        _outdated(settings, database),
        _caught(settings, database, window),
        rules_in(settings, database),
    )


def _caught(settings: Settings, database: Database, window: queries.Window) -> Mapping[str, int]:
    brands = [brand.name for brand in settings.brands]
    trials = try_out(database, rules_of(settings), brands, *window, settings.monitor.zone)
    return {trial.rule.name: trial.caught for trial in trials}


def _outdated(settings: Settings, database: Database) -> int:
    known = queries.brand_ids(database)
    scope = relabel.Scope([known[brand.name] for brand in settings.brands if brand.name in known])
    try:
        return relabel.count_outdated(database, scope, versions(settings.scoring))
    except ScorerError:
        return 0  # the configuration's own check says so
