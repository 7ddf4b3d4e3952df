"""Lists of items: what is behind a figure, mentions, reviews, by filter and search; and the same as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from monitor.app import App
from monitor.cells import cell
from monitor.opening import Opened
from monitor.web.asked import Unasked
from monitor.web.chosen import KINDS, LABELS, ORDERS, PAGES, Chosen, chosen
from monitor.web.guards import Here, Reader
from monitor.web.page import render
from monitor.web.rows import Row, rows
from storage import listing, marks
from storage.patience import TookTooLong, hurried
from storage.records import StoredItem

router = APIRouter(include_in_schema=False)

SHOWN: Final = 50
COUNTED_TO: Final = 10_000
COUNTING: Final = 0.15
"""Seconds that are spent on counting what is found."""
LISTING: Final = 3.0
"""Seconds after which a list is given up."""
TITLES: Final = {"/items": "Items", "/mentions": "Mentions", "/reviews": "Reviews"}
VIEWS: Final = {
    "/items": (),
    "/mentions": (("newest", "Newest"), ("engaged", "Most engaged"), ("negative", "Most negative")),
    "/reviews": (("unanswered", "Unanswered first"), ("newest", "Newest"), ("negative", "Most negative")),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of a list. ``total`` is counted up to a bound; ``None``: not at all, it would take too long."""

    rows: Sequence[Row]
    next: str | None
    total: int | None
    too_long: bool = False

    @property
    def total_words(self) -> str:
        if self.total is None:
            return "too many items to count quickly"
        if self.total > COUNTED_TO:
            return f"more than {COUNTED_TO:,} items"
        return f"{self.total:,} item{'' if self.total == 1 else 's'}"


@router.get("/items")
def items(request: Request, house: Here, visitor: Reader) -> Response:
    """What is behind a figure, or any items."""
    return _list(request, house.app, chosen(house.app, request, visitor, "/items"))


@router.get("/mentions")
def mentions(request: Request, house: Here, visitor: Reader) -> Response:
    """What people say."""
    return _list(request, house.app, chosen(house.app, request, visitor, "/mentions"))


@router.get("/reviews")
def reviews(request: Request, house: Here, visitor: Reader) -> Response:
    """Reviews, those that wait for an answer first."""
    return _list(request, house.app, chosen(house.app, request, visitor, "/reviews"))


def _list(request: Request, app: App, asked: Chosen) -> Response:
    marked = request.query_params.get("marked")
    return render(
        request,
        "items.html",
        status=422 if asked.fault else 200,
        title=_title(asked),
        in_view=asked.in_view,
        asked=asked,
        shown=_shown(app, asked),
        show_brand=asked.brand is None,
        views=VIEWS[asked.path],
        kinds=KINDS,
        labels=LABELS,
        orders=ORDERS,
        usual_order=PAGES[asked.path][1],
        sources=[source.name for source in app.settings.sources],
        tags=[name for name, _ in marks.tags(app.database)],
        figure_words=_makes(asked.opened) if asked.opened else "",
        figure_value=_shortly(asked.opened.value) if asked.opened else "",
        marked=marked if marked in asked.brands else None,
    )


def _title(asked: Chosen) -> str:
    return f"{TITLES[asked.path]} · {asked.brand}" if asked.brand else TITLES[asked.path]


def _shortly(value: float | None) -> str:
    """A ratio with four digits: ``0.1834``."""
    return "" if value is None else f"{value:.4g}".replace("-", "−")


def _makes(opened: Opened) -> str:
    """How many items make the figure, and how: they are counted, added up, or it rests on them."""
    these = f"{opened.total or 0:,} item{'' if opened.total == 1 else 's'}"
    match opened.made_of:
        case "items":
            return f"It counts these {these}." if opened.total != 1 else "It counts this 1 item."
        case "rests on items":
            return f"It rests on these {these}."
        case "authors of items":
            return f"It counts the authors of these {these}."
    return f"It adds up the {opened.made_of.removesuffix(' of items')} of these {these}."


