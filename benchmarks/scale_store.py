"""Stores of any size, made up from a number: the same size and number always make the same store.

Two years of three brands (60, 25, 15 % of the items) on six sources: mentions, reviews with stars, own posts. Texts have about
100 characters of a few thousand words by Zipf's law, authors and counts follow it as well; a third of the items have
identifiers in no order, as stores of apps give them. Labels are made up with the texts: what is measured is the store.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate, islice
from typing import Any, Final, cast

from sqlalchemy import Connection, select, true
from sqlalchemy.dialects import postgresql, sqlite

from monitor.app import App, build
from monitor.config.load import parse
from storage import ingest, search, sources, spans
from storage.bulk import insert_rows
from storage.records import AuthorValues, Claim, ItemValues, Outcome, PageValues
from storage.rollups import GAINS, ITEM_SUMS, bucket_of, gain_sums, item_sums
from storage.tables import AUTHOR, COUNT_HISTORY, COUNTS, ITEM, ROLLUP, ROLLUP_KEY, SOURCE

BRANDS: Final = {"Tavrell": 60, "Orbeen": 25, "Kestrova": 15}
"""Names, and the share of each in per cent."""
SOURCES: Final = {"talk": 40, "press": 10, "video": 10, "shop": 20, "market": 15, "own": 5}
KINDS: Final = {"shop": "review", "market": "review", "own": "post"}
NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
YEARS: Final = timedelta(days=730)
PAGE: Final = 500
BLOCK: Final = 6_000
"""Items in a row that are sorted into their sources' pages."""
COMMON, RARE = "kettle", "zirconium"
"""A word in about a fifth of the texts, and one in about 1 of 20,000."""


def settings(url: str) -> dict[str, Any]:
    """A configuration with all of it, topics included."""
    return {
        "monitor": {"database": url, "timezone": "Europe/Berlin"},
        "brands": [{"name": name, "competitors": [other for other in BRANDS if other != name]} for name in BRANDS],
        "sources": [{"name": name, "type": "hackernews", "brands": list(BRANDS)} for name in SOURCES],
        "topics": [
            {"name": "delivery", "keywords": ["delivery", "parcel", "courier"]},
            {"name": "battery", "keywords": ["battery", "charger"]},
        ],
    }


def opened(url: str) -> App:
    """The program on this store."""
    return build(parse(settings(url)), now=lambda: NOW)


class Filler:
    """Puts items into a store page by page, by the same function as every pull."""

    def __init__(self, app: App, count: int, first: int = 0) -> None:
        self.app, self._made, self._claims = app, Made(app, count, first), dict[str, Claim]()

    def fill(self, until: int) -> int:
        """Go on until so many items are made; how many were new to the store."""
        pages = self._made.pages(until)
        return sum(ingest.save_page(self.app.database, self._claim(source), page, at).new for source, page, at in pages)

    def close(self) -> None:
        """Let go of the sources."""
        for claim in self._claims.values():
            sources.finish_pull(self.app.database, claim, Outcome(NOW), NOW)

    def _claim(self, source: str) -> Claim:
        while source not in self._claims:
            horizons = {name: NOW - YEARS for name in SOURCES if name not in self._claims}
            claim = sources.claim_source(
                self.app.database, self.app.owner, horizons, NOW, timedelta(days=1), only_due=False
            )
            assert claim is not None
            self._claims[claim.name] = claim
        return self._claims[source]


def filled_in_bulk(app: App, count: int) -> Made:
    """Fill an empty store with ``count`` items: rows without indexes, and all that is made of them afterwards, at once.

    It comes to the same rows, rollups, spans and search index as page by page (``db verify`` proves it), in half the time.
    """
    with app.database.readonly.begin() as connection:
        ids = {row.name: row.id for row in connection.execute(select(SOURCE.c.name, SOURCE.c.id))}
    made, seen = Made(app, count), set[int]()
    with app.database.engine.connect() as connection, _unindexed(connection):
        pages = made.pages(count)
        while chunk := list(islice(pages, 40)):
            with connection.begin():
                _put(connection, chunk, ids, seen, made)
    app.database.write(_summed_up)
    app.database.write(search.rebuild)
    if not app.database.is_sqlite:
        app.database.write(_counted_on)
    return made


def _put(
    connection: Connection,
    chunk: list[tuple[str, PageValues, datetime]],
    ids: Mapping[str, int],
    seen: set[int],
    made: Made,
) -> None:
    rows, authors, history = list[dict[str, Any]](), dict[int, Any](), list[dict[str, Any]]()
    for source, page, at in chunk:
        authors |= {author["id"]: author for author in page.authors if author["id"] not in seen}
        for item in page.items:
            made.stored += 1
            rows.append(_row(item, made.stored, ids[source], at))
            if any(item[name] for name in COUNTS):
                history.append(_growth(item, made.stored))
    seen.update(authors)
    insert_rows(connection, AUTHOR, list(authors.values()))
    insert_rows(connection, ITEM, rows)
    insert_rows(connection, COUNT_HISTORY, history)


