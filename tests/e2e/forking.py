"""Programs as processes of their own, without each paying for what it imports: forked from one that has loaded it.

A command run here is what ``python -m monitor`` is: it has its own folder, environment, streams and exit code, and ends by itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from io import FileIO
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = "monitor.cli:main"
LOADED: Final = (
    "alembic.command",
    "alembic.config",
    "connectors.appstore",
    "connectors.feeds",
    "connectors.files",
    "connectors.hackernews",
    "importlib.readers",
    "monitor.app",
    "monitor.bulk",
    "monitor.cli",
    "monitor.config",
    "monitor.daemon",
    "monitor.digest.forms",
    "monitor.erasing",
    "monitor.health",
    "monitor.marking",
    "monitor.rematching",
    "monitor.report",
    "monitor.rescoring",
    "monitor.scoring.entries",
    "monitor.scoring.evaluation",
    "monitor.scoring.options",
    "monitor.scoring.pipeline",
    "monitor.scoring.vader",
    "monitor.searching",
    "rich.table",
    "snowballstemmer",
    "storage.access",
    "storage.people_tables",
    "typer._adapters",
)


@cache
def forker() -> Forker:
    """What the programs of this test process are forked from; it ends with it."""
    made = Forker(ROOT)
    atexit.register(made.close)
    return made


class Forked:
    """A program under way, with what the tests use of ``subprocess.Popen``; its streams are pipes unless they were named."""

    def __init__(self, folder: tempfile.TemporaryDirectory[str]) -> None:
        self.returncode: int | None = None
        self._folder = folder
        self._told = FileIO(str(Path(folder.name, "told")), "r")
        self.pid = self._number()
        self.stdout, self.stderr = (
            pipe.open(encoding="utf-8") if (pipe := Path(folder.name, name)).exists() else None
            for name in ("out", "err")
        )

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it says from now on to its end, on both streams."""
        said = ["", ""]

        def read(number: int) -> None:
            if (stream := (self.stdout, self.stderr)[number]) and not stream.closed:
                with stream:
                    said[number] = stream.read()

        readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(2)]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            self.returncode = self._number()
            self._told.close()
            self._folder.cleanup()
        return self.returncode

    def _number(self) -> int:
        return _line(self._told.fileno())


class Forker:
    """The loaded process; :meth:`run` forks a command off it and waits for its end, :meth:`start` does not wait."""

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
            self._ask({**asked, "program": COMMAND, "in": os.devnull, "out": str(out), "err": str(err)})
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

    def start(
        self,
        program: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        given: str = "",
        terminal: str | None = None,
    ) -> Forked:
        """A ``program``, which is a function ("module:name") or a script, with what it is ``given`` to read.

        On a ``terminal`` (its name) it leads a session, and all its streams are there.
        """
        made = tempfile.TemporaryDirectory()
        told, source, out, err = (Path(made.name, name) for name in ("told", "in", "out", "err"))
        os.mkfifo(told)
        asked = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        if terminal is None:
            source.write_text(given, encoding="utf-8")
            os.mkfifo(out)
            os.mkfifo(err)
            streams = {"in": str(source), "out": str(out), "err": str(err)}
        else:
            streams = dict.fromkeys(("in", "out", "err"), terminal)
        self._ask({**asked, **streams, "program": program, "told": str(told), "leads": terminal is not None})
        return Forked(made)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def _ask(self, what: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self, seconds: float) -> int:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        if not ready:
            raise TimeoutError
        return _line(self._process.stdout.fileno())


def _line(descriptor: int) -> int:
    """The number on the next line."""
    line = b""  # byte by byte: what a buffer holds, select does not see
    while not line.endswith(b"\n"):
        part = os.read(descriptor, 1)
        assert part, "the process that programs are forked from has ended"
        line += part
    return int(line)


def serve() -> None:
    """The loaded process: for each line a program, forked; its number and then its exit code are told."""
    for name in LOADED:
        import_module(name)
    import_module("monitor.cli").command()  # put together once for all forks
    gc.collect()
    gc.freeze()  # so that no fork copies it all only to look through it
    answers, watchers = os.dup(1), set[int]()
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        watchers -= {watcher for watcher in watchers if os.waitpid(watcher, os.WNOHANG)[0]}
        if "told" not in asked:
            watch(asked, answers)
        elif watcher := os.fork():
            watchers.add(watcher)
        else:
            watch(asked, os.open(asked["told"], os.O_WRONLY))
            os._exit(0)


def watch(asked: Mapping[str, Any], told: int) -> None:
    """Fork the program, wait for its end, and tell both."""
    is_there, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        end(lambda: become(asked, there))
    os.close(there)
    if asked.get("leads"):
        os.read(is_there, 1)  # a terminal that nobody has open yet looks as if it had been left
    os.close(is_there)
    os.write(told, f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(asked: Mapping[str, Any], there: int) -> None:
    """Be that program, to its end; ``there`` is closed once it has its streams."""
    if asked.get("leads"):
        os.setsid()
    for number, name, flags in ((0, asked["in"], os.O_RDONLY), (1, asked["out"], _NEW), (2, asked["err"], _NEW)):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.close(there)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[:0] = [one for one in asked["environment"].get("PYTHONPATH", "").split(os.pathsep) if one not in sys.path]
    program: str = asked["program"]
    if "\n" in program:
        sys.argv = ["-c", *asked["arguments"]]
        exec(program, {"__name__": "__main__"})
    else:
        sys.argv = ["sentiment-monitor", *asked["arguments"]]
        module, _, name = program.partition(":")
        sys.exit(getattr(import_module(module), name)())


def end(work: Callable[[], None]) -> None:
    """Do the work and end as Python ends, but for taking everything down piece by piece."""
    code = 0
    try:
        work()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if error.code is not None and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)  # noqa: T201
    except BaseException:  # what Python does with what nobody caught
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code)


_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


if __name__ == "__main__":
    sys.path[0] = os.environ["PYTHONPATH"]
    serve()
