"""PURE  GitHub's discussions, as its GraphQL API tells them: what is asked, and its answers as items."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Author, Counts, Gap, Item, Kind, Refreshed, Skipped
from connectors.errors import Unavailable
from connectors.github_parse import DAMAGED, Row, author_of, count, text_of, time_of, whole
from connectors.github_wire import Found, fault_in
from connectors.leafing import Leaf
from connectors.tidy import storable

DISCUSSIONS_A_PAGE = 10
COMMENTS_A_PAGE = 50
REPLIES_SHOWN = 50
NAMES_A_REQUEST = 50

_WRITTEN = """author { __typename login } authorAssociation bodyText url createdAt updatedAt lastEditedAt
  reactions { totalCount }"""
_COMMENTS = f"""pageInfo {{ hasPreviousPage startCursor }} totalCount
  nodes {{ databaseId {_WRITTEN}
    replies(last: {REPLIES_SHOWN}) {{ totalCount pageInfo {{ hasPreviousPage }} nodes {{ databaseId {_WRITTEN} }} }} }}"""
_DISCUSSION = "number title closed isAnswered category { name }"

LATEST = f"""query($owner: String!, $name: String!, $after: String) {{
 repository(owner: $owner, name: $name) {{
  discussions(first: {DISCUSSIONS_A_PAGE}, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
   pageInfo {{ hasNextPage endCursor }}
   nodes {{ {_DISCUSSION} {_WRITTEN} comments(last: {COMMENTS_A_PAGE}) {{ {_COMMENTS} }} }} }} }} }}"""
"""The discussions of a repository, the last changed first, each with its last comments and replies."""

EARLIER = f"""query($owner: String!, $name: String!, $number: Int!, $before: String!) {{
 repository(owner: $owner, name: $name) {{
  discussion(number: $number) {{ {_DISCUSSION}
   comments(last: {COMMENTS_A_PAGE}, before: $before) {{ {_COMMENTS} }} }} }} }}"""
"""Earlier comments of one discussion."""

_ISSUE_ID = re.compile(r"([\w-]+)/([\w.-]+)#(\d{1,15})", re.ASCII)
_DISCUSSION_ID = re.compile(r"([\w-]+)/([\w.-]+)/discussion/(\d{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rest:
    """What one discussion has beyond what is read: earlier comments, before this place."""

    number: int
    before: str


@dataclass(frozen=True, slots=True)
class Thread:
    """Part of one discussion as items. ``cut``: replies that are not shown."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    rest: Rest | None
    cut: bool

    def gap(self, repository: str) -> Gap | None:
        if not self.cut:
            return None
        return Gap(f"{repository}: of replies to one comment in a discussion only the last {REPLIES_SHOWN} are read")


def leaf_of(found: Found, place: str, own: frozenset[str]) -> tuple[Leaf, Sequence[Thread]]:
    """A page of discussions, for leafing through them, and each as items."""
    listing = _listing(found)
    nodes = listing["nodes"]
    times = [at for node in nodes if (at := _changed(node)) is not None]
    threads = [thread_of(node, place, own) for node in nodes]
    info = listing.get("pageInfo")
    onward = info.get("endCursor") if isinstance(info, Mapping) and info.get("hasNextPage") is True else None
    leaf = Leaf(
        [item for thread in threads for item in thread.items],
        [entry for thread in threads for entry in thread.skipped],
        max(times, default=None),
        times[-1] if times else None,
        onward if isinstance(onward, str) and onward else None,
    )
    return leaf, threads


def earlier_of(found: Found, place: str, own: frozenset[str]) -> Thread:
    """Earlier comments of one discussion; ``Unavailable`` where the answer has none to show."""
    repository = found.data.get("repository")
    node = repository.get("discussion") if isinstance(repository, Mapping) else None
    if not isinstance(node, Mapping):
        raise fault_in(found)
    if count(node.get("number")) in (None, 0):
        raise Unavailable("GitHub: a discussion without its number; trying again later")
    return _thread(node, list(_comments(node, place, own)))


def thread_of(node: Any, place: str, own: frozenset[str]) -> Thread:
    """One discussion with the comments and replies that came with it; a damaged opening leaves the comments whole."""
    try:
        first: Item | Skipped = _discussion(node, place, own)
    except DAMAGED as error:
        first = Skipped(_name(node), f"{type(error).__name__}: not a discussion")
    if not isinstance(node, Mapping) or count(node.get("number")) in (None, 0):
        return Thread((), [Skipped(_name(node), "not a discussion")], None, cut=False)
    return _thread(node, [first, *_comments(node, place, own)])


def _thread(node: Row, entries: Sequence[Item | Skipped]) -> Thread:
    items = [entry for entry in entries if isinstance(entry, Item)]
    skipped = [entry for entry in entries if isinstance(entry, Skipped)]
    return Thread(items, skipped, _rest(node), cut=any(map(_has_more, _replies(node))))


def _listing(found: Found) -> Mapping[str, Any]:
    repository = found.data.get("repository")
    if not isinstance(repository, Mapping):
        raise fault_in(found)
    listing = repository.get("discussions")
    if not isinstance(listing, Mapping) or not isinstance(listing.get("nodes"), list):
        raise fault_in(found) if found.faults else Unavailable("GitHub: no discussions to show; trying again later")
    return listing


def _discussion(node: Row, place: str, own: frozenset[str]) -> Item:
    category = node.get("category")
    name = category.get("name") if isinstance(category, Mapping) else None
    told = {"state": _state(node), "category": storable(name) if isinstance(name, str) else ""}
    external_id = f"{place}/discussion/{whole(node['number'])}"
    comments = (node.get("comments") or {}).get("totalCount")
    return _item(
        node, external_id, place, own, "discussion", comments, title=text_of(node["title"]), parent=None, more=told
    )


