"""PURE  Which channel gets what, and when: by brand and tag, within its quiet hours and its messages an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from monitor.clocks import first_instant, local
from monitor.config.channels import Channel, hours
from monitor.figures import Report

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Item(Protocol):
    """What routing looks at."""

    @property
    def brand(self) -> str: ...

    @property
    def tags(self) -> Sequence[str]: ...


I = TypeVar("I", bound=Item)  # noqa: E741


def routes(channels: Sequence[Channel], items: Sequence[I]) -> list[tuple[list[str], Sequence[I]]]:
    """Which channels get which of a rule's items: those that get the same are together; one that gets none is in none."""
    found: dict[tuple[int, ...], list[str]] = {}
    for channel in channels:
        theirs = tuple(at for at, item in enumerate(items) if _takes(channel, item))
        if theirs:
            found.setdefault(theirs, []).append(channel.name)
    return [(names, [items[at] for at in theirs]) for theirs, names in found.items()]


def _takes(channel: Channel, item: Item) -> bool:
    named = not channel.brands or item.brand in channel.brands
    return named and (not channel.tags or not set(channel.tags).isdisjoint(item.tags))


def for_brands(channels: Sequence[Channel], brands: Sequence[str]) -> list[str]:
    """The channels that take what is about these brands; what is about none in particular is for all."""
    return [one.name for one in channels if not one.brands or not brands or not set(one.brands).isdisjoint(brands)]


def narrowed(report: Report, channel: Channel) -> Report:
    """The report with a channel's brands only, each with its competitors."""
    if not channel.brands:
        return report
    wanted = set(channel.brands)
    kept = [one for one in report.brands if one.brand in wanted or not wanted.isdisjoint(one.competitor_of)]
    return report.model_copy(update={"brands": kept})


def held_until(
    channel: Channel, kind: str, urgent: bool, now: datetime, zone: ZoneInfo, sent: Sequence[datetime]
) -> datetime | None:
    """Until when a message waits; ``None``: it can leave. ``sent``: when others left by this channel, oldest first.

    Tests and what is urgent never wait; digests only for the end of quiet hours, never for others' number.
    """
    if kind == "test" or urgent:
        return None
    until = quiet_until(channel.quiet_hours, now, zone) if channel.quiet_hours else None
    if until is None and kind != "digest" and channel.max_per_hour is not None:
        lately = [at for at in sent if at > now - HOUR]
        if len(lately) >= channel.max_per_hour:
            until = lately[-channel.max_per_hour] + HOUR
    return until


def quiet_until(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The end of the quiet hours that ``now`` lies in; ``None`` outside of them. Its edges are those of the local clock."""
    begin, end = hours(text)
    today = local(now, zone).date()
    for day in (today - DAY, today, today + DAY):
        start = first_instant(datetime.combine(day, begin), zone)
        stop = first_instant(datetime.combine(day if begin < end else day + DAY, end), zone)
        if start <= now < stop:
            return stop
    return None
