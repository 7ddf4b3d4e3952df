"""Alerts: what is or was unusual, who has seen to it, and what would have fired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Query
from pydantic import Field

from monitor import figures as f
from monitor.alerting import Replayed, replay
from monitor.app import App
from monitor.config.watching import AlertSettings
from monitor.digest import alert_words
from monitor.expectations import alert_figure
from monitor.schedule import parse_duration
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import Answer, Plain, Wish, api, problems
from monitor.web.asked import Unasked
from monitor.web.guards import Here, Reader, Writer
from monitor.web.house import House
from monitor.web.params import Limit, RowId, Since, window_of
from monitor.web.problems import Refused, not_found
from storage import alerts
from storage.alerts import StoredEpisode

router = api("watching")
LONGEST: Final = timedelta(days=366)
ALL: Final = 10_000
AlertName = Annotated[
    str | None, Query(description="Only this alert; all without it.", max_length=200, examples=["complaints"])
]


class AlertOut(f.Alert):
    """An episode, with the brand it is about and who has seen to it."""

    brand: str | None = Field(description="Null: of a source that serves several.")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None


class Alerts(Answer):
    alerts: Sequence[AlertOut]


class SnoozeFor(Wish):
    length: Plain = Field(default="1d", max_length=40, description="How long: 8h, 2d.", examples=["8h"])


class SnoozeAlert(SnoozeFor):
    name: Plain = Field(max_length=200, examples=["complaints"])


class Snoozed(Answer):
    name: str
    until: datetime


class ReplayedEpisode(Answer):
    since: datetime
    until: datetime | None
    figures: Mapping[str, float]
    words: str


class ReplayedAlert(Answer):
    """What an alert would have found."""

    name: str
    kind: str
    subject: str
    brand: str | None
    alpha: float
    judged: int = Field(description="Days or hours that could be judged.")
    false_alarms_a_year: float | None = Field(description="By chance alone, if its model is right.")
    fired: Sequence[ReplayedEpisode]


class Replay(Answer):
    replay: Sequence[ReplayedAlert]


@router.get("/alerts")
def list_alerts(
    house: Here,
    visitor: Reader,
    open_only: Annotated[bool, Query(alias="open", description="Only what is not over.", examples=[True])] = False,
    limit: Limit = 50,
) -> Alerts:
    """What is or was unusual, the newest first."""
    known = alerts.episodes(house.app.database, open_only=open_only, limit=ALL if visitor.brands is not None else limit)
    return Alerts(alerts=[_out(house.app, one) for one in known if _is_seen(house.app, visitor, one)][:limit])


@router.get("/alerts/replay", responses=problems(404))
def replay_alerts(
    house: Here,
    visitor: Reader,
    name: AlertName = None,
    since: Since = "90d",
    alpha: Annotated[
        float | None, Query(description="As if it were configured so.", gt=0, lt=0.5, examples=[0.001])
    ] = None,
) -> Replay:
    """When each alert would have fired over the stored history, and how often chance alone would fire it. Nothing is sent."""
    wanted = [
        one if alpha is None else one.model_copy(update={"alpha": alpha}) for one in _wanted(house, visitor, name)
    ]
    begin = window_of(house.app, None, since, None, "90d").start
    told = replay(house.app, wanted, begin)
    return Replay(replay=[_replayed(house.app, one) for one in told if _subject_is_seen(visitor, one)])


@router.post("/alerts/{id}/acknowledge", responses=problems(404))
def acknowledge_alert(house: Here, visitor: Writer, number: RowId) -> AlertOut:
    """Say that somebody has seen to it; who said so first stays."""
    _episode(house, visitor, number)
    alerts.acknowledge(house.app.database, number, visitor.name, house.now())
    return _out(house.app, _episode(house, visitor, number))


@router.post("/alerts/{id}/snooze", responses=problems(404))
def snooze_episode(house: Here, visitor: Writer, number: RowId, body: SnoozeFor | None = None) -> AlertOut:
    """Send no message of this episode for a while; what lasts longer is told afterwards."""
    _episode(house, visitor, number)
    alerts.snooze_episode(house.app.database, number, _until(house, body.length if body else "1d"))
    return _out(house.app, _episode(house, visitor, number))


@router.post("/alerts/snooze", responses=problems(404))
def snooze_alert(house: Here, visitor: Writer, body: SnoozeAlert) -> Snoozed:
    """Send no message of an alert for a while, whatever it is about."""
    (alert,) = _wanted(house, visitor, body.name)
    configured = next(one for one in house.settings.alerts if one.name == alert.name)
    sight.all_of(visitor, configured.brands or [brand.name for brand in house.settings.brands])
    until = _until(house, body.length)
    alerts.snooze_alert(house.app.database, alert.name, until)
    return Snoozed(name=alert.name, until=until)


def _until(house: House, length: str) -> datetime:
    try:
        found = parse_duration(length)
    except ValueError as error:
        raise Unasked(str(error)) from error
    if not timedelta(0) < found <= LONGEST:
        raise Refused(422, "length: is not more than nothing and at most a year")
    return house.now() + found


# ---------------------------------------------------------------------------------------------- who may see which


def _episode(house: House, visitor: Visitor, number: int) -> StoredEpisode:
    known = alerts.episodes(house.app.database, limit=ALL)
    found = next((one for one in known if one.id == number and _is_seen(house.app, visitor, one)), None)
    if found is None:
        raise not_found(f"there is no alert {number}")
    return found


def _is_seen(app: App, visitor: Visitor, one: StoredEpisode) -> bool:
    if visitor.brands is None:
        return True
    return visitor.may_see(one.brand) if one.brand is not None else one.subject in (sight.sources(app, visitor) or ())


def _subject_is_seen(visitor: Visitor, one: Replayed) -> bool:
    return any(map(visitor.may_see, one.subject.brands))


def _wanted(house: House, visitor: Visitor, name: str | None) -> list[AlertSettings]:
    """The configured alerts, each of the brands alone that may be seen."""
    seen = list(_of_seen(house.settings.alerts, visitor, sight.brands(house.app, visitor)))
    chosen = [one for one in seen if name in (None, one.name)]
    if name is not None and not chosen:
        raise not_found(f'no alert "{name[:100]}"; there are: {", ".join(one.name for one in seen) or "none"}')
    return chosen


def _of_seen(known: Iterable[AlertSettings], visitor: Visitor, brands: Sequence[str]) -> Iterable[AlertSettings]:
    for one in known:
        mine = [name for name in one.brands or brands if name in brands]
        if visitor.brands is None:
            yield one
        elif mine:
            yield one.model_copy(update={"brands": mine})


# -------------------------------------------------------------------------------------------------------- showing


def _out(app: App, one: StoredEpisode) -> AlertOut:
    own = ("brand", "acknowledged_at", "acknowledged_by", "snoozed_until")
    return AlertOut(**alert_figure(app, one).model_dump(), **{name: getattr(one, name) for name in own})


def _replayed(app: App, one: Replayed) -> ReplayedAlert:
    kind, zone = one.subject.alert.kind, app.settings.monitor.zone
    return ReplayedAlert(
        name=one.subject.alert.name, kind=kind, subject=one.subject.name, brand=one.subject.brand,
        alpha=one.subject.alert.chance, judged=one.judged, false_alarms_a_year=one.false_a_year,
        fired=[
            ReplayedEpisode(
                since=episode.begun_at, until=episode.ended_at,
                figures={name: value for name, value in episode.figures.items() if isinstance(value, int | float)},
                words=alert_words.alert(kind, episode.figures, zone),
            )
            for episode in one.episodes
        ],
    )  # fmt: skip
