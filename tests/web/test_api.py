"""The interface for programs: the same figures as everywhere, items to open and to correct, what is read and sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from monitor.report import build_report
from monitor.web.asked import window_named
from storage import listing, mutes, outbox, sources
from storage.records import ItemFilter
from tests.web.serving import Dashboard

V1: Final = "/api/v1"
BRAND: Final = "Larkspur"


def asked(dashboard: Dashboard, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    """An answer, by a program that keeps no cookies; its status must be ``status``."""
    request = dashboard.client.build_request(method, V1 + path, json=body)
    request.headers.pop("cookie", None)
    answer = dashboard.client.send(request)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer.json()


def first(dashboard: Dashboard, **wanted: Any) -> int:
    return listing.items(dashboard.app.database, ItemFilter(brand=BRAND, **wanted), limit=1)[0].id


# ------------------------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize("items", [True, False])
def test_the_report_is_that_of_every_other_output(read_only: Dashboard, items: bool) -> None:
    told = asked(read_only, "GET", f"/report?brand={BRAND}&window=7d&items={items}")
    window = window_named(read_only.app, {"window": "7d"})[0]
    report = build_report(read_only.app, [BRAND], window, items=items)
    same = json.loads(report.model_dump_json(by_alias=True))
    assert {**told, "generated_at": None} == {**same, "generated_at": None}


def test_the_report_is_of_all_brands_unless_some_are_named(read_only: Dashboard) -> None:
    names = [one["brand"] for one in asked(read_only, "GET", "/report?items=false")["brands"]]
    assert names == list(read_only.app.brands)
    two = asked(read_only, "GET", f"/report?items=false&brand=Pebblebox&brand={BRAND}")
    assert [one["brand"] for one in two["brands"]] == ["Pebblebox", BRAND]


@pytest.mark.parametrize(
    ("figure", "of"),
    [
        ("social.score", lambda day: day["social"]["score"]),
        ("social.negative", lambda day: day["social"]["negative"]),
        ("reviews.total", lambda day: day["reviews"]["total"]),
        ("volume", lambda day: day["volume"]),
    ],
)
def test_a_series_is_the_report_s_day_by_day(read_only: Dashboard, figure: str, of: Callable[[Any], Any]) -> None:
    points = asked(read_only, "GET", f"/series?figure={figure}&brand={BRAND}&window=30d")["brands"][0]["points"]
    days = asked(read_only, "GET", f"/report?brand={BRAND}&window=30d&items=false")["brands"][0]["series"]
    assert [(one["start"], one["value"], one["gap"]) for one in points] == [
        (day["start"], of(day), day["gap"]) for day in days
    ]


def test_hours_of_a_series_add_up_to_its_days(read_only: Dashboard) -> None:
    asking = f"/series?figure=volume&brand={BRAND}&since=2026-11-01T00:00:00Z&until=2026-11-05T00:00:00Z&by="
    days, hours = (asked(read_only, "GET", asking + by)["brands"][0]["points"] for by in ("day", "hour"))
    assert len(hours) == 96
    assert sum(one["value"] for one in hours) == sum(one["value"] for one in days)


def test_a_mean_rating_has_its_range_and_its_n(read_only: Dashboard) -> None:
    (series,) = asked(read_only, "GET", f"/series?figure=reviews.rating.mean&brand={BRAND}&window=30d")["brands"]
    rated = [one for one in series["points"] if one["n"] > 1 and one["low"] is not None]
    assert rated
    assert all(1 <= one["low"] <= one["value"] <= one["high"] <= 5 for one in rated)


def test_a_series_of_too_many_hours_is_refused(read_only: Dashboard) -> None:
    assert "by=day" in asked(read_only, "GET", "/series?by=hour&since=2020-01-01", status=422)["detail"]


@pytest.mark.parametrize(
    ("path", "part"), [("authors", "authors"), ("drivers", "drivers"), ("competitors", "competitors")]
)
def test_parts_are_those_of_the_report(read_only: Dashboard, path: str, part: str) -> None:
    told = asked(read_only, "GET", f"/{path}?brand={BRAND}&window=7d{'&items=true' if path == 'competitors' else ''}")
    report = asked(read_only, "GET", f"/report?brand={BRAND}&window=7d")
    assert told["brands"][0][part] == report["brands"][0][part]
    assert told["brands"][0][part]


def test_an_author_s_history_is_found_by_the_report_s_number(read_only: Dashboard) -> None:
    engaged = asked(read_only, "GET", f"/authors?brand={BRAND}")["brands"][0]["authors"]["engaged"][0]
    history = asked(read_only, "GET", f"/authors/{engaged['id']}")
    assert history["name"] == engaged["name"]
    assert sum(one["positive"] + one["neutral"] + one["negative"] for one in history["months"]) >= engaged["total"]


# --------------------------------------------------------------------------------------------------------------- items


def test_pages_hold_every_item_once(read_only: Dashboard) -> None:
    for order in ("newest", "negative", "unanswered"):
        seen, after = list[int](), ""
        while True:
            page = asked(read_only, "GET", f"/items?brand={BRAND}&window=7d&limit=70&order={order}{after}")
            seen += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        total = asked(read_only, "GET", f"/items?brand={BRAND}&window=7d&limit=1&total=true")["total"]
        assert len(seen) == len(set(seen)) == total


def test_filters_leave_what_they_ask_for(read_only: Dashboard) -> None:
    asking = f"/items?brand={BRAND}&window=all&kind=review&label=negative&max_stars=2&limit=1000"
    found = asked(read_only, "GET", asking)["items"]
    assert found
    assert {(one["kind"], one["label"], one["stars"] <= 2) for one in found} == {("review", "negative", True)}
    with_word = asked(read_only, "GET", "/items?window=all&q=battery&limit=1000")["items"]
    assert with_word
    assert all("batter" in f"{one['title']} {one['text']}".lower() for one in with_word)


def test_a_figure_opens_into_as_many_items_as_it_says(read_only: Dashboard) -> None:
    page = asked(read_only, "GET", f"/items?brand={BRAND}&window=7d&figure=social.negative&limit=1000")
    report = asked(read_only, "GET", f"/report?brand={BRAND}&window=7d&items=false")
    said = report["brands"][0]["social"]["negative"]
    assert page["figure"]["value"] == page["total"] == len(page["items"]) == said
    assert page["figure"]["formula"]["sentence"] == "Counted items labelled negative."


def test_an_item_is_told_whole(dashboard: Dashboard) -> None:
    number = first(dashboard, labels=["negative"], kinds=["mention"])
    asked(dashboard, "PUT", f"/items/{number}/tags/press/2026")
    asked(dashboard, "PUT", f"/items/{number}/marks/done")
    item = asked(dashboard, "GET", f"/items/{number}")
    assert (item["tags"], item["done"], item["marked_done"]["by"]) == (["press/2026"], True, "you")
    (listed,) = asked(dashboard, "GET", "/items?tag=press/2026&window=all")["items"]
    assert {name: item[name] for name in listed if name != "text_cut"} == {
        name: value for name, value in listed.items() if name != "text_cut"
    }
    asked(dashboard, "DELETE", f"/items/{number}/tags/press/2026")
    assert asked(dashboard, "GET", f"/items/{number}")["tags"] == []


def test_an_explanation_s_parts_add_up(read_only: Dashboard) -> None:
    body = {"text": "Larkspur is not great, but the sync is really helpful!", "brand": BRAND}
    told = asked(read_only, "POST", "/explain", body)
    for sentence in told["sentences"]:
        for word in sentence["words"]:
            assert word["value"] == pytest.approx(word["base"] + sum(one["delta"] for one in word["changes"]))
    of_item = asked(read_only, "GET", f"/items/{first(read_only, labels=['positive'])}/explain")
    assert of_item["label"] == "positive"


# ----------------------------------------------------------------------------------------------------- what people say


def test_a_correction_moves_the_score_and_can_be_taken_back(dashboard: Dashboard) -> None:
    number = first(dashboard, labels=["positive"], kinds=["mention"])
    before = asked(dashboard, "GET", f"/report?brand={BRAND}&items=false")["brands"][0]["social"]
    done = asked(dashboard, "PUT", f"/items/{number}/correct", {"label": "negative"})
    assert (done["changed"], done["item"]["label"], done["item"]["label_by"]) == (1, "negative", "person")
    (moved,) = done["moved"]
    assert moved["before"] == pytest.approx(before["score"])
    assert moved["after"] < moved["before"]
    back = asked(dashboard, "DELETE", f"/items/{number}/correct")
    assert (back["item"]["label"], back["moved"][0]["after"]) == ("positive", moved["before"])


def test_many_items_at_once_first_only_as_a_question(dashboard: Dashboard) -> None:
    wish = {"do": "tag", "tag": "battery", "where": {"q": "battery", "window": "all"}}
    would = asked(dashboard, "POST", "/items/bulk", {**wish, "dry_run": True})
    assert asked(dashboard, "GET", "/items?tag=battery&window=all")["items"] == []
    done = asked(dashboard, "POST", "/items/bulk", wish)
    assert would["found"] == done["found"] == done["changed"] > 0
    assert would["changed"] == 0
    tagged = asked(dashboard, "GET", "/items?tag=battery&window=all&limit=1000")["items"]
    assert len(tagged) == done["changed"]


@pytest.mark.parametrize(
    "wish",
    [
        {"do": "done"},
        {"do": "done", "ids": [1], "where": {}},
        {"do": "tag", "ids": [1]},
        {"do": "mute_author", "where": {"window": "7d"}},
        {"do": "explode", "ids": [1]},
        {"do": "done", "ids": []},
        {"do": "done", "ids": [True]},
        {"do": "done", "ids": [2**63]},
        {"do": "done", "ids": [1], "dry_run": "yes"},
        {"do": "done", "where": {"figure": "social.negative", "kind": ["review"], "brand": BRAND}},
        {"do": "done", "where": {"q": "("}},
    ],
)
def test_what_makes_no_sense_is_refused_and_does_nothing(read_only: Dashboard, wish: Any) -> None:
    assert asked(read_only, "POST", "/items/bulk", wish, 422)["status"] == 422


def test_a_muted_author_counts_no_more(dashboard: Dashboard) -> None:
    engaged = asked(dashboard, "GET", f"/authors?brand={BRAND}")["brands"][0]["authors"]["engaged"][0]
    wish = {"brand": BRAND, "author_id": engaged["id"]}
    assert asked(dashboard, "POST", "/mutes", wish)["changed"] >= 1
    (muted,) = asked(dashboard, "GET", "/mutes")["mutes"]
    assert (muted["author_id"], muted["brand"], muted["by"]) == (engaged["id"], BRAND, "you")
    assert asked(dashboard, "DELETE", f"/mutes?brand={BRAND}&author_id={engaged['id']}")["fresh"] is True
    assert mutes.listed(dashboard.app.database) == []


def test_an_audit_s_items_come_without_the_program_s_word(dashboard: Dashboard) -> None:
    sample = asked(dashboard, "POST", "/audit/samples", {"brand": BRAND, "size": 12, "seed": 7}, 201)
    after = asked(dashboard, "GET", f"/audit/samples/{sample['id']}/next?limit=200")["items"]
    assert len(after) == 12
    assert not {"label", "compound", "stars"} & set(after[0])
    for one in after[:3]:
        asked(dashboard, "POST", f"/audit/samples/{sample['id']}/say", {"item": one["id"], "answer": "neutral"})
    left = asked(dashboard, "GET", f"/audit/samples/{sample['id']}/next?limit=200")
    assert (left["done"], [one["id"] for one in left["items"]]) == (3, [one["id"] for one in after[3:]])
    report = asked(dashboard, "GET", f"/audit/samples/{sample['id']}/report")
    assert (report["labelled"], report["accuracy"]["n"]) == (3, 3)
    asked(dashboard, "POST", f"/audit/samples/{sample['id']}/say", {"item": 10**12, "answer": "neutral"}, 422)


def test_words_are_tried_before_they_are_used(read_only: Dashboard) -> None:
    told = asked(read_only, "POST", "/keywords/try", {"brand": BRAND, "exclude": ["battery"]})
    assert told["excluded"] == told["by_word"]["battery"] > 0
    assert told["counting"] - told["excluded"] + told["back"] == told["would_count"]
    assert "a AND" in asked(read_only, "POST", "/keywords/try", {"brand": BRAND, "query": "a AND"}, 422)["detail"]


# --------------------------------------------------------------------------------------------------- sources, watching


def test_a_source_rests_until_somebody_resumes_it(dashboard: Dashboard) -> None:
    rested = asked(dashboard, "POST", "/sources/reddit/pause", {"reason": "too loud"})
    assert rested["state"] == "paused"
    assert "too loud" in rested["words"]
    assert "paused" in asked(dashboard, "POST", "/sources/reddit/pull", status=409)["detail"]
    assert asked(dashboard, "POST", "/sources/reddit/resume")["state"] != "paused"
    assert asked(dashboard, "POST", "/sources/reddit/pull")["outcome"] == "unattended"
    (state,) = (one for one in sources.states(dashboard.app.database) if one.name == "reddit")
    assert state.next_run_at <= datetime.now(UTC)


def test_the_log_of_pulls_is_that_of_the_source(read_only: Dashboard) -> None:
    (pull,) = asked(read_only, "GET", "/pulls?source=reddit")["pulls"]
    assert (pull["source"], pull["ok"]) == ("reddit", True)
    assert pull["new"] > 0
    assert len(asked(read_only, "GET", "/pulls?limit=3")["pulls"]) == 3
    assert asked(read_only, "GET", "/sources/reddit")["last_pull"]["new"] == pull["new"]


def test_an_alert_is_seen_to_and_silenced(dashboard: Dashboard) -> None:
    (replayed,) = asked(dashboard, "GET", "/alerts/replay?name=complaints&since=60d")["replay"]
    assert (replayed["subject"], replayed["judged"] > 20) == (BRAND, True)
    known = asked(dashboard, "GET", "/alerts")["alerts"]
    assert known
    done = asked(dashboard, "POST", f"/alerts/{known[0]['id']}/acknowledge")
    assert (done["acknowledged"], done["acknowledged_by"]) == (True, "you")
    until = asked(dashboard, "POST", f"/alerts/{known[0]['id']}/snooze", {"length": "8h"})["snoozed_until"]
    assert datetime.fromisoformat(until) > datetime.now(UTC) + timedelta(hours=7)
    for wrong in ("0s", "800d", "soon"):
        asked(dashboard, "POST", "/alerts/snooze", {"name": "complaints", "length": wrong}, 422)


def test_a_rule_s_catch_is_tried(read_only: Dashboard) -> None:
    (tried,) = asked(read_only, "POST", "/rules/trial", {"when": "rating <= 2", "brands": [BRAND], "since": "30d"})[
        "rules"
    ]
    assert tried["caught"] == sum(tried["by_day"].values()) > 0
    assert all(one["stars"] <= 2 for one in tried["examples"])
    assert asked(read_only, "POST", "/rules/trial", {"when": "rating <="}, 422)["detail"].startswith("when:")


# ------------------------------------------------------------------------------------------------------------- digests


@pytest.mark.parametrize(
    ("form", "media"),
    [("txt", "text/plain"), ("md", "text/markdown"), ("json", "application/json"), ("slack", "application/json")],
)
def test_a_digest_is_given_in_every_form(read_only: Dashboard, form: str, media: str) -> None:
    (newest, *_) = asked(read_only, "GET", "/digests?name=daily")["digests"]
    answer = read_only.get(f"{V1}/digests/{newest['id']}/rendered?form={form}")
    assert answer.headers["content-type"].startswith(media)
    assert BRAND in answer.text
    report = asked(read_only, "GET", f"/digests/{newest['id']}")["report"]
    assert report["brands"][0]["brand"] == BRAND


def test_a_test_digest_is_sent_and_a_failed_one_tried_again(dashboard: Dashboard) -> None:
    sent = asked(dashboard, "POST", "/digests/daily/test", {"channel": "files"})
    assert (sent["kind"], sent["state"], sent["channel"]) == ("test", "sent", "files")
    assert asked(dashboard, "GET", "/deliveries?state=sent")["deliveries"][0]["id"] == sent["id"]
    assert "not failed" in asked(dashboard, "POST", f"/deliveries/{sent['id']}/retry", status=409)["detail"]
    asked(dashboard, "POST", "/digests/daily/test", {"channel": "nowhere"}, 404)
    assert outbox.failed_ids(dashboard.app.database) == []


def test_an_event_is_written_down_and_taken_away(dashboard: Dashboard) -> None:
    added = asked(dashboard, "POST", "/annotations", {"text": "release 9", "at": "3d", "brand": BRAND}, 201)
    (report,) = asked(dashboard, "GET", f"/report?brand={BRAND}&items=false")["brands"]
    assert "release 9" in [one["text"] for one in report["annotations"]]
    assert asked(dashboard, "DELETE", f"/annotations/{added['id']}") == {"removed": added["id"]}
    asked(dashboard, "DELETE", f"/annotations/{added['id']}", status=404)
    for wrong in ("yesterday-ish", "0001-01-01", "9999-12-31", "99999999d"):
        asked(dashboard, "POST", "/annotations", {"text": "x", "at": wrong}, 422)
