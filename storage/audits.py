"""Random samples of a window's text-scored items, and what people say of them. Source: METRICS 2.5.

An audit's label never becomes a correction: it changes no item and no rollup. The scorer's label is always the present one,
whatever a person has made of it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, case, func, insert, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.people_tables import AUDIT_ITEM, AUDIT_LABEL, AUDIT_SAMPLE
from storage.tables import BRAND, ITEM, SOURCE

KINDS: Final = ("mention", "review")
"""What enters a score."""
CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Frame:
    """Which items: counted ones of a brand, published in a window; of one kind or both, of these sources or all.

    ``stars_first``: do stars go before text when scoring? It tells what a label rests on where a person has spoken since.
    """

    brand: str
    since: datetime
    until: datetime
    kind: str | None = None
    sources: Sequence[str] = ()
    stars_first: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as it was drawn: ``size`` items of the ``frame`` that there were. ``said``: labels so far, by person."""

    id: int
    brand: str
    kind: str | None
    sources: tuple[str, ...]
    since: datetime
    until: datetime
    frame: int
    seed: int
    created_at: datetime
    size: int
    said: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sampled:
    """An item of a sample, in the order in which it is shown.

    ``label``: the scorer's present one; ``None`` where the item has left the frame (it counts no more, its text is not
    scored now). ``said``: what each person said of it.
    """

    id: int
    position: int
    kind: str
    source: str
    place: str | None
    published_at: datetime
    parent_title: str | None
    title: str | None
    text: str | None
    label: str | None
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """Are there words to judge it by? They go when it is erased."""
        return bool(self.title or self.text)


# ------------------------------------------------------------------------------------------------- drawing


def draw(database: Database, frame: Frame, size: int, seed: int, at: datetime) -> Sample | None:
    """Draw a sample, uniformly and without replacement; ``None`` where there is nothing to draw from.

    Always the same items in the same order for one seed and one state of the store. Linear in the window.
    """
    ids = iter(_ids(database, frame))
    chosen, total = _drawn(ids, size, Random(seed))  # noqa: S311 - a sample, not a secret
    if not chosen:
        return None
    sample_id = database.write(lambda connection: _keep(connection, frame, chosen, total, seed, at))
    return sample(database, sample_id)


def _drawn(ids: Iterable[int], size: int, random: Random) -> tuple[list[int], int]:
    """Some of the ids in random order, and how many there are. Source: Vitter 1985, ACM TOMS 11, 37-57 (algorithm R)."""
    chosen: list[int] = []
    total = 0
    for total, one in enumerate(ids, 1):
        if total <= size:
            chosen.append(one)
        elif (place := random.randrange(total)) < size:
            chosen[place] = one
    random.shuffle(chosen)
    return chosen, total


def _ids(database: Database, frame: Frame) -> Iterator[int]:
    """Every item of the frame that has words, in an order of its own."""
    c = ITEM.c
    readable = (c.erased_at.is_(None), or_(c.title.is_not(None), c.text.is_not(None)))
    query = (
        _framed(frame, c.id).where(_by_text(stars_first=frame.stars_first), *readable).order_by(c.published_at, c.id)
    )
    with database.refusals_named(), database.readonly.begin() as connection:
        yield from connection.execution_options(yield_per=CHUNK).execute(query).scalars()


def _keep(connection: Connection, frame: Frame, chosen: Sequence[int], total: int, seed: int, at: datetime) -> int:
    brand_id = connection.execute(select(BRAND.c.id).where(BRAND.c.name == frame.brand)).scalar_one()
    row = {
        "brand_id": brand_id,
        "kind": frame.kind,
        "sources": sorted(frame.sources) or None,
        "since": frame.since,
        "until": frame.until,
        "frame": total,
        "seed": seed,
        "created_at": at,
    }
    sample_id = int(connection.execute(insert(AUDIT_SAMPLE).returning(AUDIT_SAMPLE.c.id), row).scalar_one())
    items = [{"sample_id": sample_id, "item_id": one, "position": number} for number, one in enumerate(chosen)]
    connection.execute(insert(AUDIT_ITEM), items)
    return sample_id


# ------------------------------------------------------------------------------------------------- labelling


def say(database: Database, sample_id: int, item_id: int, person: str, label: str, at: datetime) -> bool:
    """A person's word on an item of a sample; their later word replaces it. ``False``: the sample has no such item."""

    def work(connection: Connection) -> bool:
        part = AUDIT_ITEM.c
        held = select(part.position).where(part.sample_id == sample_id, part.item_id == item_id)
        if connection.execute(held).first() is None:
            return False
        values = {"label": label, "at": at}
        added = _insert(connection)(AUDIT_LABEL).values(sample_id=sample_id, item_id=item_id, person=person, **values)
        keys = ["sample_id", "item_id", "person"]
        connection.execute(added.on_conflict_do_update(index_elements=keys, set_=values))
        return True

    return database.write(work)


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


# ------------------------------------------------------------------------------------------------- reading


