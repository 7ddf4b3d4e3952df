"""Rules on single items: which there are, and what they would have caught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, model_validator

from monitor import rules
from monitor.config.watching import RuleSettings
from monitor.query import QueryError
from monitor.rule_trials import Trial, try_out
from monitor.rules import Rule
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import Answer, Plain, Wish, api, problems
from monitor.web.guards import Here, Reader
from monitor.web.house import House
from monitor.web.params import Name, window_of
from monitor.web.problems import Refused, not_found
from storage import arrivals

router = api("watching")


class RuleOut(Answer):
    """A rule: what it asks for, whom it tells."""

    name: str
    when: str = Field(examples=["rating <= 2 and country in ['DE']"])
    brands: Sequence[str] = Field(description="None: all.")
    channels: Sequence[str]
    max_per_hour: int
    enabled: bool
    fired_30_days: int | None = Field(description="How often, over all brands; null for tokens of some brands.")


class Rules(Answer):
    rules: Sequence[RuleOut]


class RuleTrial(Wish):
    """Which rule to try: one by name (all without), or an expression."""

    name: Name | None = Field(default=None, description="This rule, even if it is not enabled.", examples=["low"])
    when: Plain | None = Field(
        default=None, min_length=1, max_length=2_000, description="Instead: an expression.", examples=["rating <= 2"]
    )
    brands: list[Name] = Field(
        default_factory=list, max_length=200, description="With when: only these.", examples=[["Larkspur"]]
    )
    since: Plain = Field(default="30d", max_length=60, examples=["30d"])
    until: Plain | None = Field(default=None, max_length=60, examples=["2026-11-08"])

    @model_validator(mode="after")
    def _one_way(self) -> RuleTrial:
        if self.name is not None and self.when is not None:
            raise ValueError("give name or when, not both")
        if self.brands and self.when is None:
            raise ValueError("brands go with when; a rule has brands of its own")
        return self


class CaughtItem(Answer):
    id: int
    brand: str
    source: str
    kind: str
    published_at: datetime
    label: str | None
    stars: float | None
    author: str | None
    title: str | None
    text: str | None
    url: str | None


class TriedRule(Answer):
    """What a rule would have caught."""

    rule: str | None = Field(description="Null: an expression that is no rule yet.")
    when: str
    caught: int
    looked_at: int
    busiest_hour: int = Field(description="The most of one hour.")
    by_day: Mapping[str, int]
    examples: Sequence[CaughtItem]


class TriedRules(Answer):
    since: datetime
    until: datetime
    rules: Sequence[TriedRule]


@router.get("/rules")
def list_rules(house: Here, visitor: Reader) -> Rules:
    """Every rule: what it asks for, whom it tells, how often it fired in the last 30 days."""
    fired = arrivals.fired_since(house.app.database, house.now() - timedelta(days=30))
    return Rules(rules=[_rule(house, visitor, one, fired) for one in _seen(house, visitor)])


@router.post("/rules/trial", responses=problems(404))
def try_rules(house: Here, visitor: Reader, body: RuleTrial) -> TriedRules:
    """What rules would have caught of what is stored. Nobody is told and nothing changes, so a token that may read is enough."""
    brands = sight.brands(house.app, visitor)
    window = window_of(house.app, None, body.since, body.until)
    chosen = _chosen(house, visitor, body)
    zone = house.settings.monitor.zone
    trials = try_out(house.app.database, chosen, brands, window.start, window.end, zone)
    return TriedRules(since=window.start, until=window.end, rules=[_tried(one) for one in trials])


def _chosen(house: House, visitor: Visitor, body: RuleTrial) -> list[Rule]:
    if body.when is not None:
        names = sight.chosen_brands(house.app, visitor, body.brands)
        return [Rule("", _condition(house, visitor, body.when), frozenset(names))]
    seen = _seen(house, visitor)
    if body.name is None:
        return [_ready(house, visitor, one) for one in seen if one.enabled]
    found = [one for one in seen if one.name == body.name]
    if not found:
        raise not_found(f'no rule "{body.name[:100]}"; there are: {", ".join(one.name for one in seen) or "none"}')
    return [_ready(house, visitor, one) for one in found]


def _ready(house: House, visitor: Visitor, one: RuleSettings) -> Rule:
    names = one.brands or sight.brands(house.app, visitor)
    condition = rules.condition(one.when, *_names(house))
    return Rule(one.name, condition, frozenset(filter(visitor.may_see, names)), tuple(one.channels), one.max_per_hour)


def _condition(house: House, visitor: Visitor, when: str) -> Any:
    seen = sight.sources(house.app, visitor)
    brands, sources = _names(house)
    known = tuple(name for name in sources if seen is None or name in seen)
    try:
        return rules.condition(when, tuple(filter(visitor.may_see, brands)), known)
    except QueryError as error:
        raise Refused(422, f"when: {error.message}") from error


def _names(house: House) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(one.name for one in house.settings.brands), tuple(one.name for one in house.settings.sources)


def _seen(house: House, visitor: Visitor) -> list[RuleSettings]:
    return [one for one in house.settings.rules if not one.brands or any(map(visitor.may_see, one.brands))]


def _rule(house: House, visitor: Visitor, one: RuleSettings, fired: Mapping[str, int]) -> RuleOut:
    return RuleOut(
        name=one.name, when=one.when, brands=[name for name in one.brands if visitor.may_see(name)],
        channels=sight.channels(house.app, visitor, one.channels), max_per_hour=one.max_per_hour, enabled=one.enabled,
        fired_30_days=fired.get(one.name, 0) if visitor.brands is None else None,
    )  # fmt: skip


def _tried(trial: Trial) -> TriedRule:
    return TriedRule(
        rule=trial.rule.name or None, when=trial.rule.condition.text, caught=trial.caught, looked_at=trial.looked_at,
        busiest_hour=trial.busiest_hour, by_day=dict(sorted(trial.by_day.items())),
        examples=[CaughtItem.model_validate(item) for item in reversed(trial.examples)],
    )  # fmt: skip
