"""One page of items into the store: rows, growth, rollups and cursor in one transaction, or nothing at all.

Every writer touches authors by id, then items in unique-key order, then rollups in key order; so no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Conflict, Database
from storage.leases import clock, hold
from storage.records import AuthorValues, Claim, GapValues, ItemValues, PageValues, Saved
from storage.rollups import Key, bucket_of, recompute
from storage.tables import AUTHOR, COUNT_HISTORY, COUNTS, GAP, ITEM, PULL, REVISION, SOURCE

FRESH = timedelta(hours=24)
"""An item first seen within this age brings its whole first reading as growth (METRICS 4)."""

SKIPS_KEPT = 20
CONTENT = ("title", "text", "rating_value")
"""What a revision is made of."""
DETAILS = (
    "url",
    "updated_at",
    "author_id",
    "author_name",
    "reply_text",
    "reply_at",
    "place",
    "parent_title",
    "attributes",
)
LABELLING = ("label", "label_by", "text_label", "compound", "scorer", "unscored", "language", "fingerprint")
RATING = ("rating_value", "rating_worst", "rating_best", "stars", "star_cell", "rating_label")
MUTABLE = (
    *("title", "text", *DETAILS, *RATING, *LABELLING),
    *("scorer_label", *COUNTS, "counted_at", "uncounted", "changed_at"),
)


def save_page(database: Database, claim: Claim, page: PageValues, at: datetime) -> Saved:
    """Store a page and its cursor. ``LeaseLost`` if another process has taken the source over; then nothing is stored."""
    return database.write(lambda connection: _save(connection, claim, page, at))


def _save(connection: Connection, claim: Claim, page: PageValues, at: datetime) -> Saved:
    advance = {} if page.cursor is None else {"cursor": dict(page.cursor)}
    hold(connection, SOURCE, claim.source_id, claim.fence, {"lease_until": clock(connection) + claim.lease, **advance})
    saved = _save_items(connection, claim, page, at)
    if page.gap is not None:
        save_gap(connection, claim.source_id, page.gap, at)
    _log(connection, claim.pull_id, page, saved)
    return saved


@dataclass
class _Work:
    """What a page changes, gathered before it is written."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    growth: list[dict[str, Any]] = field(default_factory=list)
    published: set[Key] = field(default_factory=set)
    grown: set[Key] = field(default_factory=set)


def _save_items(connection: Connection, claim: Claim, page: PageValues, at: datetime) -> Saved:
    if not page.items:
        return Saved()
    _save_authors(connection, page.authors)
    work = _sorted_out(connection, claim, page.items, at)
    if work.new:
        connection.execute(insert(ITEM), work.new)
    if work.changed:
        connection.execute(_CHANGE, work.changed)
    if work.revisions:
        connection.execute(insert(REVISION), work.revisions)
    if work.growth:
        _save_growth(connection, work.growth)
    recompute(connection, work.published, work.grown)
    return Saved(len(work.new), len(work.changed))


_CHANGE = update(ITEM).where(ITEM.c.id == bindparam("row_id")).values({name: bindparam(name) for name in MUTABLE})


def _sorted_out(connection: Connection, claim: Claim, items: Sequence[ItemValues], at: datetime) -> _Work:
    work = _Work()
    ordered = sorted(items, key=lambda item: (item["brand_id"], item["external_id"]))
    known = _known(connection, claim.platform, ordered)
    fresh = [item for item in ordered if (item["brand_id"], item["external_id"]) not in known]
    for number, item in zip(_new_ids(connection, len(fresh)), fresh, strict=True):
        _add(work, claim, number, item, at)
    for item in ordered:
        row = known.get((item["brand_id"], item["external_id"]))
        if row is not None and row["erased_at"] is None:
            _merge(work, claim, row, item, at)
    return work


def _known(connection: Connection, platform: str, items: Sequence[ItemValues]) -> dict[tuple[int, str], RowMapping]:
    found: dict[tuple[int, str], RowMapping] = {}
    for brand in {item["brand_id"] for item in items}:
        ids = [item["external_id"] for item in items if item["brand_id"] == brand]
        query = (
            select(ITEM)
            .where(ITEM.c.brand_id == brand, ITEM.c.platform == platform, ITEM.c.external_id.in_(ids))
            .order_by(ITEM.c.external_id)
            .with_for_update()
        )
        found.update(((brand, row["external_id"]), row) for row in connection.execute(query).mappings())
    return found


def _new_ids(connection: Connection, count: int) -> Iterable[int]:
    if count == 0:
        return ()
    if connection.dialect.name == "postgresql":
        numbers = connection.execute(text("SELECT nextval('item_id_seq') FROM generate_series(1, :n)"), {"n": count})
        return numbers.scalars().all()
    last = connection.execute(select(func.coalesce(func.max(ITEM.c.id), 0))).scalar_one()
    return range(last + 1, last + 1 + count)


def _add(work: _Work, claim: Claim, number: int, item: ItemValues, at: datetime) -> None:
    bucket = bucket_of(item["published_at"])
    work.new.append(
        {
            **item,
            "id": number,
            "source_id": claim.source_id,
            "platform": claim.platform,
            "bucket": bucket,
            "first_seen_at": at,
            "changed_at": at,
            "scorer_label": item["label"],
            "erased_at": None,
        }
    )
    work.published.add(Key(item["brand_id"], claim.source_id, item["kind"], bucket))
    if item["counted_at"] - item["published_at"] <= FRESH:
        _grow(work, number, _key_at(item, claim.source_id), item["counted_at"], _counts(item))


