from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors import errors
from connectors.contract import (
    Connector,
    Counts,
    CountsFollowers,
    Kind,
    Rating,
    RequestBudget,
    ShowsStanding,
    Unlimited,
)
from connectors.errors import NotThere, RateLimited, SourceError
from connectors.facebook_page import PLUGIN, FacebookPageOptions
from connectors.facebook_parse import recommendation_of
from connectors.graph import next_of
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.facebook_page import OWN, PAGE, RATINGS, FakeFacebookPage
from tests.fakes.graph import SECRET, TOKEN, refused
from tests.fakes.replay import Replay, recorded

CASE = Case(plugin=PLUGIN, fake=FakeFacebookPage)
TAGGED = FakeFacebookPage.main


class TestFacebookPage(ContractSuite):
    case = CASE


class Source(Pulls):
    def __init__(self, fake: FakeFacebookPage, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.options = {**fake.options(), **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        options = FacebookPageOptions(base_url=self.fake.base_url, **self.options)
        return PLUGIN.open(options, self.context(budget or Unlimited()))


@pytest.fixture
def fake() -> Iterator[FakeFacebookPage]:
    fake = FakeFacebookPage()
    yield fake
    fake.close()


# --- what comes


def test_own_posts_their_comments_and_recommendations_arrive_in_one_pull(fake: FakeFacebookPage) -> None:
    (post,) = fake.put(fake.publish(1), OWN)
    fake.put(fake.publish(130, every=timedelta(seconds=1)), fake.comments_on(post))
    (rating,) = fake.put(fake.publish(1), RATINGS)
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()
    item = source.stored[fake.external_id(post)]
    assert (item.kind, item.counts) == (Kind.POST, Counts(likes=5, shares=2, comments=130))
    assert source.stored[fake.external_id(rating)].rating == Rating(1, worst=0, best=1)
    assert Counter(item.kind for item in source.stored.values()) == {Kind.MENTION: 130, Kind.POST: 1, Kind.REVIEW: 1}


def test_comments_are_read_only_where_their_number_changed(fake: FakeFacebookPage) -> None:
    posts = fake.put(fake.publish(3), OWN)
    fake.put(fake.publish(2), fake.comments_on(posts[0]))
    source = Source(fake)
    source.pull()
    asked = len(fake.paths)
    source.pull()
    assert len([path for path in fake.paths[asked:] if path.endswith("/comments")]) == 0
    fake.put(fake.publish(1, at=NOW), fake.comments_on(posts[0]))
    source.now = NOW + timedelta(minutes=5)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_comments_on_old_posts_are_not_read(fake: FakeFacebookPage) -> None:
    old, young = fake.put(fake.publish(2, every=timedelta(days=20)), OWN)
    fake.put(fake.publish(1), fake.comments_on(old))
    wanted = fake.put(fake.publish(1), fake.comments_on(young))
    source = Source(fake)
    source.pull()
    assert set(source.stored) == {fake.external_id(seed) for seed in (old, young, *wanted)}


def test_a_small_budget_comes_to_the_comments_too(fake: FakeFacebookPage) -> None:
    posts = fake.put(fake.publish(5), OWN)
    for post in posts:
        fake.put(fake.publish(120, every=timedelta(seconds=1)), fake.comments_on(post))
    source = Source(fake)

    def limited() -> None:
        with suppress(RateLimited):
            source.pull(budget=Three())

    source.until_settled(limited)


class Three:
    """A budget of three requests."""

    def __init__(self) -> None:
        self.left = 3

    def take(self, units: int = 1) -> None:
        if units > self.left:
            raise RateLimited("spent")
        self.left -= units


def test_what_the_page_itself_comments_is_its_own(fake: FakeFacebookPage) -> None:
    (post,) = fake.put(fake.publish(1), OWN)
    (answer,) = fake.put(fake.publish(1), fake.comments_on(post))
    fake.changes[answer.number] = lambda entry: entry.update({"from": {"id": PAGE, "name": "Acme"}})
    source = Source(fake)
    source.pull()
    assert source.stored[fake.external_id(answer)].kind is Kind.POST


def test_a_refused_listing_is_a_gap_while_the_others_go_on(fake: FakeFacebookPage) -> None:
    fake.publish(3)
    fake.answers[RATINGS] = refused(10, 403)
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()
    assert [page.gap.reason[:7] for page in source.pages if page.gap] == ["ratings"]


def test_comments_that_the_token_may_not_see_are_one_gap(fake: FakeFacebookPage) -> None:
    posts = fake.put(fake.publish(4), OWN)
    for post in posts:
        fake.put(fake.publish(1), fake.comments_on(post))
        fake.answers[fake.comments_on(post)] = refused(10, 403)
    source = Source(fake)
    source.pull()
    assert set(source.stored) == {fake.external_id(post) for post in posts}
    assert len([page.gap for page in source.pages if page.gap]) == 1
    fake.answers.clear()
    source.pull()
    assert set(source.stored) == fake.expected()


def test_followers_and_standing_are_told(fake: FakeFacebookPage) -> None:
    connector = Source(fake).open()
    assert isinstance(connector, CountsFollowers)
    assert isinstance(connector, ShowsStanding)
    assert [reading.count for reading in connector.followers()] == [4321]
    assert [(reading.mean, reading.count) for reading in connector.standing()] == [(4.2, 17)]


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        ({"recommendation_type": "positive"}, Rating(1, 0, 1)),
        ({"recommendation_type": "NEGATIVE"}, Rating(0, 0, 1)),
        ({"rating": 4}, Rating(4)),
        ({}, None),
    ],
)
def test_recommendations_are_verdicts_and_old_ones_stars(said: Mapping[str, Any], rating: Rating | None) -> None:
    known = {"created_time": "2026-11-01T12:00:00+0000", "reviewer": {"id": "5", "name": "Ada"}}
    (first,), (again,) = (recommendation_of({**known, **said}, PAGE) for _ in range(2))
    assert first.rating == rating
    assert first.external_id == again.external_id


