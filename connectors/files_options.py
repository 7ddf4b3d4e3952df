"""What can be configured about files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints, field_validator, model_validator

from connectors.contract import Options
from connectors.files_columns import FIELDS
from connectors.places import ON_DISK

Name = Annotated[str, StringConstraints(min_length=1)]


class FileOptions(Options):
    path: Annotated[Name, ON_DISK] = Field(description="A file, or a folder whose files are read and watched.")
    pattern: str | None = Field(
        default=None,
        description='Which files of a folder: "*.csv", "**/*.json". By default every CSV, TSV, JSON and JSONL.',
    )
    format: Literal["csv", "tsv", "json", "jsonl"] | None = Field(
        default=None, description="The files' format, where their endings do not tell."
    )
    columns: Mapping[str, str] = Field(
        default_factory=dict,
        description='Which column holds what: { text = "Review", rating = "Stars" }; others are guessed.',
    )
    attributes: Sequence[str] = Field(default=(), description="Columns to keep as attributes, for rules and filters.")
    header: Sequence[str] = Field(default=(), description="The columns' names, where the first row does not name them.")
    records: str | None = Field(
        default=None, description="The name of the list, where a JSON file is an object with several lists."
    )
    kind: Literal["mention", "post", "review"] | None = Field(
        default=None, description="What the rows are; by default reviews if there is a rating, else mentions."
    )
    rating_worst: float = Field(default=1, description="The worst rating that can be given.")
    rating_best: float = Field(default=5, description="The best rating that can be given.")
    time_format: str | None = Field(
        default=None, description='How times are written, as in "%d/%m/%Y %H:%M"; understood by themselves otherwise.'
    )
    timezone: str = Field(default="UTC", description="The zone of times that do not name one.")
    undated: datetime | None = Field(
        default=None,
        description="The time of rows that have none. A table without times has that of its first reading.",
    )
    encoding: str | None = Field(
        default=None,
        description="The files' encoding; by default UTF-8 or UTF-16, and Windows-1252 for lines that are neither.",
    )
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = Field(
        default=None, description="What stands between the cells; by default found out."
    )
    identity: Literal["content", "row"] = Field(
        default="content", description='What a row without an id is known by: what it says, or its number ("row").'
    )
    address: str | None = Field(
        default=None, description="What the ids begin with instead of the path, so that files may move."
    )

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: Mapping[str, str]) -> Mapping[str, str]:
        unknown = sorted(columns.keys() - FIELDS)
        if unknown:
            raise ValueError(f"{unknown[0]}: no such field; fields are {', '.join(sorted(FIELDS))}")
        return columns

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f'{name}: no such time zone; set timezone = "Europe/Berlin" or another') from error
        return name

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        try:
            "\n".encode(name or "utf-8")
        except (LookupError, UnicodeError) as error:
            raise ValueError(f'{name}: no such encoding; set encoding = "cp1252" or another') from error
        return name

    @field_validator("pattern")
    @classmethod
    def _stays_inside(cls, pattern: str | None) -> str | None:
        if pattern is not None and (not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts):
            raise ValueError("a pattern names files inside the folder, such as *.csv")
        return pattern

    @model_validator(mode="after")
    def _is_a_scale(self) -> FileOptions:
        if self.rating_worst >= self.rating_best:
            raise ValueError("rating_worst must be less than rating_best")
        return self
