"""The sample data as a source like any other: ten weeks of three made-up brands, shifted once to end today.

The shift is a whole number of days, decided at the first pull and kept in the cursor, as is that pull's own time: what the
story holds for later today is never told, so that a second pull adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import groupby
from typing import Any, Literal

from pydantic import Field

from connectors.contract import (
    Author,
    Capabilities,
    Context,
    Counts,
    Cursor,
    FollowerReading,
    Gap,
    Item,
    Kind,
    Options,
    Page,
    Plugin,
    Rating,
    Reply,
    Scope,
    StandingReading,
)

END = datetime(2026, 1, 1, tzinfo=UTC)
"""The end of the ten weeks in the files' own frame."""

Stream = Literal["reddit", "mastodon", "forum", "news", "appstore", "playstore", "social_own"]


class SampleOptions(Options):
    stream: Stream = Field(description="Which of the made-up sources.")
    subject: str | None = Field(default=None, description="For reviews and own posts: the brand they are about.")


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that became true at a time: an item published, edited, or counted again."""

    at: datetime
    item: Item


class Sample:
    """Replays a stream week by week, each item with every later reading of its counts, as if it had been watched all along."""

    def __init__(self, options: SampleOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._state = _State.of(None, context.now())

    def check(self) -> None:
        """The files are part of the program."""

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        state = self._state = _State.of(cursor, self._context.now())
        events = [event for event in self._events(state.shift) if state.told < event.at <= state.until]
        gaps = [gap for gap in self._gaps(state.shift) if gap.since is not None and gap.since > state.told]
        for week, group in groupby(sorted(events, key=lambda event: event.at), key=_week_of):
            if self._context.stop.is_set():
                return
            told = list(group)
            yield from self._pages(told, state, [gap for gap in gaps if _week(gap.since) <= week])
            gaps = [gap for gap in gaps if _week(gap.since) > week]
            state = state.up_to(told[-1].at)
        if not events:
            yield Page((), state.up_to(state.told).to_json())

    def followers(self) -> Iterator[FollowerReading]:
        for record, at in self._readings("followers"):
            yield FollowerReading(record["account"], record["count"], at)

    def standing(self) -> Iterator[StandingReading]:
        for record, at in self._readings("standing"):
            yield StandingReading(record["place"], record["mean"], record["count"], at, best=record["best"])

    def close(self) -> None:
        """Nothing is held open."""

    def _pages(self, events: Sequence[_Event], state: _State, gaps: Sequence[Gap]) -> Iterator[Page]:
        """A week in one or more pages, each item at most once a page; only the last one moves the cursor."""
        waves: list[dict[str, Item]] = []
        for event in events:
            wave = next((wave for wave in waves if event.item.external_id not in wave), None)
            if wave is None:
                waves.append(wave := {})
            wave[event.item.external_id] = event.item
        for gap in gaps:
            yield Page((), None, gap=gap)
        for number, wave in enumerate(waves, 1):
            last = number == len(waves)
            yield Page(list(wave.values()), state.up_to(events[-1].at).to_json() if last else None)

    def _events(self, shift: timedelta) -> Iterator[_Event]:
        for record in _records(self._options.stream):
            if record.get("brand") in (None, self._options.subject):
                yield from _events(record, shift)

    def _gaps(self, shift: timedelta) -> list[Gap]:
        mine = (record for record in _records("gaps") if record["stream"] == self._options.stream)
        return [Gap(r["reason"], _time(r["start"]) + shift, _time(r["end"]) + shift) for r in mine]

    def _readings(self, name: str) -> Iterator[tuple[Mapping[str, Any], datetime]]:
        for record in _records(name):
            at = _time(record["at"]) + self._state.shift
            mine = record["stream"] == self._options.stream and record["brand"] == self._options.subject
            if mine and at <= self._state.until:
                yield record, at


@dataclass(frozen=True, slots=True)
class _State:
    """How far the story is shifted, up to when it is told at all, and how far it has been told."""

    shift: timedelta
    until: datetime
    told: datetime

    @classmethod
    def of(cls, cursor: Cursor | None, now: datetime) -> _State:
        try:
            days, until, told = (str((cursor or {})[name]) for name in ("shift_days", "until", "told"))
            return cls(timedelta(days=int(days)), _time(until), _time(told))
        except (KeyError, ValueError, OverflowError):  # none yet, or one that nobody can read: from the beginning
            tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            return cls(tomorrow - END, now, datetime.min.replace(tzinfo=UTC))

    def up_to(self, told: datetime) -> _State:
        return _State(self.shift, self.until, told)

    def to_json(self) -> Cursor:
        return {"shift_days": self.shift.days, "until": self.until.isoformat(), "told": self.told.isoformat()}


def _events(record: Mapping[str, Any], shift: timedelta) -> Iterator[_Event]:
    """The item as first published, then as it was at each edit and each reading of its counts."""
    published = _time(record["at"]) + shift
    changes: list[tuple[datetime, Mapping[str, Any]]] = [
        (published + timedelta(hours=age), dict(zip(("likes", "shares", "comments", "views"), counts, strict=True)))
        for age, *counts in record.get("counts", ())
    ]
    for edit in record.get("edits", ()):
        at = _time(edit["at"]) + shift
        changes.append((at, {key: value for key, value in edit.items() if key != "at"} | {"updated": at}))
    if (reply := record.get("reply")) is not None:
        changes.append((_time(reply["at"]) + shift, {"reply": reply}))
    state: dict[str, Any] = {**record, "reply": None}
    if not any(at == published for at, _ in changes):
        yield _Event(published, _item(state, shift, published))
    for at, change in sorted(changes, key=lambda pair: pair[0]):
        state |= change
        yield _Event(at, _item(state, shift, at))


def _item(state: Mapping[str, Any], shift: timedelta, at: datetime) -> Item:
    author, rating, reply = state.get("author"), state.get("rating"), state.get("reply")
    return Item(
        external_id=state["id"],
        kind=Kind(state["kind"]),
        published_at=_time(state["at"]) + shift,
        updated_at=state.get("updated"),
        title=state.get("title"),
        text=state.get("text"),
        url=state.get("url"),
        language=state.get("language"),
        author=Author(author["id"], author.get("name"), author.get("followers")) if author else None,
        rating=Rating(**rating) if rating else None,
        counts=Counts(*(state.get(name) for name in ("likes", "shares", "comments", "views"))),
        reply=Reply(reply["text"], _time(reply["at"]) + shift) if reply else None,
        place=state.get("place"),
        parent_title=state.get("parent_title"),
        attributes=state.get("attributes", {}),
        observed_at=at,
    )


def _week(at: datetime | None) -> tuple[int, int]:
    return (at or END).isocalendar()[:2]


def _week_of(event: _Event) -> tuple[int, int]:
    return _week(event.at)


def _records(name: str) -> Iterator[dict[str, Any]]:
    for line in files(__package__).joinpath(f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


PLUGIN = Plugin(
    name="sample",
    title="Sample data",
    platform="sample",
    options=SampleOptions,
    open=Sample,
    capabilities=Capabilities(
        scope=Scope.SEARCH,
        ratings=True,
        replies=True,
        followers=True,
        standing=True,
        minimum_interval=timedelta(seconds=10),
    ),
    notes="Made-up brands, authors and texts, for a first look and for tests.",
)
