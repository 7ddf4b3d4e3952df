"""The one composition root: settings in, a program ready to run out. Nothing is made at import time."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from connectors import registry
from connectors.contract import Connector, Context, Plugin, RequestBudget
from connectors.http import HttpClient
from monitor.budgets import budget_of
from monitor.config.models import BrandSettings, Settings, SourceSettings
from monitor.matching import Keywords, brand_words
from monitor.memory import Memory
from monitor.privacy import OPEN, OWN_KEY, Privacy, key_of
from monitor.scoring import Profile
from storage import schema, sources
from storage.engine import Database, open_database
from storage.erasure import make_key
from storage.soundness import refuse_unsound

if TYPE_CHECKING:
    from monitor.bulk import BulkScoring

T = TypeVar("T")
DEFAULT_EVERY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Watched:
    """A brand, ready for matching and scoring."""

    id: int
    name: str
    keywords: Keywords
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class App:
    """Everything a command or the daemon needs. ``owner`` names this process to the others on the same database."""

    settings: Settings
    database: Database
    now: Callable[[], datetime]
    owner: str
    brands: Mapping[str, Watched]
    started_at: datetime
    memory: Memory = field(default_factory=Memory)
    privacy: Privacy = OPEN

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` returned the last time for this key, if that is still remembered; else made now."""
        return self.memory.get(key, make)

    @property
    def profile(self) -> Profile:
        """How texts are scored."""
        profile: Profile = self.settings.scoring
        return profile

    @property
    def lease(self) -> timedelta:
        """How long the claim of a pull stands without a sign of life; every stored page renews it."""
        return self.settings.monitor.lease

    def every(self, source: SourceSettings) -> timedelta:
        """How often a source is pulled."""
        capabilities = registry.plugin(source.type).capabilities
        if not capabilities.pull:
            return DEFAULT_EVERY  # nothing is read: it only shows that somebody was there to take what comes
        return max(source.every or DEFAULT_EVERY, capabilities.minimum_interval)

    def horizon(self, source: SourceSettings) -> datetime:
        """How far back a source's first pull reaches."""
        return self.now() - (source.first_fetch or self.settings.monitor.first_fetch)

    def open(self, source: SourceSettings, stop: Event, budget: RequestBudget | None = None) -> Connector:
        """A connector for this source, ready to fetch; its requests are taken from the source's budget unless one is given."""
        terms = dict.fromkeys(term for name in source.served for term in self.brands[name].keywords.search_terms)
        plugin = registry.plugin(source.type)
        budget = budget or budget_of(self.settings, self.database, source, stop)
        folder = self.settings.folder
        return open_connector(plugin, source.parsed, tuple(terms), self.now, stop, budget, source.name, folder)

    def bulk_scoring(self, workers: int | None = None) -> BulkScoring:
        """Where many texts are scored: processes of this machine, or the Dask cluster that the settings name.

        ``workers``: so many processes, whatever the settings say. ``ExecutorUnusable`` where the cluster cannot be used.
        """
        from monitor.bulk import bulk_scoring

        return bulk_scoring(self.profile, self.settings.monitor.executor, workers)

    def close(self) -> None:
        self.database.close()


def build(
    settings: Settings,
    *,
    now: Callable[[], datetime] | None = None,
    thorough: bool = False,
    makes_store: bool = True,
) -> App:
    """Open the store, bring its tables up to date, and make it know the configured brands and sources.

    ``thorough`` reads an SQLite file as a whole before anything is written to it.
    ``StorageError`` where the store cannot be used; ``StoreUnmade`` where there is none, unless one is to be made.
    """
    database = open_database(settings.monitor.database)
    try:
        refuse_unsound(database, thorough=thorough)
        schema.upgrade(database, make=makes_store)
        return _built(settings, database, now or utc_now)
    except BaseException:
        database.close()
        raise


def _built(settings: Settings, database: Database, clock: Callable[[], datetime]) -> App:
    brands = _synced(settings, database, clock())
    return App(settings, database, clock, owner_name(), brands, clock(), privacy=_privacy(settings, database))


def rebuilt(app: App, settings: Settings) -> App:
    """The same program on the same store, by other settings. What still runs by the old ones goes on with ``app``."""
    brands = _synced(settings, app.database, app.now())
    return replace(app, settings=settings, brands=brands, memory=Memory(), privacy=_privacy(settings, app.database))


def _synced(settings: Settings, database: Database, now: datetime) -> dict[str, Watched]:
    entries = [
        sources.SourceEntry(source.name, source.type, registry.plugin(source.type).platform, source.formerly)
        for source in settings.enabled_sources
    ]
    renamed = {brand.name: brand.was for brand in settings.brands if brand.was}
    ids = sources.sync(database, [brand.name for brand in settings.brands], entries, now, renamed)
    return {brand.name: watched(brand, ids[brand.name]) for brand in settings.brands}


def _privacy(settings: Settings, database: Database) -> Privacy:
    """What of a person is stored. The store's own key is made when it is first wanted."""
    wanted, key = settings.privacy, None
    if wanted.authors == "hashed" and wanted.key is not None:
        key = key_of(wanted.key.get_secret_value())
    elif wanted.authors == "hashed":
        key = database.write(lambda connection: make_key(connection, OWN_KEY))
    return Privacy(key, frozenset(wanted.redact))


def watched(brand: BrandSettings, brand_id: int) -> Watched:
    """A configured brand, ready for matching."""
    keywords = brand.compiled()
    return Watched(brand_id, brand.name, keywords, brand_words(keywords, brand.name))


def open_connector(
    plugin: Plugin[Any],
    options: Any,
    terms: tuple[str, ...],
    now: Callable[[], datetime],
    stop: Event,
    budget: RequestBudget,
    source: str = "",
    folder: Path = Path(),
) -> Connector:
    """A connector with all that it may know of the world; ``folder``: what relative paths in its options go by."""
    http = HttpClient(budget=budget, stop=stop, now=now, trusted=_named_hosts(options))
    log = logging.getLogger(f"sentiment_monitor.connectors.{plugin.name}")
    return plugin.open(options, Context(terms, now, stop, http, log, budget, source, folder))


def _named_hosts(options: Any) -> frozenset[str]:
    """The hosts that the user named: those may lie on a private network, all others may not."""
    values = (value for _, value in options)
    addresses = (entry for value in values for entry in (value if isinstance(value, list | tuple) else [value]))
    hosts = (urlsplit(entry).hostname for entry in addresses if isinstance(entry, str) and "://" in entry)
    return frozenset(host for host in hosts if host)


def owner_name() -> str:
    """This process, told from all others that share the database."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
