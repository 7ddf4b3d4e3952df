"""The request budgets of accounts (and of sources without one), shared through the store by all that use them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Final

from connectors.contract import RequestBudget, Unlimited
from connectors.errors import Malformed, RateLimited, Unavailable
from monitor.config.limits import limits
from monitor.config.models import Settings, SourceSettings
from monitor.config.shown import duration
from storage import budgets, schema
from storage.engine import Database, StorageError, is_unmade, open_database
from storage.records import Left, Limit

PATIENCE: Final = timedelta(seconds=5)
"""So long a request waits for its turn; what takes longer ends the pull, which goes on when the budget allows."""


class BudgetSpent(RateLimited):
    """A budget of our own is spent: no fault of the platform's, and none of the source's."""


@dataclass(frozen=True, slots=True)
class Purse:
    """Whose budget it is, in words and as the store knows it, and its limits."""

    words: str
    key: str
    told: str
    limits: Sequence[Limit]


def purse_of(settings: Settings, source: SourceSettings) -> Purse | None:
    """The budget that a source's requests are taken from; ``None`` where it has none."""
    if source.account is not None:
        kind, name, texts = "account", source.account, settings.account(source.account).requests
    else:
        kind, name, texts = "source", source.name, source.requests
    return Purse(f'{kind} "{name}"', f"{kind} {name}", ", ".join(texts), limits(texts)) if texts else None


def budget_of(settings: Settings, database: Database, source: SourceSettings, stop: Event) -> RequestBudget:
    """What a source's connector takes its requests from."""
    purse = purse_of(settings, source)
    return Unlimited() if purse is None else SharedBudget(database, purse, stop)


@dataclass(frozen=True, slots=True)
class SharedBudget:
    """A :class:`RequestBudget` kept in the store. A short wait is waited out, unless the program is to stop."""

    database: Database
    purse: Purse
    stop: Event
    patience: timedelta = PATIENCE

    def take(self, units: int = 1) -> None:
        """Spend ``units``. :class:`BudgetSpent` says how long to wait, where that is long; nothing is spent then."""
        end = time.monotonic() + self.patience.total_seconds()
        while (wait := self._spend(units)) is not None:
            if time.monotonic() + wait.total_seconds() > end:
                raise BudgetSpent(f"the request budget of {self.purse.words} is spent ({self.purse.told})", wait)
            if self.stop.wait(wait.total_seconds()):
                raise Unavailable("stopping")

    def _spend(self, units: int) -> timedelta | None:
        try:
            return budgets.take(self.database, self.purse.key, self.purse.limits, units)
        except ValueError as error:
            fact = f"one request costs {units}, the whole request budget of {self.purse.words} is less"
            raise Malformed(f"{fact} ({self.purse.told}); raise requests") from error


@contextmanager
def shared_store(settings: Settings) -> Iterator[Database | None]:
    """The store, for what only wants to take from the budgets in it; ``None`` where there are none, or it cannot be used yet."""
    database = _usable(settings) if any(purse_of(settings, source) for source in settings.enabled_sources) else None
    try:
        yield database
    finally:
        if database is not None:
            database.close()


def _usable(settings: Settings) -> Database | None:
    if is_unmade(settings.monitor.database):
        return None
    try:
        database = open_database(settings.monitor.database)
    except StorageError:
        return None
    try:
        if schema.version(database) == schema.HEAD:
            return database
    except StorageError:
        pass  # the store's own check says so
    database.close()
    return None


def left(database: Database, purse: Purse) -> list[Left]:
    """What is left of a budget now."""
    return budgets.left(database, purse.key, purse.limits)


def left_words(limits: Sequence[Left]) -> str:
    """``12 of 60 left in 1m, 900 of 1,000 left in 1h``."""
    return ", ".join(f"{one.units:,} of {one.limit.amount:,} left in {duration(one.limit.period)}" for one in limits)
