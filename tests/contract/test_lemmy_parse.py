from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Author, Counts, Item, Kind
from connectors.lemmy_parse import batch_of, item_of


def view(**changes: Any) -> dict[str, Any]:
    post = {"id": 7, "name": "Acme", "ap_id": "https://a.example/post/7", "published": "2026-10-01T08:00:00.123456Z"}
    return {"post": post | changes, "creator": {"name": "sam", "actor_id": "https://b.example/u/sam"}}


def test_a_post_becomes_an_item() -> None:
    post = view(body="Long &amp; **bold**", url="https://acme.example", nsfw=True, updated="2026-10-02T08:00:00")
    post |= {
        "community": {"name": "tech", "actor_id": "https://c.example/c/tech"},
        "counts": {"score": -4, "comments": 12},
    }
    assert item_of(post) == Item(
        external_id="https://a.example/post/7",
        kind=Kind.MENTION,
        published_at=datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC),
        updated_at=datetime(2026, 10, 2, 8, tzinfo=UTC),
        title="Acme",
        text="Long & **bold**",
        url="https://a.example/post/7",
        author=Author("sam@b.example", "sam@b.example"),
        counts=Counts(likes=-4, comments=12),
        place="tech@c.example",
        attributes={"type": "post", "link": "https://acme.example", "nsfw": "true"},
    )


def test_a_comment_of_1_0_becomes_an_item() -> None:
    comment = {
        "id": 9,
        "content": "I like it",
        "ap_id": "https://a.example/comment/9",
        "published_at": "2026-10-01T10:00:00+02:00",
        "score": 3,
        "child_count": 1,
    }
    creator = {"name": "bot", "ap_id": "https://b.example/u/bot", "bot_account": True}
    item = item_of({"comment": comment, "post": {"name": "The thread"}, "creator": creator})
    assert (item.title, item.text, item.parent_title) == (None, "I like it", "The thread")
    assert item.published_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert item.counts == Counts(likes=3, comments=1)
    assert item.attributes == {"type": "comment", "bot": "true"}


def test_a_deleted_account_is_no_author() -> None:
    assert item_of(view() | {"creator": {"name": "sam", "deleted": True}}).author is None


@pytest.mark.parametrize("flag", ["deleted", "removed"])
def test_what_was_withdrawn_is_left_out_and_no_fault(flag: str) -> None:
    batch = batch_of(
        {"posts": [view(), view(**{flag: True, "ap_id": "https://a.example/post/8"})]}, "posts", frozenset()
    )
    assert [item.external_id for item in batch.items] == ["https://a.example/post/7"]
    assert (batch.size, list(batch.skipped)) == (2, [])


@pytest.mark.parametrize(
    "damage",
    [
        {"ap_id": None},
        {"ap_id": "javascript:alert(1)"},
        {"ap_id": "https://a.example/\ud800"},
        {"published": None},
        {"published": 7},
        {"published": "yesterday"},
        {"published": "0001-01-01T00:00:00+23:00"},
    ],
)
def test_a_damaged_post_is_skipped_alone(damage: dict[str, Any]) -> None:
    batch = batch_of({"posts": [view(**damage), view()]}, "posts", frozenset())
    assert len(batch.items) == 1
    assert [entry.what for entry in batch.skipped] == ["post 7"]
