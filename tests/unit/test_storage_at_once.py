"""Several that write one store at once: no error, no item lost, every figure right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

from storage.engine import Database, open_database
from storage.tables import ITEM
from storage.verify import verify
from tests.fakes.storing import NOW, Shop, author, item

WORKERS = ("north", "south", "east", "west")
PAGES = 12


def ingest(url: str, name: str) -> None:
    """Pages of items of which most are other workers' too, growing, in an order of this worker's own."""
    shop = Shop(open_database(url), names=WORKERS)
    claim, random = shop.claimed(name, owner=name), Random(name)
    for page in range(PAGES):
        at = NOW + timedelta(minutes=20 * page)
        shared = [
            item(
                f"{number}",
                brand_id=1 + number % 2,
                published_at=NOW - timedelta(minutes=10 * number),
                likes=page + random.randrange(5),
                counted_at=at,
                author_id=number,
                text=random.choice(["one", "two"]),
                uncounted=random.choice([None, None, "excluded"]),
            )
            for number in random.sample(range(40), 25)
        ]
        shop.save(claim, *shared, item(f"{name} {page}"), authors=[author(number) for number in range(40)], at=at)
    shop.database.close()


def test_four_that_store_the_same_items_at_once(database_url: str, database: Database) -> None:
    shop = Shop(database, names=WORKERS)
    with ThreadPoolExecutor(len(WORKERS)) as pool:
        for done in [pool.submit(ingest, database_url, name) for name in WORKERS]:
            done.result()
    assert len(shop.rows(ITEM)) == 40 + len(WORKERS) * PAGES
    assert verify(database) == []