# --- the token and refusals


def test_the_token_is_in_no_address_and_goes_to_no_other_host(fake: FakeFacebookPage) -> None:
    fake.publish(250)
    fake.next_host = "https://elsewhere.example"
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()
    assert not [request for request in fake.loopback.requests if TOKEN in str(request.query)]
    assert TOKEN not in json.dumps([page.cursor for page in source.pages])
    assert all(len(request.query["appsecret_proof"]) == 64 for request in fake.loopback.requests)
    assert SECRET not in str(fake.loopback.requests)


def test_only_the_place_is_taken_from_the_next_address() -> None:
    link = f"https://graph.facebook.com/v9/x/posts?access_token={TOKEN}&fields=id&limit=5&after=abc&until=7"
    assert next_of({"next": link}) == "after=abc&until=7"
    assert next_of({"next": f"https://x/?access_token={TOKEN}"}) is None
    assert next_of({"next": "http://[broken"}) is None


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        *((code, "RateLimited") for code in (4, 17, 32, 613, 80001)),
        *((code, "AccessDenied") for code in (190, 10, 200)),
        *((code, "NotThere") for code in (100, 803)),
        *((code, "Unavailable") for code in (1, 2)),
        (12345, "Malformed"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_error_codes_have_their_fates(fake: FakeFacebookPage, code: int, fate: str, status: int) -> None:
    fake.answers[f"/{PAGE}"] = refused(code, status)
    with pytest.raises(SourceError) as caught:
        Source(fake).open().check()
    assert type(caught.value) is getattr(errors, fate)


def test_the_wait_that_the_usage_names_is_waited_for(fake: FakeFacebookPage) -> None:
    usage = json.dumps({PAGE: [{"type": "pages", "estimated_time_to_regain_access": 19}]})
    fake.answers[TAGGED] = refused(32, X_Business_Use_Case_Usage=usage)
    with pytest.raises(RateLimited) as caught:
        Source(fake).pull()
    assert caught.value.retry_after == timedelta(minutes=19)


def test_a_cursor_that_facebook_no_longer_takes_begins_anew(fake: FakeFacebookPage) -> None:
    fake.publish(250)
    source = Source(fake, ratings=False)
    source.pull(pages=1)
    assert source.cursor is not None
    damaged = json.loads(json.dumps(source.cursor).replace("after=c50", "after=c99999"))
    source.cursor = damaged
    source.pull()
    assert set(source.stored) == fake.expected()


@pytest.mark.parametrize("wrong", [{"page": "acme"}, {"comment_days": 0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FacebookPageOptions.model_validate({"page": PAGE, "access_token": SecretStr("t"), **wrong})


# --- recorded and damaged


class GraphReplay(Replay):
    def options(self) -> Mapping[str, Any]:
        return {"page": PAGE, "access_token": TOKEN}


@pytest.fixture
def replay() -> Iterator[GraphReplay]:
    replay = GraphReplay()
    yield replay
    replay.close()


def use_everything(replay: GraphReplay) -> Counter[str]:
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()
    assert isinstance(connector, CountsFollowers)
    assert isinstance(connector, ShowsStanding)
    came: Counter[str] = Counter()
    with suppress(SourceError):
        for page in connector.fetch(None, datetime(2010, 1, 1, tzinfo=UTC)):
            came.update(item.external_id for item in page.items)
    for use in (connector.followers, connector.standing):
        with suppress(SourceError):
            list(use())
    connector.close()
    return came


@pytest.mark.recorded
def test_every_recorded_post_and_comment_arrives_once(replay: GraphReplay) -> None:
    for name, (_, body) in recorded("facebook").items():
        if name.startswith(("posts_feeds", "comments_comments")):
            replay.body = body
            came = use_everything(replay)
            assert set(came.values()) == {1}, name
            assert len(came) >= len(json.loads(body)["data"]) > 0, name


@pytest.mark.recorded
def test_the_recorded_refusals_have_their_fates(replay: GraphReplay) -> None:
    fates = {"error.json": NotThere, "base_error_data.json": NotThere, "c_error_190_expired.json": errors.AccessDenied}
    for name, fate in fates.items():
        replay.status, replay.body = recorded("facebook")[name]
        with pytest.raises(fate):
            Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open().check()


@pytest.mark.recorded
def test_recorded_answers_whole_and_damaged_raise_nothing_but_the_fates(replay: GraphReplay) -> None:
    came = 0
    for seed, (_, (status, body)) in enumerate(sorted(recorded("facebook").items())):
        for copy in (body, *damaged_copies(body, 8, seed)):
            replay.body, replay.status = copy, status
            came += len(use_everything(replay))
    assert came > 50


def test_damaged_entries_raise_nothing_but_the_fates(replay: GraphReplay) -> None:
    fake = FakeFacebookPage()
    fake.put(fake.publish(2), OWN)
    fake.put(fake.publish(2), RATINGS)
    entries = [fake.told(seed) for seed in [*fake.seeds, *fake.publish(2)]]
    fake.close()
    came = 0
    for copy in damaged_copies(json.dumps({"data": entries, "paging": {"next": "x"}}).encode(), 100, seed=4):
        replay.body = copy
        came += len(use_everything(replay))
    assert came > 100
