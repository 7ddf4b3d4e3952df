"""PURE  Stack Exchange's questions, answers and search results as items."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped, from_epoch
from connectors.stackexchange_options import host_of_site
from connectors.text import plain_text
from connectors.tidy import storable

Row: TypeAlias = Mapping[str, Any]

MAX_TAGS = 300
"""Characters of tags that are kept."""
QUESTION, ANSWER = "q", "a"
"""How ids tell them apart, as the sites' short links do."""
DAMAGED = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What reading a damaged row raises."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are read with: the site, the brand's own accounts, and titles of questions by their number."""

    site: str
    own: frozenset[str] = frozenset()
    titles: Mapping[int, str | None] | None = None


Found: TypeAlias = tuple[str, int]
"""A post: its kind and its number."""


def found_of(row: Any) -> Found:
    """Which post a question, an answer or a search result is. Raises one of ``DAMAGED``."""
    is_answer = row["item_type"] == "answer" if "item_type" in row else row.get("answer_id") is not None
    return (ANSWER, number_of(row["answer_id"])) if is_answer else (QUESTION, number_of(row["question_id"]))


def items_of(
    rows: Iterable[Any], read: Callable[[Row, Reading], Item], reading: Reading
) -> tuple[Sequence[Item], Sequence[Skipped]]:
    """Every row as an item, or as skipped."""
    items: list[Item] = []
    skipped: list[Skipped] = []
    for row in rows:
        try:
            items.append(read(row, reading))
        except DAMAGED as error:
            skipped.append(Skipped(name_of(row), f"{type(error).__name__}: not a question or answer"))
    return items, skipped


def question_of(row: Row, reading: Reading) -> Item:
    """A question; raises one of ``DAMAGED``."""
    number = number_of(row["question_id"])
    told = {"type": "question", "tags": _tags(row), "state": _state(row), **_who(row)}
    counts = Counts(score_of(row), comments=count(row.get("answer_count")), views=count(row.get("view_count")))
    return _item(row, reading, (QUESTION, number), told, counts, title=plain_text(row["title"]))


def answer_of(row: Row, reading: Reading) -> Item:
    """An answer, with the title of its question where that is known; raises one of ``DAMAGED``."""
    number = number_of(row["answer_id"])
    told = {"type": "answer", "state": "accepted" if row.get("is_accepted") is True else "", **_who(row)}
    counts = Counts(score_of(row), comments=count(row.get("comment_count")))
    parent = (reading.titles or {}).get(row.get("question_id", 0))
    return _item(row, reading, (ANSWER, number), told, counts, parent=parent)


def _item(
    row: Row,
    reading: Reading,
    found: Found,
    told: Mapping[str, str],
    counts: Counts,
    *,
    title: str | None = None,
    parent: str | None = None,
) -> Item:
    owner, edited = row.get("owner"), row.get("last_edit_date")
    mine = isinstance(owner, Mapping) and str(owner.get("user_id")) in reading.own
    link, host = row.get("link"), host_of_site(reading.site)
    return Item(
        external_id=external_id(reading.site, found),
        kind=Kind.POST if mine else Kind.MENTION,
        published_at=moment_of(row["creation_date"]),
        updated_at=moment_of(edited) if edited is not None else None,
        title=title,
        text=plain_text(row.get("body")),
        url=link if isinstance(link, str) and link else f"https://{host}/{found[0]}/{found[1]}",
        author=author_of(owner, reading.site),
        counts=counts,
        place=host,
        parent_title=parent,
        attributes={key: storable(value) for key, value in told.items() if value},
    )


def external_id(site: str, found: Found) -> str:
    """``stackoverflow/q/11227809``: numbers are unique within a site only."""
    return f"{site}/{found[0]}/{found[1]}"


def author_of(owner: object, site: str) -> Author | None:
    """Who wrote it; ``None`` for an account that is gone. Raises one of ``DAMAGED``."""
    if owner is None:
        return None
    if not isinstance(owner, Mapping):
        raise TypeError("not an owner")
    number, name = owner.get("user_id"), owner.get("display_name")
    if owner.get("user_type") == "does_not_exist" or number is None:
        return None
    shown = html.unescape(name) if isinstance(name, str) else None
    return Author(f"{site}/{number_of(number)}", storable(shown) if shown else None)


def _who(row: Row) -> dict[str, str]:
    owner = row.get("owner")
    reputation = count(owner.get("reputation")) if isinstance(owner, Mapping) else None
    licence = row.get("content_license")
    return {
        "reputation": "" if reputation is None else str(reputation),
        "licence": licence if isinstance(licence, str) else "",
    }


def _state(row: Row) -> str:
    if row.get("closed_date") is not None:
        return "closed"
    return "answered" if row.get("is_answered") is True else "open"


def _tags(row: Row) -> str:
    tags = row.get("tags")
    names = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return ", ".join(names)[:MAX_TAGS]


def titles_of(rows: Iterable[Any]) -> dict[int, str | None]:
    """The titles of questions, as questions and search results bear them."""
    titles: dict[int, str | None] = {}
    for row in rows:
        if isinstance(row, Mapping) and isinstance(row.get("title"), str) and count(row.get("question_id")):
            titles[row["question_id"]] = plain_text(row["title"])
    return titles


def activity_of(row: Any) -> float | None:
    """When something last happened to it, in seconds since 1970; ``None`` where it does not say."""
    try:
        return moment_of(row["last_activity_date"]).timestamp()
    except DAMAGED:
        return None


def refreshed_of(rows: Sequence[Any], asked: Sequence[Found], site: str) -> Iterable[Refreshed]:
    """What became of those asked for: what the answer does not hold is gone. Nothing is told by a damaged answer."""
    try:
        present = {found_of(row): row for row in rows}
    except DAMAGED:
        return
    for found in asked:
        row = present.get(found)
        name = external_id(site, found)
        yield Refreshed(name, None, gone=True) if row is None else Refreshed(name, _counts(row, found))


def _counts(row: Row, found: Found) -> Counts:
    if found[0] == ANSWER:
        return Counts(score_of(row), comments=count(row.get("comment_count")))
    return Counts(score_of(row), comments=count(row.get("answer_count")), views=count(row.get("view_count")))


def score_of(row: Row) -> int | None:
    """Votes up less votes down; may be negative."""
    score = row.get("score")
    return score if isinstance(score, int) and not isinstance(score, bool) and abs(score) < 2**53 else None


def count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def number_of(value: object) -> int:
    """A number that names something; ``ValueError`` where it is none."""
    found = count(value)
    if not found or found < 0:
        raise ValueError("not a number")
    return found


def moment_of(value: object) -> datetime:
    """Seconds since 1970 as a time; ``ValueError`` or ``TypeError`` where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a time")
    return from_epoch(value)


def name_of(row: object) -> str:
    number = (row.get("answer_id") or row.get("question_id")) if isinstance(row, Mapping) else None
    return f"post {storable(str(number))[:40]}" if number else "a post without a number"
