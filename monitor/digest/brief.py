"""PURE  A digest or a notice in brief, for chats: what is said first, the figures, a few items, and what is not known.

Every string is clean (:mod:`monitor.digest.escape`) and not yet escaped for any chat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from monitor.digest.escape import Link
from monitor.digest.page import Block, Page, Piece, Rival, Words

if TYPE_CHECKING:
    from monitor.digest.notice import NoticePage

ITEMS: Final = 6
"""Items of a brand that a chat shows at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """A brand's part, or all of a notice. ``fields``: names and figures; ``more``: items that are not among ``items``."""

    heading: str | None
    lines: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    items: tuple[Words, ...]
    more: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """``note`` says what is special (a test, say); ``made`` when it was built."""

    title: str
    subtitle: str
    note: str | None
    parts: tuple[Part, ...]
    made: str
    link: Link | None


def with_fewer_items(brief: Brief, most: int) -> Brief:
    """The same with so many items in a part at most; the others are counted."""
    parts = tuple(
        replace(part, items=part.items[:most], more=part.more + max(0, len(part.items) - most)) for part in brief.parts
    )
    return replace(brief, parts=parts)


def of_digest(page: Page) -> Brief:
    """A digest's page in brief: own brands with figures and items, competitors with a sentence each."""
    parts = (*map(_of_block, page.brands), *map(_of_rival, page.rivals))
    return Brief(f"{page.title}: {page.window}", page.times, page.note, parts, f"Made {page.made}", page.link)


def of_notice(page: NoticePage) -> Brief:
    """A notice in brief: all its lines and as many items as it names."""
    part = Part(None, page.lines, (), page.items, page.more, ())
    return Brief(page.title, f"{page.kind} {page.name}", None, (part,), page.made, None)


def _of_block(block: Block) -> Part:
    found = [item for group in block.groups for item in group.items if not item.again]
    fields = [*_figures(block), ("Volume", _plain(block.volume)), *(("Noted", line) for line in block.noted)]
    shown = tuple(found[:ITEMS])
    return Part(
        block.brand, (block.sentence, *block.alerts), tuple(fields), shown, len(found) - len(shown), block.coverage
    )


def _figures(block: Block) -> Iterator[tuple[str, str]]:
    for one in block.scores:
        told = [f"{one.big} {one.big_note}".strip(), one.score, one.change, one.compared]
        yield one.title, ", ".join(part for part in told if part)


def _of_rival(rival: Rival) -> Part:
    return Part(rival.brand, (rival.sentence,), (), (), 0, ())


def _plain(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)
