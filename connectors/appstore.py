"""The App Store, by Apple's public feed of customer reviews: any app, per country. No key needed.

Apple shows the latest 500 reviews a country, 50 a page, the last written or edited first. It at times answers with an empty
page where there are reviews; its own number of the last page, a second look at the XML form and the lookup tell the two apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from connectors.appstore_parse import App, Listing, app_of, listing_of_json, listing_of_xml, review_of, skipped
from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    Item,
    JsonValue,
    Options,
    Page,
    Plugin,
    Scope,
    Skipped,
    StandingReading,
    from_epoch,
)
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import Answer

API = "https://itunes.apple.com"
OVERLAP = timedelta(days=3).total_seconds()
"""Re-read below the watermark: a review shows up a while after the time it bears."""
PAGES = 10
REVIEWS_A_PAGE = 50
GIVE_UP_AFTER = 3
"""So many countries unavailable in a row end a pull: the network is down rather than a country."""

_LINK = re.compile(
    r"https?://(?:apps|itunes)\.apple\.com/(?:([a-z]{2})/)?app/(?:[^/?#\s]+/)?id(\d{1,15})\b", re.IGNORECASE
)
_OWN_NAMES = {"uk": "gb", "el": "gr"}


def _app_id(value: object) -> str:
    """The digits of an app's id, of ``id123`` or of a pasted link."""
    given = str(value).strip()
    link = _LINK.match(given)
    digits = link.group(2) if link else given.removeprefix("id")
    if not re.fullmatch(r"[0-9]{1,15}", digits):
        raise ValueError(f"{given[:80]!r} is no app id; take the digits after /id in the app's apps.apple.com link")
    return digits


def _country(value: object) -> str:
    code = str(value).strip().lower()
    if not re.fullmatch(r"[a-z]{2}", code):
        raise ValueError(f"{str(value)[:40]!r} is no country; write two letters, such as us or de")
    if code in _OWN_NAMES:
        raise ValueError(f"{code!r} is no country of the App Store; write {_OWN_NAMES[code]!r}")
    return code


class AppStoreOptions(Options):
    app_id: Annotated[str, BeforeValidator(_app_id)] = Field(
        description="Which app: the digits after /id in its apps.apple.com link, or the whole link."
    )
    countries: tuple[Annotated[str, BeforeValidator(_country)], ...] = Field(
        default=("us",), min_length=1, description="Whose reviews, by two-letter country codes, such as us, gb, de."
    )


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far one country is read; times in seconds since 1970.

    ``floor``: everything up to here was read; ``horizon``: older reviews are not wanted; while a sweep is under way
    ``page`` is the last page it read, ``high`` the newest review when it began, ``xml`` whether only XML tells times;
    ``tried``: when this country was last turned to, and ``failed`` whether in vain.
    """

    floor: float
    horizon: float
    high: float | None = None
    page: int | None = None
    xml: bool = False
    tried: float = 0
    failed: bool = False

    @classmethod
    def from_json(cls, state: object, since: float) -> Sweep:
        """What a cursor holds; a damaged one begins anew, which loses nothing."""
        held = state if isinstance(state, Mapping) else {}
        floor, horizon, tried = (_number(held.get(key)) for key in ("floor", "horizon", "tried"))
        if floor is None or horizon is None:
            return cls(since, since)
        page = held.get("page")
        under_way = page if isinstance(page, int) and 1 <= page <= PAGES else None
        xml, failed = held.get("xml") is True, held.get("failed") is True
        return cls(floor, horizon, _number(held.get("high")), under_way, xml, tried or 0, failed)

    def to_json(self) -> dict[str, JsonValue]:
        return asdict(self)

    @property
    def turn(self) -> tuple[bool, float]:
        """What a budget cut off goes first, or it might be cut off for ever; then who has waited longest."""
        return self.page is None or self.failed, self.tried

    @property
    def has_read(self) -> bool:
        return self.high is not None or self.floor > self.horizon

    def after(self, page: int, read: Reviews) -> Sweep:
        """The sweep after one page; its ``page`` is ``None`` once it has come to its end."""
        high = read.newest if page == 1 and read.newest is not None else self.high
        if not read.is_last(page) and (read.oldest is None or read.oldest >= self.floor - OVERLAP):
            return replace(self, high=high, page=page, xml=read.xml)
        return Sweep(self.floor if high is None else max(self.floor, high), self.horizon, tried=self.tried)

    def anew(self) -> Sweep:
        return Sweep(self.floor, self.horizon, tried=self.tried)


@dataclass(frozen=True, slots=True)
class Reviews:
    """One page as items. ``newest`` and ``oldest`` are the times of its first and last sound review."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    full: bool
    empty: bool
    last: int | None
    xml: bool

    @property
    def newest(self) -> float | None:
        return max((item.published_at.timestamp() for item in self.items), default=None)

    @property
    def oldest(self) -> float | None:
        # The last one, not the least: a single review out of its order must not end a sweep early.
        return self.items[-1].published_at.timestamp() if self.items else None

    def is_last(self, page: int) -> bool:
        return self.empty or page >= min(PAGES, self.last or PAGES)


