"""A rule tried on what is stored, for as long as there is time."""

from __future__ import annotations

from datetime import timedelta

from monitor.config import parse
from monitor.firing import condition
from monitor.rule_trials import AT_A_TIME, EXAMPLES, Trial, try_out
from monitor.rules import Rule
from storage.engine import Database
from tests.fakes.storing import NOW, Shop, item

MINUTE = timedelta(minutes=1)
STORED = 2 * AT_A_TIME


def tried(shop: Shop, seconds: float | None) -> Trial:
    settings = parse({"brands": [{"name": "Acme"}, {"name": "Rival"}]})
    rule = Rule("all", condition(settings, "likes >= 0"))
    zone = settings.monitor.zone
    (trial,) = try_out(shop.database, [rule], ["Acme"], NOW - timedelta(days=9), NOW, zone, seconds=seconds)
    return trial


def test_without_a_limit_and_with_enough_time_a_trial_comes_to_the_same(database: Database) -> None:
    shop = Shop(database)
    shop.pull(*(item(f"{n:04}", published_at=NOW - (n + 1) * MINUTE, likes=1) for n in range(STORED)))
    whole, in_time, too_long = tried(shop, None), tried(shop, 60.0), tried(shop, 0.0)
    for trial in (whole, in_time):
        assert (trial.looked_at, trial.caught, trial.back_to) == (STORED, STORED, None)
        assert [one.published_at for one in trial.examples] == [NOW - n * MINUTE for n in range(EXAMPLES, 0, -1)]
    assert (too_long.looked_at, too_long.back_to) == (AT_A_TIME, NOW - (AT_A_TIME + 1) * MINUTE)
    assert list(too_long.examples) == list(whole.examples)
