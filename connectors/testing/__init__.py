"""What a connector is tested with: a fake of its platform on loopback, and one suite of named checks.

A connector of your own passes them in three lines::

    pytest_plugins = ["connectors.testing.plugin"]
    CASE = Case(plugin=PLUGIN, fake=MyFakePlatform)
    TestContract = contract(CASE)

Needs pytest: ``pip install "sentiment-monitor[testing]"``. ``docs/connectors/writing.md`` leads through it.
"""

try:
    import pytest as _pytest  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'connectors.testing: needs pytest; pip install "sentiment-monitor[testing]"', name="pytest"
    ) from error

from connectors.testing.listing import Between, ByNumber, ByOffset, ByToken, FakeListing
from connectors.testing.loopback import Fault, Reply, Request
from connectors.testing.platform import FakePlatform, Seed
from connectors.testing.pulls import Case, Pulls
from connectors.testing.receiving import PushCase, PushSuite
from connectors.testing.suite import CHECKS, ContractSuite, contract

__all__ = [
    "CHECKS",
    "Between",
    "ByNumber",
    "ByOffset",
    "ByToken",
    "Case",
    "ContractSuite",
    "FakeListing",
    "FakePlatform",
    "Fault",
    "Pulls",
    "PushCase",
    "PushSuite",
    "Reply",
    "Request",
    "Seed",
    "contract",
]
