"""PURE  Walking a listing that is read oldest change first, so that a pull cut off anywhere is taken up where it ended.

GitHub lists what changed since a moment, the oldest change first. After each page the walk asks anew from the page's
newest change on, so nothing shifts under it: what changes meanwhile moves to the end and is met there. The page number
only counts where one second holds more than a page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from connectors.contract import JsonValue

OVERLAP = timedelta(hours=1).total_seconds()
"""Re-read below what was reached: the search's index lags behind the site."""
LATEST = 253_000_000_000.0
"""No time is later (the year 9987), in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a listing stands; times are seconds since 1970.

    ``horizon``: what was published before is not wanted; ``reached``: every change up to here was read; ``at`` and
    ``page``: what the sweep under way asks for next (``at`` is ``None`` when none is under way); ``etag``: what the whole
    answer bore when asked for all since ``etag_at``.
    """

    horizon: float
    reached: float
    at: float | None = None
    page: int = 1
    etag: str | None = None
    etag_at: float | None = None

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Forward:
        """The walk that a cursor holds, or a new one from ``since``; a damaged state starts anew, which loses nothing."""
        held = state if isinstance(state, Mapping) else {}
        horizon, reached = _time(held.get("horizon")), _time(held.get("reached"))
        if horizon is None or reached is None:
            return cls(since, since)
        page, etag = held.get("page"), held.get("etag")
        return cls(
            horizon,
            reached,
            _time(held.get("at")),
            page if isinstance(page, int) and not isinstance(page, bool) and page > 0 else 1,
            etag if isinstance(etag, str) else None,
            _time(held.get("etag_at")),
        )

    def to_json(self) -> dict[str, JsonValue]:
        return {key: value for key, value in asdict(self).items() if value is not None}

    def begun(self) -> Forward:
        """The walk with a sweep under way: the one it had, or a new one."""
        return self if self.at is not None else replace(self, at=math.floor(self.reached - OVERLAP), page=1)

    @property
    def validator(self) -> str | None:
        """What makes the next request conditional."""
        return self.etag if self.page == 1 and self.at == self.etag_at else None

    def after(self, newest: float | None, *, more: bool, now: float, etag: str | None = None) -> Forward:
        """The walk after a page whose newest change is ``newest``; its sweep is over unless there is ``more``.

        It is over, too, when the page shows what is older than was asked for, or when the future was asked for, since
        that would go on for ever. A change that lies in the future must not hide what comes until then, hence ``now``.
        """
        at = self.at if self.at is not None else self.reached
        found = at if newest is None else newest
        astray = found < at or at > now
        if not more or astray:
            return self._ended(at, min(max(found, at), now), etag)
        onward = math.floor(min(found, now)) - 1
        return replace(self, at=onward, page=1) if onward > at else replace(self, page=self.page + 1)

    def _ended(self, at: float, reached: float, etag: str | None) -> Forward:
        alone = etag if self.page == 1 else None
        return Forward(self.horizon, max(self.reached, reached), etag=alone, etag_at=at if alone else None)

    def leapt(self, *, readable: bool) -> Forward:
        """The walk beyond a second that holds more than is shown; over where no page is ``readable``."""
        return replace(self, at=(self.at or 0) + 2 if readable else None, page=1)


def _time(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LATEST
    return value if sound else None  # type: ignore[return-value]
