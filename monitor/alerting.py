"""Alerts at work: what is unusual is looked for in the store, kept as episodes, and told once each.

Every look judges the latest periods anew (what came late counts, too), compares what it finds with the episodes that are
stored, and stores the difference with its messages in one transaction. What of it is told is decided by :func:`_silenced` and by
whether it is news at all: what began before the alert was set up, or before its sources were watched, is found, kept and shown,
and never sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection

from monitor.alert_notices import Told, queue_all
from monitor.alert_reading import Subject, effects_of, known_for, rule_of, series_of, subjects
from monitor.alerts import Episode, chance_a_year, follow, judge
from monitor.app import App
from monitor.config.watching import AlertSettings
from monitor.metrics.expected import HISTORY
from monitor.schedule import period_at
from monitor.unusual import Finding, Period
from storage import alerts as store
from storage import sources, windows
from storage.alerts import AlertState, Begun, Moved, StoredEpisode
from storage.engine import StorageError

LOG = logging.getLogger("sentiment_monitor.alerts")
LOOK_BACK: Final = timedelta(days=90)
"""How far back a new alert looks for what is still going on."""
LATE: Final = timedelta(days=2)
"""So late may items come and still be news."""
CATCH_UP: Final = timedelta(days=14)
"""What is older is no news, however long nothing ran."""
EVERY: Final = timedelta(minutes=3)
AT_LEAST_EVERY: Final = timedelta(minutes=15)
FAILING: Final = 3
"""Failed pulls in a row that make a source a silent one, if it has not been read for :data:`UNREAD` either."""
UNREAD: Final = timedelta(hours=6)
TRIES: Final = 3


class Watch:
    """Looks for alerts every few minutes, and only if something has changed or time has ended a period."""

    def __init__(self, app: App) -> None:
        self._app, self._lock = app, Lock()
        self._seen: Any = None
        self._last: datetime | None = None

    def look(self, *, at_once: bool = False) -> None:
        """Look, if it is time; ``at_once``: if something has changed, however short ago the last look was."""
        now = self._app.now()
        if not self._app.settings.alerts or (not at_once and self._last is not None and now - self._last < EVERY):
            return
        seen = self._signature(now)
        if seen == self._seen and self._last is not None and now - self._last < AT_LEAST_EVERY:
            return
        self._seen, self._last = seen, now
        try:
            evaluate(self._app)
        except StorageError:
            raise
        except Exception:  # digests and deliveries go on
            LOG.exception("bug while looking for alerts")

    def _signature(self, now: datetime) -> Any:
        brands = tuple(
            windows.version(self._app.database, brand.name, (now - CATCH_UP, now))
            for brand in self._app.settings.brands
        )
        return brands, period_at(now, "hour", self._app.settings.monitor.zone).start


def evaluate(app: App) -> int:
    """Judge all alerts now and queue what is to be told; how many messages were queued."""
    wanted = [alert for alert in app.settings.alerts if alert.enabled]
    if not wanted:
        return 0
    for _ in range(TRIES):
        done = _Look(app, wanted).run()
        if done is not None:
            return done
    LOG.info("alerts left to another daemon")
    return 0


@dataclass
class _Judged:
    """A subject's episodes: those that were stored (by their beginning), and as they are now."""

    subject: Subject
    stored: Mapping[datetime, StoredEpisode]
    now: Sequence[Episode]


