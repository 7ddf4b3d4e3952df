"""PURE  What each figure of a report is: a name, a version that rises when its meaning changes, and a sentence.

The document docs/figures.md is made of this table; docs/metrics.md has the formulas at length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Formula:
    """``sentence`` is for people, in plain words."""

    name: str
    version: int
    sentence: str


_SENTENCES: Final = {
    "sentiment.positive": "Counted items labelled positive.",
    "sentiment.negative": "Counted items labelled negative.",
    "sentiment.neutral": "Counted items labelled neutral.",
    "sentiment.total": "Counted items with a label: positive + negative + neutral.",
    "sentiment.unscored": "Counted items without a label: no text and no rating, or a language the scorer does not read.",
    "sentiment.uncounted": "Items that are kept and not counted, for this reason.",
    "sentiment.score": "(positive - negative) / total, from -1 to +1; it rests on the items with a label.",
    "sentiment.low": "The lower end of the score's likely range (Tango's interval at 95 %).",
    "sentiment.high": "The upper end of the score's likely range (Tango's interval at 95 %).",
    "sentiment.deff": "By how much items of one author or with one text widen the likely range; 1 is not at all.",
    "sentiment.variants.polar": "(positive - negative) / (positive + negative).",
    "sentiment.variants.positive_share": "positive / (positive + negative).",
    "sentiment.variants.experience": "50 x (1 + score), from 0 to 100.",
    "sentiment.variants.mean_compound": "The mean of VADER's compound over the items that have one.",
    "reviews.replied": "Reviews that the owner has answered, on any source.",
    "rating.mean": "The mean of the ratings on the scale from 1 to 5.",
    "rating.low": "The lower end of the mean's likely range.",
    "rating.high": "The upper end of the mean's likely range.",
    "rating.count": "Reviews with a rating in stars.",
    "rating.histogram": "Reviews of so many stars, rounded half up on the scale from 1 to 5.",
    "rating.csat": "The share of 4 and 5 stars, and of yes among yes-or-no verdicts.",
    "rating.csat_as_written": "The share of 3 to 5 stars minus the share of 1 and 2.",
    "rating.csat_by_source": "The share of 4 and 5 stars and of yes, in one source.",
    "rating.csat_overall": "The shares of the sources, each weighted by its number of answers.",
    "rating.velocity": "Reviews a day.",
    "answered.reviews": "Reviews of the sources that show the owner's answers.",
    "answered.answered": "Of these, those with an answer.",
    "answered.share": "answered / reviews.",
    "answered.median_hours": "The median time from a review to its answer, of those whose times are known.",
    "answered.unanswered": "Of these, those without an answer.",
    "answered.outdated": "Answered reviews that their authors edited after the answer.",
    "engagement.items": "Counted items whose likes, shares, comments and views are looked at.",
    "engagement.likes": "The latest known likes of the items, added up over those for which they are known.",
    "engagement.shares": "The latest known shares of the items, added up over those for which they are known.",
    "engagement.comments": "The latest known comments on the items, added up over those for which they are known.",
    "engagement.views": "The latest known views of the items, added up over those for which they are known.",
    "engagement.known": "Items for which this count is known.",
    "engagement.gained": "By how much this count grew within the window, on items of any age, added up.",
    "engagement.posts": "Posts published by the brand's own accounts.",
    "engagement.rate": "(likes + shares + comments) on own posts / followers at the window's end.",
    "reach.followers": "The followers of the items' authors, each author once.",
    "reach.authors": "Authors of the items.",
    "reach.known": "Authors of the items whose followers are known.",
    "followers.count": "The last known number of the account's followers at the window's end.",
    "followers.change": "That number minus the last known one at the window's start.",
    "standing.mean": "The platform's own overall rating, stars without text included.",
    "standing.best": "The best rating that the platform allows.",
    "standing.count": "How many ratings the platform's own overall rating is made of.",
    "volume.mentions": "Counted mentions, with a label or not.",
    "volume.reviews": "Counted reviews, with a label or not.",
    "volume.both": "Counted mentions and reviews, with a label or not.",
    "volume.before": "Counted mentions and reviews of the window before.",
    "volume.share_of_voice": "Own mentions / (own + competitors' mentions), on the sources that look for all of them.",
    "copies.mentions": "Counted mentions that say nearly the same as an earlier one of the window.",
    "copies.reviews": "Counted reviews that say nearly the same as an earlier one of the window.",
    "driver.items": "Items of this side with the term.",
    "driver.others": "Items of the other side with the term (for a new term: of the window before).",
    "driver.authors": "Authors of the items with the term; those of equal texts count as one.",
    "driver.texts": "Texts that drivers are made of.",
    "author.items": "Items of the author.",
    "author.before": "Items of the author in the window before.",
    "author.engagement": "Likes, shares and comments that the author's items received, as far as they are known.",
    "author.followers": "The author's followers, as last seen.",
    "author.score": "(positive - negative) / total over the author's items.",
    "author.total": "Items of the author with a label.",
    "authors.total": "Authors of the window's mentions and reviews.",
    "coverage.unscored_languages": "Counted items without a label since the scorer does not read their language.",
    "coverage.missing": "How many items the platform said it would not give.",
    "change.delta": "The score now minus the score before, over the sources that were complete in both windows.",
    "change.low": "The lower end of the change's likely range.",
    "change.high": "The upper end of the change's likely range.",
    "change.p": "How often chance alone would move the score so much.",
    "change.mix": "The part of the change that comes from another mix of sources.",
    "change.within": "The part of the change that comes from within the sources.",
    "driver.z": "How strongly the term stands for its side: its log-odds ratio over the ratio's standard error.",
    "driver.p": "How often chance alone would put so many of the term's items on this side.",
    "audited.score": "The score without the scorer's errors, as people measured them on a random sample.",
    "audited.low": "The lower end of the audited score's likely range.",
    "audited.high": "The upper end of the audited score's likely range.",
    "audited.m": "Items that people labelled for it.",
    "audited.sample": "The number of the audit.",
    "audited.accuracy": "The share of the labelled items on which scorer and people agree.",
    "days": "Days that are looked at.",
    "expected.mean": "The volume to be expected after the eight weeks before.",
    "expected.low": "The lower end of what is usual: chance keeps 95 of 100 cases above it.",
    "expected.high": "The upper end of what is usual: chance keeps 95 of 100 cases below it.",
    "alert": "A number of an alert: what was seen, what was expected, how often chance alone would do so.",
    "quote": "A number of one item: its likes, shares, comments, stars or score.",
}
FORMULAS: Final = {name: Formula(name, 1, sentence) for name, sentence in _SENTENCES.items()}

UNOPENED: Final = {
    "change": "it compares the items of two windows; open the score of each: social.total with --since and --until of either",
    "audited": "it is made of the labels that people gave; see: audit report",
    "followers": "it is made of readings of the account's follower count, not of items; see: followers",
    "standing": "it is made of readings of the platform's own overall rating, not of items",
    "driver.z": "it weighs the items of both sides; open the term's items and others",
    "driver.p": "it weighs the items of both sides; open the term's items and others",
    "author.followers": "it was read from the author's profile, not from items",
    "coverage.missing": "these items were never seen",
    "days": "it is a length of time",
    "expected": "it is computed from the eight weeks before, not counted",
    "alert": "it belongs to an alert; see: alerts list",
    "quote": "it belongs to a single item, whose number stands beside it",
}
"""Why a figure has no list of items, by the beginning of its formula's name."""

