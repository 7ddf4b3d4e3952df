"""Dated events and the scores around them: from the configuration, from the command line, and from the sample data.

As many days before as after are compared, like with like. That a score moved after something does not say why it moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from monitor import figures as f
from monitor import sums as s
from monitor.app import App
from monitor.clocks import first_instant, local
from monitor.coverage import coverage_of
from monitor.metrics.change import Change, compare, settle
from monitor.metrics.groups import Group
from monitor.metrics.sentiment import Tally
from monitor.reading import totals_of
from monitor.samples import story
from monitor.schedule import Window, span
from storage import annotations as stored
from storage import queries, sources, windows
from storage.tables import BUCKET_SECONDS

KINDS: Final = {"mention": "social", "review": "reviews"}
DAYS: Final = 7
"""Days compared on either side of an event; of one that lasted, as many as it did."""
LONGEST: Final = 28
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Noted:
    """An event. ``id``: its number where it can be removed from the command line; ``brand`` none: of all brands."""

    at: datetime
    until: datetime | None
    text: str
    brand: str | None = None
    id: int | None = None
    by: str | None = None


def noted(app: App, brand: str) -> list[Noted]:
    """All that is known to have happened to a brand, by time; what two places say alike is told once."""
    everything = [*_configured(app, brand), *_stored(app, brand), *_of_samples(app, brand)]
    first = {(one.at, one.until, one.text): one for one in reversed(everything)}
    return sorted(first.values(), key=lambda one: (one.at, one.text))


def annotations_of(app: App, brand: str, window: Window, other: Window, *, items: bool) -> list[f.Annotation]:
    """What happened in a window or in the one it is compared with, each with the scores around it, tested together.

    Without ``items`` the intervals take the items as independent.
    """
    here = [one for one in noted(app, brand) if _touches(one, window) or _touches(one, other)]
    both = [sides(one, app.now(), window) for one in here]
    found = [None if pair is None else _around(app, brand, *pair, items=items) for pair in both]
    settled = {kind: _settled(found, kind) for kind in KINDS}
    return [
        f.Annotation(
            at=one.at,
            until=one.until,
            text=one.text,
            days=None if pair is None else _days(pair[1]),
            **{figure: settled[kind].get(number) for kind, figure in KINDS.items()},
        )
        for number, (one, pair) in enumerate(zip(here, both, strict=True))
    ]


# ------------------------------------------------------------------------------------------------- from where


def _configured(app: App, brand: str) -> Iterator[Noted]:
    for one in app.settings.annotations:
        if not one.brands or brand in one.brands:
            yield Noted(*one.span(app.settings.monitor.zone), one.text, brand if one.brands else None)


def _stored(app: App, brand: str) -> Iterator[Noted]:
    for one in stored.listed(app.database, brand):
        yield Noted(one.at, one.until, one.text, one.brand, one.id, one.by)


def _of_samples(app: App, brand: str) -> Iterator[Noted]:
    """What the sample data tell of, where they are read: every stream is shifted by itself, the last one counts."""
    telling = [one.name for one in app.settings.enabled_sources if one.type == story.TYPE and brand in one.served]
    known = sources.cursors(app.database, telling) if telling else {}
    latest: dict[str, Noted] = {}
    for name in sorted(known):
        for at, until, text in story.told(brand, known[name]):
            latest[text] = Noted(at, until, text, brand)
    yield from latest.values()


def _touches(one: Noted, window: Window) -> bool:
    if one.until is None:
        return window.start <= one.at < window.end
    return one.at < window.end and one.until > window.start


# ------------------------------------------------------------------------------------------------- before and after


def sides(one: Noted, now: datetime, window: Window) -> tuple[Window, Window] | None:
    """As many whole days, by the local clock, before an event as after it up to now; ``None`` under a day after it. Pure.

    Of what lasted a day or longer, as many days as it lasted. Figures are kept by the quarter of an hour, which is where
    the line is drawn.
    """
    zone, at = window.zone, _quarter(one.at)
    begun = local(at, zone)
    lasted = 0 if one.until is None else (local(one.until, zone) - begun) // DAY
    days = min(lasted or DAYS, LONGEST, (local(now, zone) - begun) // DAY)
    if days < 1:
        return None
    before = span(first_instant(begun - days * DAY, zone), at, zone)
    return before, span(at, first_instant(begun + days * DAY, zone), zone)


def _quarter(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % BUCKET_SECONDS)


def _days(after: Window) -> int:
    return round(after.length / DAY)


@dataclass(frozen=True, slots=True)
class _Around:
    """One kind before and after an event, over the sources that were complete in both."""

    before: f.Sentiment
    after: f.Sentiment
    change: Change
    compared: Sequence[str]


def _around(app: App, brand: str, before: Window, after: Window, *, items: bool) -> Mapping[str, _Around]:
    """By kind; made anew only if anything in one of the two windows has changed."""
    edges = [(one.start, one.end) for one in (before, after)]
    complete = coverage_of(app, brand, before).complete_sources & coverage_of(app, brand, after).complete_sources
    state = tuple(windows.version(app.database, brand, edge) for edge in edges)
    key = ("around", brand, *edges, state, frozenset(complete), items)
    return app.remembered(key, lambda: _made(app, brand, edges, complete, items=items))


def _made(
    app: App, brand: str, edges: Sequence[queries.Window], complete: set[str], *, items: bool
) -> Mapping[str, _Around]:
    sums = [queries.sums_by_source(app.database, brand, edge) for edge in edges]
    groups = [totals_of(app, brand, edge) if items else {} for edge in edges]
    found = {}
    for kind in KINDS:
        tallies = [s.tallies(one, kind) for one in sums]
        deffs = [one.get(kind, Group()).deff(complete) if items else 1.0 for one in groups]
        result = compare(tallies[1], tallies[0], complete, deff_now=deffs[1], deff_before=deffs[0])
        earlier, later = (_figure(one, complete, deff) for one, deff in zip(tallies, deffs, strict=True))
        if earlier.total or later.total:
            found[kind] = _Around(earlier, later, result.change, sorted(complete & {*tallies[0], *tallies[1]}))
    return found


def _figure(tallies: Mapping[str, Tally], complete: set[str], deff: float | None) -> f.Sentiment:
    return s.figure(sum((one for name, one in tallies.items() if name in complete), Tally()), deff)


def _settled(found: Iterable[Mapping[str, _Around] | None], kind: str) -> dict[int, f.Around]:
    """The changes of a kind around all events, under control of false discoveries. Source: METRICS 2.4."""
    here = {number: one[kind] for number, one in enumerate(found) if one is not None and kind in one}
    changes = settle({number: one.change for number, one in here.items()})
    return {
        number: f.Around(before=one.before, after=one.after, change=s.change(changes[number], one.compared))
        for number, one in here.items()
    }
