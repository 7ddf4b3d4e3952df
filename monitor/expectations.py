"""What alerts and histories say in a report: the episodes that touch a window, and how much was to be expected in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from monitor import figures as f
from monitor.alert_reading import Subject, series_of
from monitor.alerts import Episode
from monitor.app import App
from monitor.config.watching import AlertSettings
from monitor.digest import alert_words as words
from monitor.metrics.expected import HISTORY, Expected, together, usual
from monitor.schedule import Window, period_at
from monitor.sums import MOOD
from monitor.unusual import counted, history
from storage import alerts as store
from storage.alerts import StoredEpisode

LONGEST: Final = timedelta(days=31, hours=2)
"""What eight weeks say of longer windows would be a forecast."""
_SHOWN: Final = ("seen", "expected", "low", "high", "p", "ratio", "score", "before", "delta")


def alerts_of(app: App, brand: str, window: Window) -> list[f.Alert]:
    """The episodes that touch a window, of the brand or of a source that serves it, the newest first."""
    found = store.episodes(app.database, since=window.start, until=window.end)
    own = {source.name for source in app.settings.sources if brand in source.served}
    return [alert_figure(app, one) for one in found if one.brand == brand or (one.brand is None and one.subject in own)]


def alert_figure(app: App, one: StoredEpisode) -> f.Alert:
    """An episode as a report names it."""
    known = one.figures
    return f.Alert(
        id=one.id,
        name=one.name,
        kind=one.kind,
        subject=one.subject,
        since=one.begun_at,
        until=one.ended_at,
        state="open" if one.ended_at is None else "over",
        told=known.get("told") == "yes",
        found_in_history=known.get("told") == "history",
        acknowledged=one.acknowledged_at is not None,
        figures={name: known[name] for name in _SHOWN if known.get(name) is not None},
        words=words.alert(one.kind, known, app.settings.monitor.zone),
    )


@dataclass(frozen=True, slots=True)
class Expectations:
    """What was usual for a window, and for those of its slices that are whole, by their number."""

    whole: f.Usual | None = None
    slices: dict[int, f.Usual] = field(default_factory=dict)


def expectations(app: App, brand: str, window: Window, slices: Sequence[Window]) -> Expectations:
    """How much was to be expected after the eight weeks before; nothing where a source was not watched so long, or none was.

    Source: METRICS 5.
    """
    if window.length > LONGEST or not slices:
        return Expectations()
    hourly = slices[0].length <= timedelta(hours=2)
    subject = _subject(app, brand, hourly=hourly)
    series = series_of(app, subject, window.start, window.end, MOOD)
    number = _at(series.periods, window)
    names = series.judged_by(number, live=False)
    if not names or any(track.sums and track.name not in names for track in series.tracks):
        return Expectations()
    start = series.periods[number].start
    unusual = _unusual(app, brand, start, [one.start for one in series.periods[:number]])
    found = usual(history(series, number, names, unusual, counted), start)
    if found is None:
        return Expectations()
    parts = [(part, found.of(one.weekday, one.hour)) for part, one in _matched(series.periods, slices)]
    total = together([_share(part, expected, window, hourly=hourly) for part, expected in parts])
    whole = {at: _figure(expected) for at, (part, expected) in enumerate(parts) if _is_whole(part, hourly=hourly)}
    return Expectations(None if total is None else _figure(total), whole)


def _subject(app: App, brand: str, *, hourly: bool) -> Subject:
    alert = AlertSettings(name="usual", kind="volume", period="hour" if hourly else "day")
    serving = tuple(source.name for source in app.settings.enabled_sources if brand in source.served)
    return Subject(alert, brand, (brand,), serving)


def _at(periods: Sequence[Any], window: Window) -> int:
    return next(at for at, one in enumerate(periods) if one.end > window.start)


def _matched(periods: Sequence[Any], slices: Sequence[Window]) -> list[tuple[Window, Any]]:
    """Each slice with the period that it lies in."""
    found, at = [], 0
    for part in slices:
        while periods[at].end <= part.start:
            at += 1
        found.append((part, periods[at]))
    return found


def _share(part: Window, expected: Expected, window: Window, *, hourly: bool) -> Expected:
    """What is expected of a slice that is cut by the window's edge."""
    whole = period_at(part.start, "hour" if hourly else "day", window.zone).length
    return Expected(expected.mean * min(1.0, part.length / whole), expected.phi, expected.slots)


def _is_whole(part: Window, *, hourly: bool) -> bool:
    period = period_at(part.start, "hour" if hourly else "day", part.zone)
    return (part.start, part.end) == (period.start, period.end)


def _unusual(app: App, brand: str, at: Any, starts: Sequence[Any]) -> set[int]:
    stored = store.episodes(app.database, since=at - HISTORY, until=at, brand=brand)
    episodes = [Episode(one.begun_at, one.last_at, one.ended_at, {}) for one in stored if one.kind.endswith("volume")]
    return {number for number, start in enumerate(starts) for one in episodes if one.unusual(start, at)}


def _figure(expected: Expected) -> f.Usual:
    return f.Usual(mean=expected.mean, low=expected.least(), high=expected.most())
