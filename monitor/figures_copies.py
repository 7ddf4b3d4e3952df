"""The part of a report that says how much of a window is copies of something else in it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Copies(BaseModel):
    """Counted items that say nearly the same as an earlier one of the window and of their kind."""

    mentions: int = Field(default=0, description="Mentions that are copies of an earlier one of the window.")
    reviews: int = Field(default=0, description="Reviews that are copies of an earlier one of the window.")

    model_config = ConfigDict(frozen=True, extra="forbid")
