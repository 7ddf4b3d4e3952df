"""One pull of one source: fetch, normalise, match, score, store, page by page. The story of the program.

Nothing is fetched or scored while a write transaction is open; each page is stored in one transaction with its cursor, so a
crash anywhere is healed by the next pull, and a repeated pull changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from threading import Event, Thread
from typing import Final

from connectors import registry
from connectors.contract import Connector, CountsFollowers, Gap, Item, Kind, Page, Scope, ShowsStanding
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError
from monitor.app import App, Watched
from monitor.config.models import SourceSettings
from monitor.matching import Verdict, decide
from monitor.normalise import Row, row_of
from monitor.schedule import next_run
from monitor.scoring import Label, Profile, Scorable, Scored, score_batch
from storage import ingest, sources
from storage.engine import StorageError
from storage.leases import LeaseLost
from storage.records import AuthorValues, Claim, GapValues, ItemValues, Outcome, PageValues, Saved
from storage.tables import SCALE

LOG = logging.getLogger("sentiment_monitor.collect")
SKIPS_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to. ``fate`` is ``None`` for a good end; ``cut_off`` where a stop or a lost lease ended it."""

    source: str
    pages: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    skipped: int = 0
    fate: str | None = None
    error: str | None = None
    cut_off: bool = False
    skips: tuple[tuple[str, str], ...] = ()
    """The first of what was left out: what, and why."""

    def plus(self, page: PageValues, saved: Saved) -> Pulled:
        return replace(
            self,
            pages=self.pages + 1,
            seen=self.seen + page.seen,
            new=self.new + saved.new,
            changed=self.changed + saved.changed,
            skipped=self.skipped + len(page.skips),
            skips=(*self.skips, *page.skips)[:SKIPS_TOLD],
        )

    def ended(self, fate: str | None, error: str | None = None, *, cut_off: bool = False) -> Pulled:
        return replace(self, fate=fate, error=error, cut_off=cut_off)


Progress = Callable[[Pulled], None]


def pull(app: App, claim: Claim, stop: Event, progress: Progress = lambda _: None) -> Pulled:
    """Pull one claimed source to its end, and say in the store how it went. Raises only what the store raises."""
    try:
        with _lease_kept(app, claim):
            return _pull(app, claim, stop, progress)
    except LeaseLost:
        LOG.warning("pull taken over source=%s", claim.name)
        return Pulled(claim.name).ended("lease_lost", cut_off=True)


def _pull(app: App, claim: Claim, stop: Event, progress: Progress) -> Pulled:
    source = app.settings.source(claim.name)
    result = Pulled(claim.name)
    try:
        connector = app.open(source, stop)
        try:
            for page in connector.fetch(claim.cursor, claim.reaches_back_to):
                result = result.plus(*store_page(app, source, claim, page))
                progress(result)
                if stop.is_set():
                    break
            if not stop.is_set():
                _readings(app, claim, connector)
        finally:
            connector.close()
    except (SourceError, StorageError) as error:
        return _failed(app, claim, result, error, stop)
    except LeaseLost:
        raise
    except Exception as error:
        LOG.exception("bug in source %s", claim.name)
        return _failed(app, claim, result, error, stop)
    return _cut_off(app, claim, result) if stop.is_set() else _finished(app, source, claim, result)


