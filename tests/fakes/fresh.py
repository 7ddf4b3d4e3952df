"""A brand called Fresh with 100 items, 37 of which are about vegetables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.app import App, watched
from monitor.config import load
from monitor.scoring import DEFAULT, Scorable, score_batch
from storage.records import ItemValues
from storage.tables import SCALE
from tests.fakes.storing import NOW, Shop, author, item

VEGETABLES = ("carrots", "spinach", "leeks")
CONFIG = """\
# who is watched
[monitor]
database = "sqlite:///unused.db"   # the tests' own

[[brands]]   # us
name = "Fresh"
keywords = ["fresh"]  # not much of a name

# and somebody else
[[brands]]
name = "Rival"
{more}
[[sources]]
name = "north"
type = "sample"
brands = ["Fresh", "Rival"]
options = {{ stream = "forum" }}
"""


def texts() -> list[str]:
    """What the hundred say: 37 of vegetables, 42 in praise, 21 not."""
    garden = [f"Fresh {VEGETABLES[n % 3]} from the vegetable market" for n in range(37)]
    praise = [f"I love the new phone of Fresh, says caller {n}" for n in range(42)]
    return [*garden, *praise, *(f"The phone of Fresh is awful and broke, says caller {n}" for n in range(21))]


def fresh(shop: Shop, folder: Path, more: str = "") -> App:
    """The program configured in ``folder`` on a shop whose first brand is Fresh, the hundred items stored."""
    (folder / "config.toml").write_text(CONFIG.format(more=more), encoding="utf-8")
    writers = [author(n + 1, name=f"caller {n}") for n in range(30)]
    shop.pull(*(said(n, text) for n, text in enumerate(texts())), authors=writers)
    return opened(shop, folder)


def opened(shop: Shop, folder: Path) -> App:
    """The program as the configuration has it now."""
    settings = load(folder / "config.toml")
    ids = {name: number for number, name in enumerate(shop.brands, start=1)}
    brands = {brand.name: watched(brand, ids[brand.name]) for brand in settings.brands}
    return App(settings, shop.database, lambda: NOW, "me", brands, NOW)


def excluding(app: App, words: Sequence[str], brand: str = "Fresh") -> App:
    """The program with other exclusions, as if the file had been edited by hand."""
    known = [
        one if one.name != brand else one.model_copy(update={"exclude": list(words)}) for one in app.settings.brands
    ]
    settings = app.settings.model_copy(update={"brands": known})
    one = watched(settings.brand(brand), app.brands[brand].id)
    return replace(app, settings=settings, brands={**app.brands, brand: one})


def said(number: int, text: str, **given: Any) -> ItemValues:
    """An item labelled as a pull labels it."""
    (found,) = score_batch([Scorable(None, text, None, None, frozenset({"fresh"}))], DEFAULT)
    labels = {
        "label": found.label,
        "label_by": found.by,
        "text_label": found.text_label,
        "compound": None if found.compound is None else round(found.compound * SCALE),
        "scorer": found.scorer,
        "unscored": found.unscored,
        "language": found.language,
    }
    at = NOW - timedelta(hours=20, minutes=7 * number)
    return item(f"i{number}", text=text, published_at=at, author_id=number % 30 + 1, **labels, **given)
