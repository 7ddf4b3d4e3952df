"""Every recorded answer of Bluesky, and damaged copies of them, go through the connector, served by a loopback server."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.bluesky import PLUGIN, Bluesky
from connectors.bluesky_options import BlueskyOptions
from connectors.bluesky_wire import home_of
from connectors.contract import Page, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from tests.fakes.bluesky import OWN, FakeBluesky
from tests.fakes.damaging import damaged_copies

pytestmark = pytest.mark.recorded

FATES = (AccessDenied, RateLimited, Unavailable, Malformed, NotThere)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)
COPIES = 4
"""Damaged copies of each recorded answer."""
SIGNED_IN = {"identifier": "ada.example", "app_password": "x"}
FOLLOWING = {"accounts": [OWN]}


@dataclass(frozen=True)
class Recorded:
    name: str
    status: int
    body: bytes

    @property
    def data(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Replay(FakePlatform):
    """Answers everything with one body, the sign-in with ``sign_in``."""

    reply = Reply()
    sign_in: Reply | None = Reply.of_json({"accessJwt": "x"})

    def respond(self, request: Request) -> Reply:
        return self.sign_in if self.sign_in and request.method == "POST" else self.reply


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def answers() -> list[Recorded]:
    if "RECORDED_DATA" not in os.environ:
        pytest.skip("recorded data not present")
    folder = Path(os.environ["RECORDED_DATA"]) / "payloads" / "bluesky"
    rows = json.loads((folder / "index.json").read_text())
    return [Recorded(row["file"], row["status"], (folder / row["file"]).read_bytes()) for row in rows]


def opened(replay: Replay, **options: Any) -> Bluesky:
    pulls = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay)
    given = {"base_url": replay.base_url, **options}
    return Bluesky(BlueskyOptions.model_validate(given), pulls.context(Unlimited()))


def fetched(replay: Replay, **options: Any) -> list[Page]:
    connector = opened(replay, **options)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def outcome_of(call: Callable[[], list[Any]]) -> list[Any] | SourceError:
    try:
        return call()
    except SourceError as error:
        return error


def posts_in(data: Any) -> Iterator[dict[str, Any]]:
    """Each post as it is shown, however deep."""
    if isinstance(data, dict) and {"uri", "author", "record", "indexedAt"} <= set(data) and "text" in data["record"]:
        yield data
    for entry in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from posts_in(entry)


def posts_of(answer: Recorded) -> list[dict[str, Any]]:
    return list({post["uri"]: post for post in posts_in(answer.data)}.values())


@pytest.mark.parametrize("options", [SIGNED_IN, FOLLOWING], ids=["search", "account"])
def test_no_recorded_post_is_lost_or_doubled_or_altered(replay: Replay, options: dict[str, Any]) -> None:
    total = 0
    for answer in answers():
        posts = posts_of(answer)
        replay.reply = Reply.of_json({"posts": posts, "feed": [{"post": post} for post in posts]})
        pages = fetched(replay, **options)
        brought = Counter(item.external_id for page in pages for item in page.items)
        assert brought == Counter(post["uri"] for post in posts), answer.name
        assert not [entry for page in pages for entry in page.skipped], answer.name
        told = {post["uri"]: post for post in posts}
        for item in (item for page in pages for item in page.items):
            post = told[item.external_id]
            assert (item.text or "") == post["record"]["text"].strip()
            assert item.counts.likes == post.get("likeCount")
            assert item.author is not None
            assert item.author.id == post["author"]["did"]
        total += len(brought)
    assert total > 60


def test_every_recorded_feed_gives_what_the_account_wrote_itself(replay: Replay) -> None:
    for answer in answers():
        if isinstance(answer.data, dict) and isinstance(answer.data.get("feed"), list):
            replay.reply = Reply(answer.body)
            own = [entry["post"]["uri"] for entry in answer.data["feed"] if "reason" not in entry]
            pages = fetched(replay, **FOLLOWING)
            assert Counter(item.external_id for page in pages for item in page.items) == Counter(own), answer.name


@pytest.mark.parametrize("options", [SIGNED_IN, FOLLOWING], ids=["search", "account"])
def test_every_recorded_answer_is_posts_or_one_of_the_fates(replay: Replay, options: dict[str, Any]) -> None:
    wanted = "posts" if options is SIGNED_IN else "feed"
    for answer in answers():
        replay.reply = Reply(answer.body, answer.status)
        outcome = outcome_of(lambda: fetched(replay, **options))
        if answer.status == 403:
            assert type(outcome) is AccessDenied, answer.name
        elif isinstance(answer.data, dict) and wanted in answer.data:
            assert isinstance(outcome, list), answer.name
        else:
            assert type(outcome) is Unavailable, answer.name


def test_every_recorded_answer_in_place_of_a_sign_in_is_a_session_or_a_fate(replay: Replay) -> None:
    replay.reply = Reply.of_json({"posts": []})
    signed_in = 0
    for number, answer in enumerate(answers()):
        replay.sign_in = Reply(answer.body, answer.status)
        outcome = outcome_of(lambda number=number: fetched(replay, identifier=f"{number}", app_password="x"))  # type: ignore[misc]
        assert isinstance(outcome, list) is ("accessJwt" in (answer.data or {})), answer.name
        signed_in += isinstance(outcome, list)
    assert signed_in == 1


def test_recorded_identities_name_the_host_of_their_account() -> None:
    homes = {
        home_of({"didDoc": data.get("didDoc", data)}, "https://bsky.social")
        for data in (answer.data for answer in answers())
        if isinstance(data, dict) and "didDoc" in data
    }
    assert homes == {"https://bsky.social", "https://shimeji.us-east.host.bsky.network"}


def test_every_recorded_profile_tells_its_followers(replay: Replay) -> None:
    profiles = [answer.data for answer in answers() if "followersCount" in (answer.data or {})]
    replay.reply = Reply.of_json({"profiles": profiles})
    readings = list(opened(replay, accounts=[profile["handle"] for profile in profiles]).followers())
    assert [reading.count for reading in readings] == [profile["followersCount"] for profile in profiles]
    assert readings


def test_every_recorded_post_is_refreshed_once(replay: Replay) -> None:
    for answer in answers():
        posts = posts_of(answer)[:25]
        replay.reply = Reply.of_json({"posts": posts})
        fresh = list(opened(replay, **FOLLOWING).refresh([post["uri"] for post in posts]))
        assert [entry.external_id for entry in fresh] == [post["uri"] for post in posts]
        assert not [entry for entry in fresh if entry.gone]


def test_damaged_answers_never_come_to_anything_but_the_fates(replay: Replay) -> None:
    for number, answer in enumerate(answers()):
        posts = posts_of(answer)[:20]
        shaped = json.dumps({"posts": posts, "feed": [{"post": post} for post in posts], "cursor": "x"}).encode()
        for body in (*damaged_copies(answer.body, COPIES, number), *damaged_copies(shaped, COPIES * 2, number)):
            replay.reply = Reply(body, answer.status)
            for options in (SIGNED_IN, FOLLOWING, SIGNED_IN | {"author_followers": True}):
                outcome = outcome_of(lambda options=options: fetched(replay, **options))  # type: ignore[misc]
                assert isinstance(outcome, (list, *FATES)), answer.name


def test_damaged_sign_ins_and_profiles_never_come_to_anything_but_the_fates(replay: Replay) -> None:
    for number, answer in enumerate(answers()):
        if {"accessJwt", "followersCount"} & set(answer.data or {}):
            for copy, body in enumerate(damaged_copies(answer.body, 40, number)):
                replay.sign_in, replay.reply = Reply(body), Reply(b'{"profiles": [' + body + b"]}")
                signing = {"identifier": f"{number} {copy}", "app_password": "x"}
                assert isinstance(outcome_of(lambda signing=signing: fetched(replay, **signing)), FATES)  # type: ignore[misc]
                counted = outcome_of(lambda: list(opened(replay, **FOLLOWING).followers()))
                assert isinstance(counted, (list, *FATES))


def test_damaged_answers_refresh_none_but_what_was_asked_for(replay: Replay) -> None:
    fake = FakeBluesky()
    seeds = fake.publish(3)
    told = json.dumps({"posts": [fake.view(seed) for seed in seeds]}).encode()
    uris = [fake.external_id(seed) for seed in seeds]
    fake.close()
    for body in damaged_copies(told, 150):
        replay.reply = Reply(body)
        outcome = outcome_of(lambda: list(opened(replay, **FOLLOWING).refresh(uris)))
        assert isinstance(outcome, FATES) or [entry.external_id for entry in outcome] == uris
