"""``explain``: which words made a label, sentence by sentence, and who had the last word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, console, load_settings, next_step, opened, print_json

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.explaining import Explained
    from monitor.scoring import Explanation, Profile
    from monitor.scoring.explain import Sentence

ProfileName = Annotated[
    Literal["stock", "default"] | None, typer.Option("--profile", help="By this one (default: the configured one).")
]

UNCOUNTED = {"excluded": "excluded by keywords", "duplicate": "a copy", "not_about_us": "not about the brand"}
SHOWN_SENTENCES = 40
"""So many on a terminal; ``--json`` has all."""


def explain(
    item: Annotated[
        str | None, typer.Argument(metavar="[ITEM]", help="An item's number, as `items --json` has it.")
    ] = None,
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
            found = _of_item(config, _number(item), profile)
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


def _number(item: str) -> int:
    if not (item.isascii() and item.isdecimal() and len(item) < 19):
        shown = item if len(item) <= 60 else f"{item[:60]}…"
        raise Failure(f'explain: "{shown}" is no number of an item; for a text of your own: --text "..."', 2)
    return int(item)


def _of_text(config: Path | None, text: str, title: str | None, brand: str | None, name: str | None) -> Explained:
    from monitor.config import find
    from monitor.explaining import Explained
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
    from monitor.explaining import explained
    from storage import queries

    with opened(config) as app:
        item = queries.items_by_id(app.database, [number]).get(number)
        if item is None:
            raise Failure(f"there is no item {number}; `sentiment-monitor items --json` shows each with its id")
        return explained(app, item, _profile(name))


def _profile(name: str | None) -> Profile | None:
    from monitor.scoring import DEFAULT, STOCK

    return None if name is None else {"stock": STOCK, "default": DEFAULT}[name]


def _told(found: Explained) -> Mapping[str, Any]:
    item = found.item
    names = ("id", "brand", "source", "kind", "published_at", "label", "label_by", "compound", "stars", "scorer")
    stored = (
        None
        if item is None
        else {name: getattr(item, name) for name in names}
        | {"uncounted": item.uncounted, "copy_of": found.copy_of, "current": found.current}
    )
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
    from monitor.explaining import language_words, verdict

    explanation, item = found.explanation, found.item
    if item is not None:
        yield f"item {item.id}: {item.kind} of {name(item.brand)} from {name(item.source)}"
        if said := " — ".join(part for part in (clean(item.title, 120), clean(item.text, 280)) if part):
            yield f"“{said}”"
        if item.uncounted is not None:
            of = "" if found.copy_of is None else f" of item {found.copy_of}"
            yield f"not counted: {UNCOUNTED.get(item.uncounted, item.uncounted)}{of}"
    yield f"label: {verdict(found)}"
    if item is not None and item.rating_value is not None and item.rating_best is not None:
        says = f" - {explanation.rating_label}" if explanation.rating_label else ""
        yield f"stars: {item.rating_value:g} of {item.rating_best:g}{says}"
    yield f"language: {language_words(explanation)}"
    yield f"profile: {explanation.profile} ({name(explanation.scorer)})"
    if item is not None and not found.current:
        yield f"stored label: {item.label or 'none'}, made by {name(item.scorer)}; shown here is what {explanation.profile} says"


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
    from monitor.explaining import ORIGINS, changes, sum_words

    table = Table("  word", "from", box=None, pad_edge=False, show_footer=True)
    table.add_column("value", justify="right", footer="")
    table.add_column("changed by", footer=sum_words(sentence), max_width=70)
    table.add_column("counts", justify="right", footer=_signed(sentence.raw_sum))
    for word in sentence.words:
        made = ", ".join(f"{_signed(delta)} {why}" for delta, why in changes(word.base, word.changes))
        table.add_row(f"  {name(word.word)}", ORIGINS[word.origin], _signed(word.base), made, _signed(word.value))
    return table


def _summary(explanation: Explanation) -> Iterator[str]:
    from monitor.explaining import summary

    yield from summary(explanation)
    more = len(explanation.sentences) - SHOWN_SENTENCES
    if more > 0:
        yield f"{more} more sentences are not shown here; --json has them"


def _signed(value: float | None) -> str:
    from monitor.digest.numbers import score

    return score(value)
