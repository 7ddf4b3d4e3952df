"""How texts are read and labelled: the profiles ``stock`` and ``default``; ``options.py`` makes the user's own."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

from monitor.scoring.contract import Label
from monitor.scoring.lexicon import Overlay, overlay

_ALGORITHM: Final = 1  # raise it with every change of this package's own code that can change a label


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that decides a label. Picklable; equal profiles label equally and have equal versions.

    A compound of at least ``positive_at`` is positive, one below ``negative_below`` negative, the rest neutral.
    ``max_chars`` cuts what is scored (``None``: never). ``languages`` gives a language's texts to another scorer.
    ``stars`` and ``language_gate`` are steps of the pipeline rather than of VADER, and on for every profile.
    """

    name: str
    positive_at: float
    negative_below: float
    overlay: bool
    strip_handles_and_urls: bool
    join_title: bool
    mend_quotes_and_emoji: bool
    sentence_wise: bool
    brand_words_neutral: bool
    max_chars: int | None
    lexicon: tuple[tuple[str, float], ...] = ()
    neutral_words: tuple[str, ...] = ()
    language_gate: bool = True
    stars: bool = True
    scorer: str = "vader"
    languages: tuple[tuple[str, str], ...] = ()

    @property
    def version(self) -> str:
        """For example ``vader-3.3.2/default-1a2b3c4d``: the package and a hash of all settings."""
        return _version(self)

    def label(self, compound: float) -> Label:
        if compound >= self.positive_at:
            return Label.POSITIVE
        return Label.NEGATIVE if compound < self.negative_below else Label.NEUTRAL


STOCK: Final = Profile(
    name="stock",
    positive_at=0.05,
    negative_below=math.nextafter(-0.05, 0.0),  # VADER's own "<= -0.05"
    overlay=False,
    strip_handles_and_urls=False,
    join_title=False,
    mend_quotes_and_emoji=False,
    sentence_wise=False,
    brand_words_neutral=False,
    max_chars=None,
)
"""vaderSentiment as its authors publish it, bit for bit: the body as it is, or the title where there is no body."""

DEFAULT: Final = Profile(
    name="default",
    positive_at=0.10,
    negative_below=0.0,
    overlay=True,
    strip_handles_and_urls=True,
    join_title=True,
    mend_quotes_and_emoji=True,
    sentence_wise=True,
    brand_words_neutral=True,
    max_chars=20_000,
)
"""For talk about products and services; docs/scoring.md says what each switch gains."""


@lru_cache(maxsize=64)
def _version(profile: Profile) -> str:
    package = version("vaderSentiment")
    decisive = {**asdict(profile), "name": None, "algorithm": _ALGORITHM, "package": package}
    if profile.overlay:
        decisive["overlay"] = _canonical(overlay())
    canonical = json.dumps(decisive, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"vader-{package}/{profile.name}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"


def _canonical(laid: Overlay) -> list[Any]:
    values = (laid.values, laid.phrases)
    return [laid.version, *(sorted(of.items()) for of in values), sorted(laid.neutral), sorted(laid.neutral_phrases)]
