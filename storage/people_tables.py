"""Further tables: what people say of items (marks, tags, mutes, audits), and what is told to people (alerts, rules, notices).

The conventions are those of :mod:`storage.tables`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field

from storage.tables import METADATA, IdType, Row


class MarkRow(Row, table=True):
    """A person's word on an item beside its label: ``not_about_us`` (which uncounts it) or ``done``."""

    __tablename__ = "mark"
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    what: str = Field(max_length=12, primary_key=True)
    by: str | None = Field(default=None, max_length=100)
    at: datetime


class TagRow(Row, table=True):
    """A person's tag on an item."""

    __tablename__ = "tag"
    __table_args__ = (Index("ix_tag_name_item_id", "name", "item_id"),)
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    name: str = Field(max_length=60, primary_key=True)
    by: str | None = Field(default=None, max_length=100)
    at: datetime


class MuteRow(Row, table=True):
    """An author or a site whose items do not count, for one brand or (``brand_id`` none) for all.

    Either ``author_id`` or ``site`` (a host, which stands for its subdomains, too) is given. ``shown``: the author as
    people know them.
    """

    __tablename__ = "mute"
    id: int | None = Field(default=None, primary_key=True)
    brand_id: int | None = Field(default=None, foreign_key="brand.id")
    author_id: int | None = Field(default=None, sa_column=Column(IdType, ForeignKey("author.id"), nullable=True))
    site: str | None = Field(default=None, max_length=253)
    shown: str = Field(max_length=200)
    by: str | None = Field(default=None, max_length=100)
    at: datetime


class BudgetRow(Row, table=True):
    """What was spent of a request budget in one slot of time: a sixtieth of a period of so many ``seconds``, numbered from 1970.

    ``account``: whose budget it is, an account's or a source's own.
    """

    __tablename__ = "budget"
    account: str = Field(max_length=220, primary_key=True)
    seconds: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    slot: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    spent: int


class AuditSampleRow(Row, table=True):
    """A random sample of a window's counted, text-scored items, drawn to be labelled by people. Source: METRICS 2.5.

    ``kind`` and ``sources`` narrow the frame (none: all). ``frame``: items in it when it was drawn; ``seed`` draws it again.
    """

    __tablename__ = "audit_sample"
    id: int | None = Field(default=None, primary_key=True)
    brand_id: int = Field(foreign_key="brand.id")
    kind: str | None = Field(default=None, max_length=10)
    sources: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    since: datetime
    until: datetime
    frame: int
    seed: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime


class AuditItemRow(Row, table=True):
    """An item of a sample, in the order in which it is shown to whoever labels."""

    __tablename__ = "audit_item"
    sample_id: int = Field(foreign_key="audit_sample.id", primary_key=True)
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    position: int


class AuditLabelRow(Row, table=True):
    """What one person said of an item of a sample: a label, or ``not_about_us``."""

    __tablename__ = "audit_label"
    sample_id: int = Field(foreign_key="audit_sample.id", primary_key=True)
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    person: str = Field(max_length=100, primary_key=True)
    label: str = Field(max_length=12)
    at: datetime


class AlertRow(Row, table=True):
    """An episode: from the first window in which an alert fired until the figure was usual again.

    ``subject`` tells episodes of one alert apart (brand, kind, source). ``figures``: what was seen, expected, and how
    unlikely that was.
    """

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("name", "subject", "begun_at"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=20)
    brand_id: int | None = Field(default=None, foreign_key="brand.id")
    subject: str = Field(max_length=500)
    begun_at: datetime
    fired_at: datetime
    last_at: datetime
    ended_at: datetime | None = None
    figures: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, max_length=100)
    snoozed_until: datetime | None = None


class FiringRow(Row, table=True):
    """That a rule has fired for an item as it then was (``version``: its rating), so that it does so once."""

    __tablename__ = "firing"
    __table_args__ = (
        Index("ix_firing_rule_at", "rule", "at"),
        Index(
            "ix_firing_untold",
            *("rule", "at"),
            sqlite_where=sql("notice_id IS NULL"),
            postgresql_where=sql("notice_id IS NULL"),
        ),
    )
    rule: str = Field(max_length=200, primary_key=True)
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    version: str = Field(max_length=40, primary_key=True)
    at: datetime
    notice_id: int | None = Field(default=None, foreign_key="notice.id")


class ArrivalRow(Row, table=True):
    """An item that is new, or rated anew (``version``), and that no rule has looked at yet.

    Written with the item's page, gone with what the rules made of it.
    """

    __tablename__ = "arrival"
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    version: str = Field(max_length=40, primary_key=True)
    at: datetime


class NoticeRow(Row, table=True):
    """A message that is no digest: an alert, its follow-up, a rule's items, their summary, a test.

    ``body`` names items by id only: their words are looked up when it is sent.
    """

    __tablename__ = "notice"
    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=12)
    name: str = Field(max_length=200)
    brand_id: int | None = Field(default=None, foreign_key="brand.id")
    at: datetime
    body: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class AnnotationRow(Row, table=True):
    """A dated event that series and charts show: "release 2.0". ``brand_id`` none: of all brands."""

    __tablename__ = "annotation"
    id: int | None = Field(default=None, primary_key=True)
    brand_id: int | None = Field(default=None, foreign_key="brand.id")
    at: datetime = Field(index=True)
    until: datetime | None = None
    text: str = Field(sa_column=Column(Text, nullable=False))
    by: str | None = Field(default=None, max_length=100)
    created_at: datetime


class ExportPointRow(Row, table=True):
    """A moment from which an export of changes can go on; ``token`` is its name to people.

    ``place``: whose ``position`` it is, since another database counts its transactions anew (see :mod:`storage.changes`).
    """

    __tablename__ = "export_point"
    id: int | None = Field(default=None, primary_key=True)
    token: str = Field(max_length=40, unique=True)
    place: str = Field(max_length=100)
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime


class ItemChangeRow(Row, table=True):
    """The newest export point that there was when an item last changed; triggers write it, on SQLite alone."""

    __tablename__ = "item_change"
    item_id: int = Field(sa_column=Column(IdType, primary_key=True, autoincrement=False))
    point: int


def _table(name: str) -> Table:
    return METADATA.tables[name]


MARK: Final = _table("mark")
TAG: Final = _table("tag")
MUTE: Final = _table("mute")
BUDGET: Final = _table("budget")
AUDIT_SAMPLE: Final = _table("audit_sample")
AUDIT_ITEM: Final = _table("audit_item")
AUDIT_LABEL: Final = _table("audit_label")
ALERT: Final = _table("alert")
FIRING: Final = _table("firing")
ARRIVAL: Final = _table("arrival")
NOTICE: Final = _table("notice")
ANNOTATION: Final = _table("annotation")
EXPORT_POINT: Final = _table("export_point")
ITEM_CHANGE: Final = _table("item_change")
