"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE item_id_seq")
    op.create_table(
        "author",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("followers", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_author")),
    )
    op.create_table(
        "brand",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("name", name=op.f("uq_brand_name")),
    )
    op.create_table(
        "digest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("start", UTCDateTime(), nullable=False),
        sa.Column("end", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("built_at", UTCDateTime(), nullable=True),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest")),
        sa.UniqueConstraint("name", "due_at", name=op.f("uq_digest_name_due_at")),
    )
    op.create_table(
        "note",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_note")),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("platform", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("cursor", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("next_run_at", UTCDateTime(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused", sa.String(length=500), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("fate", sa.String(length=20), nullable=True),
        sa.Column("reaches_back_to", UTCDateTime(), nullable=True),
        sa.Column("last_begun_at", UTCDateTime(), nullable=True),
        sa.Column("known_until", UTCDateTime(), nullable=True),
        sa.Column("last_success_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UTCDateTime(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["digest_id"], ["digest.id"], name=op.f("fk_delivery_digest_id_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("digest_id", "channel", name=op.f("uq_delivery_digest_id_channel")),
    )
    op.create_table(
        "follower_reading",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_follower_reading_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "account", "at", name=op.f("pk_follower_reading")),
    )
    op.create_table(
        "gap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_gap_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
        sa.UniqueConstraint("source_id", "since", "until", name=op.f("uq_gap_source_id_since_until")),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.Column("first_seen_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("author_name", sa.String(length=200), nullable=True),
        sa.Column("rating_value", sa.Float(), nullable=True),
        sa.Column("rating_worst", sa.Float(), nullable=True),
        sa.Column("rating_best", sa.Float(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("star_cell", sa.Integer(), nullable=True),
        sa.Column("rating_label", sa.String(length=10), nullable=True),
        sa.Column("label", sa.String(length=10), nullable=True),
        sa.Column("label_by", sa.String(length=12), nullable=True),
        sa.Column("scorer_label", sa.String(length=10), nullable=True),
        sa.Column("text_label", sa.String(length=10), nullable=True),
        sa.Column("compound", sa.Integer(), nullable=True),
        sa.Column("scorer", sa.String(length=100), nullable=True),
        sa.Column("unscored", sa.String(length=12), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.BigInteger(), nullable=True),
        sa.Column("comments", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("counted_at", UTCDateTime(), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("reply_at", UTCDateTime(), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("parent_title", sa.Text(), nullable=True),
        sa.Column("attributes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fingerprint", sa.String(length=32), nullable=True),
        sa.Column("uncounted", sa.String(length=12), nullable=True),
        sa.Column("erased_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_item_author_id_author")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_item_brand_id_brand")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_item_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("brand_id", "platform", "external_id", name=op.f("uq_item_brand_id_platform_external_id")),
    )
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_author_id"), ["author_id"], unique=False)
        batch_op.create_index("ix_item_brand_id_published_at_id", ["brand_id", "published_at", "id"], unique=False)
        batch_op.create_index("ix_item_rollup", ["brand_id", "source_id", "kind", "bucket"], unique=False)

    op.create_table(
        "pull",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("begun_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("skips", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fate", sa.String(length=20), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_pull_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull")),
    )
    with op.batch_alter_table("pull", schema=None) as batch_op:
        batch_op.create_index("ix_pull_source_id_begun_at", ["source_id", "begun_at"], unique=False)

    op.create_table(
        "rollup",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("positive", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("negative", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("neutral", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unscored", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("compound_n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("excluded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("muted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("not_about_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_1", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_2", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_3", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_4", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_5", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("verdicts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recommended", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("replied", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("compound_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stars_squares", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("likes_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("likes_known", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("likes_gained", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shares_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shares_known", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shares_gained", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("comments_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("comments_known", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("comments_gained", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("views_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("views_known", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("views_gained", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_rollup_brand_id_brand")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_rollup_source_id_source")),
        sa.PrimaryKeyConstraint("brand_id", "source_id", "kind", "bucket", name=op.f("pk_rollup")),
    )
    with op.batch_alter_table("rollup", schema=None) as batch_op:
        batch_op.create_index("ix_rollup_brand_id_bucket", ["brand_id", "bucket"], unique=False)

    op.create_table(
        "standing_reading",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=True),
        sa.Column("worst", sa.Float(), nullable=False),
        sa.Column("best", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("last_seen", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_standing_reading_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "place", "at", name=op.f("pk_standing_reading")),
    )
    op.create_table(
        "correction",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_correction_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_correction")),
    )
    op.create_table(
        "count_history",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("likes", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_count_history_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "at", name=op.f("pk_count_history")),
    )
    with op.batch_alter_table("count_history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_count_history_bucket"), ["bucket"], unique=False)

    op.create_table(
        "revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("replaced_at", UTCDateTime(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("rating_value", sa.Float(), nullable=True),
        sa.Column("label", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_revision_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revision_item_id"), ["item_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revision_item_id"))

    op.drop_table("revision")
    with op.batch_alter_table("count_history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_count_history_bucket"))

    op.drop_table("count_history")
    op.drop_table("correction")
    op.drop_table("standing_reading")
    with op.batch_alter_table("rollup", schema=None) as batch_op:
        batch_op.drop_index("ix_rollup_brand_id_bucket")

    op.drop_table("rollup")
    with op.batch_alter_table("pull", schema=None) as batch_op:
        batch_op.drop_index("ix_pull_source_id_begun_at")

    op.drop_table("pull")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_index("ix_item_rollup")
        batch_op.drop_index("ix_item_brand_id_published_at_id")
        batch_op.drop_index(batch_op.f("ix_item_author_id"))

    op.drop_table("item")
    op.drop_table("gap")
    op.drop_table("follower_reading")
    op.drop_table("delivery")
    op.drop_table("source")
    op.drop_table("note")
    op.drop_table("digest")
    op.drop_table("brand")
    op.drop_table("author")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE item_id_seq")
