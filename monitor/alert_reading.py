"""What alerts are judged by, read from the store: the sums and gaps of a subject's sources, period by period."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from monitor import figures as f
from monitor import schedule
from monitor.app import App
from monitor.clocks import local
from monitor.config.watching import AlertSettings
from monitor.coverage import coverage_of
from monitor.metrics.expected import HISTORY
from monitor.reading import read
from monitor.schedule import Window, period_at, span
from monitor.sums import MOOD
from monitor.unusual import Effects, Period, Rule, Series, Track
from storage import queries, sources
from storage.records import SourceState, Sums
from storage.tables import UNCOUNTED

STARS: Final = ("rated", "stars_sum", "stars_squares", *(f"stars_{cell}" for cell in range(1, 6)))
COLUMNS: Final = (*MOOD, *UNCOUNTED, *STARS, "verdicts", "recommended")


@dataclass(frozen=True, slots=True)
class Subject:
    """What one alert is about: a brand by some sources, or a source (for the brands it serves)."""

    alert: AlertSettings
    name: str
    brands: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.alert.name}|{self.alert.kind}|{self.name}"

    @property
    def brand(self) -> str | None:
        """The one brand it is about."""
        return self.brands[0] if len(self.brands) == 1 else None


def subjects(app: App, alert: AlertSettings) -> list[Subject]:
    """Everything that an alert looks at by itself."""
    brands = alert.brands or [brand.name for brand in app.settings.brands]
    serving = [one for one in app.settings.enabled_sources if not alert.sources or one.name in alert.sources]
    if alert.kind == "source_silent":
        mine = [(one.name, tuple(name for name in one.served if name in brands)) for one in serving]
        return [Subject(alert, name, served, (name,)) for name, served in mine if served]
    by_brand = [(name, tuple(one.name for one in serving if name in one.served)) for name in brands]
    return [Subject(alert, name, (name,), chosen) for name, chosen in by_brand if chosen]


def rule_of(alert: AlertSettings) -> Rule:
    """When an alert fires."""
    return Rule(
        alert.kind, alert.chance, alert.least_count, alert.min_ratio, alert.least_drop, alert.cool_down
    )  # fmt: skip


def series_of(app: App, subject: Subject, since: datetime, until: datetime, columns: Sequence[str] = COLUMNS) -> Series:
    """The subject's periods from eight weeks before ``since`` up to the one that is running at ``until``.

    ``columns``: the sums that are wanted; the others are 0.
    """
    periods = periods_of(app, since - HISTORY, until, subject.alert.period)
    whole = span(periods[0].start, until, app.settings.monitor.zone)
    spans = [(one.start, one.end) for one in periods]
    found: dict[tuple[int, str], list[Sums]] = {}
    gaps: list[f.Gap] = []
    for brand in subject.brands:
        for key, sums in queries.sums_by_source_and_slice(
            app.database, brand, spans, kinds_of(subject.alert), columns
        ).items():
            found.setdefault(key, []).append(sums)
        gaps += coverage_of(app, brand, whole).missing
    return Series(periods, _tracks(app, subject.sources, periods, found, gaps), until)


def kinds_of(alert: AlertSettings) -> tuple[str, ...]:
    """Which items count."""
    if alert.kind == "source_silent":
        return ("mention", "review", "post")
    if alert.kind == "rating_drop" or alert.items == "reviews":
        return ("review",)
    return ("mention",) if alert.kind == "score_drop" or alert.items == "mentions" else ("mention", "review")


def periods_of(app: App, since: datetime, until: datetime, period: Literal["day", "hour"]) -> list[Period]:
    """The local days or hours from the one that holds ``since`` to the one that holds ``until``, whole."""
    zone = app.settings.monitor.zone
    at = period_at(since, period, zone).start
    found = []
    while at <= until:
        window = period_at(at, cast(schedule.Period, period), zone)
        shown = local(window.start, zone)
        hour = shown.hour if period == "hour" else 0
        found.append(Period(window.start, window.end, shown.weekday(), hour))
        at = window.end
    return found


def _tracks(
    app: App,
    names: Sequence[str],
    periods: Sequence[Period],
    found: Mapping[tuple[int, str], Sequence[Sums]],
    gaps: Iterable[f.Gap],
) -> list[Track]:
    states = {state.name: state for state in sources.states(app.database)}
    begun = queries.first_good_pulls(app.database)
    missing: dict[str, set[int]] = {}
    for gap in gaps:
        missing.setdefault(gap.source, set()).update(touched(periods, gap.start, gap.end))
    by_source: dict[str, dict[int, Sums]] = {name: {} for name in names}
    for (number, source), parts in found.items():
        if source in by_source:
            by_source[source][number] = _whole(parts)
    return [
        Track(
            name,
            by_source[name],
            frozenset({*missing.get(name, ()), *_not_given(periods, by_source[name], begun.get(name))}),
            begun.get(name),
            _known_until(states.get(name)),
        )
        for name in names
    ]


def _not_given(periods: Sequence[Period], sums: Mapping[int, Sums], watched_from: datetime | None) -> Iterator[int]:
    """What lies before a backfill's first item: a platform need not give all that it is asked for, so it is no zero."""
    first = min(sums, default=len(periods))
    for number in range(first):
        if watched_from is None or periods[number].start < watched_from:
            yield number


def _known_until(state: SourceState | None) -> datetime | None:
    return None if state is None else state.known_until


def _whole(parts: Sequence[Sums]) -> Sums:
    if len(parts) == 1:
        return parts[0]
    return Sums({name: sum(part[name] for part in parts) for name in COLUMNS})


def touched(periods: Sequence[Period], start: datetime, end: datetime) -> range:
    """The numbers of the periods that a stretch touches."""
    return range(
        bisect_right(periods, start, key=lambda one: one.end), bisect_left(periods, end, key=lambda one: one.start)
    )


def effects_of(app: App, subject: Subject) -> Effects:
    """Design effects of the subject's items, read one by one."""
    kind = kinds_of(subject.alert)[0]
    zone = app.settings.monitor.zone

    def deff(start: datetime, end: datetime, names: Collection[str]) -> float | None:
        window: Window = span(start, end, zone)
        return read(app, subject.name, window).totals[kind].deff(frozenset(names))

    return lambda before, start, end, names: (deff(start, end, names), deff(before, start, names))


def known_for(app: App, subject: Subject) -> datetime | None:
    """Up to when all sources of the subject that are read at all are known; ``None`` while one waits for its first pull."""
    states = {state.name: state for state in sources.states(app.database)}
    mine = [states[name] for name in subject.sources if name in states]
    if any(one.known_until is None and one.failures == 0 and one.paused is None for one in mine):
        return None
    late = timedelta(days=1)
    known = [one.known_until for one in mine if one.known_until is not None]
    fresh = [at for at in known if app.now() - at < late]
    return min(fresh or known, default=None)
