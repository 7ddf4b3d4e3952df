"""Every figure, parts of them, and one of them over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query
from pydantic import Field

from monitor import figures as f
from monitor import people
from monitor.report import build_report
from monitor.timeline import By, FigureName, TooManyStretches, timeline
from monitor.web import sight
from monitor.web.answers import LARGEST, Answer, api, problems
from monitor.web.guards import Here, Reader
from monitor.web.house import House
from monitor.web.params import InView, View
from monitor.web.problems import Refused, not_found

router = api("report")
Items = Annotated[
    bool,
    Query(
        description="Look at the window's items, too: exact ranges, drivers, topics, authors, quotes. Without, it is at once.",
        examples=[False],
    ),
]


@router.get("/report", responses=problems(404))
def read_report(house: Here, visitor: Reader, asked: InView, items: Items = True) -> f.Report:
    """Every figure of the brands over the window: the same document as `sentiment-monitor scores --json`."""
    return _report(house, visitor, asked, items=items)


def _report(house: House, visitor: Reader, asked: View, *, items: bool) -> f.Report:
    return sight.narrowed(build_report(house.app, asked.brands, asked.window, items=items), visitor)


# ------------------------------------------------------------------------------------------------------ over time


class SeriesPoint(Answer):
    """A day or an hour, cut at the window's edges."""

    start: datetime
    end: datetime
    value: float | None = Field(description="Null: nothing to go by.")
    n: int = Field(description="Items that the value rests on.")
    low: float | None = Field(description="The lower end of the likely range, of scores and means.")
    high: float | None
    gap: bool = Field(description="A source had a gap here: a low figure may mean missing, not quiet.")
    unwatched: bool = Field(description="No source was watched yet: what is here came later, the rest is not known.")


class SeriesOfBrand(Answer):
    brand: str
    points: Sequence[SeriesPoint]


class Series(Answer):
    """One figure over time, a series for each brand."""

    figure: str
    by: Literal["day", "hour"]
    window: f.WindowFigure
    brands: Sequence[SeriesOfBrand]


@router.get("/series", responses=problems(404))
def read_series(
    house: Here,
    asked: InView,
    figure: Annotated[FigureName, Query(description="Which figure.", examples=["social.score"])] = "social.score",
    by: Annotated[By, Query(description="By the local day or by the hour.", examples=["day"])] = "day",
) -> Series:
    """One figure over time, by day or hour, each point with its n, its likely range and its gaps; from sums alone, at once."""
    window = asked.window
    try:
        found = [(name, timeline(house.app, name, window, figure, by)) for name in asked.brands]
    except TooManyStretches as error:
        raise Refused(422, str(error)) from error
    return Series(
        figure=figure,
        by=by,
        window=_window(window),
        brands=[SeriesOfBrand(brand=name, points=[SeriesPoint.model_validate(p) for p in points]) for name, points in found],
    )  # fmt: skip


def _window(window: Any) -> f.WindowFigure:
    return f.WindowFigure(
        start=window.start, end=window.end, timezone=window.zone.key, period=window.period, label=window.label
    )


# ---------------------------------------------------------------------------------------------------------- parts


class AuthorsOfBrand(Answer):
    brand: str
    authors: f.Authors


class AuthorsPart(Answer):
    """Who speaks of each brand."""

    window: f.WindowFigure
    brands: Sequence[AuthorsOfBrand]


class DriversOfBrand(Answer):
    brand: str
    drivers: f.Drivers
    topics: Sequence[f.Group]


class DriversPart(Answer):
    """What each brand is praised and complained about for, what is new, and its configured topics."""

    window: f.WindowFigure
    brands: Sequence[DriversOfBrand]


class CompetitorsOfBrand(Answer):
    brand: str
    social: f.Sentiment
    reviews: f.Reviews
    volume: f.Volume
    competitors: Sequence[f.Rival]


class CompetitorsPart(Answer):
    """Each brand beside its competitors."""

    window: f.WindowFigure
    brands: Sequence[CompetitorsOfBrand]


@router.get("/authors", responses=problems(404))
def list_authors(house: Here, visitor: Reader, asked: InView) -> AuthorsPart:
    """Who speaks: most engaged with, most followed, writing more and less than before."""
    return AuthorsPart.model_validate(_report(house, visitor, asked, items=True))


@router.get("/drivers", responses=problems(404))
def list_drivers(house: Here, visitor: Reader, asked: InView) -> DriversPart:
    """The words that tell complaints from praise, and this window from the one before; the configured topics."""
    return DriversPart.model_validate(_report(house, visitor, asked, items=True))


@router.get("/competitors", responses=problems(404))
def list_competitors(house: Here, visitor: Reader, asked: InView, items: Items = False) -> CompetitorsPart:
    """Scores, volume and share of voice of each brand beside its competitors', and whether they clearly differ."""
    return CompetitorsPart.model_validate(_report(house, visitor, asked, items=items))


# ------------------------------------------------------------------------------------------------------ one author

AuthorId = Annotated[
    int, Path(alias="id", description="An author's number, as reports have it.", ge=1, le=LARGEST, examples=[1234])
]


class AuthorMonth(Answer):
    month: str = Field(examples=["2026-11"])
    positive: int
    neutral: int
    negative: int
    unscored: int
    engagement: int | None = Field(description="Likes, shares and comments received, as far as known.")


class AuthorHistory(Answer):
    """All that one author said of the brands that may be seen."""

    id: str
    platform: str
    external_id: str
    name: str | None
    followers: int | None
    seen_at: datetime
    by_brand: dict[str, int] = Field(description="Counted mentions and reviews.")
    months: Sequence[AuthorMonth]
    newest: Sequence[int] = Field(description="The numbers of the newest items.")


@router.get("/authors/{id}", responses=problems(404))
def read_author(house: Here, visitor: Reader, number: AuthorId) -> AuthorHistory:
    """One author's history, month by month."""
    profile = next(iter(people.found(house.app, str(number))), None)
    if profile is None:
        raise not_found(_NOBODY.format(number))
    found = people.history_of(house.app, profile, sight.brands(house.app, visitor) or [""])
    if visitor.brands is not None and not found.by_brand:
        raise not_found(_NOBODY.format(number))
    months = [AuthorMonth(month=one.month, engagement=one.engagement, **_tally(one.tally)) for one in found.months]
    return AuthorHistory(
        id=str(profile.id), platform=profile.platform, external_id=profile.external_id, name=profile.name,
        followers=profile.followers, seen_at=profile.seen_at, by_brand=found.by_brand, months=months,
        newest=[item.id for item in found.newest],
    )  # fmt: skip


_NOBODY: Final = "there is no author {}; those that were erased are nobody"


def _tally(tally: Any) -> dict[str, int]:
    return {name: getattr(tally, name) for name in ("positive", "neutral", "negative", "unscored")}