def _row(item: ItemValues, number: int, source: int, at: datetime) -> dict[str, Any]:
    bucket, own = bucket_of(item["published_at"]), {"first_seen_at": at, "changed_at": at, "refreshes": 0}
    told = {
        "id": number,
        "source_id": source,
        "platform": "hackernews",
        "bucket": bucket,
        "scorer_label": item["label"],
    }
    return {**item, **told, **own}


def _growth(item: ItemValues, number: int) -> dict[str, Any]:
    counts = {name: item[name] or 0 for name in COUNTS}
    return {"item_id": number, "at": item["counted_at"], "bucket": bucket_of(item["counted_at"]), **counts}


@contextmanager
def _unindexed(connection: Connection) -> Iterator[None]:
    """SQLite: without the indexes that can be made anew. Nobody else uses the store, and one that is cut off is thrown away."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-1000000"):
        driver.execute(f"PRAGMA {pragma}")
    found = driver.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    chosen = {name: made for name, made in found if name.startswith(("ix_item_", "ix_count_history"))}
    for name in chosen:
        driver.execute(f'DROP INDEX "{name}"')
    yield
    for made in chosen.values():
        driver.execute(made)
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "cache_size=-32768"):
        driver.execute(f"PRAGMA {pragma}")


def _counted_on(connection: Connection) -> None:
    """What PostgreSQL does by itself, sooner or later."""
    connection.exec_driver_sql("SELECT setval('item_id_seq', (SELECT max(id) FROM item))")
    connection.exec_driver_sql("ANALYZE")


def _summed_up(connection: Connection) -> None:
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(ROLLUP)
    for sums, names in ((item_sums(), ITEM_SUMS), (gain_sums(), GAINS)):
        made: Any = insert.from_select([column.name for column in sums.selected_columns], sums.where(true()))
        told = {name: made.excluded[name] for name in names}
        connection.execute(made.on_conflict_do_update(index_elements=ROLLUP_KEY, set_=told))
    spans.fill(connection)


class Made:
    """The items of a store of ``count``, the oldest first; those after the last one go on at the same pace."""

    def __init__(self, app: App, count: int, first: int = 0) -> None:
        self._ids = {name: app.brands[name].id for name in BRANDS}
        self._step, self._number, self.stored = YEARS / count, first, first
        self._writers = max(50, count // 12)

    def pages(self, until: int) -> Iterator[tuple[str, PageValues, datetime]]:
        """(source, page, when it was read)."""
        while self._number < until:
            end = min(self._number + BLOCK, until)
            drawn = random.Random(self._number)
            by_source = defaultdict[str, list[int]](list)
            for number in range(self._number, end):
                by_source[_chosen(_SOURCE_NAMES, _SOURCE_SHARES, drawn)].append(number)
            for source, numbers in by_source.items():
                for start in range(0, len(numbers), PAGE):
                    yield source, *self._page(source, numbers[start : start + PAGE], drawn)
            self._number = end

    def _page(self, source: str, numbers: list[int], drawn: random.Random) -> tuple[PageValues, datetime]:
        pairs = [self._item(source, number, drawn) for number in numbers]
        items = [cast(ItemValues, item) for item, _ in pairs]
        authors = [cast(AuthorValues, author) for _, author in pairs]
        page = PageValues(items, authors, {"number": numbers[-1]}, len(items))
        return page, items[-1]["counted_at"]

    def _item(self, source: str, number: int, drawn: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
        at = NOW - YEARS + self._step * number
        kind, language = KINDS.get(source, "mention"), _chosen(_LANGUAGES, _LANGUAGE_SHARES, drawn)
        writer = int(self._writers ** drawn.random())
        compound = round(drawn.gauss(0.1, 0.45) * 10_000) if language != "th" else None
        stars = drawn.choices((1, 2, 3, 4, 5), (18, 7, 9, 22, 44))[0] if kind == "review" else None
        said = _sentence(drawn)
        read = None if compound is None else _label(max(-10_000, min(10_000, compound)) / 10_000)
        rated = None if stars is None else ("negative", "negative", "neutral", "positive", "positive")[stars - 1]
        label = rated or read
        item = {
            **_NOTHING,
            "brand_id": self._ids[_chosen(_BRAND_NAMES, _BRAND_SHARES, drawn)],
            "external_id": _identity(source, number),
            "kind": kind,
            "published_at": at,
            "title": said[:30] if stars else None,
            "text": said,
            "url": f"https://{source}.example/{number}",
            "language": language,
            "author_id": writer * 6 + _SOURCE_NAMES.index(source),
            "author_name": f"writer {writer}",
            "label": label,
            "label_by": None if label is None else "stars" if stars else "text",
            "text_label": read,
            "compound": None if compound is None else max(-10_000, min(10_000, compound)),
            "scorer": None if compound is None else "made up",
            "unscored": "language" if label is None else None,
            "counted_at": at + timedelta(minutes=10),
            "fingerprint": blake2b(said.encode(), digest_size=16).hexdigest(),
            **_rating(stars),
            **_counts(drawn),
        }
        if stars:
            item |= _of_review(drawn, at)
        return item, _author(item, source, writer)


def _author(item: Mapping[str, Any], source: str, writer: int) -> dict[str, Any]:
    followers = None if source in KINDS else writer * 7919 % 3_000
    return {
        "id": item["author_id"],
        "platform": "hackernews",
        "external_id": f"{source}-{writer}",
        "name": item["author_name"],
        "followers": followers,
        "seen_at": item["counted_at"],
    }


def _rating(stars: int | None) -> dict[str, Any]:
    if stars is None:
        return {}
    label = ("negative", "negative", "neutral", "positive", "positive")[stars - 1]
    given = {"rating_value": float(stars), "rating_worst": 1.0, "rating_best": 5.0}
    return {**given, "stars": stars * 10_000, "star_cell": stars, "rating_label": label}


def _counts(drawn: random.Random) -> dict[str, int]:
    if drawn.random() < 0.6:
        return {"likes": 0, "shares": 0, "comments": 0}
    return {name: min(int(drawn.paretovariate(0.8)) - 1, 100_000) for name in ("likes", "shares", "comments")}


def _of_review(drawn: random.Random, at: datetime) -> dict[str, Any]:
    said = drawn.random() < 0.3
    return {
        "place": drawn.choice(_PLACES),
        "attributes": {"country": drawn.choice(_COUNTRIES), "app_version": f"{at.year % 100}.{at.month}"},
        "reply_text": "Thank you for telling us." if said else None,
        "reply_at": at + timedelta(hours=5) if said else None,
    }


def _identity(source: str, number: int) -> str:
    if source in ("shop", "market"):
        return blake2b(number.to_bytes(8), digest_size=12).hexdigest()
    return f"{number:09}"


def _label(compound: float) -> str:
    return "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"


def _sentence(drawn: random.Random) -> str:
    words = drawn.choices(_WORDS, cum_weights=_WORD_SHARES, k=drawn.randint(6, 22))
    if drawn.random() < 1 / 20_000:
        words.append(RARE)
    return " ".join(words)


def _chosen(names: list[str], shares: list[int], drawn: random.Random) -> str:
    return names[bisect_right(shares, drawn.random() * 100)]


def _vocabulary() -> list[str]:
    """Words that can be told apart, the short and common ones first."""
    drawn = random.Random(7)
    first = ["the", "it", "is", "not", "and", "with", "my", "after", "this", "very"]
    more = f"delivery parcel courier battery charger lid handle {COMMON} screen update broken helpful slow loud".split()
    syllables = [
        "ba",
        "ke",
        "li",
        "mo",
        "ru",
        "ta",
        "ne",
        "si",
        "po",
        "ga",
        "ve",
        "du",
        "ri",
        "sho",
        "la",
        "fen",
        "tor",
        "mil",
        "cra",
        "bel",
    ]
    made = ["".join(drawn.choices(syllables, k=2 + (number > 300))) for number in range(4_000)]
    return list(dict.fromkeys([*first, *more, *made]))


_WORDS: Final = _vocabulary()
_WORD_SHARES: Final = list(accumulate(1 / (rank + 4) for rank in range(len(_WORDS))))
_BRAND_NAMES, _BRAND_SHARES = list(BRANDS), list(accumulate(BRANDS.values()))
_SOURCE_NAMES, _SOURCE_SHARES = list(SOURCES), list(accumulate(SOURCES.values()))
_LANGUAGES, _LANGUAGE_SHARES = ["en", "de", "es", "th"], list(accumulate((80, 10, 8, 2)))
_PLACES: Final = [f"place {number}" for number in range(40)]
_COUNTRIES: Final = ("us", "gb", "de", "fr", "es", "nl", "se")
_NOTHING: Final[Mapping[str, Any]] = dict.fromkeys(ItemValues.__annotations__)
