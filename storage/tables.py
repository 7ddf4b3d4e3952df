"""The tables. Rows are written through SQLAlchemy Core, in bulk; reads come back as frozen records (queries.py).

Times are aware UTC. ``compound``, ``stars`` and their sums are integers in ten-thousandths, so that sums are exact.
``bucket`` is the 15-minute slot of a time: seconds since 1970 // 900.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

BUCKET_SECONDS: Final = 900
SCALE: Final = 10_000
"""What compounds and stars are multiplied by."""

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

IdType: Final = BigInteger().with_variant(Integer, "sqlite")


class Row(SQLModel):
    """What every table's model is made of."""

    metadata = METADATA


class BrandRow(Row, table=True):
    __tablename__ = "brand"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200, unique=True)
    created_at: datetime


class SourceRow(Row, table=True):
    """A source's place in its platform (cursor), its health, and who is pulling it now (lease, fence)."""

    __tablename__ = "source"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200, unique=True)
    type: str = Field(max_length=60)
    platform: str = Field(max_length=60)
    active: bool = True  # False: left the configuration; nothing of it is deleted
    cursor: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    next_run_at: datetime
    lease_owner: str | None = Field(default=None, max_length=100)
    lease_until: datetime | None = None
    fence: int = 0
    turn: int = 0  # pulls finished, which spreads the jitter
    failures: int = 0  # in a row
    paused: str | None = Field(default=None, max_length=500)  # why it is not pulled until somebody acts
    paused_by: str | None = Field(default=None, max_length=100)  # who paused it; none: the program itself did
    error: str | None = Field(default=None, max_length=500)
    fate: str | None = Field(default=None, max_length=20)
    reaches_back_to: datetime | None = None  # before this, nothing of it was asked for
    asked_since: datetime | None = None  # when it was first pulled: what was published before is old to it
    last_begun_at: datetime | None = None  # of the last finished pull, good or bad
    known_until: datetime | None = None  # when the last good pull began: up to here everything has been read
    last_success_at: datetime | None = None


class AuthorRow(Row, table=True):
    """``id`` is a 63-bit hash of platform and external id, so that writing an author needs no look-up."""

    __tablename__ = "author"
    id: int = Field(sa_column=Column(IdType, primary_key=True, autoincrement=False))
    platform: str = Field(max_length=60)
    external_id: str = Field(max_length=500)
    name: str | None = Field(default=None, max_length=200)
    followers: int | None = Field(default=None, sa_column=Column(BigInteger))
    seen_at: datetime


