"""What rules would have caught of what is stored. Nothing is told, and nothing is changed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from monitor.rules import FRESH, Rule, Seen, hour_of
from storage import arrivals
from storage.arrivals import RuleItem
from storage.engine import Database

EXAMPLES: Final = 5


@dataclass
class Trial:
    """A rule's catch: how many of how many, by the day of their publication, and the newest few.

    ``busiest_hour``: the most of one hour, which is what ``max_per_hour`` is measured by.
    """

    rule: Rule
    caught: int = 0
    looked_at: int = 0
    by_day: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[datetime] = field(default_factory=Counter)
    examples: deque[RuleItem] = field(default_factory=lambda: deque(maxlen=EXAMPLES))

    @property
    def busiest_hour(self) -> int:
        return max(self.by_hour.values(), default=0)

    def look(self, item: RuleItem, zone: ZoneInfo) -> None:
        """As if the item had been seen when it was published, unless it was seen soon after."""
        self.looked_at += 1
        prompt = item.first_seen_at - item.published_at <= FRESH
        if self.rule.catches(Seen(item, item.first_seen_at if prompt else item.published_at)):
            self.caught += 1
            self.by_day[f"{item.published_at.astimezone(zone):%Y-%m-%d}"] += 1
            self.by_hour[hour_of(item.published_at)] += 1
            self.examples.append(item)


def try_out(
    database: Database,
    rules: Sequence[Rule],
    brands: Collection[str],
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
) -> list[Trial]:
    """Each rule on the counted items of these brands that were published in the window, in one pass over them."""
    trials = [Trial(rule) for rule in rules]
    tags = any(rule.looks_at_tags for rule in rules)
    wanted = _brands_of(rules, brands)
    for item in arrivals.stored(database, wanted, since, until, tags=tags) if trials else ():
        for trial in trials:
            if not trial.rule.brands or item.brand in trial.rule.brands:
                trial.look(item, zone)
    return trials


def _brands_of(rules: Iterable[Rule], brands: Collection[str]) -> list[str]:
    return [name for name in brands if any(not rule.brands or name in rule.brands for rule in rules)]
