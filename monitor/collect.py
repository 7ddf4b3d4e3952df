"""One pull of one source: fetch, normalise, match, score, store, page by page. The story of the program.

Nothing is fetched or scored while a write transaction is open; each page is stored in one transaction with its cursor, so a
crash anywhere is healed by the next pull, and a repeated pull changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from threading import Event, Thread
from typing import Final

from connectors import registry
from connectors.contract import Connector, CountsFollowers, Gap, Item, Page, ShowsStanding
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, fate_name
from monitor import firing, likeness, refreshing
from monitor.app import App
from monitor.belonging import Matched, counts_all, matched, silenced
from monitor.budgets import BudgetSpent
from monitor.config.models import SourceSettings
from monitor.normalise import Row, row_of
from monitor.privacy import applied
from monitor.schedule import next_reread, next_run
from monitor.scoring import Label, Scorable, Scored, score_batch
from monitor.timeliness import next_turn
from storage import ingest, sources
from storage.engine import StorageError
from storage.health import note_reading
from storage.leases import LeaseLost
from storage.records import AuthorValues, Claim, GapValues, ItemValues, Outcome, PageValues, Saved
from storage.refreshing import Reread
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
    refreshed: int = 0
    """Known items that were read again, and, of these, gone from their platform."""
    gone: int = 0

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

    def reread(self, found: Reread) -> Pulled:
        return replace(self, refreshed=found.read, gone=found.gone)

    def ended(self, fate: str | None, error: str | None = None, *, cut_off: bool = False) -> Pulled:
        return replace(self, fate=fate, error=error, cut_off=cut_off)


Progress = Callable[[Pulled], None]


def pull(app: App, claim: Claim, stop: Event, progress: Progress = lambda _: None) -> Pulled:
    """Pull one claimed source to its end, and say in the store how it went.

    Raises only what the store raises; a pull that failed already says ``store`` instead.
    """
    try:
        with lease_kept(app, claim):
            return _pull(app, claim, stop, progress)
    except LeaseLost:
        LOG.warning("pull taken over source=%s", claim.name)
        return Pulled(claim.name).ended("lease_lost", cut_off=True)


def _pull(app: App, claim: Claim, stop: Event, progress: Progress) -> Pulled:
    source, begun = app.settings.source(claim.name), app.now()
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
                result = result.reread(refreshing.reread(app, claim, connector, stop))
        finally:
            connector.close()
    except (SourceError, StorageError) as error:
        return _failed(app, claim, result, error, stop)
    except LeaseLost:
        raise
    except Exception as error:
        LOG.exception("bug in source %s", claim.name)
        return _failed(app, claim, result, error, stop)
    return _cut_off(app, claim, result) if stop.is_set() else _finished(app, source, claim, result, begun)


@contextmanager
def lease_kept(app: App, claim: Claim) -> Iterator[None]:
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
    values = replace(values, arrivals_since=firing.news_since(app, source, claim))
    saved = ingest.save_page(app.database, claim, values, app.now())
    likeness.settle(app)
    return values, saved


def _finished(app: App, source: SourceSettings, claim: Claim, result: Pulled, begun: datetime) -> Pulled:
    now = app.now()
    next_run_at = next_turn(app, source, f"{claim.name}/{claim.turn}", begun, now)
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
    waiting = isinstance(error, RateLimited | StorageError)  # which are no fault of the source
    next_run_at = _next_try(app, claim, error, now)
    message = (
        str(error) if isinstance(error, SourceError | StorageError) else f"{type(error).__name__} in the connector"
    )
    paused = message if isinstance(error, AccessDenied | NotThere) else None
    outcome = Outcome(next_run_at, fate, message[:500], paused and paused[:500], waiting)
    try:
        sources.finish_pull(app.database, claim, outcome, now)
    except StorageError as refused:  # it cannot be noted now; the source is due again when its lease has ended
        LOG.warning("pull failed source=%s fate=store error=%s", claim.name, refused)
        return result.ended("store", str(refused))
    LOG.log(
        logging.INFO if isinstance(error, RateLimited) else logging.WARNING,
        "pull failed source=%s fate=%s next=%s error=%s",
        *(claim.name, fate, outcome.next_run_at.isoformat(timespec="seconds"), message),
    )
    return result.ended(fate, message)


def _next_try(app: App, claim: Claim, error: Exception, now: datetime) -> datetime:
    """Only failures of the source itself make it wait longer each time."""
    every, key = app.every(app.settings.source(claim.name)), f"{claim.name}/{claim.turn}"
    if isinstance(error, BudgetSpent) and error.retry_after is not None:
        return now + error.retry_after
    if isinstance(error, RateLimited):
        named = error.retry_after is not None  # else a whole interval
        return next_run(now, every, key, failures=int(named), retry_after=error.retry_after)
    return next_run(now, every, key, failures=1 if isinstance(error, StorageError) else claim.failures + 1)


def _fate(error: Exception) -> str:
    if isinstance(error, StorageError):
        return "store"
    return fate_name(error) if isinstance(error, SourceError) else "bug"


def _readings(app: App, claim: Claim, connector: Connector) -> None:
    """Followers and standing. The items are stored by now: what goes wrong here is said, and is no failure of the pull."""
    capabilities = registry.plugin(app.settings.source(claim.name).type).capabilities
    if capabilities.followers and isinstance(connector, CountsFollowers):
        with _said(app, "followers", claim):
            for reading in connector.followers():
                sources.save_follower_reading(app.database, claim, reading.account, reading.count, reading.at)
    if capabilities.standing and isinstance(connector, ShowsStanding):
        with _said(app, "standing", claim):
            for found in connector.standing():
                values = {"mean": found.mean, "worst": found.worst, "best": found.best, "count": found.count}
                sources.save_standing_reading(app.database, claim, found.place, values, found.at)
    if (cursor := refreshing.memory_of(connector)) is not None:
        sources.save_cursor(app.database, claim, cursor)


@contextmanager
def _said(app: App, what: str, claim: Claim) -> Iterator[None]:
    try:
        yield
        note_reading(app.database, claim.source_id, what, None, app.now())
    except SourceError as error:
        if not isinstance(error, RateLimited):  # to be asked to wait is no failure
            note_reading(app.database, claim.source_id, what, str(error), app.now())
        LOG.warning("not read source=%s what=%s fate=%s error=%s", claim.name, what, _fate(error), error)


# ------------------------------------------------------------------------------------------- a page, made storable


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page normalised and matched: all but the labels."""

    page: Page
    now: datetime
    found: Sequence[Matched]
    unmatched: int
    skips: Sequence[tuple[str, str]]

    @property
    def batch(self) -> list[Scorable]:
        """What is to be scored, in order."""
        return [_scorable(entry) for entry in self.found]


