"""``explain``: which words made a label, sentence by sentence, and who had the last word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, console, load_settings, next_step, opened, print_json

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.config import Settings
    from monitor.scoring import Explanation, Label, Profile
    from monitor.scoring.explain import Change, Sentence, Silenced
    from storage.records import StoredItem

ProfileName = Annotated[
    Literal["stock", "default"] | None, typer.Option("--profile", help="By this one (default: the configured one).")
]

UNCOUNTED = {"excluded": "excluded by keywords", "duplicate": "a duplicate", "not_about_us": "not about the brand"}
SHOWN_SENTENCES = 40
"""So many on a terminal; ``--json`` has all."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A text's explanation; for a stored item also the item, and whether its label was made by this very profile."""

    explanation: Explanation
    item: StoredItem | None = None
    current: bool = True


def explain(
    item: Annotated[int | None, typer.Argument(help="An item's number, as `items --json` has it.")] = None,
    text: Annotated[str | None, typer.Option("--text", "-t", help="A text of your own instead.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="Its title.")] = None,
    brand: Annotated[
        str | None, typer.Option("--brand", "-b", help="The brand it is about: its words say nothing.")
    ] = None,
    profile: ProfileName = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Which words made this label: each word's value, what changed it, the sum, and who had the last word."""
    from monitor.scoring.registry import ScorerError

    if (item is None) == (text is None):
        raise Failure('explain: give an item\'s number or --text "...", one of the two', 2)
    if item is not None and (title is not None or brand is not None):
        raise Failure("--title, --brand: go with --text; an item has its own", 2)
    try:
        if item is not None:
            found = _of_item(config, item, profile)
        else:
            found = _of_text(config, text or "", title, brand, profile)
    except ScorerError as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json(_told(found))
        return
    _show(found)
    if not found.current and profile is None:
        next_step("sentiment-monitor rescore --dry-run")


def _of_text(config: Path | None, text: str, title: str | None, brand: str | None, name: str | None) -> Explained:
    from monitor.config import find
    from monitor.scoring import DEFAULT, Text, explain

    settings = load_settings(config) if config is not None or find(None).exists() else None
    profile = _profile(name) or (DEFAULT if settings is None else settings.scoring)
    return Explained(explain(Text(text, title, _brand_words(settings, brand)), profile))


def _brand_words(settings: Settings | None, brand: str | None) -> frozenset[str]:
    """The words of a configured brand; without a configuration those of the name itself."""
    from monitor.app import watched
    from monitor.matching import Keywords, brand_words

    if brand is None:
        return frozenset()
    if settings is None:
        return brand_words(Keywords.compile([brand]), brand)
    known = {one.name: one for one in settings.brands}
    if brand not in known:
        raise Failure(f'--brand: no brand "{brand}"; there are: {", ".join(known)}', 2)
    return watched(known[brand], 0).words


def _of_item(config: Path | None, number: int, name: str | None) -> Explained:
    from monitor.scoring import Text, explain
    from monitor.scoring.pipeline import versions
    from storage import queries

    with opened(config) as app:
        item = queries.items_by_id(app.database, [number]).get(number)
        if item is None:
            raise Failure(f"there is no item {number}; `sentiment-monitor items --json` shows each with its id")
        profile: Profile = _profile(name) or app.profile
        explanation = explain(
            Text(item.text, item.title, _words_of(app, item.brand)),
            profile,
            rating_label=_rating_label(item),
            platform_language=item.language,
        )
        return Explained(explanation, item, current=_is_erased(item) or item.scorer in versions(profile))


def _words_of(app: App, brand: str) -> frozenset[str]:
    return app.brands[brand].words if brand in app.brands else frozenset()


def _profile(name: str | None) -> Profile | None:
    from monitor.scoring import DEFAULT, STOCK

    return None if name is None else {"stock": STOCK, "default": DEFAULT}[name]


def _rating_label(item: StoredItem) -> Label | None:
    """The label that an item's stars, or its verdict of yes or no, give it. Source: METRICS 3."""
    from monitor.metrics.ratings import common_scale, label_of_cell, star_cell

    if item.rating_value is None or item.rating_worst is None or item.rating_best is None:
        return None
    return label_of_cell(star_cell(common_scale(item.rating_value, item.rating_worst, item.rating_best)))


def _is_erased(item: StoredItem) -> bool:
    """A label by a text that is not there any more: nothing can be said of it, nor is it ever made anew."""
    return item.label_by == "text" and item.title is None and item.text is None


def _told(found: Explained) -> Mapping[str, Any]:
    item = found.item
    names = ("id", "brand", "source", "kind", "published_at", "label", "label_by", "compound", "stars", "scorer")
    stored = None if item is None else {name: getattr(item, name) for name in names} | {"current": found.current}
    return {"item": stored, **found.explanation.to_dict()}


# ------------------------------------------------------------------------------------------------ showing


def _show(found: Explained) -> None:
    out = console()
    for line in _verdict(found):
        out.print(line, soft_wrap=True)
    sentences = found.explanation.sentences
    for number, sentence in enumerate(sentences[:SHOWN_SENTENCES], start=1):
        out.print(f"\n{_sentence_line(sentence, number, len(sentences))}", soft_wrap=True)
        if sentence.words:
            out.print(_words_table(sentence))
    out.print("")
    for line in _summary(found.explanation):
        out.print(line, soft_wrap=True)


def _verdict(found: Explained) -> Iterator[str]:
    """The label that counts, who gave it, and what was known of the text."""
    from monitor.digest.escape import clean, name

    explanation, item = found.explanation, found.item
    if item is not None:
        yield f"item {item.id}: {item.kind} of {name(item.brand)} from {name(item.source)}"
        if said := " — ".join(part for part in (clean(item.title, 120), clean(item.text, 280)) if part):
            yield f"“{said}”"
        if item.uncounted is not None:
            yield f"not counted: {UNCOUNTED.get(item.uncounted, item.uncounted)}"
    yield f"label: {_label_line(found)}"
    if item is not None and item.rating_value is not None and item.rating_best is not None:
        says = f" - {explanation.rating_label}" if explanation.rating_label else ""
        yield f"stars: {item.rating_value:g} of {item.rating_best:g}{says}"
    yield f"language: {_language_line(explanation)}"
    yield f"profile: {explanation.profile} ({name(explanation.scorer)})"
    if item is not None and not found.current:
        yield f"stored label: {item.label or 'none'}, made by {name(item.scorer)}; shown here is what {explanation.profile} says"


def _label_line(found: Explained) -> str:
    explanation, item = found.explanation, found.item
    if item is not None and item.label_by == "person":
        return (
            f"{item.label}, by a person, who has the last word; by itself the program says {_by_program(explanation)}"
        )
    if item is not None and _is_erased(item):
        return f"{item.label}, by its text, which has been erased since: nothing is left to explain"
    return _by_program(explanation)


def _by_program(explanation: Explanation) -> str:
    if explanation.by == "stars":
        alone = "its text says nothing that is read"
        if explanation.text_label is not None:
            alone = f"its text alone says {explanation.text_label} ({_signed(explanation.compound)})"
        return f"{explanation.label}, by its stars; {alone}"
    if explanation.label is not None:
        return f"{explanation.label}, by its text ({_signed(explanation.compound)})"
    reason = "its language is not read" if explanation.unscored == "language" else "there is nothing to read in it"
    return f"none (unscored): {reason}"


def _language_line(explanation: Explanation) -> str:
    from monitor.digest.escape import name
    from monitor.scoring.language import is_checked

    if not is_checked():
        return "unchecked, since the detector is not installed"
    if explanation.language is None:
        return "not told, too short or too odd; read all the same" if explanation.sentences else "not told"
    read = "not read" if explanation.unscored == "language" or explanation.compound is None else "read"
    return f"{name(explanation.language)}, {read}"


def _sentence_line(sentence: Sentence, number: int, of: int) -> str:
    from monitor.digest.escape import clean

    said = clean(sentence.text, 240) or ""
    if of == 1:
        return f"“{said}”"
    if not sentence.counted:
        return f"{number}. “{said}” - too short to say anything: not counted"
    return f"{number}. “{said}” - {'no word of feeling' if not sentence.words else _signed(sentence.compound)}"


def _words_table(sentence: Sentence) -> Any:
    from rich.table import Table

    from monitor.digest.escape import name

    table = Table("  word", "from", box=None, pad_edge=False, show_footer=True)
    table.add_column("value", justify="right", footer="")
    table.add_column("changed by", footer=_footer(sentence), max_width=70)
    table.add_column("counts", justify="right", footer=_signed(sentence.raw_sum))
    for word in sentence.words:
        changes = _changes(word.base, word.changes)
        table.add_row(f"  {name(word.word)}", _ORIGINS[word.origin], _signed(word.base), changes, _signed(word.value))
    return table


_ORIGINS = {"vader": "VADER", "overlay": "overlay", "own": "your words"}


def _footer(sentence: Sentence) -> str:
    return "sum" if not sentence.emphasis else f"{_signed(sentence.emphasis)} for ! and ?, sum"


def _changes(base: float, changes: Sequence[Change]) -> str:
    told, value = [], base
    for change in changes:
        told.append(f"{_signed(change.delta)} {_because(change, value)}")
        value += change.delta
    return ", ".join(told)


def _because(change: Change, value: float) -> str:
    from monitor.digest.escape import name

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


def _summary(explanation: Explanation) -> Iterator[str]:
    if explanation.compound is not None and explanation.sentences:
        yield _scale_line(explanation)
    elif explanation.compound is not None:
        yield f"score: {_signed(explanation.compound)}, by a scorer that does not tell its reasons"
    if explanation.compound is not None and explanation.sentences:
        below = "below" if round(explanation.negative_below, 4) == explanation.negative_below else "at most"
        yield (
            f"so the text is {explanation.text_label}: positive from {_signed(explanation.positive_at)} on, "
            f"negative {below} {_signed(explanation.negative_below)}, else neutral"
        )
    yield from _silenced_lines(explanation.silenced)
    more = len(explanation.sentences) - SHOWN_SENTENCES
    if more > 0:
        yield f"{more} more sentences are not shown here; --json has them"
    if explanation.cut:
        yield "only the beginning of this very long text was read"


def _scale_line(explanation: Explanation) -> str:
    counted = sum(sentence.counted for sentence in explanation.sentences)
    if len(explanation.sentences) == 1:
        return f"score: {_signed(explanation.compound)}, the sum brought between -1 and +1"
    return f"score: {_signed(explanation.compound)}, the mean of the {counted} sentences that count"


_SILENCERS = {"brand": "the brand's own", "overlay": "by the overlay", "own": "by your neutral_words"}


def _silenced_lines(silenced: Sequence[Silenced]) -> Iterator[str]:
    from monitor.digest.escape import name

    if silenced:
        words = ", ".join(f"{name(one.word)} ({_SILENCERS[one.by]})" for one in silenced)
        yield f"words made to say nothing: {words}"


def _signed(value: float | None) -> str:
    from monitor.digest.numbers import score

    return score(value)
