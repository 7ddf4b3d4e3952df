"""One page of items into the store: rows, growth, rollups and cursor in one transaction, or nothing at all.

Every writer touches authors by id, then items in unique-key order, then rollups in key order; so no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from storage import arrivals, likeness, search
from storage.bulk import insert_rows
from storage.engine import Database, StorageError
from storage.erasure import forget_authors, tombstones
from storage.growth import Growth, count_change, gains_of
from storage.leases import clock, hold
from storage.mutes import in_force_until_commit
from storage.reasons import DUPLICATE, EXCLUDED, MUTED, NOT_ABOUT_US, Mutes, why_uncounted
from storage.records import AuthorValues, Claim, GapValues, ItemValues, PageValues, Saved
from storage.rollups import Key, bucket_of, grown_by, recompute
from storage.tables import AUTHOR, COUNTS, GAP, ITEM, PULL, REVISION, SOURCE

FRESH: Final = timedelta(hours=24)
"""An item first seen within this age brings its whole first reading as growth (METRICS 4)."""

SKIPS_KEPT: Final = 20
CONTENT: Final = ("title", "text", "rating_value")
"""What a revision is made of."""
DETAILS: Final = (
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
LABELLING: Final = ("label", "label_by", "text_label", "compound", "scorer", "unscored", "language", "fingerprint")
RATING: Final = ("rating_value", "rating_worst", "rating_best", "stars", "star_cell", "rating_label")
MUTABLE: Final = (
    *("title", "text", *DETAILS, *RATING, *LABELLING),
    *("scorer_label", *COUNTS, "counted_at", "uncounted", "changed_at"),
)


def save_page(database: Database, claim: Claim, page: PageValues, at: datetime) -> Saved:
    """Store a page and its cursor. ``LeaseLost`` if another process has taken the source over; then nothing is stored."""
    return database.write(lambda connection: _save(connection, claim, page, at))


def _save(connection: Connection, claim: Claim, page: PageValues, at: datetime) -> Saved:
    advance = {} if page.cursor is None else {"cursor": dict(page.cursor)}
    hold(connection, SOURCE, claim.source_id, claim.fence, {"lease_until": clock(connection) + claim.lease, **advance})
    saved = save_items(connection, claim, page, at)
    if page.gap is not None:
        save_gap(connection, claim.source_id, page.gap, at)
    _log(connection, claim.pull_id, page, saved)
    return saved


@dataclass
class _Work:
    """What a page changes, gathered before it is written."""

    mutes: Mutes
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    counted: list[dict[str, Any]] = field(default_factory=list)  # changed in nothing but their counts
    revisions: list[dict[str, Any]] = field(default_factory=list)
    said: list[search.Change] = field(default_factory=list)
    growth: Growth = field(default_factory=Growth)
    published: set[Key] = field(default_factory=set)
    flipped: list[int] = field(default_factory=list)  # counted before and not now, or the other way round
    edited: list[RowMapping] = field(default_factory=list)  # say something else now
    doubtful: list[int] = field(default_factory=list)  # may lead copies now and did not, or the other way round
    buried: list[int] = field(default_factory=list)  # authors of items that have been erased and are brought again


def save_items(connection: Connection, claim: Claim, page: PageValues, at: datetime) -> Saved:
    """A page's items, authors and what follows from them, within a transaction that has the source's row."""
    if not page.items:
        return Saved()
    mutes = in_force_until_commit(connection)
    _save_authors(connection, page.authors)
    work = _sorted_out(connection, claim, page.items, mutes, at)
    insert_rows(connection, ITEM, work.new)
    search.index(connection, [search.Said(row["id"], row["title"], row["text"]) for row in work.new])
    search.reindex(connection, work.said)
    for statement, rows in (
        (_CHANGE, work.changed),
        (_COUNT, work.counted),
        (insert(REVISION), work.revisions),
    ):
        if rows:
            connection.execute(statement, rows)
    _keep_likeness(connection, work, page)
    if page.arrivals_since is not None:
        arrivals.note(connection, page.arrivals_since, work.new, work.changed, work.revisions, at)
    work.growth.save(connection)
    forget_authors(connection, work.buried)
    recompute(connection, work.published, gains=work.growth.gains, anew=grown_by(connection, work.flipped))
    return Saved(len(work.new), len(work.changed) + len(work.counted))


def _keep_likeness(connection: Connection, work: _Work, page: PageValues) -> None:
    """The keys of what is new or says something else; whether that is a copy is decided afterwards."""
    rows: list[Mapping[Any, Any]] = [*work.new, *work.edited]
    given = [(row, page.likeness.get((row["brand_id"], row["external_id"]))) for row in rows]
    likeness.doubt(connection, [*work.doubtful, *(row["id"] for row in work.edited)])
    likeness.forget(connection, [row["id"] for row in work.edited])
    entries = [
        likeness.Entry(row["id"], row["brand_id"], row["bucket"], keyed, due=True) for row, keyed in given if keyed
    ]
    likeness.keep(connection, entries)


_COUNTED: Final = (*COUNTS, "counted_at", "changed_at")
_THIS: Final = ITEM.c.id == bindparam("row_id")
_CHANGE: Final = update(ITEM).where(_THIS).values({name: bindparam(name) for name in MUTABLE})
_COUNT: Final = update(ITEM).where(_THIS).values({name: bindparam(name) for name in _COUNTED})


def _sorted_out(connection: Connection, claim: Claim, items: Sequence[ItemValues], mutes: Mutes, at: datetime) -> _Work:
    work = _Work(mutes)
    last = {(item["brand_id"], item["external_id"]): item for item in items}
    ordered = [(key, last[key]) for key in sorted(last)]
    known = _known(connection, claim.platform, [key for key, _ in ordered])
    buried = _buried(connection, claim.platform, [key for key, _ in ordered if key not in known])
    fresh = [item for key, item in ordered if key not in known and key not in buried]
    work.buried = [item["author_id"] for key, item in ordered if key in buried and item["author_id"] is not None]
    for number, item in zip(_new_ids(connection, len(fresh)), fresh, strict=True):
        _add(work, claim, number, item, at)
    for key, item in ordered:
        row = known.get(key)
        if row is not None and row["erased_at"] is None:
            _merge(work, claim, row, item, at)
    return work


_KNOWN: Final = (
    select(*(ITEM.c[name] for name in ("id", "brand_id", "source_id", "external_id", "kind", "bucket", "erased_at")))
    .add_columns(*(ITEM.c[name] for name in MUTABLE))
    .where(ITEM.c.brand_id == bindparam("brand"), ITEM.c.platform == bindparam("platform_"))
    .where(ITEM.c.external_id.in_(bindparam("ids", expanding=True)))
    .order_by(ITEM.c.external_id)
    .with_for_update()
)
_MOST_IDS: Final = 5_000
"""In one statement: both databases have a limit."""


def _known(connection: Connection, platform: str, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], RowMapping]:
    """The stored rows of these keys, which come sorted."""
    found: dict[tuple[int, str], RowMapping] = {}
    for brand, group in groupby(keys, key=lambda key: key[0]):
        ids = [external_id for _, external_id in group]
        for start in range(0, len(ids), _MOST_IDS):
            wanted = {"brand": brand, "platform_": platform, "ids": ids[start : start + _MOST_IDS]}
            rows = connection.execute(_KNOWN, wanted).mappings()
            found.update(((brand, row["external_id"]), row) for row in rows)
    return found


def _buried(connection: Connection, platform: str, keys: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of these keys, which come sorted, whose items have been erased. Asked after ``_known`` has waited for erasures."""
    groups = [(brand, [key[1] for key in group]) for brand, group in groupby(keys, key=lambda key: key[0])]
    return {(brand, found) for brand, ids in groups for found in tombstones(connection, brand, platform, ids)}


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
    uncounted = _why_new(work.mutes, item)
    work.new.append(
        {
            **item,
            "uncounted": uncounted,
            "id": number,
            "source_id": claim.source_id,
            "platform": claim.platform,
            "bucket": bucket,
            "first_seen_at": at,
            "changed_at": at,
            "scorer_label": item["label"],
            "refreshes": 0,
        }
    )
    key = Key(item["brand_id"], claim.source_id, item["kind"], bucket)
    work.published.add(key)
    if item["counted_at"] - item["published_at"] <= FRESH:
        seen = cast(Mapping[str, Any], item)
        gains = {name: seen[name] for name in COUNTS if seen[name]}
        work.growth.add(number, key, item["counted_at"], gains, uncounted)


