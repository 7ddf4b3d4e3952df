from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Fault, Reply
from connectors.testing.platform import NOW
from tests.contract.reddit_source import Source
from tests.fakes.reddit import SECRET, FakeReddit, FakeRedditPlaces, Place, refusal

SEARCH = "/r/all/search/"
PROMPTLY_SECONDS = 3


@pytest.fixture
def fake() -> Iterator[FakeReddit]:
    fake = FakeReddit()
    yield fake
    fake.close()


@pytest.fixture
def places() -> Iterator[FakeRedditPlaces]:
    fake = FakeRedditPlaces()
    yield fake
    fake.close()


# Answers that are no good

JSON = {"Content-Type": "application/json"}
SIGN_INS: Mapping[str, tuple[Reply, type[SourceError]]] = {
    "401": (Reply.of_json({"message": "Unauthorized", "error": 401}, 401), AccessDenied),
    "400": (Reply.of_json({"error": 400}, 400), AccessDenied),
    "an error with 200": (Reply.of_json({"error": "unauthorized_client"}), AccessDenied),
    "a number as error": (Reply.of_json({"error": 401}), AccessDenied),
    "busy with 200": (Reply.of_json({"error": "temporarily_unavailable"}), Unavailable),
    "no token": (Reply.of_json({"expires_in": 3600}), Unavailable),
    "no scope": (Reply.of_json({"access_token": "x", "expires_in": 3600}), Unavailable),
    "a list": (Reply.of_json([]), Unavailable),
    "a page": (Reply(b"<html>", 200, {"Content-Type": "text/html"}), Unavailable),
    "nothing": (Reply(b""), Unavailable),
    "a redirect": (Reply(b"", 302, {"Location": "https://elsewhere.example/"}), Unavailable),
    "429": (Reply(b"", 429), RateLimited),
    "500": (Reply(b"", 500), Unavailable),
}
ANSWERS: Mapping[str, tuple[Reply, type[SourceError]]] = {
    "401 without www-authenticate": (Reply.of_json({"message": "Unauthorized"}, 401), AccessDenied),
    "401 with www-authenticate": (Reply(b"", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}), AccessDenied),
    "400 without reason": (Reply.of_json({"message": "Bad Request", "x": 1}, 400), Malformed),
    "400 with fields": (Reply.of_json({"fields": [], "reason": "NO"}, 400), Malformed),
    "400 of text": (Reply(b"Bad Request", 400), Malformed),
    "403 quarantined": (refusal(403, "quarantined"), AccessDenied),
    "403 insufficient scope": (Reply(b"", 403, {"WWW-Authenticate": 'error="insufficient_scope"'}), AccessDenied),
    "404": (Reply.of_json({"message": "Not Found", "error": 404}, 404), NotThere),
    "302": (Reply(b"", 302, {"Location": "/subreddits/search?q=x"}), NotThere),
    "302 to nowhere": (Reply(b"", 302), NotThere),
    "302 to the sign-in": (Reply(b"", 302, {"Location": "https://www.reddit.com/login/?x"}), AccessDenied),
    "409": (Reply(b"{}", 409), Malformed),
    "415": (Reply(b"not json", 415), Malformed),
    "451": (Reply(b"", 451), AccessDenied),
    "522": (Reply(b"", 522), Unavailable),
    "a page": (Reply(b"<html>", 200, {"Content-Type": "text/html"}), Unavailable),
    "an empty body": (Reply(b"", 200), Unavailable),
    "no content": (Reply(b"", 204), Unavailable),
    "a strange success": (Reply(b"{}", 206), Unavailable),
    "no listing": (Reply.of_json({"kind": "t2", "data": {}}), Unavailable),
    "a list": (Reply.of_json([1]), Unavailable),
    "children that are none": (Reply.of_json({"kind": "Listing", "data": {"children": None}}), Unavailable),
    "an abyss": (Reply(b"[" * 200_000, 200, JSON), Unavailable),
}


@pytest.mark.parametrize("case", SIGN_INS)
def test_a_bad_sign_in_is_its_fate(fake: FakeReddit, case: str) -> None:
    reply, fate = SIGN_INS[case]
    fake.sign_in = lambda: reply
    with pytest.raises(SourceError) as caught:
        Source(fake).pull()
    assert type(caught.value) is fate


@pytest.mark.parametrize("case", ANSWERS)
def test_a_bad_answer_is_its_fate(fake: FakeReddit, case: str) -> None:
    fake.answers[SEARCH], fate = ANSWERS[case]
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        Source(fake).pull()
    assert type(caught.value) is fate
    assert time.monotonic() - started < PROMPTLY_SECONDS


def test_a_token_that_is_refused_early_is_replaced_once(fake: FakeReddit) -> None:
    fake.publish(3)
    fake.refused_tokens = 1
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_odd_entries_are_skipped_without_their_page(fake: FakeReddit) -> None:
    [seed] = fake.publish(1)
    sound = fake.thing(seed)
    odd: list[Any] = [
        None,
        7,
        [],
        {},
        {"kind": "t3"},
        {"kind": "t3", "data": None},
        {"kind": [], "data": {}},
        {"kind": "more", "data": {"name": "t1__", "id": "_", "children": []}},
        {"kind": "t3", "data": {**sound["data"], "name": "t3_x y"}},
        {"kind": "t3", "data": {**sound["data"], "name": "t3_huge", "created_utc": 1e300}},
        {"kind": "t3", "data": {**sound["data"], "name": "t3_bool", "created_utc": True}},
    ]
    fake.answers[SEARCH] = Reply.of_json({"kind": "Listing", "data": {"children": [*odd, sound], "after": ["x"]}})
    source = Source(fake)
    assert [item.external_id for item in source.pull()] == [fake.external_id(seed)]
    assert [len(page.skipped) for page in source.pages] == [len(odd)]


