"""PURE  The bytes of an RSS, Atom or JSON feed -> Document. The only importer of feedparser, together with ``feeds*.py``."""

from __future__ import annotations

import codecs
import html
import io
import json
import re
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

import feedparser

from connectors.contract import Counts, from_epoch
from connectors.feeds_items import Document, Entry, joined
from connectors.text import plain_text
from connectors.tidy import storable

MAX_FEED_BYTES = 8 * 1024 * 1024
MAX_NAMESPACES = 200
"""More names than any feed has; feedparser's time grows with their square."""

_HTML_TAG = re.compile(
    r"</?(?:p|br|div|a|b|i|em|strong|span|ul|ol|li|img|h[1-6]|blockquote|pre|code|table)\b[^<>]*>", re.IGNORECASE
)
_START = r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+"
_SUBSET = re.compile(rf"(?s){_START}<!DOCTYPE[^\[>]*+\[", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY(?!\s+%\s+[\w.-]+\s+(?:PUBLIC|SYSTEM)\b)", re.IGNORECASE)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*['\"]([\w.:-]{1,40})")
_CHARSET = re.compile(r"charset\s*=\s*['\"]?([\w.:-]{1,40})", re.IGNORECASE)
_ONE_BYTE = re.compile(r"iso-?8859|latin|windows-?125|cp125|(us-?)?ascii|koi8|mac", re.IGNORECASE)
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0<\0", "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{4,200})|([0-9]{5,200}));?")
_MAIL = re.compile(r"[<(]?[^\s<>()@]+@[^\s<>()@]+[>)]?")
_FEED_TYPES = re.compile(r"application/(?:(?:rss|atom|rdf)\+xml|feed\+json)", re.IGNORECASE)


class NotAFeed(ValueError):
    """The document is something else, or not one to be opened; the message says what. ``page``: it is a web page."""

    def __init__(self, why: str, *, page: str | None = None) -> None:
        super().__init__(why)
        self.page = page


def read(body: bytes, content_type: str, address: str) -> Document:
    """The feed in ``body``, which came from ``address``; :class:`NotAFeed` if it is none."""
    if len(body) > MAX_FEED_BYTES:
        raise NotAFeed(f"it is larger than {MAX_FEED_BYTES:,} bytes")
    text = decoded(body, content_type)
    start = text.lstrip()[:200].lower()
    if start.startswith("{"):
        return _read_json(text, address)
    if start.startswith(("<!doctype html", "<html")):
        raise NotAFeed("it is a web page", page=text)
    _refuse_bombs(text)
    return _read_xml(text, address)


def decoded(body: bytes, content_type: str) -> str:
    """The text of a document: by its byte mark, as UTF-8 if it is that, by what it declares, by its header, else a guess."""
    for name in _charsets(body, content_type):
        try:
            if codecs.lookup(name).name not in _NOT_CHARSETS:
                return storable(body.decode(name))
        except (UnicodeError, LookupError):
            continue
    return storable(body.decode("latin-1"))


def discover(page: str, base: str) -> list[str]:
    """The feeds that a web page names (``<link rel="alternate">``), as full addresses in its order."""
    reader = _Links()
    reader.feed(page[:400_000])
    found = (joined(joined(base, reader.base) or base, href) for href in reader.feeds)
    return list(dict.fromkeys(link for link in found if link))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.feeds: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "base":
            self.base = self.base or said.get("href", "")
        elif tag == "link" and "alternate" in said.get("rel", "").lower().split() and _names_feed(said):
            self.feeds.append(said["href"].strip())


def _names_feed(said: Mapping[str, str]) -> bool:
    return bool(_FEED_TYPES.match(said.get("type", "").strip()) and said.get("href"))


def _charsets(body: bytes, content_type: str) -> Iterator[str]:
    yield from (name for mark, name in _MARKS if body.startswith(mark))
    found = _DECLARED.match(body[:400])
    declared = found[1].decode("ascii", "replace") if found else ""
    header = _CHARSET.search(content_type)
    if not declared or _ONE_BYTE.match(declared):
        yield "utf-8"  # many programs declare what they do not write, and nothing else is valid UTF-8 by accident
    yield from (_wider(name) for name in (declared, header[1] if header else "") if name)
    yield from ("utf-8", "cp1252")


def _wider(name: str) -> str:
    """What is meant by a charset's name: the larger set that its users write."""
    return {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "us-ascii": "cp1252"}.get(name.lower(), name)


