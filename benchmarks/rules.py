"""What ten rules cost an item: being kept for them, being looked at, and being told.

    python benchmarks/rules.py [--items 20000]

One core, one SQLite file in a temporary folder; pages of 500 made-up items (made_up.py), all of them news.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import made_up
from pipeline import NOW, PAGE, item_of

from connectors.contract import Item, Page
from monitor import firing
from monitor.app import App, build
from monitor.collect import page_values
from monitor.config.load import parse
from monitor.rules import Seen
from storage import arrivals, ingest, sources
from storage.records import Claim

SOURCE = "talk"
WHENS = (
    "rating <= 2 and country in ['DE', 'AT']",
    "words has ['refund', 'money back', 'lawsuit']",
    "'data loss' in text or 'lost my' in text",
    "label == 'negative' and followers >= 10000",
    "score < -0.8 and kind == 'mention'",
    "text has ['security', 'breach', 'leak*']",
    "rating == 1 and not replied",
    "app_version >= '2.0' and rating <= 3 and text has 'sync'",
    "engagement > 500 or views > 100000",
    "author in ['a big newspaper', 'another one'] or url has 'news.example'",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = _app(Path(folder))
        try:
            _measure(app, [item_of(row) for page in made_up.pages(given.items, PAGE, NOW) for row in page])
        finally:
            app.close()


def _app(folder: Path) -> App:
    rules = [{"name": f"rule-{number}", "when": when, "channels": ["out"]} for number, when in enumerate(WHENS)]
    source = {"name": SOURCE, "type": "files", "brand": made_up.BRAND, "match": "all", "options": {"path": str(folder)}}
    data = {
        "monitor": {"database": f"sqlite:///{folder}/store.db"},
        "brands": [{"name": made_up.BRAND}],
        "sources": [source],
        "channels": [{"name": "out", "type": "file", "folder": str(folder)}],
        "rules": rules,
    }
    return build(parse(data), now=lambda: NOW)


def _measure(app: App, items: list[Item]) -> None:
    firing.begin(app)
    claim = sources.claim_source(app.database, "me", {SOURCE: NOW}, NOW, timedelta(hours=1))
    assert claim is not None
    half = len(items) // 2
    plain, kept = _stored(app, claim, items[:half], news=False), _stored(app, claim, items[half:], news=True)
    known = firing.rules_of(app.settings)
    seen = [Seen(item, NOW) for item in arrivals.stored(app.database, [made_up.BRAND], NOW - timedelta(days=99), NOW)]
    begun = time.process_time()
    caught = sum(rule.catches(one) for one in seen for rule in known)
    looked = (time.process_time() - begun) / len(seen)
    begun = time.process_time()
    firing.act(app)
    acted = (time.process_time() - begun) / (len(items) - half)
    print(f"{len(items):,} items, {len(known)} rules, {caught / len(seen):.2f} caught an item; microseconds an item")
    print(f"store without rules {plain * 1e6:8.1f}")
    print(f"store, kept for them {kept * 1e6:7.1f}")
    print(f"look, ten rules      {looked * 1e6:7.1f}")
    print(f"act: read, look, fire {acted * 1e6:6.1f}")


def _stored(app: App, claim: Claim, items: list[Item], *, news: bool) -> float:
    """Seconds of processor time to store an item that is scored already."""
    source, spent = app.settings.source(SOURCE), 0.0
    for start in range(0, len(items), PAGE):
        values = page_values(app, source, claim, Page(items[start : start + PAGE], None))
        if news:
            values = replace(values, arrivals_since=NOW - timedelta(days=9999))
        begun = time.process_time()
        ingest.save_page(app.database, claim, values, NOW)
        spent += time.process_time() - begun
    return spent / len(items)


if __name__ == "__main__":
    main()
