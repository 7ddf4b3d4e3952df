"""Newsrooms with rules: reviews come in while the clock goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from monitor import firing
from storage.people_tables import ARRIVAL, FIRING, NOTICE
from tests.fakes.newsroom import REVIEWS, Newsroom, Open

ANGRY: Mapping[str, Any] = {"name": "angry", "when": "rating <= 2"}


class Rulebook:
    """A newsroom whose first pull is done, an hour ago."""

    def __init__(self, room: Newsroom, *rules: Mapping[str, Any], **tables: Any) -> None:
        self.room = room
        self.reviews: list[tuple[Any, ...]] = [tuple(row) for row in REVIEWS]
        self.write(*rules, **tables)
        self.pull()
        firing.act(room.app)
        room.later(hours=1)

    def write(self, *rules: Mapping[str, Any], **tables: Any) -> None:
        """Begin anew with these rules, as the daemon does."""
        names = [channel["name"] for channel in self.room.data["channels"]]
        self.room.data |= {"rules": [{"channels": names, **rule} for rule in rules], **tables}
        self.room.app = self.room.start()
        firing.begin(self.room.app)

    def pull(self) -> None:
        assert self.room.pull() is None

    def come(self, *reviews: tuple[Any, ...]) -> None:
        """These are published, and pulled."""
        self.reviews += reviews
        self.room.publish(self.reviews)
        self.pull()

    def change(self, name: str, **new: Any) -> None:
        """A minute later a review is edited, and pulled."""
        self.room.later(minutes=1)
        names = ("id", "title", "text", "date", "rating", "author")
        self.reviews = [
            tuple((dict(zip(names, row, strict=True)) | new).values()) if row[0] == name else row
            for row in self.reviews
        ]
        self.room.publish(self.reviews)
        self.pull()

    def act(self) -> int:
        return firing.act(self.room.app)

    @property
    def notices(self) -> list[dict[str, Any]]:
        return self.room.rows(NOTICE)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [notice["body"] for notice in self.notices]

    @property
    def firings(self) -> list[tuple[str, str, int | None]]:
        """(rule, version, notice) of each, by item."""
        c = FIRING.c
        query = select(c.rule, c.version, c.notice_id).order_by(c.item_id, c.rule, c.version)
        return self.room.app.database.read(lambda connection: [tuple(row) for row in connection.execute(query)])

    @property
    def arrivals(self) -> int:
        query = select(ARRIVAL.c.item_id)
        return self.room.app.database.read(lambda connection: len(connection.execute(query).all()))


def review(
    name: str, at: str = "2026-11-20T07:30:00Z", rating: int | None = 1, text: str = "it broke"
) -> tuple[Any, ...]:
    """A review as the newsroom's file has it; by default a bad one, published half an hour ago."""
    return (name, f"Title of {name}", text, at, rating, f"author of {name}")


def ruled(open_: Open, *rules: Mapping[str, Any], channels: tuple[Any, ...] = (), **tables: Any) -> Rulebook:
    return Rulebook(open_(*channels), *(rules or (ANGRY,)), **tables)
