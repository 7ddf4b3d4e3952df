"""Authors and sites whose items do not count; and what other words of a brand would come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field, model_validator

from monitor import figures as f
from monitor import keyword_trials, marking
from monitor.app import App
from monitor.digest import escape
from monitor.keyword_trials import Trial, would_catch
from monitor.query import QueryError
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import Answer, Plain, Wish, api, problems
from monitor.web.guards import Here, Reader, Writer
from monitor.web.params import Name
from monitor.web.problems import Refused, not_found
from storage import authors, listing, mutes
from storage.reasons import Mute, host_of, site_name
from storage.records import ItemFilter

router = api("trust")
SECONDS: Final = 10.0
"""For trying words; what could be looked at until then is said."""
Words = Annotated[list[Annotated[Plain, Field(min_length=1, max_length=200)]], Field(max_length=200)]


class MuteOut(Answer):
    """Either of an author or of a site, for one brand or for all."""

    shown: str = Field(description="For people.")
    brand: str | None = Field(description="Null: for all brands.")
    author_id: str | None
    site: str | None = Field(description="A host, which stands for its subdomains, too.")
    by: str | None
    at: datetime | None


class Mutes(Answer):
    mutes: Sequence[MuteOut]


class MuteWish(Wish):
    """Whom to mute: an author or a site, for one brand or (without) for all."""

    brand: Name | None = Field(default=None, description="For this brand; for all without it.", examples=["Larkspur"])
    author_id: str | None = Field(
        default=None, pattern=r"^[1-9][0-9]{0,18}$", description="An author's number.", examples=["1234"]
    )
    site: Plain | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="A host, or an address on it.",
        examples=["spam.example"],
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> MuteWish:
        if (self.author_id is None) == (self.site is None):
            raise ValueError("give author_id or site, one of the two")
        return self


class MuteDone(Answer):
    fresh: bool = Field(description="It was not so before.")
    items: int = Field(description="Stored items that it is about.")
    changed: int = Field(description="Of these, those that count otherwise now.")


@router.get("/mutes")
def list_mutes(house: Here, visitor: Reader) -> Mutes:
    """Every mute, in the order in which they were set."""
    names = {one.id: one.name for one in house.app.brands.values()}
    known = [(one, names.get(one.brand_id or 0)) for one in mutes.listed(house.app.database)]
    return Mutes(mutes=[_out(one, brand) for one, brand in known if _is_seen(visitor, one, brand)])


def _is_seen(visitor: Visitor, one: Mute, brand: str | None) -> bool:
    return visitor.brands is None or one.brand_id is None or (brand is not None and visitor.may_see(brand))


def _out(one: Mute, brand: str | None) -> MuteOut:
    author = None if one.author_id is None else str(one.author_id)
    return MuteOut(shown=one.shown, brand=brand, author_id=author, site=one.site, by=one.by, at=one.at)


@router.post("/mutes", responses=problems(404))
def mute(house: Here, visitor: Writer, body: MuteWish) -> MuteDone:
    """Let an author's or a site's items count no more: those to come, and those stored."""
    return MuteDone.model_validate(marking.mute(house.app, _mute(house.app, visitor, body)))


@router.delete("/mutes", responses=problems(404))
def unmute(house: Here, visitor: Writer, asked: Annotated[MuteWish, Query()]) -> MuteDone:
    """Let them count again, as far as nothing else speaks against it."""
    return MuteDone.model_validate(marking.unmute(house.app, _mute(house.app, visitor, asked)))


def _mute(app: App, visitor: Visitor, wish: MuteWish) -> Mute:
    if wish.brand is None:
        sight.whole_store(visitor)
    brand_id = None if wish.brand is None else app.brands[sight.brand(app, visitor, wish.brand)].id
    if wish.author_id is not None:
        number = int(wish.author_id)
        return Mute(_author(app, visitor, number), brand_id, author_id=number, by=visitor.name)
    site = host_of(wish.site) or site_name((wish.site or "").partition("/")[0])
    if site is None or any(mark.isspace() for mark in site):
        raise Refused(422, "site: names no host; write for example spam.example")
    return Mute(site, brand_id, site=site, by=visitor.name)


def _author(app: App, visitor: Visitor, number: int) -> str:
    """What an author is shown as, if somebody may see anything of them."""
    found = authors.profile(app.database, number) if number < 2**63 else None
    wanted = ItemFilter(brands=sight.brands(app, visitor) or [""], author_id=number, uncounted="all")
    if found is None or (visitor.brands is not None and not listing.items(app.database, wanted, limit=1)):
        raise not_found(f"there is no author {number}")
    return f"{escape.name(found.name or found.external_id)} ({found.platform})"


# ----------------------------------------------------------------------------------------------------- keywords


class KeywordTrial(Wish):
    """Another state of a brand's words; null leaves a list or the query as it is."""

    brand: Name = Field(examples=["Larkspur"])
    exclude: Words = Field(default_factory=list, description="Exclusions more.", examples=[["giveaway"]])
    keep: Words = Field(default_factory=list, description="Exclusions fewer.", examples=[[]])
    keywords: Words | None = Field(default=None, examples=[["larkspur"]])
    required: Words | None = Field(default=None, examples=[["app"]])
    query: Plain | None = Field(default=None, min_length=1, max_length=5_000, examples=["larkspur NOT garden"])


class ExtentOut(Answer):
    """How far the look came."""

    looked_at: int
    stored: int
    since: datetime | None
    complete: bool


class TrialScores(Answer):
    social: f.Sentiment
    reviews: f.Sentiment


class CaughtExample(Answer):
    id: int
    title: str | None
    text: str | None
    label: str | None
    source: str
    by: str | None = Field(description="The exclusion that catches it.")
    doubt: str | None = Field(description="Why that may be wrong.")


class TriedKeywords(Answer):
    """What the change would come to, over the items that were looked at."""

    brand: str
    extent: ExtentOut
    counting: int
    would_count: int
    excluded: int = Field(description="Items that count now and would not.")
    back: int = Field(description="The other way round.")
    marked: int = Field(description="Items that people called not about the brand, and that would be caught.")
    pending: int = Field(
        description="Items that would change without this, too: the present words were not applied yet."
    )
    by_word: Mapping[str, int]
    by_source: Mapping[str, int]
    by_label: Mapping[str, int]
    before: TrialScores
    after: TrialScores
    examples: Sequence[CaughtExample]


@router.post("/keywords/try", responses=problems(404))
def try_keywords(house: Here, visitor: Reader, body: KeywordTrial) -> TriedKeywords:
    """What other words would do to the stored items; nothing changes, so a token that may read is enough."""
    brand = sight.brand(house.app, visitor, body.brand)
    change = keyword_trials.Change(**_words(body))
    try:
        return _tried(would_catch(house.app, brand, change, seconds=SECONDS))
    except QueryError as error:
        raise Refused(422, f"{error.message}: {error.query[:200]}") from error
    except ValueError as error:
        raise Refused(422, str(error)) from error


def _words(body: KeywordTrial) -> dict[str, Any]:
    return body.model_dump(exclude={"brand"})


def _tried(found: Trial) -> TriedKeywords:
    return TriedKeywords.model_validate(found)
