"""The daemon's upkeep: once a day, on one daemon, and never what a brand keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from monitor.app import App, build
from monitor.config.faults import ConfigError
from monitor.config.load import parse
from monitor.retention import Upkeep, aged, limits
from storage import retention
from storage.erasure import GONE, erase
from storage.tables import ITEM
from tests.fakes.storing import NOW, Shop, item

DAY = timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


def opened(folder: Path, clock: Clock, **monitor: Any) -> App:
    brands = [{"name": "Acme", "keep": "30d"}, {"name": "Rival"}]
    settings = parse({"monitor": {"database": f"sqlite:///{folder}/store.db", **monitor}, "brands": brands})
    return build(settings, now=clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[App]:
    app = opened(tmp_path, clock)
    yield app
    app.close()


def with_words(shop: Shop) -> list[str]:
    return [row["external_id"] for row in shop.rows(ITEM) if row["text"] is not None]


def test_once_a_day_old_words_go(app: App, clock: Clock) -> None:
    shop = Shop(app.database)
    shop.pull(
        *(item(f"p{n}", published_at=NOW - n * DAY) for n in (1, 29, 31)),
        item("r", brand_id=2, published_at=NOW - 90 * DAY),
    )
    upkeep = Upkeep(app)
    upkeep.look(Event())
    assert with_words(shop) == ["p1", "p29", "r"]
    clock.at = NOW + 23 * timedelta(hours=1)
    shop.pull(item("late", published_at=NOW - 40 * DAY))
    Upkeep(app).look(Event())  # another daemon, the same day
    assert "late" in with_words(shop)
    clock.at = NOW + 2 * DAY
    upkeep.look(Event())
    assert with_words(shop) == ["p1", "r"]


def test_what_was_cut_off_goes_on_at_the_next_look(app: App, clock: Clock) -> None:
    shop = Shop(app.database)
    shop.pull(item("p", published_at=NOW - 40 * DAY))
    stop = Event()
    stop.set()
    upkeep = Upkeep(app)
    upkeep.look(stop)
    assert with_words(shop) == ["p"]
    clock.at = NOW + timedelta(minutes=11)
    upkeep.look(Event())
    assert with_words(shop) == []


def test_the_index_forgets_what_was_erased_since_though_nothing_has_grown_old(app: App, clock: Clock) -> None:
    shop = Shop(app.database)
    shop.pull(item("gone"))
    (number,) = (row["id"] for row in shop.rows(ITEM))
    app.database.write(lambda connection: erase(connection, [number], clock.at, reason=GONE))
    assert retention.is_unclean(app.database)
    Upkeep(app).look(Event())
    assert not retention.is_unclean(app.database)


def test_a_brands_own_word_goes_before_the_common_one(tmp_path: Path, clock: Clock) -> None:
    app = opened(tmp_path, clock, keep="2y")
    assert limits(app) == {"Acme": NOW - 30 * DAY, "Rival": NOW - 730 * DAY}
    assert [(one.brand, one.items) for one in aged(app)] == [("Acme", 0), ("Rival", 0)]
    app.close()


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"monitor": {"keep": "3h"}}, "monitor.keep"),
        ({"privacy": {"authors": "gone"}}, "privacy.authors"),
        ({"privacy": {"key": "short"}}, "privacy.key"),
        ({"privacy": {"redact": ["face"]}}, "privacy.redact"),
        ({"privacy": {"key": "env:NO_SUCH_VARIABLE_HERE"}}, "privacy.key"),
    ],
)
def test_what_makes_no_sense_is_named(table: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        parse({"monitor": {}, "brands": [{"name": "Acme"}], **table})


def test_the_stores_own_key_stays_the_same(tmp_path: Path, clock: Clock) -> None:
    data = {
        "monitor": {"database": f"sqlite:///{tmp_path}/store.db"},
        "brands": [{"name": "Acme"}],
        "privacy": {"authors": "hashed"},
    }
    keys = []
    for _ in range(2):
        app = build(parse(data), now=clock)
        keys.append(app.privacy.key)
        app.close()
    assert keys[0] is not None
    assert keys[0] == keys[1]
    given = build(parse({**data, "privacy": {"authors": "hashed", "key": "a long enough secret"}}), now=clock)
    assert given.privacy.key not in (None, keys[0])
    given.close()
