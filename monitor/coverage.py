"""What was seen and what was not: a failed or skipped pull is a gap, never a zero. Source: METRICS 1.

What lies before a source was first watched is no gap: nobody looked, and nothing failed. Nor is it a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
FIRST_PULL: Final = timedelta(minutes=15)
"""What a first pull could not give up to so long after its beginning was never watched; what fails later is a gap."""
PATIENCE: Final = timedelta(minutes=15)
"""How long after a window's end its sources may take to be read beyond it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a brand's sources reach into a window.

    ``begun``: from when on each source is watched that has been read; ``None`` where it brought all there ever was.
    ``unread``: those that have never been read, each with what is known of why.
    """

    window: Window
    gaps: tuple[f.Gap, ...]
    sources: frozenset[str]
    known_until: datetime | None
    begun: Mapping[str, datetime | None] = field(default_factory=dict)
    unread: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def complete_sources(self) -> set[str]:
        """The sources that were watched throughout the window, without a gap."""
        return (
            set(self.sources) - {gap.source for gap in self.gaps} - self.begun_after(self.window.start) - {*self.unread}
        )

    @property
    def watched_since(self) -> datetime | None:
        """From when on some source is watched; ``None`` where one always was, and where none is yet."""
        known = list(self.begun.values())
        return min((at for at in known if at is not None), default=None) if None not in known else None

    @property
    def missing(self) -> tuple[f.Gap, ...]:
        """All that a source does not tell of the window: its gaps, and the time before it was watched."""
        start, end = self.window.start, self.window.end
        late = [(name, min(at, end)) for name, at in self.begun.items() if at is not None and at > start]
        return (
            *self.gaps,
            *(_gap(name, start, at, "not watched yet") for name, at in [*late, *((n, end) for n in self.unread)]),
        )

    def begun_after(self, start: datetime) -> set[str]:
        """The sources whose watch began only after this."""
        return {name for name, at in self.begun.items() if at is not None and at > start}

    def has_gap(self, start: datetime, end: datetime) -> bool:
        """Is some source missing in this stretch, though it was watched?"""
        return any(gap.start < end and gap.end > start for gap in self.gaps)

    def is_unwatched(self, end: datetime) -> bool:
        """Was no source watched before this?"""
        since = self.watched_since
        return since >= end if since is not None else bool(self.unread) and not self.begun

    def figures(self, unscored_languages: Mapping[str, int], compared_from: datetime | None = None) -> f.Coverage:
        """``compared_from``: the start of the window compared with."""
        start = self.window.start
        late = self.begun_after(min(start, compared_from or start))
        begun = sorted((at, name) for name, at in self.begun.items() if at is not None and name in late)
        return f.Coverage(
            complete=not self.gaps and not self.unread,
            known_until=self.known_until,
            gaps=list(self.gaps),
            watched_since=self.watched_since,
            begun=[f.Begun(source=name, since=at, in_window=at > start) for at, name in begun],
            unread=[f.Unread(source=name, reason=why) for name, why in sorted(self.unread.items())],
            unscored_languages=dict(unscored_languages),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of all sources, whatever the brand and the window."""

    states: Mapping[str, SourceState]
    begun: Mapping[str, datetime]
    missed: Mapping[str, Sequence[tuple[datetime, datetime]]]
    handed_in: Mapping[str, datetime]
    imports: Mapping[str, Memory]


def known_of(app: App) -> Known:
    """As it is now; for several calls of :func:`coverage_of`."""
    return Known(
        {state.name: state for state in sources.states(app.database)},
        queries.first_good_pulls(app.database),
        queries.beginnings_missed(app.database),
        receiving.last_handed_in(app.database),
        {name: Memory.from_json(cursor) for name, cursor in sources.imports(app.database)},
    )


