from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Author, Counts
from connectors.reddit_parse import item_of, refreshed_of

MOMENT = 1_790_000_000.0
POST: dict[str, Any] = {
    "name": "t3_abc",
    "id": "abc",
    "author": "someone",
    "created_utc": MOMENT,
    "edited": False,
    "title": "A title",
    "selftext": "A text with *marks*",
    "permalink": "/r/acme/comments/abc/a_title/",
    "subreddit": "acme",
    "score": -3,
    "num_comments": 4,
    "num_crossposts": 1,
    "upvote_ratio": 0.41,
    "is_self": True,
}
COMMENT: dict[str, Any] = {
    "name": "t1_xyz",
    "author": "someone",
    "created_utc": MOMENT,
    "body": "A comment",
    "link_id": "t3_abc",
    "link_title": "A title",
    "subreddit_name_prefixed": "r/acme",
    "score": 5,
    "num_comments": 77,
}


def post(**changes: Any) -> dict[str, Any]:
    return {"kind": "t3", "data": {**POST, **changes}}


def comment(**changes: Any) -> dict[str, Any]:
    return {"kind": "t1", "data": {**COMMENT, **changes}}


def test_a_post_is_read_whole() -> None:
    item = item_of(post(over_18=True))
    assert (item.external_id, item.title, item.text) == ("t3_abc", "A title", "A text with *marks*")
    assert item.published_at == datetime.fromtimestamp(MOMENT, UTC)
    assert item.url == "https://www.reddit.com/r/acme/comments/abc/a_title/"
    assert item.author == Author("someone", "someone")
    assert item.counts == Counts(likes=-3, shares=1, comments=4)
    assert (item.place, item.parent_title, item.updated_at) == ("r/acme", None, None)
    assert item.attributes == {"type": "post", "upvote_ratio": "0.41", "nsfw": "true"}


def test_a_comment_has_no_count_but_its_score_and_names_its_thread() -> None:
    item = item_of(comment())
    assert item.counts == Counts(likes=5)
    assert (item.text, item.title, item.parent_title, item.place) == ("A comment", None, "A title", "r/acme")
    assert item.url == "https://www.reddit.com/comments/abc/_/xyz/"


def test_older_posts_lack_much_and_are_still_read() -> None:
    bare = {key: POST[key] for key in ("id", "created_utc", "title")}
    item = item_of({"kind": "t3", "data": bare})
    assert (item.external_id, item.url) == ("t3_abc", "https://www.reddit.com/comments/abc/")
    assert (item.author, item.place, item.text, item.counts) == (None, None, None, Counts())


@pytest.mark.parametrize("name", [None, "[deleted]", "", 7, {"name": "x"}])
def test_an_author_who_left_is_none(name: object) -> None:
    assert item_of(post(author=name)).author is None


@pytest.mark.parametrize(
    "text",
    ["[deleted]", "[removed]", " [deleted] ", "[ Removed by Reddit ]", "[deleted by user]", "[removed by moderators]"],
)
def test_what_stands_for_a_withdrawn_text_is_no_text(text: str) -> None:
    assert item_of(comment(body=text)).text is None
    assert item_of(post(selftext=text)).text is None
    assert [entry.gone for entry in refreshed_of(listing(comment(body=text)), ["t1_xyz"])] == [True]


@pytest.mark.parametrize("text", ["[deleted] by mistake, sorry", "he was [removed]", "deleted"])
def test_a_text_about_deleting_is_a_text(text: str) -> None:
    assert item_of(comment(body=text)).text == text
    assert [entry.gone for entry in refreshed_of(listing(comment(body=text)), ["t1_xyz"])] == [False]


def test_a_link_that_moderators_removed_is_gone_though_its_title_stands() -> None:
    removed = post(selftext="", removed_by_category="moderator")
    assert [entry.gone for entry in refreshed_of(listing(removed), ["t3_abc"])] == [True]


def test_a_text_whose_author_left_is_not_gone() -> None:
    [entry] = refreshed_of(listing(post(author="[deleted]")), ["t3_abc"])
    assert (entry.gone, entry.counts) == (False, Counts(-3, 1, 4))


def test_a_hidden_score_is_unknown() -> None:
    assert item_of(comment(score_hidden=True)).counts.likes is None
    assert item_of(post(hide_score=True)).counts == Counts(None, 1, 4)


def test_an_edit_is_known_by_its_time_only() -> None:
    assert item_of(post(edited=MOMENT + 60)).updated_at == datetime.fromtimestamp(MOMENT + 60, UTC)
    assert item_of(post(edited=True)).updated_at is None


def test_a_link_post_keeps_its_link() -> None:
    item = item_of(post(is_self=False, url="https://blog.example/1", selftext=""))
    assert (item.attributes["link"], item.text) == ("https://blog.example/1", None)


@pytest.mark.parametrize("link", ["https://elsewhere.example/", "//elsewhere.example/", 7, None])
def test_an_address_is_always_reddits_own(link: object) -> None:
    assert item_of(post(permalink=link)).url == "https://www.reddit.com/comments/abc/"


@pytest.mark.parametrize("changes", [{"created_utc": "now"}, {"created_utc": None}, {"name": "t1_abc"}, {"name": 7}])
def test_a_damaged_entry_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        item_of(post(**changes))


def listing(*children: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(children)}}
