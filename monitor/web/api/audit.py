"""Audits: draw a sample, label its items without seeing the program's word, read how right the labels are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from pydantic import Field

from monitor import auditing
from monitor.app import App
from monitor.auditing import AuditReport, Scores
from monitor.metrics.audit import Agreement, Share
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import LARGEST, Answer, Plain, Wish, api, problems
from monitor.web.guards import Here, Reader, Writer
from monitor.web.params import Brands, Name, RowId, WindowName, window_of
from monitor.web.problems import Refused, not_found
from storage import audits
from storage.audits import Sample

router = api("trust")
MOST: Final = 10_000
NextLimit = Annotated[int, Query(description="So many at most.", ge=1, le=200, examples=[10])]


class SampleOut(Answer):
    """A random sample of the items whose text was scored."""

    id: int = Field(examples=[3])
    brand: str
    kind: str | None
    sources: Sequence[str]
    since: datetime
    until: datetime
    frame: int = Field(description="Items that it was drawn from.")
    size: int
    seed: int
    created_at: datetime
    said: Mapping[str, int] = Field(description="Labels so far, by person.")


class Samples(Answer):
    samples: Sequence[SampleOut]


class DrawWish(Wish):
    """What to draw from: counted items of a brand and a window whose text was scored."""

    brand: Name = Field(examples=["Larkspur"])
    size: int = Field(default=auditing.SIZE, ge=1, le=MOST, examples=[200])
    kind: Literal["mention", "review"] | None = Field(default=None, examples=["mention"])
    window: WindowName | None = Field(default=None, examples=["30d"])
    since: Plain | None = Field(default=None, max_length=60, examples=["2026-11-01"])
    until: Plain | None = Field(default=None, max_length=60, examples=["2026-11-08"])
    seed: int | None = Field(default=None, ge=0, le=2**62, description="Draws the same again.", examples=[7])


class BlindItem(Answer):
    """An item to be labelled; what the program says of it is not shown."""

    id: int
    kind: str
    source: str
    place: str | None
    published_at: datetime
    parent_title: str | None
    title: str | None
    text: str | None


class NextItems(Answer):
    items: Sequence[BlindItem]
    done: int = Field(description="Labelled by this token or person.")
    size: int


class Say(Wish):
    """A person's word on an item of a sample; it never becomes a correction."""

    item: int = Field(ge=1, le=LARGEST, examples=[17])
    answer: Literal["positive", "neutral", "negative", "not_about_us"] = Field(examples=["negative"])


class Said(Answer):
    done: int
    size: int


class ShareOut(Answer):
    count: float
    n: float
    share: float | None
    low: float | None
    high: float | None


class AuditScores(Answer):
    """The score by the program's own labels, and without its errors."""

    positive: int
    neutral: int
    negative: int
    score: float | None
    low: float | None
    high: float | None
    by_stars: int
    audited: float | None
    audited_low: float | None
    audited_high: float | None


class AgreementOut(Answer):
    persons: Sequence[str]
    n: int
    share: float
    kappa: float | None
    low: float | None
    high: float | None


class AuditOut(Answer):
    """What a sample says so far."""

    sample: SampleOut
    labelled: int
    passed_over: int
    left: int = Field(description="Items that are in the population no more.")
    scores: AuditScores
    by_kind: Mapping[str, AuditScores]
    confusion: Mapping[str, Mapping[str, float]] = Field(
        description="By what people said, then by what the program said."
    )
    accuracy: ShareOut
    recall: Mapping[str, ShareOut]
    precision: Mapping[str, ShareOut]
    relevance: ShareOut
    agreements: Sequence[AgreementOut]


@router.get("/audit/samples", responses=problems(404))
def list_samples(house: Here, visitor: Reader, brand: Brands = None) -> Samples:
    """The samples that were drawn."""
    names = sight.chosen_brands(house.app, visitor, brand)
    found = [one for name in names for one in audits.samples(house.app.database, name)]
    return Samples(samples=[SampleOut.model_validate(one) for one in found])