class ItemRow(Row, table=True):
    """One item of one brand. Brand, source, kind and ``published_at`` never change once it is stored."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("brand_id", "platform", "external_id"),
        Index("ix_item_rollup", "brand_id", "source_id", "kind", "bucket"),
        Index("ix_item_brand_id_published_at_id", "brand_id", "published_at", "id"),
        Index(
            "ix_item_refresh",
            *("source_id", "refresh_at"),
            sqlite_where=sql("refresh_at IS NOT NULL"),
            postgresql_where=sql("refresh_at IS NOT NULL"),
        ),
        Index(
            "ix_item_erased",
            "brand_id",
            sqlite_where=sql("erased_at IS NOT NULL"),
            postgresql_where=sql("erased_at IS NOT NULL"),
        ),
    )
    id: int = Field(sa_column=Column(IdType, primary_key=True, autoincrement=False))
    brand_id: int = Field(sa_column=Column(Integer, ForeignKey("brand.id"), nullable=False))
    source_id: int = Field(sa_column=Column(Integer, ForeignKey("source.id"), nullable=False))
    platform: str = Field(max_length=60)
    external_id: str = Field(max_length=500)
    kind: str = Field(max_length=10)
    bucket: int
    published_at: datetime
    first_seen_at: datetime
    changed_at: datetime
    updated_at: datetime | None = None
    title: str | None = Field(default=None, sa_column=Column(Text))
    text: str | None = Field(default=None, sa_column=Column(Text))
    url: str | None = Field(default=None, sa_column=Column(Text))
    language: str | None = Field(default=None, max_length=20)
    author_id: int | None = Field(default=None, sa_column=Column(IdType, ForeignKey("author.id"), index=True))
    author_name: str | None = Field(default=None, max_length=200)
    rating_value: float | None = None
    rating_worst: float | None = None
    rating_best: float | None = None
    stars: int | None = None  # on the common scale, in ten-thousandths
    star_cell: int | None = None
    rating_label: str | None = Field(default=None, max_length=10)
    label: str | None = Field(default=None, max_length=10)  # the one that counts; None: unscored
    label_by: str | None = Field(default=None, max_length=12)  # text, stars, person
    scorer_label: str | None = Field(default=None, max_length=10)  # what stars or scorer said, whatever a person said
    text_label: str | None = Field(default=None, max_length=10)
    compound: int | None = None  # in ten-thousandths
    scorer: str | None = Field(default=None, max_length=100)
    unscored: str | None = Field(default=None, max_length=12)  # why there is no label: no_text, language
    likes: int | None = Field(default=None, sa_column=Column(BigInteger))
    shares: int | None = Field(default=None, sa_column=Column(BigInteger))
    comments: int | None = Field(default=None, sa_column=Column(BigInteger))
    views: int | None = Field(default=None, sa_column=Column(BigInteger))
    counted_at: datetime | None = None  # when the counts were true
    reply_text: str | None = Field(default=None, sa_column=Column(Text))
    reply_at: datetime | None = None
    place: str | None = Field(default=None, max_length=200)
    parent_title: str | None = Field(default=None, sa_column=Column(Text))
    attributes: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    fingerprint: str | None = Field(default=None, max_length=32)
    uncounted: str | None = Field(default=None, max_length=12)  # excluded, muted, duplicate, not_about_us
    erased_at: datetime | None = None  # since then nothing changes it any more
    refresh_at: datetime | None = None  # when its counts are read again; None: never
    refreshes: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})  # how often that was done


class RevisionRow(Row, table=True):
    """What an item said before its author changed it."""

    __tablename__ = "revision"
    id: int | None = Field(default=None, sa_column=Column(IdType, primary_key=True))
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), nullable=False, index=True))
    replaced_at: datetime
    title: str | None = Field(default=None, sa_column=Column(Text))
    text: str | None = Field(default=None, sa_column=Column(Text))
    rating_value: float | None = None
    label: str | None = Field(default=None, max_length=10)


class CountHistoryRow(Row, table=True):
    """How much an item's counts grew, and when it was seen: growth only, written only on change.

    A first reading counts whole if the item was younger than a day, else it is no growth and leaves no row.
    """

    __tablename__ = "count_history"
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    at: datetime = Field(primary_key=True)
    bucket: int = Field(index=True)
    likes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    shares: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    comments: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    views: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class FollowerReadingRow(Row, table=True):
    """Followers of an account, written on change; ``last_seen`` tells "unchanged" from "not asked"."""

    __tablename__ = "follower_reading"
    source_id: int = Field(foreign_key="source.id", primary_key=True)
    account: str = Field(max_length=200, primary_key=True)
    at: datetime = Field(primary_key=True)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_seen: datetime


class StandingReadingRow(Row, table=True):
    """The platform's own overall rating, written on change."""

    __tablename__ = "standing_reading"
    source_id: int = Field(foreign_key="source.id", primary_key=True)
    place: str = Field(max_length=200, primary_key=True)
    at: datetime = Field(primary_key=True)
    mean: float | None = None
    worst: float = 1
    best: float = 5
    count: int | None = Field(default=None, sa_column=Column(BigInteger))
    last_seen: datetime


_SUMS = ("compound_sum", "stars_sum", "stars_squares")
_TALLIES = (
    *("positive", "negative", "neutral", "unscored", "compound_n"),
    *("excluded", "muted", "duplicate", "not_about_us"),
    *("rated", "stars_1", "stars_2", "stars_3", "stars_4", "stars_5", "verdicts", "recommended", "replied"),
)
COUNTS: Final = ("likes", "shares", "comments", "views")
UNCOUNTED: Final = ("excluded", "muted", "duplicate", "not_about_us")
ROLLUP_KEY: Final = ("brand_id", "source_id", "kind", "bucket")
ROLLUP_VALUES: Final = (
    *_TALLIES,
    *_SUMS,
    *(f"{count}_{part}" for count in COUNTS for part in ("sum", "known", "gained")),
)

