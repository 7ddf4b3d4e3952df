"""What commands share: where the configuration is, how errors and results are printed."""

from __future__ import annotations

import gc
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column

    from monitor.app import App
    from monitor.config import Settings
    from monitor.schedule import Window

ConfigPath = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration. Default: config.toml, else $SENTIMENT_MONITOR_CONFIG."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
LogFormat = Annotated[Literal["text", "json"], typer.Option("--log-format", help="How log lines look.")]
Brand = Annotated[list[str] | None, typer.Option("--brand", "-b", help="Only this brand (may be repeated).")]
Since = Annotated[
    str | None,
    typer.Option("--since", help="From: 30d, 2026-11-01, 2026-W44 or an ISO time; to the quarter of an hour."),
]
Until = Annotated[str | None, typer.Option("--until", help="Up to, not included; written like --since.")]

LONGEST_NAME = 100
"""Characters of who says something, as they are kept."""


def short(name: str | None) -> str | None:
    """Who says so, as given; what no store keeps ends the command."""
    if name is not None and len(name) > LONGEST_NAME:
        raise Failure(f"--by: has {len(name)} characters, and {LONGEST_NAME} at most are kept; write a shorter name", 2)
    return name


By = Annotated[str | None, typer.Option("--by", help="Who says so.", show_default=False, callback=short)]

LONGEST = timedelta(days=14_610)
"""Forty years: a series over more would be days on days of nothing."""


class Failure(Exception):
    """A command cannot do what it was asked; ``lines`` say why and what to do."""

    def __init__(self, lines: Sequence[str] | str, code: int = 1) -> None:
        super().__init__("\n".join([lines] if isinstance(lines, str) else lines))
        self.lines = [lines] if isinstance(lines, str) else list(lines)
        self.code = code

    def show(self) -> None:
        for line in self.lines:
            say(line)


def say(text: str) -> None:
    """A message for the person at the terminal: standard error, harmless whatever it holds."""
    from monitor.digest.escape import clean

    for line in text.splitlines() or [""]:
        indent = len(line) - len(line.lstrip(" "))  # a caret stands under what is meant
        typer.echo(" " * min(indent, 200) + (clean(line, 2_000) or ""), err=True)


def at_once(error: str) -> str:
    """A source's error for a command that does not come back to it by itself."""
    return error.replace("; trying again later", "; try again later")


def next_step(text: str) -> None:
    """The natural next command, where somebody is there to read it."""
    if sys.stderr.isatty():
        say(f"next: {text}")


def load_settings(path: Path | None) -> Settings:
    """The configuration; a faulty one ends the command with exit code 2 and every fault."""
    from monitor.config import ConfigError, find, load

    found = find(path)
    try:
        return load(found)
    except ConfigError as error:
        faults = [str(fault) for fault in error.faults]
        count = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
        raise Failure([*faults, f"{found}: {count}, nothing was done"], 2) from error


@contextmanager
def opened(
    path: Path | None, start: Callable[[Settings], App] | None = None, *, makes_store: bool = False
) -> Iterator[App]:
    """The program on its store, closed at the end; a store that cannot be used ends the command, as one does that is not there.

    ``makes_store``: the command fills it, so that it makes one; given with ``start``, which does.
    """
    from monitor.app import build
    from monitor.cli.stores import check_made, unmade
    from storage.engine import StorageError, StoreUnmade

    settings = load_settings(path)
    check_made(settings, makes_store=makes_store)
    try:
        app = start(settings) if start else build(settings, makes_store=makes_store)
        spare_collections()
        try:
            yield app
        finally:
            app.close()
    except StoreUnmade as error:
        raise Failure(unmade(str(error), settings)) from error
    except StorageError as error:
        raise Failure(str(error)) from error


def spare_collections() -> None:
    """Let the collector of garbage look less often, and never at what is loaded by now: of what a page of items makes, next to
    nothing goes round in circles, and looking for it took a twentieth of the time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def brands_of(app: App, chosen: Sequence[str] | None) -> list[str]:
    """The brands a command speaks of; an unknown one ends it."""
    known = [brand.name for brand in app.settings.brands]
    for name in chosen or ():
        if name not in known:
            raise Failure(f'--brand: no brand "{name}"; there are: {", ".join(known)}', 2)
    return list(chosen or known)


def window_of(app: App, since: str | None, until: str | None, default: str = "7d") -> Window:
    """The window that ``--since`` and ``--until`` mean; by default the last seven days up to now."""
    from monitor.schedule import parse_since, span

    zone, now, option = app.settings.monitor.zone, app.now(), "--until"
    try:
        end = quarter(parse_since(until, now, zone) if until else now, up=True)
        option = "--since"
        start = quarter(parse_since(since or default, end, zone))
    except ValueError as error:
        raise Failure(f"{option}: {error}", 2) from error
    if start >= end:
        raise Failure(f"--since {since or default}: is not before --until; turn them round", 2)
    if end - start > LONGEST:
        raise Failure(f"--since {since or default}: figures reach over {LONGEST.days:,} days at most; begin later", 2)
    return span(start, end, zone)


def quarter(at: datetime, *, up: bool = False) -> datetime:
    """The quarter of an hour at or before ``at`` (``up``: at or after): figures are kept by the quarter."""
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - past + (timedelta(minutes=15) if up and past else timedelta(0))


def instant(app: App, text: str | None, *, up: bool = False) -> datetime | None:
    """The time that ``--since`` (``up``: ``--until``) means, to the quarter of an hour, as for figures."""
    from monitor.schedule import parse_since

    if text is None:
        return None
    try:
        return quarter(parse_since(text, app.now(), app.settings.monitor.zone), up=up)
    except ValueError as error:
        raise Failure(f"{'--until' if up else '--since'}: {error}", 2) from error


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json_text(data))


def json_text(data: Any) -> str:
    """A JSON document, as all commands write it."""
    return json.dumps(data, default=_jsonable, ensure_ascii=False, indent=2)


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def console(*, err: bool = False) -> Console:
    """A terminal to print tables on; no markup is read from what is printed."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, markup=False, emoji=False)


def whole(title: str) -> Column:
    """A column that is not cut short: two names that begin alike are told apart on a narrow terminal, too."""
    from rich.table import Column

    return Column(title, no_wrap=True)


def set_up_logging(level: str, form: str) -> None:
    """One line an event, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if form == "json" else _Lines())
    root = logging.getLogger("sentiment_monitor")
    root.handlers = [handler]
    root.setLevel(level.upper())
    root.propagate = False


class _Lines(logging.Formatter):
    """``2026-11-22 08:00:01 INFO collect: pulled source=...``; what came from outside cannot break the line."""

    def format(self, record: logging.LogRecord) -> str:
        from monitor.digest.escape import clean

        stamp = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        name = record.name.removeprefix("sentiment_monitor.")
        text = clean(record.getMessage(), 2_000) or ""
        line = f"{stamp} {record.levelname} {name}: {text}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
