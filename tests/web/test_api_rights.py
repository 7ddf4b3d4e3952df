"""Who may do what by the interface for programs: over every operation of its description, so that none is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.web.two_brands import FOREIGN, MARKER, OWN, PASSWORD, WEBHOOK, World, world

DESCRIBED: Final = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
"""As it is committed; that it is current stands with the tests of the description."""
OPERATIONS: Final = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
}
OPEN: Final = {"read_health", "read_readiness", "hand_in"}
"""What needs no token: two tell nothing, one is signed by its sender."""
ASKING: Final = {"explain_text", "try_rules", "try_keywords"}
"""What is sent to be looked at, and changes nothing."""
WRITING: Final = sorted({name for name, (method, _) in OPERATIONS.items() if method != "GET"} - OPEN - ASKING)
STORE_WIDE: Final = {"read_metrics", "list_deliveries", "retry_delivery"}
BODIES: Final[dict[str, Any]] = {
    "correct_item": {"label": "negative"},
    "act_on_items": {"do": "done", "ids": [1]},
    "explain_text": {"text": "great"},
    "mute": {"brand": OWN, "site": "elsewhere.example"},
    "try_keywords": {"brand": OWN, "exclude": ["circus"]},
    "draw_sample": {"brand": OWN, "size": 3, "seed": 1},
    "say_of_sample": {"item": 1, "answer": "neutral"},
    "snooze_alert": {"name": "complaints"},
    "try_rules": {"when": "rating <= 2"},
    "add_annotation": {"text": "release", "at": "2d", "brand": OWN},
    "send_test_digest": {"channel": "files"},
}


@pytest.fixture(scope="module")
def two_brands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("two-brands")) as made:
        yield made


@pytest.fixture(scope="module")
def reading(two_brands: World) -> str:
    return two_brands.token("reads")


@pytest.fixture(scope="module")
def limited(two_brands: World) -> str:
    return two_brands.token("limited", may_write=True, brands=[OWN])


def address(path: str, number: int | str = 1, name: str = "shop") -> str:
    given = {"id": str(number), "name": name, "mark": "done", "tag": "press"}
    return re.sub(r"\{(\w+)\}", lambda found: given[found[1]], path)


def foreign(made: World, path: str) -> tuple[int | str, str]:
    """The number and the name of what such an address would show of the foreign brand."""
    numbers: dict[str, int | str] = {
        "items": made.item, "authors": made.author, "audit": made.sample, "digests": made.digest,
        "alerts": made.episode, "annotations": made.annotation, "deliveries": made.delivery,
    }  # fmt: skip
    kind = path.split("/")[3] if path.count("/") > 2 else ""
    return numbers.get(kind, 1), f"{MARKER}-daily" if kind == "digests" else f"{MARKER}-shop"


def is_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


# ----------------------------------------------------------------------------------------------------- without a right


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OPEN))
def test_nobody_unknown_is_answered(two_brands: World, name: str) -> None:
    method, path = OPERATIONS[name]
    for token in (None, "smt_forged"):
        is_problem(two_brands.ask(token, method, address(path), json=BODIES.get(name)), 401)


@pytest.mark.parametrize("name", WRITING)
def test_a_token_that_reads_changes_nothing(two_brands: World, reading: str, name: str) -> None:
    method, path = OPERATIONS[name]
    is_problem(two_brands.ask(reading, method, address(path), json=BODIES.get(name)), 403)


@pytest.mark.parametrize("name", sorted(ASKING))
def test_a_token_that_reads_may_ask_what_would_be(two_brands: World, reading: str, name: str) -> None:
    method, path = OPERATIONS[name]
    assert two_brands.ask(reading, method, path, json=BODIES[name]).status_code == 200


def test_what_is_open_says_nothing_of_what_is_inside(two_brands: World) -> None:
    for path in ("/healthz", "/readyz"):
        answer = two_brands.ask(None, "GET", path)
        assert answer.status_code == 200
        assert not {MARKER, OWN.lower(), "shop"} & set(re.findall(r"\w+", answer.text.lower()))


def test_a_sender_needs_its_own_token(two_brands: World, reading: str) -> None:
    for token in (None, reading):
        is_problem(two_brands.ask(token, "POST", "/api/v1/sources/shop/items", json=[]), 401)
    assert two_brands.ask(WEBHOOK, "POST", "/api/v1/sources/shop/items", json=[]).status_code == 200


# ------------------------------------------------------------------------------------------------- for some brands alone


@pytest.mark.parametrize("name", sorted(name for name, (method, _) in OPERATIONS.items() if method == "GET"))
def test_what_is_read_for_one_brand_holds_nothing_of_another(two_brands: World, limited: str, name: str) -> None:
    method, path = OPERATIONS[name]
    for number in (two_brands.own_item, 1, 2, 3):
        answer = two_brands.ask(limited, method, address(path, number))
        assert answer.status_code == 403 if name in STORE_WIDE else answer.status_code in (200, 404, 409)
        assert MARKER not in (answer.text + str(answer.headers)).lower()


@pytest.mark.parametrize(
    "name", sorted(name for name, (_, path) in OPERATIONS.items() if "{" in path and name not in OPEN)
)
def test_what_is_of_another_brand_is_as_if_it_were_not_there(two_brands: World, limited: str, name: str) -> None:
    method, path = OPERATIONS[name]
    number, called = foreign(two_brands, path)
    there = two_brands.ask(limited, method, address(path, number, called), json=BODIES.get(name))
    nothing = two_brands.ask(limited, method, address(path, 99_999, "nothing"), json=BODIES.get(name))
    assert there.status_code == nothing.status_code == (403 if name in STORE_WIDE else 404)
    told = there.text.replace(called, "nothing").replace(f"/{number}", "/99999").replace(f" {number}", " 99999")
    assert told == nothing.text


@pytest.mark.parametrize(
    ("name", "query", "body"),
    [
        ("read_report", "brand={}", None),
        ("read_series", "brand={}", None),
        ("list_authors", "brand={}", None),
        ("list_items", "brand={}", None),
        ("list_items", "source={}", None),
        ("list_pulls", "source={}", None),
        ("list_samples", "brand={}", None),
        ("list_annotations", "brand={}", None),
        ("list_digests", "name={}", None),
        ("replay_alerts", "name={}", None),
        ("unmute", "brand={}&site=x.example", None),
        ("list_items", f"brand={OWN}&figure=competitors.{{}}.mentions", None),
        ("list_items", f"brand={OWN}&figure=competitors.{{}}.social_difference.delta", None),
        ("list_items", f"brand={OWN}&figure=competitors.{{}}.nothing", None),
        ("mute", "", {"brand": "{}", "site": "x.example"}),
        ("draw_sample", "", {"brand": "{}"}),
        ("try_keywords", "", {"brand": "{}"}),
        ("explain_text", "", {"brand": "{}", "text": "great"}),
        ("add_annotation", "", {"brand": "{}", "text": "x", "at": "2d"}),
        ("act_on_items", "", {"do": "done", "where": {"brand": "{}"}}),
        ("act_on_items", "", {"do": "done", "where": {"source": ["{}"]}}),
        ("try_rules", "", {"when": "rating <= 2", "brands": ["{}"]}),
        ("try_rules", "", {"name": "{}"}),
        ("try_rules", "", {"when": "brand == '{}'"}),
        ("try_rules", "", {"when": "source == '{}'"}),
        ("snooze_alert", "", {"name": "{}"}),
    ],
)
def test_asking_for_another_brand_by_name_tells_nothing(
    two_brands: World, limited: str, name: str, query: str, body: Any
) -> None:
    method, path = OPERATIONS[name]
    known = {
        "source": f"{MARKER}-shop",
        "digest": f"{MARKER}-daily",
        "rule": f"{MARKER}-low",
        "alert": f"{MARKER}-complaints",
    }
    for called in (FOREIGN, *known.values()):
        invented = "q" * len(called)
        told = []
        for one in (called, invented):
            sent = json.loads(json.dumps(body).replace("{}", one)) if body else None
            answer = two_brands.ask(limited, method, f"{path}?{query.replace('{}', one)}", json=sent)
            told.append((answer.status_code, answer.text.replace(one, "X")))
        assert told[0] == told[1]


def test_actions_on_numbers_leave_other_brands_alone(two_brands: World, limited: str) -> None:
    answer = two_brands.ask(limited, "POST", "/api/v1/items/bulk", json={"do": "positive", "ids": [two_brands.item]})
    assert (answer.json()["found"], answer.json()["changed"]) == (0, 0)
    everything = {"do": "tag", "tag": "seen", "where": {"window": "all", "uncounted": "all"}}
    found = two_brands.ask(limited, "POST", "/api/v1/items/bulk", json=everything).json()["found"]
    assert found == 12


@pytest.mark.parametrize(
    ("name", "called", "body"),
    [
        ("pause_source", "both", None),
        ("resume_source", "both", None),
        ("pull_source", "both", None),
        ("mute", "", {"site": "x.example"}),
        ("add_annotation", "", {"text": "x", "at": "2d"}),
        ("snooze_alert", "", {"name": "complaints"}),
        ("send_test_digest", "everybody", {"channel": "files"}),
        ("send_test_digest", "mine", {"channel": "files"}),
    ],
)
def test_what_concerns_all_brands_is_refused_to_a_token_for_some(
    two_brands: World, limited: str, name: str, called: str, body: Any
) -> None:
    method, path = OPERATIONS[name]
    answer = two_brands.ask(limited, method, address(path, name=called), json=body)
    is_problem(answer, 403)
    assert MARKER not in answer.text.lower()


def test_a_digest_of_all_is_cut_to_the_brands_of_the_token(two_brands: World, limited: str) -> None:
    listed = two_brands.ask(limited, "GET", "/api/v1/digests").json()["digests"]
    assert {one["name"] for one in listed} == {"mine", "everybody"}
    for one in listed:
        for form in ("html", "txt", "md", "json", "slack"):
            text = two_brands.ask(limited, "GET", f"/api/v1/digests/{one['id']}/rendered?form={form}").text
            assert OWN in text
            assert MARKER not in text.lower()


def test_a_token_for_all_brands_sees_both(two_brands: World, reading: str) -> None:
    for name in (
        "read_report",
        "list_sources",
        "list_alerts",
        "list_rules",
        "list_digests",
        "list_mutes",
        "read_metrics",
    ):
        method, path = OPERATIONS[name]
        assert MARKER in two_brands.ask(reading, method, path).text.lower()


# ------------------------------------------------------------------------------------------------------------- browsers


def test_who_is_signed_in_reads_and_writes_with_the_forms_token(two_brands: World) -> None:
    with httpx.Client(base_url=two_brands.site.url, follow_redirects=True) as browser:
        browser.post("/login", data={"password": PASSWORD})
        page = browser.get("/settings-of-nobody").text
        token = re.search(r'<meta name="csrf" content="([0-9a-f]+)">', page)
        assert token is not None
        assert browser.get("/api/v1/report?items=false").status_code == 200
        path = f"/api/v1/items/{two_brands.own_item}/marks/done"
        is_problem(browser.put(path), 403)
        assert browser.put(path, headers={"X-CSRF-Token": token[1]}).status_code == 200
        is_problem(browser.put(path, headers={"X-CSRF-Token": token[1], "Origin": "https://evil.example"}), 403)
