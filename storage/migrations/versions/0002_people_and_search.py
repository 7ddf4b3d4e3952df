"""What people say of items, what is told to people, refreshes, search and views"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from storage import changes, search, spans

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("account", sa.String(length=220), nullable=False),
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "seconds", "slot", name=op.f("pk_budget")),
    )
    op.create_table(
        "export_point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_point")),
        sa.UniqueConstraint("token", name=op.f("uq_export_point_token")),
    )
    op.create_table(
        "item_change",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_change")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("begun_at", UTCDateTime(), nullable=False),
        sa.Column("fired_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("acknowledged_at", UTCDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=100), nullable=True),
        sa.Column("snoozed_until", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_alert_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("name", "subject", "begun_at", name=op.f("uq_alert_name_subject_begun_at")),
    )
    op.create_table(
        "annotation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_annotation_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation")),
    )
    op.create_index(op.f("ix_annotation_at"), "annotation", ["at"], unique=False)
    op.create_table(
        "audit_sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=True),
        sa.Column("sources", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_audit_sample_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_sample")),
    )
    op.create_table(
        "mute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("site", sa.String(length=253), nullable=True),
        sa.Column("shown", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_mute_author_id_author")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_mute_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mute")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_notice_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_table(
        "audit_item",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_audit_item_item_id_item")),
        sa.ForeignKeyConstraint(["sample_id"], ["audit_sample.id"], name=op.f("fk_audit_item_sample_id_audit_sample")),
        sa.PrimaryKeyConstraint("sample_id", "item_id", name=op.f("pk_audit_item")),
    )
    op.create_table(
        "audit_label",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=12), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_audit_label_item_id_item")),
        sa.ForeignKeyConstraint(["sample_id"], ["audit_sample.id"], name=op.f("fk_audit_label_sample_id_audit_sample")),
        sa.PrimaryKeyConstraint("sample_id", "item_id", "person", name=op.f("pk_audit_label")),
    )
    op.create_table(
        "firing",
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_firing_item_id_item")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_firing_notice_id_notice")),
        sa.PrimaryKeyConstraint("rule", "item_id", "version", name=op.f("pk_firing")),
    )
    op.create_index("ix_firing_rule_at", "firing", ["rule", "at"], unique=False)
    op.create_index(
        "ix_firing_untold",
        "firing",
        ["rule", "at"],
        unique=False,
        sqlite_where=sa.text("notice_id IS NULL"),
        postgresql_where=sa.text("notice_id IS NULL"),
    )
    op.create_table(
        "arrival",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_arrival_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "version", name=op.f("pk_arrival")),
    )
    op.create_table(
        "mark",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_mark_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "what", name=op.f("pk_mark")),
    )
    op.create_table(
        "tag",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_tag_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "name", name=op.f("pk_tag")),
    )
    op.create_index("ix_tag_name_item_id", "tag", ["name", "item_id"], unique=False)
    _deliver_notices()
    op.add_column("source", sa.Column("asked_since", UTCDateTime(), nullable=True))
    op.add_column("item", sa.Column("refresh_at", UTCDateTime(), nullable=True))
    op.add_column("item", sa.Column("refreshes", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_item_erased",
        "item",
        ["brand_id"],
        unique=False,
        sqlite_where=sa.text("erased_at IS NOT NULL"),
        postgresql_where=sa.text("erased_at IS NOT NULL"),
    )
    op.create_index(
        "ix_item_refresh",
        "item",
        ["source_id", "refresh_at"],
        unique=False,
        sqlite_where=sa.text("refresh_at IS NOT NULL"),
        postgresql_where=sa.text("refresh_at IS NOT NULL"),
    )
    op.add_column("rollup", sa.Column("changes", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    _sum_up_spans()
    changes.watch(op.get_bind())
    search.create(op.get_bind())


def _sum_up_spans() -> None:
    """Rollups of longer stretches."""
    op.create_table(
        "rollup_span",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in (*_SUMS, "changes", "buckets")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_rollup_span_brand_id_brand")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_rollup_span_source_id_source")),
        sa.PrimaryKeyConstraint("brand_id", "size", "slot", "source_id", "kind", name=op.f("pk_rollup_span")),
        sqlite_with_rowid=False,
    )
    spans.fill(op.get_bind())


_SUMS = (
    *("positive", "negative", "neutral", "unscored", "compound_n", "excluded", "muted", "duplicate", "not_about_us"),
    *("rated", "stars_1", "stars_2", "stars_3", "stars_4", "stars_5", "verdicts", "recommended", "replied"),
    *("compound_sum", "stars_sum", "stars_squares"),
    *(f"{count}_{part}" for count in ("likes", "shares", "comments", "views") for part in ("sum", "known", "gained")),
)


_ONE_SUBJECT = "(digest_id IS NULL) <> (notice_id IS NULL)"


def _deliver_notices() -> None:
    """A delivery is of a digest or of a notice."""
    if op.get_bind().dialect.name == "sqlite":  # which cannot alter a column
        _new_delivery_table()
        return
    op.add_column("delivery", sa.Column("notice_id", sa.Integer(), nullable=True))
    op.alter_column("delivery", "digest_id", existing_type=sa.Integer(), nullable=True)
    op.create_unique_constraint(op.f("uq_delivery_notice_id_channel"), "delivery", ["notice_id", "channel"])
    op.create_foreign_key(op.f("fk_delivery_notice_id_notice"), "delivery", "notice", ["notice_id"], ["id"])
    op.create_check_constraint(op.f("ck_delivery_one_subject"), "delivery", _ONE_SUBJECT)


def _new_delivery_table() -> None:
    op.create_table(
        "delivery_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=True),
        sa.Column("notice_id", sa.Integer(), nullable=True),
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
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("digest_id", "channel", name=op.f("uq_delivery_digest_id_channel")),
        sa.UniqueConstraint("notice_id", "channel", name=op.f("uq_delivery_notice_id_channel")),
        sa.CheckConstraint(_ONE_SUBJECT, name=op.f("ck_delivery_one_subject")),
    )
    kept = "id, digest_id, channel, state, key, attempts, next_try_at, lease_owner, lease_until, fence, error, sent_at"
    op.execute(f"INSERT INTO delivery_new ({kept}) SELECT {kept} FROM delivery")  # noqa: S608 - its own names
    op.drop_table("delivery")
    op.rename_table("delivery_new", "delivery")
