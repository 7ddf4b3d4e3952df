"""Why a text has its label: sentence by sentence, word by word, with parts that add up to VADER's score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from monitor.scoring import clean
from monitor.scoring.builtin import counts, parts_of, prepared
from monitor.scoring.contract import Label, Text
from monitor.scoring.lexicon import Origin, analyzer_of, origin_of, silenced_by
from monitor.scoring.pipeline import LabelledBy, Scorable, Unscored, score_batch
from monitor.scoring.profile import Profile

if TYPE_CHECKING:
    from monitor.scoring.vader import Trace, TracedWord


@dataclass(frozen=True, slots=True)
class Change:
    """What one rule added to a word's value: ``kind`` as in ``vader.Effect``, ``cause`` the words that made it apply."""

    kind: str
    cause: str
    delta: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word that counted: ``base``, its value in the lexicon, plus all changes make ``value``."""

    word: str
    base: float
    origin: Origin
    changes: tuple[Change, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a short text whole. The words' values, moved away from 0 by ``emphasis``, make ``raw_sum``.

    ``compound`` is that on a scale from -1 to 1; ``counted`` says whether it enters the mean.
    """

    text: str
    words: tuple[Word, ...]
    emphasis: float
    raw_sum: float
    compound: float
    counted: bool


@dataclass(frozen=True, slots=True)
class Silenced:
    """A word that VADER would count, and what made it say nothing: the brand's name, the overlay or an own entry."""

    word: str
    by: Literal["brand", "overlay", "own"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The label that ``score_batch`` gives, and how it came about; fields by the same name mean the same.

    ``sentences`` is empty where no text was read by VADER. ``cut`` tells that only the beginning of a long text was.
    """

    label: Label | None
    by: LabelledBy | None
    compound: float | None
    text_label: Label | None
    rating_label: Label | None
    language: str | None
    unscored: Unscored | None
    profile: str
    scorer: str
    positive_at: float
    negative_below: float
    cut: bool
    sentences: tuple[Sentence, ...]
    silenced: tuple[Silenced, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def explain(
    text: Text, profile: Profile, *, rating_label: Label | None = None, platform_language: str | None = None
) -> Explanation:
    """Why ``score_batch`` labels this text as it does under the profile, given its stars and its platform's language.

    Raises ``registry.ScorerError`` as ``score_batch`` does.
    """
    item = Scorable(text.title, text.body, rating_label, platform_language, text.brand_words)
    (scored,) = score_batch([item], profile)
    is_vaders = scored.compound is not None and scored.scorer == profile.version
    parts = _parts(text, profile) if is_vaders else []
    return Explanation(
        **scored._asdict(),
        rating_label=rating_label,
        profile=profile.name,
        positive_at=profile.positive_at,
        negative_below=profile.negative_below,
        cut=profile.max_chars is not None and len(_whole(text, profile)) > profile.max_chars,
        sentences=tuple(_sentence(part, profile) for part in parts),
        silenced=tuple(_silenced(parts, profile)),
    )


def _parts(text: Text, profile: Profile) -> list[str]:
    return parts_of(prepared(text.title, text.body, profile), text.brand_words, profile)


def _whole(text: Text, profile: Profile) -> str:
    return clean.joined(text.title, text.body) if profile.join_title else text.body or ""


def _sentence(part: str, profile: Profile) -> Sentence:
    trace = analyzer_of(profile).trace(part)
    return Sentence(
        text=clean.shown(part),
        words=tuple(_word(word, profile) for word in trace.words if word.base or word.value or word.effects),
        emphasis=_emphasis(trace),
        raw_sum=trace.raw_sum,
        compound=trace.compound,
        counted=counts(part, trace.compound),
    )


def _emphasis(trace: Trace) -> float:
    """What exclamation and question marks add, with its sign."""
    if not trace.raw_sum:
        return 0.0
    return trace.punctuation if trace.raw_sum > 0 else -trace.punctuation


def _word(word: TracedWord, profile: Profile) -> Word:
    changes = tuple(Change(effect.kind, clean.shown(effect.cause), effect.delta) for effect in word.effects)
    return Word(clean.shown(word.word), word.base, origin_of(word.word.lower(), profile), changes, word.value)


def _silenced(parts: Iterable[str], profile: Profile) -> Iterable[Silenced]:
    """Each word that was kept from counting, once, in the order of the text."""
    seen: set[str] = set()
    for token in (token for part in parts for token in part.split()):
        word = clean.bare(clean.shown(token)).lower()
        if word in seen:
            continue
        seen.add(word)
        by = silenced_by(word, profile) or ("brand" if clean.is_silenced(token) else None)
        if by is not None:
            yield Silenced(word, by)
