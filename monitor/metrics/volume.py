"""PURE  How much is said: pace, and whose share of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta

DAY = timedelta(days=1)


def velocity(count: int, length: timedelta) -> float | None:
    """Items a day over a window of this length; ``None`` for a window without length. Source: METRICS 3."""
    return count * DAY / length if length > timedelta(0) else None


def share_of_voice(own: Mapping[str, int], competitors: Iterable[Mapping[str, int]], shared: Set[str]) -> float | None:
    """``own / (own + competitors)`` of the mentions, in [0, 1]; ``None`` without competitors or mentions.

    Mentions by source; only the ``shared`` sources, which look for all these brands, are counted. Source: METRICS 4.
    """
    others = [_over(counts, shared) for counts in competitors]
    mine = _over(own, shared)
    total = mine + sum(others)
    return mine / total if others and total else None


def _over(counts: Mapping[str, int], sources: Set[str]) -> int:
    return sum(count for source, count in counts.items() if source in sources)
