"""PURE  What people say again and again, and who they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import tzinfo
from itertools import groupby
from typing import Final

from monitor.digest import escape, items, sentences
from monitor.digest.links import Links
from monitor.digest.numbers import count
from monitor.digest.page import Named, Term, Terms, Writers
from monitor.figures import AuthorFigures, BrandFigures, Driver, Quote

ALL: Final = (None, True)
LEADING: Final = (3, True)
"""Of a short digest: so many terms of each side, also those that are only often said."""
CLEAR: Final = (3, False)
"""Of few items: what is said by three of twenty says little."""
Extent = tuple[int | None, bool]
AUTHORS: Final = 5
"""Authors of each list."""
_LISTS: Final = (
    ("engaged", "Authors most engaged with"),
    ("followed", "Most followed authors"),
    ("rising", "Authors writing more than before"),
    ("falling", "Authors writing less than before"),
)


def terms(
    brand: BrandFigures, before: str, zone: tzinfo, links: Links, shown: Collection[int], extent: Extent
) -> tuple[Terms, ...]:
    """What drives complaints and praise and what is new; ``shown``: items to take as examples only where there is no other."""
    return tuple(_terms(brand, before, zone, links, set(shown), extent))


def _terms(
    brand: BrandFigures, before: str, zone: tzinfo, links: Links, used: set[int], extent: Extent
) -> Iterator[Terms]:
    at_most, often_too = extent
    for side in ("negative", "positive", "new"):
        found: Sequence[Driver] = getattr(brand.drivers, side)
        drivers = [one for one in found if one.clear or often_too][:at_most]
        for clear, those in groupby(sorted(drivers, key=lambda one: not one.clear), key=lambda one: one.clear):
            rows = tuple(_term(one, side, brand.brand, zone, links, used) for one in those)
            yield Terms(sentences.driving(side, before, clear=clear), rows)


def _term(driver: Driver, side: str, brand: str, zone: tzinfo, links: Links, used: set[int]) -> Term:
    example, again = _example(driver.examples, used)
    return Term(
        term=escape.name(driver.term),
        count=sentences.often(driver, side),
        link=links.to(brand, "drivers", side, driver.term, "items"),
        said=None if example is None else items.example(example, driver.term, zone, again=again),
    )


def _example(examples: Sequence[Quote], used: set[int]) -> tuple[Quote | None, bool]:
    """One that stands nowhere yet, else the first; and whether it stands somewhere."""
    told = [one for one in examples if one.text or one.title or one.erased]
    fresh = next((one for one in told if one.id not in used), None)
    if fresh is not None:
        used.add(fresh.id)
        return fresh, False
    return (told[0] if told else None), True


def writers(brand: BrandFigures, links: Links) -> tuple[Writers, ...]:
    """Who is most heard, and who writes more or less than before."""
    lists = [(title, name, getattr(brand.authors, name)) for name, title in _LISTS]
    kept = [
        (title, name, [one for one in those if name != "engaged" or one.engagement][:AUTHORS])
        for title, name, those in lists
    ]
    return tuple(
        Writers(title, tuple(_writer(one, name, brand.brand, links) for one in those))
        for title, name, those in kept
        if those
    )


def _writer(one: AuthorFigures, list_name: str, brand: str, links: Links) -> Named:
    who = escape.clean(one.name, escape.NAME) or "Author not known"
    link = links.to(brand, "authors", one.id, "items") if one.items else None
    return Named(who, sentences.author(one, list_name), escape.name(one.source), link)


def note(brand: BrandFigures) -> str | None:
    """What the lists are the top of, and how many people may have seen it."""
    told = [f"{count(brand.authors.total)} authors in all" if brand.authors.total > 1 else None]
    told.append(sentences.reach(brand.engagement.reach))
    return ". ".join(one for one in told if one) or None
