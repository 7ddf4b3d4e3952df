"""PURE  GitHub's issues, pull requests and comments, as its REST API tells them, as items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from connectors.contract import Author, Counts, Item, Kind, Skipped
from connectors.errors import Unavailable
from connectors.tidy import storable

Row: TypeAlias = Mapping[str, Any]

MAX_LABELS = 300
"""Characters of labels that are kept."""
_PLACE = re.compile(r"https?://[^/\s]+/(?:api/v3/)?(?:repos/)?([^/\s]+)/([^/\s]+)/(issues|pull)/(\d+)", re.ASCII)
_COMMENTED_OUT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
DAMAGED = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What reading a damaged row raises."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are read with: the brand's own accounts (lower-case), whether pull requests come, known titles of threads."""

    own: frozenset[str] = frozenset()
    pull_requests: bool = False
    titles: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A page as items. ``newest``: its last change in seconds since 1970, of whatever is readable; ``size``: its rows."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    newest: float | None
    size: int


def rows_of(answer: Any) -> Sequence[Any]:
    """The rows of a listing, or of a search; ``Unavailable`` if the answer has none to show."""
    rows = answer.get("items") if isinstance(answer, Mapping) else answer
    if not isinstance(rows, list):
        raise Unavailable("GitHub: the answer is no listing; trying again later")
    return rows


def batch_of(rows: Sequence[Any], read: Callable[[Row, Reading], Item | None], reading: Reading) -> Batch:
    """Every row as an item, as left out on purpose, or as skipped."""
    items: list[Item] = []
    skipped: list[Skipped] = []
    for row in rows:
        try:
            item = read(row, reading)
        except DAMAGED as error:
            skipped.append(Skipped(_name(row), f"{type(error).__name__}: not an issue or comment"))
            continue
        if item is not None:
            items.append(item)
    return Batch(items, skipped, max(_changes(rows), default=None), len(rows))


def issue_of(row: Row, reading: Reading) -> Item | None:
    """An issue or a pull request; ``None`` for a pull request that is not wanted. Raises one of ``DAMAGED``."""
    is_pull_request = any((row.get("pull_request") or {}).values())
    if is_pull_request and not reading.pull_requests:
        return None
    place = place_of(row)
    item = _item(row, f"{place}#{whole(row['number'])}", reading.own)
    return replace(
        item,
        title=text_of(row["title"]),
        counts=replace(item.counts, comments=count(row.get("comments"))),
        place=place,
        attributes={"type": "pull_request" if is_pull_request else "issue", **_state(row), **item.attributes},
    )


def comment_of(row: Row, reading: Reading) -> Item | None:
    """A comment on an issue or a pull request; ``None`` for one that is not wanted. Raises one of ``DAMAGED``."""
    found = _place(row.get("html_url")) or _place(row.get("issue_url"))
    if found is None:
        raise ValueError("a comment on nothing")
    if found[3] == "pull" and not reading.pull_requests:
        return None
    place = f"{found[1]}/{found[2]}".lower()
    thread = f"{place}#{found[4]}"
    return replace(
        _item(row, f"{thread}/comment/{whole(row['id'])}", reading.own),
        place=place,
        parent_title=(reading.titles or {}).get(thread),
        attributes={"type": "comment", **_who(row)},
    )


def place_of(row: Row) -> str:
    """``owner/name``, in lower case, as GitHub takes it; ``ValueError`` without one."""
    found = _place(row.get("html_url")) or _place(row.get("url"))
    if found is None:
        raise ValueError("an issue of no repository")
    return f"{found[1]}/{found[2]}".lower()


def _place(url: object) -> re.Match[str] | None:
    return _PLACE.match(url) if isinstance(url, str) else None


def _item(row: Row, external_id: str, own: frozenset[str]) -> Item:
    author = author_of(row.get("user"))
    published_at = time_of(row["created_at"])
    updated_at = time_of(row["updated_at"]) if row.get("updated_at") is not None else published_at
    return Item(
        external_id=external_id,
        kind=Kind.POST if author is not None and author.id.lower() in own else Kind.MENTION,
        published_at=published_at,
        updated_at=updated_at if updated_at > published_at else None,
        text=text_of(row["body_text"]) if row.get("body_text") is not None else markdown_of(row.get("body")),
        url=row["html_url"] if isinstance(row.get("html_url"), str) else None,
        author=author,
        counts=Counts(likes=count((row.get("reactions") or {}).get("total_count"))),
        attributes=_who(row),
    )


def author_of(user: object) -> Author | None:
    """Who wrote it; ``None`` for an account that is gone (GitHub's "ghost"). Raises one of ``DAMAGED``."""
    if user is None:
        return None
    login = user["login"] if isinstance(user, Mapping) else None
    if not isinstance(login, str) or not login:
        raise ValueError("an author without a name")
    return None if login == "ghost" else Author(id=storable(login), name=storable(login))


def _state(row: Row) -> dict[str, str]:
    labels = [entry.get("name") for entry in row.get("labels") or () if isinstance(entry, Mapping)]
    told = {
        "state": row.get("state"),
        "state_reason": row.get("state_reason"),
        "labels": ", ".join(label for label in labels if isinstance(label, str))[:MAX_LABELS],
    }
    return _texts(told)


def _who(row: Row) -> dict[str, str]:
    association, user = row.get("author_association"), row.get("user")
    kind = user.get("type") if isinstance(user, Mapping) else None
    told = {"association": association.lower() if isinstance(association, str) else None}
    return _texts(told | {"author_type": kind.lower() if isinstance(kind, str) and kind != "User" else None})


def _texts(told: Mapping[str, object]) -> dict[str, str]:
    return {key: storable(value) for key, value in told.items() if isinstance(value, str) and value}


def text_of(value: object) -> str | None:
    """Text as it is; ``TypeError`` where it is none."""
    if value is not None and not isinstance(value, str):
        raise TypeError("not a text")
    return storable(value).strip() or None if value else None


def markdown_of(value: object) -> str | None:
    """Markdown as it was written, but for the comments of a template, which nobody sees."""
    text = text_of(value)
    return _COMMENTED_OUT.sub("", text).strip() or None if text else None


def time_of(value: object) -> datetime:
    """A time as GitHub writes it (ISO 8601 with a zone); ``ValueError`` or ``TypeError`` where it is none."""
    if not isinstance(value, str):
        raise TypeError("not a time")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def whole(value: object) -> int:
    """A number that names something; ``ValueError`` where it is none."""
    found = count(value)
    if found is None or found == 0:
        raise ValueError("not a number")
    return found


def _changes(rows: Iterable[Any]) -> Iterable[float]:
    for row in rows:
        try:
            yield time_of(row["updated_at"]).timestamp()
        except DAMAGED:
            continue


def _name(row: object) -> str:
    number = (row.get("number") or row.get("id")) if isinstance(row, Mapping) else None
    return f"entry {storable(str(number))[:40]}" if number else "an entry without a number"
