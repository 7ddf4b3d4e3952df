"""PURE  Request budgets as the configuration writes them: ``60/1m``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from monitor.config.tables import listed
from monitor.schedule import parse_duration
from storage.records import Limit

LONGEST = timedelta(days=31)


def limits(texts: Sequence[str]) -> list[Limit]:
    """The limits that ``60/1m``, ``1000/1h`` ... mean; ``ValueError`` (fact; remedy) where one makes no sense."""
    found = [limit(text) for text in texts]
    if len({one.period for one in found}) < len(found):
        raise ValueError("has two limits for one period; keep the smaller one")
    return found


def limit(text: str) -> Limit:
    """The limit that ``60/1m`` means."""
    count, sign, period = (part.strip() for part in text.partition("/"))
    if not sign or not (count.isascii() and count.isdigit()):
        raise ValueError(f'"{text[:60]}" is no limit; write how many in how long, such as "60/1m"')
    length = parse_duration(period)
    if not timedelta(seconds=1) <= length <= LONGEST:
        raise ValueError(f'"{text[:60]}": a period lasts from 1s to {LONGEST.days}d; write another, such as "60/1m"')
    if not 1 <= int(count) <= 1_000_000_000:
        raise ValueError(f'"{text[:60]}" would never allow a request; allow one or more, or enabled = false to rest')
    return Limit(int(count), length)


def _sound(texts: list[str]) -> list[str]:
    limits(texts)
    return texts


Requests = Annotated[list[str], BeforeValidator(listed), AfterValidator(_sound)]
"""A request budget: ``60/1m``, or several of them."""
