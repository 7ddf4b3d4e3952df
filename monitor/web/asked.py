"""What a page is asked for: a brand and a window. Addresses hold both, so that every view can be kept and passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, Request

from monitor.app import App
from monitor.schedule import Window, parse_since, period_so_far, span
from monitor.web.guards import Here, Reader

CHOICES: Final = {"today": "Today", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
USUAL: Final = "30d"
LONGEST: Final = timedelta(days=3_700)
QUARTER: Final = timedelta(minutes=15)
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these lies whatever is stored; what is further away cannot be reckoned with."""


class Unasked(ValueError):
    """What the address asks for makes no sense; says what to write instead."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A brand and a window. ``choice``: one of :data:`CHOICES`, or ``custom``."""

    brand: str
    brands: tuple[str, ...]
    window: Window
    choice: str

    def query(self, **more: object) -> str:
        """The address's query for the same view; ``more`` changes or adds fields, ``None`` leaves one out."""
        fields = {**self.fields, **more}
        return urlencode({key: value for key, value in fields.items() if value is not None})

    @property
    def fields(self) -> dict[str, object]:
        """The brand and the window as an address, or a form, holds them."""
        return {"brand": self.brand, **self._window()}

    def figure(self, path: str, brand: str | None = None) -> str:
        """Where the items behind a figure are shown: ``social.negative`` of this brand over this window."""
        since, until = (instant(at) for at in (self.window.start, self.window.end))
        return "/items?" + urlencode({"figure": path, "brand": brand or self.brand, "since": since, "until": until})

    def _window(self) -> dict[str, object]:
        if self.choice != "custom":
            return {"window": self.choice}
        return {"since": instant(self.window.start), "until": instant(self.window.end)}


def asked(request: Request, house: Here, visitor: Reader) -> Asked:
    """The brand and window of a request. :class:`Unasked` for what cannot be."""
    app = house.app
    brands = tuple(brand.name for brand in app.settings.brands if visitor.may_see(brand.name))
    if not brands:
        raise Unasked("no brand is watched yet; add one to the configuration")
    wanted = request.query_params.get("brand") or brands[0]
    if wanted not in brands:
        raise Unasked(f'no brand "{wanted}"; there are: {", ".join(brands)}')
    window, choice = window_of(app, request)
    return Asked(wanted, brands, window, choice)


InView = Annotated[Asked, Depends(asked)]


def window_of(app: App, request: Request, usual: str = USUAL) -> tuple[Window, str]:
    """The window that a request names, by ``window=30d`` or ``since=...&until=...``, on quarters of an hour."""
    return window_named(app, request.query_params, usual)


def window_named(app: App, given: Mapping[str, str], usual: str = USUAL) -> tuple[Window, str]:
    """The same from the fields of an address."""
    if given.get("since") or given.get("until"):
        return _between(app, given.get("since") or usual, given.get("until") or None), "custom"
    choice = given.get("window") or usual
    if choice not in CHOICES:
        raise Unasked(
            f"window={choice}: not known; there are: {', '.join(CHOICES)}, or since=2026-11-01&until=2026-11-08"
        )
    zone = app.settings.monitor.zone
    if choice == "today":
        today = period_so_far(app.now(), "day", zone)
        return span(today.start, max(_quarter(app.now(), up=True), today.start + QUARTER), zone), choice
    return _between(app, choice, None), choice


def _between(app: App, since: str, until: str | None) -> Window:
    zone, now = app.settings.monitor.zone, app.now()
    try:
        end = _quarter(parse_since(until, now, zone) if until else now, up=True)
        start = _quarter(parse_since(since, end, zone))
    except (ValueError, OverflowError) as error:
        raise Unasked(str(error)) from error
    if start >= end:
        raise Unasked("since is not before until; turn them round")
    if start < EARLIEST or end > LATEST:
        raise Unasked(f"since and until lie between {EARLIEST.year} and {LATEST.year}; write a nearer time")
    if end - start > LONGEST:
        raise Unasked(f"figures reach over {LONGEST.days:,} days at most; begin later")
    return span(start, end, zone)


def _quarter(at: datetime, *, up: bool = False) -> datetime:
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - past + (QUARTER if up and past else timedelta(0))


def instant(at: datetime) -> str:
    """``2026-11-22T08:00:00Z``, as addresses hold it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
