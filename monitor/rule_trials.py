"""What rules would have caught of what is stored. Nothing is told, and nothing is changed."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from monitor.rules import FRESH, Rule, Seen, hour_of
from storage import arrivals
from storage.arrivals import RuleItem
from storage.engine import Database

EXAMPLES: Final = 5
AT_A_TIME: Final = 200
"""Items between two looks at the clock."""


@dataclass
class Trial:
    """A rule's catch: how many of how many, by the day of their publication, and the newest few.

    ``busiest_hour``: the most of one hour, which is what ``max_per_hour`` is measured by. ``back_to``: where time ran out, what
    was published from then on was looked at; ``None``: all of it was.
    """

    rule: Rule
    caught: int = 0
    looked_at: int = 0
    by_day: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[datetime] = field(default_factory=Counter)
    examples: deque[RuleItem] = field(default_factory=lambda: deque(maxlen=EXAMPLES))
    back_to: datetime | None = None

    @property
    def busiest_hour(self) -> int:
        return max(self.by_hour.values(), default=0)

    def look(self, item: RuleItem, zone: ZoneInfo, *, newest_first: bool = False) -> None:
        """As if the item had been seen when it was published, unless it was seen soon after."""
        self.looked_at += 1
        prompt = item.first_seen_at - item.published_at <= FRESH
        if self.rule.catches(Seen(item, item.first_seen_at if prompt else item.published_at)):
            self.caught += 1
            self.by_day[f"{item.published_at.astimezone(zone):%Y-%m-%d}"] += 1
            self.by_hour[hour_of(item.published_at)] += 1
            if not newest_first:
                self.examples.append(item)
            elif len(self.examples) < EXAMPLES:
                self.examples.appendleft(item)


def try_out(
    database: Database,
    rules: Sequence[Rule],
    brands: Collection[str],
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    *,
    seconds: float | None = None,
) -> list[Trial]:
    """Each rule on the counted items of these brands that were published in the window, in one pass over them.

    ``seconds``: no longer than that, the newest items first, each brand for a like part of the time.
    """
    trials = [Trial(rule) for rule in rules]
    tags = any(rule.looks_at_tags for rule in rules)
    wanted = _brands_of(rules, brands) if trials else []
    if seconds is None:
        for item in arrivals.stored(database, wanted, since, until, tags=tags) if wanted else ():
            _look(trials, item, zone)
        return trials
    for name in wanted:
        items = arrivals.stored(database, [name], since, until, tags=tags, newest_first=True)
        with closing(items):  # which ends its transaction
            _look_for(trials, items, zone, seconds / len(wanted))
    return trials


def _look(trials: Iterable[Trial], item: RuleItem, zone: ZoneInfo, *, newest_first: bool = False) -> None:
    for trial in trials:
        if not trial.rule.brands or item.brand in trial.rule.brands:
            trial.look(item, zone, newest_first=newest_first)


def _look_for(trials: Sequence[Trial], items: Iterable[RuleItem], zone: ZoneInfo, seconds: float) -> None:
    end = time.monotonic() + seconds
    for number, item in enumerate(items):
        if number and number % AT_A_TIME == 0 and time.monotonic() >= end:
            for trial in trials:
                trial.back_to = max(item.published_at, trial.back_to or item.published_at)
            return
        _look(trials, item, zone, newest_first=True)


def _brands_of(rules: Iterable[Rule], brands: Collection[str]) -> list[str]:
    return [name for name in brands if any(not rule.brands or name in rule.brands for rule in rules)]
