"""A property that is worked out once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import cached_property as lazily
else:

    class lazily:  # noqa: N801 - used like a function
        """Like ``functools.cached_property``, which until Python 3.12 lets all objects of a class wait for the one that works.

        For objects of one thread.
        """

        def __init__(self, make: Callable[[Any], Any]) -> None:
            self._make, self.__doc__ = make, make.__doc__

        def __set_name__(self, _owner: type, name: str) -> None:
            self._name = name

        def __get__(self, of: Any, _owner: type | None = None) -> Any:
            if of is None:
                return self
            made = of.__dict__[self._name] = self._make(of)  # from now on it is found there
            return made


__all__ = ("lazily",)
