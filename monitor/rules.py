"""PURE  Rules on single items: what they may look at, whether one is caught, what is news, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from monitor.digest.numbers import plural
from monitor.expression_parts import Field, Type
from monitor.expressions import Condition, compiled
from storage.arrivals import RuleItem

FRESH: Final = timedelta(hours=24)
"""An item published longer before it was first seen is no news, unless its source is pulled less often than every 12 hours."""
HOUR: Final = timedelta(hours=1)
NAMED: Final = 50
"""Items that a notice names at most."""
SUMMARY_ITEMS: Final = 3
SUMMARY_PARTS: Final = 5


class Seen(NamedTuple):
    """An item at a time."""

    item: RuleItem
    now: datetime


def _of(name: str, type_: Type = "text", choices: Sequence[str] = ()) -> Field:
    return Field(type_, lambda seen: getattr(seen.item, name), tuple(choices))


def _engagement(seen: Seen) -> int | None:
    item = seen.item
    return None if item.likes is item.shares is item.comments is None else item.engagement


FIELDS: Final[Mapping[str, Field]] = {
    "brand": _of("brand"),
    "source": _of("source"),
    "platform": _of("platform"),
    "kind": _of("kind", choices=("mention", "review", "post")),
    "label": Field("text", lambda seen: seen.item.label or "unscored", ("positive", "neutral", "negative", "unscored")),
    "score": _of("compound", "number"),
    "rating": _of("stars", "number"),
    "likes": _of("likes", "number"),
    "shares": _of("shares", "number"),
    "comments": _of("comments", "number"),
    "views": _of("views", "number"),
    "engagement": Field("number", _engagement),
    "followers": _of("followers", "number"),
    "author": _of("author"),
    "language": _of("language"),
    "country": Field("text", lambda seen: seen.item.attributes.get("country")),
    "app_version": Field("version", lambda seen: seen.item.attributes.get("app_version")),
    "place": _of("place"),
    "title": _of("title"),
    "text": _of("text"),
    "words": Field("text", lambda seen: (seen.item.title, seen.item.text)),
    "url": _of("url"),
    "age_hours": Field("number", lambda seen: (seen.now - seen.item.published_at) / HOUR),
    "replied": _of("replied", "flag"),
    "tags": _of("tags", "list"),
    "attributes": Field("text", lambda seen: seen.item.attributes),
}
"""What an expression may name. ``words`` are title and text; the title's and the text's are never run together."""

OTHER_WORDS: Final = {
    "stars": "rating",
    "compound": "score",
    "sentiment": "label",
    "type": "kind",
    "version": "app_version",
    "body": "text",
    "content": "text",
    "lang": "language",
    "tag": "tags",
    "link": "url",
    "age": "age_hours",
    "answered": "replied",
    "user": "author",
    "channel": "source",
    "attribute": "attributes",
}
"""What else people call them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, ready for use. ``brands`` empty: all."""

    name: str
    condition: Condition
    brands: frozenset[str] = frozenset()
    channels: tuple[str, ...] = ()
    max_per_hour: int = 20

    def catches(self, seen: Seen) -> bool:
        """Does the item count, is it one of the rule's brands, and what the rule asks for? Raises nothing.

        The brand's own posts are caught by rules only that speak of ``kind``.
        """
        item = seen.item
        if item.uncounted is not None or item.erased or (self.brands and item.brand not in self.brands):
            return False
        if item.kind == "post" and "kind" not in self.condition.fields:
            return False
        return self.condition.holds(seen)

    @property
    def looks_at_tags(self) -> bool:
        return "tags" in self.condition.fields


@lru_cache(maxsize=256)
def condition(when: str, brands: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> Condition:
    """An expression on items made ready. ``QueryError`` where it is faulty; so are brands and sources that there are not."""
    named = {"brand": brands, "source": sources}
    fields = {name: replace(field, choices=named.get(name, field.choices)) for name, field in FIELDS.items()}
    return compiled(when, fields, OTHER_WORDS)


def news_since(now: datetime, every: timedelta, asked_since: datetime) -> datetime:
    """What a source brings now is news if it was published from here on; what is older has only been found late.

    ``asked_since``: when the source was first pulled. What was published before was there before the monitor was.
    """
    return max(now - max(2 * every, FRESH), asked_since)


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour in which a rule's items are counted."""
    return at.replace(minute=0, second=0, microsecond=0)