ROLLUP: Final = Table(
    "rollup",
    METADATA,
    Column("brand_id", Integer, ForeignKey("brand.id"), primary_key=True),
    Column("source_id", Integer, ForeignKey("source.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("bucket", Integer, primary_key=True),
    *(Column(name, BigInteger, nullable=False, server_default=sql("0")) for name in (*ROLLUP_VALUES, "changes")),
    Index("ix_rollup_brand_id_bucket", "brand_id", "bucket"),
)
"""Sums of the counted items published in a bucket, per brand, source and kind; ``*_gained`` is growth seen in the bucket.

``changes`` rises with every change of the row or of an item in it: a sum of it tells whether anything of a window is new.
"""

SPAN_SIZES: Final = (4, 24, 96, 3_072)
"""An hour, six hours, a day of UTC and 32 days, in buckets; each a multiple of the one before."""

ROLLUP_SPAN: Final = Table(
    "rollup_span",
    METADATA,
    Column("brand_id", Integer, ForeignKey("brand.id"), primary_key=True),
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("source_id", Integer, ForeignKey("source.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    *(
        Column(name, BigInteger, nullable=False, server_default=sql("0"))
        for name in (*ROLLUP_VALUES, "changes", "buckets")
    ),
    sqlite_with_rowid=False,
)
"""Sums of the rollups (``buckets`` of them) in ``size`` buckets from ``slot * size`` on; see storage.spans."""


class PullRow(Row, table=True):
    """The log of pulls: when, how many, what was left out, and why it ended."""

    __tablename__ = "pull"
    __table_args__ = (Index("ix_pull_source_id_begun_at", "source_id", "begun_at"),)
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id")
    begun_at: datetime
    ended_at: datetime | None = None
    ok: bool | None = None  # None: under way, or cut off
    pages: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    unmatched: int = 0
    skipped: int = 0
    skips: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))  # the first few: what and why
    fate: str | None = Field(default=None, max_length=20)
    error: str | None = Field(default=None, max_length=500)


class GapRow(Row, table=True):
    """A stretch that a source could not give; shown beside every figure it touches."""

    __tablename__ = "gap"
    __table_args__ = (UniqueConstraint("source_id", "since", "until"),)
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id")
    since: datetime
    until: datetime
    missing: int | None = None
    reason: str = Field(max_length=500)
    seen_at: datetime


class CorrectionRow(Row, table=True):
    """A person's word on an item's label, which beats the scorer's."""

    __tablename__ = "correction"
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    label: str = Field(max_length=10)
    by: str | None = Field(default=None, max_length=100)
    at: datetime


class DigestRow(Row, table=True):
    """One digest of one period: ``due -> built -> sent``; (name, due_at) exists once, so nothing is sent twice."""

    __tablename__ = "digest"
    __table_args__ = (UniqueConstraint("name", "due_at"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    due_at: datetime
    period: str = Field(max_length=40)
    start: datetime
    end: datetime
    state: str = Field(max_length=10)
    lease_owner: str | None = Field(default=None, max_length=100)
    lease_until: datetime | None = None
    fence: int = 0
    failures: int = 0
    error: str | None = Field(default=None, max_length=500)
    built_at: datetime | None = None
    report: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class DeliveryRow(Row, table=True):
    """The outbox: one digest or notice to one channel, ``queued -> claimed -> sent | failed``."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("digest_id", "channel"),
        UniqueConstraint("notice_id", "channel"),
        CheckConstraint("(digest_id IS NULL) <> (notice_id IS NULL)", name="one_subject"),
    )
    id: int | None = Field(default=None, primary_key=True)
    digest_id: int | None = Field(default=None, foreign_key="digest.id")
    notice_id: int | None = Field(default=None, foreign_key="notice.id")
    channel: str = Field(max_length=200)
    state: str = Field(max_length=10)
    key: str = Field(max_length=64)  # idempotency key, equal over retries
    attempts: int = 0
    next_try_at: datetime
    lease_owner: str | None = Field(default=None, max_length=100)
    lease_until: datetime | None = None
    fence: int = 0
    error: str | None = Field(default=None, max_length=500)
    sent_at: datetime | None = None


class NoteRow(Row, table=True):
    """Small facts about the store itself, by name (the configuration's fingerprint of the last start ...)."""

    __tablename__ = "note"
    name: str = Field(primary_key=True, max_length=100)
    value: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


def _table(name: str) -> Table:
    return METADATA.tables[name]


BRAND: Final = _table("brand")
SOURCE: Final = _table("source")
AUTHOR: Final = _table("author")
ITEM: Final = _table("item")
REVISION: Final = _table("revision")
COUNT_HISTORY: Final = _table("count_history")
FOLLOWER_READING: Final = _table("follower_reading")
STANDING_READING: Final = _table("standing_reading")
PULL: Final = _table("pull")
GAP: Final = _table("gap")
CORRECTION: Final = _table("correction")
DIGEST: Final = _table("digest")
DELIVERY: Final = _table("delivery")
NOTE: Final = _table("note")
