"""What ``check`` and ``config show`` say of the files that a configuration stands in, and of what templates came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.config.templates import Made

SHOWN = 10
"""So many files, or templates, are named one by one."""


def lines_of(settings: Settings) -> Iterator[str]:
    """What each included file holds, and what each template came to."""
    files = list(settings.sheets.included)
    for file in files[:SHOWN]:
        counts = settings.sheets.counts(file)
        held = ", ".join(_counted(count, table) for table, count in counts.items()) or "nothing"
        yield f"{file}: {held}"
    if len(files) > SHOWN:
        yield f"and {len(files) - SHOWN} more files ({', '.join(settings.sheets.patterns)})"
    if settings.sheets.patterns and not files:
        yield f"include: no file is called like {', '.join(settings.sheets.patterns)}"
    made = settings.sheets.made
    yield from (_made_words(one) for one in made[:SHOWN])
    if len(made) > SHOWN:
        yield f"and {len(made) - SHOWN} more entries for several brands"


def files_of(settings: Settings) -> Mapping[str, Any]:
    """The same as values."""
    sheets = settings.sheets
    return {
        "files": [{"file": str(file), **sheets.counts(file)} for file in sheets.included],
        "made": [
            {"table": one.table, "of": one.template, "names": list(one.names), "passed_over": list(one.passed_over)}
            for one in sheets.made
        ],
    }


def as_toml(settings: Settings, shown: Mapping[str, Any]) -> str:
    """The settings in effect as TOML; an entry of an included file is followed by the name of that file."""
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.parse(tomlkit.dumps({name: table for name, table in shown.items() if table}))
    for name, table in document.items():
        for entry in table if isinstance(table, AoT) else ():
            origin = settings.sheets.origins.get((name, str(entry.get("name"))))
            if origin is not None:
                entry.comment(str(origin))
    return tomlkit.dumps(document).rstrip()


def _made_words(one: Made) -> str:
    noun = one.table.removesuffix("s")
    names = f'"{one.names[0]}"' if one.names else "none"
    names += f' to "{one.names[-1]}"' if len(one.names) > 1 else ""
    over = f"; passed over, lacking a value: {_some(one.passed_over)}" if one.passed_over else ""
    return f'{noun} "{one.template}": {_counted(len(one.names), one.table)}, {names}{over}'


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _counted(count: int, table: str) -> str:
    return f"{count} {table if count != 1 else table.removesuffix('s')}"