def _merge(work: _Work, claim: Claim, row: RowMapping, item: ItemValues, at: datetime) -> None:
    """What a stored item learns from seeing it again: its own source may change everything, another only the counts."""
    seen, change = cast(Mapping[str, Any], item), dict[str, Any]()
    if row["source_id"] == claim.source_id and not _older(row, item):
        change |= _content_change(work, row, item, at)
        uncounted = _why_still(work.mutes, row, item, edited=bool(change))
        change |= {name: seen[name] for name in DETAILS if seen[name] != row[name]}
        change |= {} if uncounted == row["uncounted"] else {"uncounted": uncounted}
    growth = count_change(row, seen)
    if not change and not growth:
        return
    uncounted = change.get("uncounted", row["uncounted"])
    if (uncounted is None) != (row["uncounted"] is None):
        work.flipped.append(row["id"])
    if likeness.may_lead(uncounted) != likeness.may_lead(row["uncounted"]):
        work.doubtful.append(row["id"])
    key = Key(row["brand_id"], row["source_id"], row["kind"], row["bucket"])
    work.published.add(key)
    counts = {name: seen[name] for name in growth} | ({"counted_at": item["counted_at"]} if growth else {})
    work.growth.add(row["id"], key, item["counted_at"], gains_of(row, counts), uncounted)
    rows, names = (work.changed, MUTABLE) if change else (work.counted, _COUNTED)
    current = {name: row[name] for name in names}
    rows.append({**current, **change, **counts, "changed_at": at, "row_id": row["id"]})


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
    if (seen["title"], seen["text"]) != (row["title"], row["text"]):
        work.edited.append(row)
    before = search.Said(row["id"], row["title"], row["text"])
    work.said.append(search.Change(before, search.Said(row["id"], seen["title"], seen["text"])))
    change = {name: seen[name] for name in ("title", "text", *RATING, *LABELLING)}
    change["scorer_label"] = item["label"]
    if row["label_by"] == "person":
        change["label"], change["label_by"] = row["label"], "person"
    return change


