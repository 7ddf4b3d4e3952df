"""What it costs to find near-copies: sketches and families of a window's texts, and the choice "once" as items are stored.

    python benchmarks/likeness.py [--items 20000] [--store 300000]

One core, made-up texts (made_up.py), every tenth of them an edited copy of an earlier one. The second table stores pages of
500 items into an SQLite file that holds so many already; README.md says how to read it.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import made_up

from connectors.contract import Author, Item, Kind, Page
from monitor.app import App, build
from monitor.collect import page_values
from monitor.config.load import parse
from monitor.likeness import Rechosen, settle
from monitor.metrics.likeness import Families, sketches
from monitor.normalise import bare_text
from storage import ingest, sources
from storage.engine import open_database
from storage.records import Claim
from storage.schema import upgrade

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PAGE = 500
MEASURED = 2_000
COPIES = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000, help="texts of a window (default: 20000)")
    parser.add_argument("--store", type=int, default=300_000, help="items of the larger store (default: 300000)")
    given = parser.parse_args()
    families(given.items)
    for held in (10_000, given.store):
        with tempfile.TemporaryDirectory() as folder:
            storing(Path(folder), held)


def families(count: int) -> None:
    texts = [text for _, text in said(count)]
    bare, normalising = timed(lambda: [bare_text(text) for text in texts])
    _, sketching = timed(lambda: sketches(bare))
    before = peak_mb()
    found = Families(str)
    _, adding = timed(lambda: [found.add(text, text) for text in bare])
    roots, joining = timed(found.joined)
    per_10k = 10_000 / count
    print(f"{count:,} texts, of which {1 - len(set(roots)) / count:.1%} copies; seconds for 10,000:")
    print(
        f"  normalise {normalising * per_10k:.2f}, sketch {sketching * per_10k:.2f}, families {(adding + joining) * per_10k:.2f}"
    )
    print(f"  memory of the families: {peak_mb() - before:.0f} MB")


def storing(folder: Path, held: int) -> None:
    """Fill a store, then measure further pages with and without the choice."""
    app, claim = opened(folder)
    fill = said(held + 2 * MEASURED)
    plain = replace(app, settings=configured(folder, "count"))
    for page in pages(fill, held):
        store(plain, claim, page)
    brands = {brand.id: name for name, brand in app.brands.items()}
    _, keying = timed(lambda: Rechosen(app, brands, dry_run=True))
    _, once = timed(lambda: [store(app, claim, page) for page in pages(fill, MEASURED)])
    _, every = timed(lambda: [store(plain, claim, page) for page in pages(fill, MEASURED)])
    size = (folder / "store.db").stat().st_size
    print(f"store of {held:,} items ({size / 1e6:,.0f} MB), keys for {held / keying:,.0f} a second")
    print(
        f"  microseconds an item stored: counting once {once / MEASURED * 1e6:,.0f}, counting each {every / MEASURED * 1e6:,.0f}"
    )


def store(app: App, claim: Claim, page: Page) -> None:
    ingest.save_page(app.database, claim, page_values(app, app.settings.sources[0], claim, page), NOW)
    settle(app)


def said(count: int) -> Iterator[tuple[int, str]]:
    """Texts, every tenth an edited copy of one of the last thousand."""
    chance, last = random.Random(5), list[str]()
    for number in range(count):
        text = (
            edited(chance, chance.choice(last))
            if last and chance.random() < COPIES
            else made_up.text(random.Random(number))
        )
        last = [*last[-999:], text] if number % 10 == 0 else last
        yield number, text


def edited(chance: random.Random, text: str) -> str:
    words = text.split()
    words[chance.randrange(len(words))] = "however"
    return chance.choice([" ".join(words), f"RT @somebody: {text}", f"{text} https://t.example/{chance.random()}"])


def pages(texts: Iterator[tuple[int, str]], count: int) -> Iterator[Page]:
    for _ in range(0, count, PAGE):
        yield Page([item(*next(texts)) for _ in range(PAGE)], None)


def item(number: int, text: str) -> Item:
    return Item(
        f"t-{number}",
        Kind.MENTION,
        NOW - timedelta(days=30) + timedelta(seconds=8 * number),
        text=text,
        author=Author(f"u{number % 9973}"),
    )


def opened(folder: Path) -> tuple[App, Claim]:
    settings = configured(folder, "once")
    database = open_database(settings.monitor.database)
    upgrade(database)
    database.close()
    app = build(settings, now=lambda: NOW)
    claim = sources.claim_source(app.database, app.owner, {"talk": NOW}, NOW, timedelta(hours=5), only_due=False)
    assert claim is not None
    return app, claim


def configured(folder: Path, choice: str):  # type: ignore[no-untyped-def]
    source = {"name": "talk", "type": "sample", "brand": made_up.BRAND, "match": "all", "options": {"stream": "forum"}}
    monitor = {"database": f"sqlite:///{folder}/store.db", "duplicates": choice}
    return parse({"monitor": monitor, "brands": [{"name": made_up.BRAND}], "sources": [source]})


def timed(work):  # type: ignore[no-untyped-def]
    begun = time.process_time()
    found = work()
    return found, time.process_time() - begun


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
