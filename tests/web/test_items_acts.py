"""What is done to items on pages, by form and in place: it is kept, told, taken back, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from monitor.app import App
from monitor.report import build_report
from monitor.web import access
from monitor.web.asked import window_named
from storage import listing, mutes, tokens
from storage.records import ItemFilter, StoredItem
from storage.stories import stories
from tests.web.serving import Dashboard
from tests.web.test_items import ids_of, words_in

BRAND = "Larkspur"
LIST = f"/mentions?brand={BRAND}"


def newest(app: App, count: int = 1, **fields: Any) -> list[StoredItem]:
    window = window_named(app, {})[0]
    wanted = ItemFilter(brand=BRAND, kinds=["mention"], since=window.start, until=window.end, **fields)
    return listing.items(app.database, wanted, limit=count)


def now(app: App, number: int) -> StoredItem:
    return listing.items_by_id(app.database, [number])[number]


def score(app: App) -> float | None:
    return build_report(app, [BRAND], window_named(app, {})[0], items=False).brands[0].social.score


def in_place(dashboard: Dashboard, fields: dict[str, Any], status: int = 200) -> Any:
    """What the page's script sends, and what it is answered."""
    sent = {"csrf": dashboard.csrf(), "query": LIST, "back": LIST, **fields}
    answer = dashboard.client.post("/items/act", data=sent, headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.text[:1_000]
    return answer.json() if status == 200 else answer.text


def all_found(dashboard: Dashboard, query: str, **fields: Any) -> str:
    return dashboard.submit("/items/act", {"all": "1", "query": query, "back": query, **fields}).text


def test_a_correction_in_place_tells_how_the_score_moved(dashboard: Dashboard) -> None:
    app = dashboard.app
    (item,) = newest(app, labels=["negative"])
    before = score(app)
    told = in_place(dashboard, {"one": f"positive {item.id}"})
    assert (now(app, item.id).label, now(app, item.id).label_by) == ("positive", "person")
    (moved,) = told["moved"]
    assert (moved["before"], moved["after"]) == (before, score(app))
    assert "labelled positive (was negative); score of mentions" in told["said"]
    assert "corrected by <bdi>you</bdi>" in told["rows"][str(item.id)]
    in_place(dashboard, {"one": f"by_itself {item.id}"})
    assert (now(app, item.id).label, score(app)) == ("negative", before)


def test_by_form_the_same_place_comes_back_and_says_what_was_done(dashboard: Dashboard) -> None:
    (item,) = newest(dashboard.app, labels=["positive"])
    address = f"{LIST}&label=positive&order=oldest"
    answer = dashboard.submit("/items/act", {"one": f"negative {item.id}", "back": address, "query": address})
    assert str(answer.url).endswith(f"{address}#item-{item.id}")
    assert "labelled negative (was positive)" in answer.text
    assert "labelled negative" not in dashboard.get(address).text


def test_what_is_not_about_us_counts_no_more_until_it_is_taken_back(dashboard: Dashboard) -> None:
    ids = [item.id for item in newest(dashboard.app, 3)]
    told = in_place(dashboard, {"do": "not_about_us", "id": ids})
    assert told["said"].startswith("3 items marked as not about the brand")
    assert {now(dashboard.app, number).uncounted for number in ids} == {"not_about_us"}
    assert all("It is about us" in row for row in told["rows"].values())
    assert told["suggest"] == [f"/items/suggested?brand={BRAND}"]
    assert ids_of(dashboard.get(f"{LIST}&uncounted=not_about_us").text) == ids
    in_place(dashboard, {"do": "about_us", "id": ids})
    assert {now(dashboard.app, number).uncounted for number in ids} == {None}


def test_words_to_exclude_are_suggested_after_not_about_us(dashboard: Dashboard) -> None:
    found = newest(dashboard.app, 400)
    word = "attachments"
    ids = [item.id for item in found if word in f"{item.title} {item.text}".lower()]
    assert len(ids) >= 3
    answer = dashboard.submit("/items/act", {"do": "not_about_us", "id": ids, "back": LIST, "query": LIST})
    address = re.search(r'data-load="(/items/suggested[^"]+)"', answer.text)
    assert address is not None
    assert f'href="/keywords?brand={BRAND}&amp;exclude={word}"' in dashboard.get(address[1]).text


def test_items_are_tagged_and_done_with(dashboard: Dashboard) -> None:
    app = dashboard.app
    first, second = (item.id for item in newest(app, 2))
    in_place(dashboard, {"one": f"tag {first}", f"tag-{first}": "  to   answer "})
    in_place(dashboard, {"do": "tag", "tag": "to answer", "id": [second]})
    in_place(dashboard, {"do": "done", "id": [first, second]})
    assert sorted(ids_of(dashboard.get(f"{LIST}&tag=to+answer&done=1").text)) == sorted([first, second])
    in_place(dashboard, {"one": f"untag {first} to answer"})
    in_place(dashboard, {"one": f"undone {first}"})
    kept = stories(app.database, [first, second])
    assert ([word.what for word in kept[first].tags], list(kept[first].marks)) == ([], [])
    assert ([word.by for word in kept[second].tags], list(kept[second].marks)) == (["you"], ["done"])


def test_the_return_key_in_a_field_for_a_tag_tags_that_item(dashboard: Dashboard) -> None:
    first, second = (item.id for item in newest(dashboard.app, 2))
    dashboard.submit("/items/act", {"do": "none", f"tag-{first}": "", f"tag-{second}": "urgent", "back": LIST})
    kept = stories(dashboard.app.database, [first, second])
    assert [[word.what for word in kept[number].tags] for number in (first, second)] == [[], ["urgent"]]


@pytest.mark.parametrize(("do", "undo"), [("mute_author", "unmute_author"), ("mute_site", "unmute_site")])
def test_an_author_or_a_site_is_muted_for_the_brand_and_heard_again(dashboard: Dashboard, do: str, undo: str) -> None:
    (item,) = newest(dashboard.app, known=["author"])
    told = in_place(dashboard, {"one": f"{do} {item.id}"})
    assert now(dashboard.app, item.id).uncounted == "muted"
    (mute,) = mutes.listed(dashboard.app.database)
    assert (mute.by, mute.brand_id) == ("you", dashboard.app.brands[BRAND].id)
    assert f'value="{undo} {item.id}"' in told["rows"][str(item.id)]
    in_place(dashboard, {"one": f"{undo} {item.id}"})
    assert now(dashboard.app, item.id).uncounted is None
    assert mutes.listed(dashboard.app.database) == []


def test_all_that_a_filter_finds_is_done_after_a_question_that_says_the_number(dashboard: Dashboard) -> None:
    app, query = dashboard.app, f"/reviews?brand={BRAND}&window=all&label=negative"
    wanted = ItemFilter(brand=BRAND, kinds=["review"], labels=["negative"])
    total = listing.count_items(app.database, wanted)
    asked = all_found(dashboard, query, do="done")
    assert f"Mark {total} items as done?" in words_in(asked)
    assert listing.count_items(app.database, ItemFilter(done=True)) == 0
    assert f"{total} items marked as done" in all_found(dashboard, query, do="done", sure=str(total))
    assert listing.count_items(app.database, ItemFilter(done=True)) == total


def test_a_number_that_grew_meanwhile_is_asked_again(dashboard: Dashboard) -> None:
    query = f"/reviews?brand={BRAND}&window=all"
    assert "Yes, all" in all_found(dashboard, query, do="not_about_us", sure="1")
    assert listing.count_items(dashboard.app.database, ItemFilter(uncounted="not_about_us")) == 0


def test_all_items_of_a_figure_are_labelled_at_once(dashboard: Dashboard) -> None:
    query = f"/items?figure=social.neutral&brand={BRAND}"
    total = re.search(r"It counts these (\d+) items", words_in(dashboard.get(query).text))
    assert total is not None
    said = all_found(dashboard, query, do="positive", sure=total[1])
    assert f"{total[1]} items labelled positive" in said
    assert "It counts these 0 items." in words_in(said)


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "burn", "id": ["1"]},
        {"do": "done"},
        {"do": "done", "id": ["x"]},
        {"do": "done", "id": ["999999999"]},
        {"one": "positive"},
        {"do": "tag", "id": ["1"], "tag": " "},
        {"do": "tag", "id": ["1"], "tag": "x" * 61},
        {"do": "done", "all": "1", "query": "/nowhere"},
        {"do": "done", "all": "1", "query": "/items?label=great"},
        {"do": "mute_author", "all": "1", "query": LIST, "sure": "9999"},
        {"do": "done", "all": "1", "query": LIST, "sure": "many"},
    ],
)
def test_what_cannot_be_done_is_refused_in_words(dashboard: Dashboard, fields: dict[str, Any]) -> None:
    assert "Unprocessable" in dashboard.submit("/items/act", fields, 422).text


