"""What is new goes past the rules: who is caught is told in the transaction that forgets it is new.

A crash before that transaction leaves the arrivals where they are, for the next look; after it there is nothing to do. Of
several daemons that look at once, one takes an arrival away and tells.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from threading import Event
from typing import Final

from sqlalchemy import Connection

from monitor import likeness, notices, rules
from monitor.app import App
from monitor.config.models import Settings, SourceSettings
from monitor.config.watching import RuleSettings
from monitor.expressions import Condition
from monitor.routing import routes
from monitor.rules import Rule, Seen
from storage import arrivals
from storage.arrivals import Key, RuleItem, Waiting
from storage.records import Claim

LOG = logging.getLogger("sentiment_monitor.rules")
AT_ONCE: Final = 1_000
"""Items that go past the rules in one transaction."""


def rules_of(settings: Settings) -> list[Rule]:
    """The rules that are enabled, ready for use."""
    return [ready(settings, rule) for rule in settings.rules if rule.enabled]


def ready(settings: Settings, rule: RuleSettings) -> Rule:
    """A rule, ready for use."""
    made = condition(settings, rule.when)
    return Rule(rule.name, made, frozenset(rule.brands), tuple(rule.channels), rule.max_per_hour)


def condition(settings: Settings, when: str) -> Condition:
    """An expression on the items of this configuration. ``QueryError`` where it is faulty."""
    brands, sources = (tuple(one.name for one in named) for named in (settings.brands, settings.sources))
    return rules.condition(when, brands, sources)


def news_since(app: App, source: SourceSettings, claim: Claim) -> datetime | None:
    """From when on what a pull of this source brings is news to the rules; ``None`` where there are none."""
    if not any(rule.enabled for rule in app.settings.rules):
        return None
    return rules.news_since(app.now(), app.every(source), claim.asked_since)


def begin(app: App, others: Sequence[str] = ()) -> None:
    """Note which rules there are from now on: what came before them is not theirs. ``others``: those of further daemons."""
    known = list(dict.fromkeys([*(rule.name for rule in app.settings.rules if rule.enabled), *others]))

    def work(connection: Connection) -> None:
        arrivals.alone(connection)
        arrivals.known_since(connection, known, app.now(), forget=True)

    app.database.write(work)


def act(app: App, stop: Event | None = None) -> int:
    """Let all that is new go past the rules, and sum up hours that are over; how many notices were queued.

    What whoever stored it left undone is done first: copies that do not count are not told.
    """
    likeness.settle(app)
    known = rules_of(app.settings)
    if not known:
        return 0
    queued, tags = 0, any(rule.looks_at_tags for rule in known) or any(one.tags for one in app.settings.channels)
    while not (stop is not None and stop.is_set()):
        found = arrivals.waiting(app.database, AT_ONCE, tags=tags)
        queued += _judge(app, known, found) if found else 0
        if len(found) < AT_ONCE:
            break
    return queued + _sum_up(app, known)


# ------------------------------------------------------------------------------------------------- one look


def _judge(app: App, known: Sequence[Rule], found: Sequence[Waiting]) -> int:
    now = app.now()
    caught = {rule.name: _caught(rule, found, now) for rule in known}

    def work(connection: Connection) -> int:
        arrivals.alone(connection)
        since = arrivals.known_since(connection, [rule.name for rule in known], now)
        mine = arrivals.take(connection, [one.key for one in found])
        ours = {
            rule: [one for one in caught[rule.name] if one.key in mine and one.at >= since[rule.name]] for rule in known
        }
        return sum(_tell(app, connection, rule, those, now) for rule, those in ours.items() if those)

    return app.database.write(work)


def _caught(rule: Rule, found: Sequence[Waiting], now: datetime) -> list[Waiting]:
    """What arrived as it still is: of an item rated twice since, only the last rating counts."""
    return [one for one in found if one.version == one.item.version and rule.catches(Seen(one.item, now))]


def _tell(app: App, connection: Connection, rule: Rule, caught: Sequence[Waiting], now: datetime) -> bool:
    """Fire for those for which the rule has not, and queue a notice for as many as the hour has room for."""
    hour = rules.hour_of(now)
    fresh = arrivals.fire(connection, rule.name, [one.key for one in caught], now)
    ours = [one for one in caught if one.key in fresh]
    room = max(0, rule.max_per_hour - arrivals.told_since(connection, rule.name, hour))
    told = ours[:room]
    LOG.info("fired rule=%s items=%d told=%d", rule.name, len(ours), len(told))
    if not told:
        return False
    anew = {one.item.id for one in told if one.item.first_seen_at < one.at}

    def said(items: Sequence[RuleItem]) -> rules.Said:
        again = sum(item.id in anew for item in items)
        return rules.fired(rule, items, again, len(ours) - len(told), hour, app.settings.monitor.zone)

    _queue(app, connection, rule, said, [one.item for one in told], [one.key for one in told], now)
    return True


def _sum_up(app: App, known: Sequence[Rule]) -> int:
    """The rest of each hour that is over, each in one notice."""
    now = app.now()
    left = arrivals.rules_untold(app.database, [rule.name for rule in known], rules.hour_of(now))
    over = [rule for rule in known if rule.name in left]
    if not over:
        return 0

    def work(connection: Connection) -> int:
        arrivals.alone(connection)
        since = arrivals.known_since(connection, [rule.name for rule in over], now)
        return sum(_sum_up_rule(app, connection, rule, since[rule.name], now) for rule in over)

    return app.database.write(work)


def _sum_up_rule(app: App, connection: Connection, rule: Rule, since: datetime, now: datetime) -> int:
    by_hour: dict[datetime, list[Key]] = {}
    for key, at in arrivals.untold(connection, rule.name, since, rules.hour_of(now)):
        by_hour.setdefault(rules.hour_of(at), []).append(key)
    for hour, keys in by_hour.items():
        items = arrivals.items_of(connection, [number for number, _ in keys])
        _queue(app, connection, rule, partial(_summed_up, app, rule, hour, len(keys) - len(items)), items, keys, now)
    return len(by_hour)


def _summed_up(app: App, rule: Rule, hour: datetime, gone: int, items: Sequence[RuleItem]) -> rules.Said:
    """``gone``: how many more there were that are erased by now."""
    return rules.summed_up(rule, items, len(items) + gone, hour, app.settings.monitor.zone)


def _queue(
    app: App,
    connection: Connection,
    rule: Rule,
    said: Callable[[Sequence[RuleItem]], rules.Said],
    items: Sequence[RuleItem],
    keys: Sequence[Key],
    now: datetime,
) -> None:
    """A notice for the channels that take the same of these items; without any it is kept all the same."""
    channels = [app.settings.channel(name) for name in rule.channels]
    numbers = []
    for names, theirs in routes(channels, items) or [([], items)]:
        words = said(theirs)
        brand = app.brands.get(words.brand or "")
        notice = notices.Notice(**words._asdict())
        queued = notices.queue(connection, "rule", rule.name, notice, names, brand.id if brand else None, now)
        numbers.append(queued)
    arrivals.tell(connection, rule.name, keys, numbers[0])
