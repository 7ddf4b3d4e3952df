"""Steam, by its public Web API: the reviews of any app, with their verdicts. No key needed.

Reviews are read in the order of their last edit, so that a changed verdict is found. Steam at times ends its list early; what
was read then counts for nothing, and the next pull reads again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    Item,
    JsonValue,
    Options,
    Page,
    Plugin,
    Scope,
    Skipped,
    StandingReading,
    from_epoch,
)
from connectors.errors import NotThere, Unavailable
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.steam_parse import Listing, is_in_order, listing_of, review_of, skipped, updated_of

API = "https://api.steampowered.com"
STORE = "https://store.steampowered.com"
OVERLAP = timedelta(hours=6).total_seconds()
"""Re-read below the watermark: lists come from caches, and a review may show up late."""
REVIEWS_A_PAGE = 100
SLACK = 2
"""Steam's total may be off by so many, or by one in a hundred."""
PATIENCE = 2
"""So often in a row a list that ended early is read again; then its end is believed."""
UPDATED, ALL_PURCHASES, ALL_REVIEWS = 2, 1, 0
"""How the Web API writes: by last edit, bought anywhere, both verdicts."""

_LINK = re.compile(
    r"(?:https?://)?(?:store\.steampowered\.com|(?:www\.)?steamcommunity\.com)/app/([1-9]\d{0,9})(?![\w-])",
    re.IGNORECASE,
)


def _app_id(value: object) -> str:
    """The digits of an app's id or of a pasted link."""
    given = str(value).strip()
    link = _LINK.match(given)
    digits = link.group(1) if link else given
    if not re.fullmatch(r"[1-9][0-9]{0,9}", digits):
        raise ValueError(f"{given[:80]!r} is no app id; take the digits after /app/ in the address of its store page")
    return digits


class SteamOptions(Options):
    app_id: Annotated[str, BeforeValidator(_app_id)] = Field(
        description="Which app: the digits after /app/ in its store page's address, or the whole address."
    )
    languages: tuple[str, ...] = Field(
        default=("all",),
        min_length=1,
        description="Whose reviews, by Steam's names of languages, such as english, german, schinese; all for every one.",
    )
    api: Literal["successor", "store"] = Field(
        default="successor",
        description="Which interface: the Web API, or the store's older one (for mirrors; Steam closed it in October 2026).",
    )

    @field_validator("languages")
    @classmethod
    def _names(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip().lower() for name in given))
        bad = [name for name in names if not re.fullmatch(r"[a-z]{2,20}", name)]
        if bad:
            raise ValueError(f"{bad[0][:40]!r} is no language of Steam's; write english, german, ... or all")
        return ("all",) if "all" in names else names