class _Look:
    """One look at the store."""

    def __init__(self, app: App, wanted: Sequence[AlertSettings]) -> None:
        self._app, self._now, self._wanted = app, app.now(), wanted
        self._state = store.alert_state(app.database)
        names = [alert.name for alert in wanted]
        known = {alert.name: self._state.known.get(_key(alert), self._now) for alert in wanted}
        self._known = known
        since = self._now - HISTORY - CATCH_UP - LOOK_BACK
        self._episodes = store.episodes(app.database, since=since, names=names)
        self._marks: dict[str, datetime] = dict(self._state.judged)

    def run(self) -> int | None:
        """How many messages were queued; ``None`` if another daemon did something meanwhile."""
        judged = [
            one
            for alert in self._wanted
            for subject in subjects(self._app, alert)
            if (one := self._judge(subject)) is not None
        ]
        begun: list[Begun] = []
        moved: list[Moved] = []
        told: list[Told] = []
        for one in judged:
            for episode in one.now:
                self._settle(one, episode, begun, moved, told)
        state = self._next_state()
        if not begun and not moved and (state.known, state.judged) == (self._state.known, self._state.judged):
            return 0
        send = queue_all(self._app, told, self._now)

        def then(connection: Connection) -> None:
            for queue in send:
                queue(connection)

        if not store.apply(self._app.database, state, begun, moved, self._now, then):
            return None
        for note in told:
            LOG.info("alert name=%s kind=%s over=%s", note.alert.name, note.alert.kind, note.over)
        return len(send)

    def _next_state(self) -> AlertState:
        known = {**self._state.known, **{_key(alert): self._known[alert.name] for alert in self._wanted}}
        return replace(self._state, known=known, judged=self._marks)

    def _judge(self, subject: Subject) -> _Judged | None:
        until = known_for(self._app, subject)
        last = self._state.judged.get(subject.key)
        if until is None and last is None:
            return None
        since = self._now - LOOK_BACK if last is None else max(last - LATE, self._now - CATCH_UP)
        stored = [one for one in reversed(self._episodes) if _is_of(one, subject)]
        episodes = [_loaded(one) for one in stored]
        series = series_of(self._app, subject, since, self._now)
        found, _ = judge(
            series,
            rule_of(subject.alert),
            episodes,
            since,
            live_from=self._known[subject.alert.name],
            effects=effects_of(self._app, subject),
        )
        if subject.alert.kind == "source_silent":
            self._failing(subject, found)
        if until is not None:
            self._marks[subject.key] = max(until, last or until)
        return _Judged(subject, {one.begun_at: one for one in stored}, found)

    def _failing(self, subject: Subject, episodes: list[Episode]) -> None:
        """A source whose pulls fail brings nothing either; that ends as soon as it is read again."""
        state = next((one for one in sources.states(self._app.database) if one.name == subject.name), None)
        since = None if state is None else state.known_until or state.last_begun_at
        if state is None or since is None or state.paused_by is not None:  # who paused it knows that it is silent
            return
        silent = self._now - since > max(UNREAD, 3 * self._app.every(self._app.settings.source(subject.name)))
        fails = state.paused is not None or (silent and state.failures >= FAILING)
        last = episodes[-1] if episodes else None
        failed_before = last is not None and last.ended_at is None and "error" in last.figures
        if fails:
            start = last.last_at if last is not None and last.ended_at is not None else since
            period = Period(max(start, since), self._now, 0, 0)
            figures = {"since": since.isoformat(), "error": state.error or state.paused, "size": 0}
            follow(episodes, Finding(period, True, True, True, figures), timedelta(0))
        elif failed_before and last is not None and state.known_until and state.known_until > last.last_at:
            episodes[-1] = replace(last, ended_at=last.last_at)

    def _settle(self, one: _Judged, episode: Episode, begun: list[Begun], moved: list[Moved], told: list[Told]) -> None:
        """What is to be stored of an episode, and what to be told."""
        subject, stored = one.subject, one.stored.get(episode.begun_at)
        was = "history" if not episode.live else "no" if stored is None else stored.figures.get("told", "history")
        say = self._say(subject, episode, stored, was)
        figures = {**episode.figures, "told": say.becomes}
        if stored is None:
            brand_id = self._app.brands[subject.brand].id if subject.brand else None
            alert = subject.alert
            begun.append(
                Begun(alert.name, alert.kind, brand_id, subject.name, episode.begun_at, episode.last_at,
                      episode.ended_at, figures)
            )  # fmt: skip
        elif (stored.last_at, stored.ended_at, stored.figures) != (episode.last_at, episode.ended_at, figures):
            moved.append(Moved(stored.id, episode.last_at, episode.ended_at, figures))
        if say.message is not None:
            told.append(say.message)

    def _say(self, subject: Subject, episode: Episode, stored: StoredEpisode | None, was: str) -> _Say:
        """A message when it fires, a message when it is over; one for both where it is over before it was told."""
        over = episode.ended_at is not None
        ended_now = over and (stored is None or stored.ended_at is None)
        silenced = self._silenced(subject, stored)
        if was == "no" and not silenced and (not over or ended_now):
            return _Say("yes", Told(subject.alert, subject, episode, first=True, over=over))
        if was == "yes" and ended_now and not silenced:
            return _Say("yes", Told(subject.alert, subject, episode, first=False, over=True))
        return _Say(was, None)

    def _silenced(self, subject: Subject, stored: StoredEpisode | None) -> bool:
        until = [self._state.snoozed.get(subject.alert.name), stored.snoozed_until if stored else None]
        return any(at is not None and at > self._now for at in until)


@dataclass(frozen=True, slots=True)
class _Say:
    becomes: str
    message: Told | None


def _key(alert: AlertSettings) -> str:
    return f"{alert.name}|{alert.kind}"


def _is_of(episode: StoredEpisode, subject: Subject) -> bool:
    return (episode.name, episode.kind, episode.subject) == (subject.alert.name, subject.alert.kind, subject.name)


def _loaded(stored: StoredEpisode) -> Episode:
    live = stored.figures.get("told") != "history"
    figures = {name: value for name, value in stored.figures.items() if name != "told"}
    return Episode(stored.begun_at, stored.last_at, stored.ended_at, figures, live)


# ------------------------------------------------------------------------------------------------- replay


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an alert would have found over the stored history.

    ``false_a_year``: how often it would fire by chance alone if its model is right; ``None`` where nothing could be judged.
    """

    subject: Subject
    episodes: Sequence[Episode]
    judged: int
    false_a_year: float | None


def replay(app: App, wanted: Iterable[AlertSettings], since: datetime, until: datetime | None = None) -> list[Replayed]:
    """Judge the stored history as it is now, from ``since`` on. Nothing is stored and nothing is told."""
    return [_replayed(app, subject, since, until or app.now()) for alert in wanted for subject in subjects(app, alert)]


def _replayed(app: App, subject: Subject, since: datetime, until: datetime) -> Replayed:
    series = series_of(app, subject, since, until)
    found, findings = judge(series, rule_of(subject.alert), [], since, effects=effects_of(app, subject))
    a_year = 365.25 * (24 if subject.alert.period == "hour" else 1)
    judged = sum(finding.whole for finding in findings)
    return Replayed(subject, found, judged, chance_a_year(findings, a_year) if judged else None)
