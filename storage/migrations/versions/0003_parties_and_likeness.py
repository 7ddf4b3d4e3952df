"""Which programs run on the store, who may ask them, what was handed in, and which texts are nearly the same"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("may_write", sa.Boolean(), nullable=False),
        sa.Column("brands", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("name", name=op.f("uq_token_name")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_table(
        "daemon",
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_daemon")),
    )
    op.create_table(
        "received",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_received_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "key", name=op.f("pk_received")),
    )
    op.create_index(op.f("ix_received_at"), "received", ["at"])
    op.add_column("source", sa.Column("paused_by", sa.String(length=100), nullable=True))
    op.create_table(
        "likeness",
        sa.Column("item_id", ID, nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=True),
        sa.Column("copy_of", sa.BigInteger(), nullable=True),
        sa.Column("due", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_likeness_brand_id_brand")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_likeness_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_likeness")),
    )
    for name, columns in (("due", ["brand_id", "item_id"]), ("copy_of", ["copy_of"])):
        known = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_likeness_{name}", "likeness", columns, sqlite_where=known, postgresql_where=known)
    op.create_table(
        "likeness_key",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_likeness_key_brand_id_brand")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_likeness_key_item_id_item")),
        sa.PrimaryKeyConstraint("brand_id", "key", "bucket", "item_id", name=op.f("pk_likeness_key")),
        sqlite_with_rowid=False,
    )
