"""What was seen and what was not: a failed or skipped pull is a gap, never a zero. Source: METRICS 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors import registry
from monitor import figures as f
from monitor.app import App
from monitor.config.models import SourceSettings
from monitor.import_memory import Memory
from monitor.schedule import Window
from storage import queries, receiving, sources
from storage.records import SourceState

SLACK: Final = 3
"""A source is late once it has not been read for so many of its intervals."""
PATIENCE: Final = timedelta(minutes=15)
"""How long after a window's end its sources may take to be read beyond it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a brand's sources reach into a window."""

    window: Window
    gaps: tuple[f.Gap, ...]
    sources: frozenset[str]
    known_until: datetime | None

    @property
    def complete_sources(self) -> set[str]:
        """The sources that have no gap in the window."""
        return set(self.sources) - {gap.source for gap in self.gaps}

    def has_gap(self, start: datetime, end: datetime) -> bool:
        """Is some source missing in this stretch?"""
        return any(gap.start < end and gap.end > start for gap in self.gaps)

    def figures(self, unscored_languages: Mapping[str, int]) -> f.Coverage:
        return f.Coverage(
            complete=not self.gaps,
            known_until=self.known_until,
            gaps=list(self.gaps),
            unscored_languages=dict(unscored_languages),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of all sources, whatever the brand and the window."""

    states: Mapping[str, SourceState]
    begun: Mapping[str, datetime]
    handed_in: Mapping[str, datetime]
    imports: Mapping[str, Memory]


def known_of(app: App) -> Known:
    """As it is now; for several calls of :func:`coverage_of`."""
    return Known(
        {state.name: state for state in sources.states(app.database)},
        queries.first_good_pulls(app.database),
        receiving.last_handed_in(app.database),
        {name: Memory.from_json(cursor) for name, cursor in sources.imports(app.database)},
    )


def coverage_of(app: App, brand: str, window: Window, of_sources: Known | None = None) -> Reach:
    """Every stretch of the window that one of the brand's sources could not give, by start."""
    of_sources = of_sources or known_of(app)
    states, begun, handed_in = of_sources.states, of_sources.begun, of_sources.handed_in
    serving = [source for source in app.settings.enabled_sources if brand in source.served]
    found = [
        gap
        for source in serving
        for gap in (
            _own_gaps(app, source, states.get(source.name), begun.get(source.name), window)
            if _is_pulled(source)
            else _silences(app, source, begun.get(source.name), handed_in.get(source.name), window)
        )
    ]
    imported = _imported(of_sources, brand, window)
    found += imported.gaps
    names = {source.name for source in serving}
    for name, gap in queries.gaps(app.database, (window.start, window.end)):
        if name in names:
            start, end = max(gap.since, window.start), min(gap.until, window.end)
            found.append(f.Gap(source=name, start=start, end=end, reason=gap.reason, missing=gap.missing))
    known = {name: state.known_until for name in names if (state := states.get(name)) and state.known_until}
    unread = any(_is_pulled(source) for source in serving if source.name not in known)
    known_until = min(known.values()) if known and not unread else None
    return Reach(
        window,
        tuple(sorted(found, key=lambda gap: (gap.start, gap.source, gap.end))),
        frozenset(names | imported.around),
        imported.until if not names else known_until,
    )


@dataclass(frozen=True, slots=True)
class _Imported:
    """``around``: the imports that hold the whole window; ``until``: how far the furthest of them reaches."""

    around: frozenset[str]
    until: datetime | None
    gaps: tuple[f.Gap, ...]


def _imported(known: Known, brand: str, window: Window) -> _Imported:
    """Imported files bring nothing more, so what lies outside of them is no gap; where one was cut off, there is one."""
    around: dict[str, datetime] = {}
    gaps = []
    for name, memory in known.imports.items():
        for span in memory.covered.get(brand, ()):
            if span.around((window.start, window.end)):
                around[name] = span.end
        way = memory.under_way
        if way and way.brand == brand and way.span and name not in around:
            start, end = max(way.span.start, window.start), min(way.span.end, window.end)
            if start < end:
                gaps.append(_gap(name, start, end, "not imported to its end; import it again"))
    return _Imported(frozenset(around), max(around.values(), default=None), tuple(gaps))


def _own_gaps(
    app: App, source: SourceSettings, state: SourceState | None, begun_at: datetime | None, window: Window
) -> list[f.Gap]:
    """What lies before a source's horizon, and what has happened since it was last read.

    A platform that cannot be asked for the past (a feed shows its latest entries) is complete from its first good pull on.
    """
    if state is None or state.known_until is None:
        return [_gap(source.name, window.start, window.end, _why(state, "never read yet"))]
    found = []
    horizon = _horizon(source, state, begun_at)
    if horizon is not None and horizon > window.start:
        until = min(horizon, window.end)
        found.append(_gap(source.name, window.start, until, "before this source was watched"))
    if _is_late(app, source, state, state.known_until, window.end):
        since, until = max(state.known_until, window.start), min(window.end, app.now())
        found.append(_gap(source.name, since, until, _why(state, "not read since")))
    return found


def _silences(
    app: App, source: SourceSettings, begun_at: datetime | None, handed_in: datetime | None, window: Window
) -> list[f.Gap]:
    """Of a source that others send to: what lies before it was there, and silence where it is known how often they send."""
    found = []
    if begun_at is not None and begun_at > window.start:
        until = min(begun_at, window.end)
        found.append(_gap(source.name, window.start, until, "before this source was watched"))
    if source.every is None or handed_in is None or app.now() - handed_in <= SLACK * source.every:
        return found
    since, until = max(handed_in, window.start), min(window.end, app.now())
    return [*found, _gap(source.name, since, until, "nothing came since")] if since < until else found


def _is_pulled(source: SourceSettings) -> bool:
    return registry.plugin(source.type).capabilities.pull


def _horizon(source: SourceSettings, state: SourceState, begun_at: datetime | None) -> datetime | None:
    """Before this the source was not asked; ``None`` where it brought all there ever was."""
    capabilities = registry.plugin(source.type).capabilities
    if capabilities.whole_history:
        return None
    return state.reaches_back_to if capabilities.backfill else begun_at


def _is_late(app: App, source: SourceSettings, state: SourceState, known_until: datetime, end: datetime) -> bool:
    """Should the source have been read up to ``end`` by now?

    Yes where it is paused or has been tried since, where the window has been over for a while, and where it is silent for long.
    """
    if known_until >= end:
        return False
    tried_since = state.last_begun_at is not None and state.last_begun_at >= end
    silent_from = known_until + SLACK * app.every(source) + timedelta(minutes=1)
    return state.paused is not None or tried_since or app.now() >= end + PATIENCE or app.now() > silent_from


def _why(state: SourceState | None, otherwise: str) -> str:
    if state is not None and state.paused_by is not None:
        return f"paused by {state.paused_by}"
    return state.error if state is not None and state.error else otherwise


def _gap(source: str, start: datetime, end: datetime, reason: str) -> f.Gap:
    return f.Gap(source=source, start=start, end=end, reason=reason)
