"""One author's history: how much was said month by month, in which tone, and how much it was engaged with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from monitor.app import App
from monitor.metrics.sentiment import Tally
from storage import authors, listing
from storage.access import authors as authors_called
from storage.authors import Profile, Said
from storage.records import ItemFilter, StoredItem

NEWEST: Final = 10


@dataclass(slots=True)
class Month:
    """What an author said in a month (``2026-11``, local). ``engagement``: what it received, as far as known."""

    month: str
    tally: Tally = field(default_factory=Tally)
    engagement: int | None = None

    def add(self, one: Said) -> None:
        """Another item."""
        self.tally += Tally(
            int(one.label == "positive"),
            int(one.label == "negative"),
            int(one.label == "neutral"),
            int(one.label is None),
        )
        received = [count for count in (one.likes, one.shares, one.comments) if count is not None]
        if received:
            self.engagement = (self.engagement or 0) + sum(received)


@dataclass(frozen=True, slots=True)
class History:
    """All of one author over some brands. A score of one author has no likely range: its items are not independent."""

    profile: Profile
    months: Sequence[Month]
    by_brand: dict[str, int]
    newest: Sequence[StoredItem]

    @property
    def tally(self) -> Tally:
        return sum((month.tally for month in self.months), Tally())

    @property
    def engagement(self) -> int | None:
        known = [month.engagement for month in self.months if month.engagement is not None]
        return sum(known) if known else None


def found(app: App, who: str) -> list[Profile]:
    """The authors that ``who`` names: the number that figures have, the name they have now, or an id on a platform."""
    if who.isascii() and who.isdigit() and len(who) < 20 and int(who) < 2**63:
        by_number = authors.profile(app.database, int(who))
        if by_number is not None:
            return [by_number]
    named = (authors.profile(app.database, one.id) for one in authors_called(app.database, [who], former=False))
    return [one for one in named if one is not None]


def history_of(
    app: App, profile: Profile, brands: Sequence[str], since: datetime | None = None, until: datetime | None = None
) -> History:
    """What an author said of these brands, counted mentions and reviews only."""
    months: dict[str, Month] = {}
    by_brand: dict[str, int] = {}
    for one in authors.said(app.database, profile.id, brands, since, until):
        name = f"{one.published_at.astimezone(app.settings.monitor.zone):%Y-%m}"
        months.setdefault(name, Month(name)).add(one)
        by_brand[one.brand] = by_brand.get(one.brand, 0) + 1
    kinds = ("mention", "review")
    wanted = ItemFilter(brands=tuple(brands), kinds=kinds, author_id=profile.id, since=since, until=until)
    return History(profile, list(months.values()), by_brand, listing.items(app.database, wanted, limit=NEWEST))