def coverage_of(app: App, brand: str, window: Window, of_sources: Known | None = None) -> Reach:
    """Every stretch of the window that one of the brand's sources could not give, by start; and since when each is watched."""
    of_sources = of_sources or known_of(app)
    states = of_sources.states
    serving = {source.name: source for source in app.settings.enabled_sources if brand in source.served}
    begun: dict[str, datetime | None] = {}
    unread: dict[str, str | None] = {}
    for name, source in serving.items():
        if _is_pulled(source) and _is_unread(states.get(name)):
            unread[name] = _why(states.get(name), None)
        else:
            begun[name] = _watched_from(source, of_sources)
    found = [gap for name in begun for gap in _own_gaps(app, serving[name], of_sources, window)]
    imported = _imported(of_sources, brand, window)
    found += imported.gaps
    for name, gap in queries.gaps(app.database, (window.start, window.end)):
        start, end = max(gap.since, window.start, begun.get(name) or window.start), min(gap.until, window.end)
        if name in serving and start < end:
            found.append(f.Gap(source=name, start=start, end=end, reason=gap.reason, missing=gap.missing))
    known = {name: state.known_until for name in serving if (state := states.get(name)) and state.known_until}
    known_until = min(known.values()) if known and not unread else None
    return Reach(
        window,
        tuple(sorted(found, key=lambda gap: (gap.start, gap.source, gap.end))),
        frozenset(serving.keys() | imported.around),
        imported.until if not serving else known_until,
        begun,
        unread,
    )


def watched_from(app: App) -> dict[str, datetime]:
    """From when on each source is watched that has been read and has such a time, by name."""
    known = known_of(app)
    read = [
        one for one in app.settings.enabled_sources if not _is_pulled(one) or not _is_unread(known.states.get(one.name))
    ]
    return {one.name: at for one in read if (at := _watched_from(one, known)) is not None}


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


def _own_gaps(app: App, source: SourceSettings, known: Known, window: Window) -> list[f.Gap]:
    """What has happened since the source was last read; of one that others send to, silence where it is known how often they send."""
    state = known.states.get(source.name)
    if not _is_pulled(source):
        return _silence(app, source, known.handed_in.get(source.name), window)
    if state is None or state.known_until is None or not _is_late(app, source, state, state.known_until, window.end):
        return []
    since, until = max(state.known_until, window.start), min(window.end, app.now())
    return [_gap(source.name, since, until, _why(state, None) or "not read since")]


def _silence(app: App, source: SourceSettings, handed_in: datetime | None, window: Window) -> list[f.Gap]:
    if source.every is None or handed_in is None or app.now() - handed_in <= SLACK * source.every:
        return []
    since, until = max(handed_in, window.start), min(window.end, app.now())
    return [_gap(source.name, since, until, "nothing came since")] if since < until else []


def _is_pulled(source: SourceSettings) -> bool:
    return registry.plugin(source.type).capabilities.pull


def _is_unread(state: SourceState | None) -> bool:
    return state is None or state.known_until is None


def _watched_from(source: SourceSettings, known: Known) -> datetime | None:
    """Before this nothing is known of the source; ``None`` where it brought all there ever was.

    A platform that cannot be asked for the past (a feed shows its latest entries) is complete from its first good pull on; one
    that can, from where that pull was to reach, or in the end did.
    """
    capabilities, first_pull = registry.plugin(source.type).capabilities, known.begun.get(source.name)
    if not (capabilities.pull and capabilities.backfill) or first_pull is None:
        return None if capabilities.whole_history else first_pull
    state = known.states.get(source.name)
    if capabilities.whole_history or state is None or state.reaches_back_to is None:
        return None
    missed = (until for _, until in known.missed.get(source.name, ()) if until <= first_pull + FIRST_PULL)
    return max(missed, default=state.reaches_back_to)


def _is_late(app: App, source: SourceSettings, state: SourceState, known_until: datetime, end: datetime) -> bool:
    """Should the source have been read up to ``end`` by now?

    Yes where it is paused or has been tried since, where the window has been over for a while, and where it is silent for long.
    """
    if known_until >= end:
        return False
    tried_since = state.last_begun_at is not None and state.last_begun_at >= end
    silent_from = known_until + SLACK * app.every(source) + timedelta(minutes=1)
    return state.paused is not None or tried_since or app.now() >= end + PATIENCE or app.now() > silent_from


def _why(state: SourceState | None, otherwise: str | None) -> str | None:
    if state is not None and state.paused_by is not None:
        return f"paused by {state.paused_by}"
    return state.error if state is not None and state.error else otherwise


def _gap(source: str, start: datetime, end: datetime, reason: str) -> f.Gap:
    return f.Gap(source=source, start=start, end=end, reason=reason)
