"""What alerts tell: one message when something begins, one when it is usual again; several that begin at once share one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitor.alert_reading import Subject
from monitor.alerts import Episode
from monitor.app import App
from monitor.clocks import first_instant, local
from monitor.config.watching import AlertSettings
from monitor.digest import alert_words as words
from monitor.drivers import find
from monitor.notices import Notice, queue
from monitor.reading import read
from monitor.schedule import span
from storage import queries
from storage.records import ItemFilter

TERMS: Final = 5
ITEMS: Final = 5
EARLIER: Final = timedelta(days=14)
"""What is said is compared with what was said so long before."""


@dataclass(frozen=True, slots=True)
class Told:
    """An episode to be told of: that it has begun (``first``), that it is over, or both."""

    alert: AlertSettings
    subject: Subject
    episode: Episode
    first: bool
    over: bool


def queue_all(app: App, told: Sequence[Told], now: datetime) -> list[Callable[[Connection], object]]:
    """The messages, ready to be queued within a transaction: one for all that goes to the same channels at the same time."""
    groups: dict[tuple[tuple[str, ...], datetime], list[Told]] = {}
    for one in told:
        channels = one.alert.channels or [channel.name for channel in app.settings.channels]
        at = after_quiet(now, one.alert.quiet, app.settings.monitor.zone)
        groups.setdefault((tuple(channels), at), []).append(one)
    return [_queued(app, group, channels, at) for (channels, at), group in groups.items()]


def after_quiet(now: datetime, quiet: tuple[time, time] | None, zone: ZoneInfo) -> datetime:
    """PURE  ``now``, or the end of the quiet hours that it lies in, by the local clock."""
    if quiet is None or quiet[0] == quiet[1]:
        return now
    (start, end), shown = quiet, local(now, zone)
    at = shown.time()
    inside = start <= at < end if start < end else at >= start or at < end
    if not inside:
        return now
    day = shown.date() + (timedelta(days=1) if at >= end else timedelta(0))
    return first_instant(datetime.combine(day, end), zone)


def _queued(app: App, group: Sequence[Told], channels: Sequence[str], at: datetime) -> Callable[[Connection], object]:
    notice = notice_of(app, group)
    names = {one.alert.name for one in group}
    brands = {one.subject.brand for one in group}
    only = next(iter(brands)) if len(brands) == 1 else None
    brand_id = app.brands[only].id if only else None
    name = next(iter(names)) if len(names) == 1 else "alerts"
    return lambda connection: queue(connection, "alert", name, notice, list(channels), brand_id, at)


def notice_of(app: App, group: Sequence[Told]) -> Notice:
    """One message for one episode or several."""
    zone = app.settings.monitor.zone
    first = group[0]
    titles = [_title(one, zone) for one in group]
    lines, items, total = ([] if len(group) == 1 else titles), list[int](), 0
    for one in group:
        if one.first and one.subject.brand is not None and one.alert.kind != "source_silent":
            terms, ids, count = _behind(app, one)
            prefix = f"{one.subject.name}: " if len(group) > 1 else ""
            lines += [f"{prefix}{terms}"] if terms else []
            items += [number for number in ids if number not in items]
            total += count
        if one.first and one.over and one.episode.ended_at is not None:
            lines.append(words.usual_again(one.episode.ended_at, zone))
    return Notice(
        title=titles[0] if len(group) == 1 else f"{titles[0]} (and {len(group) - 1} more)",
        lines=lines,
        items=items,
        total=total,
        brand=first.subject.brand if len({one.subject.brand for one in group}) == 1 else None,
        figures={"alerts": [_figures(one) for one in group]},
    )


def _title(one: Told, zone: ZoneInfo) -> str:
    said = words.alert(one.alert.kind, one.episode.figures, zone)
    if not one.first and one.episode.ended_at is not None:
        return f"{one.subject.name}: {words.usual_again(one.episode.ended_at, zone)} ({said})"
    return f"{one.subject.name}: {said}"


def _figures(one: Told) -> dict[str, object]:
    episode = one.episode
    return {
        "name": one.alert.name,
        "kind": one.alert.kind,
        "subject": one.subject.name,
        "brand": one.subject.brand,
        "since": episode.begun_at.isoformat(),
        "until": None if episode.ended_at is None else episode.ended_at.isoformat(),
        "state": "over" if one.over else "open",
        **episode.figures,
    }


def _behind(app: App, one: Told) -> tuple[str, list[int], int]:
    """What drives it: telling terms, and the items that most people met."""
    start, end = words.alert_span(one.episode.figures) or (one.episode.begun_at, one.episode.last_at)
    end = min(end, app.now())
    zone, brand = app.settings.monitor.zone, one.subject.name
    now = read(app, brand, span(start, end, zone))
    before = read(app, brand, span(start - EARLIER, start, zone))
    found = find(app, brand, now, before)
    negative = one.alert.kind != "volume"
    terms = [term.shown for term in (*found.new, *(found.negative if negative else ()))]
    wanted = ItemFilter(
        brand=brand,
        kinds=("review",) if one.alert.kind == "rating_drop" else ("mention", "review"),
        labels=("negative",) if negative else (),
        sources=tuple(one.subject.sources),
        since=start,
        until=end,
    )
    items = queries.items(app.database, wanted, order="engaged", limit=ITEMS)
    said = list(dict.fromkeys(terms))[:TERMS]
    count = queries.count_items(app.database, wanted)
    return (f"said more than before: {', '.join(said)}" if said else ""), [item.id for item in items], count