_CHANGE: Final = "change|social_difference|reviews_difference"
_PLACES: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"top_items\..*|drivers\.(?:negative|positive|new)\..+\.examples\..*", "quote"),
        (r"alerts\..*", "alert"),
        (r"(?:volume|series\..+)\.expected\.(mean|low|high)", "expected.{}"),
        (rf"(?:.*\.)?(?:{_CHANGE})\.(delta|low|high|p|mix|within)", "change.{}"),
        (r".*\.audited\.(score|low|high|m|sample|accuracy)", "audited.{}"),
        (r"(?:trailing|annotations\..+)\.days", "days"),
        (r"reviews\.rating\.standing\..+\.(mean|best|count)", "standing.{}"),
        (r"reviews\.rating\.answered\.(\w+)", "answered.{}"),
        (r"reviews\.rating\.(histogram|csat_by_source)\..+", "rating.{}"),
        (r"reviews\.rating\.(\w+)", "rating.{}"),
        (r"reviews\.replied", "reviews.replied"),
        (r"engagement\.reach\.(\w+)", "reach.{}"),
        (r"(?:engagement|by_source\..+)\.(?:mentions|own|engagement)\.(known|gained)\.\w+", "engagement.{}"),
        (r"(?:engagement|by_source\..+)\.(?:mentions|own|engagement)\.(\w+)", "engagement.{}"),
        (r"followers\..+\.(count|change)", "followers.{}"),
        (r"volume\.(\w+)", "volume.{}"),
        (r"competitors\..+\.(mentions|share_of_voice)", "volume.{}"),
        (r"(?:breakdowns\.\w+|topics)\..+\.before", "volume.before"),
        (r"(?:series|by_source|topics|breakdowns\.\w+)\..+\.volume", "volume.both"),
        (r"copies\.(mentions|reviews)", "copies.{}"),
        (r"drivers\.texts", "driver.texts"),
        (r"drivers\.(?:negative|positive|new)\..+\.(items|others|authors|z|p)", "driver.{}"),
        (r"drivers\.(?:negative|positive|new)\.[^.]+", "driver.items"),
        (r"authors\.total", "authors.total"),
        (r"authors\..+\.(items|before|engagement|followers|score|total)", "author.{}"),
        (r"coverage\.(unscored_languages)\..+", "coverage.{}"),
        (r"coverage\.gaps\..+\.(missing)", "coverage.{}"),
        (r"(?:.*\.)?(?:social|reviews|before|after)\.(uncounted)\.\w+", "sentiment.{}"),
        (r"(?:.*\.)?(?:social|reviews|before|after)\.(variants\.\w+|\w+)", "sentiment.{}"),
    )
)


def formula_name(path: str) -> str | None:
    """The name of the formula behind a figure's path; ``None`` where no figure has such a path."""
    for pattern, name in _PLACES:
        if found := pattern.fullmatch(path):
            named = name.format(*found.groups())
            return named if named in FORMULAS else None
    return None


def why_unopened(name: str) -> str | None:
    """Why a figure with this formula has no items to show; ``None`` where it has."""
    return next((why for part, why in UNOPENED.items() if name == part or name.startswith(f"{part}.")), None)
