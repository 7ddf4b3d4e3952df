"""Alembic revisions, shipped in the package."""
