"""Full-text search: one index of our own words, on both back ends."""

from __future__ import annotations

from sqlalchemy import Connection


def create(connection: Connection) -> None:
    """Make the index and fill it from the items that are stored."""
