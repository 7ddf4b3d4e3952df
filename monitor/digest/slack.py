"""PURE  A digest or a notice as Slack's Block Kit: what others wrote is shown literally, and calls nobody.

Within Slack's limits: 50 blocks, 3000 characters in a section, 150 in a header, 2000 in a field, 10 fields and 10 elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from json import dumps
from typing import Any, Final, NamedTuple

from monitor.digest import escape
from monitor.digest.brief import Brief, Part, with_fewer_items
from monitor.digest.escape import Link
from monitor.digest.numbers import plural
from monitor.digest.page import Words

BLOCKS: Final = 50
SECTION: Final = 3000
HEADER: Final = 150
FIELD: Final = 2000
FIELDS: Final = 10
LINK: Final = 900
"""Characters of a link; longer ones are left out."""
FALLBACK: Final = 3000
"""Characters of the text that stands for the blocks in notifications."""

_MARKS = re.compile(r"([*_~`])")


class Block(NamedTuple):
    """A block of the message, and how many items it shows."""

    shown: dict[str, Any]
    items: int = 0


def payload(brief: Brief) -> str:
    """The JSON body of a post to an incoming webhook: ``text`` for notifications, ``blocks`` for the message."""
    told = {"text": fallback(brief), "blocks": blocks(brief), "unfurl_links": False, "unfurl_media": False}
    return dumps(told, indent=2) + "\n"


def blocks(brief: Brief) -> list[dict[str, Any]]:
    """The message. What has no room is counted at its end."""
    head = list(_head(brief))
    foot = _context([literal(brief.made) + _dashboard(brief)])
    room, body = BLOCKS - len(head) - 1, list[Block]()
    for most in range(max((len(part.items) for part in brief.parts), default=0), -1, -1):
        body = [block for part in with_fewer_items(brief, most).parts for block in _part(part)]
        if len(body) <= room:
            break
    if len(body) > room:
        left = sum(block.items for block in body[room - 1 :])
        more = f"… {plural(left, 'more item', 'more items')}" if left else "… the rest"
        body = [*body[: room - 1], _context([f"{more}: no room here"])]
    return [block.shown for block in (*head, *body, foot)]


def fallback(brief: Brief) -> str:
    """The message's first words as one text."""
    first = [line for part in brief.parts for line in part.lines[:1]]
    return fitted(" · ".join([*([brief.note] if brief.note else []), brief.title, *first]), FALLBACK)


def literal(text: str) -> str:
    """``text`` as Slack shows it literally: no mention of anybody, no link, no bold type is read from it."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"@(?=\w)", "@\u200b", safe)
    return _MARKS.sub("\u200b\\1\u200b", safe)


def fitted(text: str, limit: int) -> str:
    """``text`` made literal, cut so that the result has at most ``limit`` characters and no escape is torn."""
    shown, room = literal(text), limit
    while len(shown) > limit:
        room -= max(1, (len(shown) - limit) // 8)
        shown = literal(escape.cap(text, max(1, room)))
    return shown


def _head(brief: Brief) -> Iterator[Block]:
    title = escape.cap(re.sub(r"([@<])(?=\S)", "\\1\u200b", brief.title), HEADER)
    yield Block({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}})
    if brief.note:
        yield _section(f"*{fitted(brief.note, FIELD)}*")
    yield _context([fitted(brief.subtitle, FIELD)])


def _part(part: Part) -> Iterator[Block]:
    heading = [f"*{fitted(part.heading, 300)}*"] if part.heading else []
    if lines := [*heading, *(fitted(line, 600) for line in part.lines)]:
        yield _section(_joined(lines))
    for start in range(0, len(part.fields), FIELDS):
        texts = [f"*{fitted(name, 300)}*\n{fitted(value, 1500)}" for name, value in part.fields[start : start + FIELDS]]
        yield Block({"type": "section", "fields": [_mrkdwn(text) for text in texts]})
    for item in part.items:
        yield _section(_quote(item), items=1)
    if part.more:
        yield Block(_context([f"… {plural(part.more, 'more item', 'more items')}"]).shown, part.more)
    for start in range(0, len(part.notes), FIELDS):
        yield _context([fitted(note, FIELD) for note in part.notes[start : start + FIELDS]])


def _quote(item: Words) -> str:
    """An item: its words quoted, below them who, where and when, and a link that shows its host."""
    words = [f"> {fitted(text, 1000)}" for text in (item.title, item.text) if text]
    about = [part for part in (item.stars, item.label, *item.meta) if part]
    below = fitted(" · ".join(about), 700)
    if item.link and len(item.link.url) <= LINK:
        below += f" · {link(item.link)}"
    return "\n".join([*words, f"> {below}"])


def link(target: Link) -> str:
    """A link by its host."""
    url = target.url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{url}|{literal(target.host)}>"


def _dashboard(brief: Brief) -> str:
    return f" · Dashboard: {link(brief.link)}" if brief.link else ""


def _joined(lines: Sequence[str]) -> str:
    """As many lines as have room in a section; the rest is counted."""
    kept = list(lines)
    while sum(len(line) + 1 for line in kept) > SECTION - 30:
        kept.pop()
    left = len(lines) - len(kept)
    return "\n".join([*kept, *([f"… {plural(left, 'more line', 'more lines')}"] if left else [])])


def _section(text: str, items: int = 0) -> Block:
    return Block({"type": "section", "text": _mrkdwn(text)}, items)


def _context(texts: Sequence[str]) -> Block:
    return Block({"type": "context", "elements": [_mrkdwn(text) for text in texts]})


def _mrkdwn(text: str) -> dict[str, Any]:
    """Verbatim: Slack makes no links or mentions of its own out of it."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