@dataclass(slots=True)
class _Progress:
    """All countries' sweeps, and the app's name once it is known: what a cursor holds."""

    sweeps: dict[str, Sweep]
    name: str | None

    def to_json(self) -> dict[str, JsonValue]:
        return {"app": self.name, "countries": {country: sweep.to_json() for country, sweep in self.sweeps.items()}}


@dataclass(slots=True)
class _Failures:
    """What went wrong, by country, and how often in a row the platform was not there at all."""

    errors: dict[str, SourceError] = field(default_factory=dict)
    in_a_row: int = 0

    def add(self, country: str, error: SourceError) -> None:
        self.errors[country] = error
        self.in_a_row = self.in_a_row + 1 if isinstance(error, Unavailable) else 0


class AppStore:
    """Reads each country's pages, newest first, down to what is known; the cursor holds one sweep a country."""

    def __init__(self, options: AppStoreOptions, context: Context) -> None:
        self._app_id = options.app_id
        self._countries = list(dict.fromkeys(options.countries))
        self._context = context
        self._base = (options.base_url or API).rstrip("/")
        self._found: dict[str, App | None] = {}

    def check(self) -> None:
        country = next((country for country in self._countries if self._lookup(country)), None)
        if country is None:
            raise self._not_there(self._countries)
        self._listing(country, 1, "json")

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        progress = self._progress(cursor, since)
        failures = _Failures()
        read = 0
        for country in sorted(self._countries, key=lambda one: progress.sweeps[one].turn):
            if failures.in_a_row == GIVE_UP_AFTER:
                failures.errors[country] = Unavailable("not asked any more")
                continue
            try:
                yield from self._country(country, progress)
                read, failures.in_a_row = read + 1, 0
            except SourceError as error:
                failures.add(country, self._bearable(error))
                progress.sweeps[country] = replace(progress.sweeps[country], failed=True)
        yield from self._verdict(failures, progress, read)

    def standing(self) -> Iterator[StandingReading]:
        """The stars as Apple counts them, one reading a country that has the app."""
        failed: SourceError | None = None
        told = 0
        for country in self._countries:
            try:
                app = self._lookup(country)
            except SourceError as error:
                failed = self._bearable(error)
                continue
            if app is not None:
                told += 1
                place = f"Apple App Store ({country.upper()})"
                yield StandingReading(place, app.mean, app.count, self._context.now())
        if not told:
            raise failed or self._not_there(self._countries)

    def close(self) -> None:
        self._context.http.close()

    def _progress(self, cursor: Cursor | None, since: datetime) -> _Progress:
        held, name = (cursor or {}).get("countries"), (cursor or {}).get("app")
        states = held if isinstance(held, Mapping) else {}
        sweeps = {country: Sweep.from_json(states.get(country), since.timestamp()) for country in self._countries}
        return _Progress(sweeps, name if isinstance(name, str) else self._name())

    def _name(self) -> str | None:
        """The app's name, for the reader's comfort only: without an answer it goes without."""
        try:
            app = self._lookup(self._countries[0])
        except SourceError as error:
            self._bearable(error)
            return None
        return app.name if app else None

    def _country(self, country: str, progress: _Progress) -> Iterator[Page]:
        """The sweep under way to its end, then a new one from the top."""
        sweep = replace(progress.sweeps[country], tried=self._context.now().timestamp(), failed=False)
        progress.sweeps[country] = sweep
        if sweep.page is not None and sweep.page > 1:
            yield from self._sweep(country, progress, first=sweep.page)
        progress.sweeps[country] = progress.sweeps[country].anew()
        yield from self._sweep(country, progress, first=1)

    def _sweep(self, country: str, progress: _Progress, first: int) -> Iterator[Page]:
        last: int | None = None
        for number in range(first, PAGES + 1):
            before = progress.sweeps[country]
            read = self._reviews(country, number, before, progress.name)
            if read.empty and not self._is_the_end(country, number, first, before, read.last, last):
                return
            last = read.last or last
            progress.sweeps[country] = before.after(number, read)
            wanted = [item for item in read.items if item.published_at.timestamp() >= before.horizon]
            yield Page(wanted, progress.to_json(), read.skipped, _ceiling(country, number, before, read))
            if progress.sweeps[country].page is None:
                return

    def _is_the_end(
        self, country: str, number: int, first: int, sweep: Sweep, last: int | None, last_before: int | None
    ) -> bool:
        """Does this empty page end the listing? ``False``: begin again from the top; ``Unavailable``: Apple hides reviews."""
        if number == 1 and self._lookup(country) is None:
            raise self._not_there([country])
        if number > 1 and number == first:
            return False  # what was read here before is gone or hidden; from the top nothing is missed
        stated = last or last_before or 1
        if (number == 1 and (stated > 1 or sweep.has_read)) or (number > 1 and number <= stated):
            raise Unavailable(f"App Store ({country.upper()}): an empty page before the last; trying again later")
        return True

    def _reviews(self, country: str, number: int, sweep: Sweep, name: str | None) -> Reviews:
        """One page: in JSON, or in XML where the JSON tells no times or nothing at all."""
        xml = sweep.xml
        listing = self._listing(country, number, "xml" if xml else "json")
        if not xml and not (listing.entries and listing.dated):
            other = self._listing(country, number, "xml")
            xml = bool(listing.entries)
            if listing.entries and not other.entries:
                raise Unavailable(f"App Store ({country.upper()}): reviews without their times; trying again later")
            listing = other if other.entries else listing
        return _reviews_of(listing, country, name, xml=xml)

    def _listing(self, country: str, number: int, form: str) -> Listing:
        path = f"{country}/rss/customerreviews/page={number}/id={self._app_id}/sortby=mostrecent/{form}"
        answer = self._get(f"{self._base}/{path}")
        return listing_of_xml(answer.body) if form == "xml" else listing_of_json(answer.json())

    def _lookup(self, country: str) -> App | None:
        if country not in self._found:
            answer = self._get(f"{self._base}/lookup", {"id": self._app_id, "country": country})
            self._found[country] = app_of(answer.json())
        return self._found[country]

    def _get(self, url: str, params: Mapping[str, str | int] | None = None) -> Answer:
        try:
            return self._context.http.get(url, params)
        except AccessDenied as error:
            # There are no credentials that anyone could mend: Apple turns away who asks too much, for a while.
            raise Unavailable("App Store: refused, as after asking too often; trying again later") from error

    def _bearable(self, error: SourceError) -> SourceError:
        """The error, unless all else must wait because of it: then it is raised."""
        if isinstance(error, RateLimited) or self._context.stop.is_set():
            raise error
        return error

    def _verdict(self, failures: _Failures, progress: _Progress, read: int) -> Iterator[Page]:
        """A gap that names the countries that could not be read; their fate, if no country could."""
        if not failures.errors:
            return
        countries = ", ".join(sorted(country.upper() for country in failures.errors))
        first = next(iter(failures.errors.values()))
        if not read:
            yield Page((), progress.to_json())
            raise first
        since = from_epoch(min(progress.sweeps[country].floor for country in failures.errors))
        yield Page((), progress.to_json(), gap=Gap(f"{first}; not read: {countries}", since))

    def _not_there(self, countries: Sequence[str]) -> NotThere:
        where = ", ".join(country.upper() for country in countries)
        return NotThere(f"App Store ({where}): no app {self._app_id} there; look at app_id and countries")


