"""PURE  What connectors of reviews share: a list of entries -> a page of :mod:`connectors.leafing`; words, numbers and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from connectors.contract import Item, Rating, Skipped
from connectors.leafing import Leaf
from connectors.tidy import storable

_SOUND_ID = re.compile(r"[A-Za-z0-9:._-]{1,60}")


def leaf_of(
    entries: Sequence[Any],
    read: Callable[[Any], Item | None],
    *,
    id_key: str,
    following: str | int | None,
    time_of: Callable[[Item], datetime] = lambda item: item.published_at,
    now: datetime | None = None,
) -> Leaf:
    """A page. ``read`` makes an item of an entry, ``None`` of one that is left out, and raises where it is damaged
    (``KeyError``, ``TypeError``, ``AttributeError``, ``ValueError``): such a one is skipped under its ``id_key``.

    A page that is not newest first tells no ``last``, so that nobody stops at it. A time after ``now`` counts as now: a clock
    gone wrong must not raise the watermark above what is to come.
    """
    items: list[Item] = []
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            item = read(entry)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(Skipped(_name(entry, id_key), f"{type(error).__name__}: not a sound review"))
            continue
        if item is not None:
            items.append(item)
    at = [time_of(item) for item in items]
    times = [(time if now is None else min(time, now)).timestamp() for time in at]
    in_order = all(earlier >= later for earlier, later in pairwise(times))
    return Leaf(items, skipped, max(times, default=None), times[-1] if times and in_order else None, following)


def word(value: object, length: int = 200) -> str | None:
    """A short text, cut at ``length``; ``None`` if it is no text or an empty one."""
    return storable(value).strip()[:length].strip() or None if isinstance(value, str) else None


def prose(value: object) -> str | None:
    """A text without markup, as it was written; ``None`` if it is no text or an empty one."""
    return storable(value).replace("\r\n", "\n").strip() or None if isinstance(value, str) else None


def whole(value: object) -> int | None:
    """A count; ``None`` where there is none."""
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if sound else None  # type: ignore[return-value]


def identity(value: object) -> str:
    """An id of digits, letters and ``:._-``; ``ValueError`` if it is none."""
    name = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[A-Za-z0-9:._-]{1,200}", name):
        raise ValueError("no id")
    return name


def moment(value: object) -> datetime:
    """An ISO time with its zone, in UTC; ``ValueError`` if it is none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except OverflowError:
        pass
    raise ValueError("no time with a zone")


def moment_or_none(value: object) -> datetime | None:
    try:
        return moment(value)
    except ValueError:
        return None


def stars(value: object) -> Rating:
    """A rating of one to five whole stars; ``ValueError`` if it is none."""
    number = whole(value)
    if number is None:
        raise ValueError("no rating from 1 to 5")
    return Rating(number)


def told(attributes: Mapping[str, str | None]) -> Mapping[str, str]:
    """Only what is known."""
    return {name: value for name, value in attributes.items() if value is not None}


def truth(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None


def _name(entry: object, id_key: str) -> str:
    known = entry.get(id_key) if isinstance(entry, Mapping) else None
    name = str(known) if isinstance(known, str | int) and not isinstance(known, bool) else ""
    return f"review {name}" if _SOUND_ID.fullmatch(name) else "a review without an id"
