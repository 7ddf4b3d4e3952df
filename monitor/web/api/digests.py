"""Digests that were built, in any form; and what was sent where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import Field

from monitor import figures as f
from monitor.app import App
from monitor.config.models import DigestSettings
from monitor.delivery import deliver_one, queue_test, view_of
from monitor.digest import Form
from monitor.dressing import dressed
from monitor.quotes import with_words
from monitor.schedule import period_before
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import Answer, Plain, Wish, api, problems
from monitor.web.guards import Here, Reader, Writer
from monitor.web.params import Limit, RowId
from monitor.web.problems import Refused, not_found
from storage import outbox

router = api("digests")
MEDIA: Final[Mapping[Form, str]] = {
    "html": "text/html", "txt": "text/plain", "md": "text/markdown", "json": "application/json", "slack": "application/json",
}  # fmt: skip
ALL: Final = 10_000
DigestName = Annotated[
    str, Path(alias="name", description="A configured digest.", min_length=1, max_length=200, examples=["daily"])
]
RENDERED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The digest in the form that was asked for.",
        "content": {media: {"schema": {"type": "string"} if "json" not in media else {}} for media in sorted(set(MEDIA.values()))},
    }
}  # fmt: skip


class DigestOut(Answer):
    """A digest of a period."""

    id: int = Field(examples=[3])
    name: str
    period: str
    start: datetime
    end: datetime
    due_at: datetime
    state: str = Field(
        description="due: it waits for its sources; built: something of it waits to be sent; sent: done."
    )
    built_at: datetime | None
    error: str | None
    channels: Mapping[str, str] = Field(description="Where it went: queued, claimed, sent or failed.")


class Digests(Answer):
    digests: Sequence[DigestOut]


class DigestWhole(Answer):
    digest: DigestOut
    report: f.Report | None = Field(description="With the figures it was built with; null: it is not built yet.")


class TestWish(Wish):
    channel: Plain = Field(max_length=200, description="To this channel.", examples=["files"])


class DeliveryOut(Answer):
    """A digest or a message on its way to a channel."""

    id: int = Field(examples=[3])
    kind: str = Field(description="digest, alert, rule, test ...")
    name: str
    period: str
    channel: str
    state: str = Field(description="queued, claimed, sent or failed.")
    attempts: int
    next_try_at: datetime
    sent_at: datetime | None
    error: str | None


class Deliveries(Answer):
    deliveries: Sequence[DeliveryOut]


@router.get("/digests")
def list_digests(
    house: Here,
    visitor: Reader,
    name: Annotated[str | None, Query(description="Only this digest.", max_length=200, examples=["daily"])] = None,
    limit: Limit = 50,
) -> Digests:
    """The newest digests: of which period, when they were built, where they went."""
    rows = outbox.archive(house.app.database, name, limit if visitor.brands is None else ALL)
    seen = [row for row in rows if _is_seen(house.app, visitor, row["name"])]
    return Digests(digests=[_out(house.app, visitor, row) for row in seen[:limit]])


@router.get("/digests/{id}", responses=problems(404))
def read_digest(house: Here, visitor: Reader, number: RowId) -> DigestWhole:
    """One digest with the figures it was built with, and the present words of the items it quotes."""
    row = _row(house.app, visitor, number)
    report = None if row["report"] is None else sight.narrowed(with_words(house.app, row["report"]), visitor)
    return DigestWhole(digest=_out(house.app, visitor, row), report=report)


@router.get("/digests/{id}/rendered", response_class=Response, responses=RENDERED | problems(404, 409))
def render_digest(
    house: Here,
    visitor: Reader,
    number: RowId,
    form: Annotated[Form, Query(description="In which form.", examples=["txt"])] = "html",
) -> Response:
    """One digest as it is sent."""
    row = _row(house.app, visitor, number)
    if row["report"] is None:
        raise Refused(409, f"digest {number}: is not built yet; it waits for its sources")
    report = sight.narrowed(with_words(house.app, row["report"]), visitor)
    text = dressed(house.app, view_of(house.app, row["name"], row["period"])).render(report, form)
    attached = {"Content-Disposition": f'attachment; filename="digest-{number}.{form}"'}
    return Response(text, media_type=MEDIA[form], headers=attached)


@router.post("/digests/{name}/test", responses=problems(404))
def send_test_digest(house: Here, visitor: Writer, name: DigestName, body: TestWish) -> DeliveryOut:
    """Send the digest of its last whole period to one channel now, marked as a test; what became of it."""
    digest = _settings(house.app, visitor, name)
    sight.all_of(visitor, house.settings.brands_of(digest))
    if body.channel not in [one.name for one in house.settings.channels]:
        raise not_found(f'no channel "{body.channel[:100]}"')
    window = period_before(house.now(), digest.period, house.settings.monitor.zone)
    number = queue_test(house.app, digest.name, window, body.channel)
    deliver_one(house.app, number)
    return _delivery(outbox.delivery_row(house.app.database, number))


@router.get("/deliveries")
def list_deliveries(
    house: Here,
    visitor: Reader,
    state: Annotated[
        Literal["queued", "claimed", "sent", "failed"] | None,
        Query(description="Only these, of the newest 10,000.", examples=["failed"]),
    ] = None,
    limit: Limit = 50,
) -> Deliveries:
    """The newest deliveries: what went where, and what went wrong. Of the whole store: not for tokens of some brands."""
    sight.whole_store(visitor)
    rows = outbox.deliveries(house.app.database, limit if state is None else ALL)
    return Deliveries(deliveries=[_delivery(row) for row in rows if state in (None, row["state"])][:limit])


@router.post("/deliveries/{id}/retry", responses=problems(404, 409))
def retry_delivery(house: Here, visitor: Writer, number: RowId) -> DeliveryOut:
    """Try a failed delivery again, now; what became of it."""
    sight.whole_store(visitor)
    try:
        outbox.delivery_row(house.app.database, number)
    except LookupError as error:
        raise not_found(str(error)) from error
    if not outbox.requeue(house.app.database, number, house.now()):
        raise Refused(409, f"delivery {number}: has not failed; there is nothing to try again")
    deliver_one(house.app, number)
    return _delivery(outbox.delivery_row(house.app.database, number))


# ---------------------------------------------------------------------------------------------- who may see which


def _is_seen(app: App, visitor: Visitor, name: str) -> bool:
    """What has left the configuration is not for tokens of some brands."""
    if visitor.brands is None:
        return True
    digest = next((one for one in app.settings.digests if one.name == name), None)
    return digest is not None and any(map(visitor.may_see, app.settings.brands_of(digest)))


def _row(app: App, visitor: Visitor, number: int) -> Mapping[str, Any]:
    row = outbox.stored_digest(app.database, number)
    if row is None or not _is_seen(app, visitor, row["name"]) or not _holds_seen(visitor, row["report"]):
        raise not_found(f"there is no digest {number}")
    return row


def _holds_seen(visitor: Visitor, report: Any) -> bool:
    return visitor.brands is None or report is None or any(visitor.may_see(one["brand"]) for one in report["brands"])


def _settings(app: App, visitor: Visitor, name: str) -> DigestSettings:
    found = next((one for one in app.settings.digests if one.name == name), None)
    if found is None or not _is_seen(app, visitor, name):
        raise not_found(f'no digest "{name[:100]}"')
    return found


def _out(app: App, visitor: Visitor, row: Mapping[str, Any]) -> DigestOut:
    told = row.get("channels") or {}
    seen = told if visitor.brands is None else {name: told[name] for name in sight.channels(app, visitor, list(told))}
    return DigestOut.model_validate({**row, "channels": seen})


def _delivery(row: Mapping[str, Any]) -> DeliveryOut:
    return DeliveryOut.model_validate({**row, "name": row["digest"]})
