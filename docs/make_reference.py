"""Writes what can be generated: python docs/make_reference.py [--check] (with --check: says what is out of date)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from monitor.cli import app
from monitor.figures import Report

DOCS = Path(__file__).parent
HEADER = """# Commands

Generated from the program by `python docs/make_reference.py`. Messages go to standard error, results to standard output; exit
codes are 0 (done), 1 (failed), 2 (wrong usage or configuration). `--json` prints one JSON document and nothing else.
"""


def main() -> None:
    made = {
        DOCS / "commands.md": commands(),
        DOCS / "report.schema.json": json.dumps(Report.model_json_schema(by_alias=True), indent=2) + "\n",
    }
    old = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        sys.exit("\n".join(f"{path.name}: out of date; run: python docs/make_reference.py" for path in old) or 0)
    for path in old:
        path.write_text(made[path], encoding="utf-8")


def commands() -> str:
    """Every command with its arguments and options, as Markdown."""
    return HEADER + "\n" + "\n".join(_command(name, command) for name, command in _all(get_command(app), ""))


def _all(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path.strip(), command
        return
    for name in sorted(children):
        yield from _all(children[name], f"{path} {name}")


def _command(name: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    signs = "".join(f" {_argument(parameter)}" for parameter in arguments)
    lines = [f"## `sentiment-monitor {name}{signs}`", "", (command.help or "").strip(), ""]
    for parameter in options:
        names = ", ".join(f"`{one}`" for one in (*parameter.opts, *parameter.secondary_opts))
        lines.append(f"- {names}: {(parameter.help or '').strip() or 'see above.'}")
    return "\n".join([*lines, ""])


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).upper().rstrip("_")
    name += "..." if parameter.nargs == -1 else ""
    return name if parameter.required else f"[{name}]"


main()