def samples(database: Database, brand: str | None = None) -> list[Sample]:
    """Every sample (of a brand), the last drawn first."""
    query = _samples() if brand is None else _samples().where(BRAND.c.name == brand)
    return database.read(lambda connection: _read_samples(connection, query))


def sample(database: Database, sample_id: int) -> Sample | None:
    """The sample of this number, if there is one."""
    query = _samples().where(AUDIT_SAMPLE.c.id == sample_id)
    found = database.read(lambda connection: _read_samples(connection, query))
    return found[0] if found else None


def items(database: Database, sample_id: int, *, stars_first: bool = True) -> list[Sampled]:
    """A sample's items as they are now, in the order in which they are shown."""
    c, part = ITEM.c, AUDIT_ITEM.c
    label = case((and_(c.uncounted.is_(None), _by_text(stars_first=stars_first)), c.scorer_label))
    words = (c.parent_title, c.title, c.text)
    query = (
        select(c.id, part.position, c.kind, SOURCE.c.name, c.place, c.published_at, *words, label)
        .select_from(AUDIT_ITEM.join(ITEM, c.id == part.item_id).join(SOURCE, SOURCE.c.id == c.source_id))
        .where(part.sample_id == sample_id)
        .order_by(part.position)
    )
    said = select(AUDIT_LABEL.c.item_id, AUDIT_LABEL.c.person, AUDIT_LABEL.c.label).where(
        AUDIT_LABEL.c.sample_id == sample_id
    )

    def work(connection: Connection) -> list[Sampled]:
        words: dict[int, dict[str, str]] = {}
        for item_id, person, answer in connection.execute(said):
            words.setdefault(item_id, {})[person] = answer
        return [replace(Sampled(*row), said=words.get(row[0], {})) for row in connection.execute(query)]

    return database.read(work)


def counts(database: Database, frame: Frame) -> dict[tuple[str, bool, str], int]:
    """How many items of the frame the scorer labelled so, by (kind, by stars, label). Linear in the window."""
    c = ITEM.c
    by_stars = case((_by_stars(stars_first=frame.stars_first), 1), else_=0).label("by_stars")
    query = _framed(frame, c.kind, by_stars, c.scorer_label, func.count()).group_by(c.kind, by_stars, c.scorer_label)
    rows = database.read(lambda connection: connection.execute(query).all())
    return {(kind, bool(stars), label): count for kind, stars, label, count in rows}


def _framed(frame: Frame, *columns: ColumnElement[Any]) -> Select[Any]:
    """The counted items that the scorer or stars labelled, narrowed as the frame says."""
    c = ITEM.c
    brand_id = select(BRAND.c.id).where(BRAND.c.name == frame.brand).scalar_subquery()
    kinds = KINDS if frame.kind is None else (frame.kind,)
    query = select(*columns).where(
        *(c.brand_id == brand_id, c.published_at >= frame.since, c.published_at < frame.until),
        *(c.uncounted.is_(None), c.kind.in_(kinds), c.scorer_label.is_not(None)),
    )
    if not frame.sources:
        return query
    return query.where(c.source_id.in_(select(SOURCE.c.id).where(SOURCE.c.name.in_(frame.sources))))


def _by_text(*, stars_first: bool) -> ColumnElement[bool]:
    c = ITEM.c
    return and_(c.scorer_label.is_not(None), case((_by_stars(stars_first=stars_first), 1), else_=0) == 0)


def _by_stars(*, stars_first: bool) -> ColumnElement[bool]:
    """Do an item's stars make its label? Where a person has spoken since, that follows from what stars and text say."""
    c = ITEM.c
    otherwise = true() if stars_first else or_(c.text_label.is_(None), c.text_label != c.scorer_label)
    return or_(
        c.label_by == "stars",
        and_(c.label_by == "person", c.rating_label.is_not(None), c.rating_label == c.scorer_label, otherwise),
    )


def _samples() -> Select[Any]:
    c = AUDIT_SAMPLE.c
    size = select(func.count()).where(AUDIT_ITEM.c.sample_id == c.id).correlate(AUDIT_SAMPLE).scalar_subquery()
    columns = (c.id, BRAND.c.name, c.kind, c.sources, c.since, c.until, c.frame, c.seed, c.created_at, size)
    return select(*columns).join(BRAND, BRAND.c.id == c.brand_id).order_by(c.created_at.desc(), c.id.desc())


def _read_samples(connection: Connection, query: Select[Any]) -> list[Sample]:
    rows = connection.execute(query).all()
    if not rows:
        return []
    c = AUDIT_LABEL.c
    numbers = [row[0] for row in rows]
    grouped = (
        select(c.sample_id, c.person, func.count()).where(c.sample_id.in_(numbers)).group_by(c.sample_id, c.person)
    )
    said: dict[int, dict[str, int]] = {}
    for sample_id, person, count in connection.execute(grouped.order_by(c.sample_id, c.person)):
        said.setdefault(sample_id, {})[person] = count
    found = [Sample(*row) for row in rows]
    return [replace(one, sources=tuple(one.sources or ()), said=said.get(one.id, {})) for one in found]
