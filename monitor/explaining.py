"""Why a stored item has its label, in words: who had the last word, what each word was worth, and how the sum became a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.app import App
from monitor.digest.escape import name
from monitor.digest.numbers import score as signed
from monitor.metrics.ratings import common_scale, label_of_cell, star_cell
from monitor.scoring import Explanation, Label, Profile, Text, explain
from monitor.scoring.explain import Change, Sentence, Silenced
from monitor.scoring.language import is_checked
from monitor.scoring.pipeline import versions
from storage.likeness import copies_known
from storage.reasons import DUPLICATE
from storage.records import StoredItem

ORIGINS: Final = {"vader": "VADER", "overlay": "overlay", "own": "your words"}
"""Where a word's value comes from."""
_SILENCERS: Final = {"brand": "the brand's own", "overlay": "by the overlay", "own": "by your neutral_words"}


@dataclass(frozen=True, slots=True)
class Explained:
    """A text's explanation; for a stored item also the item, and whether its label was made by this very profile.

    ``copy_of``: the number of the item of which it is left out as a copy.
    """

    explanation: Explanation
    item: StoredItem | None = None
    current: bool = True
    copy_of: int | None = None


def explained(app: App, item: StoredItem, profile: Profile | None = None) -> Explained:
    """Why a profile (none: the configured one) labels an item as it does. ``ScorerError`` where it names a scorer that fails."""
    profile = profile or app.profile
    words = app.brands[item.brand].words if item.brand in app.brands else frozenset[str]()
    explanation = explain(
        Text(item.text, item.title, words),
        profile,
        rating_label=rating_label(item),
        platform_language=item.language,
    )
    leader = copies_known(app.database, [item.id]).get(item.id) if item.uncounted == DUPLICATE else None
    current = lost_its_words(item) or item.scorer in versions(profile)
    return Explained(explanation, item, current, leader)


def rating_label(item: StoredItem) -> Label | None:
    """The label that an item's stars, or its verdict of yes or no, give it. Source: METRICS 3."""
    if item.rating_value is None or item.rating_worst is None or item.rating_best is None:
        return None
    return label_of_cell(star_cell(common_scale(item.rating_value, item.rating_worst, item.rating_best)))


def lost_its_words(item: StoredItem) -> bool:
    """A label by a text that is not there any more: nothing can be said of it, nor is it ever made anew."""
    return item.label_by == "text" and item.title is None and item.text is None


def verdict(found: Explained) -> str:
    """The label that counts, and who gave it."""
    item, by_itself = found.item, by_program(found.explanation)
    if item is not None and item.label_by == "person":
        return f"{item.label}, by a person, who has the last word; by itself the program says {by_itself}"
    if item is not None and lost_its_words(item):
        return f"{item.label}, by its text, which has been erased since: nothing is left to explain"
    return by_itself


def by_program(explanation: Explanation) -> str:
    """The label that the program gives by itself, and what it rests on."""
    if explanation.by == "stars":
        alone = "its text says nothing that is read"
        if explanation.text_label is not None:
            alone = f"its text alone says {explanation.text_label} ({signed(explanation.compound)})"
        return f"{explanation.label}, by its stars; {alone}"
    if explanation.label is not None:
        return f"{explanation.label}, by its text ({signed(explanation.compound)})"
    reason = "its language is not read" if explanation.unscored == "language" else "there is nothing to read in it"
    return f"none (unscored): {reason}"


def language_words(explanation: Explanation) -> str:
    """The language that was told or found, and whether it is read."""
    if not is_checked():
        return "unchecked, since the detector is not installed"
    if explanation.language is None:
        return "not told, too short or too odd; read all the same" if explanation.sentences else "not told"
    is_read = explanation.unscored != "language" and explanation.compound is not None
    return f"{name(explanation.language)}, {'read' if is_read else 'not read'}"


def changes(base: float, made: Sequence[Change]) -> Iterator[tuple[float, str]]:
    """What the rules added to a word's value, one after the other, each with its cause: ``turned by "not"``."""
    value = base
    for change in made:
        yield change.delta, because(change, value)
        value += change.delta


def because(change: Change, value: float) -> str:
    """Why a word's value, ``value`` so far, was changed."""
    cause = f'"{name(change.cause)}"'
    if change.kind == "but":
        return f"{'before' if change.delta * value < 0 else 'after'} {cause}"
    return {
        "capitals": "in capitals",
        "booster": f"with {cause}",
        "negation": f"turned by {cause}",
        "never": f"with {cause}",
        "least": f"turned by {cause}",
        "idiom": f"in {cause}",
    }[change.kind]


def sum_words(sentence: Sentence) -> str:
    """What stands before a sentence's sum."""
    return "sum" if not sentence.emphasis else f"{signed(sentence.emphasis)} for ! and ?, sum"


def summary(explanation: Explanation) -> Iterator[str]:
    """How the sentences became a score, and the score a label; which words were made to say nothing."""
    if explanation.compound is not None and explanation.sentences:
        yield _scale(explanation)
        below = "below" if round(explanation.negative_below, 4) == explanation.negative_below else "at most"
        yield (
            f"so the text is {explanation.text_label}: positive from {signed(explanation.positive_at)} on, "
            f"negative {below} {signed(explanation.negative_below)}, else neutral"
        )
    elif explanation.compound is not None:
        yield f"score: {signed(explanation.compound)}, by a scorer that does not tell its reasons"
    if explanation.silenced:
        yield f"words made to say nothing: {', '.join(map(_silenced, explanation.silenced))}"
    if explanation.cut:
        yield "only the beginning of this very long text was read"


def _scale(explanation: Explanation) -> str:
    counted = sum(sentence.counted for sentence in explanation.sentences)
    if len(explanation.sentences) == 1:
        return f"score: {signed(explanation.compound)}, the sum brought between -1 and +1"
    return f"score: {signed(explanation.compound)}, the mean of the {counted} sentences that count"


def _silenced(one: Silenced) -> str:
    return f"{name(one.word)} ({_SILENCERS[one.by]})"
