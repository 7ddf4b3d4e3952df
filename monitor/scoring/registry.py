"""Scorers by name: the built-in ``vader``, and what installed packages offer as ``sentiment_monitor.scorers``.

An entry point names a factory ``(Profile) -> Scorer``. It is loaded when its scorer is first asked for.

    ScorerError
        ScorerNotThere    the configuration names a scorer that is not installed or does not load
        ScorerFaulty      a scorer failed, or did not answer as its contract promises
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from monitor.scoring.builtin import VaderScorer
from monitor.scoring.contract import Label, Scorer, Sentiment, Text
from monitor.scoring.profile import Profile

GROUP: Final = "sentiment_monitor.scorers"
BUILTIN: Final = "vader"


class ScorerError(Exception):
    """A scorer cannot be used."""


class ScorerNotThere(ScorerError):
    """The configuration names a scorer that is not installed or does not load."""


class ScorerFaulty(ScorerError):
    """A scorer failed, or did not answer as its contract promises."""


def names() -> tuple[str, ...]:
    """The scorers that can be named in the configuration, the built-in first."""
    return (BUILTIN, *sorted(_offered().keys() - {BUILTIN}))


@lru_cache(maxsize=64)
def open_scorer(name: str, profile: Profile) -> Scorer:
    """The scorer of that name, made for the profile. Raises ``ScorerNotThere``."""
    if name == BUILTIN:
        return VaderScorer(profile)
    offer = _offered().get(name)
    if offer is None:
        raise ScorerNotThere(f"scorer {name!r}: not installed; known are {', '.join(names())}")
    try:
        scorer: Scorer = offer.load()(profile)
    except Exception as error:  # a third party's code, at its boundary
        raise ScorerNotThere(
            f"scorer {name!r} ({offer.value}): does not load ({error!r}); mend or remove it"
        ) from error
    return scorer


def ask(scorer: Scorer, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
    """The scorer's answers, checked: one per text, each a valid ``Sentiment`` or ``None``. Raises ``ScorerFaulty``."""
    try:
        answers = scorer.score(texts)
    except Exception as error:  # a third party's code, at its boundary
        raise ScorerFaulty(f"scorer {scorer.name!r}: failed on {len(texts)} texts ({error!r})") from error
    if len(answers) != len(texts):
        raise ScorerFaulty(f"scorer {scorer.name!r}: {len(answers)} answers to {len(texts)} texts; one each is due")
    for answer in answers:
        if answer is not None and not _is_valid(answer):
            raise ScorerFaulty(
                f"scorer {scorer.name!r}: answered {answer!r}; a Label and a compound in [-1, 1] are due"
            )
    return answers


def reads(scorer: Scorer, language: str | None) -> bool:
    """Whether a scorer says that it reads a language, by its optional ``languages``; without it, it reads all.

    A language that is not known (``None``) has the benefit of the doubt.
    """
    languages: Container[str] | None = getattr(scorer, "languages", None)
    return languages is None or language is None or language in languages


def _is_valid(answer: Sentiment) -> bool:
    return (
        isinstance(answer, Sentiment)
        and isinstance(answer.label, Label)
        and math.isfinite(answer.compound)
        and -1 <= answer.compound <= 1
    )


def _offered() -> dict[str, EntryPoint]:
    return {offer.name: offer for offer in entry_points(group=GROUP)}
