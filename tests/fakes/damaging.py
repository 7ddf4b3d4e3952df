"""Damaged copies of answers: fields removed, values of other types, the end cut off. The same seed, the same damage."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

WRONG: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    7.5,
    10**30,
    float("nan"),
    "",
    "x",
    "\x00\ud800",
    "2026-99-99T99:99:99Z",
    [],
    [None],
    {},
    {"a": {"b": []}},
)
"""What a platform might send in the place of anything."""


def damaged_copies(body: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """``count`` copies of a body, each damaged in one to four places; a body that is no JSON is cut or has bytes changed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield damaged(body, chance)


def damaged(body: bytes, chance: random.Random) -> bytes:
    """One damaged copy."""
    try:
        answer = json.loads(body)
    except ValueError:
        return _torn(body, chance)
    if chance.random() < 0.1:
        return _torn(body, chance)
    whole = [answer]
    for _ in range(chance.randint(1, 4)):
        _damage(whole, chance)
    return json.dumps(whole[0]).encode()


def _damage(whole: list[Any], chance: random.Random) -> None:
    """Remove or replace one value, chosen evenly among all; the outermost may be it."""
    places: list[tuple[Any, Any]] = []
    _collect(whole, places)
    holder, key = chance.choice(places)
    if chance.random() < 0.4 and holder is not whole:
        del holder[key]
    else:
        holder[key] = copy.deepcopy(chance.choice(WRONG))


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        places.append((value, key))
        _collect(entry, places)


def _torn(body: bytes, chance: random.Random) -> bytes:
    if len(body) < 2 or chance.random() < 0.5:
        return body[: chance.randrange(len(body) + 1)]
    at = chance.randrange(len(body))
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
