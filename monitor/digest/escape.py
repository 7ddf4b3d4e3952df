"""PURE  Other people's words made harmless: one line, no control characters, of bounded length; escapes and links.

Every string of a report is cleaned once (:func:`clean`) when a digest's page is made; each form then escapes by its own
syntax: HTML by autoescape, Markdown by :func:`markdown`, plain text needs no more.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

ELLIPSIS: Final = "…"
QUOTE: Final = 280
"""Characters of an item's text that a digest shows."""
TITLE: Final = 120
"""Characters of an item's title."""
NAME: Final = 60
"""Characters of the name of a brand, author, place, source or account."""
REASON: Final = 160
"""Characters of what a failing source said."""
ADDRESS: Final = 2000
"""Characters of a link; longer ones are not shown."""

_TERMINAL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?")
_BLANKS = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_MARKS_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Link:
    """An http or https address in ASCII, and the host it really leads to, for show."""

    url: str
    host: str


def clean(text: str | None, limit: int) -> str | None:
    """``text`` on one line of at most ``limit`` characters; ``None`` where nothing is left to see.

    Terminal sequences, control characters, bidirectional overrides and lone surrogates are removed, heaps of combining
    marks cut down.
    """
    if text is None:
        return None
    words = _BLANKS.sub(" ", _TERMINAL.sub("", text[: limit * 20]))
    kept = words if _is_plain(words) else _unheaped("".join(char for char in words if not _is_hidden(char)))
    return cap(" ".join(kept.split()), limit) or None


def _is_plain(text: str) -> bool:
    """Are these visible characters of ASCII alone? Most texts are, and looking at each character takes long."""
    return text.isascii() and text.isprintable()


def name(text: str | None) -> str:
    """A name for show; one without a visible character is a dash."""
    return clean(text, NAME) or "–"


def cap(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters, cut between words where one ends near, with an ellipsis."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and _joins(text[end - 1], text[end]):
        end -= 1
    head = text[:end]
    blank = head.rfind(" ")
    if blank > end * 0.7 and not text[end].isspace():
        head = head[:blank]
    return head.rstrip(" ,;:.–-") + ELLIPSIS


def link(url: str | None) -> Link | None:
    """The link of ``url``; ``None`` unless it is a plain http or https address that shows where it leads.

    Refused: other schemes, blanks and control characters, backslashes and user names, which show one host and lead to
    another.
    """
    if url is None or len(url) > ADDRESS or "\\" in url:
        return None
    if not (_is_plain(url) and " " not in url) and any(char.isspace() or _is_hidden(char) for char in url):
        return None
    try:
        parts = urlsplit(url)
        host = _host(parts)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    rest = quote(parts._replace(scheme="", netloc="").geturl(), safe="/?#@!$&*+,;=:%~-._")
    return Link(f"{parts.scheme.lower()}://{host}{rest}", cap(host, NAME))


def markdown(text: str) -> str:
    """``text`` as Markdown that shows it literally, on one line, in any place, table cells included.

    Also in chat programs: ``<!channel>`` and ``@everyone`` call nobody.
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", safe)
    safe = re.sub(r"@(?=everyone|here|channel|all\b)", "@\u200b", safe, flags=re.IGNORECASE)
    safe = re.sub(r"^([#=]|[-+](?=[\s+-]|$))", r"\\\1", safe)
    safe = re.sub(r"(?<=\s)(#+)$", r"\\\1", safe)
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)", r"\1\\\2", safe)


def markdown_link(target: Link) -> str:
    """A Markdown link that shows its host."""
    url = re.sub(r"&(#?\w+);", r"&\1%3B", target.url)
    return f"[{markdown(target.host)}]({url})"


def markdown_figure(text: str, target: Link) -> str:
    """A Markdown link under a figure of our own."""
    url = re.sub(r"&(#?\w+);", r"&\1%3B", target.url)
    return f"[{markdown(text)}]({url})"


def json_text(document: str) -> str:
    """The same JSON with every control character and bidirectional override written as an escape."""
    return re.sub(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]", lambda found: f"\\u{ord(found[0]):04x}", document)


def _host(parts: SplitResult) -> str:
    """Host and port in ASCII (punycode), so that look-alike letters show as what they are."""
    host = parts.hostname or ""
    ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    if not re.fullmatch(r"[0-9a-z_](?:[0-9a-z._-]*[0-9a-z])?\.?|[0-9a-f:.]*:[0-9a-f:.]*", ascii_host):
        return ""
    shown = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    return shown if parts.port is None else f"{shown}:{parts.port}"


def _is_hidden(char: str) -> bool:
    """Control characters, surrogates, and what turns the direction of the text around it."""
    return unicodedata.category(char) in ("Cc", "Cs") or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"


def _unheaped(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MARKS_AT_MOST:
            kept.append(char)
    return "".join(kept)


def _joins(before: str, after: str) -> bool:
    """Whether a cut between these two would tear a character as people see it."""
    joiners = "\u200d\ufe0f\u20e3"
    skin = "\U0001f3fb" <= after <= "\U0001f3ff"
    return before == "\u200d" or after in joiners or skin or unicodedata.combining(after) != 0
