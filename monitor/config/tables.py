"""What the tables of the configuration are made of."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema

from connectors.places import placed, placed_address
from monitor.schedule import parse_duration


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        return value
    raise ValueError('not a duration; write for example "10m", "1h30m" or "2d"')


def listed(value: Any) -> Any:
    """One value as a list of one."""
    return [value] if isinstance(value, str) else value


def slug(text: str) -> str:
    """``text`` as part of a name: letters and digits in lower case, joined by ``-``; empty where nothing of it is left."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")[:60].strip("-")


def _duration_or_never(value: Any) -> Any:
    return timedelta(0) if value is False else _duration(value)


def _fit_for_files_and_headers(name: Any) -> Any:
    if isinstance(name, str) and not (name[:1].isalnum() and name.isascii() and re.fullmatch(r"[\w-]{1,80}", name)):
        raise ValueError(f'"{name[:80]}" does not make a file name; use letters, digits, "-" and "_"')
    return name


def _folder(info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())  # of what is read from no file, the working folder
    return folder


Duration = Annotated[timedelta, BeforeValidator(_duration)]
DurationOrNever = Annotated[
    timedelta,
    BeforeValidator(_duration_or_never),
    WithJsonSchema({"anyOf": [{"const": False}, {"type": "string", "pattern": r"^\s*\d", "examples": ["7d", "0s"]}]}),
]
"""``false`` is ``0s``."""
LocalPath = Annotated[Path, AfterValidator(lambda path, info: placed(path, _folder(info)))]
"""A file or folder of this machine; a relative one goes by the folder of the configuration."""
DatabaseAddress = Annotated[str, AfterValidator(lambda address, info: placed_address(address, _folder(info)))]
"""The same for a database's address that names files."""
Names = Annotated[list[str], BeforeValidator(listed)]
"""One name or several."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Slug = Annotated[str, BeforeValidator(_fit_for_files_and_headers), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
"""A name that stands in the names of files and in headers of HTTP."""
Format = Literal["html", "txt", "md", "json"]
WhenMissing = Annotated[
    Literal["fault", "skip"],
    Field(description="Where it is made for each brand: what to do about brands without a value that it names."),
]


class Table(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)
