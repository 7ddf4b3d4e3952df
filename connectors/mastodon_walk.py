"""PURE  Walking Mastodon's timelines forward by id.

Ids of Mastodon hold the time: milliseconds since 1970, then 16 bits that tell apart what happened within one. What comes late
from another server gets an id of the time when it was written, below the newest one; hence the overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.contract import JsonValue, from_epoch
from connectors.mastodon_options import Place, What
from connectors.walk import Walk

OVERLAP = timedelta(hours=3).total_seconds()
"""Re-read below the newest: servers that were down or slow hand on what was written meanwhile."""

LATEST = 1e11
"""Seconds: no time lies beyond."""


def id_at(seconds: float) -> int:
    """The smallest id that something written at this time (seconds since 1970) can have."""
    return max(0, int(seconds * 1000)) << 16


@dataclass(frozen=True, slots=True)
class Forward:
    """How far a timeline has been read. ``resting``: to its end, so that the next pull begins an overlap below ``at``."""

    at: int
    resting: bool = False

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Forward:
        """The walk that a cursor holds, or a new one from ``since``; a damaged state starts anew, which loses nothing."""
        at = state.get("at") if isinstance(state, Mapping) else None
        if isinstance(at, bool) or not isinstance(at, int) or at < 0:
            return cls(id_at(since))
        return cls(at, isinstance(state, Mapping) and state.get("resting") is True)

    def to_json(self) -> dict[str, JsonValue]:
        return {"at": self.at, "resting": self.resting}

    @property
    def start(self) -> int:
        """The id above which to read first."""
        return max(0, self.at - id_at(OVERLAP)) if self.resting else self.at

    def rested(self, position: int, now: float) -> Forward:
        """The walk after the end was reached. An id that lies in the future must not hide what comes until then."""
        return Forward(min(max(self.at, position), id_at(now)), resting=True)


def read_to(place: Place, state: object, *, since: datetime) -> datetime:
    """Up to when this place has been read by the state in its cursor; a new one to ``since``."""
    if place.what is What.SEARCH:
        return from_epoch(min(max(Walk.from_json(state, since=since.timestamp()).floor, 0), LATEST))
    at = Forward.from_json(state, since=since.timestamp()).at
    return from_epoch(min((at >> 16) / 1000, LATEST))
