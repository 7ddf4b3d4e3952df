"""Digests to Slack and, by Apprise, to chat services: servers that answer as these do, kindly and not."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.testing import Reply
from monitor import delivery
from monitor.channels.chats import LONGEST, service, written
from monitor.config import ConfigError, parse
from monitor.config.channels import OTHERWISE, REFUSED_OPTIONS, SERVICES
from storage.tables import DELIVERY
from tests.fakes.newsroom import Open, deliver, letter
from tests.unit.http_world import World

TOKEN = "T0000/B0000/s3cret-token"
TRAP = "MARKED <!channel> @everyone <https://evil.example|click>"
REVIEWS = (("r1", "MARKED-TITLE", TRAP, "2026-11-19T10:00:00Z", 1, "Marked-Author"),)


def to_slack(web: World, **given: Any) -> dict[str, Any]:
    return {"name": "slack", "type": "slack", "url": web.url(f"/services/{TOKEN}"), **given}


def by_apprise(*urls: str, **given: Any) -> dict[str, Any]:
    return {"name": "chat", "type": "apprise", "url": list(urls), **given}


def host(web: World) -> str:
    return web.url("").removeprefix("http://")


def slack_says(web: World, status: int, words: str, **headers: str) -> None:
    web.replies[f"/services/{TOKEN}"] = Reply(words.encode(), status, headers)


# --- Slack


def test_slack_gets_blocks_that_call_nobody(queued: Open, web: World) -> None:
    slack_says(web, 200, "ok")
    assert deliver(queued(to_slack(web), reviews=REVIEWS)) == (1, "sent", "")
    (request,) = web.requests
    assert request.headers["content-type"].startswith("application/json")
    body = json.loads(request.body)
    shown = json.dumps(body, ensure_ascii=False)
    assert body["blocks"][0]["type"] == "header"
    assert body["text"].startswith("daily: ")
    assert "MARKED &lt;!channel&gt;" in shown
    assert "<!channel>" not in shown
    assert "@everyone" not in shown
    assert "<https://evil" not in shown
    assert "Every source is known up to Fri 20 Nov, 08:00" in shown


@pytest.mark.parametrize(
    ("status", "word", "state", "told"),
    [
        (404, "channel_is_archived", "failed", "answered 404 channel_is_archived: the channel is archived; make a new"),
        (410, "channel_is_archived", "failed", "answered 410 channel_is_archived: the channel is archived"),
        (404, "no_service", "failed", "the webhook was removed; make a new one"),
        (400, "invalid_blocks", "failed", "answered 400 invalid_blocks, it does not take this"),
        (403, "invalid_token", "failed", "the webhook's address is not valid any more"),
        (400, "MARKED words, not to be told", "failed", "answered 400, it does not take this"),
        (500, "rollup_error", "queued", "answered 500 rollup_error; trying again later"),
        (503, "", "queued", "answered 503; trying again later"),
        (302, "", "failed", "answered 302, it does not take this"),
    ],
)
def test_what_slack_refuses_is_told_with_its_word(
    queued: Open, web: World, status: int, word: str, state: str, told: str
) -> None:
    slack_says(web, status, word)
    sent, found, error = deliver(queued(to_slack(web)))
    assert (sent, found) == (0, state)
    assert error.startswith("127.0.0.1: ")
    assert told in error
    assert "MARKED" not in error
    assert "s3cret" not in error
    assert len(web.requests) == 1


def test_slack_is_asked_again_when_it_says(queued: Open, web: World) -> None:
    room = queued(to_slack(web))
    slack_says(web, 429, "rate_limited", **{"Retry-After": "3000"})
    assert deliver(room) == (0, "queued", "127.0.0.1: answered 429 rate_limited; trying again later")
    assert room.delivery["next_try_at"] == room.now + timedelta(seconds=3000)
    slack_says(web, 200, "ok")
    room.later(seconds=3000)
    assert deliver(room) == (1, "sent", "")


# --- services by Apprise


def test_services_get_a_message_that_calls_nobody(queued: Open, web: World) -> None:
    web.replies = dict.fromkeys(("/", "/message"), Reply.of_json({"success": True}))
    urls = ("ntfy://{}/topic", "gotify://{}/s3cret-token", "mmost://{}/abcdefgh12345678")
    room = queued(*(by_apprise(url.format(host(web)), name=url[:5]) for url in urls), reviews=REVIEWS)
    assert delivery.deliver_due(room.app) == 3
    sent = {request.path: request.body.decode() for request in web.requests}
    assert list(sent) == ["/", "/message", "/hooks/abcdefgh12345678"]
    for body in sent.values():
        shown = json.dumps(json.loads(body), ensure_ascii=False)
        assert "negative of 1 review" in shown
        assert "@\u200beveryone" in shown
        assert "@everyone" not in shown
        assert "<!channel>" not in shown
    assert "](https://evil" not in sent["/hooks/abcdefgh12345678"]


@pytest.fixture
def chat_address(web: World) -> str:
    return f"gotify://{host(web)}/s3cret-token"


@pytest.mark.parametrize(
    ("status", "state", "told"),
    [
        (400, "failed", "gotify://: answered 400, it does not take this; look at channels.chat.url"),
        (401, "failed", "gotify://: answered 401, access refused or gone; look at channels.chat.url"),
        (404, "failed", "gotify://: answered 404, access refused or gone; look at channels.chat.url"),
        (429, "queued", "gotify://: answered 429; trying again later"),
        (503, "queued", "gotify://: answered 503; trying again later"),
    ],
)
def test_what_a_service_refuses_is_tried_again_or_fails(
    queued: Open, web: World, chat_address: str, status: int, state: str, told: str
) -> None:
    web.replies["/message"] = Reply(b'{"error": "MARKED"}', status)
    assert deliver(queued(by_apprise(chat_address))) == (0, state, told)


def test_a_service_that_is_away_is_tried_again_until_it_is_back(queued: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    room = queued(by_apprise(f"gotify://127.0.0.1:{port}/s3cret-token"))
    assert deliver(room) == (0, "queued", "gotify://: did not take it; trying again later")


def test_of_several_addresses_those_that_fail_are_named_and_nobody_gets_it_twice(
    queued: Open, web: World, chat_address: str
) -> None:
    web.replies["/"] = Reply(b"{}", 503)
    room = queued(by_apprise(f"ntfy://{host(web)}/topic", chat_address))
    expected = "sent, but not everywhere; ntfy://: answered 503; trying again later"
    assert deliver(room) == (1, "sent", expected.removesuffix("; trying again later"))
    room.later(days=1)
    assert delivery.deliver_due(room.app) == 0
    assert [request.path for request in web.requests] == ["/", "/message"]


def test_an_address_that_is_not_complete_fails_and_says_where_to_look(queued: Open) -> None:
    sent, state, error = deliver(queued(by_apprise("discord://only-an-id-s3cret/")))
    assert (sent, state, error) == (0, "failed", "discord://: the address is not complete; look at channels.chat.url")


def test_the_addresses_of_services_are_told_nowhere(
    queued: Open, web: World, chat_address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    web.replies["/message"] = Reply(b"", 500)
    slack_says(web, 500, "")
    room = queued(by_apprise(chat_address, "ntfy://user:s3cret-word@127.0.0.1:9/x"), to_slack(web))
    assert delivery.deliver_due(room.app) == 0
    told = caplog.text + repr(room.app) + str(room.rows(DELIVERY)) + "".join(capfd.readouterr())
    assert "s3cret" not in told
    assert "gotify" in told


# --- what Apprise is not let do


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "syslog://", "dbus://", "windows://", "macosx://", "gnome://", "glib://", "exec://x",
        "json://localhost", "form://localhost", "rsyslog://localhost", "fcm://project@key/?keyfile=/etc/passwd",
        "vapid://a@b.c/x", "smpp://a:b@c/1/2", "mqtt://localhost/x", "config://x", "apprise://localhost/x", "kde://",
        "https://discord.com/api/webhooks/1/2", "mailto://a:b@example.org", "slack://a/b/c", "nonsense", "", "://x",
    ],
)  # fmt: skip
def test_only_services_on_the_network_are_taken(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"brands": [{"name": "Acme"}], "channels": [by_apprise(url)]})
    assert re.match(r"channels\.chat\.url: (\S+ is not taken|is no address)", str(caught.value))
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize("option", sorted(REFUSED_OPTIONS))
def test_options_that_reach_files_or_hide_failures_are_refused(option: str) -> None:
    for written_ in (option, option.upper(), f"a=b&{option}"):
        with pytest.raises(ConfigError, match=f"the option {option} is not taken"):
            parse(
                {"brands": [{"name": "Acme"}], "channels": [by_apprise(f"discord://1/s3cret?{written_}=/etc/passwd")]}
            )


def test_a_service_with_its_own_channel_type_is_pointed_to_it() -> None:
    for kind, instead in OTHERWISE.items():
        with pytest.raises(ConfigError, match=re.escape(instead)):
            parse({"brands": [{"name": "Acme"}], "channels": [by_apprise(f"{kind}://x/y")]})


EXAMPLES = {
    "discord": "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz",
    "gchat": "gchat://workspace/key/token",
    "matrix": "matrix://user:pass@127.0.0.1/#room",
    "mmost": "mmost://127.0.0.1/abcdefgh12345678",
    "ntfy": "ntfy://127.0.0.1/topic",
    "pover": f"pover://{'u' * 30}@{'t' * 30}",
    "rocket": "rocket://user:pass@127.0.0.1/#room",
    "signal": "signal://127.0.0.1:8080/+15551234567/+15557654321",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "webex": "wxteams://" + "a" * 80,
    "workflows": "workflows://prod.example.org:443/643e69f83c8944438d68119179a10a64/KODXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX/",
    "zulip": f"zulip://bot@organization/{'a' * 32}/stream",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_message_fits_its_service(queued: Open, name: str) -> None:
    many = [(f"r{n}", f"T{n}", TRAP * 5, "2026-11-19T10:00:00Z", 1, "A") for n in range(30)]
    room = queued(by_apprise(EXAMPLES[name]), reviews=many)
    found = service(EXAMPLES[name], "channels.chat.url")
    kind = EXAMPLES[name].partition(":")[0]
    title, body = written(found, kind, letter(room))
    assert len(title) <= found.title_maxlen
    assert 0 < len(body.encode()) <= min(LONGEST, found.body_maxlen)
    assert "negative of 30 reviews" in body


def test_every_known_service_is_one_of_the_library_s_and_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    from apprise.plugins import N_MGR

    known = set(N_MGR.schemas())  # type: ignore[no-untyped-call]
    assert known >= set(SERVICES)
    assert not known & set(SERVICES) & {"syslog", "dbus", "windows", "macosx", "fcm", "vapid", "gnome", "glib"}


@pytest.fixture(autouse=True)
def _no_store_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library would keep facts on disk, if it were let."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    yield
    assert not (tmp_path / "home").exists()
