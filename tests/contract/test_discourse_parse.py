from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Author, Counts, Item, Kind
from connectors.discourse_parse import Forum, batch_of, hits_of, item_of, text_of
from connectors.errors import Unavailable

FORUM = Forum("https://forum.example", frozenset({"acme_help"}))


def post(**changes: Any) -> dict[str, Any]:
    sound = {
        "id": 42,
        "post_number": 2,
        "topic_id": 7,
        "topic_slug": "acme-is-down",
        "created_at": "2026-10-01T08:00:00.000Z",
        "cooked": "<p>It works</p>",
        "username": "sam",
        "user_id": 3,
    }
    return sound | changes


def test_a_forum_too_busy_to_search_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(Unavailable):
        hits_of({"posts": [], "grouped_search_result": {"error": "We are busy."}}, FORUM)


def test_a_reply_becomes_an_item() -> None:
    told = post(
        topic_title="Acme is down",
        version=2,
        updated_at="2026-10-01T10:05:00+02:00",
        reply_count=1,
        actions_summary=[{"id": 3, "count": 9}, {"id": 2, "count": 5}],
        category_id=4,
        moderator=True,
    )
    assert item_of(told, FORUM) == Item(
        external_id="forum.example/42",
        kind=Kind.MENTION,
        published_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
        updated_at=datetime(2026, 10, 1, 8, 5, tzinfo=UTC),
        text="It works",
        url="https://forum.example/t/acme-is-down/7/2",
        author=Author("forum.example/u/3", "sam"),
        counts=Counts(likes=5, comments=1),
        place="forum.example",
        parent_title="Acme is down",
        attributes={"type": "reply", "category": "4", "staff": "true"},
    )


def test_the_first_post_bears_the_title() -> None:
    item = item_of(post(post_number=1, topic_title="Acme &amp; co"), FORUM)
    assert (item.title, item.parent_title, item.attributes["type"]) == ("Acme & co", None, "topic")


def test_a_post_merely_touched_is_not_edited() -> None:
    assert item_of(post(version=1, updated_at="2026-11-01T08:00:00Z"), FORUM).updated_at is None


def test_a_count_left_out_of_the_actions_is_none_of_them_and_no_actions_are_unknown() -> None:
    assert item_of(post(actions_summary=[]), FORUM).counts.likes == 0
    assert item_of(post(), FORUM).counts.likes is None


def test_the_brand_s_own_accounts_are_told_apart() -> None:
    assert item_of(post(username="Acme_Help"), FORUM).kind is Kind.POST


@pytest.mark.parametrize(
    "withdrawn", [{"deleted_at": "2026-10-02T08:00:00Z"}, {"user_deleted": True}, {"hidden": True}]
)
def test_what_was_withdrawn_is_left_out_and_no_fault(withdrawn: dict[str, Any]) -> None:
    batch = batch_of({"latest_posts": [post(**withdrawn), post(id=43)]}, FORUM)
    assert list(batch.items) == [43]
    assert not batch.skipped


@pytest.mark.parametrize(
    ("cooked", "text"),
    [
        ('<aside class="quote"><blockquote><p>I hate it</p></blockquote></aside><p>I do not</p>', "I do not"),
        ("<p>a</p><aside>1<aside>2</aside>3</aside><p>b</p>", "a\n\nb"),
        ("<p>a</p><aside class='onebox'>never closed", "a\nnever closed"),
        ("</aside><p>a</p>", "a"),
        ('<p>so <img src="//x" title=":heart:" class="emoji" alt=":heart:"> it</p>', "so :heart: it"),
        ('<p><img src="//x" class="emoji only-emoji" alt="&lt;b&gt;"></p>', "<b>"),
        ("<p>5 &lt; 6</p>\n<pre><code>x</code></pre>", "5 < 6\n\nx"),
        ("", None),
        (None, None),
    ],
)
def test_only_the_author_s_own_words_are_the_text(cooked: str | None, text: str | None) -> None:
    assert text_of(cooked) == text


@pytest.mark.parametrize(
    "damage",
    [
        {"id": None},
        {"id": -1},
        {"id": True},
        {"post_number": "x"},
        {"topic_id": None},
        {"created_at": None},
        {"created_at": "2026-10-01T08:00:00"},
        {"created_at": "0001-01-01T00:00:00+23:00"},
    ],
)
def test_a_damaged_post_is_skipped_alone(damage: dict[str, Any]) -> None:
    batch = batch_of({"latest_posts": [post(**damage), post(id=43)]}, FORUM)
    assert list(batch.items) == [43]
    assert len(batch.skipped) == 1


def test_a_slug_that_is_no_slug_does_not_bend_the_link() -> None:
    assert item_of(post(topic_slug="a/../b?c"), FORUM).url == "https://forum.example/t/-/7/2"
