"""``import``: a file's items into the store, however many; cut off, the same command goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from monitor.cli.common import (
    AsJson,
    ConfigPath,
    Failure,
    brands_of,
    next_step,
    opened,
    print_json,
    say,
    set_up_logging,
)

if TYPE_CHECKING:
    from monitor.importing import Imported, Progress

SECONDS_A_LINE: Final = 10
"""How often a line is written where no terminal shows a bar."""


def import_(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON or JSONL.")],
    brand: Annotated[str, typer.Option("--brand", "-b", help="The brand the items are about.")],
    kind: Annotated[Literal["mention", "review", "post"] | None, typer.Option("--kind", help="What they are.")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help='Where a field stands, as field=header: "text=Review".')
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="An option of the connector for files, as in time_format=%d/%m/%Y."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Processes to score on (default: one a core).")
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Also where a source reads the file in another way, so that rows may count twice."
        ),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Read items from a file into the store, once; the same file again adds nothing. Cut off, the same command goes on."""
    from monitor.bulk import ExecutorUnusable
    from monitor.importing import ImportFailed, import_file
    from monitor.scoring.registry import ScorerError

    set_up_logging("warning", "text")
    options = _import_options(file, kind, column or [], option or [])
    with opened(config, makes_store=True) as app:
        brands_of(app, [brand])
        try:
            with _progress(file.name) as progress:
                result = import_file(app, options, brand, progress, workers=workers, anyway=anyway)
        except (ImportFailed, ScorerError, ExecutorUnusable) as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            say("cut off; what was read until now is stored. Run the same command again to go on")
            raise
        if as_json:
            print_json(_told(result))
            return
        _report(result)
        next_step("sentiment-monitor scores")


def _import_options(file: Path, kind: str | None, columns: Sequence[str], options: Sequence[str]) -> Any:
    """What the connector for files is told; what it cannot take ends the command."""
    from connectors import registry
    from monitor.config.given import parsed, values_of

    model = registry.plugin("files").options
    try:
        values = values_of(model, [*options, *(f"columns.{field}={header}" for field, header in map(_pair, columns))])
    except ValueError as error:
        raise Failure(f"--option {error}", 2) from error
    values |= {"path": os.path.realpath(file)} | ({"kind": kind} if kind else {})
    found = parsed(model, values, "import")
    if isinstance(found, list):
        raise Failure([str(fault) for fault in found], 2)
    return found


def _pair(entry: str) -> tuple[str, str]:
    field, sign, header = entry.partition("=")
    if not sign or not field or not header:
        raise Failure(f'--column {entry}: not understood; write field=header, such as "text=Review"', 2)
    return field, header


# ------------------------------------------------------------------------------------------- the end


def _told(result: Imported) -> dict[str, Any]:
    names = ("source", "rows", "seen", "new", "changed", "skipped", "skips", "unscored", "resumed_after", "taken_for")
    return {name: getattr(result, name) for name in (*names, "read_by")}


def _report(result: Imported) -> None:
    if result.taken_for is not None:
        say(f"it begins as {result.taken_for} did, so it is taken for that file; if it is another: -o address=NAME")
    if result.read_by:
        say(f"read by {', '.join(result.read_by)} as well, in the same way: a row that is stored already counts once")
    if result.resumed_after:
        say(f"went on after {result.resumed_after:,} rows, where it was cut off")
    counts = (f"{result.rows:,} rows read, {result.new:,} new, {result.changed:,} changed",)
    say(f"{result.source}: {', '.join((*counts, f'{result.skipped:,} left out', _unscored(result)))}")
    for what, why in result.skips:
        say(f"left out: {what}: {why}")
    if result.skipped > len(result.skips):
        say(f'left out: {result.skipped - len(result.skips):,} more; see: sentiment-monitor sources "{result.source}"')


def _unscored(result: Imported) -> str:
    words = {"language": "in a language that is not read", "no_text": "without text"}
    parts = [f"{count:,} {words.get(reason, reason)}" for reason, count in sorted(result.unscored.items())]
    return f"{sum(result.unscored.values()):,} unscored" + (f" ({', '.join(parts)})" if parts else "")


# ------------------------------------------------------------------------------------------- meanwhile


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an import goes: rows of this run, seconds since it began, and shares of the file."""

    rows: int
    seconds: float
    share: float
    begun_at: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """``None`` as long as nothing is done."""
        done = self.share - self.begun_at
        return self.seconds * (1 - self.share) / done if done > 0 else None

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", {_duration(self.seconds_left)} left"
        return f"{self.rows:,} rows, {self.share:.0%}, {self.rows_per_second:,.0f} rows/s{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """A bar while a person waits; where standard error is no terminal, a line now and then."""
    begun = time.monotonic()

    def pace(result: Imported) -> Pace:
        return Pace(result.rows, time.monotonic() - begun, result.share, result.begun_at)

    if not sys.stderr.isatty():
        yield _lines(name, pace)
        return
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    from monitor.cli.common import console

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[pace]}"))
    with Bars(*columns, console=console(err=True), transient=True) as bars:
        task = bars.add_task(name[:40], total=1.0, pace="")
        yield lambda result: bars.update(task, completed=result.share, pace=str(pace(result)))


def _lines(name: str, pace: Callable[[Imported], Pace]) -> Progress:
    told = time.monotonic()

    def moved(result: Imported) -> None:
        nonlocal told
        if time.monotonic() - told >= SECONDS_A_LINE:
            told = time.monotonic()
            say(f"{name}: {pace(result)}")

    return moved
