"""What the interface for programs is asked: brands and windows, and which items; each described, with an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Path, Query
from pydantic import ConfigDict, Field
from starlette.datastructures import QueryParams

from monitor.app import App
from monitor.schedule import Window
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import LARGEST, Plain, Wish
from monitor.web.asked import Unasked, window_named
from monitor.web.chosen import Chosen, of_query
from monitor.web.guards import Here, Reader
from monitor.web.problems import Refused, not_found

MOST_ITEMS: Final = 1_000
"""Items of one page."""
WindowName = Literal["today", "7d", "30d", "90d"]
Name = Annotated[Plain, Field(min_length=1, max_length=200)]
Brands = Annotated[
    list[Name] | None,
    Query(description="Of this brand; repeated: of each. All without it.", max_length=200, examples=[["Larkspur"]]),
]
Brand = Annotated[Name, Query(description="Of this brand.", examples=["Larkspur"])]
Named = Annotated[WindowName | None, Query(description="A window up to now; 30d without any.", examples=["7d"])]
Since = Annotated[
    str | None,
    Query(
        description="Instead of a window: from then on, to the quarter of an hour: 30d, 2026-11-01, 2026-W44, or an ISO time.",
        max_length=60,
        examples=["2026-11-01"],
    ),
]
Until = Annotated[
    str | None,
    Query(description="Up to then, not included; now without it.", max_length=60, examples=["2026-11-08T00:00:00Z"]),
]
ItemId = Annotated[int, Path(alias="id", description="An item's number.", ge=1, le=LARGEST, examples=[17])]
RowId = Annotated[int, Path(alias="id", description="Its number.", ge=1, le=2**31 - 1, examples=[3])]
SourceName = Annotated[
    str, Path(alias="name", description="A source's name.", min_length=1, max_length=200, examples=["reddit"])
]
Limit = Annotated[int, Query(description="So many at most, the newest first.", ge=1, le=1_000, examples=[50])]


@dataclass(frozen=True, slots=True)
class View:
    """Brands and a window."""

    brands: Sequence[str]
    window: Window


def view(
    house: Here,
    visitor: Reader,
    brand: Brands = None,
    window: Named = None,
    since: Since = None,
    until: Until = None,
) -> View:
    """The brands and the window of a request."""
    return View(sight.chosen_brands(house.app, visitor, brand), window_of(house.app, window, since, until))


InView = Annotated[View, Depends(view)]


def window_of(app: App, window: str | None, since: str | None, until: str | None, usual: str = "30d") -> Window:
    """The window that these fields name. :class:`Unasked` for what cannot be."""
    given = {"window": window, "since": since, "until": until}
    return window_named(app, {name: value for name, value in given.items() if value}, usual)[0]


# ------------------------------------------------------------------------------------------------- which items

Texts = Annotated[list[Name], Field(max_length=50)]
_MANY: Final[dict[str, Any]] = {"default_factory": list}


class ItemWhere(Wish):
    """Which items: all that is given must hold; of several values in one field any, of tags and attributes all."""

    brand: Name | None = Field(default=None, description="Of this brand; all without it.", examples=["Larkspur"])
    figure: Plain | None = Field(
        default=None,
        max_length=500,
        description="The items behind a figure, by its path in the report; beside it stand brand, window and order alone.",
        examples=["social.negative"],
    )
    q: Plain | None = Field(
        default=None,
        max_length=2_000,
        description='Words in title and text: AND, OR, NOT, "phrases", a trailing *.',
        examples=['battery AND NOT "battery pack"'],
    )
    window: Literal["today", "7d", "30d", "90d", "all"] | None = Field(
        default=None, description="A window up to now; 30d without any; all: of any time.", examples=["7d"]
    )
    since: Plain | None = Field(
        default=None, max_length=60, description="Instead of a window: from then on.", examples=["2026-11-01"]
    )
    until: Plain | None = Field(
        default=None, max_length=60, description="Up to then, not included.", examples=["2026-11-08"]
    )
    source: Texts = Field(description="From these sources.", examples=[["reddit", "news"]], **_MANY)
    kind: list[Literal["mention", "review", "post"]] = Field(
        description="Of these kinds; posts are the brand's own.", examples=[["review"]], max_length=3, **_MANY
    )
    label: list[Literal["positive", "neutral", "negative", "unscored"]] = Field(
        description="With one of these labels.", examples=[["negative"]], max_length=4, **_MANY
    )
    language: Texts = Field(description="In these languages; unknown: not told.", examples=[["en", "de"]], **_MANY)
    attribute: Texts = Field(description="With these attributes.", examples=[["country=DE"]], **_MANY)
    tag: Texts = Field(description="With all of these tags.", examples=[["press"]], **_MANY)
    min_stars: float | None = Field(default=None, ge=0, le=1_000, description="So many stars or more.", examples=[4])
    max_stars: float | None = Field(default=None, ge=0, le=1_000, description="So many or fewer.", examples=[2])
    author: Name | None = Field(default=None, description="By whom: a name, or an id there.", examples=["ada"])
    place: Name | None = Field(default=None, description="Where it stands.", examples=["r/phones"])
    min_engagement: int | None = Field(
        default=None, ge=0, le=10**12, description="Likes, shares and comments together.", examples=[10]
    )
    uncounted: Literal["counted", "all", "excluded", "muted", "duplicate", "not_about_us"] | None = Field(
        default=None, description="What does not count, by reason; only what counts without it.", examples=["excluded"]
    )
    unanswered: bool | None = Field(default=None, description="Reviews without the owner's answer.", examples=[True])
    done: bool | None = Field(default=None, description="Marked as done, or not.", examples=[False])


class ItemsAsked(ItemWhere):
    """Which items, in which order, and where the page begins: from an address, where all is text."""

    model_config = ConfigDict(strict=False)

    order: Literal["newest", "oldest", "negative", "positive", "engaged", "unanswered"] = Field(
        default="newest", description="In which order; unanswered: those reviews first.", examples=["negative"]
    )
    after: Plain | None = Field(
        default=None,
        max_length=500,
        description="Where the page begins: `next` of the page before, with all else the same.",
        examples=["WyJuZXdlc3QiLCAiMjAyNi0xMS0yMFQxMjowMDowMCswMDowMCIsIDE3XQ"],
    )
    limit: int = Field(default=50, ge=1, le=MOST_ITEMS, description="Items of a page.", examples=[100])
    total: bool = Field(default=False, description="Count them, too, up to 10,000.", examples=[True])


def items_of(app: App, visitor: Visitor, wanted: ItemWhere) -> Chosen:
    """What is asked for, as the store is asked. What cannot be is refused; what may not be seen is not found."""
    if wanted.brand is not None:
        sight.brand(app, visitor, wanted.brand)
    seen = sight.sources(app, visitor)
    for name in wanted.source if seen is not None else ():
        if seen is not None and name not in seen:
            raise not_found(f'no source "{name[:100]}"')
    try:
        found = of_query(app, QueryParams(list(_pairs(wanted))), visitor, "/items")
    except Unasked as error:
        if wanted.figure and visitor.brands is not None:  # what it names may be of other brands
            raise Refused(422, "figure: there is none of this path that this token may see") from error
        raise
    if found.fault is not None:
        raise Refused(422, f"q: {found.fault.message}")
    if wanted.figure and found.opened is not None and _is_of_others(wanted.figure, visitor):
        raise Refused(422, "figure: there is none of this path that this token may see")
    return found


def _is_of_others(figure: str, visitor: Visitor) -> bool:
    """Does a figure tell of brands beside the one it is of?"""
    return visitor.brands is not None and figure.startswith(("competitors.", "volume.share_of_voice"))


def _pairs(wanted: ItemWhere) -> Iterator[tuple[str, str]]:
    """The fields of an address of the dashboard's list of items."""
    for name, value in wanted.model_dump(exclude={"limit", "total"}, exclude_none=True).items():
        for one in value if isinstance(value, list) else [value]:
            yield name, str(int(one)) if isinstance(one, bool) else str(one)
