"""Tables on what is looked at more closely: topics, rules, alerts and annotations."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from monitor.clocks import first_instant
from monitor.config.tables import Duration, Name, Names, Slug, Table, WhenMissing
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


AlertKind = Literal["volume", "negative_volume", "score_drop", "rating_drop", "source_silent"]
DAILY_ALPHA: Final = 0.001
LEAST_COUNTS: Final[dict[str, int]] = {
    "volume": 10, "negative_volume": 8, "score_drop": 30, "rating_drop": 10, "source_silent": 5,
}  # fmt: skip
LEAST_DROPS: Final[dict[str, float]] = {"score_drop": 0.15, "rating_drop": 0.3}


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

    name: Slug
    when: Annotated[str, Field(min_length=1)] = Field(
        description="What of an item must be so: \"rating <= 2 and country in ['DE']\" (docs/rules.md)."
    )
    brands: Names = Field(default_factory=list, description="All brands if none is named.")
    channels: Names = Field(default_factory=list)
    max_per_hour: int = Field(
        default=20, ge=1, le=1000, description="So many items are told of at once; the rest of an hour as one summary."
    )
    enabled: bool = True


class AlertSettings(Table):
    """``[[alerts]]``: what is told at once, since it is not usual (docs/alerts.md)."""

    name: Slug
    kind: AlertKind
    brands: Names = Field(default_factory=list, description="All brands if none is named.")
    sources: Names = Field(default_factory=list, description="All sources of the brand if none is named.")
    items: Literal["mentions", "reviews"] | None = Field(
        default=None, description="Only these; by default both, for score_drop mentions."
    )
    when_missing: WhenMissing = "fault"
    channels: Names = Field(default_factory=list, description="All channels if none is named.")
    period: Literal["day", "hour"] = "day"
    # Small brands cannot have both few false alarms and high power: at a mean of 20 items a day, a day of 2.5 times the usual is
    # seen in about 45 % of cases at one to two false alarms a year; at a mean of 200 in 80 %. Source: METRICS 5.
    alpha: float | None = Field(
        default=None, gt=0, lt=0.5,
        description="How unlikely by chance a period must be: default 0.001 for a day, 0.00004 for an hour.",
    )  # fmt: skip
    min_count: int | None = Field(
        default=None, ge=1, description="So many items at least; what is silent must have brought so many usually."
    )
    min_ratio: float = Field(default=1.5, ge=1, description="So many times the usual at least.")
    min_drop: float | None = Field(
        default=None, gt=0, description="A fall by so much at least: default 0.15 of a score, 0.3 stars."
    )
    cool_down: Duration = Field(
        default=timedelta(days=1), description="An episode is over once it has been usual for so long."
    )
    quiet_hours: str | None = Field(
        default=None, description='"22:00-07:00" in the time zone: messages wait for the end.'
    )
    enabled: bool = True

    @property
    def chance(self) -> float:
        """``alpha``, or its default: 24 hours may raise as many false alarms as a day."""
        return self.alpha if self.alpha is not None else DAILY_ALPHA / (24 if self.period == "hour" else 1)

    @property
    def least_count(self) -> int:
        return self.min_count if self.min_count is not None else LEAST_COUNTS[self.kind]

    @property
    def least_drop(self) -> float:
        return self.min_drop if self.min_drop is not None else LEAST_DROPS.get(self.kind, 0.0)

    @property
    def quiet(self) -> tuple[time, time] | None:
        """From when to when, by the local clock; over midnight where the end is before the start."""
        if self.quiet_hours is None:
            return None
        start, end = self.quiet_hours.split("-")
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())

    @field_validator("quiet_hours")
    @classmethod
    def _two_times(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(r"\s*([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d|2[0-3]):[0-5]\d\s*", text):
            raise ValueError(f'"{text[:40]}" is no stretch of a day; write "22:00-07:00"')
        return text


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
