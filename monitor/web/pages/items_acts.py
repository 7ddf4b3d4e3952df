"""What is done to items on pages: by form with a way back, or in place for the page's script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData, QueryParams

from monitor.schedule import Window
from monitor.suggesting import suggest
from monitor.web import acting
from monitor.web.access import Visitor
from monitor.web.acting import ACTS, NO_FILTER, Outcome
from monitor.web.asked import Unasked, window_named
from monitor.web.chosen import PAGES, Chosen, of_query
from monitor.web.guards import Here, Reader, Submitted
from monitor.web.house import House
from monitor.web.page import back, own_path, render
from monitor.web.pages.items import count
from storage import listing
from storage.records import StoredItem

router = APIRouter(include_in_schema=False)

PATIENCE = 10.0
"""Seconds for counting what an action on all that is found would be done to."""
SUGGESTED = 6


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks for: an action on items by number, or on all that the list it was sent from finds."""

    do: str
    ids: tuple[int, ...]
    tag: str
    on_all: bool
    back: str


@router.post("/items/act")
def act(request: Request, house: Here, visitor: Reader, form: Submitted) -> Response:
    """Do something to items."""
    wish = _wish(form)
    acting.check(wish.do, wish.tag)
    if wish.on_all:
        return _on_all(request, house, visitor, wish, form)
    found = _seen(house, visitor, wish.ids)
    if not found:
        raise Unasked("no item was chosen; tick some, or use the buttons beside an item")
    done = acting.act(house.app, wish.do, found, visitor.name, wish.tag, _window(house, form))
    if "application/json" in request.headers.get("accept", ""):
        everyones = not _query(form).get("brand") and len(house.app.brands) > 1
        return _in_place(request, house, wish, found, done, show_brand=everyones)
    return back(request, _place(wish, found), done.words)


@router.get("/items/suggested")
def suggested(request: Request, house: Here, visitor: Reader, brand: str = "") -> Response:
    """Words that would exclude what people called not about a brand; a part of a page."""
    if brand not in house.app.brands or not visitor.may_see(brand):
        raise Unasked(f'no brand "{brand[:100]}"; there are: {", ".join(house.app.brands)}')
    return render(request, "items_suggested.html", brand=brand, words_found=suggest(house.app, brand, SUGGESTED).words)


def _wish(form: FormData) -> Wish:
    one = str(form.get("one") or "")
    if not one and (typed := _typed_tag(form)) is not None:
        return Wish("tag", (typed[0],), typed[1], False, _back(form))
    if one:
        do, _, rest = one.partition(" ")
        number, _, name = rest.partition(" ")
        tag = name or str(form.get(f"tag-{number}") or form.get("tag") or "")
        return Wish(do, (_number(number),), tag, False, _back(form))
    ids = tuple(dict.fromkeys(_number(str(given)) for given in form.getlist("id")))
    return Wish(str(form.get("do") or ""), ids, str(form.get("tag") or ""), form.get("all") == "1", _back(form))


def _typed_tag(form: FormData) -> tuple[int, str] | None:
    """The return key in an item's field for a tag, without script."""
    if form.get("do") != "none":
        return None
    typed = [(key, str(value)) for key, value in form.items() if key.startswith("tag-") and str(value).strip()]
    return (_number(typed[0][0].removeprefix("tag-")), typed[0][1]) if typed else None


def _number(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise Unasked(f'"{given[:40]}" is no number of an item')
    return int(given)


def _back(form: FormData) -> str:
    return own_path(str(form.get("back") or "/items"))


def _seen(house: House, visitor: Visitor, ids: Sequence[int]) -> list[StoredItem]:
    """The items with these numbers that are there and that the visitor may see."""
    found = listing.items_by_id(house.app.database, ids)
    return [found[number] for number in ids if number in found and visitor.may_see(found[number].brand)]


def _window(house: House, form: FormData) -> Window:
    """Over which scores are compared: the list's window, else the usual one."""
    given = _query(form)
    try:
        return window_named(house.app, {} if given.get("window") == "all" else given)[0]
    except Unasked:
        return window_named(house.app, {})[0]


def _query(form: FormData) -> QueryParams:
    return QueryParams(str(form.get("query") or "").partition("?")[2])


def _place(wish: Wish, found: Sequence[StoredItem]) -> str:
    """Where the page stood, and what it says beside: which words are suggested."""
    address = wish.back.partition("#")[0]
    if wish.do == "not_about_us" and address.partition("?")[0] in PAGES and "marked=" not in address:
        address += ("&" if "?" in address else "?") + urlencode({"marked": found[0].brand if found else ""})
    return f"{address}#item-{found[0].id}" if len(found) == 1 else address


def _in_place(
    request: Request, house: House, wish: Wish, found: Sequence[StoredItem], done: Outcome, *, show_brand: bool
) -> Response:
    """The items as they are now, for the page to put in place of what it shows."""
    fresh = acting.again(house.app, [item.id for item in found])
    shown = {
        str(row.id): bytes(render(request, "items_row.html", row=row, show_brand=show_brand).body).decode()
        for row in fresh
    }
    return JSONResponse(
        {"said": done.words, "changed": done.changed, "moved": [_moved(one) for one in done.moved], "rows": shown}
        | {"suggest": [f"/items/suggested?brand={quote(one, safe='')}" for one in _marked(wish, found)]}
    )


def _moved(one: acting.Moved) -> Mapping[str, object]:
    return {"brand": one.brand, "kind": one.kind, "before": one.before, "after": one.after}


def _marked(wish: Wish, found: Sequence[StoredItem]) -> list[str]:
    return sorted({item.brand for item in found}) if wish.do == "not_about_us" else []


# ------------------------------------------------------------------------------------------------ on all that is found


def _on_all(request: Request, house: House, visitor: Visitor, wish: Wish, form: FormData) -> Response:
    if wish.do in NO_FILTER:
        raise Unasked(f"do={wish.do}: is done to items that are ticked; tick some")
    asked = _list_of(house, visitor, form)
    total = count(house.app, asked, PATIENCE)
    if total is None or total > acting.most(wish.do):
        raise Unasked(
            f"that would be more than {acting.most(wish.do):,} items; narrow the filter, by dates for instance"
        )
    if not total:
        raise Unasked("the filter finds nothing any more; nothing was done")
    if not 0 < total <= _sure(form):
        return render(
            request, "items_confirm.html", title="Are you sure?", wish=wish, asked=asked, total=total, acts=ACTS
        )
    done = acting.on_all(house.app, wish.do, asked.wanted, visitor.name, wish.tag)
    return back(request, _place_after(wish, asked), done.words)


def _list_of(house: House, visitor: Visitor, form: FormData) -> Chosen:
    path = str(form.get("query") or "").partition("?")[0]
    if path not in PAGES:
        raise Unasked("query: names no list of items; open the list again")
    asked = of_query(house.app, _query(form), visitor, path)
    if asked.fault is not None:
        raise Unasked(f"q: {asked.fault.message}")
    return asked


def _sure(form: FormData) -> int:
    given = str(form.get("sure") or "0")
    return _number(given)


def _place_after(wish: Wish, asked: Chosen) -> str:
    if wish.do != "not_about_us" or asked.brand is None:
        return asked.address()
    return asked.address(marked=asked.brand)
