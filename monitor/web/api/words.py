"""What people say of items: labels, marks, tags, on one or on many; and why a text of one's own would get its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, model_validator

from monitor.app import App
from monitor.marking import ids_where
from monitor.web import acting, sight
from monitor.web.access import Visitor
from monitor.web.acting import AT_ONCE, LONGEST_TAG, NO_FILTER, Outcome
from monitor.web.answers import LARGEST, Answer, Plain, Wish, api, problems
from monitor.web.api.items import COUNTING, WholeItem, item_of, whole
from monitor.web.asked import window_named
from monitor.web.explained import ExplainedOut, explained_text
from monitor.web.guards import Here, Reader, Writer
from monitor.web.house import House
from monitor.web.params import ItemId, ItemWhere, Name, items_of
from monitor.web.problems import Refused
from storage import listing
from storage.patience import TookTooLong, hurried
from storage.records import StoredItem

router = api("items")
LabelName = Literal["positive", "neutral", "negative"]
MarkName = Annotated[
    Literal["not_about_us", "done"],
    Path(description="not_about_us: it counts no more; done: seen to.", examples=["done"]),
]
TagName = Annotated[
    str, Path(description="1 to 60 characters.", min_length=1, max_length=LONGEST_TAG, examples=["press"])
]


class MovedScore(Answer):
    """A score over the last 30 days, before and after."""

    brand: str
    kind: str
    before: float | None
    after: float | None


class Done(Answer):
    """What was done."""

    said: str = Field(examples=["labelled negative (was positive)"])
    changed: int = Field(description="Items that are otherwise than before.")
    moved: Sequence[MovedScore] = Field(description="The scores that it may have moved.")
    item: WholeItem | None = Field(default=None, description="The item as it is now, where it is one.")


class Correction(Wish):
    """A person's label; it beats the program's in every figure, at once."""

    label: LabelName = Field(examples=["negative"])


# ----------------------------------------------------------------------------------------------------- on one item


@router.put("/items/{id}/correct", responses=problems(404, 409))
def correct_item(house: Here, visitor: Writer, number: ItemId, body: Correction) -> Done:
    """Say what an item's label is."""
    return _one(house, visitor, number, body.label)


@router.delete("/items/{id}/correct", responses=problems(404, 409))
def uncorrect_item(house: Here, visitor: Writer, number: ItemId) -> Done:
    """Take a correction back: the program's own label counts again."""
    return _one(house, visitor, number, "by_itself")


@router.put("/items/{id}/marks/{mark}", responses=problems(404, 409))
def mark_item(house: Here, visitor: Writer, number: ItemId, mark: MarkName) -> Done:
    """Mark an item."""
    return _one(house, visitor, number, mark)


@router.delete("/items/{id}/marks/{mark}", responses=problems(404, 409))
def unmark_item(house: Here, visitor: Writer, number: ItemId, mark: MarkName) -> Done:
    """Take a mark off."""
    return _one(house, visitor, number, {"not_about_us": "about_us", "done": "undone"}[mark])


@router.put("/items/{id}/tags/{tag:path}", responses=problems(404, 409))
def tag_item(house: Here, visitor: Writer, number: ItemId, tag: TagName) -> Done:
    """Tag an item."""
    return _one(house, visitor, number, "tag", tag)


@router.delete("/items/{id}/tags/{tag:path}", responses=problems(404, 409))
def untag_item(house: Here, visitor: Writer, number: ItemId, tag: TagName) -> Done:
    """Take a tag off."""
    return _one(house, visitor, number, "untag", tag)


def _one(house: House, visitor: Visitor, number: int, do: str, tag: str = "") -> Done:
    item = item_of(house.app, visitor, number)
    if item.erased:
        raise Refused(409, f"item {number}: was erased; nothing is changed in it any more")
    done = _done(acting.act(house.app, do, [item], visitor.name, tag, window_named(house.app, {})[0]))
    return done.model_copy(update={"item": whole(house.app, item_of(house.app, visitor, number))})


def _done(outcome: Outcome) -> Done:
    moved = [MovedScore.model_validate(one) for one in outcome.moved]
    return Done(said=outcome.said, changed=outcome.changed, moved=moved)


