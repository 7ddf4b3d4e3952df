"""What happened to the sample brands, and when: shifted as far as the sample source has shifted their items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

TYPE: Final = "sample"
"""The type of the sources that tell the story."""
EVENTS: Final = (
    ("Jotwick", datetime(2025, 12, 3, 9, tzinfo=UTC), datetime(2025, 12, 9, 9, tzinfo=UTC), "giveaway"),
    ("Larkspur", datetime(2025, 12, 23, 10, tzinfo=UTC), None, "release 2.0"),
    ("Larkspur", datetime(2025, 12, 26, 14, tzinfo=UTC), None, "hotfix 2.0.1"),
)
"""Brand, from when to when in the files' own frame, and what it was."""


def told(brand: str, cursor: Mapping[str, Any] | None) -> Iterator[tuple[datetime, datetime | None, str]]:
    """The events of a brand, once a sample source (whose ``cursor`` this is) has told of that time."""
    try:
        shift = timedelta(days=int((cursor or {})["shift_days"]))
        known = datetime.fromisoformat(str((cursor or {})["told"]))
    except (KeyError, TypeError, ValueError, OverflowError):  # nothing has been told yet
        return
    for whose, at, until, text in EVENTS:
        if whose == brand and at + shift <= known:
            yield at + shift, None if until is None else until + shift, text
