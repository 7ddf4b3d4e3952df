"""The configuration as it is in effect, without secrets; what `check` says of it; tokens for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from monitor import __version__
from monitor.checking import check_all, coming
from monitor.config.shown import shown
from monitor.parties import lines, parties
from monitor.stocktaking import take_stock
from monitor.web import access
from monitor.web.asked import Unasked
from monitor.web.guards import Here, Submitted, submitted, visitor
from monitor.web.house import House
from monitor.web.page import back, render
from monitor.web.schedule_words import schedule_words
from storage import tokens

router = APIRouter(include_in_schema=False)
SECONDS: Final = 20.0
"""How long each source and channel may take to answer."""
NAME: Final = 100


@router.get("/settings", dependencies=[Depends(visitor)])
def settings(request: Request, house: Here) -> Response:
    """What is in effect."""
    return _page(request, house)


@router.post("/settings/check", dependencies=[Depends(submitted)])
def check(request: Request, house: Here) -> Response:
    """Try every source and every channel, as ``check`` does."""
    stock = take_stock(house.settings, house.now)
    found = [stock.finding, *check_all(house.settings, house.now, seconds=SECONDS)]
    return _page(request, house, findings=found, outdated=stock.outdated)


@router.post("/settings/tokens")
def token(request: Request, house: Here, form: Submitted) -> Response:
    """Make a token, shown this once, or remove one."""
    name = str(form.get("name", "")).strip()
    if form.get("do") == "remove":
        gone = tokens.remove_token(house.app.database, name)
        said = f"The token {name} works no more." if gone else f"There is no token {name}."
        return back(request, "/settings#tokens", said, bad=not gone)
    if not 0 < len(name) <= NAME or not name.isprintable():
        return back(request, "/settings#tokens", "A token has a name of 1 to 100 characters.", bad=True)
    brands = _brands(house, [str(one) for one in form.getlist("brand")])
    made = access.new_token()
    kept = tokens.add_token(
        house.app.database, name, access.digest_of(made), may_write=form.get("rights") == "write",
        brands=brands or None, now=house.now(),
    )  # fmt: skip
    if not kept:
        return back(request, "/settings#tokens", f"There is a token {name} already; remove it first.", bad=True)
    return _page(request, house, made=made, made_name=name)


def _brands(house: House, names: list[str]) -> list[str]:
    """The brands that a token is to be for; none: all. One that is gone is refused, since without it the token could see all."""
    known = [brand.name for brand in house.settings.brands]
    if unknown := [name for name in names if name not in known]:
        raise Unasked(f'no brand "{unknown[0][:100]}"; there are: {", ".join(known)}')
    return names


def _page(request: Request, house: House, **more: Any) -> Response:
    fields: dict[str, Any] = {"findings": None, "outdated": 0, "made": None, "made_name": None} | more
    return render(
        request, "settings.html", title="Settings", version=__version__, tables=list(_tables(shown(house.settings))),
        file=house.settings.path.name if house.settings.path else None, notes=lines(parties(house.app), house.app),
        tokens=tokens.tokens(house.app.database),
        brands=[brand.name for brand in house.settings.brands], coming=coming(house.settings, house.now()),
        password=house.password_hash is not None, schedule_words=schedule_words, **fields,
    )  # fmt: skip


def _tables(told: Mapping[str, Any]) -> Iterator[tuple[str, list[list[tuple[str, str]]]]]:
    """Every table with its entries, each as keys and values in words."""
    for name, value in told.items():
        entries = value if isinstance(value, list) else [value]
        if entries:
            yield name, [[(key, _words(one)) for key, one in _flat(entry)] for entry in entries]


def _flat(entry: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in entry.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{under}{key}.")
        else:
            yield under + key, value


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value) or "none"
    return str(value)
