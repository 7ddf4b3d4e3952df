"""Which items a page shows: what the address asks for, parsed once; and the address of the same with something changed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import QueryParams

from monitor import sums as s
from monitor.app import App
from monitor.health import health_of_sources
from monitor.leaves import Number, leaves
from monitor.opening import NotAFigure, Opened, open_figure
from monitor.query import QueryError
from monitor.report import build_report
from monitor.schedule import Window
from monitor.searching import search_of
from monitor.web.access import Visitor
from monitor.web.asked import Asked, Unasked, window_named
from storage import listing, queries
from storage.records import ItemFilter

KINDS: Final = ("mention", "review", "post")
LABELS: Final = ("positive", "neutral", "negative", "unscored")
REASONS: Final = {
    "all": "counted or not",
    "excluded": "excluded by keywords",
    "muted": "author or site muted",
    "duplicate": "duplicates",
    "not_about_us": "not about the brand",
}
"""What ``uncounted`` may say, in words."""
ORDERS: Final = {
    "newest": "newest first",
    "oldest": "oldest first",
    "negative": "most negative first",
    "positive": "most positive first",
    "engaged": "most engaged first",
    "unanswered": "unanswered reviews first",
}
PAGES: Final[Mapping[str, tuple[str | None, str]]] = {
    "/items": (None, "newest"),
    "/mentions": ("mention", "newest"),
    "/reviews": ("review", "unanswered"),
}
"""Each list's kind and usual order."""
SEVERAL: Final = ("source", "kind", "label", "language", "attribute", "tag")
SINGLE: Final = (
    *("q", "min_stars", "max_stars", "author", "place", "min_engagement", "uncounted", "unanswered", "done"),
)
LONGEST: Final = 2_000
"""Characters of a field."""
MOST: Final = 50
"""Values of one field."""
LARGEST: Final = 10**12


