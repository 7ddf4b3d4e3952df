"""A request budget is never overspent in any rolling period, whoever shares it, and what is refused costs nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from storage.budgets import SLOTS, left, take
from storage.engine import Database, open_database
from storage.people_tables import BUDGET
from storage.records import Limit
from tests.fakes.storing import NOW, Shop

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


class Purse:
    """An account's budget, and a clock of its own."""

    def __init__(self, database: Database, *limits: Limit) -> None:
        self.database, self.limits, self.now = database, limits, NOW

    def take(self, units: int = 1) -> timedelta | None:
        return take(self.database, "account a", self.limits, units, lambda: self.now)

    def spend_all(self) -> int:
        """How many units there were."""
        spent = 0
        while self.take() is None:
            spent += 1
        return spent


def test_a_limit_is_spent_to_its_end_and_no_further(database: Database) -> None:
    purse = Purse(database, Limit(5, MINUTE))
    assert purse.spend_all() == 5
    purse.now += MINUTE - SECOND
    assert purse.take() is not None
    purse.now += 2 * SECOND
    assert purse.spend_all() == 5


def test_what_is_refused_costs_nothing(database: Database) -> None:
    purse = Purse(database, Limit(3, MINUTE), Limit(100, DAY))
    assert purse.take(2) is None
    assert purse.take(2) is not None
    assert purse.take(1) is None
    assert [one.spent for one in left(database, "account a", purse.limits, lambda: purse.now)] == [3, 3]


def test_the_wait_that_is_told_is_the_true_one(database: Database) -> None:
    purse = Purse(database, Limit(4, MINUTE), Limit(6, HOUR))
    for step in (0, 10, 3, 1):
        purse.now += step * SECOND
        assert purse.take() is None
    for units in (1, 2, 3, 4):
        wait = purse.take(units)
        assert wait is not None
        before = purse.now
        purse.now += wait - timedelta(microseconds=1)
        assert purse.take(units) is not None, "a moment earlier there was no room"
        purse.now += timedelta(microseconds=1)
        spent = left(database, "account a", purse.limits, lambda: purse.now)[0].spent
        assert spent + units <= 4
        purse.now = before
    assert purse.take(3) is not None
    purse.now += HOUR * (1 + 1 / SLOTS)
    assert purse.take(4) is None


def test_no_rolling_period_sees_more_than_its_limit(database: Database) -> None:
    limits = (Limit(7, timedelta(seconds=7)), Limit(20, MINUTE))
    purse, random, taken = Purse(database, *limits), Random(7), []
    for _ in range(400):
        wait = purse.take(units := random.choice((1, 1, 2)))
        if wait is None:
            taken.append((purse.now, units))
        elif random.random() < 0.4:
            purse.now += wait
        purse.now += timedelta(seconds=random.expovariate(1.5))
    assert len(taken) > 100
    for limit in limits:
        for start, _ in taken:
            spent = sum(units for at, units in taken if start <= at <= start + limit.period)
            assert spent <= limit.amount


def test_little_is_given_away_by_counting_in_slots(database: Database) -> None:
    """Whoever waits as told spends the limit in a period and a sixtieth."""
    purse = Purse(database, Limit(10, MINUTE))
    begun, spent = purse.now, 0
    while spent < 100:
        wait = purse.take()
        purse.now += wait or timedelta(0)
        spent += wait is None
    assert purse.now - begun <= 9 * MINUTE * (1 + 1 / SLOTS) + SECOND


def test_accounts_have_budgets_of_their_own(database: Database) -> None:
    limits = [Limit(1, MINUTE)]
    assert take(database, "a", limits, 1, lambda: NOW) is None
    assert take(database, "b", limits, 1, lambda: NOW) is None
    assert take(database, "a", limits, 1, lambda: NOW) is not None


def test_more_at_once_than_the_whole_budget_is_refused_as_what_it_is(database: Database) -> None:
    with pytest.raises(ValueError, match="more than the whole budget"):
        take(database, "a", [Limit(5, MINUTE)], 6)


def test_a_clock_that_was_put_back_holds_nobody_up_for_longer_than_a_period(database: Database) -> None:
    purse = Purse(database, Limit(3, MINUTE))
    assert purse.spend_all() == 3
    purse.now -= 30 * DAY
    wait = purse.take()
    assert wait is not None
    assert wait <= MINUTE * (1 + 1 / SLOTS)
    purse.now += wait
    assert purse.spend_all() == 3


def test_old_slots_are_cleaned(shop: Shop) -> None:
    purse = Purse(shop.database, Limit(1000, MINUTE), Limit(100_000, DAY))
    for _ in range(200):
        assert purse.take() is None
        purse.now += 3 * SECOND
    assert len(shop.rows(BUDGET)) <= 2 * (SLOTS + 2)
    purse.now += 2 * DAY
    assert purse.take() is None
    assert len(shop.rows(BUDGET)) == 2


def test_what_is_left_is_told(database: Database) -> None:
    purse = Purse(database, Limit(2, MINUTE), Limit(10, DAY))
    fresh = left(database, "account a", purse.limits, lambda: purse.now)
    assert [(one.units, one.wait) for one in fresh] == [(2, None), (10, None)]
    purse.spend_all()
    minute, day = left(database, "account a", purse.limits, lambda: purse.now)
    assert (minute.units, day.units, day.wait) == (0, 8, None)
    assert minute.wait is not None
    assert MINUTE <= minute.wait <= MINUTE + SECOND


def test_many_at_once_never_overspend(database_url: str, database: Database) -> None:
    limits = [Limit(40, DAY)]

    def greedy(_: int) -> int:
        own = open_database(database_url)
        spent = sum(take(own, "account a", limits) is None for _ in range(25))
        own.close()
        return spent

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(greedy, range(4))) == 40
    assert [one.units for one in left(database, "account a", limits)] == [0]


def test_the_database_s_own_clock_is_the_usual_one(database: Database) -> None:
    limits = [Limit(3, MINUTE)]
    waits = [take(database, "account a", limits) for _ in range(4)]
    assert waits[:3] == [None] * 3
    assert waits[3] is not None
    assert timedelta(0) < waits[3] <= MINUTE * (1 + 1 / SLOTS)
