"""Items: lists by filter and by figure, one as a whole, and why it has its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field

from monitor.app import App
from monitor.likeness import copies_of
from monitor.opening import Opened
from monitor.web.access import Visitor
from monitor.web.answers import Answer, api, problems
from monitor.web.explained import ExplainedOut, explained_item
from monitor.web.guards import Here, Reader
from monitor.web.params import ItemId, ItemsAsked, items_of
from monitor.web.problems import Refused, not_found
from storage import listing
from storage.likeness import copies_known
from storage.patience import TookTooLong, hurried
from storage.reasons import DUPLICATE, NOT_ABOUT_US
from storage.records import ItemFilter, StoredItem
from storage.stories import Story, growth, revisions, stories

router = api("items")
TEXT: Final = 4_000
"""Characters of a text that a list shows."""
SECONDS: Final = 10.0
"""After which a list is given up."""
COUNTING: Final = 2.0
COUNTED_TO: Final = 10_000
COPIES: Final = 100


class ItemBase(Answer):
    """An item as the store has it. Null is "not known", never 0."""

    id: int = Field(examples=[17])
    brand: str
    source: str
    platform: str
    external_id: str = Field(description="Its id there; begins with erased: where its words are gone for good.")
    kind: str = Field(description="mention, review, or post: one of the brand's own.")
    published_at: datetime
    title: str | None
    text: str | None
    url: str | None
    language: str | None
    author: str | None
    author_id: str | None = Field(description="The author's number, for /authors/{id}.")
    stars: float | None = Field(description="On the scale from 1 to 5.")
    label: str | None = Field(description="positive, neutral, negative; null: not scored.")
    label_by: str | None = Field(description="text, stars or person.")
    compound: float | None = Field(description="The text's score, from -1 to 1.")
    likes: int | None
    shares: int | None
    comments: int | None
    views: int | None
    reply_text: str | None
    reply_at: datetime | None
    place: str | None
    parent_title: str | None
    attributes: Mapping[str, str]
    uncounted: str | None = Field(description="Why it does not count; null: it does.")
    copy_of: int | None = Field(description="The item of which it is left out as a copy.")
    tags: Sequence[str]
    done: bool


class ListedItem(ItemBase):
    """An item in a list: its text cut at 4,000 characters."""

    text_cut: bool = Field(description="The text goes on; the item by itself has all of it.")


class FormulaOut(Answer):
    name: str
    version: int = Field(description="Rises when the meaning changes.")
    sentence: str


class OpenedFigure(Answer):
    """A figure, opened: its value as the report has it, its formula, and how many items it is made of."""

    path: str
    value: float | None
    formula: FormulaOut
    made_of: str
    total: int | None
    why: str | None = Field(description="Why it is not made of items; null: it is.")


class ItemsPage(Answer):
    """One page of a list."""

    items: Sequence[ListedItem]
    next: str | None = Field(description="Where the next page begins, for `after`; null: this is the last one.")
    total: int | None = Field(description="How many there are; null: not asked for, more than 10,000, or too long to count.")  # fmt: skip
    figure: OpenedFigure | None = Field(description="The figure that was opened, if one was.")


@router.get("/items", responses=problems(404))
def list_items(house: Here, visitor: Reader, asked: Annotated[ItemsAsked, Query()]) -> ItemsPage:
    """Items by filter and search, or those behind a figure of the report; a page at a time."""
    found = items_of(house.app, visitor, asked)
    try:
        key = found.key
        page = listing.items(
            hurried(house.app.database, SECONDS), found.wanted, order=asked.order, limit=asked.limit + 1, after=key
        )
    except TookTooLong as error:
        raise Refused(503, "that takes too long; narrow the filter, or the window") from error
    more = listing.token_of(page[asked.limit - 1], asked.order) if len(page) > asked.limit else None
    total = _count(house.app, found.wanted) if asked.total and found.opened is None else None
    opened = found.opened
    return ItemsPage(
        items=listed(house.app, page[: asked.limit]), next=more, total=opened.total if opened else total,
        figure=opened and _opened(opened),
    )  # fmt: skip


def _count(app: App, wanted: ItemFilter) -> int | None:
    try:
        count = listing.count_items(hurried(app.database, COUNTING), wanted, at_most=COUNTED_TO + 1)
    except TookTooLong:
        return None
    return count if count <= COUNTED_TO else None


def _opened(opened: Opened) -> OpenedFigure:
    formula = FormulaOut.model_validate(opened.formula)
    return OpenedFigure(
        path=opened.path,
        value=opened.value,
        formula=formula,
        made_of=opened.made_of,
        total=opened.total,
        why=opened.why,
    )


def listed(app: App, found: Sequence[StoredItem]) -> list[ListedItem]:
    """Items as lists show them."""
    kept, leaders = stories(app.database, [item.id for item in found]), _leaders(app, found)
    return [
        ListedItem(
            **_base(item, kept[item.id], leaders) | {"text": item.text and item.text[:TEXT]}, text_cut=_is_cut(item)
        )
        for item in found
        if item.id in kept
    ]


def _is_cut(item: StoredItem) -> bool:
    return item.text is not None and len(item.text) > TEXT


def _leaders(app: App, found: Sequence[StoredItem]) -> dict[int, int]:
    return copies_known(app.database, [item.id for item in found if item.uncounted == DUPLICATE])


def _base(item: StoredItem, story: Story, leaders: Mapping[int, int]) -> dict[str, Any]:
    values = {name: value for name, value in asdict(item).items() if name in ItemBase.model_fields}
    author = None if story.author_id is None else str(story.author_id)
    tags = [word.what for word in story.tags]
    told = {"author_id": author, "copy_of": leaders.get(item.id), "tags": tags, "done": "done" in story.marks}
    return {**values, **told}


# ------------------------------------------------------------------------------------------------------- one item


class WordOut(Answer):
    """What a person said of it."""

    what: str
    by: str | None
    at: datetime


class RevisionOut(Answer):
    """What it said until `replaced_at`."""

    replaced_at: datetime
    title: str | None
    text: str | None
    rating_value: float | None
    label: str | None


class GrowthOut(Answer):
    """By how much its counts grew, and when that was seen."""

    at: datetime
    likes: int
    shares: int
    comments: int
    views: int


class WholeItem(ItemBase):
    """An item with all that is known about it."""

    rating_value: float | None = Field(description="As given, on the scale from rating_worst to rating_best.")
    rating_worst: float | None
    rating_best: float | None
    text_label: str | None = Field(description="What its text alone says.")
    scorer_label: str | None = Field(description="What the program says by itself, whatever a person said.")
    scorer: str | None = Field(description="By which scorer and version.")
    unscored: str | None = Field(description="Why it has no label: language, no_text.")
    corrected: WordOut | None
    not_about_us: WordOut | None
    marked_done: WordOut | None
    tagged: Sequence[WordOut]
    first_seen_at: datetime
    updated_at: datetime | None
    counted_at: datetime | None = Field(description="When its counts were true.")
    followers: int | None = Field(description="Of its author, as last seen.")
    revisions: Sequence[RevisionOut] = Field(description="What it said before, the newest first.")
    growth: Sequence[GrowthOut]
    erased: bool


@router.get("/items/{id}", responses=problems(404))
def read_item(house: Here, visitor: Reader, number: ItemId) -> WholeItem:
    """One item whole: its words, counts and label, what people said of it, what it said before."""
    return whole(house.app, item_of(house.app, visitor, number))


def item_of(app: App, visitor: Visitor, number: int) -> StoredItem:
    """The item of this number, if it is there and may be seen."""
    found = listing.items_by_id(app.database, [number]).get(number)
    if found is None or not visitor.may_see(found.brand):
        raise not_found(f"there is no item {number}; it may have been deleted")
    return found


def whole(app: App, item: StoredItem) -> WholeItem:
    """All about an item."""
    story = stories(app.database, [item.id])[item.id]
    own = ("rating_value", "rating_worst", "rating_best", "text_label", "scorer", "unscored", "erased")
    told = ("scorer_label", "corrected", "first_seen_at", "updated_at", "counted_at", "followers")
    return WholeItem.model_validate(
        {
            **_base(item, story, _leaders(app, [item])),
            **{name: getattr(item, name) for name in own},
            **{name: getattr(story, name) for name in told},
            "not_about_us": story.marks.get(NOT_ABOUT_US),
            "marked_done": story.marks.get("done"),
            "tagged": story.tags,
            "revisions": revisions(app.database, item.id),
            "growth": growth(app.database, item.id),
        }
    )


@router.get("/items/{id}/explain", responses=problems(404))
def explain_item(house: Here, visitor: Reader, number: ItemId) -> ExplainedOut:
    """Why it has its label: word by word, with parts that add up to its score."""
    return explained_item(house.app, item_of(house.app, visitor, number))


class SimilarItems(Answer):
    items: Sequence[ListedItem]


@router.get("/items/{id}/copies", responses=problems(404))
def list_copies(house: Here, visitor: Reader, number: ItemId) -> SimilarItems:
    """What says nearly the same of the same brand within 30 days, counted or not, the newest first; 100 at most."""
    item_of(house.app, visitor, number)
    return SimilarItems(items=listed(house.app, copies_of(house.app, number, COPIES)))
