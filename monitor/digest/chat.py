"""PURE  A digest or a notice as one chat message, in the syntax that a service reads, within its length.

What others wrote is shown literally and calls nobody: no ``@everyone``, no ``<!channel>``, no link but those given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape as html_escape
from typing import Final, Literal

from monitor.digest import escape
from monitor.digest.brief import Brief, Part, with_fewer_items
from monitor.digest.escape import Link
from monitor.digest.numbers import plural
from monitor.digest.page import Words

Syntax = Literal["html", "markdown", "text"]
LINE: Final = 600
"""Characters of a line of ours."""
_ROOM_TO_SAY_SO: Final = 90
_CALLS = re.compile(r"(?:@(?=[\w*{\[(])|<(?=[\w!@#/&]))")
_MARKS = re.compile(r"([\\\\`*_\[\]()|~#>])")


@dataclass(frozen=True, slots=True)
class _Way:
    """How a syntax writes text literally, in bold, and a link."""

    literal: Callable[[str], str]
    bold: Callable[[str], str]
    link: Callable[[Link], str]
    line_end: str = "\n"


def message(brief: Brief, syntax: Syntax, limit: int, *, titled: bool) -> str:
    """The message of at most ``limit`` bytes of UTF-8; what has no room is counted at its end.

    ``titled``: its title goes before it by another way.
    """
    way, lines = _WAYS[syntax], list[tuple[str, int]]()
    for most in range(max((len(part.items) for part in brief.parts), default=0), -1, -1):
        lines = list(_lines(with_fewer_items(brief, most), way, titled=titled))
        if sum(_size(line, way) for line, _ in lines) <= limit:
            return way.line_end.join(line for line, _ in lines)
    return way.line_end.join(_cut(lines, way, limit - _ROOM_TO_SAY_SO, brief))


def uncalled(text: str) -> str:
    """``text`` that calls nobody, whatever a service makes of ``@name`` or ``<...>``."""
    return _CALLS.sub(lambda found: found[0] + "\u200b", text)


def _cut(lines: list[tuple[str, int]], way: _Way, room: int, brief: Brief) -> Iterator[str]:
    """Whole lines from the top, and how many items the rest would have shown."""
    left = list(lines)
    while left and (size := _size(left[0][0], way)) <= room:
        room -= size
        yield left.pop(0)[0]
    items = sum(count for _, count in left)
    yield way.literal(_more(items, brief) if items else "… cut here: there is no room for the rest")


def _more(items: int, brief: Brief) -> str:
    return f"… {plural(items, 'more item', 'more items')}{' in the dashboard' if brief.link else ''}"


def _size(line: str, way: _Way) -> int:
    return len(line.encode()) + len(way.line_end)


def _lines(brief: Brief, way: _Way, *, titled: bool) -> Iterator[tuple[str, int]]:
    """The lines, each with how many items it stands for."""
    if not titled:
        yield way.bold(brief.title), 0
    if brief.note:
        yield way.bold(brief.note), 0
    for part in brief.parts:
        for line in part.lines:
            shown = way.literal(escape.cap(line, LINE))
            yield (f"{way.bold(part.heading)}: {shown}" if part.heading else shown), 0
    for part in brief.parts:
        yield from _details(brief, part, way)
    if brief.link:
        yield f"{way.literal('Dashboard:')} {way.link(brief.link)}", 0
    yield way.literal(". ".join(part for part in (brief.made, brief.subtitle) if part)), 0


def _details(brief: Brief, part: Part, way: _Way) -> Iterator[tuple[str, int]]:
    """What a part has besides its first lines: figures, what is not known, items."""
    if part.heading and (part.fields or part.items):
        yield "", 0
        yield way.bold(part.heading), 0
    for name, value in part.fields:
        yield way.literal(escape.cap(f"{name}: {value}", LINE)), 0
    for note in part.notes:
        yield way.literal(escape.cap(note, LINE)), 0
    for item in part.items:
        yield _item(item, way), 1
    if part.more:
        yield way.literal(_more(part.more, brief)), part.more


def _item(item: Words, way: _Way) -> str:
    words = ": ".join(text for text in (item.title, item.text) if text)
    about = ", ".join(text for text in (item.star_words, item.label, *item.meta) if text)
    shown = way.literal(f"“{words}” {about}")
    return f"• {shown} {way.link(item.link)}" if item.link else f"• {shown}"


def _markdown(text: str) -> str:
    """With a backslash before whatever could be markup; addresses in it are no links."""
    marked = _MARKS.sub(r"\\\1", uncalled(text))
    marked = re.sub(r"^([-+=]|\d+\.)(?=\s)", r"\\\1", marked)
    return marked.replace("://", ":\u200b//")


def _markdown_link(target: Link) -> str:
    url = target.url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    return f"[{_markdown(target.host)}]({url})"


def _html(text: str) -> str:
    return html_escape(uncalled(text))


_WAYS: Final[dict[Syntax, _Way]] = {
    "html": _Way(
        _html,
        lambda text: f"<b>{_html(text)}</b>",
        lambda target: f'<a href="{html_escape(target.url)}">{_html(target.host)}</a>',
        "<br/>\n",
    ),
    "markdown": _Way(_markdown, lambda text: f"**{_markdown(text)}**", _markdown_link, "  \n"),
    "text": _Way(uncalled, uncalled, lambda target: target.url),
}
