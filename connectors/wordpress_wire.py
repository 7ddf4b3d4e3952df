"""What the REST API of every WordPress site has in common: its address, its pages by number, its times and its refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Context, Cursor, Gap, Item, Page, from_epoch
from connectors.entries import leaf_of, moment
from connectors.errors import Malformed, NotThere, Unavailable
from connectors.http import Answer
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.numbered import SamePage

ENTRIES_A_PAGE = 100
"""The most that WordPress gives at once."""
OVERLAP = timedelta(days=3).total_seconds()
"""Re-read below the watermark: what waited for a moderator shows up under the time at which it was written."""
ZONE_SLACK = timedelta(days=1)
"""``after`` means the site's own zone on older sites, which may be half a day off either way."""


def site_of(value: object) -> str:
    """A site's address (with a folder, if it lies in one) without a slash at its end; ``https`` unless said otherwise."""
    given = str(value).strip()
    address = given if "://" in given else f"https://{given}"
    found = re.fullmatch(r"(https?)://([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)((?:/[\w.~%-]+)*)/*", address, re.IGNORECASE)
    if found is None or "/../" in f"{found[3]}/":
        raise ValueError(f'{given[:80]!r} is no site; write its address, such as "https://shop.example"')
    return f"{found[1].lower()}://{found[2].lower()}{found[3]}"


def name_of(site: str) -> str:
    """What the ids of the site's entries begin with, and what a message may name."""
    return site.partition("://")[2]


class Site:
    """Leafs through one of the site's collections, newest first; the cursor holds one sweep."""

    def __init__(self, address: str, context: Context, headers: Mapping[str, str] | None = None) -> None:
        self._address = address
        self._context = context
        self._headers = headers or {}

    def check(self, path: str) -> None:
        _entries(self._get(path, {"per_page": 1}), self._address)

    def pages(
        self,
        path: str,
        asked: Mapping[str, str],
        cursor: Cursor | None,
        since: datetime,
        read: Callable[[Any], Item | None],
    ) -> Iterator[Page]:
        sweep = Sweep.from_json((cursor or {}).get("sweep"), since=since.timestamp())
        same = SamePage()
        for leaf, after in leaf_through(sweep, OVERLAP, lambda at, now: self._leaf(path, asked, at, now, read, same)):
            yield Page(leaf.items, {"sweep": after.to_json()}, leaf.skipped, _gap(leaf, after, self._address))

    def _leaf(
        self,
        path: str,
        asked: Mapping[str, str],
        at: Place,
        sweep: Sweep,
        read: Callable[[Any], Item | None],
        same: SamePage,
    ) -> Leaf:
        number = at if isinstance(at, int) else 1
        params: dict[str, str | int] = {
            **asked,
            "per_page": ENTRIES_A_PAGE,
            "page": number,
            "orderby": "date_gmt",
            "order": "desc",
            "after": _after(sweep.floor),
        }
        answer = self._get(path, params)
        entries = _entries(answer, self._address)
        more = _has_more(answer, number, len(entries))
        return same.ended(
            leaf_of(entries, read, id_key="id", following=number + 1 if more else None, now=self._context.now())
        )

    def _get(self, path: str, params: Mapping[str, str | int]) -> Answer:
        try:
            return self._context.http.get(f"{self._address}/wp-json/{path}", params, headers=self._headers)
        except NotThere as error:
            fact = f"{name_of(self._address)}: no WordPress interface {path} there"
            raise NotThere(f"{fact}; look at site, and whether the site offers its REST API") from error
        except Malformed as error:
            raise Malformed(f"{name_of(self._address)}: the site does not take the request for {path}") from error


def utc(value: object) -> datetime:
    """A time as WordPress writes it in its ``_gmt`` fields: UTC without saying so; ``ValueError`` if it is none."""
    if not isinstance(value, str):
        raise ValueError("no time")
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else moment(value)


def number_of(value: object) -> int:
    """A positive id; ``ValueError`` if it is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**53:
        raise ValueError("no id")
    return value


def link_or_none(value: object) -> str | None:
    """A web address; ``None`` if it is none."""
    if not isinstance(value, str) or len(value) > 2000 or not re.fullmatch(r"https?://[!-~]+", value):
        return None
    try:
        return value if urlsplit(value).hostname else None
    except ValueError:
        return None


def _entries(answer: Answer, address: str) -> list[Any]:
    entries = answer.json()
    if not isinstance(entries, list):
        raise Unavailable(f"{name_of(address)}: the answer is no list; trying again later")
    return entries


def _has_more(answer: Answer, number: int, shown: int) -> bool:
    """The site says how many pages there are; some caches drop that header, then a full page has one after it."""
    pages = answer.headers.get("x-wp-totalpages", "")
    if pages.isascii() and pages.isdigit() and len(pages) < 10:
        return shown > 0 and number < int(pages)
    return shown >= ENTRIES_A_PAGE


def _after(floor: float) -> str:
    try:
        at = from_epoch(floor - OVERLAP) - ZONE_SLACK
    except (ValueError, OverflowError):
        at = from_epoch(0)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _gap(leaf: Leaf, sweep: Sweep, address: str) -> Gap | None:
    if not leaf.cut:
        return None
    until = None if leaf.last is None else from_epoch(leaf.last)
    return Gap(f"{name_of(address)} shows the same page again and again", from_epoch(sweep.floor), until)
