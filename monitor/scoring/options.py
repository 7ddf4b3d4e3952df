"""The table ``[scoring]`` of the configuration, and the profile it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from monitor.scoring import entries, registry
from monitor.scoring.lexicon import acts_on_others
from monitor.scoring.profile import DEFAULT, STOCK, Profile

_T = TypeVar("_T")
_BASES: Final = {"default": DEFAULT, "stock": STOCK}


class FaultyScoring(ValueError):
    """The scoring options cannot be used; ``faults`` says why: fact, subject, remedy, one line each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def build_profile(settings: ScoringOptions) -> Profile:
    """The profile that the options ask for; ``default`` when they ask for nothing.

    Reads ``lexicon_file`` and looks which scorers are installed. Raises ``FaultyScoring``, which names every fault.
    """
    from_file, faults = entries.entries_of_file(settings.lexicon_file) if settings.lexicon_file else ({}, [])
    lexicon = from_file | settings.lexicon
    faults += _clashes(from_file, settings)
    faults += _acting(lexicon)
    faults += _unknown_scorers(settings)
    profile = replace(
        _BASES[settings.profile],
        lexicon=tuple(sorted(lexicon.items())),
        neutral_words=settings.neutral_words,
        languages=tuple(sorted(settings.languages.items())),
        **_switched(settings),
    )
    if profile.negative_below > profile.positive_at:
        faults.append(
            f"negative_below is {profile.negative_below:g} and positive_at {profile.positive_at:g}, so that a text "
            "could be both; give a negative_below of at most positive_at"
        )
    if faults:
        raise FaultyScoring(faults)
    return profile if _is_named(profile) else replace(profile, name="own")


# --- The options


def _sound_entries(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given  # pydantic says what is wrong
    found, faults = entries.entries({str(word): value for word, value in given.items()})
    return _unless(faults, found)


def _sound_words(given: Any) -> Any:
    if not isinstance(given, list | tuple) or not all(isinstance(word, str) for word in given):
        return given
    found, faults = entries.words(given)
    return _unless(faults, tuple(found))


def _sound_languages(given: dict[str, str]) -> dict[str, str]:
    faults = [
        f'{code!r} is no language code; write two or three lower-case letters such as "de"'
        for code in given
        if not (code.isascii() and code.isalpha() and code.islower() and len(code) in (2, 3))
    ]
    return _unless(faults, given)


def _unless(faults: list[str], found: _T) -> _T:
    if faults:
        raise FaultyScoring(faults)
    return found


_Compound = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class ScoringOptions(BaseModel):
    """How texts are labelled. What is left out stays as the profile has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["default", "stock"] = Field("default", description="What to start from.")
    lexicon: Annotated[dict[str, float], BeforeValidator(_sound_entries)] = Field(
        default_factory=dict, description='Own values, -4 to 4: { "sick" = 2.0 }. They beat all others.'
    )
    lexicon_file: Path | None = Field(None, description="More of them: lines of word<TAB>value, # for comments.")
    neutral_words: Annotated[tuple[str, ...], BeforeValidator(_sound_words)] = Field(
        (), description="Words that shall say nothing about feeling."
    )
    positive_at: _Compound | None = Field(None, description="A compound of at least this is positive.")
    negative_below: _Compound | None = Field(None, description="A compound below this is negative.")
    overlay: bool | None = Field(None, description="The overlay of words for product and service talk.")
    strip_handles_and_urls: bool | None = Field(None, description="Leave out @names and links.")
    join_title: bool | None = Field(None, description="Score the title together with the body.")
    mend_quotes_and_emoji: bool | None = Field(None, description="Mend quotes, emoji and glued punctuation.")
    sentence_wise: bool | None = Field(None, description="Score long texts by sentence and take the mean.")
    brand_words_neutral: bool | None = Field(None, description="The brand's own words say nothing about feeling.")
    max_chars: int | None = Field(None, ge=280, description="How much of a long text is scored.")
    language_gate: bool = Field(True, description="Leave unscored what is in a language the scorer cannot read.")
    stars: bool = Field(True, description="Label a review by its stars where it has them.")
    scorer: str = Field("vader", min_length=1, description="The scorer of all texts.")
    languages: Annotated[dict[str, str], AfterValidator(_sound_languages)] = Field(
        default_factory=dict, description='Scorers of single languages: { de = "name of a scorer" }.'
    )

    @model_validator(mode="after")
    def _no_word_is_both(self) -> Self:
        both = sorted(self.lexicon.keys() & set(self.neutral_words))
        return _unless([f"{word!r} stands in lexicon and in neutral_words; keep one" for word in both], self)


_SWITCHES: Final = tuple(
    ScoringOptions.model_fields.keys() - {"profile", "lexicon", "lexicon_file", "neutral_words", "languages"}
)


def _switched(settings: ScoringOptions) -> dict[str, Any]:
    """The settings that are fields of a profile by the same name, where they are given."""
    given = {name: getattr(settings, name) for name in _SWITCHES}
    return {name: value for name, value in given.items() if value is not None}


def _is_named(profile: Profile) -> bool:
    """Whether it is stock or default but for the steps of the pipeline, which are nobody's own."""
    base = _BASES[profile.name]
    return profile == replace(
        base,
        language_gate=profile.language_gate,
        stars=profile.stars,
        scorer=profile.scorer,
        languages=profile.languages,
    )


# --- Faults that only show when all is put together


def _clashes(from_file: Mapping[str, float], settings: ScoringOptions) -> Iterator[str]:
    for word, value in from_file.items():
        if settings.lexicon.get(word, value) != value:
            yield f"{word!r} has the value {value:g} in lexicon_file and {settings.lexicon[word]:g} in lexicon; keep one"
        if word in settings.neutral_words:
            yield f"{word!r} stands in lexicon_file and in neutral_words; keep one"


def _acting(lexicon: Mapping[str, float]) -> Iterator[str]:
    """Words by which VADER reads other words: as entries of the lexicon they would stop doing so, unnoticed."""
    if not lexicon:
        return
    from monitor.scoring.vader import stock_lexicon

    for word in lexicon:
        if word not in stock_lexicon() and acts_on_others(word):
            yield f"{word!r} negates or stresses what follows it, which a value would end; remove it from the lexicon"


def _unknown_scorers(settings: ScoringOptions) -> Iterator[str]:
    asked = {settings.scorer, *settings.languages.values()} - {registry.BUILTIN}
    known = registry.names() if asked else ()
    for name in sorted(asked - set(known)):
        yield f"scorer {name!r} is not installed; known are {', '.join(known)}"
