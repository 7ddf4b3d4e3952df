"""Hacker News, by the Algolia search API: stories and comments that name a keyword. No key needed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, model_validator

from connectors.contract import (
    Author,
    Capabilities,
    Context,
    Counts,
    Cursor,
    Item,
    JsonValue,
    Kind,
    Options,
    Page,
    Plugin,
    Scope,
    Skipped,
    from_epoch,
)
from connectors.errors import Unavailable
from connectors.text import plain_text
from connectors.walk import Step, Walk, sweep

API = "https://hn.algolia.com"
SITE = "https://news.ycombinator.com"
OVERLAP = timedelta(hours=2).total_seconds()
"""Re-read below the watermark: the index lags behind the site."""
HITS_A_PAGE = 100
PAGES_A_SLIDE = 10
"""The API shows 1,000 hits of a query; beyond that the query slides down in time."""


class HackerNewsOptions(Options):
    query: str | None = Field(
        default=None,
        min_length=1,
        description="What to search for, as typed into hn.algolia.com; without it the brands' keywords, one search each.",
    )
    stories: bool = Field(default=True, description="Bring stories.")
    comments: bool = Field(default=True, description="Bring comments.")

    @model_validator(mode="after")
    def _something(self) -> HackerNewsOptions:
        if not (self.stories or self.comments):
            raise ValueError("neither stories nor comments: nothing would come; set one of them to true")
        return self


class HackerNews:
    """Searches newest first and slides down in time; the cursor holds one walk a search."""

    def __init__(self, options: HackerNewsOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or API).rstrip("/")

    def queries(self) -> Sequence[str]:
        if self._options.query is not None:
            return [self._options.query.strip()]
        return list(dict.fromkeys(quoted for quoted in map(_quoted, self._context.terms) if quoted))

    def check(self) -> None:
        query = next(iter(self.queries()), "")
        self._hits(query, bottom=0, top=None, page=0, per_page=1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        walks = dict(_walks(cursor))
        for query in self.queries():
            walk = Walk.from_json(walks.get(query), since=since.timestamp())
            for step, after in sweep(walk, OVERLAP, lambda top, bottom, q=query: self._read(q, top, bottom)):  # type: ignore[misc]
                walks[query] = after.to_json()
                yield Page(step.items, {"searches": dict(walks)}, step.skipped)

    def close(self) -> None:
        self._context.http.close()

    def _read(self, query: str, top: float | None, bottom: float) -> Iterator[Step]:
        page, reached = 0, top
        while True:
            hits = self._hits(query, bottom, top, page, HITS_A_PAGE)
            step = _step(hits, last=len(hits) < HITS_A_PAGE)
            yield step
            if step.last:
                return
            reached = step.oldest if step.oldest is not None else reached
            page += 1
            if page == PAGES_A_SLIDE and reached is not None and reached != top:
                top, page = reached, 0

    def _hits(self, query: str, bottom: float, top: float | None, page: int, per_page: int) -> Sequence[Any]:
        bounds = [f"created_at_i>={int(bottom)}", *([f"created_at_i<={int(top)}"] if top is not None else [])]
        params: dict[str, str | int] = {
            "query": query,
            "tags": f"({','.join(self._tags())})",
            "numericFilters": ",".join(bounds),
            "hitsPerPage": per_page,
            "page": page,
            "typoTolerance": "false",
            "advancedSyntax": "true",
        }
        answer = self._context.http.get(f"{self._base}/api/v1/search_by_date", params).json()
        hits = answer.get("hits") if isinstance(answer, Mapping) else None
        if not isinstance(hits, list):
            raise Unavailable("hn.algolia.com: the answer has no hits; trying again later")
        return hits

    def _tags(self) -> list[str]:
        chosen = {"story": self._options.stories, "comment": self._options.comments}
        return [tag for tag, wanted in chosen.items() if wanted]


def _step(hits: Sequence[Any], *, last: bool) -> Step:
    items: list[Item] = []
    skipped: list[Skipped] = []
    times: list[float] = []
    for hit in hits:
        try:
            item = item_of(hit)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(Skipped(_name(hit), f"{type(error).__name__}: not a story or comment"))
            continue
        times.append(item.published_at.timestamp())
        items.append(item)
    return Step(items, max(times, default=None), min(times, default=None), last, skipped)


def item_of(hit: Mapping[str, Any]) -> Item:
    """A hit of the search as an item; ``KeyError``, ``TypeError`` or ``ValueError`` where it is damaged."""
    number = str(hit["objectID"] or "")
    author = hit.get("author")
    return Item(
        external_id=number,
        kind=Kind.MENTION,
        published_at=from_epoch(hit["created_at_i"]),
        title=plain_text(hit.get("title")),
        text=plain_text(hit.get("story_text") or hit.get("comment_text")),
        url=f"{SITE}/item?id={number}",
        author=Author(id=html.unescape(author), name=html.unescape(author)) if author else None,
        counts=Counts(likes=_count(hit.get("points")), comments=_count(hit.get("num_comments"))),
        place="Hacker News",
        parent_title=plain_text(hit.get("story_title")),
        attributes=_attributes(hit),
    )


def _attributes(hit: Mapping[str, Any]) -> Mapping[str, str]:
    tags = hit.get("_tags") or ()
    kind = next((tag for tag in ("comment", "pollopt", "poll", "story") if tag in tags), "story")
    link = hit.get("url")
    return {"type": kind, **({"link": str(link)[:2000]} if link else {})}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _name(hit: object) -> str:
    number = hit.get("objectID") if isinstance(hit, Mapping) else None
    return f"hit {str(number)[:40]}" if number else "a hit without an id"


def _walks(cursor: Cursor | None) -> Mapping[str, JsonValue]:
    searches = (cursor or {}).get("searches")
    return searches if isinstance(searches, Mapping) else {}


def _quoted(term: str) -> str:
    """The search takes words apart; quotes keep a name of several words together."""
    bare = term.replace('"', " ").strip()
    return f'"{bare}"' if re.search(r"\W", bare) else bare


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.hostname not in ("hn.algolia.com", "news.ycombinator.com"):
        return None
    asked = parse_qs(parts.query)
    query = (asked.get("q") or asked.get("query") or [""])[0].strip()
    return {"query": query} if query else None


PLUGIN = Plugin(
    name="hackernews",
    title="Hacker News",
    platform="hackernews",
    options=HackerNewsOptions,
    open=HackerNews,
    capabilities=Capabilities(scope=Scope.SEARCH, minimum_interval=timedelta(minutes=1)),
    recognise=_recognise,
    tried="recorded",
    notes="Public search API by Algolia; about 10,000 requests an hour and address. Attribute quotes to Hacker News.",
)
