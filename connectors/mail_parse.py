"""PURE  A mail as it came over the wire -> Item: headers, charsets, the part that people read, and its time."""

from __future__ import annotations

import codecs
import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final

from connectors.contract import MAX_ID, Author, Item, Kind
from connectors.mail_quotes import own_words
from connectors.text import MAX_MARKUP, plain_text
from connectors.tidy import digest, prefixed_id, storable

FROM_THE_FUTURE: Final = timedelta(hours=1)
"""A mail that claims to have been written so long after it arrived has a wrong clock."""
EARLIEST: Final = datetime(1995, 1, 1, tzinfo=UTC)
"""An older ``Date`` comes from a clock that was never set."""
_DEEPEST: Final = 20
_LONGEST_HEADER: Final = 2_000
_LONGEST_NAME: Final = 200
_NO_TEXTS: Final = frozenset({"idna", "punycode"})
"""Codecs for host names, which take quadratic time."""
_QUOTE_BEGINS: Final = re.compile(
    r"<blockquote\b[^<>]{0,200}type=.?cite|<(?:div|blockquote|span)\b[^<>]{0,200}(?:class|id)=.?"
    r"(?:gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|appendonsend|protonmail_quote|zmail_extra)",
    re.IGNORECASE,
)
_BLANKS: Final = re.compile(r"\s+")
_BODY: Final = re.compile(rb"\r?\n\r?\n")
_TELLING_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as the server gave it: ``arrived`` is its INTERNALDATE, ``size`` all of it, of which ``raw`` may be the beginning."""

    uid: int
    raw: bytes
    arrived: datetime | None
    size: int


def item_of(letter: Letter, kind: Kind, place: str | None) -> Item | None:
    """The mail as an item; ``None`` for what no person wrote to anybody: notices of absence and of mails not delivered.

    ``ValueError`` (never with a word of it) for a mail that cannot be read.
    """
    try:
        return _item_of(letter, kind, place)
    except (LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ValueError(_BROKEN) from error  # what the library raises for broken mails is nowhere told


_BROKEN: Final = "is no mail that can be read (broken MIME)"


def _item_of(letter: Letter, kind: Kind, place: str | None) -> Item | None:
    message = email.message_from_bytes(letter.raw)
    if not message.keys():
        raise ValueError("has no headers")
    if _is_no_news(message):
        return None
    published_at = _published_at(_header(message, "Date"), letter.arrived)
    subject, text = _text(_header(message, "Subject")), _body(message)
    if subject is None and text is None:
        raise ValueError("has neither a subject nor a text")
    name, address = _sender(message)
    return Item(
        external_id=_identity(message, letter.raw),
        kind=kind,
        published_at=published_at,
        title=subject,
        text=text,
        author=Author((address or name)[:MAX_ID], name or address) if address or name else None,
        place=place,
        attributes={"cut": "true"} if letter.size > len(letter.raw) else {},
    )


def _is_no_news(message: Message) -> bool:
    automatic = (_header(message, "Auto-Submitted") or "").strip().lower()
    return automatic.startswith("auto-replied") or message.get_content_type() == "multipart/report"


def _published_at(claimed: str | None, arrived: datetime | None) -> datetime:
    """When it was written, as it says; when it arrived, where that cannot be true."""
    said = _moment(claimed)
    sound = said is not None and said >= EARLIEST and (arrived is None or said <= arrived + FROM_THE_FUTURE)
    found = said if sound else arrived
    if found is None:
        raise ValueError("has no time: neither its Date nor the server tells one")
    return found


def _moment(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(_BLANKS.sub(" ", text or "").strip()[:100])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


arrived_at = _moment
"""An INTERNALDATE as a time; ``None`` if it is none."""


def _identity(message: Message, raw: bytes) -> str:
    """The Message-ID; for a mail without one, what it says, by whom and when, as it came."""
    given = _BLANKS.sub("", storable(_header(message, "Message-ID") or "")).strip("<>")
    if given:
        return prefixed_id("", given)
    words = _BODY.split(raw, maxsplit=1)[-1][:_TELLING_BYTES].decode("latin-1")
    return digest("\x1f".join([*(_header(message, name) or "" for name in ("From", "Date", "Subject")), words]))[:32]


def _sender(message: Message) -> tuple[str, str]:
    """Name and address, empty where they are not told."""
    raw = _header(message, "From") or ""
    try:
        name, address = parseaddr(raw)
    except RecursionError:
        name, address = raw, ""
    if "@" not in address:
        name, address = raw, ""
    return (_text(name) or "")[:_LONGEST_NAME], storable(address).strip().lower()[:MAX_ID]


# ------------------------------------------------------------------------------------------------------- headers


def _header(message: Message, name: str) -> str | None:
    """The first header of that name as it stands in the mail: folded lines joined, encoded words not yet read."""
    found = next((value for key, value in message.raw_items() if key.lower() == name.lower()), None)
    if found is None:
        return None
    octets = str(found)[:_LONGEST_HEADER].encode("ascii", "surrogateescape")
    return _BLANKS.sub(" ", _decoded(octets, None)).strip() or None


def _text(header: str | None) -> str | None:
    """The header with its encoded words read; ``None`` if nothing is in it."""
    try:
        parts = decode_header(header or "")
    except (HeaderParseError, ValueError):
        parts = [(header or "", None)]
    words = "".join(part if isinstance(part, str) else _decoded(part, charset) for part, charset in parts)
    return storable(_BLANKS.sub(" ", words)).strip() or None


def _decoded(octets: bytes, charset: str | None) -> str:
    """The text, in the charset that is told if that can be, else in UTF-8, else in Windows-1252."""
    try:
        if charset and codecs.lookup(charset).name not in _NO_TEXTS:
            return octets.decode(charset)
    except (LookupError, ValueError):
        pass
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


# ---------------------------------------------------------------------------------------------------------- body


def _body(message: Message) -> str | None:
    """What people read: the first plain text that is none of an attachment's, else the first HTML."""
    if message.get_content_maintype() == "multipart" and not message.is_multipart():
        if str(message.get_payload()).strip():
            raise ValueError("its parts cannot be told apart (broken MIME)")
        return None
    found: dict[str, str] = {}
    for part in _leaves(message, 0):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in found and (text := _part(part)).strip():
            found[kind] = text
    if "text/plain" in found:
        return storable(own_words(found["text/plain"])).strip() or None
    markup = found.get("text/html")
    return None if markup is None else _of_markup(markup)


def _leaves(message: Message, depth: int) -> Iterator[Message]:
    """The parts that are shown with the mail; a mail that is attached is not opened."""
    if depth > _DEEPEST:
        raise ValueError("is nested too deeply")
    if message.get_content_disposition() == "attachment" or (depth and message.get_filename()):
        return
    if message.get_content_maintype() == "message":
        return
    if not message.is_multipart():
        yield message
        return
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _leaves(part, depth + 1)


def _part(part: Message) -> str:
    octets = part.get_payload(decode=True)
    return _decoded(octets, part.get_content_charset()) if isinstance(octets, bytes) else ""


def _of_markup(markup: str) -> str | None:
    """HTML as plain text, up to where a quoted mail begins, unless nothing stands before it."""
    markup = markup[:MAX_MARKUP]
    quoted = _QUOTE_BEGINS.search(markup)
    text = (plain_text(markup[: quoted.start()]) if quoted else None) or plain_text(markup)
    return None if text is None else storable(own_words(text)).strip() or None
