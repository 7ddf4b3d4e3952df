from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.guard import ForbiddenAddress
from connectors.http import Answer, HttpClient, Validators, fate_of, host_of, retry_after
from connectors.testing import Reply
from connectors.testing.suite import LimitedBudget
from tests.unit.http_world import NOW, World

SECRET = "Bearer s3cret-töken"


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture
def other() -> Iterator[World]:
    other = World()
    yield other
    other.close()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    http = HttpClient(trusted=frozenset({"127.0.0.1"}), now=lambda: NOW, read_seconds=0.4, total_seconds=5)
    yield http
    http.close()


# --- asking


def test_an_answer_comes_back_whole(http: HttpClient, world: World) -> None:
    world.replies["/x"] = Reply(b"hello", 200, {"ETag": '"1"', "Last-Modified": "yesterday"})
    answer = http.get(world.url("/x"))
    assert (answer.status, answer.body, answer.url, answer.moved_to) == (200, b"hello", world.url("/x"), None)
    assert answer.validators == Validators('"1"', "yesterday")


def test_parameters_join_what_the_address_asks(http: HttpClient, world: World) -> None:
    answer = http.get(world.url("/x?a=1&b=2"), {"b": "ü & =", "c": 3})
    assert answer.json()["query"] == {"a": "1", "b": "ü & =", "c": "3"}


def test_a_body_is_posted_as_json(http: HttpClient, world: World) -> None:
    answer = http.post(world.url("/x"), {"a": [1, None]}, headers={"X-Key": "k"})
    assert json.loads(answer.json()["body"]) == {"a": [1, None]}
    assert answer.json()["headers"]["content-type"] == "application/json"
    assert answer.json()["headers"]["x-key"] == "k"


def test_a_post_is_not_redirected(http: HttpClient, world: World) -> None:
    world.redirect("/x", "/y")
    with pytest.raises(Malformed):
        http.post(world.url("/x"), {})
    assert [request.path for request in world.requests] == ["/x"]


def test_a_client_closed_twice_opens_again(http: HttpClient, world: World) -> None:
    http.get(world.url())
    http.close()
    http.close()
    assert http.get(world.url()).status == 200


@pytest.mark.parametrize(
    "address",
    [
        "",
        "acme.example",
        "/relative",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://[::1",
        "http://h:port/",
        "http://\x00/",
        "http://\ud800/",
        "http://127.0.0.1/\ud800",
        "http://" + "a" * 70_000,
    ],
)
def test_what_is_no_web_address_is_malformed(http: HttpClient, address: str) -> None:
    with pytest.raises(Malformed):
        http.get(address)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".com", "exa mple.com", "."])
def test_a_name_that_cannot_be_one_is_unavailable(http: HttpClient, host: str) -> None:
    with pytest.raises(Unavailable):
        http.get(f"http://{host}/")


def test_a_name_that_only_looks_international_is_a_fate(http: HttpClient) -> None:
    with pytest.raises(SourceError):
        replace(http, trusted=frozenset()).get("http://xn--a.invalid:1/")


