"""PURE  Episodes of what is not usual: periods judged one after the other; when an alert begins, goes on and ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from monitor.metrics.expected import HISTORY
from monitor.unusual import Effects, Finding, Rule, Series, independent, look

SETTLED: Final = timedelta(days=7)
"""An episode that has lasted so long is the new usual: its periods are learned from."""


@dataclass(frozen=True, slots=True)
class Episode:
    """From the first period that fired to the end of the last one; ``ended_at``: usual again since then.

    ``figures`` are those of the worst period. ``live``: it began while its sources were watched and the alert was set up; all
    else was found in the history, and is no news.
    """

    begun_at: datetime
    last_at: datetime
    ended_at: datetime | None
    figures: Mapping[str, Any]
    live: bool = True

    def unusual(self, start: datetime, at: datetime) -> bool:
        """Is the period that begins at ``start`` left out of what is usual ``at`` a later time?"""
        inside = self.begun_at <= start < self.last_at
        return inside and min(self.last_at, at) - self.begun_at < SETTLED


def judge(
    series: Series,
    rule: Rule,
    episodes: Sequence[Episode],
    since: datetime,
    *,
    live_from: datetime | None = None,
    effects: Effects = independent,
) -> tuple[list[Episode], list[Finding]]:
    """Judge the periods that begin at ``since`` or after, in order, given the episodes known already, by their beginning.

    Periods from ``live_from`` on are judged as they come, by sources that were watched by then; those before (``None``: all)
    are history. Returns all episodes, those known among them brought up to date, and what each period came to.
    """
    known, findings = list(episodes), []
    for number in range(series.first(since), len(series.periods)):
        live = live_from is not None and series.periods[number].start >= live_from
        finding = _look(series, rule, number, known, effects, live=live)
        if finding is not None:
            findings.append(finding)
            follow(known, finding, rule.cool_down, live=live)
    return known, findings


def follow(episodes: list[Episode], finding: Finding, cool_down: timedelta, *, live: bool = True) -> None:
    """Bring the episodes up to date: one begins, goes on, or ends once it has been usual for the cool-down."""
    last = episodes[-1] if episodes else None
    start, end = finding.period.start, finding.period.end
    if last is None or last.ended_at is not None:
        again = last is not None and start < last.last_at + cool_down
        if finding.fires and not again:
            episodes.append(Episode(start, end, None, finding.figures, live))
    elif finding.fires or (finding.goes_on and finding.whole and end > last.last_at):
        worst = finding.figures if _worse(finding.figures, last.figures) else last.figures
        episodes[-1] = replace(last, last_at=max(last.last_at, end), figures={**last.figures, **worst})
    elif finding.whole and start >= last.last_at and end - last.last_at >= cool_down:
        episodes[-1] = replace(last, ended_at=last.last_at)


def _worse(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Of two periods of an episode, is the first further from what is usual?"""
    return bool(one.get("size", 0) > other.get("size", 0))


def _look(
    series: Series, rule: Rule, number: int, episodes: Sequence[Episode], effects: Effects, *, live: bool
) -> Finding | None:
    at = series.periods[number].start
    unusual = {
        other
        for episode in episodes
        for other in range(series.first(max(episode.begun_at, at - HISTORY)), number)
        if episode.unusual(series.periods[other].start, at)
    }
    return look(series, rule, number, unusual, effects, live=live)


def chance_a_year(findings: Sequence[Finding], periods_a_year: float) -> float:
    """How often an alert would fire in a year by chance alone, if its model is right."""
    whole = [finding.chance for finding in findings if finding.whole]
    return periods_a_year * sum(whole) / len(whole) if whole else 0.0
