"""PURE  A brand's figures as paths: ``social.negative``, ``breakdowns.place.r/phones.reviews.total``, ``authors.17.items``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.figures import BrandFigures
from monitor.schedule import Window
from monitor.slices import stretches

Number = int | float


def leaves(figures: BrandFigures, window: Window) -> dict[str, Number]:
    """Every number of a brand's part of a report over ``window``, by its path; what is not known is not in it.

    What stands in a list is called by its name: a group, a source, a term, an author's number, a day (``2026-11-13``), an hour
    (``2026-11-13T14:00Z``).
    """
    dump = figures.model_dump()
    dump["series"] = dict(zip(stretches(window), dump["series"], strict=True))
    return dict(_walk(dump, ()))


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Number]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(part, (*path, str(key)))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            if isinstance(part, Mapping):
                yield from _walk(part, (*path, _name(part, path, number)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield ".".join(path), value


def _name(part: Mapping[str, Any], path: tuple[str, ...], number: int) -> str:
    match path:
        case ("followers",):
            return f"{part['source']}/{part['account']}"
        case ("reviews", "rating", "standing"):
            return f"{part['source']}/{part['place']}"
        case ("by_source",):
            return str(part["source"])
        case ("drivers", _):
            return str(part["term"])
        case ("authors", _):
            return str(part["id"])
        case ("competitors",):
            return str(part["brand"])
        case ("annotations",):
            return str(part["text"])
        case ("breakdowns", _) | ("topics",):
            return str(part["name"])
    return str(number)
