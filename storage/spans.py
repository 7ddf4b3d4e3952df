"""Rollups of longer stretches, so that a year's sums are some dozens of rows and not 35,000 quarters of an hour a series.

A span of 4 buckets (an hour), 24 (six hours), 96 (a day of UTC) or 3,072 (32 days) holds the sums of its rollups. Whoever changes
rollups calls :func:`renew` (storage.rollups does) in the same transaction. Any window is a few spans, with shorter ones at its
edges, whatever its time zone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Executable, Integer, Select, Text, bindparam, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage.tables import ROLLUP, ROLLUP_SPAN, ROLLUP_VALUES, SPAN_SIZES

SIZES: Final = (1, *SPAN_SIZES)
"""In buckets, each a multiple of the one before; 1 are the rollups themselves."""
SUMMED: Final = (*ROLLUP_VALUES, "changes", "buckets")
"""``buckets``: how many rollups there are."""
CHUNK: Final = 500
"""Spans in one statement: both databases have a limit."""


class Piece(NamedTuple):
    """Neighbouring spans of one size; ``low`` and ``high`` in buckets, the end not included."""

    size: int
    low: int
    high: int


def pieces(low: int, high: int, sizes: Sequence[int] = SIZES) -> list[Piece]:
    """The fewest spans that are exactly the buckets from ``low`` to before ``high``, by time."""
    if low >= high:
        return []
    size, *longer = sizes
    if not longer:
        return [Piece(size, low, high)]
    first, last = -(-low // longer[0]) * longer[0], high // longer[0] * longer[0]
    if first >= last:
        return [Piece(size, low, high)]
    edges = [Piece(size, *edge) if edge[0] < edge[1] else None for edge in ((low, first), (last, high))]
    return [piece for piece in (edges[0], *pieces(first, last, longer), edges[1]) if piece is not None]


class Repeated(NamedTuple):
    """``piece`` and those after it, ``times`` in all, each ``length`` buckets after the one before.

    They are parts of slices numbered from ``first``, of which that one begins at ``begin``.
    """

    piece: Piece
    length: int
    times: int
    first: int
    begin: int


def repeated(first: int, low: int, high: int, length: int) -> list[Repeated]:
    """The pieces of neighbouring slices of ``length`` buckets each; only such spans as are alike in all of them."""
    count = (high - low) // length
    sizes = [size for size in SIZES if count == 1 or length % size == 0]
    return [Repeated(piece, length, count, first, low) for piece in pieces(low, low + length, sizes)]


class Shape(NamedTuple):
    """What statements depend on: of each piece its size, and whether it is a part of its slices; whether there are several slices."""

    pieces: tuple[tuple[int, bool], ...]
    several: bool


def shape_of(wanted: Sequence[Repeated]) -> Shape:
    """The shape of what :func:`rows` reads; ``wanted`` is of one run of slices."""
    return Shape(tuple((one.piece.size, _is_part(one)) for one in wanted), wanted[0].times > 1)


def rows(shape: Shape, names: Sequence[str]) -> str:
    """The statement that gives a brand's sums by ``slice`` (its number), ``source_id`` and ``kind``; :func:`values` go with it.

    As text, since SQLAlchemy takes longer to put such statements together than both databases to answer them.
    """
    short, long = (
        [number for number, (size, _) in enumerate(shape.pieces) if (size == 1) == is_short]
        for is_short in (True, False)
    )
    return " UNION ALL ".join(_part(shape, some, names) for some in (short, long) if some)


def values(brand: str, wanted: Sequence[Repeated]) -> dict[str, int | str]:
    """The parameters of :func:`rows`."""
    run = wanted[0]
    found: dict[str, int | str] = {"brand": brand, "number": run.first, "begin": run.begin, "length": run.length}
    for number, one in enumerate(wanted):
        size, low, high = one.piece
        first, each, per = low // size, (high - low) // size, one.length // size
        found |= {f"low_{number}": first, f"high_{number}": first + (one.times - 1) * per + each}
        found |= {f"per_{number}": per, f"each_{number}": each} if _is_part(one) else {}
    if run.times == 1:
        del found["begin"], found["length"]
    return found


def _is_part(one: Repeated) -> bool:
    size, low, high = one.piece
    return one.times > 1 and (high - low) // size < one.length // size


def _part(shape: Shape, numbers: Sequence[int], names: Sequence[str]) -> str:
    """One SELECT, however many pieces."""
    size = shape.pieces[numbers[0]][0]
    table, bucket = (ROLLUP.name, "bucket") if size == 1 else (ROLLUP_SPAN.name, "slot * size")
    several = f":number + ({bucket} - :begin) / :length"
    columns = ["1 AS buckets" if size == 1 and name == "buckets" else name for name in names]
    which = " OR ".join(f"({_is_in(shape, number)})" for number in numbers)
    number = several if shape.several else "CAST(:number AS INTEGER)"
    return f"SELECT {number} AS slice, source_id, kind, {', '.join(columns)} FROM {table} WHERE {which}"  # noqa: S608 - our own names


def _is_in(shape: Shape, number: int) -> str:
    size, is_part = shape.pieces[number]
    slot = "bucket" if size == 1 else "slot"
    # The brand in each: named once beside them, SQLite reads all that the brand has instead of looking each piece up.
    conditions = ["brand_id = (SELECT id FROM brand WHERE name = :brand)", *([] if size == 1 else [f"size = {size}"])]
    conditions += [f"{slot} >= :low_{number}", f"{slot} < :high_{number}"]
    conditions += [f"({slot} - :low_{number}) % :per_{number} < :each_{number}"] if is_part else []
    return " AND ".join(conditions)


def _column(size: int, name: str) -> ColumnElement[Any]:
    if size == 1 and name == "buckets":
        return literal(1, Integer).label(name)
    return (ROLLUP if size == 1 else ROLLUP_SPAN).c[name].label(name)


# ------------------------------------------------------------------------------------------------- keeping


def renew(connection: Connection, keys: Collection[tuple[int, int, str, int]]) -> None:
    """Sum up the spans of these rollups (brand, source, kind, bucket) anew, after the rollups are written."""
    dialect = connection.dialect.name
    groups = list(_grouped(keys))
    if dialect == "postgresql":  # so that what is summed up sees all that was waited for
        for statement in (_MAKE, _LOCK):
            for group in groups:
                connection.execute(statement, group)
    for group in groups:
        connection.execute(_resum(dialect, group["size_"]), group)


def fill(connection: Connection) -> None:
    """All spans, from the rollups, where there are none yet."""
    for finer, size in pairwise(SIZES):
        sums = _sums(finer, size)
        connection.execute(ROLLUP_SPAN.insert().from_select([column.name for column in sums.selected_columns], sums))


def _grouped(keys: Iterable[tuple[int, int, str, int]]) -> Iterator[dict[str, Any]]:
    """Keys as parameters in the order in which every writer takes them: by size, brand, source, kind and slot."""
    for finer, size in pairwise(SIZES):
        times = size // finer
        spans = sorted({(brand, source, kind, bucket // size) for brand, source, kind, bucket in keys})
        for (brand, source, kind), group in groupby(spans, key=lambda span: span[:3]):
            slots = [span[3] for span in group]
            for start in range(0, len(slots), CHUNK):
                chunk = slots[start : start + CHUNK]
                parts = [part for slot in chunk for part in range(slot * times, (slot + 1) * times)]
                yield {"size_": size, "brand": brand, "source": source, "kind_": kind, "slots": chunk, "parts": parts}


_KEY: Final = ("size", "brand_id", "source_id", "kind", "slot")  # as _MAKE names them
_C: Final = ROLLUP_SPAN.c
_MAKE: Final = (
    postgresql.insert(ROLLUP_SPAN)
    .from_select(
        _KEY,
        select(
            bindparam("size_", type_=Integer),
            bindparam("brand", type_=Integer),
            bindparam("source", type_=Integer),
            bindparam("kind_", type_=Text),
            func.unnest(bindparam("slots", type_=postgresql.ARRAY(Integer))),
        ),
    )
    .on_conflict_do_nothing()
)
_LOCK: Final = (
    select(_C.slot)
    .where(_C.size == bindparam("size_"), _C.brand_id == bindparam("brand"), _C.source_id == bindparam("source"))
    .where(_C.kind == bindparam("kind_"), _C.slot.in_(bindparam("slots", expanding=True)))
    .order_by(_C.slot)
    .with_for_update()
)


@cache
def _resum(dialect: str, size: int) -> Executable:
    finer = SIZES[SIZES.index(size) - 1]
    c = (ROLLUP if finer == 1 else ROLLUP_SPAN).c
    part = c.bucket if finer == 1 else c.slot
    same = (c.brand_id == bindparam("brand"), c.source_id == bindparam("source"), c.kind == bindparam("kind_"))
    sums = _sums(finer, size).where(*same, part.in_(bindparam("parts", expanding=True)))
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(ROLLUP_SPAN)
    insert = insert.from_select([column.name for column in sums.selected_columns], sums)
    statement: Executable = insert.on_conflict_do_update(
        index_elements=_KEY, set_={name: insert.excluded[name] for name in SUMMED}
    )
    return statement


def _sums(finer: int, size: int) -> Select[Any]:
    """Spans of a size out of those of the size below."""
    c = (ROLLUP if finer == 1 else ROLLUP_SPAN).c
    slot = ((c.bucket if finer == 1 else c.slot) // (size // finer)).label("slot")
    sums = (func.sum(_column(finer, name)).label(name) for name in SUMMED)
    query = select(literal(size, Integer).label("size"), c.brand_id, c.source_id, c.kind, slot, *sums)
    of_size = [] if finer == 1 else [ROLLUP_SPAN.c.size == finer]
    return query.where(*of_size).group_by(c.brand_id, c.source_id, c.kind, slot)
