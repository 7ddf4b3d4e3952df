"""Alembic's entry: runs the revisions on the connection that storage.schema hands over."""

from __future__ import annotations

from alembic import context

from storage.party_tables import ALL_TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=ALL_TABLES,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