def page_values(app: App, source: SourceSettings, claim: Claim, page: Page) -> PageValues:
    """A page normalised, matched and scored, with its cursor."""
    ready = prepared(app, source, page)
    if source.type == "files" and ready.found:
        from monitor import same_file

        ready = replace(ready, found=same_file.as_stored(app, same_file.of_source(app, source), ready.found))
    return values_of(app, source, claim, ready, score_batch(ready.batch, app.profile))


def prepared(app: App, source: SourceSettings, page: Page) -> Prepared:
    """A page ready to be scored, here or elsewhere."""
    now = app.now()
    brands = [app.brands[name] for name in source.served]
    platform = registry.plugin(source.type).platform
    rows, skips = normalised((applied(item, platform, app.privacy) for item in page.items), now)
    found = [entry for row in rows for entry in matched(row, brands, match_all=counts_all(source))]
    unmatched = len(rows) - len({entry.row.external_id for entry in found})
    found += silenced(app.database, platform, rows, brands, found)
    return Prepared(page, now, found, unmatched, [*((entry.what, entry.why) for entry in page.skipped), *skips])


def values_of(app: App, source: SourceSettings, claim: Claim, ready: Prepared, scored: Sequence[Scored]) -> PageValues:
    """What is stored of a page, once it is scored; with its cursor."""
    now, until = ready.now, refreshing.rereads_until(app, source)
    items = [_values(entry, said, now, claim, until) for entry, said in zip(ready.found, scored, strict=True)]
    return PageValues(
        items=items,
        authors=_authors([entry.row for entry in ready.found], claim.platform, now),
        cursor=ready.page.cursor,
        seen=len(ready.page.items),
        unmatched=ready.unmatched,
        skips=ready.skips,
        gap=_gap(ready.page.gap, claim, now),
        likeness=likeness.keys_of(app, items),
    )


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


def _scorable(entry: Matched) -> Scorable:
    row = entry.row
    stars = Label(row.rating_label) if row.rating_label else None
    return Scorable(row.title, row.text, stars, row.language, entry.brand.words)


def _values(entry: Matched, scored: Scored, now: datetime, claim: Claim, until: timedelta) -> ItemValues:
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
        "refresh_at": next_reread(row.published_at, now, until),
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
@lru_cache(maxsize=4_096)
def author_id(platform: str, external_id: str) -> int:
    """A stable 63-bit number for an author: the same wherever and whenever it is computed."""
    digest = blake2b(f"{platform}\0{external_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _gap(gap: Gap | None, claim: Claim, now: datetime) -> GapValues | None:
    if gap is None:
        return None
    return GapValues(gap.since or claim.reaches_back_to, gap.until or now, gap.reason, gap.missing)
