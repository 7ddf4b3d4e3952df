"""PURE  Several places read in one pull, in turn: one cursor for all, and none that keeps the others waiting.

A pull that its budget cuts short goes on next time with what it did not come to. A place that is refused is a gap while the
others go on; only when every one is refused does the pull fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from connectors.contract import Cursor, Gap, JsonValue, Page
from connectors.errors import AccessDenied, Malformed, NotThere, Unavailable

Refusal: TypeAlias = AccessDenied | NotThere


class Book:
    """The cursor under way: where each place (by its key) stands, and which one had its turn last."""

    def __init__(self, cursor: Cursor | None, keys: Sequence[str]) -> None:
        states = (cursor or {}).get("places")
        last = (cursor or {}).get("last")
        self._keys = list(dict.fromkeys(keys))
        self._states: dict[str, JsonValue] = dict(states) if isinstance(states, Mapping) else {}
        self._last = last if isinstance(last, str) else None

    def in_turn(self) -> Sequence[str]:
        """Every place, beginning behind the one that had its turn last."""
        start = self._keys.index(self._last) + 1 if self._last in self._keys else 0
        return [*self._keys[start:], *self._keys[:start]]

    def state(self, key: str) -> JsonValue:
        return self._states.get(key)

    def note(self, key: str, state: Mapping[str, JsonValue], *, done: bool) -> None:
        """Where this place stands now; ``done``: it has been read to its end, so the next one is due."""
        self._states[key] = state
        if done:
            self.had_turn(key)

    def had_turn(self, key: str) -> None:
        self._last = key

    def cursor(self) -> Cursor:
        """Where the places stand; what left the options is forgotten."""
        return {"places": {key: self._states[key] for key in self._keys if key in self._states}, "last": self._last}


def take_turns(book: Book, read: Callable[[str], Iterator[Page]], gap: Callable[[str, Refusal], Gap]) -> Iterator[Page]:
    """Every place's pages, then a gap for each that was refused; all refused: raised."""
    refused: dict[str, Refusal] = {}
    turns = book.in_turn()
    for key in turns:
        try:
            yield from read(key)
        except (AccessDenied, NotThere) as error:
            refused[key] = error
            book.had_turn(key)
        except (Unavailable, Malformed):
            # The others go first next time, lest one that the platform cannot answer keep them waiting for ever.
            book.had_turn(key)
            yield Page((), book.cursor())
            raise
    if refused and len(refused) == len(turns):
        raise next(iter(refused.values()))
    for key, refusal in refused.items():
        yield Page((), book.cursor(), gap=gap(key, refusal))
