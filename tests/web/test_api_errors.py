"""Whatever is wrong with a request is said in a problem document, with the status that it deserves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from monitor.erasing import erase, find
from tests.web.serving import Dashboard

V1: Final = "/api/v1"
HUGE: Final = "9" * 60


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/items/nobody", 422),
        (f"/items/{HUGE}", 422),
        (f"/items/{'9' * 5_000}", 414),
        (f"/items/{2**63}", 422),
        ("/items/9223372036854775807", 404),
        ("/items/0", 422),
        ("/items/-1", 422),
        (f"/items?limit={HUGE}", 422),
        ("/items?limit=0", 422),
        ("/items?limit=1001", 422),
        ("/items?after=bogus", 422),
        ("/items?order=sideways", 422),
        ("/items?min_stars=nan", 422),
        ("/items?min_stars=1e999", 422),
        (f"/items?min_engagement={HUGE}", 422),
        ("/items?q=(", 422),
        (f"/items?q={'x' * 3_000}", 422),
        ("/items?q=a%00b", 422),
        ("/items/1%00", 422),
        ("/items?brand=%FF", 404),
        ("/items?brnad=Larkspur", 422),
        ("/items?figure=social.nothing", 422),
        ("/items?attribute=country", 422),
        ("/items?source=nowhere", 422),
        ("/items?tag=" + "&tag=".join("abc" * 20), 422),
        ("/report?brand=Acme", 404),
        ("/report?window=year", 422),
        ("/report?since=soon", 422),
        ("/report?since=2026-11-08&until=2026-11-01", 422),
        ("/report?since=0001-01-01&until=0001-02-01", 422),
        ("/report?since=9999-12-30&until=9999-12-31", 422),
        ("/report?since=2026-11-01T00:00:00%2B99:99", 422),
        (f"/report?since={HUGE}d", 422),
        ("/report?items=maybe", 422),
        ("/series?figure=social", 422),
        ("/series?by=minute", 422),
        ("/alerts/replay?alpha=1", 422),
        ("/alerts/replay?name=nothing", 404),
        ("/audit/samples/2147483648", 422),
        ("/digests/4711", 404),
        ("/digests/1/rendered?form=pdf", 422),
        ("/sources/nowhere", 404),
        ("/pulls?source=nowhere", 404),
        (f"/authors/{2**63}", 422),
        ("/authors/4711", 404),
    ],
)
def test_a_wrong_address_is_told_from_a_right_one(read_only: Dashboard, path: str, status: int) -> None:
    is_problem(read_only.client.get(V1 + path), status)


def test_a_method_that_is_not_taken_says_which_are(read_only: Dashboard) -> None:
    answer = httpx.delete(f"{read_only.url}{V1}/items")
    is_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"\xff\xfe\x00", 400),
        (b"[" * 100_000, 400),
        (b'{"text": 1}', 422),
        (b'{"text": NaN}', 422),
        (b'{"text": "a", "txet": "b"}', 422),
        (b'{"text": "\\ud800"}', 422),
        (b'{"\\ud800": "a"}', 422),
        (b'{"text": "a\\u0000b"}', 422),
        (b'{"text": "' + b"x" * 20_001 + b'"}', 422),
        (b'{"text": "a", "brand": "Acme"}', 404),
    ],
)
def test_a_wrong_body_is_said_to_be_wrong(read_only: Dashboard, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    is_problem(read_only.client.post(f"{V1}/explain", content=body, headers=headers), status)


def test_a_body_of_another_kind_is_refused(read_only: Dashboard) -> None:
    is_problem(httpx.post(f"{read_only.url}{V1}/explain", data={"text": "great"}), 422)


def test_a_body_is_not_read_beyond_its_bearable_size(read_only: Dashboard) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(12):
            yield b" " * 2**20

    for path in ("/explain", "/sources/reddit/items"):
        headers = {"Content-Type": "application/json"}
        is_problem(httpx.post(f"{read_only.url}{V1}{path}", content=endless(), headers=headers), 413)


def test_what_is_no_source_to_be_sent_to_takes_nothing(read_only: Dashboard) -> None:
    for name in ("nowhere", "reddit", "%00", "a/b"):
        answer = httpx.post(f"{read_only.url}{V1}/sources/{name}/items", json=[])
        assert is_problem(answer, 422 if name == "%00" else 404)["detail"]


def test_a_label_of_an_erased_item_stays(dashboard: Dashboard) -> None:
    number = dashboard.client.get(f"{V1}/items?limit=1").json()["items"][0]["id"]
    erase(dashboard.app, find(dashboard.app, [], [number]), by=None)
    answer = httpx.put(f"{dashboard.url}{V1}/items/{number}/correct", json={"label": "negative"})
    assert "erased" in is_problem(answer, 409)["detail"]
