"""A fake of the YouTube Data API that counts the units it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.testing import FakePlatform, Reply, Request, Seed

KEY = "AIza-a-secret-key"
OWN = "UCaaaaaaaaaaaaaaaaaaaaaa"
ANOTHER = "UCbbbbbbbbbbbbbbbbbbbbbb"
FILM = "film0000001"
UNITS = {"search": 100}


class FakeYouTube(FakePlatform):
    """Every seed is a video that a search finds. ``units`` is what was spent; ``refuse`` maps a resource to a reason.

    ``threads``: per video how many replies each comment's thread has beside those shown; ``gone``: ids that do not exist.
    """

    own_seeds = False

    def __init__(self) -> None:
        super().__init__()
        self.units = 0
        self.refuse: dict[str, tuple[int, str]] = {}
        self.gone: set[str] = set()
        self.replies = 0
        self.subscribers: str | None = "1200"
        self.comments: list[Seed] = []

    def options(self) -> Mapping[str, Any]:
        return {"api_key": KEY, "search_hours": 0, "daily_units": 1_000_000}

    def secrets(self) -> tuple[str, ...]:
        return (KEY,)

    def external_id(self, seed: Seed) -> str:
        return f"video:{number(seed)}"

    def take_down(self, seed: Seed) -> None:
        self.gone.add(self.external_id(seed).partition(":")[2])

    def respond(self, request: Request) -> Reply:
        resource = request.path.strip("/")
        self.units += UNITS.get(resource, 1)
        if request.headers.get("x-goog-api-key") != KEY:
            return refusal(403, "dailyLimitExceededUnreg")
        if resource in self.refuse:
            return refusal(*self.refuse[resource])
        answer = getattr(self, f"_{resource}", None)
        return answer(request.query) if answer else refusal(404, "unknownPath")

    def _i18nLanguages(self, _: Mapping[str, str]) -> Reply:
        return listing("i18nLanguageList", [])

    def _search(self, query: Mapping[str, str]) -> Reply:
        low, high = moment(query.get("publishedAfter")), moment(query.get("publishedBefore"))
        found = [seed for seed in self.newest_first() if (not low or seed.at >= low) and (not high or seed.at <= high)]
        entries = [
            {
                "kind": "youtube#searchResult",
                "id": {"kind": "youtube#video", "videoId": number(seed)},
                "snippet": {"publishedAt": said(seed.at), "title": "Cut &#39;off"},
            }
            for seed in found[:500]
        ]
        return self._paged("searchList", entries, query)

    def _videos(self, query: Mapping[str, str]) -> Reply:
        by_id = {number(seed): seed for seed in self.seeds}
        asked = [one for one in query["id"].split(",") if one not in self.gone]
        assert len(asked) <= 50
        films = [
            self._video(by_id[one]) if one in by_id else film(one) for one in asked if one in by_id or one[:4] == "film"
        ]
        return listing("videoList", films)

    def _commentThreads(self, query: Mapping[str, str]) -> Reply:
        if "id" in query:
            known = {comment_id(seed): seed for seed in self._commented()}
            wanted = [known[one] for one in query["id"].split(",") if one in known and one not in self.gone]
            return listing("commentThreadList", [self._thread(seed) for seed in wanted])
        if query.get("videoId") in self.gone:
            return refusal(404, "videoNotFound")
        newest = sorted(self._commented(), key=lambda seed: (seed.at, seed.number), reverse=True)
        return self._paged("commentThreadList", [self._thread(seed) for seed in newest], query)

    def _commented(self) -> Sequence[Seed]:
        return self.comments

    def _thread(self, seed: Seed) -> dict[str, Any]:
        top = self._comment(seed, comment_id(seed))
        shown = [self._comment(seed, f"{comment_id(seed)}.r{n}") for n in range(min(self.replies, 2))]
        return {
            "kind": "youtube#commentThread",
            "id": comment_id(seed),
            "snippet": {"videoId": FILM, "topLevelComment": top, "totalReplyCount": self.replies},
            **({"replies": {"comments": shown}} if shown else {}),
        }

    def _comments(self, query: Mapping[str, str]) -> Reply:
        known = {comment_id(seed): seed for seed in self._commented()}
        if "id" in query:
            asked = [one for one in query["id"].split(",") if one not in self.gone and one.split(".")[0] in known]
            return listing("commentList", [self._comment(known[one.split(".")[0]], one) for one in asked])
        if query["parentId"] not in known:
            return refusal(404, "commentNotFound")
        seed = known[query["parentId"]]
        entries = [self._comment(seed, f"{comment_id(seed)}.r{n}") for n in range(self.replies)]
        return self._paged("commentList", entries, query)

    def _video(self, seed: Seed, channel: str = ANOTHER) -> dict[str, Any]:
        told = video(seed, channel)
        told["statistics"]["likeCount"] = str(3 + self.more_likes[seed.number])
        return told

    def _comment(self, seed: Seed, identity: str) -> dict[str, Any]:
        told = comment(seed, identity)
        told["snippet"]["likeCount"] += self.more_likes[seed.number]
        return told

    def _playlistItems(self, query: Mapping[str, str]) -> Reply:
        return refusal(404, "playlistNotFound")

    def _channels(self, query: Mapping[str, str]) -> Reply:
        if query.get("forHandle", "@acme") != "@acme" or query.get("id", OWN) != OWN:
            return Reply.of_json({"kind": "youtube#channelListResponse"})
        counted = {"hiddenSubscriberCount": True} if self.subscribers is None else {"subscriberCount": self.subscribers}
        return listing("channelList", [{"kind": "youtube#channel", "id": OWN, "statistics": counted}])

    def _paged(self, kind: str, entries: Sequence[Any], query: Mapping[str, str]) -> Reply:
        size, start = int(query["maxResults"]), int(query.get("pageToken", "t0")[1:])
        end = start if self.repeat_last_page and start else start + size
        more = {"nextPageToken": f"t{end}"} if end < len(entries) else {}
        return Reply.of_json({"kind": f"youtube#{kind}Response", "items": entries[start : start + size], **more})


class FakeChannel(FakeYouTube):
    """Every seed is a comment on the own channel's film."""

    def options(self) -> Mapping[str, Any]:
        return {"api_key": KEY, "channels": [OWN], "daily_units": 1_000_000}

    def external_id(self, seed: Seed) -> str:
        return f"comment:{comment_id(seed)}"

    def _commented(self) -> Sequence[Seed]:
        return self.seeds


