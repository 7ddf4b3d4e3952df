"""Tables on what is looked at more closely: topics and annotations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from monitor.clocks import first_instant
from monitor.config.tables import Name, Names, Table
from monitor.matching import Keywords


def _written(value: Any) -> Any:
    """TOML has dates and times of its own; a text is as good."""
    return value.isoformat() if isinstance(value, date | datetime) else value


Moment = Annotated[str, BeforeValidator(_written)]
"""A day or time as written; what it means depends on the time zone."""


def instant(text: str, zone: ZoneInfo) -> datetime:
    """The time that a day (its beginning) or an ISO time means in the zone; ``ValueError`` says what to write instead."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f'"{text[:40]}" is no day or time; write 2026-11-13 or 2026-11-13T09:00') from error
    return moment.astimezone(UTC) if moment.tzinfo else first_instant(moment, zone)


class TopicSettings(Table):
    """``[[topics]]``: what items are about, by keywords; each topic has figures of its own."""

    name: Name
    keywords: Names = Field(default_factory=list, description="Any of these; the topic's name if none is given.")
    exclude: Names = Field(default_factory=list, description="None of these.")
    query: str | None = Field(default=None, description="Instead of keywords: an expression with AND, OR, NOT.")
    brands: Names = Field(default_factory=list, description="All brands if none is named.")

    def compiled(self) -> Keywords:
        """The keywords ready for matching. ``QueryError`` or ``ValueError`` where they make no sense."""
        words = self.keywords if self.keywords or self.query else [self.name]
        return Keywords.compile(words, exclude=self.exclude, query=self.query)


class RuleSettings(Table):
    """``[[rules]]``: which single items are told of as soon as they are stored."""

    name: Name
    when: Annotated[str, Field(min_length=1)] = Field(
        description="What of an item must be so: \"rating <= 2 and country in ['DE']\" (docs/rules.md)."
    )
    brands: Names = Field(default_factory=list, description="All brands if none is named.")
    channels: Names = Field(default_factory=list)
    max_per_hour: int = Field(
        default=20, ge=1, le=1000, description="So many items are told of at once; the rest of an hour as one summary."
    )
    enabled: bool = True


class AnnotationSettings(Table):
    """``[[annotations]]``: a dated event that series and charts show. It explains nothing by itself."""

    text: Annotated[str, Field(min_length=1, max_length=200)]
    at: Moment = Field(description="2026-11-13, or 2026-11-13T09:00 in the time zone.")
    until: Moment | None = Field(default=None, description="The end of what lasted, not included.")
    brands: Names = Field(default_factory=list, description="All brands if none is named.")

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
        """When it was; ``ValueError`` where that is no day or time. A day alone is its first instant."""
        return instant(self.at, zone), None if self.until is None else instant(self.until, zone)

    @model_validator(mode="before")
    @classmethod
    def _dated(cls, value: Any) -> Any:
        if isinstance(value, dict) and "at" not in value:
            raise ValueError('has no date; add at = "2026-11-13"')
        return value