def _refuse_bombs(text: str) -> None:
    """Entities of a document's own can grow it without bounds, and a heap of namespaces costs hours."""
    subset = _SUBSET.match(text)
    if subset and _ENTITY.search(text, subset.end()):
        raise NotAFeed("it defines entities of its own, which feeds do not need and attacks do")
    if len(set(re.findall(r"\sxmlns:[^\s=]{1,80}", text))) > MAX_NAMESPACES:
        raise NotAFeed(f"it has more than {MAX_NAMESPACES} namespaces")


def _read_xml(text: str, address: str) -> Document:
    parsed = _parsed(text)
    feed: Mapping[str, Any] = parsed["feed"]
    version = parsed.get("version") or ""
    if not version and not parsed["entries"]:
        page = text if _HTML_TAG.search(text) or "<body" in text.lower() else None
        raise NotAFeed("it is not RSS, Atom or JSON Feed", page=page)
    inherited = _author(feed) if version.startswith("atom") else (None, None)
    entries = [_entry(raw, inherited) for raw in parsed["entries"]]
    cut = bool(entries) and _last_is_cut(text)
    return Document(
        address=address,
        title=_plain(feed, "title"),
        language=_said(feed, "language"),
        site=_said(feed, "link"),
        entries=entries[:-1] if cut else entries,
        whole=bool(re.search(r"</(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>", text[-2000:], re.IGNORECASE)),
        cut=cut,
    )


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        return feedparser.parse(  # type: ignore[no-any-return]
            io.BytesIO(
                _REFERENCE.sub(_sound_reference, text).encode()
            ),  # never the bytes themselves: feedparser takes those for a file's name first
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,  # the markup goes away here, and its sanitizer's time grows with the square of the text
            resolve_relative_uris=False,
        )
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise NotAFeed(f"it is so damaged that it cannot be parsed ({type(error).__name__})") from error


def _sound_reference(found: re.Match[str]) -> str:
    """A character reference as it stands; the replacement character where it names no character."""
    code = int(found[1], 16) if found[1] else int(found[2])
    return found[0] if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else "\ufffd"


def _last_is_cut(text: str) -> bool:
    """Does the document end inside an entry? Half an entry would get an identity of its own."""
    opened = max(text.rfind("<item>"), text.rfind("<item "), text.rfind("<entry>"), text.rfind("<entry "))
    rest = text[opened:].lower() if opened >= 0 else ""
    return bool(rest) and not re.search(r"</(?:item|entry|channel|rss|feed|rdf:rdf)\s*>|<(?:item|entry)\b[^>]*/>", rest)


def _entry(raw: Mapping[str, Any], inherited: tuple[str | None, str | None]) -> Entry:
    author, author_link = _author(raw) if "author" in raw or "author_detail" in raw else inherited
    links = raw.get("links") or [{}]
    text, language = _content(raw)
    return Entry(
        id=_said(raw, "id"),
        link=_link(raw, links),
        title=_plain(raw, "title"),
        text=text,
        stamp=_said(raw, "published") or _said(raw, "created") or "",
        published=_date(raw, "published_parsed") or _date(raw, "created_parsed"),
        updated=_date(raw, "updated_parsed"),
        author=author,
        author_link=author_link,
        language=language,
        source=_plain(raw.get("source") or {}, "title"),
        counts=_counts(raw, links),
        attributes=_attributes(raw),
    )