# ------------------------------------------------------------------------------------------------- what is said


class Said(NamedTuple):
    """A rule's notice, but for its channels: no word of an item is in it."""

    title: str
    lines: list[str]
    items: list[int]
    total: int
    brand: str | None
    figures: dict[str, Any]


def fired(rule: Rule, items: Sequence[RuleItem], anew: int, held: int, hour: datetime, zone: ZoneInfo) -> Said:
    """These were caught, ``anew`` of them because they were rated anew; ``held`` more are kept for the hour's summary."""
    lines = [f"when {rule.condition.text}"]
    if anew:
        lines.append("It was rated anew." if len(items) == 1 else f"{anew} of them {_were(anew)} rated anew.")
    if held:
        lines.append(
            f"{rule.max_per_hour} in an hour are told at once; the rest, {held} so far, come together "
            f"at {(hour + HOUR).astimezone(zone):%H:%M}."
        )
    title = f"{rule.name}: {_subject(items)}"
    figures = {"rule": rule.name, "when": rule.condition.text, "rated_anew": anew, "held": held, **_tallies(items)}
    return Said(title, lines, [item.id for item in items[:NAMED]], len(items), _brand(items), figures)


def summed_up(rule: Rule, items: Sequence[RuleItem], total: int, hour: datetime, zone: ZoneInfo) -> Said:
    """The rest of an hour: how many, by source and label, and the few that moved others most."""
    begin, end = hour.astimezone(zone), (hour + HOUR).astimezone(zone)
    top = sorted(items, key=lambda item: (-item.engagement, -item.published_at.timestamp(), item.id))[:SUMMARY_ITEMS]
    tallies = _tallies(items)
    lines = [
        f"when {rule.condition.text}",
        *(f"By {what[3:]}: {_listed(tallies[what])}." for what in ("by_source", "by_label")),
    ]
    title = f"{rule.name}: {total} more between {begin:%H:%M} and {end:%H:%M}"
    if (brand := _brand(items)) is not None:
        title += f" about {brand}"
    figures = {
        "rule": rule.name,
        "when": rule.condition.text,
        "hour": hour.isoformat().replace("+00:00", "Z"),
        **tallies,
    }
    return Said(title, lines, [item.id for item in top], total, _brand(items), figures)


def _subject(items: Sequence[RuleItem]) -> str:
    if len(items) != 1:
        about = f"about {brand}" if (brand := _brand(items)) else f"about {len({item.brand for item in items})} brands"
        return f"{plural(len(items), 'item')} {about}"
    item = items[0]
    stars = "" if item.stars is None else f", {item.stars:g} of 5 stars"
    return f"{item.kind} about {item.brand} ({item.source}{stars})"


def _brand(items: Sequence[RuleItem]) -> str | None:
    names = {item.brand for item in items}
    return next(iter(names)) if len(names) == 1 else None


def _tallies(items: Sequence[RuleItem]) -> dict[str, dict[str, int]]:
    by_source = Counter(item.source for item in items).most_common()
    by_label = Counter(item.label or "unscored" for item in items).most_common()
    return {"by_source": dict(by_source), "by_label": dict(by_label)}


def _listed(tally: Mapping[str, int]) -> str:
    first = [f"{name} {count}" for name, count in list(tally.items())[:SUMMARY_PARTS]]
    rest = len(tally) - len(first)
    return ", ".join([*first, *([f"{rest} more"] if rest else [])])


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
