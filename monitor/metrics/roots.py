"""PURE  A root-finder that never leaves its bracket, so that the idle program needs no scientific library."""

from __future__ import annotations

from collections.abc import Callable

TOLERANCE = 1e-13
MAX_STEPS = 200


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where ``f`` crosses zero between ``low`` and ``high``, to within 1e-13; ``f`` must differ in sign at the ends.

    Inverse quadratic interpolation where it is safe, halving where it is not.
    Source: Chandrupatla 1997, Advances in Engineering Software 28, 145-149.
    """
    a, b, c = high, low, high
    fa, fb, fc = f(a), f(b), 0.0
    step = 0.5
    for _ in range(MAX_STEPS):
        if fa == 0 or fb == 0 or abs(b - a) <= TOLERANCE:
            break
        x = a + step * (b - a)
        fx = f(x)
        if (fx > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, b, fc, fb = b, a, fb, fa
        a, fa = x, fx
        step = _next_step(a, b, c, fa, fb, fc)
    return a if abs(fa) < abs(fb) else b


def _next_step(a: float, b: float, c: float, fa: float, fb: float, fc: float) -> float:
    """How far to go from ``a`` (the latest point) towards ``b`` (across the root); ``c`` is the point before."""
    xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):
        return 0.5
    step = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    least = 0.5 * TOLERANCE / abs(b - a)
    return min(max(step, least), 1 - least)
