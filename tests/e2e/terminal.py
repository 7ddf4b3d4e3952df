"""A person at a terminal: reads what is asked, and types answers."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable

from tests.e2e.forking import Forked


class Terminal:
    """Runs a command on a pseudo-terminal. ``screen`` is all that was shown, what was typed and echoed included."""

    def __init__(self, begin: Callable[[str], Forked | subprocess.Popen[bytes]]) -> None:
        """``begin`` starts the command on the terminal of that name."""
        self.screen = ""
        self._read = 0
        self._master, slave = pty.openpty()
        self.process = begin(os.ttyname(slave))
        os.close(slave)

    def answer(self, question: str, text: str) -> None:
        """Wait until ``question`` is on the screen and type an answer."""
        self._wait_for(question)
        os.write(self._master, f"{text}\n".encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._more(60):
            pass
        os.close(self._master)
        return self.process.wait(60)

    def _wait_for(self, text: str) -> None:
        end = time.monotonic() + 60
        while (found := self.screen.find(text, self._read)) < 0:
            assert self._more(end - time.monotonic()), f"{text!r} was not asked:\n{self.screen}"
        self._read = found + len(text)

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            part = os.read(self._master, 65_536)
        except OSError:  # what Linux says when the other end is closed
            return False
        self.screen += part.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(part)
