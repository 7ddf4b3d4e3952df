"""A process that pulls made-up sources, page by page, until all are read; others may do the same on the same store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Event

from storage import ingest, sources
from storage.engine import open_database
from storage.leases import LeaseLost
from storage.records import Claim, ItemValues, Outcome, PageValues
from tests.fakes.storing import NOW, author, item

SOURCES = ("north", "south", "east")
PAGES = 40
LEASE = timedelta(milliseconds=250)
TOMORROW = NOW + timedelta(days=1)


def pull_all(url: str, owner: str) -> None:
    """Claim and read what is due and free, until every source is read to its end."""
    database = open_database(url)
    while any(state.next_run_at < TOMORROW for state in sources.states(database)):
        claim = sources.claim_source(database, owner, dict.fromkeys(SOURCES, NOW), NOW, LEASE)
        if claim is None:
            Event().wait(0.02)  # others are at the rest, or have died over it
            continue
        try:
            for page in pages(claim):
                ingest.save_page(database, claim, page, NOW)
            sources.finish_pull(database, claim, Outcome(TOMORROW), NOW)
        except LeaseLost:
            continue
    database.close()


def pages(claim: Claim) -> Iterator[PageValues]:
    """The pages that follow the cursor: new items, and a few old ones that have grown or were edited."""
    done = claim.cursor["page"] if claim.cursor else 0
    for number in range(done + 1, PAGES + 1):
        found = [*fresh(claim.name, number), *again(claim.name, number)]
        authors = [author(number % 7, name=f"page {number}")]
        yield PageValues(found, authors, {"page": number}, seen=len(found))


def fresh(source: str, page: int) -> Iterator[ItemValues]:
    for number in range(10):
        published_at = NOW - timedelta(minutes=20 * page + number)
        yield item(f"{source} {page}/{number}", published_at=published_at, likes=number, author_id=page % 7)


def again(source: str, page: int) -> Iterator[ItemValues]:
    at = NOW + timedelta(minutes=page)
    for old in range(max(1, page - 3), page):
        published_at = NOW - timedelta(minutes=20 * old)
        grown = item(f"{source} {old}/0", published_at=published_at, likes=page * 3, counted_at=at, author_id=old % 7)
        grown["text"] = f"edited {page}" if page % 2 else grown["text"]
        yield grown
