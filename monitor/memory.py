"""What was dear to compute, remembered while there is room; safe for several threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Final, TypeVar

T = TypeVar("T")
ROOM: Final = 64
"""Results kept; the one not asked for the longest goes first."""


@dataclass(slots=True)
class _Making:
    """A value that one thread makes while others wait for it; ``values`` stays empty if it fails."""

    over: Event = field(default_factory=Event)
    values: list[Any] = field(default_factory=list)


class Memory:
    """A small cache. Keys hold everything that the value depends on, so that nothing in it is ever out of date."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of ``key``, made outside of the lock where it is not known.

        Who asks for it meanwhile waits and gets the same; if making it fails, they make it themselves. ``make`` must not ask
        for its own key.
        """
        while True:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found: T = self._kept[key]
                    return found
                other = self._making.get(key)
                if other is None:
                    mine = self._making[key] = _Making()
                    break
            other.over.wait()
            if other.values:
                waited: T = other.values[0]
                return waited
        return self._made(key, make, mine)

    def _made(self, key: Hashable, make: Callable[[], T], mine: _Making) -> T:
        try:
            made = make()
            mine.values.append(made)
            self._keep(key, made)
            return made
        finally:
            with self._lock:
                del self._making[key]
            mine.over.set()

    def _keep(self, key: Hashable, made: object) -> None:
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
