"""Google Business Profile: the reviews of your own locations on Google Maps and Search, with your answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

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
from connectors.errors import NotThere
from connectors.google_business_parse import Listing, Location, accounts_of, leaf_of_reviews, locations_of, told_apart
from connectors.google_business_wire import Credentials, Wire
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.turns import Book, Refusal, take_turns

REVIEWS_A_PAGE = 50
OVERLAP = timedelta(days=7).total_seconds()
"""Re-read below the watermark: an answer to a review does not change the review's time."""
LOOK_AGAIN = timedelta(days=1)
"""So often the locations are asked for."""


def _number(kind: str, value: object) -> str:
    found = re.fullmatch(rf"(?:.*{kind}/)?([0-9]{{1,30}})", str(value).strip())
    if not found:
        raise ValueError(f"{str(value)[:60]!r} is no number of {kind}; write it as the API does, such as {kind}/123")
    return found[1]


def _account(value: object) -> str:
    return f"accounts/{_number('accounts', value)}"


def _location(value: object) -> str:
    return _number("locations", value)


class GoogleBusinessOptions(Options):
    client_id: str = Field(min_length=1, description="The OAuth client's id, from the Google Cloud console.")
    client_secret: SecretStr = Field(description="The OAuth client's secret, from the Google Cloud console.")
    refresh_token: SecretStr = Field(
        description="What the owner or a manager of the locations granted to that client, with the scope business.manage."
    )
    account: Annotated[str, BeforeValidator(_account)] | None = Field(
        default=None, description="Only this account's locations, by its number; without it those of every account."
    )
    locations: tuple[Annotated[str, BeforeValidator(_location)], ...] = Field(
        default=(), description="Only these locations, by their numbers; without it all of them."
    )


class GoogleBusiness:
    """Leafs through each location's reviews in its turn; the cursor holds the locations and one sweep for each."""

    def __init__(self, options: GoogleBusinessOptions, context: Context) -> None:
        self._options = options
        self._context = context
        credentials = Credentials(options.client_id, options.client_secret, options.refresh_token)
        self._wire = Wire(options.base_url, credentials, context)
        self._known: list[Location] = []
        self._totals: dict[str, Listing] = {}

    def check(self) -> None:
        location = next(iter(self._discovered()))
        self._wire.reviews(location.key, None, 1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        found, locations = self._locations(cursor)
        places = {location.key: location for location in locations}
        book = Book(cursor, list(places))
        if (cursor or {}).get("found") != found:
            yield Page((), {**book.cursor(), "found": found})

        def read(key: str) -> Iterator[Page]:
            return self._pages(places[key], book, since)

        for page in take_turns(book, read, lambda key, refusal: _gap(places[key], book, since, refusal)):
            yield replace(page, cursor={**(page.cursor or {}), "found": found})

    def standing(self) -> Iterator[StandingReading]:
        """Google's own mean and number of ratings, those without text too."""
        for location in self._known or self._discovered():
            total = self._totals.get(location.key) or self._wire.reviews(location.key, None, 1)
            yield StandingReading(location.name, total.mean if total.count else None, total.count, self._context.now())

    def close(self) -> None:
        self._context.http.close()

    def _pages(self, location: Location, book: Book, since: datetime) -> Iterator[Page]:
        sweep = Sweep.from_json(book.state(location.key), since=since.timestamp())
        for leaf, after in leaf_through(sweep, OVERLAP, lambda at, _sweep: self._leaf(location, at)):
            book.note(location.key, after.to_json(), done=after.at is None)
            yield Page(leaf.items, book.cursor(), leaf.skipped)

    def _leaf(self, location: Location, at: Place) -> Leaf:
        listing = self._wire.reviews(location.key, None if at is None else str(at), REVIEWS_A_PAGE)
        self._totals[location.key] = listing
        return leaf_of_reviews(listing, location, at, self._context.now())

    def _locations(self, cursor: Cursor | None) -> tuple[Mapping[str, JsonValue], Sequence[Location]]:
        """The locations that a cursor knows, or asked for anew where that was long ago or the options changed."""
        held = (cursor or {}).get("found")
        state = held if isinstance(held, Mapping) else {}
        entries = state.get("locations")
        listed = entries if isinstance(entries, list) else []
        known = [location for location in map(Location.from_json, listed) if location is not None]
        asked_at, now = state.get("at"), self._context.now().timestamp()
        fresh = isinstance(asked_at, int | float) and now - LOOK_AGAIN.total_seconds() < asked_at <= now
        if not (known and fresh and state.get("wanted") == self._wanted()):
            known = self._discovered()
            state = {"at": now, "wanted": self._wanted(), "locations": [location.to_json() for location in known]}
        self._known = known
        return state, known

    def _wanted(self) -> str:
        return " ".join([self._options.account or "", *self._options.locations])

    def _discovered(self) -> list[Location]:
        """Every location wanted, once; ``NotThere`` if there is none."""
        account = self._options.account
        accounts = [account] if account else [name for page in self._wire.accounts() for name in accounts_of(page)]
        found: dict[str, Location] = {}
        for name in accounts:
            for page in self._wire.locations(name):
                for location in locations_of(page, name):
                    found.setdefault(location.number, location)  # two accounts may manage one location
        wanted = self._options.locations
        missing = [number for number in wanted if number not in found]
        if missing or not found:
            which = f"location {missing[0]}" if missing else "location at all"
            raise NotThere(f"Google Business Profile: this grant shows no {which}; look at account and locations")
        return told_apart([location for number, location in found.items() if not wanted or number in wanted])


def _gap(location: Location, book: Book, since: datetime, refusal: Refusal) -> Gap:
    floor = Sweep.from_json(book.state(location.key), since=since.timestamp()).floor
    return Gap(f"{location.name}: {refusal}", since=from_epoch(min(max(floor, 0), 1e11)))


PLUGIN = Plugin(
    name="google_business",
    title="Google Business Profile (your own locations' reviews)",
    platform="google_business",
    options=GoogleBusinessOptions,
    open=GoogleBusiness,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        ratings=True,
        replies=True,
        standing=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=10),
    ),
    notes="Google's official API for your own locations; Google must approve the project first. Show reviews unaltered, with "
    "their authors' names, and keep them no longer than Google's API policies allow.",
)