def test_a_closed_door_is_unavailable(http: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1: cannot be reached"):
        http.get(f"http://127.0.0.1:{port}/?key=s3cret")


def test_a_header_that_cannot_be_sent_is_malformed_and_not_shown(http: HttpClient, world: World) -> None:
    with pytest.raises(Malformed) as caught:
        http.get(world.url(), headers={"Authorization": SECRET})
    assert "s3cret" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_addresses_and_headers_stay_out_of_the_log(
    http: HttpClient, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    http.get(world.url("/?key=s3cret"), headers={"Authorization": "s3cret"})
    assert not [record for record in caplog.records if "s3cret" in record.getMessage()]


# --- redirects


def test_a_redirect_is_followed(http: HttpClient, world: World) -> None:
    world.redirect("/a", "b?x=1")
    answer = http.get(world.url("/a"))
    assert (answer.json()["query"], answer.url, answer.moved_to) == ({"x": "1"}, world.url("/b?x=1"), None)


def test_a_chain_of_permanent_moves_tells_the_last_address(http: HttpClient, world: World) -> None:
    world.redirect("/a", "/b", 301)
    world.redirect("/b", "/c", 308)
    assert http.get(world.url("/a")).moved_to == world.url("/c")


def test_a_move_for_now_behind_one_for_good_is_not_remembered(http: HttpClient, world: World) -> None:
    world.redirect("/a", "/b", 301)
    world.redirect("/b", "/c", 302)
    assert http.get(world.url("/a")).moved_to == world.url("/b")


def test_a_move_for_good_behind_one_for_now_is_not_remembered(http: HttpClient, world: World) -> None:
    world.redirect("/a", "/b", 307)
    world.redirect("/b", "/c", 301)
    assert http.get(world.url("/a")).moved_to is None


def test_a_loop_of_redirects_ends(http: HttpClient, world: World) -> None:
    world.redirect("/a", "/b")
    world.redirect("/b", "/a", 301)
    with pytest.raises(Unavailable, match="more than 5 redirects"):
        http.get(world.url("/a"))
    assert len(world.requests) == 6


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.2:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://0x7f000001:{port}/"],
)
def test_a_redirect_into_a_private_network_is_refused(http: HttpClient, world: World, target: str) -> None:
    world.redirect("/a", target.format(port=world.url().rstrip("/").rsplit(":", 1)[1]))
    with pytest.raises(ForbiddenAddress, match="not a public address"):
        http.get(world.url("/a"))
    assert [request.path for request in world.requests] == ["/a"]


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[fd00::1]/"])
def test_a_redirect_to_a_neighbour_is_refused(http: HttpClient, world: World, target: str) -> None:
    world.redirect("/a", target)
    with pytest.raises(ForbiddenAddress):
        http.get(world.url("/a"))


def test_without_trust_loopback_is_refused_at_once(world: World) -> None:
    with pytest.raises(ForbiddenAddress):
        HttpClient().get(world.url())
    assert not world.requests


@pytest.mark.parametrize(
    ("target", "fate"),
    [
        ("file:///etc/passwd", Malformed),
        ("ftp://127.0.0.1/", Malformed),
        ("http://[", Unavailable),
        ("http://h:port/", Unavailable),
        ("", Unavailable),
    ],
)
def test_a_redirect_to_something_else_is_not_followed(
    http: HttpClient, world: World, target: str, fate: type[SourceError]
) -> None:
    world.redirect("/a", target)
    with pytest.raises(fate):
        http.get(world.url("/a"))


def test_credentials_do_not_follow_to_another_host(http: HttpClient, world: World, other: World) -> None:
    world.redirect("/a", other.url("/b"))
    other.redirect("/b", world.url("/c"))
    seen = http.get(world.url("/a"), headers={"X-Key": "k"}, validators=Validators('"1"')).json()["headers"]
    assert world.requests[0].headers["x-key"] == "k"
    assert not [request for request in other.requests if {"x-key", "if-none-match"} & set(request.headers)]
    assert not {"x-key", "if-none-match"} & set(seen)


def test_credentials_stay_with_their_own_host(http: HttpClient, world: World) -> None:
    world.redirect("/a", "/b")
    assert http.get(world.url("/a"), headers={"X-Key": "k"}).json()["headers"]["x-key"] == "k"


# --- conditional requests


def test_validators_make_a_request_conditional(http: HttpClient, world: World) -> None:
    world.replies["/x"] = Reply(b"", 304)
    answer = http.get(world.url("/x"), validators=Validators('W/"1"', "Sun, 01 Nov 2026 12:00:00 GMT"))
    asked = world.requests[0].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('W/"1"', "Sun, 01 Nov 2026 12:00:00 GMT")
    assert answer.not_modified
    assert answer.body == b""


@pytest.mark.parametrize("etag", ["ä", "a\r\nX-Evil: 1", ""])
def test_a_validator_that_cannot_be_sent_is_left_out(http: HttpClient, world: World, etag: str) -> None:
    http.get(world.url(), validators=Validators(etag))
    assert not {"if-none-match", "x-evil"} & set(world.requests[0].headers)


# --- fates


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (400, Malformed),
        (401, AccessDenied),
        (402, Malformed),
        (403, AccessDenied),
        (404, NotThere),
        (407, AccessDenied),
        (408, Unavailable),
        (410, NotThere),
        (425, Unavailable),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
        (599, Unavailable),
    ],
)
def test_a_status_becomes_its_fate(http: HttpClient, world: World, status: int, fate: type[SourceError]) -> None:
    world.replies["/x"] = Reply(b"no", status, {"Retry-After": "7"})
    with pytest.raises(SourceError, match=rf"127\.0\.0\.1: answered {status}") as caught:
        http.get(world.url("/x?key=s3cret"))
    assert type(caught.value) is fate
    assert "s3cret" not in str(caught.value)


def test_a_limit_tells_how_long_to_wait() -> None:
    error = fate_of(429, {"retry-after": "7"}, "h", NOW)
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("42", 42),
        (" 1.5 ", 1.5),
        ("-3", 0),
        ("1e3", 1000),
        ("999999999", 86_400),
        ("Sun, 01 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 01 Nov 2026 13:00:30 +0100", 30),
        ("Sun, 01 Nov 2026 12:00:30", 30),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 01 Nov 2099 11:00:00 GMT", 86_400),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 99 Xyz", None),
    ],
)
def test_every_form_of_retry_after_is_understood(value: str, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after({"retry-after": value}, NOW) == expected


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,5} [\d:]{1,12} [+-]\d{1,12}"))
def test_a_retry_after_of_any_kind_gives_a_wait_of_at_most_a_day(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)
    assert wait is None or timedelta(0) <= wait <= timedelta(days=1)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe\xfd", b"1" * 5000])
def test_what_is_no_json_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable, match=r"acme\.example: the answer is not JSON"):
        Answer(200, {}, body, "https://acme.example/?key=s3cret").json()


@pytest.mark.parametrize(
    ("url", "host"), [("https://u:p@acme.example:8/x", "acme.example"), ("http://[", "address"), ("", "address")]
)
def test_the_host_is_all_that_a_message_names(url: str, host: str) -> None:
    assert host_of(url) == host


# --- stop and budget


def test_no_request_begins_once_the_program_stops(http: HttpClient, world: World) -> None:
    http.stop.set()
    with pytest.raises(Unavailable, match="stopping"):
        http.get(world.url())
    assert not world.requests


def test_every_hop_takes_from_the_budget(http: HttpClient, world: World) -> None:
    world.redirect("/a", "/b")
    world.redirect("/b", "/c")
    thrifty = replace(http, budget=LimitedBudget(5))
    thrifty.get(world.url("/a"))
    with pytest.raises(RateLimited):
        thrifty.get(world.url("/a"))
    assert len(world.requests) == 5


def test_a_dear_request_takes_its_units(http: HttpClient, world: World) -> None:
    thrifty = replace(http, budget=LimitedBudget(100))
    thrifty.get(world.url(), units=99)
    with pytest.raises(RateLimited):
        thrifty.get(world.url(), units=2)
    thrifty.get(world.url(), units=1)
    assert len(world.requests) == 2


def test_an_address_that_is_none_costs_nothing(http: HttpClient) -> None:
    thrifty = replace(http, budget=LimitedBudget(0))
    with pytest.raises(Malformed):
        thrifty.get("ftp://127.0.0.1/")
