"""PURE  A Facebook page's posts, comments and recommendations as the Graph API tells them -> items."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.contract import Author, Counts, Item, Kind, Rating
from connectors.entries import identity, moment, prose, told, whole, word
from connectors.tidy import digest

SITE = "https://www.facebook.com"
VERDICTS = {"positive": 1, "negative": 0}


def own_post_of(post: Mapping[str, Any], page: str) -> Sequence[Item]:
    return [_post(post, page, Kind.POST)]


def visitors_post_of(post: Mapping[str, Any], page: str) -> Sequence[Item]:
    """A post on the page, or one that tags it; what the page itself wrote is an own post."""
    return [_post(post, page, Kind.POST if _is_by(post, page) else Kind.MENTION)]


def comment_of(comment: Mapping[str, Any], post: str, page: str) -> Sequence[Item]:
    own = _is_by(comment, page) or _is_by(comment, post.partition("_")[0])
    link = _link(comment.get("permalink_url"))
    parent = comment.get("parent")
    item = Item(
        external_id=_comment_id(comment, link),
        kind=Kind.POST if own else Kind.MENTION,
        published_at=moment(comment["created_time"]),
        text=prose(comment.get("message")),
        url=link,
        author=_author(comment.get("from")),
        counts=Counts(likes=whole(comment.get("like_count")), comments=whole(comment.get("comment_count"))),
        place=f"Facebook page {page}",
        attributes=told({"type": "comment", "post": post, "reply_to": word(_id_in(parent))}),
    )
    return [item]


def recommendation_of(said: Mapping[str, Any], page: str) -> Sequence[Item]:
    """A recommendation, positive or not; of old ones the stars."""
    at = moment(said["created_time"])
    reviewer = said.get("reviewer")
    story = _id_in(said.get("open_graph_story"))
    who = _id_in(reviewer) or ""
    text = prose(said.get("review_text"))
    name = str(story) if story else digest(f"{who} {at.isoformat()} {'' if who else text or ''}")[:32]
    item = Item(
        external_id=f"rating/{identity(name)}",
        kind=Kind.REVIEW,
        published_at=at,
        text=text,
        url=f"{SITE}/{page}/reviews",
        author=_author(reviewer),
        rating=_rating(said),
        place=f"Facebook page {page}",
        attributes={"type": "recommendation"},
    )
    return [item]


def _post(post: Mapping[str, Any], page: str, kind: Kind) -> Item:
    # updated_time changes with every comment, so it is no edit of the text's.
    return Item(
        external_id=identity(post["id"]),
        kind=kind,
        published_at=moment(post["created_time"]),
        text=prose(post.get("message")) or prose(post.get("story")),
        url=_link(post.get("permalink_url")),
        author=_author(post.get("from")),
        counts=Counts(
            likes=_total(post.get("reactions")),
            shares=_shares(post.get("shares")),
            comments=_total(post.get("comments")),
        ),
        place=f"Facebook page {page}",
        attributes={"type": "post"},
    )


def _rating(said: Mapping[str, Any]) -> Rating | None:
    verdict, stars = said.get("recommendation_type"), whole(said.get("rating"))
    if isinstance(verdict, str) and verdict.lower() in VERDICTS:
        return Rating(VERDICTS[verdict.lower()], worst=0, best=1)
    if verdict is not None and not (isinstance(verdict, str) and verdict.lower() == "none"):
        raise ValueError("neither positive nor negative")
    return Rating(stars) if stars else None


def _comment_id(comment: Mapping[str, Any], link: str | None) -> str:
    """Its id; where that is not told it is made as Facebook does, of the numbers in its link."""
    if comment.get("id") is not None:
        return identity(comment["id"])
    parts = urlsplit(link or "")
    asked = parse_qs(parts.query)
    number = (asked.get("reply_comment_id") or asked.get("comment_id") or [""])[0]
    post = re.search(r"/(?:posts|videos|photos)/(?:[^?]*/)?(\d+)/?$", parts.path)
    if not post or not number.isascii() or not number.isdigit():
        raise ValueError("no id")
    return identity(f"{post[1]}_{number}")


def _is_by(entry: Mapping[str, Any], page: str) -> bool:
    return bool(page) and _id_in(entry.get("from")) == page


def _id_in(held: object) -> str | None:
    found = held.get("id") if isinstance(held, Mapping) else None
    return found if isinstance(found, str) else None


def _author(said: object) -> Author | None:
    """Who wrote it, where the token may see it."""
    name = word(_id_in(said))
    return Author(name, word(said.get("name"))) if isinstance(said, Mapping) and name else None


def _total(edge: object) -> int | None:
    summary = edge.get("summary") if isinstance(edge, Mapping) else None
    return whole(summary.get("total_count")) if isinstance(summary, Mapping) else None


def _shares(said: object) -> int | None:
    return whole(said.get("count")) if isinstance(said, Mapping) else None


def _link(said: object) -> str | None:
    link = word(said, 2000)
    return link if link and link.startswith("https://") else None
