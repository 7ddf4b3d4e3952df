"""PURE  HTML as platforms send it -> plain text. Linear in its length, whatever it holds."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

MAX_MARKUP = 400_000
"""Characters of markup that are read; what follows is cut off."""

_BREAKS = frozenset(
    {"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr", "ul", "ol"}
)
_HIDDEN = frozenset({"script", "style", "template", "noscript", "head", "svg"})
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n[ \n]*\n")


def plain_text(markup: str | None) -> str | None:
    """The text a reader would see: tags gone, entities resolved, blocks on lines of their own; ``None`` if nothing is left."""
    if markup is None:
        return None
    markup = markup[:MAX_MARKUP]
    if "<" not in markup:
        return _tidy(html.unescape(markup))
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return _tidy("".join(reader.parts))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n\n" if tag == "p" else "\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag == self._hidden[-1]:
            self._hidden.pop()
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _tidy(text: str) -> str | None:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip() or None
