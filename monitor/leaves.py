"""PURE  A brand's figures as paths: ``social.negative``, ``breakdowns.place.r/phones.reviews.total``, ``authors.17.items``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from monitor.figures import BrandFigures

Number = int | float


def leaves(figures: BrandFigures, zone: tzinfo) -> dict[str, Number | None]:
    """Every number of a brand's part of a report by its path; ``None`` where it is not known.

    What stands in a list is called by its name: a group, a source, a term, an author's number, a day (``2026-11-13``), an hour
    (``2026-11-13T14:00Z``).
    """
    dump = figures.model_dump()
    dump["series"] = {at: day for at, day in zip(_starts(dump["series"], zone), dump["series"], strict=True)}
    return dict(_walk(dump, ()))


def stretch_name(start: datetime, zone: tzinfo, *, hourly: bool) -> str:
    """What a stretch of a series is called in a path."""
    return f"{start.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if hourly else f"{start.astimezone(zone):%Y-%m-%d}"


def _starts(series: list[dict[str, Any]], zone: tzinfo) -> list[str]:
    days = [stretch_name(one["start"], zone, hourly=False) for one in series]
    if len(set(days)) == len(days) and not _is_hourly(series):
        return days
    return [stretch_name(one["start"], zone, hourly=True) for one in series]


def _is_hourly(series: list[dict[str, Any]]) -> bool:
    return len(series) > 1 and (series[1]["start"] - series[0]["start"]).total_seconds() == 3_600


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Number | None]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(part, (*path, str(key)))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            if isinstance(part, Mapping):
                yield from _walk(part, (*path, _name(part, path, number)))
    elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
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
