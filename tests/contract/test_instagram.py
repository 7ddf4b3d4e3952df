from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Connector, Counts, CountsFollowers, Kind, RequestBudget, Unlimited
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError
from connectors.instagram import PLUGIN, InstagramOptions
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.graph import TOKEN, refused
from tests.fakes.instagram import ACCOUNT, OWN, FakeInstagram
from tests.fakes.replay import Replay, recorded

CASE = Case(plugin=PLUGIN, fake=FakeInstagram)


class TestInstagram(ContractSuite):
    case = CASE


class Source(Pulls):
    def __init__(self, fake: FakeInstagram, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.options = {**fake.options(), **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        options = InstagramOptions(base_url=self.fake.base_url, **self.options)
        return PLUGIN.open(options, self.context(budget or Unlimited()))


@pytest.fixture
def fake() -> Iterator[FakeInstagram]:
    fake = FakeInstagram()
    yield fake
    fake.close()


def test_own_posts_and_comments_on_them_arrive_in_one_pull(fake: FakeInstagram) -> None:
    (post,) = fake.put(fake.publish(1), OWN)
    fake.put(fake.publish(70, every=timedelta(seconds=1)), fake.comments_on(post))
    source = Source(fake, hashtags=())
    source.pull()
    assert set(source.stored) == fake.expected()
    item = source.stored[fake.external_id(post)]
    assert (item.kind, item.counts) == (Kind.POST, Counts(likes=3, comments=70))
    assert item.author is not None
    assert item.author.name == "AcmeHQ"
    assert Counter(item.kind for item in source.stored.values()) == {Kind.MENTION: 70, Kind.POST: 1}


def test_answers_to_comments_come_and_the_accounts_own_are_own(fake: FakeInstagram) -> None:
    (post,) = fake.put(fake.publish(1), OWN)
    (comment,) = fake.put(fake.publish(1), fake.comments_on(post))
    answer = {"id": "555", "timestamp": "2026-11-01T11:59:00+0000", "text": "Thanks", "username": "acmehq"}
    fake.changes[comment.number] = lambda entry: entry.update(replies={"data": [answer]})
    source = Source(fake)
    source.pull()
    assert source.stored["555"].kind is Kind.POST
    assert source.stored["555"].attributes == {
        "type": "comment",
        "post": fake.external_id(post),
        "reply_to": fake.external_id(comment),
    }
    assert source.stored[fake.external_id(comment)].kind is Kind.MENTION


def test_comments_are_read_again_when_their_number_changed(fake: FakeInstagram) -> None:
    (post,) = fake.put(fake.publish(1), OWN)
    fake.put(fake.publish(2), fake.comments_on(post))
    source = Source(fake)
    source.pull()
    asked = len(fake.paths)
    source.pull()
    assert fake.comments_on(post) not in fake.paths[asked:]
    fake.put(fake.publish(1, at=NOW), fake.comments_on(post))
    source.now = NOW + timedelta(minutes=5)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_a_hashtags_posts_have_no_author(fake: FakeInstagram) -> None:
    fake.publish(2)
    source = Source(fake)
    source.pull()
    assert {(item.author, item.place) for item in source.stored.values()} == {(None, "#acme")}


def test_a_hashtag_is_asked_for_its_number_once(fake: FakeInstagram) -> None:
    source = Source(fake)
    source.pull()
    source.pull()
    assert fake.paths.count("/ig_hashtag_search") == 1


def test_a_hashtag_not_asked_for_a_day_is_a_gap(fake: FakeInstagram) -> None:
    fake.publish(2)
    source = Source(fake)
    for hours in (0, 20, 40, 70):
        source.now = NOW + timedelta(hours=hours)
        source.pull()
    (gap,) = [page.gap for page in source.pages if page.gap]
    assert (gap.since, gap.until) == (NOW + timedelta(hours=40), NOW + timedelta(hours=46))


def test_a_hashtag_that_nobody_used_is_a_gap_beside_the_others(fake: FakeInstagram) -> None:
    fake.publish(2)
    source = Source(fake, hashtags=("acme", "nobodyusesthis"))
    source.pull()
    assert set(source.stored) == fake.expected()
    assert [page.gap.reason[:15] for page in source.pages if page.gap] == ["#nobodyusesthis"]


def test_too_many_hashtags_in_a_week_wait_a_day(fake: FakeInstagram) -> None:
    fake.answers["/ig_hashtag_search"] = refused(18)
    with pytest.raises(RateLimited) as caught:
        Source(fake).pull()
    assert caught.value.retry_after == timedelta(days=1)


def test_an_expired_token_is_access_denied(fake: FakeInstagram) -> None:
    with pytest.raises(AccessDenied):
        Source(fake, access_token="another").pull()


def test_an_account_that_is_not_there_is_said(fake: FakeInstagram) -> None:
    fake.answers[f"/{ACCOUNT}"] = refused(100)
    with pytest.raises(NotThere):
        Source(fake).open().check()


def test_followers_are_counted(fake: FakeInstagram) -> None:
    connector = Source(fake).open()
    assert isinstance(connector, CountsFollowers)
    assert [(reading.account, reading.count) for reading in connector.followers()] == [("AcmeHQ", 4321)]


def test_the_token_is_in_no_address_and_no_cursor(fake: FakeInstagram) -> None:
    fake.publish(120)
    source = Source(fake)
    source.pull()
    assert not [request for request in fake.loopback.requests if TOKEN in str(request.query)]
    assert TOKEN not in json.dumps([page.cursor for page in source.pages])


@pytest.mark.parametrize(
    "wrong", [{"account": "acme"}, {"hashtags": ["a b"]}, {"hashtags": [f"tag{n}" for n in range(31)]}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InstagramOptions.model_validate({"account": ACCOUNT, "access_token": "t", **wrong})


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://www.instagram.com/explore/tags/Acme/", {"hashtags": ["acme"]}),
        ("https://www.instagram.com/acme/", None),
        ("https://elsewhere.example/explore/tags/acme/", None),
        ("https://[instagram.com/", None),
    ],
)
def test_links_to_hashtags_are_recognised(link: str, options: object) -> None:
    assert PLUGIN.recognise(link) == options


# --- recorded and damaged


class InstagramReplay(Replay):
    def __init__(self) -> None:
        super().__init__()
        self.prelude = {f"/{ACCOUNT}": Reply.of_json({"id": ACCOUNT, "username": "acme", "followers_count": 1})}

    def options(self) -> Mapping[str, Any]:
        return {"account": ACCOUNT, "access_token": TOKEN, "hashtags": ["acme"]}


@pytest.fixture
def replay() -> Iterator[InstagramReplay]:
    replay = InstagramReplay()
    yield replay
    replay.close()


def use_everything(replay: InstagramReplay) -> Counter[str]:
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()
    assert isinstance(connector, CountsFollowers)
    came: Counter[str] = Counter()
    with suppress(SourceError):
        for page in connector.fetch(None, datetime(2010, 1, 1, tzinfo=UTC)):
            came.update(item.external_id for item in page.items)
            came["skipped"] += len(page.skipped)
    with suppress(SourceError):
        list(connector.followers())
    connector.close()
    return came


@pytest.mark.recorded
def test_every_recorded_post_arrives_once_or_is_counted_as_skipped(replay: InstagramReplay) -> None:
    for name, (_, body) in recorded("instagram").items():
        entries = json.loads(body).get("data", [])
        if name.startswith("users_medias"):
            replay.body = body
            came = use_everything(replay)
            came.pop("skipped")
            assert came == Counter(entry["id"] for entry in entries), name
        elif name.startswith("hashtags_hashtag_top"):
            replay.body = body
            came = use_everything(replay)
            assert came["skipped"] >= len(entries), name  # they were asked for without their times


@pytest.mark.recorded
def test_the_recorded_comments_are_mentions(replay: InstagramReplay) -> None:
    comments = json.loads(recorded("instagram")["comments_comments_fields.json"][1])
    post = {"id": "5", "timestamp": (NOW - timedelta(days=1)).isoformat(), "comments_count": 2}
    replay.prelude[f"/{ACCOUNT}/media"] = Reply.of_json({"data": [post]})
    replay.body = json.dumps({"data": list(comments.values())}).encode()
    came = use_everything(replay)
    assert {*comments, "5"} <= set(came)


@pytest.mark.recorded
def test_the_recorded_refusal_waits(replay: InstagramReplay) -> None:
    status, body = recorded("instagram")["c_error_18_hashtag_limit.json"]
    replay.prelude["/ig_hashtag_search"] = Reply(body, status)
    replay.body = b'{"data": []}'
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()
    with pytest.raises(RateLimited):
        list(connector.fetch(None, NOW))
    connector.close()


@pytest.mark.recorded
def test_recorded_answers_whole_and_damaged_raise_nothing_but_the_fates(replay: InstagramReplay) -> None:
    came = 0
    for seed, (_, (status, body)) in enumerate(sorted(recorded("instagram").items())):
        for copy in (body, *damaged_copies(body, 8, seed)):
            replay.body, replay.status = copy, status
            came += use_everything(replay).total()
    assert came > 50


def test_damaged_entries_raise_nothing_but_the_fates(replay: InstagramReplay) -> None:
    fake = FakeInstagram()
    (post,) = fake.put(fake.publish(1), OWN)
    (comment,) = fake.put(fake.publish(1), fake.comments_on(post))
    fake.changes[comment.number] = lambda entry: entry.update(replies={"data": [{"id": "1", "timestamp": "x"}]})
    entries = [fake.told(seed) for seed in [*fake.seeds, *fake.publish(2)]]
    fake.close()
    came = 0
    for copy in damaged_copies(json.dumps({"data": entries, "paging": {"next": "x"}}).encode(), 100, seed=4):
        replay.body = copy
        came += use_everything(replay).total()
    assert came > 100
