"""Request budgets in the configuration, and what a connector is given to take from."""

from __future__ import annotations

import time
import tomllib
from datetime import timedelta
from threading import Event, Timer

import pytest

from connectors.contract import Unlimited
from connectors.errors import Malformed, RateLimited, Unavailable
from monitor.budgets import BudgetSpent, SharedBudget, budget_of, left, purse_of
from monitor.config import ConfigError, Settings, parse
from monitor.config.limits import limit, limits
from storage.engine import Database
from storage.records import Limit

CONFIG = """
[[brands]]
name = "Acme"
[[accounts]]
name = "shared"
type = "hackernews"
requests = {requests}
[[sources]]
name = "one"
type = "hackernews"
account = "shared"
brand = "Acme"
[[sources]]
name = "two"
type = "hackernews"
account = "shared"
brand = "Acme"
[[sources]]
name = "alone"
type = "hackernews"
brand = "Acme"
requests = "2/1h"
[[sources]]
name = "free"
type = "hackernews"
brand = "Acme"
"""


def settings(requests: str = '"3/1d"') -> Settings:
    return parse(tomllib.loads(CONFIG.format(requests=requests)))


def taken(settings: Settings, database: Database, name: str) -> int:
    """How many requests a source may make before it must wait."""
    budget, count = budget_of(settings, database, settings.source(name), Event()), 0
    while True:
        try:
            budget.take()
        except RateLimited:
            return count
        count += 1


def test_a_limit_is_a_number_in_a_time() -> None:
    assert limit("100/1m") == Limit(100, timedelta(minutes=1))
    assert limits(["60 / 1m", "1000/1h", "10000/1d"])[1:] == [
        Limit(1000, timedelta(hours=1)),
        Limit(10_000, timedelta(days=1)),
    ]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('"100"', '"100" is no limit; write how many in how long, such as "60/1m"'),
        ('"many/1m"', '"many/1m" is no limit; write how many'),
        ('"-5/1m"', '"-5/1m" is no limit; write how many'),
        ('"0/1m"', '"0/1m" would never allow a request; allow one or more'),
        ('"60/minute"', "duration 'minute': not understood; write a number and"),
        ('"60/0s"', '"60/0s": a period lasts from 1s to 31d; write another'),
        ('"60/52w"', '"60/52w": a period lasts from 1s to 31d; write another'),
        ('["60/1m", "90/60s"]', "has two limits for one period; keep the smaller one"),
    ],
)
def test_a_limit_that_makes_no_sense_is_a_fault_with_its_remedy(text: str, fact: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(text)
    (fault,) = caught.value.faults
    assert fault.place.startswith("accounts.shared.requests")
    assert str(fault).removeprefix(f"{fault.place}: ").startswith(fact)


def test_a_number_is_no_limit() -> None:
    with pytest.raises(ConfigError, match=r"accounts\.shared\.requests"):
        settings("60")


def test_a_source_with_an_account_has_no_budget_of_its_own() -> None:
    text = CONFIG.format(requests='"3/1d"').replace('account = "shared"', 'account = "shared"\nrequests = "1/1m"', 1)
    with pytest.raises(ConfigError) as caught:
        parse(tomllib.loads(text))
    (fault,) = caught.value.faults
    assert str(fault) == (
        "sources.one.requests: the source has an account; move it to the account shared, whose sources share it"
    )


def test_the_sources_of_an_account_share_its_budget(database: Database) -> None:
    found = settings()
    assert budget_of(found, database, found.source("one"), Event()).take(2) is None  # type: ignore[func-returns-value]
    assert taken(found, database, "two") == 1
    assert taken(found, database, "one") == 0
    purse = purse_of(found, found.source("one"))
    assert purse is not None
    assert [one.units for one in left(database, purse)] == [0]


def test_a_source_without_an_account_may_have_a_budget_of_its_own(database: Database) -> None:
    found = settings()
    assert taken(found, database, "alone") == 2
    assert taken(found, database, "one") == 3
    assert isinstance(budget_of(found, database, found.source("free"), Event()), Unlimited)


def test_a_spent_budget_says_whose_it_is_and_how_long_to_wait(database: Database) -> None:
    found = settings('["1000/1h", "1/1d"]')
    budget = budget_of(found, database, found.source("one"), Event())
    budget.take()
    with pytest.raises(
        BudgetSpent, match=r'the request budget of account "shared" is spent \(1000/1h, 1/1d\)'
    ) as caught:
        budget.take()
    assert caught.value.retry_after is not None
    assert timedelta(hours=24) <= caught.value.retry_after <= timedelta(hours=24, minutes=24)


def test_a_short_wait_is_waited_out(database: Database) -> None:
    found = settings('"2/1s"')
    budget = budget_of(found, database, found.source("one"), Event())
    begun = time.monotonic()
    for _ in range(4):
        budget.take()
    assert 0.9 <= time.monotonic() - begun < 5


def test_a_stop_ends_the_waiting(database: Database) -> None:
    found, stop = settings('"1/1h"'), Event()
    purse = purse_of(found, found.source("one"))
    assert purse is not None
    budget = SharedBudget(database, purse, stop, patience=timedelta(hours=2))
    budget.take()
    Timer(0.1, stop.set).start()
    with pytest.raises(Unavailable, match="stopping"):
        budget.take()


def test_a_request_that_costs_more_than_the_whole_budget_says_what_to_raise(database: Database) -> None:
    found = settings('"5/1h"')
    with pytest.raises(Malformed, match=r"one request costs 100, .* is less \(5/1h\); raise requests"):
        budget_of(found, database, found.source("one"), Event()).take(100)
