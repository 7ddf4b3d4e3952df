"""Alerts: what is or was unusual, seeing to it, what each would have found; and the rules on single items beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from monitor import figures as f
from monitor.alerting import Replayed
from monitor.alerting import replay as replayed
from monitor.app import App
from monitor.config.watching import AlertSettings, instant
from monitor.digest import alert_words, escape, numbers, times
from monitor.expectations import alert_figure
from monitor.web.access import Visitor
from monitor.web.asked import LONGEST
from monitor.web.asked import instant as written
from monitor.web.guards import Here, Reader, Submitted, visitor
from monitor.web.house import House
from monitor.web.page import back, render, zone_of
from monitor.web.pages.alerts_rules import (
    EXAMPLES,
    FIELDS,
    WHEN_LONGEST,
    brands_of,
    rules_fields,
    since_of,
    tried_fields,
)
from monitor.web.problems import Refused, not_found
from storage import alerts as store
from storage.alerts import StoredEpisode

router = APIRouter(include_in_schema=False, dependencies=[Depends(visitor)])
OVER: Final = 50
"""Episodes that are over which the page shows."""
USUAL: Final = "8w"
USUAL_TRIED: Final = "30d"
REACHES: Final = {"4w": "4 weeks", "8w": "8 weeks", "26w": "half a year", "52w": "a year"}
LENGTHS: Final = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "1w": timedelta(days=7)}
SNOOZED_AT_MOST: Final = timedelta(days=366)
KINDS: Final = {
    "volume": "more than usual is said",
    "negative_volume": "more negative items than usual",
    "score_drop": "the score falls",
    "rating_drop": "stars fall",
    "source_silent": "a source brings nothing",
}
Name = Annotated[str, Query(max_length=200)]
When = Annotated[str, Query(max_length=WHEN_LONGEST)]
Since = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True, slots=True)
class Shown:
    """An episode in words: its figures by name, and where its items are."""

    stored: StoredEpisode
    figure: f.Alert
    when: str
    facts: list[tuple[str, str]]
    links: list[tuple[str, str]]
    snoozed_until: datetime | None


@router.get("/alerts")
def alerts(
    request: Request,
    house: Here,
    replay: Since = "",
    name: Name = "",
    when: When = "",
    since: Since = USUAL_TRIED,
    brand: Name = "",
    whole: bool = False,
) -> Response:
    """What is open, what is over, the alerts and rules as they are configured; with something to replay or try, what it comes to."""
    app = house.app
    since_of(app, replay or USUAL, LONGEST)
    if "until" in request.query_params:  # links carry the window of the page before, which is no wish of this one's
        since = USUAL_TRIED
    since_of(app, since)
    brands_of(app, brand)
    if name:
        _wanted(app, name)
    fields = {
        "configured": app.settings.alerts, "kinds": KINDS, "snoozed": _snoozed(app), "reaches": REACHES, "usual": USUAL,
        "replay": replay, "name": name, "when": when, "since": since, "brand": brand, "whole": whole, "chance": chance,
        "length": length, "rules": app.settings.rules, "brands": list(app.brands), "examples": EXAMPLES,
        "expression_fields": FIELDS,
    }  # fmt: skip
    later = _whole(app, replay, name, when, since, brand) if whole else {}
    return render(request, "alerts.html", title="Alerts", **{**fields, **_episodes(app), **later})


@router.get("/alerts/replay")
def replay_part(request: Request, house: Here, replay: Since = USUAL, name: Name = "") -> Response:
    return render(request, "alerts_replay.html", title="", **_replay(house.app, replay, name))


@router.get("/alerts/firings")
def firings_part(request: Request, house: Here) -> Response:
    return render(request, "alerts_firings.html", title="", **rules_fields(house.app))


@router.get("/alerts/trial")
def trial_part(
    request: Request, house: Here, when: When = "", since: Since = USUAL_TRIED, brand: Name = ""
) -> Response:
    return render(request, "alerts_trial.html", title="", **tried_fields(house.app, when, since, brand))


@router.post("/alerts")
def act(request: Request, house: Here, who: Reader, form: Submitted) -> Response:
    """See to an episode; send no messages of it, or of a whole alert, for a while; or send them again."""
    what, alert = str(form.get("do", "")), str(form.get("alert", ""))
    if what == "ack":
        return back(request, "/alerts", _acknowledged(house, _number(str(form.get("episode", ""))), who))
    if what not in ("snooze", "wake"):
        raise Refused(422, f"do: there is no {what[:40]!r}; there are ack, snooze, wake")
    until = house.now() if what == "wake" else _until(house, str(form.get("for", "")), str(form.get("until", "")))
    named = _snooze_all(house.app, alert, until) if alert else _snooze(house, str(form.get("episode", "")), until)
    said = "messages are sent again" if what == "wake" else f"no messages until {times.moment(until, zone_of(request))}"
    return back(request, "/alerts", f"{named}: {said}.")


def _whole(app: App, replay: str, name: str, when: str, since: str, brand: str) -> dict[str, Any]:
    """What comes later, for readers without script."""
    found = rules_fields(app) | (_replay(app, replay, name) if replay else {})
    return found | (tried_fields(app, when, since, brand) if when else {})


# ------------------------------------------------------------------------------------------------------ episodes


def _episodes(app: App) -> dict[str, Any]:
    opened = store.episodes(app.database, open_only=True)
    over = [one for one in store.episodes(app.database, limit=OVER + len(opened)) if one.ended_at is not None]
    return {"opened": [_shown(app, one) for one in opened], "over": [_shown(app, one) for one in over]}


def _shown(app: App, one: StoredEpisode) -> Shown:
    figure = alert_figure(app, one)
    when = alert_words.alert_state(figure.since, figure.until, app.settings.monitor.zone)
    asleep = one.snoozed_until if one.snoozed_until is not None and one.snoozed_until > app.now() else None
    return Shown(one, figure, when, list(_facts(figure)), list(_links(app, one)), asleep)


def _facts(one: f.Alert) -> Iterator[tuple[str, str]]:
    """An episode's figures, those of its worst period."""
    known = one.figures
    write = numbers.stars if one.kind == "rating_drop" else numbers.score
    if "seen" in known:
        yield "Seen", numbers.count(round(known["seen"]))
    if known.get("expected") is not None:
        low, high = known.get("low"), known.get("high")
        likely = (
            f" ({numbers.count(round(low))} to {numbers.count(round(high))})"
            if low is not None and high is not None
            else ""
        )
        yield "Usual", f"about {_about(known['expected'])}{likely}"
    if "before" in known and "score" in known:
        yield "Fell", f"from {write(known['before'])} to {write(known['score'])}"
    if known.get("p") is not None:
        yield "By chance alone", chance(known["p"])