@router.post("/audit/samples", status_code=201, responses=problems(404, 409))
def draw_sample(house: Here, visitor: Writer, body: DrawWish) -> SampleOut:
    """Draw a random sample."""
    brand = sight.brand(house.app, visitor, body.brand)
    window = window_of(house.app, body.window, body.since, body.until)
    seed = secrets.randbits(32) if body.seed is None else body.seed
    drawn = auditing.draw(house.app, brand, window, body.size, seed, kind=body.kind)
    if drawn is None:
        raise Refused(409, "no text was scored in this time; choose another")
    return SampleOut.model_validate(drawn)


@router.get("/audit/samples/{id}", responses=problems(404))
def read_sample(house: Here, visitor: Reader, number: RowId) -> SampleOut:
    """One sample, and how far its labelling has come."""
    return SampleOut.model_validate(_sample(house.app, visitor, number))


@router.get("/audit/samples/{id}/next", responses=problems(404))
def next_of_sample(house: Here, visitor: Reader, number: RowId, limit: NextLimit = 10) -> NextItems:
    """The next items that whoever asks has not labelled, without what the program says of them."""
    sheet = auditing.sheet(house.app, _sample(house.app, visitor, number), visitor.name)
    left = [one for one in sheet.items if one.id not in sheet.said][:limit]
    return NextItems(items=[BlindItem.model_validate(one) for one in left], done=sheet.done, size=len(sheet.items))


@router.post("/audit/samples/{id}/say", responses=problems(404))
def say_of_sample(house: Here, visitor: Writer, number: RowId, body: Say) -> Said:
    """Label an item of a sample; said again, the last word counts."""
    sample = _sample(house.app, visitor, number)
    sheet = auditing.sheet(house.app, sample, visitor.name)
    item = next((one for one in sheet.items if one.id == body.item), None)
    if item is None:
        raise Refused(422, "item: is not one of this sample that can be labelled")
    auditing.say(house.app, sample, item, visitor.name, body.answer)
    return Said(done=len({*sheet.said, item.id}), size=len(sheet.items))


@router.get("/audit/samples/{id}/report", responses=problems(404))
def read_audit(house: Here, visitor: Reader, number: RowId) -> AuditOut:
    """How right the labels are by this sample, and the score without their errors."""
    return _report(auditing.report(house.app, _sample(house.app, visitor, number)))


def _sample(app: App, visitor: Visitor, number: int) -> Sample:
    found = audits.sample(app.database, number)
    if found is None or not visitor.may_see(found.brand):
        raise not_found(f"there is no sample {number}")
    return found


def _report(found: AuditReport) -> AuditOut:
    own = ("labelled", "passed_over", "left", "confusion")
    return AuditOut(
        sample=SampleOut.model_validate(found.sample),
        scores=_scores(found.scores),
        by_kind={kind: _scores(one) for kind, one in found.by_kind.items()},
        accuracy=_share(found.accuracy),
        recall={label: _share(one) for label, one in found.recall.items()},
        precision={label: _share(one) for label, one in found.precision.items()},
        relevance=_share(found.relevance),
        agreements=[_agreement(one) for one in found.agreements],
        **{name: getattr(found, name) for name in own},
    )


def _scores(one: Scores) -> AuditScores:
    raw: Any = one.raw
    audited = one.audited
    return AuditScores(
        positive=raw.positive, neutral=raw.neutral, negative=raw.negative, score=raw.score, by_stars=one.by_stars,
        low=one.raw_interval and one.raw_interval.low, high=one.raw_interval and one.raw_interval.high,
        audited=audited and audited.score, audited_low=audited and audited.low, audited_high=audited and audited.high,
    )  # fmt: skip


def _share(one: Share) -> ShareOut:
    span = one.interval
    return ShareOut(count=one.count, n=one.n, share=one.share, low=span and span.low, high=span and span.high)


def _agreement(one: Agreement) -> AgreementOut:
    span = one.interval
    limits = {"low": span and span.low, "high": span and span.high}
    return AgreementOut(persons=one.persons, n=one.n, share=one.share, kappa=one.kappa, **limits)
