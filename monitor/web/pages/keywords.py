"""Keywords: what each word of a brand does, what another exclusion would catch, and making it so or taking it back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import tomlkit
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from monitor.adopting import AdoptError, Change, fingerprint, would_catch
from monitor.app import App
from monitor.config import ConfigError
from monitor.config.models import BrandSettings
from monitor.digest import escape, numbers, sentences
from monitor.keyword_rules import rules_of
from monitor.keyword_trials import Caught
from monitor.query import QueryError
from monitor.suggesting import suggest
from monitor.web.asked import Asked, InView, Unasked
from monitor.web.following import Busy, Done
from monitor.web.guards import Here, Submitted
from monitor.web.house import House
from monitor.web.page import back, render

router = APIRouter(include_in_schema=False)
SECONDS: Final = 8.0
"""How long a trial may look through the store."""
RULES_SECONDS: Final = 3.0
"""The same for what every visit counts."""
WAIT_SECONDS: Final = 20.0
"""How long somebody waits for the stored items to follow; after that they follow by themselves."""
MOST_WORDS: Final = 20
LONGEST: Final = 200
LONGEST_QUERY: Final = 2_000
EXCERPT: Final = 240
Words = Annotated[list[str], Query(default_factory=list)]


@router.get("/keywords")
def keywords(
    request: Request,
    house: Here,
    asked: InView,
    exclude: Words,
    keep: Words,
    adopted: Words,
    query: str = "",
    whole: bool = False,
) -> Response:
    """A brand's words, and a form that tries another exclusion; with one to try, what that comes to."""
    return _page(request, house, asked, _change(exclude, keep, query), adopted=words_of(adopted), whole=whole)


@router.get("/keywords/rules")
def rules_part(request: Request, house: Here, asked: InView) -> Response:
    return render(request, "keywords_rules.html", title="", in_view=asked, **_rules(house.app, asked.brand))


@router.get("/keywords/suggested")
def suggested_part(request: Request, house: Here, asked: InView) -> Response:
    return render(request, "keywords_suggested.html", title="", in_view=asked, found=suggest(house.app, asked.brand))


@router.get("/keywords/trial")
def trial_part(request: Request, house: Here, asked: InView, exclude: Words, keep: Words, query: str = "") -> Response:
    change = _change(exclude, keep, query)
    if change is None:
        raise Unasked("exclude: name a word or a phrase to try")
    return render(request, "keywords_trial.html", title="", in_view=asked, **_trial(house.app, asked.brand, change))


@router.post("/keywords/adopt")
def adopt(request: Request, house: Here, asked: InView, form: Submitted) -> Response:
    """Write exclusions into the configuration, or take them out of it; the stored items follow."""
    undo = str(form.get("undo", "")) == "1"
    words = words_of([str(one) for one in form.getlist("exclude")])
    if not words:
        raise Unasked("exclude: name a word or a phrase")
    expected = str(form.get("expected", "")) or None
    try:
        done = house.follower.change(house.app, asked.brand, words, expected, undo=undo, seconds=WAIT_SECONDS)
    except (AdoptError, Busy) as error:
        return _page(request, house, asked, None, failed=str(error).split("\n"), status=409)
    finally:
        house.look_again()
    shown = {"brand": asked.brand} if undo else {"brand": asked.brand, "adopted": words}
    return back(request, f"/keywords?{urlencode(shown, doseq=True)}", _said(asked.brand, words, done, undo=undo))


def words_of(given: Iterable[str]) -> tuple[str, ...]:
    """Words and phrases, each once: several in one field stand on lines of their own, or between commas."""
    parts = (" ".join(part.split()) for one in given for part in one.replace("\n", ",").split(","))
    found = tuple(dict.fromkeys(part for part in parts if part))
    if len(found) > MOST_WORDS:
        raise Unasked(f"exclude: names more than {MOST_WORDS} words; try fewer at once")
    if any(len(word) > LONGEST for word in found):
        raise Unasked(f"exclude: a phrase has more than {LONGEST} characters; write a shorter one")
    return found


def _change(exclude: Iterable[str], keep: Iterable[str], query: str) -> Change | None:
    """What is to be tried; ``None``: nothing."""
    if len(query) > LONGEST_QUERY:
        raise Unasked(f"query: has more than {LONGEST_QUERY:,} characters; write a shorter one")
    change = Change(exclude=words_of(exclude), keep=words_of(keep), query=query.strip() or None)
    return change if change.exclude or change.keep or change.query else None


