"""How a table of another database is described: where it is, what is asked of it, what its columns hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from connectors.contract import Options
from connectors.mapped import TimeFormat, Zone, flattened, refuse_unknown
from connectors.places import ON_DISK

Name = Annotated[str, StringConstraints(min_length=1)]
PLACES = frozenset({"after", "limit"})


class SqlOptions(Options):
    url: Annotated[SecretStr, ON_DISK] = Field(
        description="The database's address: sqlite:///shop.db, or postgresql+psycopg://user:password@host/database."
    )
    query: Name = Field(
        description="SELECT ... WHERE id > :after ORDER BY id LIMIT :limit; :after and :limit are filled in."
    )
    key: Name = Field(description="The column of the result that rises: rows are read on from its last value.")
    key_type: Literal["integer", "text", "time"] = Field(default="integer", description="What the key is.")
    columns: Mapping[str, str] = Field(
        default_factory=dict,
        description='Which column holds what: { text = "body" }; without it a column is what it is called.',
    )
    attributes: Sequence[str] = Field(default=(), description="Columns to keep as attributes, for rules and filters.")
    overlap: int | None = Field(
        default=None,
        ge=0,
        description="How far below the last key is read again, for rows that were committed late: so many keys (1000), "
        "or seconds where the key is a time (3600).",
    )
    rows: int = Field(default=1000, ge=10, le=10_000, description="Rows to read at once: what :limit is.")
    timeout_seconds: int = Field(default=30, ge=1, le=3600, description="How long the query may take.")
    kind: Literal["mention", "post", "review"] = Field(default="mention", description="What the rows are.")
    html: bool = Field(default=False, description="The texts are HTML; plain text is made of them.")
    time_format: TimeFormat | None = Field(
        default=None,
        description='How times are written that are texts or numbers: "iso8601", "epoch", "epoch_ms", "rfc2822" or as in '
        '"%d/%m/%Y %H:%M"; understood by themselves otherwise.',
    )
    timezone: Zone | None = Field(
        default=None, description="The zone of times that do not name one; needed where there are such."
    )
    rating_worst: float = Field(default=1, description="The worst rating that can be given.")
    rating_best: float = Field(default=5, description="The best rating that can be given.")
    prefix: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="What the ids begin with; by default the table's name and a mark of its database."
    )

    @field_validator("url")
    @classmethod
    def _can_be_opened(cls, url: SecretStr) -> SecretStr:
        _check_driver(address_of(url.get_secret_value()))
        return url

    @field_validator("query")
    @classmethod
    def _asks_on(cls, query: str) -> str:
        query = query.strip().rstrip(";").rstrip()
        if not re.match(r"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:select|with)\b", query):
            raise ValueError("is no SELECT; only reading is possible")
        names = set(text(query).compile().params)
        if missing := sorted(PLACES - names):
            raise ValueError(f":{missing[0]} is missing; write ... WHERE id > :after ORDER BY id LIMIT :limit")
        if extra := sorted(names - PLACES):
            raise ValueError(f":{extra[0]} is no place; where a colon is meant as it stands, write \\:{extra[0]}")
        if not re.search(r"(?i)\border\s+by\b", query):
            raise ValueError("does not say in which order rows come; add ORDER BY with the key")
        return query

    @field_validator("columns", mode="before")
    @classmethod
    def _known_fields(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        flat = flattened(given)
        refuse_unknown(flat)
        return flat

    @model_validator(mode="after")
    def _fits_together(self) -> SqlOptions:
        if self.rating_worst >= self.rating_best:
            raise ValueError("rating_worst is not less than rating_best; turn them round")
        if self.overlap and self.key_type == "text":
            raise ValueError("overlap: nobody can tell what lies below a text; choose another key, or remove overlap")
        return self


def address_of(url: str) -> URL:
    """The address, ``postgresql://`` read by psycopg; ``ValueError`` if it is none, which never repeats it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("is no database's address; write sqlite:///shop.db or postgresql+psycopg://...") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("names no file; write sqlite:///shop.db")
    return parsed


def _check_driver(url: URL) -> None:
    try:
        url.get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError, NotImplementedError):
        extra = ' (pip install "sentiment-monitor[postgres]")' if url.get_backend_name() == "postgresql" else ""
        raise ValueError(f"there is no driver for {url.drivername}; install its package{extra}") from None
