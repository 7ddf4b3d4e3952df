"""What is sent to us is taken from those who may send, once, and as they meant it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Delivery, Item, Kind, Page, Rating, Reply
from connectors.errors import AccessDenied, SourceError, TooLarge
from connectors.testing.platform import NOW, Seed
from connectors.testing.receiving import PushCase, PushSuite, as_json, seeds
from connectors.webhook import PLUGIN
from tests.fakes.damaging import damaged_copies
from tests.fakes.senders import SECRET, Sent, signature, signed

DOC = Path(__file__).parents[2] / "docs" / "connectors" / "webhook.md"
TOKEN = "a token of the two of us"


def body_of(sent: Sequence[Seed]) -> bytes:
    return as_json(
        [
            {"id": seed.number, "published_at": "soon" if seed.damaged else seed.at.isoformat(), "text": seed.text}
            for seed in sent
        ]
    )


def timestamped(body: bytes, at: datetime, key: str) -> Mapping[str, str]:
    return signed(body, at, key).headers


def as_github_does(body: bytes, _at: datetime, key: str) -> Mapping[str, str]:
    return {"X-Hub-Signature-256": f"sha256={signature(SECRET, body)}", "X-GitHub-Delivery": key}


def with_a_token(_body: bytes, _at: datetime, key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}


LARGE = b" " * 1_100_000
NO_TIME = {"replay": "no time is signed", "old_timestamp": "no time is signed"}


class TestWebhook(PushSuite):
    push = PushCase(PLUGIN, {"secret": SECRET}, timestamped, body_of, LARGE, (SECRET,))


class TestWebhookAsGithub(PushSuite):
    push = PushCase(PLUGIN, {"secret": SECRET, "style": "github"}, as_github_does, body_of, LARGE, (SECRET,), NO_TIME)


class TestWebhookWithToken(PushSuite):
    push = PushCase(
        PLUGIN,
        {"token": TOKEN},
        with_a_token,
        body_of,
        LARGE,
        (TOKEN,),
        {**NO_TIME, "bad_signature": "nothing is signed"},
    )


FIELDS = {"external_id": "id", "published_at": "published_at", "text": "text"}


class TestWebhookMapped(PushSuite):
    push = PushCase(PLUGIN, {"secret": SECRET, "fields": FIELDS}, timestamped, body_of, LARGE, (SECRET,))


def opened(at: datetime = NOW, **options: Any) -> Any:
    class Opener(PushSuite):
        push = PushCase(PLUGIN, {"secret": SECRET, **options}, timestamped, body_of, LARGE)

    return Opener().opened(at)


def taken(what: Any, **options: Any) -> Page:
    sent = signed(what, NOW)
    page: Page = opened(**options).accept(sent.body, sent.headers)
    return page


def one(what: Any, **options: Any) -> Item:
    (item,) = taken(what, **options).items
    return item


# ------------------------------------------------------------------------------------------------------ who sends


@pytest.mark.parametrize(
    "write",
    [
        lambda right: right.upper(),
        lambda right: f"sha256={right}",
        lambda right: f" v1={right} ",
        lambda right: f"{'0' * 64}, {right}",
    ],
)
def test_a_signature_may_be_written_in_several_ways(write: Any) -> None:
    sent = signed({"text": "hi"}, NOW)
    assert opened().accept(sent.body, {**sent.headers, "X-Signature": write(sent.headers["X-Signature"])}).items


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Signature": "é" * 64},
        {"X-Signature": ",".join(["0" * 64] * 9)},
        {"X-Timestamp": "now"},
        {"X-Timestamp": "9" * 400},
        {"X-Timestamp": "-1"},
        {"X-Timestamp": "nan"},
    ],
)
def test_headers_of_any_kind_are_refused_in_order(headers: dict[str, str]) -> None:
    sent = signed({"text": "hi"}, NOW)
    stamp = headers.get("X-Timestamp")
    right = {"X-Signature": signature(SECRET, sent.body, stamp)} if stamp else {}
    with pytest.raises(AccessDenied):
        opened().accept(sent.body, {**sent.headers, **right, **headers})


def test_a_signed_time_may_be_in_milliseconds() -> None:
    stamp = str(int(NOW.timestamp() * 1000))
    sent = Sent(b'{"text": "hi"}', {"X-Timestamp": stamp, "X-Signature": signature(SECRET, b'{"text": "hi"}', stamp)})
    assert opened().accept(sent.body, sent.headers).items


def test_the_tolerance_is_as_configured() -> None:
    for seconds, good in ((299, True), (-299, True), (301, False), (-301, False)):
        sent = signed({"text": "hi"}, NOW + timedelta(seconds=seconds))
        if good:
            opened().accept(sent.body, sent.headers)
            continue
        with pytest.raises(AccessDenied, match="too far from now"):
            opened().accept(sent.body, sent.headers)
        opened(tolerance_seconds=600).accept(sent.body, sent.headers)


def test_the_old_secret_is_good_while_a_sender_changes_over() -> None:
    sent = signed({"text": "hi"}, NOW, secret="the old secret")
    with pytest.raises(AccessDenied):
        opened().accept(sent.body, sent.headers)
    assert opened(old_secret="the old secret").accept(sent.body, sent.headers).items


def test_the_headers_may_have_other_names() -> None:
    names = {"signature_header": "X-Sig", "timestamp_header": "X-Time", "id_header": "X-Id"}
    sent = signed({"text": "hi"}, NOW, "7")
    headers = {"X-Sig": sent.headers["X-Signature"], "X-Time": sent.headers["X-Timestamp"], "X-Id": "7"}
    connector = opened(**names)
    assert connector.accept(sent.body, headers).items
    assert connector.delivery(sent.body, headers).key == "7"


def test_a_token_may_come_in_a_header_of_its_own() -> None:
    connector = opened(secret=None, token=TOKEN, token_header="X-Api-Key")
    assert connector.accept(b'{"text": "hi"}', {"x-api-key": TOKEN}).items
    assert connector.delivery(b"", {}) == Delivery()
    for wrong in (f"{TOKEN}.", "", "Bearer"):
        with pytest.raises(AccessDenied):
            connector.accept(b'{"text": "hi"}', {"x-api-key": wrong})


def test_without_secret_and_token_nobody_can_send() -> None:
    connector = opened(secret=None)
    for act in (connector.check, lambda: connector.accept(b"{}", {"X-Signature": signature("", b"{}", "")})):
        with pytest.raises(AccessDenied, match="nobody can send"):
            act()


def test_a_long_key_is_shortened_and_stays_itself() -> None:
    keys = [opened().delivery(b"", {"Idempotency-Key": "k" * 5_000 + end}).key for end in "aab"]
    assert (keys[0] == keys[1] != keys[2], len(keys[0] or "") <= 150) == (True, True)


@pytest.mark.parametrize(
    "options",
    [
        {"token": TOKEN},
        {"secret": "short"},
        {"secret": None, "old_secret": SECRET},
        {"signature_header": "X Sig"},
        {"rating_worst": 5},
        {"timezone": "Mars/Base"},
        {"max_bytes": 10**9},
        {"items": "[["},
        {"items": "a"},
        {"html": True},
        {"fields": {"text": "t"}},
        {"fields": {"external_id": "id"}},
        {"fields": {"external_id": "id", "text": "a b c"}},
        {"fields": {"external_id": "id", "text": 5}},
        {"fields": {"external_id": "id", "text": "t", "colour": "c"}},
        {"fields": {"external_id": "id", "text": "t"}, "time_format": "x"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        opened(**options)


# --------------------------------------------------------------------------------------------------- what is sent


def test_an_item_may_say_all_that_an_item_has() -> None:
    item = one(
        {
            "id": 7,
            "kind": "review",
            "published_at": "2026-10-31T10:00:00+02:00",
            "updated_at": "2026-10-31T09:00:00Z",
            "title": "Good",
            "text": "<p>I love it</p>",
            "url": "https://shop.example/7",
            "language": "en",
            "author": {"id": "u1", "name": "Ana", "followers": 12},
            "rating": {"value": 9, "worst": 0, "best": 10},
            "likes": 3,
            "comments": 0,
            "reply": {"text": "Thanks", "at": "2026-11-01"},
            "place": "Shop",
            "parent_title": "Phones",
            "attributes": {"country": "DE", "verified": True, "order": 12},
            "score": 99,
        }
    )
    assert (item.external_id, item.kind, item.published_at) == (
        "mine:7",
        Kind.REVIEW,
        datetime(2026, 10, 31, 8, tzinfo=UTC),
    )
    assert (item.title, item.text, item.url, item.language) == ("Good", "I love it", "https://shop.example/7", "en")
    assert (item.author, item.rating) == (Author("u1", "Ana", 12), Rating(9, 0, 10))
    assert (item.counts.likes, item.counts.comments, item.counts.views) == (3, 0, None)
    assert item.reply == Reply("Thanks", datetime(2026, 11, 1, tzinfo=UTC))
    assert (item.place, item.parent_title) == ("Shop", "Phones")
    assert item.attributes == {"country": "DE", "verified": "true", "order": "12"}


def test_a_text_is_enough_and_keeps_its_id_whenever_it_comes() -> None:
    first, second = one({"text": "hi"}), one({"text": "hi"})
    assert (first.external_id, first.published_at, first.kind) == (second.external_id, NOW, Kind.MENTION)
    assert one({"text": "hi"}, sender="shop").external_id.startswith("shop:")


def test_one_item_a_list_and_a_list_named_items_are_taken() -> None:
    for what, count in (
        ({"text": "a"}, 1),
        ([{"text": "a"}, {"text": "b"}], 2),
        ({"items": [{"text": "a"}]}, 1),
        ([], 0),
    ):
        assert len(taken(what).items) == count


def test_the_options_say_what_the_items_are() -> None:
    assert one({"text": "hi"}, kind="review").kind == Kind.REVIEW
    assert one({"text": "hi", "rating": 7}, rating_best=10).rating == Rating(7, 1, 10)
    assert one({"text": "hi", "published_at": "2026-10-31 10:00"}, timezone="Europe/Berlin").published_at.hour == 9
    assert one({"text": "hi", "Order No.": 5}, attributes=["Order No."]).attributes == {"order_no": "5"}


def test_more_items_than_are_taken_at_once_are_refused() -> None:
    with pytest.raises(TooLarge, match="send at most 3"):
        taken([{"text": "a"}] * 4, max_items=3)


SURVEY = {
    "event": "answered",
    "answers": [
        {"ref": 1, "when": 1793527200, "said": {"words": "<b>Great</b>", "stars": 8}, "by": "Ana", "tags": ["a", "b"]},
        {"ref": None, "said": {"words": "lost"}},
    ],
}
MAPPING = {
    "items": "answers",
    "fields": {
        "external_id": "ref",
        "published_at": "when",
        "text": "said.words",
        "rating": "said.stars",
        "author": {"name": "by"},
        "attributes": {"tags": "tags"},
    },
    "html": True,
    "rating_best": 10,
}


def test_another_shape_is_read_by_a_mapping() -> None:
    page = taken(SURVEY, **MAPPING)
    (item,) = page.items
    assert (item.external_id, item.text, item.rating) == ("mine:1", "Great", Rating(8, 1, 10))
    assert (item.published_at, item.author) == (datetime.fromtimestamp(1793527200, UTC), Author("Ana", "Ana"))
    assert (item.attributes, item.kind) == ({"tags": "a, b"}, Kind.REVIEW)
    assert [(skip.what, skip.why) for skip in page.skipped] == [("item 2", "external_id: empty")]
    other = taken({"event": "ping"}, **MAPPING)
    assert (list(other.items), list(other.skipped)) == ([], [])


def test_a_time_that_is_not_told_is_the_time_of_arrival() -> None:
    mapping = {"fields": {"external_id": "id", "text": "t", "published_at": "at"}, "time_format": "iso8601"}
    assert one({"id": 1, "t": "x"}, **mapping).published_at == NOW
    assert taken({"id": 1, "t": "x", "at": "soon"}, **mapping).skipped


# ------------------------------------------------------------------------------------- documented, recorded, damaged


def _examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documented_signing_in_python_is_accepted() -> None:
    (example,) = [code for code in _examples("python") if "hmac" in code]
    space: dict[str, Any] = {}
    exec(example.replace('os.environ["WEBHOOK_SECRET"]', repr(SECRET)), space)
    request = space["signed_request"]([{"id": "1", "text": "I love it"}])
    headers = dict(request.header_items())
    stamp = datetime.fromtimestamp(int(headers["X-timestamp"]), UTC)
    assert opened(at=stamp).accept(request.data, headers).items[0].text == "I love it"


OPENSSL = """#!{python}
import hashlib, hmac, sys
key = sys.argv[sys.argv.index("-hmac") + 1]
print(hmac.new(key.encode(), sys.stdin.buffer.read(), hashlib.sha256).hexdigest(), "*stdin")
"""
"""What stands in for `openssl dgst -sha256 -hmac KEY -r` on a machine without it."""


def test_the_documented_signing_in_a_shell_is_accepted(tmp_path: Path) -> None:
    (example,) = [code for code in _examples("sh") if "openssl" in code]
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    curl.chmod(0o755)
    if shutil.which("openssl") is None:
        (tmp_path / "openssl").write_text(OPENSSL.format(python=sys.executable))
        (tmp_path / "openssl").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "WEBHOOK_SECRET": SECRET}
    done = subprocess.run(["sh", "-c", example], capture_output=True, text=True, cwd=tmp_path, env=env, check=True)
    said = done.stdout.splitlines()
    headers = dict(line.split(": ", 1) for line in said if re.match(r"[\w-]+: ", line))
    body = (tmp_path / "body.json").read_bytes()
    stamp = int(headers["X-Timestamp"])
    sent = signed(body, datetime.fromtimestamp(stamp, UTC), headers["Idempotency-Key"])
    assert headers["X-Signature"].removeprefix("sha256=") == sent.headers["X-Signature"]
    assert "@body.json" in said
    assert opened(at=datetime.fromtimestamp(stamp, UTC)).accept(body, headers).items


def test_the_documented_body_is_read_whole() -> None:
    (body,) = _examples("json")[:1]
    page = taken(json.loads(body))
    assert (len(page.items), page.skipped) == (len(json.loads(body)["items"]), [])


GITHUB = {
    "items": "comment || issue || discussion",
    "fields": {
        "external_id": "node_id",
        "published_at": "created_at",
        "updated_at": "updated_at",
        "title": "title",
        "text": "body",
        "url": "html_url",
        "author": {"id": "to_string(user.id)", "name": "user.login"},
    },
}


@pytest.mark.recorded
def test_recorded_bodies_come_by_a_mapping_and_damaged_ones_raise_nothing() -> None:
    if "RECORDED_DATA" not in os.environ:
        pytest.skip("recorded data not present")
    folder = Path(os.environ["RECORDED_DATA"]) / "payloads" / "webhook"
    bodies = {path.name: path.read_bytes() for path in sorted(folder.glob("*.payload.json"))}
    assert len(bodies) >= 31
    connector = opened(style="github", **GITHUB)
    for number, (name, body) in enumerate(bodies.items()):
        page = connector.accept(body, as_github_does(body, NOW, "k"))
        assert len(page.items) == (0 if name.startswith(("star", "watch")) else 1), name
        for copy in damaged_copies(body, 8, seed=number):
            for reader in (connector, opened(style="github")):
                found = reader.accept(copy, as_github_does(copy, NOW, "k"))
                assert len(found.items) <= 1


def test_damaged_bodies_of_our_own_raise_nothing_but_fates() -> None:
    body = json.dumps(
        {"items": [{"id": n, "text": "hi", "rating": {"value": 3}, "author": {"name": "A"}} for n in range(3)]}
    )
    came = 0
    for copy in damaged_copies(body.encode(), 300, seed=3):
        try:
            came += len(opened().read(copy).items)
        except SourceError:
            continue
    assert came > 300


def test_the_suite_s_own_seeds_are_distinct() -> None:
    assert len({seed.text for seed in seeds(9)}) == 9
