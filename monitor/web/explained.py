"""An explanation as the interface for programs gives it: word by word, with parts that add up."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from monitor.app import App
from monitor.explaining import by_program, explained, summary, verdict
from monitor.scoring import Explanation, Text, explain
from monitor.scoring.registry import ScorerError
from monitor.web.answers import Answer
from monitor.web.problems import Refused
from storage.records import StoredItem


class ChangeOut(Answer):
    """What one rule added to a word's value."""

    kind: str = Field(description="capitals, booster, negation, never, least, idiom or but.")
    cause: str = Field(description="The words that made it apply.")
    delta: float


class ExplainedWord(Answer):
    """A word that counted: `base`, its value in the lexicon, plus all changes make `value`."""

    word: str
    base: float
    origin: str = Field(description="Whose value it is: vader, overlay or own.")
    changes: Sequence[ChangeOut]
    value: float


class ExplainedSentence(Answer):
    """The words' values, moved away from 0 by `emphasis`, make `raw_sum`; `compound` is that between -1 and 1."""

    text: str
    words: Sequence[ExplainedWord]
    emphasis: float
    raw_sum: float
    compound: float
    counted: bool


class SilencedWord(Answer):
    """A word that was made to say nothing."""

    word: str
    by: str = Field(description="brand, overlay or own.")


class ExplainedOut(Answer):
    """A label, and how it came about."""

    words: str = Field(description="The label that counts and who gave it, in words.")
    summary: Sequence[str] = Field(description="How the sentences became a score, and the score a label.")
    label: str | None = Field(description="By the present settings; null: not scored.")
    by: str | None = Field(description="text or stars.")
    compound: float | None
    text_label: str | None
    rating_label: str | None
    language: str | None
    unscored: str | None
    profile: str
    scorer: str
    positive_at: float
    negative_below: float
    sentences: Sequence[ExplainedSentence]
    silenced: Sequence[SilencedWord]
    cut: bool = Field(description="Only the beginning of a very long text was read.")
    current: bool = Field(description="The stored label was made by the present settings.")


def explained_item(app: App, item: StoredItem) -> ExplainedOut:
    """Why an item has its label."""
    try:
        found = explained(app, item)
    except ScorerError as error:
        raise Refused(503, str(error)) from error
    return _out(found.explanation, verdict(found), current=found.current)


def explained_text(app: App, text: str, title: str | None, brand: str | None) -> ExplainedOut:
    """Which label a text would get, and why. ``brand``: whose own words say nothing."""
    words = app.brands[brand].words if brand is not None else frozenset[str]()
    try:
        found = explain(Text(text, title, words), app.profile)
    except ScorerError as error:
        raise Refused(503, str(error)) from error
    return _out(found, by_program(found), current=True)


def _out(found: Explanation, words: str, *, current: bool) -> ExplainedOut:
    told = {name: getattr(found, name) for name in ExplainedOut.model_fields if hasattr(found, name)}
    return ExplainedOut.model_validate({**told, "words": words, "summary": list(summary(found)), "current": current})
