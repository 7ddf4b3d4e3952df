"""Digests: which are configured, what was built and where it went, each as its readers see it; previews and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from monitor.app import App
from monitor.config.models import DigestSettings
from monitor.delivery import deliver_one, queue_test, view_of
from monitor.digest import DigestView, Form, escape, times
from monitor.digests import brands_of
from monitor.dressing import dressed
from monitor.figures import WindowFigure
from monitor.quotes import with_words
from monitor.report import build_report
from monitor.schedule import Schedule, Window, period_before, period_so_far
from monitor.web.guards import Here, Submitted, visitor
from monitor.web.house import House
from monitor.web.page import back, render, zone_of
from monitor.web.problems import Refused, not_found
from monitor.web.schedule_words import schedule_words
from storage import outbox, sendings

SHOWN: Final = 30
"""Digests, and messages, that the page lists unless more are asked for."""
MOST: Final = 1_000
Of = Literal["last", "running"]
Kept = Literal["html", "txt", "md", "json"]
MEDIA: Final[Mapping[Kept, str]] = {
    "html": "text/html", "txt": "text/plain", "md": "text/markdown", "json": "application/json",
}  # fmt: skip
IN_A_FRAME: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""A digest is a document of its own: it may be styled and hold pictures, and do nothing."""
ALONE: Final = {"Content-Security-Policy": "sandbox; default-src 'none'"}


router = APIRouter(include_in_schema=False, dependencies=[Depends(visitor)])


@dataclass(frozen=True, slots=True)
class Configured:
    """A digest of the configuration, in words; ``brands`` are those it speaks of, competitors among them."""

    settings: DigestSettings
    schedule: str
    next_due: datetime
    brands: list[str]


@router.get("/digests")
def digests(
    request: Request, house: Here, name: Annotated[str, Query(max_length=200)] = "", n: int = SHOWN
) -> Response:
    """The configured digests, those that were built, and everything that was sent."""
    app, many = house.app, max(1, min(n, MOST))
    rows = outbox.archive(app.database, name or None, many)
    return render(
        request, "digests.html", title="Digests", configured=[_configured(app, one) for one in app.settings.digests],
        rows=rows, sent=sendings.of_digests(app.database, [row["id"] for row in rows]), window_words=window_words,
        messages=[row for row in outbox.deliveries(app.database, many) if row["kind"] != "digest"],
        channels=[one.name for one in app.settings.channels], name=name, many=many, most=MOST,
    )  # fmt: skip


@router.get("/digests/now")
def now(request: Request, house: Here, name: str, of: Of = "last") -> Response:
    """What a configured digest would say of its last whole period, or of the one that is running."""
    digest = _digest(house.app, name)
    window = _window(house.app, digest, of)
    return render(
        request, "digests_now.html", title=f"{name}, now", digest=digest, of=of, window=window,
        window_words=window_words, channels=[one.name for one in house.app.settings.channels],
    )  # fmt: skip


@router.get("/digests/now/preview")
def now_preview(house: Here, name: str, of: Of = "last") -> Response:
    app = house.app
    digest = _digest(app, name)
    window = _window(app, digest, of)
    report = build_report(app, brands_of(app, digest), window)
    note = "The period is still running." if of == "running" else None
    view = DigestView(name=digest.name, zone=window.zone, detail=digest.detail, sent_note=note)
    return Response(dressed(app, view).render(report, "html"), media_type="text/html", headers=IN_A_FRAME)


@router.post("/digests/test")
def test(request: Request, house: Here, form: Submitted) -> Response:
    """Send a digest to one channel, marked as a test."""
    app = house.app
    digest, channel = _digest(app, str(form.get("name", ""))), str(form.get("channel", ""))
    if channel not in [one.name for one in app.settings.channels]:
        raise Refused(422, f'channel: there is no "{channel[:100]}"; choose one of the list')
    of = str(form.get("of", "last"))
    if of not in get_args(Of):
        raise Refused(422, f"of: there is no {of[:40]!r}; write last or running")
    number = queue_test(app, digest.name, _window(app, digest, of), channel)
    deliver_one(app, number)
    return _told(request, app, number, "/digests")


