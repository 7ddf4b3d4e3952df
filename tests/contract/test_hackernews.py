from __future__ import annotations

from connectors.hackernews import PLUGIN
from connectors.testing import Case, ContractSuite
from tests.fakes.hackernews import FakeHackerNews


class TestHackerNews(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeHackerNews)
