"""PURE  HTML as platforms send it -> plain text. Linear in its length, whatever it holds.

The standard library's HTMLParser needs time quadratic in the length of some malformed markup (minutes for a hostile page), so
the tags are found here: every character is looked at a bounded number of times.
"""

from __future__ import annotations

import html
import re
from collections import Counter

MAX_MARKUP = 400_000
"""Characters of markup that are read; what follows is cut off."""

_BREAKS = frozenset(
    {"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr", "ul", "ol"}
)
_HIDDEN = frozenset({"script", "style", "template", "noscript", "head", "svg"})
_RAW = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE) for tag in ("script", "style")}
"""Within these nothing but their own end is markup."""
_OPENING = re.compile(r"<(?:(/?)([a-zA-Z][^\s/>]{0,99})|!|\?)")
_QUOTE_OR_END = re.compile(r"""=\s{0,99}(["'])|>""")
_CUT_TAG = re.compile(r"<[a-zA-Z][\w-]{0,30}\s{1,9}[\w:-]{1,50}=")
"""A tag that was cut off with the text it stands in, as excerpts in feeds are; without an attribute it may be ``x <y``."""
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n[ \n]*\n")
_HUGE_REFERENCE = re.compile(r"&#[0-9]{9,};?")


def plain_text(markup: str | None) -> str | None:
    """The text a reader would see: tags gone, entities resolved, blocks on lines of their own; ``None`` if nothing is left."""
    if markup is None:
        return None
    markup = markup[:MAX_MARKUP]
    return _tidy(_unescaped(_Reader(markup).text() if "<" in markup else markup))


class _Reader:
    """Reads once from left to right; ``_at`` never goes back, and a search that failed is never made again."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._at = 0
        self._last_end = markup.rfind(">")
        self._heeds_quotes = True
        self._hidden: Counter[str] = Counter()
        self._parts: list[str] = []

    def text(self) -> str:
        while self._at < len(self._markup):
            found = _OPENING.search(self._markup, self._at)
            if found is None or found.start() > self._last_end:
                cut = _CUT_TAG.search(self._markup, self._at)
                self._show(cut.start() if cut else len(self._markup))
                break
            self._show(found.start())
            self._pass(found)
        return "".join(self._parts)

    def _show(self, end: int) -> None:
        if not self._hidden:
            self._parts.append(self._markup[self._at : end])
        self._at = end

    def _pass(self, opening: re.Match[str]) -> None:
        """Go beyond the tag or comment that begins here, and heed what it means."""
        if self._markup.startswith("<!--", self._at):
            self._at = self._after("-->", self._at + 2)
            return
        self._at = self._end_of_tag(opening.end())
        if opening[2]:
            self._heed(opening[2].lower(), closing=bool(opening[1]), alone=self._markup[self._at - 2] == "/")

    def _after(self, end: str, start: int) -> int:
        found = self._markup.find(end, start)
        return len(self._markup) if found < 0 else found + len(end)

    def _end_of_tag(self, start: int) -> int:
        """Behind the ``>`` that ends the tag; one within a quoted value does not."""
        at = start
        while self._heeds_quotes:
            found = _QUOTE_OR_END.search(self._markup, at)
            if found is not None and found[1] is None:
                return found.end()
            closing = -1 if found is None else self._markup.find(found[1], found.end())
            if closing < 0:
                self._heeds_quotes = False  # an unclosed quote would swallow the rest: they are not to be trusted here
            at = closing + 1
        return self._after(">", start)

    def _heed(self, tag: str, *, closing: bool, alone: bool) -> None:
        if tag == "body" or (tag == "head" and closing):
            self._hidden.clear()
        elif tag in _BREAKS and not self._hidden:
            self._parts.append("\n\n" if tag == "p" and not closing and not alone else "\n")
        elif tag in _HIDDEN and closing:
            self._hidden -= Counter({tag: 1})
        elif tag in _RAW and not alone:
            end = _RAW[tag].search(self._markup, self._at)
            self._at = len(self._markup) if end is None else end.start()
        elif tag in _HIDDEN and not alone:
            self._hidden[tag] += 1


def _unescaped(text: str) -> str:
    return html.unescape(_HUGE_REFERENCE.sub("\ufffd", text))


def _tidy(text: str) -> str | None:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip() or None
