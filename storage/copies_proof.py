"""Proof that what is kept about copies fits together: who is left out as a copy is known to be one, and every key is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, func, or_, select

from storage import likeness
from storage.engine import Database
from storage.party_tables import LIKENESS, LIKENESS_KEY
from storage.reasons import DUPLICATE
from storage.tables import ITEM


@dataclass(frozen=True, slots=True)
class CopiesProof:
    """``astray``: items that count and are known as copies, or the other way round. ``keys``: brands with keys too many or too few.

    Of a brand that counts every copy nothing is kept, and there is nothing to prove.
    """

    astray: int
    keys: int

    @property
    def is_right(self) -> bool:
        return not self.astray and not self.keys


def verify_copies(database: Database, *, repair: bool = False) -> CopiesProof:
    """What does not fit; with ``repair`` the keys are made again, and who is astray is decided anew by whoever runs next."""

    def work(connection: Connection) -> CopiesProof:
        astray = list(connection.execute(_ASTRAY).scalars())
        wanted, there = (dict(tuple(row) for row in connection.execute(query)) for query in (_WANTED, _THERE))
        brands = sorted(one for one in {*wanted, *there} if int(wanted.get(one, 0)) != _KEY_BYTES * there.get(one, 0))
        if repair:
            for brand_id in brands:
                likeness.make_keys_again(connection, brand_id)
            likeness.doubt(connection, astray)
        return CopiesProof(len(astray), len(brands))

    return database.write(work) if repair else database.read(work)


_KEY_BYTES: Final = 8
_LEFT_OUT: Final = ITEM.c.uncounted == DUPLICATE
_KNOWN: Final = LIKENESS.c.copy_of.is_not(None)
_ASTRAY: Final = (
    select(LIKENESS.c.item_id)
    .join(ITEM, ITEM.c.id == LIKENESS.c.item_id)
    .where(LIKENESS.c.due.is_(None), ITEM.c.erased_at.is_(None))
    .where(or_(and_(ITEM.c.uncounted.is_(None), _KNOWN), and_(_LEFT_OUT, ~_KNOWN)))
    .order_by(LIKENESS.c.item_id)
)
_WANTED: Final = select(LIKENESS.c.brand_id, func.sum(func.length(LIKENESS.c.packed))).group_by(LIKENESS.c.brand_id)
_THERE: Final = select(LIKENESS_KEY.c.brand_id, func.count()).group_by(LIKENESS_KEY.c.brand_id)