# ---------------------------------------------------------------------------------------------------- on many items

Act = Literal[
    "positive", "neutral", "negative", "by_itself", "not_about_us", "about_us", "done", "undone", "tag", "untag",
    "mute_author", "unmute_author", "mute_site", "unmute_site",
]  # fmt: skip


class Bulk(Wish):
    """What to do to many items: those with these numbers, or all that a filter finds."""

    do: Act = Field(description="positive ... label them; by_itself takes corrections back.", examples=["done"])
    ids: list[Annotated[int, Field(ge=1, le=LARGEST)]] | None = Field(
        default=None, min_length=1, max_length=AT_ONCE, examples=[[17, 18]]
    )
    where: ItemWhere | None = Field(default=None, examples=[{"q": "giveaway", "window": "7d"}])
    tag: Plain = Field(default="", max_length=LONGEST_TAG, description="With tag and untag.", examples=["press"])
    dry_run: bool = Field(default=False, description="Say how many, and change nothing.", examples=[True])

    @model_validator(mode="after")
    def _one_way(self) -> Bulk:
        if (self.ids is None) == (self.where is None):
            raise ValueError("give ids or where, one of the two")
        return self


class BulkDone(Answer):
    """What was done, or would be (`dry_run`)."""

    said: str = Field(examples=["2 items marked as done"])
    found: int = Field(description="Items that are there and may be seen.")
    changed: int
    dry_run: bool


@router.post("/items/bulk", responses=problems(404))
def act_on_items(house: Here, visitor: Writer, body: Bulk) -> BulkDone:
    """Label, mark, tag or mute many items at once, 10,000 at most; what is not there or may not be seen is left out."""
    acting.check(body.do, body.tag)
    if body.where is not None and body.do in NO_FILTER:
        raise Refused(422, f"do={body.do}: is done to ids, not to all that a filter finds")
    found = _chosen(house.app, visitor, body)
    if body.dry_run:
        return BulkDone(
            said=f"would {acting.ACTS[body.do]} {len(found):,} items", found=len(found), changed=0, dry_run=True
        )
    outcome = (
        acting.act(house.app, body.do, found, visitor.name, body.tag) if found else Outcome("nothing was found", 0)
    )
    return BulkDone(said=outcome.said, found=len(found), changed=outcome.changed, dry_run=False)


def _chosen(app: App, visitor: Visitor, body: Bulk) -> list[StoredItem]:
    if body.where is None:
        return _seen(app, visitor, body.ids or [])
    wanted = items_of(app, visitor, body.where).wanted
    try:
        count = listing.count_items(hurried(app.database, 5 * COUNTING), wanted, at_most=AT_ONCE + 1)
    except TookTooLong:
        count = AT_ONCE + 1
    if count > AT_ONCE:
        raise Refused(422, f"where: finds more than {AT_ONCE:,} items; narrow it")
    return _seen(app, visitor, [number for chunk in ids_where(app, wanted) for number in chunk])


def _seen(app: App, visitor: Visitor, ids: Sequence[int]) -> list[StoredItem]:
    found: dict[int, StoredItem] = listing.items_by_id(app.database, list(dict.fromkeys(ids)))
    return [one for one in found.values() if visitor.may_see(one.brand)]


# ------------------------------------------------------------------------------------------------ a text of one's own


class TextToExplain(Wish):
    text: Plain = Field(max_length=20_000, examples=["The battery is great, but support was not helpful at all."])
    title: Plain | None = Field(default=None, max_length=1_000, examples=["Two weeks later"])
    brand: Name | None = Field(default=None, description="Whose own words say nothing.", examples=["Larkspur"])


@router.post("/explain", responses=problems(404))
def explain_text(house: Here, visitor: Reader, body: TextToExplain) -> ExplainedOut:
    """Which label a text would get, and why. Nothing is stored, so a token that may read is enough."""
    if body.brand is not None:
        sight.brand(house.app, visitor, body.brand)
    return explained_text(house.app, body.text, body.title, body.brand)