@router.post("/digests/retry")
def retry(request: Request, house: Here, form: Submitted) -> Response:
    """Try a failed delivery again, now."""
    app, told = house.app, str(form.get("delivery", ""))
    number = int(told) if told.isdecimal() and len(told) < 10 else 0
    to = str(form.get("to", "/digests"))
    if not outbox.requeue(app.database, number, app.now()):
        return back(request, to, "That delivery has not failed; perhaps somebody was faster.", bad=True)
    deliver_one(app, number)
    return _told(request, app, number, to)


@router.get("/digests/{number:int}")
def digest(request: Request, house: Here, number: int) -> Response:
    """A digest that was built: as its readers see it, and where it went."""
    row = _stored(house.app, number)
    sent = sendings.of_digests(house.app.database, [number]).get(number, ())
    title = f"{row['name']}, {row['period']}"
    return render(request, "digest.html", title=title, row=row, sent=sent, window_words=window_words)


@router.get("/digests/{number:int}/preview")
def preview(house: Here, number: int) -> Response:
    return Response(_written(house.app, _built(house, number), "html"), media_type="text/html", headers=IN_A_FRAME)


@router.get("/digests/{number:int}/as/{form}")
def download(house: Here, number: int, form: Kept) -> Response:
    """The digest as a file, with the figures that it was built with and the present words of what it quotes."""
    row = _built(house, number)
    stem = f"{row['name']}-{row['period']}".replace(":", "").replace("..", "_")
    saved = {"Content-Disposition": f'attachment; filename="{stem}.{form}"'}
    return Response(_written(house.app, row, form), media_type=MEDIA[form], headers={**ALONE, **saved})


def window_words(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """``Week 46: 9–15 November 2026``."""
    return times.window(WindowFigure(start=start, end=end, timezone=zone.key), zone)


# --------------------------------------------------------------------------------------------------- what there is


def _digest(app: App, name: str) -> DigestSettings:
    found = next((one for one in app.settings.digests if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in app.settings.digests) or "none is configured"
        raise not_found(f'there is no digest "{name[:100]}"; there are: {known}')
    return found


def _stored(app: App, number: int) -> Mapping[str, Any]:
    row = outbox.stored_digest(app.database, number) if number < 2**31 else None
    if row is None:
        raise not_found(f"there is no digest {number}; the Digests page lists them")
    return row


def _built(house: House, number: int) -> Mapping[str, Any]:
    row = _stored(house.app, number)
    if row["report"] is None:
        raise not_found(f"digest {number} is not built yet; it waits for its sources")
    return row


def _written(app: App, row: Mapping[str, Any], form: Form) -> str:
    """A stored digest in a form; what was erased since is not in it."""
    return dressed(app, view_of(app, row["name"], row["period"])).render(with_words(app, row["report"]), form)


def _configured(app: App, one: DigestSettings) -> Configured:
    zone = app.settings.monitor.zone
    return Configured(
        one, schedule_words(one.schedule, zone), Schedule.parse(one.schedule, zone).next(app.now()), brands_of(app, one)
    )


def _window(app: App, digest: DigestSettings, of: str) -> Window:
    zone = app.settings.monitor.zone
    running = period_so_far(app.now(), digest.period, zone)
    return running if of == "running" and running.length else period_before(app.now(), digest.period, zone)


def _told(request: Request, app: App, number: int, to: str) -> Response:
    """Where a delivery has got to."""
    row = outbox.delivery_row(app.database, number)
    why = escape.clean(row["error"], 300)
    if row["state"] == "sent":
        return back(request, to, f"Sent to {row['channel']}." + (f" But: {why}" if why else ""), bad=bool(why))
    if row["state"] == "failed":
        return back(request, to, f"Not sent to {row['channel']}: {why}", bad=True)
    when = times.moment(row["next_try_at"], zone_of(request))
    return back(
        request, to, f"Not sent to {row['channel']} yet, tried again {when}" + (f": {why}" if why else "."), bad=True
    )
