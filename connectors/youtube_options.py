"""What a YouTube source is told, and which links mean one. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from connectors.contract import JsonValue, Options

SITE = "https://www.youtube.com"
SEARCH_UNITS = 100

_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}")
_HANDLE = re.compile(r"@[^\s/?#@]{2,60}")
_HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"})


def _video(value: object) -> str:
    given = str(value).strip()
    found = given if _VIDEO.fullmatch(given) else _video_of(given)
    if found is None:
        raise ValueError(f"{given[:80]!r} is no video; paste its link or its 11 letters behind watch?v=")
    return found


def _channel(value: object) -> str:
    given = str(value).strip()
    found = given if _CHANNEL.fullmatch(given) or _HANDLE.fullmatch(given) else _channel_of(given)
    if found is None:
        raise ValueError(f'{given[:80]!r} is no channel; write its handle, such as "@acme", or its id (UC...)')
    return found


class YouTubeOptions(Options):
    api_key: SecretStr = Field(
        description="The key of a Google Cloud project in which the YouTube Data API is enabled."
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        description="Which videos to search for, as typed into YouTube; without it the brands' keywords, one search each.",
    )
    channels: tuple[Annotated[str, BeforeValidator(_channel)], ...] = Field(
        default=(),
        description='The brand\'s own channels, such as "@acme": their videos as own posts, and the comments on them.',
    )
    videos: tuple[Annotated[str, BeforeValidator(_video)], ...] = Field(
        default=(), description="Single videos (links or ids): their counts and the comments on them."
    )
    comments: bool = Field(default=True, description="Bring the comments on the channels and videos named.")
    found_comments: bool = Field(
        default=False, description="Bring the comments on the videos that a search finds as well; costs more units."
    )
    search_hours: float | None = Field(
        default=None,
        ge=0,
        le=168,
        description="Hours between two searches for the same words; without it as often as the day's units allow.",
    )
    look_back_hours: float = Field(
        default=24, ge=1, le=720, description="How far back threads are looked at again, for replies that came later."
    )
    daily_units: int = Field(
        default=10_000, ge=SEARCH_UNITS, description="The units that this source may spend in a day (Pacific time)."
    )
    reserve_units: int = Field(
        default=500, ge=10, description="Of these so many are left for checks and for reading counts again."
    )

    @field_validator("query")
    @classmethod
    def _not_blank(cls, query: str | None) -> str | None:
        if query is not None and not query.strip():
            raise ValueError("query is blank; write what to search for, or leave it out")
        return query

    @model_validator(mode="after")
    def _something_to_spend(self) -> YouTubeOptions:
        if self.reserve_units > self.daily_units - SEARCH_UNITS:
            raise ValueError("reserve_units leaves nothing of daily_units for a search (100 units); lower it")
        return self

    @property
    def searches(self) -> bool:
        """Named channels and videos are read, not searched for."""
        return self.query is not None or not (self.channels or self.videos)


def recognise(link: str) -> Mapping[str, JsonValue] | None:
    """Options for a link to a video, a channel or a search; ``None`` for any other."""
    given = link.strip()
    video = _video_of(given)
    if video:
        return {"videos": [video]}
    channel = _channel_of(given)
    if channel:
        return {"channels": [channel]}
    host, path, asked = _parts(given)
    words = (asked.get("search_query") or [""])[0].strip()
    return {"query": words} if host in _HOSTS and path == "/results" and words else None


def _video_of(link: str) -> str | None:
    host, path, asked = _parts(link)
    steps = path.strip("/").split("/")
    if host == "youtu.be":
        found = steps[0]
    elif host in _HOSTS and path.rstrip("/") == "/watch":
        found = (asked.get("v") or [""])[0]
    elif host in _HOSTS and len(steps) == 2 and steps[0] in ("shorts", "live", "embed", "v"):
        found = steps[1]
    else:
        return None
    return found if _VIDEO.fullmatch(found) else None


def _channel_of(link: str) -> str | None:
    host, path, _ = _parts(link)
    if host not in _HOSTS:
        return None
    steps = path.strip("/").split("/")
    if len(steps) >= 2 and steps[0] == "channel" and _CHANNEL.fullmatch(steps[1]):
        return steps[1]
    return steps[0] if _HANDLE.fullmatch(steps[0]) else None


def _parts(link: str) -> tuple[str, str, Mapping[str, list[str]]]:
    """Host, path and what is asked of a web address; empty ones of anything else."""
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
        asked = parse_qs(parts.query, max_num_fields=50)
    except ValueError:
        return "", "", {}
    return (host, parts.path, asked) if parts.scheme in ("http", "https") else ("", "", {})
