"""PURE  What a YouTube source remembers between pulls, beside where each listing stands: all of it survives JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contract import Cursor, Item, JsonValue
from connectors.youtube_parse import VIDEO, Film, Thread, is_id

FOUND_AT_MOST = 200
"""So many videos that a search found, the newest, have their comments followed."""
REPLIES_AT_MOST = 3_000
TITLE_AT_MOST = 200


class Memory:
    """``channels``: the ids behind handles; ``replies``: how many each lately seen thread had when they were read;
    ``pending``: threads whose replies are still to be read; ``found``: videos whose comments are followed.
    """

    def __init__(self, cursor: Cursor | None) -> None:
        held = cursor or {}
        self.channels = {name: str(known) for name, known in _held(held, "channels") if is_id(known)}
        self.replies = {name: count for name, count in _held(held, "replies") if _whole(count)}
        self.pending: dict[str, Any] = {
            name: {"video": one.get("video"), "count": one["count"], "token": one.get("token")}
            for name, one in _held(held, "pending")
            if _is_pending(one)
        }
        self.found: dict[str, Any] = {name: dict(one) for name, one in _held(held, "found") if isinstance(one, Mapping)}
        self.subscribers_at = _moment(held.get("subscribers_at"))

    def to_json(self) -> Mapping[str, JsonValue]:
        return {
            "channels": dict(self.channels),
            "replies": dict(self.replies),
            "pending": dict(self.pending),
            "found": dict(self.found),
            "subscribers_at": self.subscribers_at,
        }

    def expect_replies(self, threads: Sequence[Thread]) -> None:
        """Note which threads have more replies than were shown, or than when they were read last."""
        for thread in threads:
            if thread.lacks_replies and self.replies.get(thread.id) != thread.replies:
                self.pending[thread.id] = {"video": thread.video, "count": thread.replies, "token": None}

    def replies_read(self, thread: str) -> None:
        """All of them are read; the thread that was noted longest ago is forgotten when there are too many."""
        count = self.pending.pop(thread)["count"]
        self.replies.pop(thread, None)
        self.replies[thread] = count
        while len(self.replies) > REPLIES_AT_MOST:
            self.replies.pop(next(iter(self.replies)))

    def follow(self, items: Sequence[Item]) -> None:
        """Follow the comments on these videos, and forget the oldest when there are too many."""
        for item in items:
            film = {"title": (item.title or "")[:TITLE_AT_MOST] or None, "channel": item.place}
            number = item.external_id.removeprefix(VIDEO)
            self.found[number] = {"sweep": None, "asked": None, **self.found.get(number, {}), **film}
            self.found[number]["at"] = item.published_at.timestamp()
        newest = sorted(self.found, key=lambda number: _moment(self.found[number].get("at")) or 0, reverse=True)
        self.found = {number: self.found[number] for number in newest[:FOUND_AT_MOST]}

    def due(self, before: float) -> list[str]:
        """The followed videos not asked about since ``before``: one that was cut off first, then who waited longest."""
        asked = {number: _moment(one.get("asked")) or 0.0 for number, one in self.found.items()}
        waiting = [number for number in self.found if asked[number] <= before]
        return sorted(waiting, key=lambda number: asked[number])

    def film(self, number: str) -> Film:
        one = self.found.get(number, {})
        title, channel = one.get("title"), one.get("channel")
        return Film(title if isinstance(title, str) else None, channel if isinstance(channel, str) else None)


def _held(cursor: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    value = cursor.get(name)
    return [(str(key), one) for key, one in value.items()] if isinstance(value, Mapping) else []


def _is_pending(one: object) -> bool:
    if not isinstance(one, Mapping) or not _whole(one.get("count")):
        return False
    return all(one.get(name) is None or isinstance(one.get(name), str) for name in ("video", "token"))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _moment(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e11
    return float(value) if sound else None  # type: ignore[arg-type]
