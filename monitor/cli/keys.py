"""What a person types, key by key: on a terminal without waiting for the end of the line, from a pipe as it comes."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END = "\x04"
"""Ctrl-D, which ends the input of a terminal."""
_ESCAPE = b"\x1b"


@contextmanager
def keys() -> Iterator[Iterator[str]]:
    """The keys to come, small letters, blanks and line ends left out; the terminal is as it was afterwards, whatever happens."""
    number = sys.stdin.fileno()
    if not sys.stdin.isatty():
        yield _typed(number, terminal=False)
        return
    import termios
    import tty

    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number, termios.TCSADRAIN)
        yield _typed(number, terminal=True)
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _typed(number: int, *, terminal: bool) -> Iterator[str]:
    while (key := os.read(number, 1)) and key.decode("latin-1") != END:
        if key == _ESCAPE and terminal:
            _rest_of_sequence(number)
        elif not key.isspace():
            yield key.decode("latin-1").lower()


def _rest_of_sequence(number: int) -> None:
    """An arrow or function key comes as several letters, none of which was meant: ``[`` or ``O``, then up to one from @ to ~."""
    key = _waiting(number)
    if key in (b"[", b"O"):
        key = _waiting(number)
        while key and not b"@" <= key <= b"~":
            key = _waiting(number)


def _waiting(number: int) -> bytes:
    """What has been typed already; nothing after a moment without a key."""
    return os.read(number, 1) if select.select([number], [], [], 0.02)[0] else b""
