from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.asking import ask, said
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError
from connectors.http import Answer, HttpClient
from connectors.testing.loopback import Loopback, Reply, Request


def respond(request: Request) -> Reply:
    if request.path == "/moved":
        return Reply(status=301, headers={"Location": "/good"})
    if request.path == "/good":
        return Reply.of_json({"q": request.query.get("q"), "key": request.headers.get("x-key")})
    if request.path == "/slow":
        return Reply.of_json({"error": "slow"}, 429, {"Retry-After": "7"})
    return Reply.of_json({"error": "gone"}, 400) if request.path == "/gone" else Reply(b"<html>", 400)


def judge(answer: Answer) -> SourceError | None:
    return NotThere("gone") if said(answer).get("error") == "gone" else None


@pytest.fixture
def platform() -> Iterator[Loopback]:
    platform = Loopback(respond)
    yield platform
    platform.close()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    http = HttpClient(trusted=frozenset({"127.0.0.1"}))
    yield http
    http.close()


@pytest.mark.parametrize("path", ["good", "moved"])
def test_a_good_answer_comes_back_along_redirects_too(platform: Loopback, http: HttpClient, path: str) -> None:
    answer = ask(http, f"{platform.url}/{path}", headers={"X-Key": "k"}, judge=judge)
    assert answer.json() == {"q": None, "key": "k"}


@pytest.mark.parametrize("value", ["+/= &?#", "münchen", "%41"])
def test_parameters_arrive_as_they_are(platform: Loopback, http: HttpClient, value: str) -> None:
    assert ask(http, f"{platform.url}/good", {"q": value}, judge=judge).json()["q"] == value


def test_letters_that_cannot_be_sent_are_refused(http: HttpClient) -> None:
    with pytest.raises(Malformed):
        ask(http, "http://127.0.0.1/", {"q": "\ud800"}, judge=judge)


def test_the_body_of_a_refusal_decides(platform: Loopback, http: HttpClient) -> None:
    with pytest.raises(NotThere):
        ask(http, f"{platform.url}/gone", judge=judge)


def test_a_body_that_says_nothing_leaves_it_to_the_status(platform: Loopback, http: HttpClient) -> None:
    with pytest.raises(Malformed):
        ask(http, f"{platform.url}/bad", judge=judge)
    with pytest.raises(RateLimited) as caught:
        ask(http, f"{platform.url}/slow", judge=judge)
    assert caught.value.retry_after == timedelta(seconds=7)


def test_a_refusal_that_a_judge_calls_otherwise_is_so(platform: Loopback, http: HttpClient) -> None:
    with pytest.raises(AccessDenied):
        ask(http, f"{platform.url}/bad", judge=lambda _: AccessDenied("no"))
