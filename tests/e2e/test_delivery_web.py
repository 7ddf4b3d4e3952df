"""Digests posted to a web server: signed, known by their key, retried, refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.testing import Fault, Reply
from connectors.testing.loopback import RETRY_AFTER_SECONDS
from monitor import delivery
from monitor.config import ConfigError, parse
from monitor.delivery import RETRY_BASE
from monitor.figures import Report
from storage.tables import DELIVERY
from tests.e2e.conftest import ROOT
from tests.fakes.newsroom import SECRET, Open, by_hook, deliver
from tests.unit.http_world import World


def recipe() -> Callable[[str, dict[str, str], bytes, float], bool]:
    """The receiver's function, as the documentation has it."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/channels.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[[str, dict[str, str], bytes, float], bool] = names["is_genuine"]
    return found


def test_a_post_is_the_report_and_its_signature_verifies_as_documented(queued: Open, web: World) -> None:
    room = queued(by_hook(web.url("/hook?key=1")))
    assert deliver(room) == (1, "sent", "")
    (request,) = web.requests
    assert (request.method, request.path, dict(request.query)) == ("POST", "/hook", {"key": "1"})
    report = Report.model_validate_json(request.body)
    assert report.window.label == "2026-11-19"
    assert report.brands[0].top_items.positive[0].text == "MARKED-TEXT-ONE, I love it so much"
    headers = {name.title(): value for name, value in request.headers.items()}
    assert headers["Content-Type"] == "application/json"
    assert (headers["X-Sentiment-Monitor-Event"], headers["X-Sentiment-Monitor-Digest"]) == ("digest", "daily")
    genuine, now = recipe(), room.now.timestamp()
    assert genuine(SECRET, headers, request.body, now)
    assert not genuine("another", headers, request.body, now)
    assert not genuine(SECRET, headers, request.body + b" ", now)
    assert not genuine(SECRET, headers, request.body, now + 3600)
    assert not genuine(SECRET, headers | {"X-Sentiment-Monitor-Timestamp": str(int(now) + 1)}, request.body, now)


def test_without_a_secret_a_post_is_unsigned_and_an_empty_one_is_refused(queued: Open, web: World) -> None:
    channel = by_hook(web.url("/hook"))
    with pytest.raises(ConfigError, match=r"channels\.hook\.secret: is empty"):
        parse({"brands": [{"name": "Acme"}], "channels": [channel | {"secret": ""}]})
    del channel["secret"]
    assert deliver(queued(channel)) == (1, "sent", "")
    assert "x-sentiment-monitor-signature" not in web.requests[0].headers


def test_the_idempotency_key_is_equal_over_tries_and_differs_between_digests(queued_anywhere: Open, web: World) -> None:
    room = queued_anywhere(by_hook(web.url("/hook")))
    web.replies["/hook"] = Reply(b"", 503)
    for minutes in (1, 2):
        assert deliver(room)[1] == "queued"
        room.later(minutes=minutes)
    web.replies["/hook"] = Reply(b"", 201)
    assert deliver(room) == (1, "sent", "")
    room.later(days=1)
    room.digest()
    assert delivery.deliver_due(room.app) == 1
    keys = [request.headers["idempotency-key"] for request in web.requests]
    assert keys[0] == keys[1] == keys[2] == room.rows(DELIVERY)[0]["key"]
    assert keys[3] == room.rows(DELIVERY)[1]["key"] != keys[0]
    stamps = {request.headers["x-sentiment-monitor-timestamp"] for request in web.requests}
    assert len(stamps) == 4  # each try is fresh


def test_a_web_server_in_trouble_is_tried_again(queued: Open, web: World) -> None:
    faults = [Fault.RESET, Fault.CUT, Fault.BROKEN, Fault.BUSY]
    web.server.faults.extend(faults)
    room = queued(*(by_hook(web.url("/hook"), name=fault.name) for fault in faults))
    assert delivery.deliver_due(room.app) == 0
    for row in room.rows(DELIVERY):
        assert (row["state"], row["next_try_at"]) == ("queued", room.now + RETRY_BASE)
        assert re.fullmatch(r"127\.0\.0\.1: .*; trying again later", row["error"])
    room.later(minutes=1)
    assert delivery.deliver_due(room.app) == len(faults)


def test_the_wait_that_a_web_server_asks_for_is_kept(queued: Open, web: World) -> None:
    room = queued(by_hook(web.url("/hook")))
    web.server.faults.append(Fault.TOO_MANY)
    assert deliver(room)[1] == "queued"
    assert RETRY_BASE.total_seconds() > RETRY_AFTER_SECONDS
    assert room.delivery["next_try_at"] == room.now + RETRY_BASE
    web.replies["/hook"] = Reply(b"", 429, {"Retry-After": "5000"})
    room.later(minutes=1)
    assert deliver(room) == (0, "queued", "127.0.0.1: answered 429; trying again later")
    assert room.delivery["next_try_at"] == room.now + timedelta(seconds=5000)


NO_REDIRECT = "a redirect, which is not followed; write where it leads to into"


def test_what_a_web_server_refuses_for_good_fails_and_redirects_are_not_followed(queued: Open, web: World) -> None:
    refused = {400: "it does not take this", 401: "access refused", 403: "access refused", 404: "it does not take this"}
    words = {f"s{status}": told for status, told in {**refused, 410: "it does not take this"}.items()}
    words |= {f"s{status}": NO_REDIRECT for status in (301, 302, 304, 307, 308)}
    for name in words:
        web.replies[f"/{name}"] = Reply(b"", int(name[1:]), {"Location": web.url("/elsewhere")})
    room = queued(*(by_hook(web.url(f"/{name}?token={SECRET}"), name=name) for name in words))
    for _ in range(2):
        assert delivery.deliver_due(room.app) == 0
        for row in room.rows(DELIVERY):
            assert row["state"] == "failed"
            assert row["error"].startswith(f"127.0.0.1: answered {row['channel'][1:]}, {words[row['channel']]}")
            assert f"channels.{row['channel']}.url" in row["error"]
        room.later(days=1)
    assert [request.path for request in web.requests] == [f"/{name}" for name in words]


@pytest.mark.parametrize("url", ["https://", "ftp://example.org/", "https://[::1/s3cret", "http://a:99999999/", "//x"])
def test_an_address_that_leads_nowhere_is_refused_by_the_configuration_unsaid(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"brands": [{"name": "Acme"}], "channels": [by_hook(url)]})
    assert str(caught.value) == "channels.hook.url: not a web address; it starts with https://"
