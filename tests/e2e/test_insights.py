"""The item part of a report agrees with the rollups, with the items, and with itself after a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest

from monitor.app import App
from monitor.quotes import with_words, without_words
from monitor.report import build_report
from monitor.schedule import Window, span
from storage import queries
from storage.records import ItemFilter
from storage.tables import ITEM
from tests.fakes import samples
from tests.fakes.samples import NOW


@pytest.fixture(scope="module")
def app(pulled_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The sample brands, pulled."""
    made = samples.opened(samples.copied(pulled_samples, tmp_path_factory.mktemp("insights")))
    yield made
    made.close()


@pytest.fixture
def window(app: App) -> Window:
    return span(NOW - timedelta(days=14), NOW, app.settings.monitor.zone)


def test_groups_add_up_to_the_whole(app: App, window: Window) -> None:
    brand = build_report(app, ["Larkspur"], window).brands[0]
    by_source = brand.breakdowns["source"]
    assert sum(group.volume for group in by_source) == brand.volume.mentions + brand.volume.reviews
    assert sum(group.social.positive for group in by_source) == brand.social.positive
    assert sum(group.reviews.total for group in by_source) == brand.reviews.total
    assert {group.name: group.social.total for group in by_source if group.social.total} == {
        source.source: source.social.total for source in brand.by_source if source.social.total
    }


def test_a_topic_counts_the_items_that_name_it(app: App, window: Window) -> None:
    brand = build_report(app, ["Larkspur"], window).brands[0]
    sync = next(topic for topic in brand.topics if topic.name == "sync")
    wanted = ItemFilter(brand="Larkspur", kinds=("mention", "review"), since=window.start, until=window.end)
    found = queries.items(app.database, wanted, limit=10_000)
    words = ("sync", "syncs", "syncing", "synced")
    naming = [item for item in found if set(words) & set(_words(f"{item.title or ''} {item.text or ''}"))]
    assert sync.volume == len(naming) > 20
    assert sync.social.negative == sum(item.kind == "mention" and item.label == "negative" for item in naming)


def _words(text: str) -> list[str]:
    return "".join(char.lower() if char.isalnum() else " " for char in text).split()


def test_clusters_widen_the_interval(app: App, window: Window) -> None:
    whole = build_report(app, ["Larkspur"], window).brands[0].social
    plain = build_report(app, ["Larkspur"], window, items=False).brands[0].social
    assert (whole.score, whole.total, plain.deff) == (plain.score, plain.total, None)
    assert whole.deff is not None
    assert whole.deff >= 1
    assert (whole.high or 0) - (whole.low or 0) >= (plain.high or 0) - (plain.low or 0)


def test_answers_are_counted_where_they_can_be_seen(app: App, window: Window) -> None:
    answered = build_report(app, ["Larkspur"], window).brands[0].reviews.rating.answered
    wanted = ItemFilter(brand="Larkspur", kinds=("review",), since=window.start, until=window.end)
    reviews = queries.items(app.database, wanted, limit=10_000)
    replied = [item for item in reviews if item.reply_text is not None]
    hours = [(item.reply_at - item.published_at) / timedelta(hours=1) for item in replied if item.reply_at is not None]
    assert answered is not None
    assert (answered.reviews, answered.answered) == (len(reviews), len(replied))
    assert answered.unanswered == len(reviews) - len(replied)
    assert answered.median_hours == pytest.approx(median(hours))


def test_authors_are_those_of_the_items(app: App, window: Window) -> None:
    authors = build_report(app, ["Larkspur"], window).brands[0].authors
    wanted = ItemFilter(brand="Larkspur", kinds=("mention", "review"), since=window.start, until=window.end)
    rows = app.database.read(
        lambda connection: connection.execute(
            ITEM.select().where(ITEM.c.published_at >= window.start, ITEM.c.published_at < window.end)
        ).all()
    )
    brand_id = app.brands["Larkspur"].id
    counted = [row for row in rows if row.brand_id == brand_id and row.uncounted is None and row.kind in wanted.kinds]
    items = Counter(str(row.author_id) for row in counted if row.author_id is not None)
    assert authors.total == len(items)
    assert {author.id: author.items for author in (*authors.engaged, *authors.rising)}.items() <= items.items()
    received = [author.engagement or 0 for author in authors.engaged]
    assert received == sorted(received, reverse=True)
    assert all(author.items - author.before >= 3 for author in authors.rising)


def test_a_driver_names_items_that_say_it(app: App, window: Window) -> None:
    drivers = build_report(app, ["Larkspur"], window).brands[0].drivers
    terms = [*drivers.negative, *drivers.positive, *drivers.new]
    assert any(term.clear for term in drivers.new)
    for driver in terms:
        stem = driver.term.split()[0][:4]
        assert len(driver.examples) == min(3, driver.authors)
        assert all(stem in f"{quote.title or ''} {quote.text or ''}".lower() for quote in driver.examples)
    assert all("larkspur" not in driver.term for driver in terms)
    assert {quote.label for driver in drivers.negative for quote in driver.examples} == {"negative"}


def test_the_brand_is_compared_with_its_competitor(app: App, window: Window) -> None:
    brand, rival = build_report(app, ["Larkspur", "Jotwick"], window).brands
    (told,) = brand.competitors
    assert told.brand == "Jotwick"
    assert told.social == rival.social
    assert told.social_difference.delta == pytest.approx((brand.social.score or 0) - (rival.social.score or 0))
    assert (brand.volume.share_of_voice or 0) + (told.share_of_voice or 0) == pytest.approx(1)


def test_a_stored_report_holds_nobodys_words_or_names(app: App, window: Window) -> None:
    report = build_report(app, ["Larkspur"], window)
    stored = without_words(report)
    brand = stored["brands"][0]
    quotes = [
        quote for side in ("negative", "positive", "new") for d in brand["drivers"][side] for quote in d["examples"]
    ]
    assert quotes
    assert all(quote["text"] is None and quote["author"] is None for quote in quotes)
    assert all(
        author["name"] is None for part in ("engaged", "followed", "rising") for author in brand["authors"][part]
    )
    assert with_words(app, stored) == report


def test_the_item_part_is_remembered_until_an_item_changes(app: App, window: Window) -> None:
    read: list[str] = []

    def first() -> object:
        read.append("made")
        return object()

    kept = app.remembered("key", first)
    assert app.remembered("key", first) is kept
    assert read == ["made"]
    before = build_report(app, ["Jotwick"], window).brands[0]
    with app.database.engine.begin() as connection:
        for table in ("rollup", "rollup_span"):
            connection.exec_driver_sql(f"UPDATE {table} SET changes = changes + 1")
        connection.exec_driver_sql("UPDATE item SET place = 'elsewhere'")
    after = build_report(app, ["Jotwick"], window).brands[0]
    assert {group.name for group in after.breakdowns["place"]} == {"elsewhere"}
    assert after.social == before.social
