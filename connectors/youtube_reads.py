"""What a YouTube source reads, one request after another: videos, uploads, threads, replies, channels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from connectors.contract import FollowerReading, Item, Page, Refreshed, Skipped
from connectors.errors import Malformed, NotThere, Unavailable
from connectors.leafing import Leaf, Place
from connectors.youtube_memory import Memory
from connectors.youtube_options import YouTubeOptions
from connectors.youtube_parse import (
    COMMENT,
    VIDEO,
    Film,
    film_of,
    hits_of,
    refreshed_of,
    replies_of,
    subscribers_of,
    threads_of,
    videos_named,
    videos_of,
)
from connectors.youtube_wire import Api, Gone

UPLOAD_PAGE, COMMENT_PAGE, IDS_AT_ONCE = 50, 100, 50

Params: TypeAlias = "dict[str, str | int | None]"


class Reader:
    """``films``: what is known of videos; ``missing``: handles that belong to nobody."""

    def __init__(self, options: YouTubeOptions, api: Api, now: Callable[[], datetime]) -> None:
        self._options = options
        self._api = api
        self._now = now
        self.memory = Memory(None)
        self.films: dict[str, Film] = {}
        self.missing: set[str] = set()

    def videos(self, numbers: Sequence[str]) -> tuple[list[Item], list[Skipped]]:
        """Those of the videos that are there, whole and with their counts."""
        items: list[Item] = []
        skipped: list[Skipped] = []
        for some in _batches(numbers):
            entries = self._api.list("videos", {"part": "snippet,statistics", "id": ",".join(some)}).entries
            came, faulty = videos_of(entries, self.own())
            items += came
            skipped += faulty
        self.films.update((item.external_id.removeprefix(VIDEO), film_of(item)) for item in items)
        return items, skipped

    def uploads(self, channel: str, at: Place) -> Leaf:
        """A page of what a channel published, newest first."""
        params: Params = {"part": "snippet,contentDetails", "playlistId": f"UU{channel[2:]}", "maxResults": UPLOAD_PAGE}
        try:
            listing = self._api.list("playlistItems", {**params, "pageToken": at})
        except Gone:
            if at is not None:
                raise
            return Leaf((), (), None, None, None)  # a channel that never published anything has no such list
        hits = hits_of(listing.entries)
        times = [hit.at for hit in hits if hit.at is not None]
        items, skipped = self.videos([hit.id for hit in hits])
        return Leaf(items, skipped, max(times, default=None), times[-1] if times else None, listing.next)

    def threads(self, about: Mapping[str, str], at: Place) -> Leaf:
        """A page of comments, newest thread first; what it lacks of their replies is noted."""
        params: Params = {
            "part": "snippet,replies",
            "order": "time",
            "textFormat": "plainText",
            "maxResults": COMMENT_PAGE,
        }
        listing = self._api.list("commentThreads", {**params, **about, "pageToken": at})
        self._learn_titles(videos_named(listing.entries))
        items, skipped, threads = threads_of(listing.entries, self.films, self.own())
        self.memory.expect_replies(threads)
        times = [thread.at for thread in threads]
        return Leaf(items, skipped, max(times, default=None), times[-1] if times else None, listing.next)

    def _learn_titles(self, numbers: Sequence[str]) -> None:
        """What the commented videos are called; one unit a page at most, so of more than 50 some stay unknown."""
        unknown = [number for number in numbers if number not in self.films][:IDS_AT_ONCE]
        if unknown:
            self.films.update((number, Film(None, None)) for number in unknown)
            self.videos(unknown)

    def replies_to(self, thread: str) -> Iterator[Page]:
        """Replies that were not shown with their thread; how far they are read is kept after every page."""
        params: Params = {"part": "snippet", "parentId": thread, "textFormat": "plainText", "maxResults": COMMENT_PAGE}
        wanted = self.memory.pending[thread]
        self._learn_titles([wanted["video"]] if wanted["video"] else [])
        seen: set[str | None] = set()
        while wanted["token"] not in seen:
            seen.add(wanted["token"])
            try:
                listing = self._api.list("comments", {**params, "pageToken": wanted["token"]})
            except Gone:
                break
            except Malformed:  # the token is too old: read them anew when the thread is seen next
                del self.memory.pending[thread]
                return
            wanted["token"] = listing.next
            items, skipped = replies_of(listing.entries, wanted["video"], self.films, self.own())
            yield Page(items, None, skipped)
        self.memory.replies_read(thread)

    def resolve(self) -> None:
        """Learn the ids behind handles, once."""
        for name in self._options.channels:
            if name.startswith("@") and name not in self.memory.channels and name not in self.missing:
                entries = self._api.list("channels", {"part": "id", "forHandle": name}).entries
                known = next((one.get("id") for one in entries if isinstance(one, Mapping)), None)
                if isinstance(known, str) and re.fullmatch(r"UC[\w-]{1,60}", known, re.ASCII):
                    self.memory.channels[name] = known
                else:
                    self.missing.add(name)

    def channel(self, name: str) -> str:
        if name in self.missing:
            raise self.no_channel(name)
        return self.memory.channels.get(name, name)

    def no_channel(self, name: str) -> NotThere:
        return NotThere(f"YouTube: there is no channel {name}; look at channels")

    def own(self) -> frozenset[str]:
        return frozenset(self.memory.channels.get(name, name) for name in self._options.channels)

    def subscribers(self) -> list[FollowerReading]:
        names = {self.memory.channels.get(name, name): name for name in self._options.channels}
        found = [
            subscribers_of(entry)
            for some in _batches([number for number, name in names.items() if name not in self.missing])
            for entry in self._api.list("channels", {"part": "statistics", "id": ",".join(some)}).entries
        ]
        now = self._now()
        known = {number: count for number, count in filter(None, found) if number in names}
        return [FollowerReading(names[number], count, now) for number, count in known.items()]

    def refreshed(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """Comments that begin a thread are asked for in another place than replies."""
        known = [one for one in dict.fromkeys(ids) if one.startswith((VIDEO, COMMENT))]
        videos = [one.removeprefix(VIDEO) for one in known if one.startswith(VIDEO)]
        comments = [one.removeprefix(COMMENT) for one in known if one.startswith(COMMENT)]
        yield from self._again("videos", "statistics", VIDEO, videos)
        yield from self._again("commentThreads", "snippet", COMMENT, [one for one in comments if "." not in one])
        yield from self._again("comments", "snippet", COMMENT, [one for one in comments if "." in one])

    def _again(self, resource: str, part: str, prefix: str, numbers: Sequence[str]) -> Iterator[Refreshed]:
        for some in _batches(numbers):
            try:
                entries = self._api.list(resource, {"part": part, "id": ",".join(some)}).entries
            except Gone:  # one of them is; which one is not said
                yield from self._singly(resource, part, prefix, some)
            else:
                yield from _found(entries, prefix, some)

    def _singly(self, resource: str, part: str, prefix: str, numbers: Sequence[str]) -> Iterator[Refreshed]:
        for number in numbers:
            try:
                entries = self._api.list(resource, {"part": part, "id": number}).entries
            except Gone:
                entries = ()
            yield from _found(entries, prefix, [number])


def most_units(count: int) -> int:
    """What reading so many ids again may cost at most: where one is gone, every one of them is asked for by itself."""
    return count + count // IDS_AT_ONCE + 3 if count else 0


def _found(entries: Sequence[Any], prefix: str, numbers: Sequence[str]) -> list[Refreshed]:
    try:
        return list(refreshed_of(entries, prefix, numbers))
    except ValueError as error:
        raise Unavailable("YouTube: the answer is damaged; trying again later") from error


def _batches(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), IDS_AT_ONCE):
        yield numbers[start : start + IDS_AT_ONCE]
