"""The contract as named checks. :func:`contract` makes them of a :class:`Case`, and pytest runs them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from connectors.testing.bringing import BringsAll
from connectors.testing.failing import FailsByFate
from connectors.testing.platform import FakePlatform
from connectors.testing.pulls import (
    PAGES_AT_MOST,
    PULLS_AT_MOST,
    READ_SECONDS,
    SINCE,
    Case,
    CountingBudget,
    LimitedBudget,
    Pulls,
)

__all__ = [
    "CHECKS",
    "PAGES_AT_MOST",
    "PULLS_AT_MOST",
    "READ_SECONDS",
    "SINCE",
    "Case",
    "ContractSuite",
    "CountingBudget",
    "LimitedBudget",
    "Pulls",
    "contract",
]


class ContractSuite(BringsAll, FailsByFate):
    """The checks. Each is a method ``test_...``; a check listed in ``case.not_applicable`` passes as such."""

    @pytest.fixture
    def fake(self) -> Iterator[FakePlatform]:
        fake = self.case.fake()
        yield fake
        fake.close()

    @pytest.fixture
    def pulls(self, fake: FakePlatform) -> Pulls:
        return Pulls(self.case, fake)


def contract(case: Case) -> type[ContractSuite]:
    """All checks for this connector: give it a name that pytest collects, ``TestContract = contract(CASE)``."""
    return type(f"Test{case.plugin.name.title().replace('_', '')}", (ContractSuite,), {"case": case})


CHECKS: Sequence[str] = tuple(
    name.removeprefix("test_") for part in (BringsAll, FailsByFate) for name in vars(part) if name.startswith("test_")
)
