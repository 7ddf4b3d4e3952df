"""What happened when: dated events beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import Field

from monitor.annotations import noted
from monitor.app import App
from monitor.digest import escape
from monitor.schedule import parse_since
from monitor.web import sight
from monitor.web.answers import Answer, Plain, Wish, api, problems
from monitor.web.asked import Unasked
from monitor.web.guards import Here, Reader, Writer
from monitor.web.params import Brands, Name, RowId
from monitor.web.problems import Refused, not_found
from storage import annotations as stored

router = api("report")
LONGEST: Final = 200


class AnnotationOut(Answer):
    """An event."""

    id: int | None = Field(description="Null: it stands in the configuration, and is removed there.", examples=[3])
    at: datetime
    until: datetime | None = Field(description="The end of what lasted, not included.")
    text: str
    brand: str | None = Field(description="Null: of all brands.")
    by: str | None


class Annotations(Answer):
    annotations: Sequence[AnnotationOut]


class AnnotationWish(Wish):
    text: Plain = Field(min_length=1, max_length=LONGEST, examples=["release 2.0"])
    at: Plain = Field(
        max_length=60, description="2026-11-13, 2026-11-13T09:00, or 9d: nine days ago.", examples=["2026-11-13"]
    )
    until: Plain | None = Field(default=None, max_length=60, examples=["2026-11-15"])
    brand: Name | None = Field(default=None, description="Of this brand; of all without it.", examples=["Larkspur"])


class Removed(Answer):
    removed: int = Field(examples=[3])


@router.get("/annotations", responses=problems(404))
def list_annotations(house: Here, visitor: Reader, brand: Brands = None) -> Annotations:
    """All that is written down, by time."""
    names = sight.chosen_brands(house.app, visitor, brand)
    known = {(one.at, one.text, one.brand or "", one.id or 0): one for name in names for one in noted(house.app, name)}
    return Annotations(annotations=[AnnotationOut.model_validate(known[key]) for key in sorted(known)])


@router.post("/annotations", status_code=201, responses=problems(404))
def add_annotation(house: Here, visitor: Writer, body: AnnotationWish) -> AnnotationOut:
    """Write down what happened when; figures then show the score before and after it, and claim no cause."""
    if body.brand is None:
        sight.whole_store(visitor)
    else:
        sight.brand(house.app, visitor, body.brand)
    text = escape.clean(body.text, LONGEST)
    if text is None:
        raise Refused(422, "text: is empty; write what happened")
    at, until = (
        _moment(house.app, "at", body.at),
        None if body.until is None else _moment(house.app, "until", body.until),
    )
    if until is not None and until <= at:
        raise Refused(422, "until: is not after at; turn them round")
    added = stored.add(house.app.database, text, at, house.now(), until=until, brand=body.brand, by=visitor.name)
    return AnnotationOut.model_validate(added)


@router.delete("/annotations/{id}", responses=problems(404))
def remove_annotation(house: Here, visitor: Writer, number: RowId) -> Removed:
    """Take one away."""
    found = next((one for one in stored.listed(house.app.database) if one.id == number), None)
    if found is None or (found.brand is not None and not visitor.may_see(found.brand)):
        raise not_found(f"there is no annotation {number}")
    if found.brand is None:
        sight.whole_store(visitor)
    stored.remove(house.app.database, number)
    return Removed(removed=number)


def _moment(app: App, field: str, text: str) -> datetime:
    try:
        found = parse_since(text, app.now(), app.settings.monitor.zone)
        if not 1990 <= found.year < 2200:
            raise ValueError("lies outside of the years 1990 to 2199")
    except (ValueError, OverflowError) as error:
        raise Unasked(f"{field}: {error}") from error
    return found
