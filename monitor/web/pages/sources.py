"""The sources: how each is in words, a bar for each of the last pulls, and what can be done: pull now, test, pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from threading import Event, Timer
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from monitor import steering
from monitor.checking import check_source
from monitor.digest import escape, times
from monitor.health import Health, health_of_sources
from monitor.parties import lines, parties
from monitor.web.guards import Here, Reader, Submitted, visitor
from monitor.web.house import House
from monitor.web.page import back, render, zone_of
from monitor.web.problems import not_found
from storage import health as stored
from storage import queries

router = APIRouter(include_in_schema=False)
BEATS: Final = 30
"""Pulls that a source's bar shows."""
LOG_LINES: Final = 100
TEST_SECONDS: Final = 20.0
Tone = Literal["good", "warn", "bad", "quiet"]
_TONES: Final[dict[str, Tone]] = {
    "fine": "good", "pulling": "good", "imported": "quiet", "waiting": "quiet", "resting": "quiet", "gone": "quiet",
    "elsewhere": "quiet", "paused": "warn", "late": "warn", "limited": "warn", "retrying": "warn",
    "failing": "bad", "refused": "bad", "not_there": "bad", "store": "bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A source as the page shows it; ``beats``: its last pulls, the newest last."""

    health: Health
    tone: Tone
    beats: Sequence[stored.Beat]
    paused: bool


@router.get("/sources", dependencies=[Depends(visitor)])
def sources(request: Request, house: Here) -> Response:
    """Every source, those that need somebody first."""
    others = parties(house.app)
    beats = stored.beats(house.app.database, BEATS)
    paused = steering.held(house.app)
    rows = [_row(one, beats.get(one.name, ()), paused) for one in health_of_sources(house.app, others)]
    rows.sort(key=_urgency)
    return render(
        request,
        "sources.html",
        title="Sources",
        rows=rows,
        beats=BEATS,
        notes=lines(others, house.app),
        now=house.now(),
    )


@router.get("/sources/{name:path}", dependencies=[Depends(visitor)])
def source(request: Request, house: Here, name: str) -> Response:
    """One source with its log."""
    states = {one.name: one for one in health_of_sources(house.app)}
    if name not in states:
        raise not_found(f'there is no source "{name[:100]}"')
    beats = stored.beats(house.app.database, BEATS).get(name, ())
    pulls = queries.pulls(house.app.database, name, LOG_LINES)
    row = _row(states[name], beats, steering.held(house.app))
    return render(request, "source.html", title=name, row=row, beats=BEATS, pulls=pulls, now=house.now())


@router.post("/sources")
def act(
    request: Request, house: Here, who: Reader, form: Submitted, to: Annotated[str, Query()] = "/sources"
) -> Response:
    """Pull now, pause, resume or test a source."""
    name, what = str(form.get("source", "")), str(form.get("do", ""))
    try:
        said, bad = _done(house, name, what, who.name, str(form.get("reason", "")), zone_of(request))
    except steering.CannotSteer as error:
        said, bad = str(error), True
    return back(request, to, said, bad=bad)


def _done(house: House, name: str, what: str, by: str, reason: str, zone: tzinfo) -> tuple[str, bool]:
    steps: dict[str, Callable[[], tuple[str, bool]]] = {
        "pull": lambda: (_pull(house, name, zone), False),
        "pause": lambda: (_pause(house, name, by, reason), False),
        "resume": lambda: (_resume(house, name), False),
        "test": lambda: _test(house, name),
    }
    if what not in steps:
        raise steering.CannotSteer(
            f"{what[:40] or 'nothing'}: is nothing that can be done; there are: {', '.join(steps)}"
        )
    return steps[what]()


def _pull(house: House, name: str, zone: tzinfo) -> str:
    asked = steering.pull_soon(house.app, name)
    shown = escape.name(name)
    match asked.outcome:
        case "soon":
            return f"{shown}: is read within a few seconds."
        case "running":
            return f"{shown}: is being read right now."
        case "waiting":
            until = times.moment(asked.until, zone) if asked.until else "later"
            return f"{shown}: its platform has asked to be left alone until {until}."
        case "unattended":
            return f"{shown}: is due, but no daemon runs that would read it; start one: sentiment-monitor run"


def _pause(house: House, name: str, by: str, reason: str) -> str:
    steering.pause(house.app, name, by, reason)
    return f"{escape.name(name)}: rests until somebody resumes it."


def _resume(house: House, name: str) -> str:
    steering.resume(house.app, name)
    return f"{escape.name(name)}: goes on."


def _test(house: House, name: str) -> tuple[str, bool]:
    found = next((one for one in house.settings.enabled_sources if one.name == name), None)
    if found is None:
        raise steering.CannotSteer(f"{escape.name(name)}: is not in this configuration; it cannot be tested here")
    stop = Event()
    timer = Timer(TEST_SECONDS, stop.set)
    timer.start()
    try:
        finding = check_source(house.settings, found, house.now, stop, house.app.database)
    finally:
        timer.cancel()
    return f"{escape.name(name)}: {finding.state}" + (f"; {finding.mend}" if finding.mend else ""), not finding.ok


def _urgency(row: Row) -> tuple[bool, int, str]:
    """Those that need somebody first, those that rest last."""
    tones = ("bad", "warn", "good", "quiet")
    return row.health.state == "resting", tones.index(row.tone), row.health.name.lower()


def _row(one: Health, beats: Sequence[stored.Beat], paused: set[str]) -> Row:
    return Row(one, _TONES.get(one.state, "quiet"), beats, one.name in paused)
