"""Stable SQL views for whoever reads the store with other programs."""

from __future__ import annotations

from sqlalchemy import Connection


def create(connection: Connection) -> None:
    """Make the views anew."""
