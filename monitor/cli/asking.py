"""Questions to the person at the terminal; on standard error, so that standard output holds results only."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from monitor.cli.common import say


def can_ask() -> bool:
    """Is somebody there to answer?"""
    return sys.stdin.isatty()


def ask(question: str, default: str = "", *, fault: Callable[[str], str | None] = lambda _: None) -> str:
    """An answer that ``fault`` finds nothing wrong with; it is asked for until there is one."""
    while True:
        answer = str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()
        if (wrong := fault(answer)) is None:
            return answer
        say(wrong)


def ask_secret(question: str) -> str:
    """An answer that does not show while it is typed."""
    return str(typer.prompt(f"{question} (not shown)", hide_input=True, err=True)).strip()


def agreed(question: str, *, default: bool = True) -> bool:
    return bool(typer.confirm(question, default=default, err=True))


def listed(answer: str) -> list[str]:
    """``a, b`` as a list."""
    return [entry.strip() for entry in answer.split(",") if entry.strip()]
