"""PURE  Figures as people write them; what is not known is a dash, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

UNKNOWN: Final = "–"
MINUS: Final = "−"


def count(value: int | None) -> str:
    """``12,034``."""
    return UNKNOWN if value is None else f"{value:,}".replace("-", MINUS)


def gained(value: int | None) -> str:
    """``+120``, ``−3``, ``0``."""
    return UNKNOWN if value is None else _signed(f"{value:+,}", zero=value == 0)


def score(value: float | None) -> str:
    """A score or a change of one: ``+0.18``, ``−0.21``, ``0.00``."""
    return UNKNOWN if value is None else _signed(f"{value:+.2f}", zero=round(value, 2) == 0)


def likely(low: float | None, high: float | None) -> str | None:
    """The interval of a score: ``likely +0.09 to +0.27``."""
    return None if low is None or high is None else f"likely {score(low)} to {score(high)}"


def percent(part: float, whole: float) -> str:
    """``62 %``; ``<1 %`` and ``>99 %`` where rounding would say none or all; a dash of nothing."""
    if whole <= 0:
        return UNKNOWN
    share = part / whole
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{int(100 * share + 0.5)} %"


def rate(value: float | None) -> str:
    """A share in [0, 1] to a tenth of a percent: ``2.3 %``."""
    return UNKNOWN if value is None else f"{100 * value:.1f} %".replace("-", MINUS)


def stars(value: float | None) -> str:
    """A mean of stars: ``4.1``."""
    return UNKNOWN if value is None else f"{value:.1f}"


def plural(value: int, one: str, many: str | None = None) -> str:
    """``1 mention``, ``1,204 mentions``."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def cells(parts: Sequence[int], width: int) -> tuple[int, ...]:
    """``parts`` as whole cells of a bar of ``width``, by largest remainder; a part above 0 has one cell at least."""
    whole = sum(parts)
    if whole <= 0:
        return tuple(0 for _ in parts)
    exact = [part * width / whole for part in parts]
    given = [max(int(share), 1) if part else 0 for part, share in zip(parts, exact, strict=True)]
    while sum(given) != width:
        step = 1 if sum(given) < width else -1
        free = [at for at, part in enumerate(parts) if part and (step > 0 or given[at] > 1)]
        given[max(free, key=lambda at: (step * (exact[at] - given[at]), -at))] += step
    return tuple(given)


def _signed(text: str, *, zero: bool) -> str:
    return text.lstrip("+-") if zero else text.replace("-", MINUS)
