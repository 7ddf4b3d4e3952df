"""From text to label. VADER, the language detector and pydantic are loaded at first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from monitor.scoring.contract import Label, Scorer, Sentiment, Text
from monitor.scoring.explain import Explanation, explain
from monitor.scoring.pipeline import Scorable, Scored, score_batch
from monitor.scoring.profile import DEFAULT, STOCK, Profile

if TYPE_CHECKING:
    from monitor.scoring.options import FaultyScoring, ScoringOptions, build_profile
    from monitor.scoring.vader import polarity_scores

__all__ = [
    "DEFAULT",
    "STOCK",
    "Explanation",
    "FaultyScoring",
    "Label",
    "Profile",
    "Scorable",
    "Scored",
    "Scorer",
    "ScoringOptions",
    "Sentiment",
    "Text",
    "build_profile",
    "explain",
    "polarity_scores",
    "score_batch",
]

_LATER: Final = {
    "FaultyScoring": "options",
    "ScoringOptions": "options",
    "build_profile": "options",
    "polarity_scores": "vader",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