def test_nobody_acts_from_elsewhere_or_beyond_their_rights(dashboard: Dashboard) -> None:
    (item,) = newest(dashboard.app)
    fields = {"one": f"done {item.id}", "back": "https://evil.example/"}
    assert dashboard.client.post("/items/act", data=fields).status_code == 403
    token = access.new_token()
    tokens.add_token(
        dashboard.app.database,
        "w",
        access.digest_of(token),
        may_write=True,
        brands=["Jotwick"],
        now=dashboard.app.now(),
    )
    answer = dashboard.client.post("/items/act", data=fields, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (403, 422)
    assert marks_of(dashboard.app, [item.id]) == []
    assert dashboard.submit("/items/act", fields).url.host == "127.0.0.1"
    assert marks_of(dashboard.app, [item.id]) == ["done"]


def marks_of(app: App, ids: Sequence[int]) -> list[str]:
    return [what for story in stories(app.database, ids).values() for what in story.marks]


def test_nobody_is_asked_whether_to_mute_all_that_a_filter_finds(dashboard: Dashboard) -> None:
    fields = {"do": "mute_author", "all": "1", "query": LIST}
    assert "tick some" in dashboard.submit("/items/act", fields, 422).text


@pytest.mark.parametrize("path", ["/items", "/mentions?brand=Jotwick", "/items.csv", "/items/1", "/overview", "/"])
def test_a_token_for_some_brands_opens_no_page(dashboard: Dashboard, path: str) -> None:
    token, app = access.new_token(), dashboard.app
    tokens.add_token(app.database, "some", access.digest_of(token), may_write=True, brands=["Jotwick"], now=app.now())
    answer = dashboard.get(path, 403, headers={"Authorization": f"Bearer {token}"})
    assert "/api/v1/" in answer.text
