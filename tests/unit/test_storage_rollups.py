"""The rollups are what the items say, whatever happens in whatever order."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from sqlalchemy import delete, update

from storage import marks
from storage.engine import open_database
from storage.records import ItemValues, Saved
from storage.rollups import Key, bucket_of, recompute
from storage.spans import pieces, repeated
from storage.tables import COUNT_HISTORY, ITEM, ROLLUP, ROLLUP_SPAN
from storage.verify import Difference, verify
from tests.fakes.storing import NOW, OLD, Shop, item

KEY = Key(1, 1, "mention", bucket_of(OLD))


def falsify(shop: Shop, **values: int) -> None:
    with shop.database.engine.begin() as connection:
        connection.execute(update(ROLLUP).values(values))


def test_verify_finds_and_mends_a_false_figure(shop: Shop) -> None:
    shop.pull(item("a"))
    falsify(shop, positive=5, likes_gained=9)
    found = [Difference(KEY, "positive", 5, 1), Difference(KEY, "likes_gained", 9, 0)]
    assert verify(shop.database) == found
    assert verify(shop.database, repair=True) == found
    assert verify(shop.database) == []


def test_verify_finds_and_mends_a_false_sum_of_a_longer_stretch(shop: Shop) -> None:
    shop.pull(item("a"))
    with shop.database.engine.begin() as connection:
        connection.execute(update(ROLLUP_SPAN).where(ROLLUP_SPAN.c.size == 96).values(positive=5))
    day = Key(1, 1, "mention", bucket_of(OLD) // 96 * 96)
    found = [Difference(day, "positive of 96 buckets", 5, 1)]
    assert verify(shop.database, repair=True) == found
    assert verify(shop.database) == []


def test_a_missing_longer_stretch_is_made_anew(shop: Shop) -> None:
    shop.pull(item("a"), item("b", published_at=NOW))
    with shop.database.engine.begin() as connection:
        connection.execute(delete(ROLLUP_SPAN))
    assert verify(shop.database, repair=True)
    assert verify(shop.database) == []


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 4), (1, 3), (4, 8), (3, 9_999), (95, 97), (0, 9_216), (7, 31)])
def test_pieces_are_every_bucket_once_and_few(low: int, high: int) -> None:
    found = pieces(low, high)
    assert [bucket for piece in found for bucket in range(piece.low, piece.high)] == list(range(low, high))
    assert all(piece.low % piece.size == piece.high % piece.size == 0 for piece in found)
    assert len(found) <= 9


@pytest.mark.parametrize("length", [1, 2, 4, 7, 24, 92, 96, 100, 672, 4_000])
@pytest.mark.parametrize("low", [0, 1, 88, 3_071])
def test_repeated_pieces_are_every_bucket_of_every_slice_once(low: int, length: int) -> None:
    found = repeated(3, low, low + 5 * length, length)
    buckets = [
        bucket + length * number for one in found for number in range(one.times) for bucket in range(*one.piece[1:])
    ]
    assert sorted(buckets) == list(range(low, low + 5 * length))


def test_verify_finds_and_mends_a_missing_row(shop: Shop) -> None:
    shop.pull(item("a", likes=7, published_at=NOW))
    with shop.database.engine.begin() as connection:
        connection.execute(delete(ROLLUP))
    found = {difference.column: (difference.stored, difference.true) for difference in verify(shop.database)}
    assert found["positive"] == (None, 1)
    assert found["likes_gained"] == (None, 7)
    verify(shop.database, repair=True)
    assert verify(shop.database) == []


def test_verify_empties_a_row_that_no_item_stands_behind(shop: Shop) -> None:
    shop.pull(item("a", published_at=OLD, likes=1), item("gone", kind="post"))
    shop.pull(item("a", published_at=OLD, likes=3))
    with shop.database.engine.begin() as connection:
        connection.execute(delete(ITEM).where(ITEM.c.external_id == "gone"))
    falsify(shop, neutral=4)  # in the row that holds nothing but growth, too
    assert {difference.true for difference in verify(shop.database, repair=True)} == {0}
    assert verify(shop.database) == []


def test_what_was_taken_away_is_recomputed_anew(shop: Shop) -> None:
    shop.pull(item("a", likes=5, published_at=OLD), item("b", published_at=OLD))
    shop.pull(item("a", likes=6, counted_at=OLD + timedelta(minutes=1), published_at=OLD))
    with shop.database.engine.begin() as connection:
        connection.execute(delete(COUNT_HISTORY))
        connection.execute(delete(ITEM).where(ITEM.c.external_id == "a"))
        recompute(connection, anew=[KEY])
    assert verify(shop.database) == []


def test_a_bucket_is_a_quarter_of_an_hour() -> None:
    assert bucket_of(NOW + timedelta(minutes=15)) == bucket_of(NOW) + 1
    assert bucket_of(NOW + timedelta(minutes=15, microseconds=-1)) == bucket_of(NOW)


# ------------------------------------------------------------------------------------------------- anything at all

LABELS = st.sampled_from([("positive", 6_000), ("negative", -6_000), (None, None)])
COUNT = st.none() | st.integers(-3, 40)
REASON = st.sampled_from([None, None, "excluded", "muted"])
WHICH = st.integers(0, 50)


class Ingest(RuleBasedStateMachine):
    """Two sources tell of the items of two brands, old and new, which grow, are edited, excluded and counted again."""

    empty_file: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        file = Path(self.folder.name) / "store.db"
        shutil.copyfile(self.empty_file, file)
        self.shop = Shop(open_database(f"sqlite:///{file}"))
        self.claims = {name: self.shop.claimed(name) for name in self.shop.names}
        self.now = NOW
        self.world: list[ItemValues] = []

    def teardown(self) -> None:
        self.shop.database.close()
        self.folder.cleanup()

    @rule(brand=st.sampled_from([1, 2]), hours=st.integers(0, 30), likes=COUNT, reason=REASON, stars=st.integers(-1, 5))
    def an_item_appears(self, brand: int, hours: int, likes: int | None, reason: str | None, stars: int) -> None:
        published_at = self.now - timedelta(hours=hours)
        given = {"brand_id": brand, "published_at": published_at, "likes": likes, "uncounted": reason, **rated(stars)}
        self.world.append(item(f"item {len(self.world)}", **given))

    @rule(which=WHICH, likes=COUNT, views=COUNT)
    @precondition(lambda self: self.world)
    def counts_change(self, which: int, likes: int | None, views: int | None) -> None:
        self._change(which, likes=likes, views=views)

    @rule(which=WHICH, text=st.sampled_from(["one", "two"]), label=LABELS, reason=REASON)
    @precondition(lambda self: self.world)
    def an_author_edits(self, which: int, text: str, label: tuple[str | None, int | None], reason: str | None) -> None:
        self._change(which, text=text, label=label[0], compound=label[1], uncounted=reason)

    @rule(minutes=st.integers(-30, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(source=st.sampled_from(["north", "north", "south"]))
    @precondition(lambda self: self.world)
    def a_source_is_pulled(self, source: str) -> None:
        page = [cast(ItemValues, {**entry, "counted_at": self.now}) for entry in self.world]
        self.shop.save(self.claims[source], *page, at=self.now)
        assert verify(self.shop.database) == []
        assert self.shop.save(self.claims[source], *page, at=self.now) == Saved()

    def _change(self, which: int, **values: Any) -> None:
        entry = self.world[which % len(self.world)]
        entry.update(cast(ItemValues, values))


def rated(stars: int) -> dict[str, Any]:
    """A review of so many stars; of 0 stars: a verdict of yes; of fewer: no review."""
    if stars < 0:
        return {}
    if stars == 0:
        return {"kind": "review", "rating_value": 1.0, "rating_label": "positive"}
    return {"kind": "review", "rating_value": float(stars), "stars": stars * 10_000, "star_cell": stars}


def test_the_rollups_are_right_after_anything(migrated_file: Path) -> None:
    Ingest.empty_file = migrated_file
    health = [HealthCheck.too_slow]
    Ingest.TestCase.settings = settings(
        max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=health
    )
    Ingest.TestCase("runTest").debug()


@pytest.mark.parametrize("column", ["stars_squares", "recommended", "replied", "views_known"])
def test_every_kind_of_figure_is_verified(shop: Shop, column: str) -> None:
    shop.pull(item("a", **rated(5), views=0), item("b", **rated(0), reply_text="thanks"))
    falsify(shop, **{column: 77})
    assert [difference.column for difference in verify(shop.database)] == [column]


def test_the_caches_learn_that_growth_counts_no_more(shop: Shop) -> None:
    shop.pull(item("a", likes=1, counted_at=OLD))
    shop.pull(item("a", likes=4, counted_at=NOW))
    before = shop.row(ROLLUP, bucket=bucket_of(NOW))
    (number,) = (row["id"] for row in shop.rows(ITEM))
    marks.mark(shop.database, [number], "not_about_us", None, NOW)
    after = shop.row(ROLLUP, bucket=bucket_of(NOW))
    assert (before["likes_gained"], after["likes_gained"]) == (3, 0)
    assert after["changes"] > before["changes"]