@contextmanager
def _lease_kept(app: App, claim: Claim) -> Iterator[None]:
    """Renew the lease while a platform takes its time; a process that is stopped or dead renews nothing."""
    ended = Event()

    def renew() -> None:
        while not ended.wait(claim.lease.total_seconds() / 3):
            try:
                sources.renew(app.database, claim)
            except LeaseLost:
                return
            except StorageError as error:
                LOG.warning("lease not renewed source=%s error=%s", claim.name, error)

    thread = Thread(target=renew, name=f"lease-{claim.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def store_page(app: App, source: SourceSettings, claim: Claim, page: Page) -> tuple[PageValues, Saved]:
    """Make a page storable and store it with its cursor. ``LeaseLost`` if another process has taken the source over."""
    values = page_values(app, source, claim, page)
    return values, ingest.save_page(app.database, claim, values, app.now())


def _finished(app: App, source: SourceSettings, claim: Claim, result: Pulled) -> Pulled:
    now = app.now()
    next_run_at = next_run(now, app.every(source), f"{claim.name}/{claim.turn}")
    sources.finish_pull(app.database, claim, Outcome(next_run_at), now)
    LOG.info(
        "pulled source=%s pages=%d seen=%d new=%d changed=%d skipped=%d",
        *(claim.name, result.pages, result.seen, result.new, result.changed, result.skipped),
    )
    return result.ended(None)


def _cut_off(app: App, claim: Claim, result: Pulled) -> Pulled:
    sources.give_back(app.database, claim)
    return result.ended(None, cut_off=True)


def _failed(app: App, claim: Claim, result: Pulled, error: Exception, stop: Event) -> Pulled:
    if stop.is_set():
        return _cut_off(app, claim, result)
    fate = _fate(error)
    now = app.now()
    asked = error.retry_after if isinstance(error, RateLimited) else None
    every, key = app.every(app.settings.source(claim.name)), f"{claim.name}/{claim.turn}"
    next_run_at = next_run(now, every, key, failures=claim.failures + 1, retry_after=asked)
    message = (
        str(error) if isinstance(error, SourceError | StorageError) else f"{type(error).__name__} in the connector"
    )
    paused = message if isinstance(error, AccessDenied | NotThere) else None
    outcome = Outcome(next_run_at, fate, message[:500], paused and paused[:500])
    sources.finish_pull(app.database, claim, outcome, now)
    LOG.log(
        logging.INFO if isinstance(error, RateLimited) else logging.WARNING,
        "pull failed source=%s fate=%s next=%s error=%s",
        *(claim.name, fate, outcome.next_run_at.isoformat(timespec="seconds"), message),
    )
    return result.ended(fate, message)


def _fate(error: Exception) -> str:
    if isinstance(error, StorageError):
        return "store"
    known = next((cls for cls in type(error).__mro__ if SourceError in cls.__bases__), None)
    return known.__name__.lower() if known else "bug"


def _readings(app: App, claim: Claim, connector: Connector) -> None:
    """Followers and standing. The items are stored by now: what goes wrong here is said, and is no failure of the pull."""
    capabilities = registry.plugin(app.settings.source(claim.name).type).capabilities
    if capabilities.followers and isinstance(connector, CountsFollowers):
        with _said("followers", claim):
            for reading in connector.followers():
                sources.save_follower_reading(app.database, claim, reading.account, reading.count, reading.at)
    if capabilities.standing and isinstance(connector, ShowsStanding):
        with _said("standing", claim):
            for found in connector.standing():
                values = {"mean": found.mean, "worst": found.worst, "best": found.best, "count": found.count}
                sources.save_standing_reading(app.database, claim, found.place, values, found.at)


@contextmanager
def _said(what: str, claim: Claim) -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        LOG.warning("not read source=%s what=%s fate=%s error=%s", claim.name, what, _fate(error), error)


# ------------------------------------------------------------------------------------------- a page, made storable


@dataclass(frozen=True, slots=True)
class Matched:
    """An item that is one brand's, and whether it counts there."""

    brand: Watched
    row: Row
    uncounted: str | None


def page_values(app: App, source: SourceSettings, claim: Claim, page: Page) -> PageValues:
    """A page normalised, matched and scored, with its cursor."""
    now = app.now()
    brands = [app.brands[name] for name in source.served]
    rows, skips = normalised(page.items, now)
    found = [entry for row in rows for entry in matched(row, brands, match_all=counts_all(source))]
    items = [_values(entry, scored, now, claim) for entry, scored in scored_items(found, app.profile)]
    return PageValues(
        items=items,
        authors=_authors([entry.row for entry in found], claim.platform, now),
        cursor=page.cursor,
        seen=len(page.items),
        unmatched=len(rows) - len({entry.row.external_id for entry in found}),
        skips=[*((entry.what, entry.why) for entry in page.skipped), *skips],
        gap=_gap(page.gap, claim, now),
    )


def counts_all(source: SourceSettings) -> bool:
    """Does everything this source brings count, or only what names the brand?"""
    if source.match is not None:
        return source.match == "all"
    return registry.plugin(source.type).capabilities.scope is Scope.SUBJECT


def normalised(items: Iterable[Item], now: datetime) -> tuple[list[Row], list[tuple[str, str]]]:
    """Storable rows, each identity once (the last wins), and what could not be made storable."""
    rows: dict[str, Row] = {}
    skips: list[tuple[str, str]] = []
    for item in items:
        try:
            row = row_of(item, now)
        except ValueError as error:
            skips.append((item.external_id, str(error)))
            continue
        rows[row.external_id] = row
    return list(rows.values()), skips


def matched(row: Row, brands: Sequence[Watched], *, match_all: bool) -> Iterable[Matched]:
    """The brands that this item is about. An own post is its account's by nature."""
    for brand in brands:
        if match_all or row.kind == Kind.POST:
            yield Matched(brand, row, None)
            continue
        verdict = decide((row.title, row.text), brand.keywords).verdict
        if verdict is not Verdict.NOT_NAMED:
            yield Matched(brand, row, "excluded" if verdict is Verdict.EXCLUDED else None)


def scored_items(found: Sequence[Matched], profile: Profile) -> Iterable[tuple[Matched, Scored]]:
    """Each matched item with what the scorer says of it."""
    batch = [
        Scorable(
            title=entry.row.title,
            body=entry.row.text,
            rating_label=Label(entry.row.rating_label) if entry.row.rating_label else None,
            platform_language=entry.row.language,
            brand_words=entry.brand.words,
        )
        for entry in found
    ]
    return zip(found, score_batch(batch, profile), strict=True)


def _values(entry: Matched, scored: Scored, now: datetime, claim: Claim) -> ItemValues:
    row = entry.row
    return {
        "brand_id": entry.brand.id,
        "external_id": row.external_id,
        "kind": row.kind,
        "published_at": row.published_at,
        "updated_at": row.updated_at,
        "title": row.title,
        "text": row.text,
        "url": row.url,
        "language": scored.language or row.language,
        "author_id": author_id(claim.platform, row.author_id) if row.author_id else None,
        "author_name": row.author_name,
        "rating_value": row.rating_value,
        "rating_worst": row.rating_worst,
        "rating_best": row.rating_best,
        "stars": None if row.stars is None else round(row.stars * SCALE),
        "star_cell": row.star_cell,
        "rating_label": row.rating_label,
        "label": scored.label,
        "label_by": scored.by,
        "text_label": scored.text_label,
        "compound": None if scored.compound is None else round(scored.compound * SCALE),
        "scorer": scored.scorer,
        "unscored": scored.unscored,
        "likes": row.likes,
        "shares": row.shares,
        "comments": row.comments,
        "views": row.views,
        "counted_at": row.observed_at or now,
        "reply_text": row.reply_text,
        "reply_at": row.reply_at,
        "place": row.place,
        "parent_title": row.parent_title,
        "attributes": row.attributes or None,
        "fingerprint": row.fingerprint,
        "uncounted": entry.uncounted,
        "refresh_at": None,
    }


def _authors(rows: Iterable[Row], platform: str, now: datetime) -> list[AuthorValues]:
    return [
        {
            "id": author_id(platform, row.author_id),
            "platform": platform,
            "external_id": row.author_id,
            "name": row.author_name,
            "followers": row.author_followers,
            "seen_at": now,
        }
        for row in rows
        if row.author_id
    ]


@lru_cache(maxsize=4096)
def author_id(platform: str, external_id: str) -> int:
    """A stable 63-bit number for an author: the same wherever and whenever it is computed."""
    digest = blake2b(f"{platform}\0{external_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _gap(gap: Gap | None, claim: Claim, now: datetime) -> GapValues | None:
    if gap is None:
        return None
    return GapValues(gap.since or claim.reaches_back_to, gap.until or now, gap.reason, gap.missing)
