"""The command line: parse, call, print. Every command loads what it needs itself, so that ``--help`` answers at once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any

import typer
from typer.main import get_command

from monitor.cli import (
    alerting,
    annotating,
    archiving,
    auditing,
    collecting,
    connecting,
    keywords,
    listing,
    marking,
    peopling,
    rematching,
    ruling,
    scoring,
    sending,
    setting_up,
    showing,
    sourcing,
    storing,
    tagging,
    telling,
    web,
)

app = typer.Typer(
    name="sentiment-monitor",
    help="Watches what people say about a brand and says, honestly, how they feel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _part in (
    setting_up,
    collecting,
    showing,
    telling,
    peopling,
    listing,
    sourcing,
    connecting,
    scoring,
    marking,
    tagging,
    auditing,
    annotating,
    rematching,
    keywords,
    alerting,
    ruling,
    sending,
    archiving,
    storing,
    web,
):
    _part.register(app)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        from monitor import __version__

        typer.echo(f"sentiment-monitor {__version__}")
        raise typer.Exit


@cache
def command() -> Callable[[], Any]:
    """All commands, put together once: that takes as long as many a command itself."""
    return get_command(app)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."""
    from monitor.cli.common import Failure

    signal.signal(signal.SIGTERM, _terminated)
    try:
        command()()
    except Failure as failure:
        failure.show()
        sys.exit(failure.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _terminated(number: int, _frame: FrameType | None) -> None:
    """End in order, so that what is claimed is given back; the daemon has a way of its own."""
    sys.exit(128 + number)
