"""A Reddit source as the daemon drives it, with options of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import Gap, RequestBudget, Unlimited
from connectors.reddit import PLUGIN, Reddit
from connectors.reddit_options import RedditOptions
from connectors.testing import Case
from connectors.testing.suite import Pulls
from tests.fakes.reddit import FakeReddit


class Source(Pulls):
    """Its pulls, and what they left."""

    def __init__(self, fake: FakeReddit, **options: Any) -> None:
        super().__init__(Case(plugin=PLUGIN, fake=lambda: fake), fake)
        self.options = options

    def open(self, budget: RequestBudget | None = None) -> Reddit:
        given = {"base_url": self.fake.base_url, **self.fake.options(), **self.options}
        return Reddit(RedditOptions.model_validate(given), self.context(budget or Unlimited()))

    @property
    def gaps(self) -> list[Gap]:
        return [page.gap for page in self.pages if page.gap]

    def state(self, listing: str) -> Mapping[str, Any]:
        """What the cursor holds of one listing."""
        cursor: Any = self.cursor
        state: Mapping[str, Any] = cursor["listings"][listing]
        return state