@dataclass(frozen=True, slots=True)
class Chosen:
    """Items of one brand, or (``brand`` none) of all that the visitor may see, in an order.

    ``fields``: what the address says, without where a page begins. ``window`` none: of any time. ``fault``: the search cannot
    be made, and nothing is shown.
    """

    path: str
    fields: tuple[tuple[str, str], ...]
    brand: str | None
    brands: tuple[str, ...]
    window: Window | None
    choice: str
    order: str
    after: str | None
    wanted: ItemFilter
    opened: Opened | None = None
    fault: QueryError | None = None

    def get(self, name: str) -> str:
        """A field's first value; an empty text where it is not given."""
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def address(self, **changed: str | Sequence[str] | None) -> str:
        """The address of the same with some fields changed, or (``None``) left out; it begins with the first page."""
        return self.at(self.path, **changed)

    def at(self, path: str, **changed: str | Sequence[str] | None) -> str:
        """The same on another page of ours."""
        kept = [(key, value) for key, value in self.fields if key not in changed]
        new = [
            (key, one) for key, value in changed.items() for one in ([value] if isinstance(value, str) else value or ())
        ]
        query = urlencode([*kept, *new])
        return f"{path}?{query}" if query else path

    def without(self, name: str, value: str) -> str:
        """The address without one value."""
        query = urlencode([pair for pair in self.fields if pair != (name, value)])
        return f"{self.path}?{query}" if query else self.path

    @property
    def here(self) -> str:
        """This very page's address."""
        return self.address(after=self.after)

    @property
    def in_view(self) -> Asked | None:
        """Brand and window, for links to other pages."""
        if self.brand is None or self.window is None:
            return None
        return Asked(self.brand, self.brands, self.window, self.choice)

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters that are set, in words, each with the address without it."""
        found = [(words_of(name, value), self.without(name, value)) for name, value in self.fields]
        return [(words, address) for words, address in found if words]

    @property
    def key(self) -> listing.Key | None:
        """Where the page begins. :class:`Unasked` where ``after`` is none of ours."""
        try:
            return None if self.after is None else listing.key_of(self.after, self.order)
        except ValueError as error:
            raise Unasked(f"after={self.after[:80] if self.after else ''}: {error}") from error


def words_of(name: str, value: str) -> str | None:
    """A filter on a chip; ``None`` for what is no filter."""
    match name:
        case "q":
            return f"says: {value}"
        case "uncounted":
            return REASONS.get(value)
        case "unanswered":
            return "unanswered"
        case "done":
            return "done" if value == "1" else "not done"
        case "label":
            return "not scored" if value == "unscored" else value
        case "min_stars" | "max_stars":
            return f"{value} ★ or {'more' if name == 'min_stars' else 'fewer'}"
        case "min_engagement":
            return f"engagement {value} or more"
        case "source" | "kind" | "language" | "tag" | "author" | "place":
            return f"{name}: {value}"
        case "attribute":
            return value.replace("=", ": ", 1)
    return None


# ------------------------------------------------------------------------------------------------ reading an address


def chosen(app: App, request: Request, visitor: Visitor, path: str) -> Chosen:
    """What a request for a list asks for. :class:`Unasked` for what cannot be."""
    return of_query(app, request.query_params, visitor, path)


def of_query(app: App, given: QueryParams, visitor: Visitor, path: str) -> Chosen:
    """The same from a query alone, as a form hands it on."""
    _refuse_long(given)
    brands = tuple(brand.name for brand in app.settings.brands if visitor.may_see(brand.name))
    brand = _brand(given, brands)
    window, choice = _window(app, given)
    order = _one_of("order", given.get("order") or PAGES[path][1], ORDERS)
    found = Chosen(
        path, _fields(given, brand, choice, order, path), brand, brands, window, choice, order,
        given.get("after") or None, ItemFilter(),
    )  # fmt: skip
    if given.get("figure"):
        return _with_figure(app, found, given["figure"], visitor)
    base = _span(brand, visitor, window)
    try:
        return replace(found, wanted=_filter(app, found, base))
    except QueryError as error:
        return replace(found, wanted=replace(base, ids=()), fault=error)


def _refuse_long(given: QueryParams) -> None:
    for name, value in given.multi_items():
        if len(value) > LONGEST:
            raise Unasked(f"{name[:40]}: has more than {LONGEST:,} characters; write less")
        if len(given.getlist(name)) > MOST:
            raise Unasked(f"{name[:40]}: stands there more than {MOST} times; name fewer")


def _brand(given: QueryParams, brands: tuple[str, ...]) -> str | None:
    if not brands:
        raise Unasked("no brand is watched yet; add one to the configuration")
    wanted = given.get("brand") or None
    if wanted is not None and wanted not in brands:
        raise Unasked(f'no brand "{wanted[:100]}"; there are: {", ".join(brands)}')
    if wanted is None and (given.get("figure") or len(brands) == 1):
        return brands[0]
    return wanted


def _window(app: App, given: QueryParams) -> tuple[Window | None, str]:
    if given.get("window") == "all" and not (given.get("since") or given.get("until") or given.get("figure")):
        return None, "all"
    return window_named(app, given)


def _fields(given: QueryParams, brand: str | None, choice: str, order: str, path: str) -> tuple[tuple[str, str], ...]:
    """What is asked for, in one order, so that one view has one address."""
    found: list[tuple[str, str]] = [("figure", given["figure"])] if given.get("figure") else []
    found += [("brand", brand)] if brand and given.get("brand") else []
    if choice == "custom":
        found += [(name, given[name].strip()) for name in ("since", "until") if given.get(name)]
    elif given.get("window"):
        found.append(("window", choice))
    for name in ("q", *SEVERAL, *SINGLE[1:]):
        values = given.getlist(name) if name in SEVERAL else [given.get(name) or ""]
        found += [(name, value.strip()) for value in dict.fromkeys(values) if value.strip()]
    if order != PAGES[path][1]:
        found.append(("order", order))
    kind = PAGES[path][0]
    return tuple(pair for pair in found if not (kind and pair[0] == "kind"))


def _span(brand: str | None, visitor: Visitor, window: Window | None) -> ItemFilter:
    limits: tuple[datetime | None, datetime | None] = (window.start, window.end) if window else (None, None)
    brands = tuple(sorted(visitor.brands)) if brand is None and visitor.brands is not None else ()
    return ItemFilter(brand=brand, brands=brands, since=limits[0], until=limits[1])


def _with_figure(app: App, found: Chosen, path: str, visitor: Visitor) -> Chosen:
    """The items of a figure. Beside it stand brand, window and order alone, since it says itself which items."""
    extra = [name for name, _ in found.fields if name not in ("figure", "brand", "window", "since", "until", "order")]
    if extra:
        raise Unasked(f"{extra[0]}: a figure says itself which items; leave out figure={path[:100]} or {extra[0]}")
    assert found.brand is not None
    assert found.window is not None
    try:
        opened = open_figure(app, found.brand, found.window, path, _numbers(app, found.brand, found.window, path))
    except NotAFigure as error:
        raise Unasked(f"figure: {error}") from error
    wanted = opened.wanted or ItemFilter(ids=())
    if wanted.brand is not None and not visitor.may_see(wanted.brand):
        raise Unasked(f"figure: {path[:100]} is a figure of another brand")
    return replace(found, opened=opened, wanted=wanted)


def _numbers(app: App, brand: str, window: Window, path: str) -> Callable[[], Mapping[str, Number]]:
    """The report's numbers: without what is read from the window's items, where the figure does not rest on that."""

    def numbers() -> Mapping[str, Number]:
        if _PLAIN.fullmatch(path):
            return _plain_numbers(app, brand, window)
        light = leaves(build_report(app, [brand], window, items=False).brands[0], window)
        if path in light and not path.endswith(_BY_ITEMS):
            return light
        return leaves(build_report(app, [brand], window).brands[0], window)

    return numbers


def _plain_numbers(app: App, brand: str, window: Window) -> Mapping[str, Number]:
    """The scores alone, from sums."""
    sums = queries.sums_by_source(app.database, brand, (window.start, window.end))
    found = {name: s.sentiment(s.total(sums, kind)) for name, kind in (("social", "mention"), ("reviews", "review"))}
    told = {f"{name}.score": one.score for name, one in found.items()}
    told |= {f"{name}.variants.{key}": value for name, one in found.items() for key, value in one.variants.items()}
    return {path: value for path, value in told.items() if value is not None}


_PLAIN: Final = re.compile(r"(?:social|reviews)\.(?:score|variants\.\w+)")
_BY_ITEMS: Final = ("low", "high", "deff", ".p")
"""Ends of figures that say more once the items have been looked at one by one."""


def _filter(app: App, asked: Chosen, base: ItemFilter) -> ItemFilter:
    kind = PAGES[asked.path][0]
    reason = asked.get("uncounted")
    return replace(
        base,
        search=search_of(asked.get("q")) if asked.get("q") else None,
        sources=_sources(app, asked.all("source")),
        kinds=(kind,) if kind else [_one_of("kind", one, KINDS) for one in asked.all("kind")],
        labels=[_one_of("label", one, LABELS) for one in asked.all("label")],
        languages=[one.lower() for one in asked.all("language")],
        attributes=[_pair(one) for one in asked.all("attribute")],
        tags=asked.all("tag"),
        stars_at_least=_number("min_stars", asked.get("min_stars"), 1_000),
        stars_at_most=_number("max_stars", asked.get("max_stars"), 1_000),
        at_least=list(_engagement(asked.get("min_engagement"))),
        author=asked.get("author") or None,
        place=asked.get("place") or None,
        uncounted=_one_of("uncounted", reason, (*REASONS, "counted")) if reason else "counted",
        unanswered=_yes("unanswered", asked.get("unanswered")) is True,
        done=_yes("done", asked.get("done")),
    )


def _sources(app: App, names: Sequence[str]) -> Sequence[str]:
    if names:
        known = [state.name for state in health_of_sources(app)]
        for name in names:
            _one_of("source", name, known)
    return names


def _engagement(given: str) -> Iterator[tuple[str, int]]:
    least = _number("min_engagement", given, LARGEST)
    if least is not None:
        yield "engagement", math.ceil(least)


def _one_of(field: str, value: str, known: Any) -> str:
    if value not in known:
        raise Unasked(f'{field}: there is no "{value[:100]}"; write {", ".join(known)}')
    return value


def _number(field: str, given: str, largest: float) -> float | None:
    if not given:
        return None
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not 0 <= number <= largest:
        raise Unasked(f'{field}: "{given[:40]}" is no number from 0 to {largest:,}')
    return number


def _yes(field: str, given: str) -> bool | None:
    return {"": None, "1": True, "0": False}[_one_of(field, given, ("1", "0", ""))]


def _pair(given: str) -> tuple[str, str]:
    name, sign, value = given.partition("=")
    if not (sign and name and value):
        raise Unasked(f'attribute: "{given[:100]}" names no value; write country=DE')
    return name, value
