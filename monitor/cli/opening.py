"""``items --figure``: a number of the report, opened."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from monitor.cli.common import Failure, console, window_of

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.opening import Opened
    from storage.records import ItemFilter


UNSAID: Final[tuple[object, ...]] = (None, False, (), [])
BESIDE: Final = ("brands", "since", "until")
"""What an option beside ``--figure`` may say of the items."""


def opened_figure(app: App, path: str, wanted: ItemFilter, span: tuple[str | None, str | None]) -> Opened:
    """The figure of the one brand and the window that the options name; the last seven days without them, as for ``scores``."""
    from monitor.opening import NotAFigure, open_figure

    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)} | {"uncounted": None}
    if wanted.uncounted != "counted" or any(value not in UNSAID for name, value in given.items() if name not in BESIDE):
        raise Failure("--figure: says itself which items; beside it go --brand, --since, --until and --order", 2)
    brands = wanted.brands or [brand.name for brand in app.settings.brands]
    if len(brands) != 1:
        raise Failure(f"--figure: is one brand's; name it with --brand: {', '.join(brands)}", 2)
    try:
        return open_figure(app, brands[0], window_of(app, *span), path)
    except NotAFigure as error:
        raise Failure(f"--figure: {error}", 2) from error


def figure_json(told: Opened) -> dict[str, Any]:
    """What goes before the items."""
    formula = {"name": told.formula.name, "version": told.formula.version, "sentence": told.formula.sentence}
    found = {"figure": told.path, "formula": formula, "value": told.value, "made_of": told.made_of}
    return found if told.why is None else {**found, "why": told.why}


def show_figure(told: Opened) -> None:
    """What the number is and how the items make it, in two lines."""
    from monitor.digest.escape import clean

    out = console()
    out.print(f"{clean(told.path, 200)} = {_value(told)}: {told.formula.sentence}", soft_wrap=True)
    out.print(_makes(told), soft_wrap=True)


def _value(told: Opened) -> str:
    from monitor.digest.numbers import count

    return f"{told.value:.4g}" if isinstance(told.value, float) else count(told.value)


def _makes(told: Opened) -> str:
    """How the items make the figure: they are counted, added up, or it rests on them."""
    if told.why is not None:
        return f"No items to show: {told.why}."
    if told.made_of in ("items", "rests on items"):
        return f"It {'counts' if told.made_of == 'items' else 'rests on'} these items:"
    part = told.made_of.removesuffix(" of items")
    return f"It {'counts the authors' if part == 'authors' else f'adds up the {part}'} of these items:"
