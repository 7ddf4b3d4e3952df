"""What the tables of the configuration are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

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


def _duration_or_never(value: Any) -> Any:
    return timedelta(0) if value is False else _duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
DurationOrNever = Annotated[
    timedelta,
    BeforeValidator(_duration_or_never),
    WithJsonSchema({"anyOf": [{"const": False}, {"type": "string", "pattern": r"^\s*\d", "examples": ["7d", "0s"]}]}),
]
"""``false`` is ``0s``."""
Names = Annotated[list[str], BeforeValidator(listed)]
"""One name or several."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Format = Literal["html", "txt", "md", "json"]


class Table(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)