# Limits


def test_no_requests_left_ends_the_pull_with_the_time_to_wait(fake: FakeReddit) -> None:
    fake.publish(150)
    fake.limits = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "100", "x-ratelimit-reset": "371"}
    source = Source(fake)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        source.pull()
    assert caught.value.retry_after == timedelta(seconds=371)
    assert len(source.stored) == 100
    assert time.monotonic() - started < PROMPTLY_SECONDS


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "soon", "x-ratelimit-reset": "99"}, 99),
        ({"x-ratelimit-remaining": "nan", "x-ratelimit-used": "2.0", "x-ratelimit-reset": "1e99"}, None),
        ({}, None),
    ],
)
def test_asked_too_often_tells_how_long_to_wait(fake: FakeReddit, headers: dict[str, str], wait: int | None) -> None:
    fake.answers[SEARCH] = Reply(b"too many", 429, headers)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        Source(fake).pull()
    assert caught.value.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert time.monotonic() - started < PROMPTLY_SECONDS


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.BUSY, Fault.HANG])
def test_a_failing_request_is_not_repeated_in_the_same_pull(fake: FakeReddit, fault: Fault) -> None:
    fake.publish(3)
    fake.fail(fault, fault)
    source = Source(fake)
    with source.impatient(), pytest.raises(Unavailable):
        source.pull()
    assert len(fake.loopback.faults) == 1


# Counts, deletions, followers


def test_refreshing_tells_counts_and_what_is_gone(places: FakeRedditPlaces) -> None:
    names = [places.external_id(seed) for seed in places.publish(230)]
    places.deleted |= {names[3], names[4]}
    asked = [*names, "t3_never", "not a name", names[0]]
    fresh = {entry.external_id: entry for entry in Source(places).open().refresh(asked)}
    assert set(fresh) == {*names, "t3_never"}
    assert {name for name, entry in fresh.items() if entry.gone} == {names[3], names[4], "t3_never"}
    post = fresh[names[0]].counts
    comment = fresh[names[1]].counts
    assert post is not None
    assert comment is not None
    assert (post.likes, post.shares, post.comments) == (7, 1, 2)
    assert (comment.likes, comment.shares, comment.comments) == (7, None, None)
    assert len(places.paths) == 3


def test_an_unreadable_entry_makes_nothing_gone(fake: FakeReddit) -> None:
    [seed] = fake.publish(1)
    children = [fake.thing(seed), {"kind": "t3", "data": {"id": "?"}}]
    fake.answers["/api/info/"] = Reply.of_json({"kind": "Listing", "data": {"children": children}})
    fresh = list(Source(fake).open().refresh([fake.external_id(seed), "t3_other"]))
    assert [entry.external_id for entry in fresh] == [fake.external_id(seed)]


def test_followers_are_the_subscribers_of_the_named_subreddits(places: FakeRedditPlaces) -> None:
    places.places["phones"] = Place(subscribers=99)
    readings = list(Source(places, subreddits=["all", "acme+phones", "nope"]).open().followers())
    assert [(reading.account, reading.count, reading.at) for reading in readings] == [
        ("r/acme", 1234, NOW),
        ("r/phones", 99, NOW),
    ]


def test_the_whole_site_has_no_followers(fake: FakeReddit) -> None:
    assert list(Source(fake).open().followers()) == []
    assert fake.loopback.requests == []


# What must not leak in or out

OUTSIDE = """
import logging, sys, threading
from datetime import UTC, datetime
from connectors.contract import Context, Unlimited
from connectors.http import HttpClient
from connectors.reddit import PLUGIN
options = PLUGIN.options.model_validate({"base_url": sys.argv[1], "client_id": "an-app-id", "client_secret": sys.argv[2]})
http = HttpClient(trusted=frozenset({"127.0.0.1"}))
now = lambda: datetime(2026, 11, 1, 12, tzinfo=UTC)
context = Context(("acme",), now, threading.Event(), http, logging.getLogger("x"), Unlimited())
pages = list(PLUGIN.open(options, context).fetch(None, datetime(2026, 10, 1, tzinfo=UTC)))
print(sum(len(page.items) for page in pages))
"""


def test_neither_environment_nor_files_have_a_say(fake: FakeReddit, tmp_path: Path) -> None:
    fake.publish(3)
    elsewhere = "http://127.0.0.1:9"
    (tmp_path / "praw.ini").write_text(
        f"this line is damaged\n[DEFAULT]\noauth_url={elsewhere}\nusername=x\npassword=y\n"
    )
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    (tmp_path / ".netrc").chmod(0o600)
    settings = {
        f"praw_{name}": "wrong" for name in ("site", "client_id", "client_secret", "user_agent", "refresh_token")
    }
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"), elsewhere)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", OUTSIDE, fake.base_url, SECRET],
        cwd=tmp_path,
        env={**os.environ, **settings, **proxies, "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "3"), ran.stderr


def test_reddit_is_told_who_asks(fake: FakeReddit) -> None:
    Source(fake, user_agent="python:my-app:1.0 (by /u/me)").pull()
    assert all(request.headers["user-agent"].startswith("python:my-app:1.0") for request in fake.loopback.requests)


def test_the_cursor_holds_times_and_names_only(fake: FakeReddit) -> None:
    fake.publish(120)
    source = Source(fake)
    source.pull(pages=1)
    shown = json.dumps(source.cursor)
    assert "makes me think" not in shown
    assert set(source.state("search all acme")) == {"floor", "high", "low", "after", "pages", "turn"}