@dataclass(slots=True)
class _Progress:
    """What a cursor holds: the sweep, how many reviews it has ``read`` of how many in ``total``, and how often in a row
    the list ended ``short``."""

    sweep: Sweep
    read: int = 0
    total: int | None = None
    short: int = 0

    @classmethod
    def of(cls, cursor: Cursor | None, since: datetime) -> _Progress:
        held = cursor or {}
        sweep = Sweep.from_json(held.get("sweep"), since=since.timestamp())
        return cls(sweep, _whole(held.get("read")) or 0, _whole(held.get("total")), _whole(held.get("short")) or 0)

    def to_json(self) -> dict[str, JsonValue]:
        return {"sweep": self.sweep.to_json(), "read": self.read, "total": self.total, "short": self.short}

    def begin(self, total: int | None) -> None:
        self.read, self.total = 0, total

    @property
    def missing(self) -> int:
        """How many reviews the list has not shown, beyond what the total may be off."""
        behind = 0 if self.total is None else self.total - self.read
        return behind if behind > max(SLACK, (self.total or 0) // 100) else 0


class Steam:
    """Leafs through the reviews down to what is known; the cursor holds one sweep."""

    def __init__(self, options: SteamOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or (API if options.api == "successor" else STORE)).rstrip("/")

    def check(self) -> None:
        if self._listing(None, 1) is None:
            raise self._not_there()

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        progress = _Progress.of(cursor, since)
        for leaf, gap in self._leaves(progress):
            yield Page(leaf.items, progress.to_json(), leaf.skipped, gap)

    def standing(self) -> Iterator[StandingReading]:
        """The share of positive verdicts and the number of all, as Steam counts them."""
        listing = self._listing(None, 1)
        if listing is None:
            raise self._not_there()
        total, positive = listing.total, listing.positive
        mean = positive / total if total and positive is not None and positive <= total else None
        yield StandingReading(f"Steam app {self._options.app_id}", mean, total, self._context.now(), worst=0, best=1)

    def close(self) -> None:
        self._context.http.close()

    def _leaves(self, progress: _Progress) -> Iterator[tuple[Leaf, Gap | None]]:
        def read(at: Place, sweep: Sweep) -> Leaf:
            return self._leaf(at, sweep, progress)

        for leaf, after in leaf_through(progress.sweep, OVERLAP, read):
            gap = _gap(leaf, progress)
            progress.sweep = after
            if after.at is None:
                progress.short = progress.short + 1 if leaf.cut else 0
            yield leaf, gap

    def _leaf(self, at: Place, sweep: Sweep, progress: _Progress) -> Leaf:
        listing = self._listing(None if at is None else str(at), REVIEWS_A_PAGE)
        if listing is None:
            raise self._unknown(sweep)
        if at is None:
            progress.begin(listing.total)
        progress.read += len(listing.reviews)
        leaf = self._leaf_of(listing, str(at))
        reached = sweep.rounds > 0 and leaf.last is not None and leaf.last <= sweep.floor
        cut = leaf.next is None and not reached and progress.missing > 0 and progress.short < PATIENCE
        return Leaf(leaf.items, leaf.skipped, leaf.newest, leaf.last, leaf.next, cut)

    def _leaf_of(self, listing: Listing, asked: str) -> Leaf:
        items: list[Item] = []
        damaged: list[Skipped] = []
        times: list[float] = []
        for review in listing.reviews:
            try:
                item = review_of(review, self._options.app_id)
                times.append(updated_of(review).timestamp())
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                damaged.append(skipped(review, error))
                continue
            items.append(item)
        if not is_in_order(times):
            self._context.log.warning("steam: the list is not in the order of edits; changed verdicts may be missed")
        following = listing.next if listing.reviews and listing.next != asked else None
        wanted = [item for item in items if self._is_wanted(item)]
        return Leaf(wanted, damaged, max(times, default=None), times[-1] if times else None, following)

    def _is_wanted(self, item: Item) -> bool:
        """The older interface takes one language only; of several the others are left out here."""
        wanted = self._options.languages
        return "all" in wanted or item.attributes.get("language") in wanted

    def _listing(self, cursor: str | None, count: int) -> Listing | None:
        successor = self._options.api == "successor"
        path = "IUserReviewsService/GetAppReviews/v1/" if successor else f"appreviews/{self._options.app_id}"
        params = self._asked_of_api(cursor, count) if successor else self._asked_of_store(cursor, count)
        return listing_of(self._context.http.get(f"{self._base}/{path}", params).json())

    def _asked_of_api(self, cursor: str | None, count: int) -> Mapping[str, str]:
        asked = {
            "appid": int(self._options.app_id),
            "filter": UPDATED,
            "languages": list(self._options.languages),
            "purchase_type": ALL_PURCHASES,
            "review_type": ALL_REVIEWS,
            "filter_offtopic_activity": False,
            "num_per_page": count,
            **({"cursor": cursor} if cursor else {}),
        }
        return {"input_json": json.dumps(asked, separators=(",", ":"))}

    def _asked_of_store(self, cursor: str | None, count: int) -> Mapping[str, str | int]:
        languages = self._options.languages
        return {
            "json": 1,
            "filter": "updated",
            "language": languages[0] if len(languages) == 1 else "all",
            "purchase_type": "all",
            "review_type": "all",
            "filter_offtopic_activity": 0,
            "num_per_page": count,
            "cursor": cursor or "*",
        }

    def _unknown(self, sweep: Sweep) -> NotThere | Unavailable:
        """An answer that says nothing: an app that was read before is hardly gone, Steam says nothing at times."""
        if sweep.rounds or sweep.high is not None:
            return Unavailable("Steam: an empty answer; trying again later")
        return self._not_there()

    def _not_there(self) -> NotThere:
        return NotThere(f"Steam: no app {self._options.app_id} there; look at app_id")


def _gap(leaf: Leaf, progress: _Progress) -> Gap | None:
    if not leaf.cut:
        return None
    reason = "Steam ended its list of reviews early; it is read again with the next pull"
    until = None if leaf.last is None else from_epoch(leaf.last)
    return Gap(reason, from_epoch(progress.sweep.floor), until, progress.missing)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    found = _LINK.match(link.strip())
    return {"app_id": found.group(1)} if found else None


PLUGIN = Plugin(
    name="steam",
    title="Steam reviews",
    platform="steam",
    options=SteamOptions,
    open=Steam,
    capabilities=Capabilities(
        scope=Scope.SUBJECT, ratings=True, replies=True, standing=True, minimum_interval=timedelta(minutes=10)
    ),
    recognise=_recognise,
    notes="Steam's public Web API, no key. Steam names no limit; show excerpts with a link to the review.",
)