def _shown(app: App, asked: Chosen) -> Shown:
    try:
        found = listing.items(
            hurried(app.database, LISTING), asked.wanted, order=asked.order, limit=SHOWN + 1, after=asked.key
        )
    except TookTooLong:
        return Shown((), None, None, too_long=True)
    more = listing.token_of(found[SHOWN - 1], asked.order) if len(found) > SHOWN else None
    return Shown(rows(app, found[:SHOWN]), more, _total(app, asked, len(found) if asked.after is None else None))


def _total(app: App, asked: Chosen, all_of_them: int | None) -> int | None:
    if asked.opened is not None:
        return asked.opened.total
    if all_of_them is not None and all_of_them <= SHOWN:
        return all_of_them
    return count(app, asked, COUNTING)


def count(app: App, asked: Chosen, seconds: float) -> int | None:
    """How many items there are, up to one more than :data:`COUNTED_TO`; ``None`` where that takes longer."""
    try:
        return listing.count_items(hurried(app.database, seconds), asked.wanted, at_most=COUNTED_TO + 1)
    except TookTooLong:
        return None


# ------------------------------------------------------------------------------------------------------------ files

COLUMNS: Final = (
    *("id", "brand", "source", "kind", "published_at", "label", "label_by", "compound", "stars", "author", "place"),
    *("title", "text", "url", "likes", "shares", "comments", "views", "language", "reply_text", "reply_at"),
    *("uncounted", "unscored", "scorer"),
)
"""Those of ``items --csv``."""
READ_AT_ONCE: Final = 1_000
BY_TIME: Final = ("newest", "oldest")


@router.get("/items.csv")
def as_csv(request: Request, house: Here, visitor: Reader) -> Response:
    """All that is found, safe to open in a spreadsheet."""
    asked = _of_file(house.app, request, visitor)
    return _file(_csv_lines(house.app, asked), "text/csv; charset=utf-8", "items.csv")


@router.get("/items.jsonl")
def as_jsonl(request: Request, house: Here, visitor: Reader) -> Response:
    """All that is found, a JSON object a line."""
    asked = _of_file(house.app, request, visitor)
    lines = (json.dumps(_plain(item), ensure_ascii=False) + "\n" for item in _everything(house.app, asked))
    return _file(_in_parts(lines), "application/x-ndjson", "items.jsonl")


def _of_file(app: App, request: Request, visitor: Reader) -> Chosen:
    """The list whose address, apart from its path, this is; ``page`` names the list."""
    page = request.query_params.get("page") or "/items"
    if page not in PAGES:
        raise Unasked(f"page: there is no such list; write {', '.join(PAGES)}")
    asked = chosen(app, request, visitor, page)
    if asked.fault is not None:
        raise Unasked(f"q: {asked.fault.message}")
    return asked


def _file(parts: Iterator[str], media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts, media_type=media_type, headers=headers)


def _everything(app: App, asked: Chosen) -> Iterator[StoredItem]:
    """All items in the list's order, page by page, each read when it is needed.

    More than :data:`COUNTED_TO` come by time, since every other order is sorted anew for each page.
    """
    order = asked.order
    if order not in BY_TIME and listing.count_items(app.database, asked.wanted, COUNTED_TO + 1) > COUNTED_TO:
        order = "newest"
    after: listing.Key | None = None
    while True:
        found = listing.items(app.database, asked.wanted, order=order, limit=READ_AT_ONCE, after=after)
        yield from found
        if len(found) < READ_AT_ONCE:
            return
        after = listing.sort_key(found[-1], order)


def _csv_lines(app: App, asked: Chosen) -> Iterator[str]:
    def lines() -> Iterator[str]:
        yield _csv_line(COLUMNS)
        for item in _everything(app, asked):
            yield _csv_line([cell(getattr(item, name)) for name in COLUMNS])

    return _in_parts(lines())


def _csv_line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _in_parts(lines: Iterator[str], size: int = 200) -> Iterator[str]:
    """Lines in bundles: each bundle is a step of the server."""
    bundle: list[str] = []
    for line in lines:
        bundle.append(line)
        if len(bundle) >= size:
            yield "".join(bundle)
            bundle.clear()
    yield "".join(bundle)


def _plain(item: StoredItem) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(item).items()}
