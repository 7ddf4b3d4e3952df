"""A Stack Exchange source as the daemon drives it, with other options and keywords than the suite's."""

from __future__ import annotations

from typing import Any

from connectors.contract import Connector, Context, RequestBudget, Unlimited
from connectors.stackexchange import PLUGIN
from connectors.testing import Case, FakePlatform
from connectors.testing.suite import Pulls


class Source(Pulls):
    read_seconds = total_seconds = 60.0  # its fake takes its time over thousands of items

    def __init__(self, fake: FakePlatform, *terms: str, **options: Any) -> None:
        super().__init__(Case(plugin=PLUGIN, fake=lambda: fake), fake)
        self.terms = terms or ("acme",)
        self.options = {**fake.options(), **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        options = PLUGIN.options.model_validate({"base_url": self.fake.base_url, **self.options})
        return PLUGIN.open(options, context)