def _page(
    request: Request,
    house: House,
    asked: Asked,
    change: Change | None,
    *,
    adopted: tuple[str, ...] = (),
    failed: list[str] | None = None,
    whole: bool = False,
    status: int = 200,
) -> Response:
    app, name = house.app, asked.brand
    brand = app.settings.brand(name)
    fields: dict[str, Any] = {
        "brand": brand, "change": change, "trial_query": _query(name, change), "whole": whole, "failed": failed or [],
        "adopted": [word for word in adopted if word in brand.exclude], "under_way": house.follower.under_way(app),
        "found": None, "configured": rows_of(brand), "can_write": _can_write(app, name), "suggested": None,
    }  # fmt: skip
    if whole:
        fields |= _rules(app, name) | {"suggested": suggest(app, name)} | (_trial(app, name, change) if change else {})
    return render(request, "keywords.html", status=status, title=f"Keywords of {name}", in_view=asked, **fields)


def _query(brand: str, change: Change | None) -> str:
    if change is None:
        return urlencode({"brand": brand})
    told = {"brand": brand, "exclude": change.exclude, "keep": change.keep, "query": change.query or ()}
    return urlencode(told, doseq=True)


# -------------------------------------------------------------------------------------------------- what is shown


def rows_of(brand: BrandSettings) -> list[tuple[str, str]]:
    """A brand's words with what each is for, before they have been counted."""
    query = [("query", brand.query)] if brand.query is not None else []
    lists = (("keyword", brand.named_by), ("required", brand.required), ("exclude", brand.exclude))
    return [*query, *((kind, text) for kind, texts in lists for text in dict.fromkeys(texts))]


def _rules(app: App, brand: str) -> dict[str, Any]:
    (found,) = rules_of(app, [brand], seconds=RULES_SECONDS)
    return {"found": found, "configured": rows_of(app.settings.brand(brand)), "can_write": _can_write(app, brand)}


def _trial(app: App, name: str, change: Change) -> dict[str, Any]:
    """What a change would come to, or why it cannot be tried; and what it takes to make it so."""
    brand = app.settings.brand(name)
    told: dict[str, Any] = {"change": change, "brand": brand, "trial": None, "faulty": None}
    try:
        told["trial"] = would_catch(app, name, change, seconds=SECONDS)
    except QueryError as error:
        told["faulty"] = (error.message, error.rendering)
    except ValueError as error:
        told["faulty"] = (str(error), None)
    return told | {
        "excerpt": excerpt, "can_write": _can_write(app, name), "by_hand": by_hand(brand, change),
        "expected": _fingerprint(app), "known": [word for word in change.exclude if word in brand.exclude],
    }  # fmt: skip


def excerpt(one: Caught) -> str:
    """An example's words, around what catches it where that is known."""
    said = " – ".join(part for part in (one.title, one.text) if part)
    return (sentences.excerpt(said, one.by or "", EXCERPT) if said else None) or "(no words)"


def by_hand(brand: BrandSettings, change: Change) -> str:
    """The line of the brand's entry in the configuration that makes the change."""
    if change.query is not None:
        return f"query = {tomlkit.item(change.query).as_string()}"
    kept = (word for word in brand.exclude if word not in change.keep)
    return f"exclude = {tomlkit.item(list(dict.fromkeys([*kept, *change.exclude]))).as_string()}"


def _fingerprint(app: App) -> str | None:
    """The configuration as it is now; ``None`` where it cannot be changed."""
    with suppress(ConfigError, OSError):
        return None if app.settings.path is None else fingerprint(app.settings.path)
    return None


def _can_write(app: App, brand: str) -> bool:
    """Is there a file that holds this brand, and may it be replaced?"""
    path = app.settings.path
    if path is None:
        return False
    file: Path = app.settings.sheets.file_of("brands", brand, path)
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def _said(brand: str, words: Iterable[str], done: Done, *, undo: bool) -> str:
    shown = ", ".join(f"“{escape.clean(word, 60)}”" for word in words)
    state = "no longer excluded" if undo else "excluded"
    if done.adopted is None:
        return f"{shown}: {state} in the configuration; the stored items follow, which takes a while."
    (totals,) = done.adopted.history.brands
    before, after = numbers.count(totals.counted_before), numbers.count(totals.counted_after)
    late = done.adopted.history.overtaken
    left = f" {numbers.plural(late, 'item')} changed meanwhile; run: sentiment-monitor rematch" if late else ""
    return f"{shown}: {state}. Of {escape.name(brand)} {before} items counted, {after} count now.{left}"