def _link(raw: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> str | None:
    """Where it can be read. An id that stands in for the link is one only where it is a full address."""
    link = _said(raw, "link") or _said(links[0], "href")
    if link and raw.get("guidislink") and link == _said(raw, "id") and not link.startswith(("http://", "https://")):
        return None
    return link


def _content(raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The text and its language: the longest readable content, else the summary."""
    kinds = ("", "text/plain", "text/html", "application/xhtml+xml")
    contents = [part for part in raw.get("content") or () if (part.get("type") or "") in kinds and part.get("value")]
    chosen = max(contents, key=lambda part: len(part["value"]), default=None)
    text = _unmarked(chosen["value"], chosen.get("type")) if chosen else None
    detail = raw.get("summary_detail") or {}
    language = (chosen or detail).get("language") or (raw.get("title_detail") or {}).get("language")
    return text or _plain(raw, "summary"), language


def _counts(raw: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> Counts:
    replies = next((link.get("thr:count") for link in links if link.get("rel") == "replies"), None)
    comments = (_number(value) for value in (_said(raw, "slash_comments"), _said(raw, "thr_total"), replies))
    statistics = raw.get("media_statistics")
    views = statistics.get("views") if isinstance(statistics, Mapping) else None
    return Counts(comments=next((count for count in comments if count is not None), None), views=_number(views))


def _attributes(raw: Mapping[str, Any]) -> dict[str, str]:
    terms = (tag.get("label") or tag.get("term") or "" for tag in raw.get("tags") or ())
    categories = ", ".join(dict.fromkeys(filter(None, (plain_text(term) for term in terms))))
    return {"categories": categories, "source": _plain(raw.get("source") or {}, "title") or ""}


def _author(raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Name and page of the author."""
    link = (raw.get("author_detail") or {}).get("href") or ""
    return _name(_said(raw, "author") or ""), link if link.startswith(("http://", "https://")) else None


def _name(author: str) -> str | None:
    """The name beside a mail address, as in ``jane@a.example (Jane Doe)``; of an address alone the part before the @."""
    author = author[:300]
    bare = _MAIL.sub("", author).strip()
    inner = re.fullmatch(r"\((.*)\)", bare)
    return plain_text(inner[1] if inner else bare) or author.partition("@")[0].strip("<( ") or None


def _date(raw: Mapping[str, Any], key: str) -> datetime | None:
    moment = dict.get(raw, key)  # type: ignore[call-overload]  # its own get() offers other dates, with a warning
    try:
        return from_epoch(timegm(moment)) if moment else None
    except (ValueError, OverflowError, TypeError):
        return None


def _plain(raw: Mapping[str, Any], key: str) -> str | None:
    return _unmarked(_said(raw, key), (raw.get(f"{key}_detail") or {}).get("type"))


def _unmarked(value: str | None, kind: str | None) -> str | None:
    if value and kind == "text/plain" and not _HTML_TAG.search(value):
        value = html.escape(value, quote=False)
    return plain_text(storable(value)) if value else None


def _said(raw: Mapping[str, Any], key: str) -> str | None:
    value = dict.get(raw, key) if isinstance(raw, dict) else None
    return storable(value).strip() or None if isinstance(value, str) else None


def _number(value: object) -> int | None:
    text = str(value).strip() if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _read_json(text: str, address: str) -> Document:
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeed("it is JSON that ends too early or is damaged") from error
    raws = feed.get("items") if isinstance(feed, Mapping) else None
    if not isinstance(raws, list):
        raise NotAFeed("it is JSON without a list of items")
    inherited = _json_author(feed)
    return Document(
        address=address,
        title=plain_text(_said(feed, "title")),
        language=_said(feed, "language"),
        site=_said(feed, "home_page_url"),
        entries=[_json_entry(raw, inherited) if isinstance(raw, dict) else Entry() for raw in raws],
    )


def _json_entry(raw: Mapping[str, Any], inherited: tuple[str | None, str | None]) -> Entry:
    author, author_link = _json_author(raw)
    number = raw.get("id")
    return Entry(
        id=_said(raw, "id") or (str(number) if isinstance(number, int | float) else None),
        link=_said(raw, "url") or _said(raw, "link") or _said(raw, "external_url"),
        title=_said(raw, "title"),
        text=_json_text(raw),
        stamp=_said(raw, "date_published") or "",
        published=_json_date(raw, "date_published"),
        updated=_json_date(raw, "date_modified"),
        author=author or inherited[0],
        author_link=author_link or (None if author else inherited[1]),
        language=_said(raw, "language"),
        attributes={"categories": ", ".join(tag for tag in raw.get("tags") or () if isinstance(tag, str))},
    )


def _json_text(raw: Mapping[str, Any]) -> str | None:
    markup = _said(raw, "content_html") or _said(raw, "content") or _said(raw, "summary") or _said(raw, "description")
    return _said(raw, "content_text") or plain_text(markup)


def _json_author(raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    several = raw.get("authors")
    first = several[0] if isinstance(several, list) and several else raw.get("author")
    if not isinstance(first, dict):
        return None, None
    link = _said(first, "url") or ""
    return _said(first, "name"), link if link.startswith(("http://", "https://")) else None


def _json_date(raw: Mapping[str, Any], key: str) -> datetime | None:
    value = _said(raw, key)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = parse(value or "")
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            continue
    return None
