"""Rules on single items, a part of the page of alerts: what they caught, and what an expression would have caught."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import tomlkit

from monitor.app import App
from monitor.digest import sentences
from monitor.expressions import MAX_LENGTH
from monitor.firing import condition
from monitor.query import QueryError
from monitor.rule_trials import try_out
from monitor.rules import Rule
from monitor.schedule import parse_since
from monitor.web.asked import Unasked
from storage import arrivals, listing, sendings
from storage.arrivals import RuleItem
from storage.records import StoredItem

WHEN_LONGEST: Final = MAX_LENGTH + 1
"""Characters of an expression that are taken, so that what is too long is said where its caret is."""
EACH: Final = 10
"""Firings shown of each rule."""
SHOWN: Final = 30
LATELY: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=366)
EXCERPT: Final = 180
DAYS_SHOWN: Final = 31
TRIAL_SECONDS: Final = 8.0
"""How long a trial may look through the store."""
TRIED: Final = "tried"
EXAMPLES: Final = (
    ("rating <= 2 and not replied", "bad reviews that nobody has answered"),
    ("label == 'negative' and engagement >= 50", "complaints that others join"),
    ("words has ['refund', 'money back', 'lawsuit']", "words that want somebody at once"),
    ("followers >= 10000 and label == 'negative'", "complaints of those whom many follow"),
    ("country in ['DE', 'AT'] and app_version >= '2.0'", "reviews of a release in some countries"),
)
FIELDS: Final[Mapping[str, str]] = {
    "brand": "as configured",
    "source": "as configured",
    "platform": "where it was said",
    "kind": "'mention', 'review' or 'post' (the brand's own)",
    "label": "'positive', 'neutral', 'negative' or 'unscored'",
    "score": "the text's own, from -1 to 1",
    "rating": "stars from 1 to 5, whatever the platform's scale",
    "likes": "as they were when the item came",
    "shares": "as they were when the item came",
    "comments": "as they were when the item came",
    "views": "as they were when the item came",
    "engagement": "likes, shares and comments together",
    "followers": "the author's, where the platform tells",
    "author": "a name",
    "language": "a code such as 'de'",
    "country": "of reviews, a code such as 'DE'",
    "app_version": "of reviews; 2.10 is after 2.9",
    "place": "the community, publisher or app",
    "title": "a text",
    "text": "a text",
    "words": "title and text",
    "url": "an address",
    "age_hours": "since it was published",
    "replied": "has the owner answered?",
    "tags": "people's tags; a new item has none",
    "attributes": "anything else that is known: attributes['device']",
}
"""What an expression may name, in words."""


def rules_fields(app: App) -> dict[str, Any]:
    """How often each rule fired lately, and its newest catches with their present words."""
    names = [rule.name for rule in app.settings.rules]
    newest = sendings.firings(app.database, names, EACH)[:SHOWN]
    items = listing.items_by_id(app.database, [one.item for one in newest])
    return {
        "fired": arrivals.fired_since(app.database, app.now() - LATELY) if names else {},
        "firings": [(one, items[one.item]) for one in newest if one.item in items],
        "excerpt": excerpt,
    }


def tried_fields(app: App, when: str, since: str, brand: str) -> dict[str, Any]:
    """What an expression would have caught, or where it is faulty."""
    told: dict[str, Any] = {
        "trial": None, "faulty": None, "when": when, "excerpt": excerpt, "days": [], "begin": None,
        "as_toml": tomlkit.item(when).as_string(),
    }  # fmt: skip
    brands = brands_of(app, brand)
    told["begin"] = begin = since_of(app, since)
    try:
        rule = Rule(TRIED, condition(app.settings, when), frozenset(brands))
    except QueryError as error:
        return told | {"faulty": (error.message, error.rendering)}
    zone = app.settings.monitor.zone
    (trial,) = try_out(app.database, [rule], brands, begin, app.now(), zone, seconds=TRIAL_SECONDS)
    days = sorted(trial.by_day.items(), reverse=True)
    return told | {"trial": trial, "days": days[:DAYS_SHOWN], "left_out": max(0, len(days) - DAYS_SHOWN)}


def excerpt(item: RuleItem | StoredItem) -> str:
    said = " – ".join(part for part in (item.title, item.text) if part)
    return sentences.excerpt(said, "", EXCERPT) or ("Erased" if item.erased else "(no words)")


def since_of(app: App, told: str, longest: timedelta = LONGEST) -> datetime:
    """The time that ``30d`` or a day means; :class:`Unasked` where it means none of the last ``longest``."""
    try:
        begin = parse_since(told, app.now(), app.settings.monitor.zone)
    except ValueError as error:
        raise Unasked(str(error)) from error
    if not app.now() - longest <= begin < app.now():
        raise Unasked(f"since {told[:40]}: is not within the last {longest.days:,} days")
    return begin


def brands_of(app: App, brand: str) -> list[str]:
    """The brand, or all where none is named; :class:`Unasked` where there is none of this name."""
    if brand and brand not in app.brands:
        raise Unasked(f'no brand "{brand[:100]}"; there are: {", ".join(app.brands)}')
    return [brand] if brand else list(app.brands)