def _why_new(mutes: Mutes, item: ItemValues) -> str | None:
    """The reason of a new item: what matching told with it, and the mutes."""
    told = item["uncounted"]
    return why_uncounted(
        not_about_us=told == NOT_ABOUT_US,
        muted=told == MUTED or mutes.hold(item["brand_id"], item["author_id"], item["url"]),
        excluded=told == EXCLUDED,
        duplicate=told == DUPLICATE,
    )


def _why_still(mutes: Mutes, row: RowMapping, item: ItemValues, *, edited: bool) -> str | None:
    """The reason of a stored item: matching is heard again where the text is another, or a mute begins or ends to mean it."""
    before, told = row["uncounted"], item["uncounted"]
    muted = told == MUTED or mutes.hold(row["brand_id"], item["author_id"], item["url"])
    if not edited and muted == (before == MUTED):
        return cast(str | None, before)
    return why_uncounted(
        not_about_us=before == NOT_ABOUT_US,
        muted=muted,
        excluded=told == EXCLUDED,
        duplicate=DUPLICATE in (told, before),
    )


def _save_authors(connection: Connection, authors: Sequence[AuthorValues]) -> None:
    """Names and followers as last seen; what is not told now stays as it was."""
    unique = {author["id"]: author for author in authors}
    rows = [unique[number] for number in sorted(unique)]
    stored = {row.id: row for row in connection.execute(_AUTHORS, {"ids": list(unique)})} if unique else {}
    news = [row for row in rows if row["id"] not in stored or _is_news(row, stored[row["id"]])]
    if not news:
        return
    statement = _upsert(connection)(AUTHOR)
    new, old = statement.excluded, AUTHOR.c
    values = {
        "name": func.coalesce(new.name, old.name),
        "followers": func.coalesce(new.followers, old.followers),
        "seen_at": new.seen_at,
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values), news)


_AUTHORS: Final = select(AUTHOR.c.id, AUTHOR.c.name, AUTHOR.c.followers).where(
    AUTHOR.c.id.in_(bindparam("ids", expanding=True))
)


def _is_news(author: AuthorValues, stored: Any) -> bool:
    told = ((author["name"], stored.name), (author["followers"], stored.followers))
    return any(now is not None and now != before for now, before in told)


def save_gap(connection: Connection, source_id: int, gap: GapValues, at: datetime) -> None:
    """Remember a stretch that could not be had. The same stretch is kept once; told again, longer, it grows."""
    c, reason = GAP.c, gap.reason[:500]
    told = and_(c.source_id == source_id, c.since == gap.since, c.reason == reason)
    until = connection.execute(select(func.max(c.until)).where(told)).scalar()
    if until is not None and until >= gap.until:
        return
    statement = _upsert(connection)(GAP).on_conflict_do_nothing()
    values = {"since": gap.since, "until": gap.until, "missing": gap.missing, "reason": reason}
    connection.execute(statement, {"source_id": source_id, "seen_at": at, **values})
    if until is not None:
        connection.execute(delete(GAP).where(told, c.until == until))


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
        raise StorageError(f"pull {pull_id}: its line in the log is gone; pull the source again")


def _upsert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
