"""Trustpilot, by its public Business Units API: a company's reviews, replies and TrustScore. Needs an API key, which costs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    JsonValue,
    Options,
    Page,
    Plugin,
    Scope,
    StandingReading,
    from_epoch,
)
from connectors.entries import leaf_of
from connectors.errors import NotThere
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.numbered import SamePage
from connectors.trustpilot_parse import Listing, Unit, listing_of, review_of, unit_of

API = "https://api.trustpilot.com"
OVERLAP = timedelta(days=1).total_seconds()
"""Re-read below the watermark: reviews are held back and shown later under their time, and replies come after them."""
REVIEWS_A_PAGE = 100

_ID = re.compile(r"[0-9a-f]{24}")
_DOMAIN = re.compile(r"(?=.{4,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z]{2,3}\.|www\.)?trustpilot\.com", re.IGNORECASE)


def _business_unit(value: object) -> str:
    given = str(value).strip()
    name = (_linked(given) or given).lower()
    if not _ID.fullmatch(name) and not _DOMAIN.fullmatch(name):
        raise ValueError(f'{given[:80]!r} is no company; write its domain on Trustpilot, such as "www.example.com"')
    return name


def _linked(link: str) -> str | None:
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or ""):
        return None
    found = re.fullmatch(r"/review/([^/]+)/?", unquote(parts.path))
    return found[1] if found else None


class TrustpilotOptions(Options):
    business_unit: Annotated[str, BeforeValidator(_business_unit)] = Field(
        description="Which company: its domain as Trustpilot has it, its page there, or the id of its business unit."
    )
    api_key: SecretStr = Field(description="The API key (called API key or client id) of your Trustpilot application.")


class Trustpilot:
    """Leafs through the reviews down to what is known; the cursor holds one sweep and the company's id."""

    def __init__(self, options: TrustpilotOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or API).rstrip("/")
        self._id = options.business_unit if _ID.fullmatch(options.business_unit) else None

    def check(self) -> None:
        self._listing(1, 1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        held = cursor or {}
        sweep = Sweep.from_json(held.get("sweep"), since=since.timestamp())
        self._remember(held.get("unit"))
        pages = SamePage()
        for leaf, after in leaf_through(sweep, OVERLAP, lambda at, _: self._leaf(at, pages)):
            unit = {self._options.business_unit: self._unit_id()}
            yield Page(leaf.items, {"sweep": after.to_json(), "unit": unit}, leaf.skipped, _gap(leaf, after))

    def standing(self) -> Iterator[StandingReading]:
        """The TrustScore and the number of reviews, as Trustpilot shows them."""
        unit = unit_of(self._get(f"v1/business-units/{self._unit_id()}"))
        place = f"Trustpilot: {unit.name}" if unit.name else "Trustpilot"
        yield StandingReading(place, unit.mean, unit.count, self._context.now())

    def close(self) -> None:
        self._context.http.close()

    def _leaf(self, at: Place, pages: SamePage) -> Leaf:
        number = at if isinstance(at, int) else 1
        listing = self._listing(number, REVIEWS_A_PAGE)
        following = number + 1 if listing.more else None
        return pages.ended(
            leaf_of(listing.reviews, review_of, id_key="id", following=following, now=self._context.now())
        )

    def _listing(self, number: int, count: int) -> Listing:
        asked: dict[str, str | int] = {"perPage": count, "page": number, "orderBy": "createdat.desc"}
        return listing_of(self._get(f"v1/business-units/{self._unit_id()}/reviews", asked), count)

    def _remember(self, held: JsonValue) -> None:
        """The id found by an earlier pull, if it was looked for by the same domain."""
        known = held.get(self._options.business_unit) if isinstance(held, Mapping) else None
        if self._id is None and isinstance(known, str) and _ID.fullmatch(known):
            self._id = known

    def _unit_id(self) -> str:
        if self._id is None:
            self._id = self._found().id
        return self._id

    def _found(self) -> Unit:
        domain = self._options.business_unit
        try:
            unit = unit_of(self._get("v1/business-units/find", {"name": domain}))
        except NotThere as error:
            raise NotThere(f"Trustpilot: no company {domain} there; look at business_unit") from error
        return unit

    def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> object:
        headers = {"apikey": self._options.api_key.get_secret_value()}
        return self._context.http.get(f"{self._base}/{path}", params, headers=headers).json()


def _gap(leaf: Leaf, sweep: Sweep) -> Gap | None:
    if not leaf.cut:
        return None
    until = None if leaf.last is None else from_epoch(leaf.last)
    return Gap("Trustpilot shows the same page again and again", from_epoch(sweep.floor), until)


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    name = _linked(link.strip())
    return {"business_unit": name.lower()} if name and _DOMAIN.fullmatch(name) else None


PLUGIN = Plugin(
    name="trustpilot",
    title="Trustpilot",
    platform="trustpilot",
    options=TrustpilotOptions,
    open=Trustpilot,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        ratings=True,
        replies=True,
        standing=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=10),
    ),
    recognise=_recognise,
    notes="Trustpilot's API is a paid module; 833 requests in five minutes. Name Trustpilot beside its scores and quotes.",
)
