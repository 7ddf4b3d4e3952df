"""From item to label: stars before text, a language gate before VADER, another scorer where the profile says so."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from monitor.scoring import registry
from monitor.scoring.builtin import VaderScorer, prepared
from monitor.scoring.contract import Label, Scorer, Sentiment, Text
from monitor.scoring.language import Language, as_the_platform_says, language_of
from monitor.scoring.profile import Profile

LabelledBy = Literal["stars", "text"]
Unscored = Literal["no_text", "language"]
_LONGEST_VERSION: Final = 70  # of another scorer's; the store keeps 100 characters of both


class Scorable(NamedTuple):
    """What decides an item's label. ``rating_label`` is the label its stars give it (METRICS 3), if it has any.

    ``title`` and ``body`` are plain text; ``brand_words`` the lower-case words of the brand's name and keywords.
    """

    title: str | None = None
    body: str | None = None
    rating_label: Label | None = None
    platform_language: str | None = None
    brand_words: frozenset[str] = frozenset()


class Scored(NamedTuple):
    """An item's label, what it rests on, and what its text says by itself.

    ``compound`` (in [-1, 1]) and ``text_label`` are the text's, also where the stars decide. ``unscored`` says why
    there is no label. ``scorer`` is the version of what labelled the item or would have: one of ``versions``.
    """

    label: Label | None
    by: LabelledBy | None
    compound: float | None
    text_label: Label | None
    language: str | None
    unscored: Unscored | None
    scorer: str


def score_batch(items: Sequence[Scorable], profile: Profile) -> list[Scored]:
    """One answer per item, in order. Raises ``registry.ScorerError`` where the profile names a scorer that fails.

    This is what crosses to worker processes: it, the items, the profile and the answers are picklable.
    """
    return _Batch(profile).scored(items)


def versions(profile: Profile) -> frozenset[str]:
    """Every version that a label made under the profile can bear; a label of another one is out of date.

    Opens the other scorers that the profile names. Raises ``registry.ScorerNotThere``.
    """
    others = {profile.scorer, *dict(profile.languages).values()} - {registry.BUILTIN}
    return frozenset({profile.version, *(_version(registry.open_scorer(name, profile), profile) for name in others)})


def _version(scorer: Scorer, profile: Profile) -> str:
    """``my-german-2/default-1a2b3c4d``: the scorer's own, and the profile's that sends texts to it and weighs stars."""
    own = scorer.version
    if len(own) > _LONGEST_VERSION:
        own = f"{own[: _LONGEST_VERSION - 9]}~{blake2b(own.encode(), digest_size=4).hexdigest()}"
    return f"{own}/{profile.version.rpartition('/')[2]}"


class _Batch:
    """One batch: VADER's items are scored as they come, those of other scorers gathered and asked for at once."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._vader = VaderScorer(profile)
        self._version = profile.version
        self._routes = dict(profile.languages)
        self._waiting: dict[str, list[tuple[int, Scorable, Language]]] = {}

    def scored(self, items: Sequence[Scorable]) -> list[Scored]:
        answers = [self._first_look(position, item) for position, item in enumerate(items)]
        for name, waiting in self._waiting.items():
            self._ask(name, waiting, answers)
        return answers

    def _first_look(self, position: int, item: Scorable) -> Scored:
        text = prepared(item.title, item.body, self._profile)
        if not text:
            return self._answer(item, None, None, "no_text", self._version)
        language = self._language(text, item.platform_language)
        name = self._routes.get(language.code or "", self._profile.scorer)
        if name != registry.BUILTIN:
            self._waiting.setdefault(name, []).append((position, item, language))
            return self._answer(item, None, language.code, None, self._version)  # until its scorer answers
        if not language.readable:
            return self._answer(item, None, language.code, "language", self._version)
        compound = self._vader.compound(text, item.brand_words)
        sentiment = None if compound is None else Sentiment(self._profile.label(compound), compound)
        return self._answer(item, sentiment, language.code, "no_text", self._version)

    def _language(self, text: str, platform_language: str | None) -> Language:
        if not (self._profile.language_gate or self._routes):
            return as_the_platform_says(platform_language)
        language = language_of(text, platform_language)
        return language if self._profile.language_gate else language._replace(readable=True)

    def _ask(self, name: str, waiting: list[tuple[int, Scorable, Language]], answers: list[Scored]) -> None:
        scorer = registry.open_scorer(name, self._profile)
        version = _version(scorer, self._profile)
        read = [asked for asked in waiting if not self._profile.language_gate or registry.reads(scorer, asked[2].code)]
        texts = [Text(body=item.body, title=item.title, brand_words=item.brand_words) for _, item, _ in read]
        found = registry.ask(scorer, texts) if texts else ()
        for at, item, language in waiting:
            answers[at] = self._answer(item, None, language.code, "language", version)
        for (at, item, language), sentiment in zip(read, found, strict=True):
            answers[at] = self._answer(item, sentiment, language.code, "no_text", version)

    def _answer(
        self, item: Scorable, sentiment: Sentiment | None, language: str | None, why_not: Unscored | None, version: str
    ) -> Scored:
        text_label = None if sentiment is None else sentiment.label
        compound = None if sentiment is None else sentiment.compound
        if self._profile.stars and item.rating_label is not None:
            return Scored(item.rating_label, "stars", compound, text_label, language, None, version)
        if text_label is not None:
            return Scored(text_label, "text", compound, text_label, language, None, version)
        return Scored(None, None, None, None, language, why_not, version)
