"""Which words drive the score: the terms of a window's items that tell negative from positive, and new from before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from monitor import figures as f
from monitor.app import App
from monitor.metrics.words import Term, Text, telling, terms_of
from monitor.quotes import quote
from monitor.reading import Document, Read
from storage import queries

MOST: Final = 10
EXAMPLES: Final = 3
FILLED: Final = 5
"""So many are shown at least, if need be with terms that are not clear; these need a z of :data:`OFTEN`."""
OFTEN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """The terms of each side, with all the items behind them."""

    negative: Sequence[Term] = ()
    positive: Sequence[Term] = ()
    new: Sequence[Term] = field(default=())


def find(app: App, brand: str, now: Read, before: Read) -> Found:
    """The telling terms of a window, the most telling first. Source: METRICS 6."""
    left_out = _names(app, brand)
    texts = {one.id: _text(one, left_out) for one in now.documents}
    negative = [texts[one.id] for one in now.documents if one.sign == -1]
    positive = [texts[one.id] for one in now.documents if one.sign == 1]
    earlier = [_text(one, left_out) for one in before.documents]
    return Found(
        _leading(telling(negative, positive)),
        _leading(telling(positive, negative)),
        _leading(telling(list(texts.values()), earlier)),
    )


@dataclass(frozen=True, slots=True)
class Behind:
    """The items behind a term: those that hold it, those of the other set that do, and how many authors the first have."""

    ids: tuple[int, ...]
    others: tuple[int, ...]
    authors: int


def behind(app: App, brand: str, now: Read, before: Read, side: str, shown: str) -> Behind | None:
    """What stands behind a driver of this side (negative, positive, new); ``None`` where it is none."""
    found = find(app, brand, now, before)
    term = next((one for one in getattr(found, side) if one.shown == shown), None)
    if term is None:
        return None
    left_out = _names(app, brand)
    opposite = {"negative": 1, "positive": -1}
    texts = before.documents if side == "new" else [one for one in now.documents if one.sign == opposite[side]]
    others = tuple(one.id for one in texts if term.stem in terms_of((one.title, one.text), left_out))
    return Behind(term.ids, others, term.clusters)


def _leading(terms: Sequence[Term]) -> Sequence[Term]:
    """The clear ones, filled up to a few with what is at least said much more often."""
    clear = [term for term in terms if term.clear][:MOST]
    often = [term for term in terms if not term.clear and term.z >= OFTEN]
    return [*clear, *often[: max(0, FILLED - len(clear))]]


def drivers_of(app: App, brand: str, now: Read, before: Read) -> f.Drivers:
    """The drivers of a window, each with example items."""
    found = find(app, brand, now, before)
    sides = {"negative": found.negative, "positive": found.positive, "new": found.new}
    chosen = {(side, term.stem): _examples(term, now) for side, terms in sides.items() for term in terms}
    items = queries.items_by_id(app.database, [number for ids in chosen.values() for number in ids])
    quotes = {number: quote(item, now.like.get(number, 0)) for number, item in items.items()}
    return f.Drivers(
        **{
            side: [_driver(term, [quotes[n] for n in chosen[side, term.stem] if n in quotes]) for term in terms]
            for side, terms in sides.items()
        },
        texts=len(now.documents),
        sampled=now.sampled,
    )


def _names(app: App, brand: str) -> frozenset[str]:
    """Words that name the brand or a competitor."""
    names = [brand, *app.settings.brand(brand).competitors]
    return frozenset(word for name in names if name in app.brands for word in app.brands[name].words)


def _text(one: Document, left_out: frozenset[str]) -> Text:
    return Text(one.id, one.cluster, terms_of((one.title, one.text), left_out))


def _examples(term: Term, now: Read) -> list[int]:
    """Of different authors, those with the most engagement first, then the newest."""
    by_id: Mapping[int, Document] = {one.id: one for one in now.documents}
    ranked = sorted((by_id[number] for number in term.ids), key=lambda one: (-one.engagement, -one.id))
    first: dict[int, int] = {}
    for one in ranked:
        first.setdefault(one.cluster, one.id)
    return list(first.values())[:EXAMPLES]


def _driver(term: Term, examples: list[f.Quote]) -> f.Driver:
    return f.Driver(
        term=term.shown,
        z=term.z,
        p=term.p,
        items=len(term.ids),
        others=term.others,
        authors=term.clusters,
        clear=term.clear,
        examples=examples,
    )