def _reviews_of(listing: Listing, country: str, name: str | None, *, xml: bool) -> Reviews:
    items: dict[str, Item] = {}
    damaged: list[Skipped] = []
    for entry in listing.entries:
        try:
            item = review_of(entry, country, name)
        except ValueError as error:
            damaged.append(skipped(entry, str(error)))
        else:
            items.setdefault(item.external_id, item)
    count = len(listing.entries)
    return Reviews(list(items.values()), damaged, count >= REVIEWS_A_PAGE, count == 0, listing.last, xml)


def _ceiling(country: str, number: int, before: Sweep, read: Reviews) -> Gap | None:
    """The gap between the last review that Apple shows and what was read before, if there may be one."""
    if number < PAGES or not read.full or read.oldest is None or read.oldest <= before.floor:
        return None
    reason = f"Apple shows only the latest {PAGES * REVIEWS_A_PAGE} reviews a country ({country.upper()})"
    return Gap(reason, from_epoch(before.floor), from_epoch(read.oldest))


def _number(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if sound else None  # type: ignore[return-value]


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    found = _LINK.match(link.strip())
    if found is None:
        return None
    country = (found.group(1) or "us").lower()
    return {"app_id": found.group(2), "countries": [country]}


PLUGIN = Plugin(
    name="appstore",
    title="App Store reviews",
    platform="appstore",
    options=AppStoreOptions,
    open=AppStore,
    capabilities=Capabilities(scope=Scope.SUBJECT, ratings=True, standing=True, minimum_interval=timedelta(minutes=30)),
    recognise=_recognise,
    tried="recorded",
    notes="Apple's public but undocumented feed: the latest 500 reviews a country, no promise that it stays.",
)