def _merge(work: _Work, claim: Claim, row: RowMapping, item: ItemValues, at: datetime) -> None:
    """What a stored item learns from seeing it again: its own source may change everything, another only the counts."""
    seen, change = cast(Mapping[str, Any], item), dict[str, Any]()
    if row["source_id"] == claim.source_id and not _older(row, item):
        change |= _content_change(work, row, item, at)
        change |= {name: seen[name] for name in DETAILS if seen[name] != row[name]}
    growth = _count_change(row, item)
    if growth:
        change |= {name: seen[name] for name in growth} | {"counted_at": item["counted_at"]}
        gains = {name: seen[name] - row[name] for name in growth if row[name] is not None}
        _grow(work, row["id"], _key_at(item, row["source_id"]), item["counted_at"], gains)
    if change:
        current = {name: row[name] for name in MUTABLE}
        work.changed.append({**current, **change, "changed_at": at, "row_id": row["id"]})
        work.published.add(Key(row["brand_id"], row["source_id"], row["kind"], row["bucket"]))


def _older(row: RowMapping, item: ItemValues) -> bool:
    """Is this an older state of the item than the stored one (an import, a replay)?"""
    stored, seen = row["updated_at"], item["updated_at"]
    return bool(stored is not None and (seen is None or seen < stored))


def _content_change(work: _Work, row: RowMapping, item: ItemValues, at: datetime) -> dict[str, Any]:
    seen = cast(Mapping[str, Any], item)
    if all(seen[name] == row[name] for name in CONTENT):
        return {}
    kept = {name: row[name] for name in (*CONTENT, "label")}
    work.revisions.append({"item_id": row["id"], "replaced_at": at, **kept})
    change = {name: seen[name] for name in ("title", "text", *RATING, *LABELLING)}
    change["scorer_label"] = item["label"]
    if row["label_by"] == "person":
        change["label"], change["label_by"] = row["label"], "person"
    if row["uncounted"] in (None, "excluded"):
        change["uncounted"] = item["uncounted"]
    return change


def _count_change(row: RowMapping, item: ItemValues) -> list[str]:
    """The counts that are known now and differ, unless this reading is older than the stored one."""
    if row["counted_at"] is not None and item["counted_at"] < row["counted_at"]:
        return []
    seen = cast(Mapping[str, Any], item)
    return [name for name in COUNTS if seen[name] is not None and seen[name] != row[name]]


def _counts(item: ItemValues) -> dict[str, int]:
    seen = cast(Mapping[str, Any], item)
    return {name: seen[name] for name in COUNTS if seen[name]}


def _key_at(item: ItemValues, source_id: int) -> Key:
    return Key(item["brand_id"], source_id, item["kind"], bucket_of(item["counted_at"]))


def _grow(work: _Work, item_id: int, key: Key, at: datetime, gains: Mapping[str, int]) -> None:
    if any(gains.values()):
        zeros = dict.fromkeys(COUNTS, 0)
        work.growth.append({"item_id": item_id, "at": at, "bucket": key.bucket, **zeros, **gains})
        work.grown.add(key)


def _save_growth(connection: Connection, growth: Sequence[Mapping[str, Any]]) -> None:
    statement = _upsert(connection)(COUNT_HISTORY)
    added = {name: COUNT_HISTORY.c[name] + statement.excluded[name] for name in COUNTS}
    connection.execute(statement.on_conflict_do_update(index_elements=["item_id", "at"], set_=added), list(growth))


def _save_authors(connection: Connection, authors: Sequence[AuthorValues]) -> None:
    if not authors:
        return
    statement = _upsert(connection)(AUTHOR)
    new, old = statement.excluded, AUTHOR.c
    changed = or_(new.name.is_distinct_from(old.name), new.followers.is_distinct_from(old.followers))
    values = {
        "name": func.coalesce(new.name, old.name),
        "followers": func.coalesce(new.followers, old.followers),
        "seen_at": new.seen_at,
    }
    rows = sorted({author["id"]: author for author in authors}.values(), key=lambda author: author["id"])
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values, where=changed), rows)


def save_gap(connection: Connection, source_id: int, gap: GapValues, at: datetime) -> None:
    """Remember a stretch that could not be had; the same stretch is kept once."""
    statement = _upsert(connection)(GAP).on_conflict_do_nothing()
    values = {"since": gap.since, "until": gap.until, "missing": gap.missing, "reason": gap.reason[:500]}
    connection.execute(statement, {"source_id": source_id, "seen_at": at, **values})


def _log(connection: Connection, pull_id: int, page: PageValues, saved: Saved) -> None:
    c = PULL.c
    values: dict[str, Any] = {
        "pages": c.pages + 1,
        "seen": c.seen + page.seen,
        "new": c.new + saved.new,
        "changed": c.changed + saved.changed,
        "unmatched": c.unmatched + page.unmatched,
        "skipped": c.skipped + len(page.skips),
    }
    if page.skips:
        kept = connection.execute(select(c.skips).where(c.id == pull_id)).scalar() or []
        values["skips"] = [*kept, *([what[:100], why[:200]] for what, why in page.skips)][:SKIPS_KEPT]
    if connection.execute(update(PULL).where(c.id == pull_id).values(values)).rowcount != 1:
        raise Conflict(f"pull {pull_id} is gone")


def _upsert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
