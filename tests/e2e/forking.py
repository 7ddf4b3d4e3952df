"""Commands as processes of their own, without each paying for the program's imports: forked from one that has loaded it.

A command run here is what ``python -m monitor`` is: it has its own folder, environment, streams and exit code, and ends by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from select import select
from typing import Any, Final

LOADED: Final = (
    "alembic.command",
    "monitor.app",
    "monitor.cli",
    "monitor.config",
    "monitor.daemon",
    "monitor.digest.forms",
    "monitor.report",
    "rich.table",
    "storage.people_tables",
)


class Forker:
    """The loaded process; :meth:`run` forks a command off it and waits for its end."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(root)},
        )

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """What the command printed, and its exit code. ``TimeoutExpired`` if it takes too long; then it is killed."""
        with tempfile.TemporaryDirectory() as made:
            out, err = Path(made, "out"), Path(made, "err")
            asked = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
            self._ask({**asked, "out": str(out), "err": str(err)})
            child = self._answer(seconds)
            try:
                code = self._answer(seconds)
            except TimeoutError as error:
                os.kill(child, 9)
                self._answer(seconds)
                raise subprocess.TimeoutExpired(list(arguments), seconds) from error
            return subprocess.CompletedProcess(
                list(arguments), code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
            )

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def _ask(self, what: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self, seconds: float) -> int:
        assert self._process.stdout is not None
        ready, _, _ = select([self._process.stdout], [], [], seconds)
        if not ready:
            raise TimeoutError
        line = b""  # byte by byte: what a buffer holds, select does not see
        while not line.endswith(b"\n"):
            part = os.read(self._process.stdout.fileno(), 1)
            assert part, "the process that commands are forked from has ended"
            line += part
        return int(line)


def serve() -> None:
    """The loaded process: for each line a command, forked; its number and then its exit code are answered."""
    for name in LOADED:
        __import__(name)
    answers = os.dup(1)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.close(answers)
            become(asked)
            return
        os.write(answers, f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(asked: Mapping[str, Any]) -> None:
    """Be that command, to its end."""
    for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, asked["out"], _NEW), (2, asked["err"], _NEW)):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[:0] = [one for one in asked["environment"].get("PYTHONPATH", "").split(os.pathsep) if one not in sys.path]
    sys.argv = ["sentiment-monitor", *asked["arguments"]]
    from monitor.cli import main

    main()


_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


if __name__ == "__main__":
    sys.path[0] = os.environ["PYTHONPATH"]
    serve()