class FakeUploads(FakeYouTube):
    """Every seed is a video that the own channel published."""

    own_seeds = True

    def options(self) -> Mapping[str, Any]:
        return {"api_key": KEY, "channels": [OWN], "comments": False, "daily_units": 1_000_000}

    def _playlistItems(self, query: Mapping[str, str]) -> Reply:
        assert query["playlistId"] == f"UU{OWN[2:]}"
        entries = [
            {"snippet": {}, "contentDetails": {"videoId": number(seed), "videoPublishedAt": said(seed.at)}}
            for seed in self.newest_first()
        ]
        return self._paged("playlistItemList", entries, query)

    def _videos(self, query: Mapping[str, str]) -> Reply:
        by_id = {number(seed): seed for seed in self.seeds}
        there = [one for one in query["id"].split(",") if one in by_id and one not in self.gone]
        return listing("videoList", [self._video(by_id[one], OWN) for one in there])


def number(seed: Seed) -> str:
    return f"v{seed.number:010d}"


def comment_id(seed: Seed) -> str:
    return f"Ugx{seed.number:08d}"


def said(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def video(seed: Seed, channel: str = ANOTHER) -> dict[str, Any]:
    snippet = {
        "publishedAt": "yesterday" if seed.damaged else said(seed.at),
        "channelId": channel,
        "channelTitle": "Someone",
        "title": "A film",
        "description": seed.text,
        "defaultAudioLanguage": "en",
    }
    statistics = {"viewCount": "12", "likeCount": "3", "commentCount": "2"}
    return {"kind": "youtube#video", "id": number(seed), "snippet": snippet, "statistics": statistics}


def film(identity: str) -> dict[str, Any]:
    snippet = {
        "publishedAt": "2026-10-20T10:00:00Z",
        "channelId": OWN,
        "channelTitle": "Acme",
        "title": "The film",
        "description": "About acme",
    }
    return {"kind": "youtube#video", "id": identity, "snippet": snippet, "statistics": {"viewCount": "100"}}


def comment(seed: Seed, identity: str) -> dict[str, Any]:
    snippet = {
        "authorDisplayName": "@someone",
        "authorChannelId": {"value": "UCcccccccccccccccccccccc"},
        "textDisplay": seed.text,
        "likeCount": 4,
        "publishedAt": "yesterday" if seed.damaged else said(seed.at),
        "updatedAt": said(seed.at),
    }
    return {"kind": "youtube#comment", "id": identity, "snippet": snippet}


def listing(kind: str, entries: Sequence[Any]) -> Reply:
    return Reply.of_json({"kind": f"youtube#{kind}Response", "items": entries})


def refusal(status: int, reason: str, message: str = "no") -> Reply:
    errors = [{"message": message, "domain": "youtube", "reason": reason}]
    return Reply.of_json({"error": {"code": status, "message": message, "errors": errors}}, status)