def _about(value: float) -> str:
    return numbers.count(round(value)) if value >= 9.5 else f"{value:.2g}"


def chance(p: float) -> str:
    """``once in 1,200``; what is rarer than once in a million is not told apart."""
    return "less than once in a million" if p < 1e-6 else f"once in {numbers.count(round(1 / p))}"


def length(time: timedelta) -> str:
    """``a day``, ``3 days``, ``6 hours``: what an alert waits for."""
    days, hours = time // timedelta(days=1), time // timedelta(hours=1)
    if days and hours == 24 * days:
        return "a day" if days == 1 else numbers.plural(days, "day")
    return numbers.plural(hours, "hour") if hours else numbers.plural(time // timedelta(minutes=1), "minute")


def _links(app: App, one: StoredEpisode) -> Iterator[tuple[str, str]]:
    """The items of the worst period, and of the whole time."""
    if one.kind == "source_silent":
        yield "The source", f"/sources/{quote(one.subject)}"
        return
    worst = alert_words.alert_span(one.figures)
    if worst is not None:
        yield f"The items {alert_words.alert_when(one.figures, app.settings.monitor.zone)}", _items(app, one, *worst)
    end = one.ended_at or max(one.last_at, app.now())
    if worst != (one.begun_at, end):
        yield "The items of the whole time", _items(app, one, one.begun_at, end)


def _items(app: App, one: StoredEpisode, start: datetime, end: datetime) -> str:
    known = {state.name for state in app.settings.sources}
    sources = [name for name in one.figures.get("sources", ()) if name in known]
    kind = {"score_drop": "mention", "rating_drop": "review"}.get(one.kind)
    fields: dict[str, Any] = {
        "brand": one.brand or (), "since": written(start), "until": written(end), "kind": kind or ("mention", "review"),
        "label": "negative" if one.kind == "negative_volume" else (), "source": sources,
    }  # fmt: skip
    return f"/items?{urlencode(fields, doseq=True)}"


def _acknowledged(house: House, number: int, who: Visitor) -> str:
    by = None if who.way == "open" else who.name
    done = store.acknowledge(house.app.database, number, by, house.now())
    if done is None:
        raise not_found(f"there is no alert {number}")
    return f"{escape.name(done.name)}: seen to{f' by {escape.name(done.acknowledged_by)}' if done.acknowledged_by else ''}."


def _snooze(house: House, told: str, until: datetime) -> str:
    done = store.snooze_episode(house.app.database, _number(told), until)
    if done is None:
        raise not_found(f"there is no alert {told[:20]}")
    return f"{escape.name(done.name)}, {escape.name(done.subject)}"


def _snooze_all(app: App, name: str, until: datetime) -> str:
    store.snooze_alert(app.database, _wanted(app, name)[0].name, until)
    return name


def _snoozed(app: App) -> dict[str, datetime]:
    """Alerts that are not told for now, and until when."""
    return {name: at for name, at in store.alert_state(app.database).snoozed.items() if at > app.now()}


def _until(house: House, length: str, day: str) -> datetime:
    if length in LENGTHS:
        return house.now() + LENGTHS[length]
    if length != "until":
        raise Refused(422, f"for: there is no {length[:40]!r}; there are {', '.join(LENGTHS)}, until")
    try:
        found = instant(day, house.settings.monitor.zone)
    except (ValueError, OverflowError) as error:
        raise Refused(422, f"until: {error}") from error
    if not house.now() < found <= house.now() + SNOOZED_AT_MOST:
        raise Refused(422, "until: is no day within the next year; choose a later or an earlier one")
    return found


def _number(told: str) -> int:
    if not told.isdecimal() or len(told) > 9:
        raise Refused(422, "episode: is no number of an alert")
    return int(told)


# -------------------------------------------------------------------------------------------------------- replay


@dataclass(frozen=True, slots=True)
class Found:
    """What an alert would have found: a line on all of it, and each episode's words with when it was."""

    name: str
    about: str
    fired: str
    by_chance: str
    episodes: list[tuple[str, str, str | None]]


def _replay(app: App, since: str, name: str) -> dict[str, Any]:
    begin = since_of(app, since or USUAL, LONGEST)
    wanted = _wanted(app, name) if name else list(app.settings.alerts)
    return {"replayed": [_found(app, one) for one in replayed(app, wanted, begin)], "begin": begin}


def _found(app: App, one: Replayed) -> Found:
    alert, zone = one.subject.alert, app.settings.monitor.zone
    episodes = [
        (
            alert_words.alert_state(episode.begun_at, episode.ended_at, zone),
            alert_words.alert(alert.kind, episode.figures, zone),
            _replayed_items(app, one, episode.figures),
        )
        for episode in one.episodes
    ]
    fired = f"{numbers.plural(len(episodes), 'time')} in {numbers.plural(one.judged, alert.period)}"
    none = f"no {alert.period} could be judged: two weeks of history without gaps come first"
    by_chance = "–" if one.false_a_year is None else f"about {one.false_a_year:.1g} times a year"
    return Found(alert.name, one.subject.name, fired if one.judged else none, by_chance, episodes)


def _replayed_items(app: App, one: Replayed, figures: Any) -> str | None:
    span, brand = alert_words.alert_span(figures), one.subject.brand
    if span is None or brand is None or one.subject.alert.kind == "source_silent":
        return None
    begun = StoredEpisode(0, one.subject.alert.name, one.subject.alert.kind, brand, brand, *span, *span, figures)
    return _items(app, begun, *span)


def _wanted(app: App, name: str) -> list[AlertSettings]:
    found = [one for one in app.settings.alerts if one.name == name]
    if not found:
        known = ", ".join(one.name for one in app.settings.alerts) or "none is configured"
        raise Refused(422, f'alert: there is no "{name[:100]}"; there are: {known}')
    return found