def _state(node: Row) -> str:
    if node.get("isAnswered") is True:
        return "answered"
    return "closed" if node.get("closed") is True else "open"


def _comments(node: Row, place: str, own: frozenset[str]) -> Iterator[Item | Skipped]:
    title = node.get("title")
    thread, title = f"{place}/discussion/{whole(node['number'])}", text_of(title) if isinstance(title, str) else None
    for comment in _nodes(node.get("comments")):
        yield _comment(comment, thread, place, own, title)
        replies = comment.get("replies") if isinstance(comment, Mapping) else None
        yield from (_comment(reply, thread, place, own, title) for reply in _nodes(replies))


def _comment(node: Any, thread: str, place: str, own: frozenset[str], title: str | None) -> Item | Skipped:
    try:
        external_id = f"{thread}/comment/{whole(node['databaseId'])}"
        replies = (node.get("replies") or {}).get("totalCount")
        return _item(node, external_id, place, own, "discussion_comment", replies, title=None, parent=title, more={})
    except DAMAGED as error:
        return Skipped(f"a comment in {thread}", f"{type(error).__name__}: not a comment")


def _item(
    node: Row,
    external_id: str,
    place: str,
    own: frozenset[str],
    type_: str,
    comments: object,
    *,
    title: str | None,
    parent: str | None,
    more: Mapping[str, str],
) -> Item:
    author, edited = author_of(node.get("author")), node.get("lastEditedAt")
    association = node.get("authorAssociation")
    told = {"type": type_, **more, "association": association.lower() if isinstance(association, str) else ""}
    return Item(
        external_id=external_id,
        kind=Kind.POST if author is not None and author.id.lower() in own else Kind.MENTION,
        published_at=time_of(node["createdAt"]),
        updated_at=time_of(edited) if edited is not None else None,
        title=title,
        text=text_of(node.get("bodyText")),
        url=node["url"] if isinstance(node.get("url"), str) else None,
        author=author,
        counts=Counts(likes=count((node.get("reactions") or {}).get("totalCount")), comments=count(comments)),
        place=place,
        parent_title=parent,
        attributes={key: storable(value) for key, value in {**told, **_bot(node, author)}.items() if value},
    )


def _bot(node: Row, author: Author | None) -> dict[str, str]:
    kind = node["author"].get("__typename") if author is not None else None
    return {"author_type": kind.lower()} if isinstance(kind, str) and kind != "User" else {}


def _rest(node: Row) -> Rest | None:
    comments = node.get("comments")
    info = comments.get("pageInfo") if isinstance(comments, Mapping) else None
    before = info.get("startCursor") if isinstance(info, Mapping) and info.get("hasPreviousPage") is True else None
    return Rest(whole(node["number"]), before) if isinstance(before, str) and before else None


def _replies(node: Row) -> Iterator[Any]:
    return (comment.get("replies") for comment in _nodes(node.get("comments")) if isinstance(comment, Mapping))


def _has_more(replies: Any) -> bool:
    info = replies.get("pageInfo") if isinstance(replies, Mapping) else None
    return isinstance(info, Mapping) and info.get("hasPreviousPage") is True


def _nodes(connection: Any) -> Sequence[Any]:
    nodes = connection.get("nodes") if isinstance(connection, Mapping) else None
    return nodes if isinstance(nodes, list) else []


def _changed(node: Any) -> float | None:
    try:
        return time_of(node["updatedAt"]).timestamp()
    except DAMAGED:
        return None


def _name(node: Any) -> str:
    number = node.get("number") if isinstance(node, Mapping) else None
    return f"discussion {storable(str(number))[:40]}" if number else "a discussion without a number"


# --- reading again what is known


def refreshable(ids: Sequence[str]) -> Sequence[str]:
    """Those that can be asked for by number, each once: issues, pull requests and discussions, not comments."""
    return [name for name in dict.fromkeys(ids) if _ISSUE_ID.fullmatch(name) or _DISCUSSION_ID.fullmatch(name)]


def query_for(ids: Sequence[str]) -> str:
    """The GraphQL query for the counts of these."""
    fields = "reactions { totalCount } comments { totalCount }"
    parts = []
    for n, name in enumerate(ids):
        issue, discussion = _ISSUE_ID.fullmatch(name), _DISCUSSION_ID.fullmatch(name)
        owner, repository, number = (issue or discussion).groups()  # type: ignore[union-attr]
        inner = f"discussion(number: {number}) {{ {fields} }}"
        if issue:
            inner = f"issueOrPullRequest(number: {number}) {{ ... on Issue {{ {fields} }} ... on PullRequest {{ {fields} }} }}"
        place = f"owner: {json.dumps(owner)}, name: {json.dumps(repository)}"
        parts.append(f"n{n}: repository({place}) {{ found: {inner} }}")
    return f"query {{ {' '.join(parts)} }}"


def refreshed_of(found: Found, ids: Sequence[str]) -> Iterator[Refreshed]:
    """What the query found of these. Of what cannot be told (a repository that is hidden) nothing is said."""
    for n, name in enumerate(ids):
        place = found.data.get(f"n{n}")
        row = place.get("found") if isinstance(place, Mapping) else None
        if isinstance(row, Mapping):
            likes, comments = (_total(row.get(key)) for key in ("reactions", "comments"))
            yield Refreshed(name, Counts(likes=likes, comments=comments))
        elif isinstance(place, Mapping) and (f"n{n}", "found") in found.missing:
            yield Refreshed(name, None, gone=True)


def _total(connection: Any) -> int | None:
    return count(connection.get("totalCount")) if isinstance(connection, Mapping) else None
