"""The process kept small: what work has left behind is given back to the system."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from contextlib import suppress


def keep_small() -> None:
    """Let the C library keep one heap for all threads instead of one for each (glibc only)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENAS, 1)


def give_back() -> None:
    """Return free memory to the system, where the C library can (glibc)."""
    gc.collect()
    with suppress(OSError, AttributeError):
        _trim()(0)


_ARENAS = -8
"""M_ARENA_MAX of glibc."""


def _trim() -> Callable[[int], int]:
    found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    return found
