from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.bluesky import OVERLAP, PLUGIN, Bluesky
from connectors.bluesky_options import BlueskyOptions
from connectors.bluesky_wire import home_of
from connectors.contract import Author, Counts, FollowerReading, Gap, Kind, RequestBudget, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, LimitedBudget, Pulls
from tests.fakes.bluesky import DID, HANDLE, OWN, OWN_DID, FakeBluesky, FakeBlueskyAccount, refusal


class TestBlueskySearch(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeBluesky)


class TestBlueskyAccounts(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeBlueskyAccount, kind=Kind.POST)


class Source(Pulls):
    """A source with options and keywords of its own."""

    def __init__(self, fake: FakeBluesky, terms: tuple[str, ...] = ("acme",), **options: Any) -> None:
        super().__init__(Case(plugin=PLUGIN, fake=lambda: fake), fake)
        self.terms, self.options = terms, options

    def open(self, budget: RequestBudget | None = None) -> Bluesky:
        given = {"base_url": self.fake.base_url, **self.fake.options(), **self.options}
        context = replace(self.context(budget or Unlimited()), terms=self.terms)
        return Bluesky(BlueskyOptions.model_validate(given), context)

    @property
    def gaps(self) -> list[Gap]:
        return [page.gap for page in self.pages if page.gap]


@pytest.fixture
def fake() -> Iterator[FakeBluesky]:
    fake = FakeBluesky()
    yield fake
    fake.close()


@pytest.fixture
def account() -> Iterator[FakeBlueskyAccount]:
    fake = FakeBlueskyAccount()
    yield fake
    fake.close()


def told(**changes: Any) -> Callable[[dict[str, Any]], object]:
    """Changes to a post; ``record_x`` and ``author_x`` change ``x`` of its record and author."""

    def change(view: dict[str, Any]) -> None:
        for name, value in changes.items():
            place, _, inner = name.partition("_")
            if inner:
                view[place][inner] = value
            else:
                view[name] = value

    return change


# --- signing in


def test_one_sign_in_serves_many_pulls(fake: FakeBluesky) -> None:
    fake.publish(3)
    for _ in range(3):
        Source(fake).pull()
    assert fake.methods == ["createSession", "searchPosts", "searchPosts", "searchPosts"]


def test_a_token_that_is_worn_out_is_replaced_once(fake: FakeBluesky) -> None:
    fake.publish(3)
    Source(fake).pull()
    fake.refused_tokens = 1
    source = Source(fake)
    source.pull()
    assert (fake.sign_ins, len(source.stored)) == (2, 3)


def test_a_new_token_that_is_refused_ends_the_pull(fake: FakeBluesky) -> None:
    fake.refused_tokens = 9
    with pytest.raises(AccessDenied, match="app password"):
        Source(fake).pull()
    assert fake.sign_ins == 2


def test_a_new_password_signs_in_anew(fake: FakeBluesky) -> None:
    Source(fake).pull()
    with pytest.raises(AccessDenied, match="identifier and app_password"):
        Source(fake, app_password="another").pull()
    assert fake.methods.count("createSession") == 2


@pytest.mark.parametrize(
    ("reply", "fate", "says"),
    [
        (refusal("AuthenticationRequired", 401), AccessDenied, "identifier and app_password"),
        (refusal("InvalidRequest", 400), AccessDenied, "identifier and app_password"),
        (refusal("AuthFactorTokenRequired", 401), AccessDenied, "app password instead"),
        (refusal("AccountTakedown", 401), AccessDenied, "refuses the sign-in"),
        (refusal("RateLimitExceeded", 429), RateLimited, "asked too often"),
        (refusal("UpstreamFailure", 502), Unavailable, "502"),
        (Reply.of_json({"did": DID}), Unavailable, "no token"),
        (Reply.of_json({"accessJwt": "two\nlines"}), Unavailable, "no token"),
        (Reply.of_json([1]), Unavailable, "no token"),
        (Reply(b"", 302, {"Location": "https://evil.example/"}), Unavailable, "leads elsewhere"),
    ],
    ids=str,
)
def test_a_sign_in_that_fails_says_why(fake: FakeBluesky, reply: Reply, fate: type[SourceError], says: str) -> None:
    fake.answers["createSession"] = reply
    with pytest.raises(fate, match=says):
        Source(fake).pull()


ENTRYWAY = "https://bsky.social"


@pytest.mark.parametrize(
    ("service", "named", "home"),
    [
        (ENTRYWAY, "https://shimeji.us-east.host.bsky.network", "https://shimeji.us-east.host.bsky.network"),
        (ENTRYWAY, "https://shimeji.us-east.host.bsky.network/", "https://shimeji.us-east.host.bsky.network"),
        (ENTRYWAY, "https://bsky.social", ENTRYWAY),
        (ENTRYWAY, "https://evil.example", ENTRYWAY),
        (ENTRYWAY, "https://evil.example/.host.bsky.network", ENTRYWAY),
        (ENTRYWAY, "https://evil.example#.host.bsky.network", ENTRYWAY),
        (ENTRYWAY, "https://me@evil.host.bsky.network", ENTRYWAY),
        (ENTRYWAY, "https://a.host.bsky.network:8443", ENTRYWAY),
        (ENTRYWAY, "https://a.host.bsky.network.evil.example", ENTRYWAY),
        (ENTRYWAY, "https://evilhost.bsky.network", ENTRYWAY),
        (ENTRYWAY, "http://a.host.bsky.network", ENTRYWAY),
        (ENTRYWAY, "http://169.254.169.254", ENTRYWAY),
        (ENTRYWAY, "http://127.0.0.1:8080", ENTRYWAY),
        ("https://pds.example", "https://a.host.bsky.network", "https://pds.example"),
        ("https://pds.example", "https://pds.example", "https://pds.example"),
        (ENTRYWAY, 7, ENTRYWAY),
    ],
)
def test_a_sign_in_leads_to_no_unexpected_host(service: str, named: object, home: str) -> None:
    document = {"service": [{"id": "#other", "serviceEndpoint": "x"}, {"id": "#atproto_pds", "serviceEndpoint": named}]}
    assert home_of({"didDoc": document}, service) == home


@pytest.mark.parametrize("document", [None, 7, [], {}, {"service": 7}, {"service": [7, None, {}]}])
def test_an_odd_identity_changes_nothing(document: object) -> None:
    assert home_of({"didDoc": document}, ENTRYWAY) == ENTRYWAY


def test_the_token_stays_with_the_service_that_gave_it(fake: FakeBluesky) -> None:
    fake.publish(1)
    other = FakeBluesky()
    fake.did_doc = {"service": [{"id": "#atproto_pds", "serviceEndpoint": other.base_url}]}
    assert len(Source(fake).pull()) == 1
    assert other.loopback.requests == []
    other.close()


def test_own_accounts_are_read_without_a_sign_in(account: FakeBlueskyAccount) -> None:
    account.publish(3)
    source = Source(account)
    source.pull()
    connector = source.open()
    assert len(list(connector.followers())) == 1
    assert len(list(connector.refresh(list(source.stored)))) == 3
    assert not [request for request in account.loopback.requests if "authorization" in request.headers]


# --- walking


def test_beyond_five_thousand_the_search_slides_down_in_time(fake: FakeBluesky) -> None:
    fake.publish(5_300, every=timedelta(minutes=7))
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()
    assert [request for request in fake.loopback.requests if "until" in request.query]
    assert max(int(request.query.get("cursor", 0)) for request in fake.loopback.requests) < 5_000


def test_posts_of_one_moment_at_the_place_of_a_crash_all_arrive(fake: FakeBluesky) -> None:
    fake.publish(150, at=NOW - timedelta(days=2), every=timedelta(0))
    fake.publish(60)
    source = Source(fake)
    source.pull(pages=1)
    source.until_settled(lambda: source.pull(pages=3))


def test_a_claim_of_the_future_does_not_hide_what_comes_before_it(fake: FakeBluesky) -> None:
    [boaster] = fake.publish(1)
    fake.changes[boaster.number] = told(record_createdAt="2031-01-01T00:00:00Z")
    source = Source(fake)
    source.pull()
    assert source.stored[fake.external_id(boaster)].published_at == boaster.at
    fake.publish(150, at=NOW + timedelta(hours=5), every=timedelta(minutes=1))
    source.now = NOW + timedelta(hours=5)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_an_index_that_is_ahead_of_the_clock_does_not_hide_what_comes(fake: FakeBluesky) -> None:
    [early] = fake.publish(1)
    fake.changes[early.number] = told(indexedAt="2031-01-01T00:00:00Z")
    source = Source(fake)
    source.pull()
    fake.publish(5, at=NOW + timedelta(hours=5), every=timedelta(minutes=1))
    source.now = NOW + timedelta(hours=5)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_a_claim_of_the_future_does_not_cut_a_resumed_search_short(fake: FakeBluesky) -> None:
    seeds = fake.publish(250)
    old = (NOW - timedelta(days=25)).isoformat()
    fake.changes[seeds[-1].number] = told(record_createdAt="2031-01-01T00:00:00Z", indexedAt=old)
    source = Source(fake)
    source.until_settled(lambda: source.pull(pages=1))


def test_a_late_post_is_found_down_to_the_overlap(fake: FakeBluesky) -> None:
    fake.publish(30)
    source = Source(fake)
    source.pull()
    fake.publish(1, at=fake.newest_first()[0].at - timedelta(seconds=OVERLAP - 60))
    source.pull()
    assert set(source.stored) == fake.expected()


def test_a_budget_for_one_search_a_pull_reaches_all_in_turn(fake: FakeBluesky) -> None:
    fake.publish(1)
    source = Source(fake, terms=("other", "third", "acme"))

    def limited() -> None:
        with pytest.raises(RateLimited):
            source.pull(budget=LimitedBudget(2))

    source.until_settled(limited)


def test_old_posts_of_an_account_are_left_out_and_reposts_end_the_reading_too(account: FakeBlueskyAccount) -> None:
    account.publish(1, at=SINCE - timedelta(days=3))
    reposts = account.publish(150, at=SINCE - timedelta(days=1))
    reason = {"$type": "app.bsky.feed.defs#reasonRepost", "by": {"did": OWN_DID}}
    plain = account.entry
    account.entry = lambda seed: (  # type: ignore[method-assign]
        plain(seed) | ({"reason": reason | {"indexedAt": seed.at.isoformat()}} if seed in reposts else {})
    )
    [young] = account.publish(1)
    source = Source(account)
    assert [item.external_id for item in source.pull()] == [account.external_id(young)]
    assert account.methods == ["getAuthorFeed"]


def test_a_pinned_post_does_not_end_the_reading(account: FakeBlueskyAccount) -> None:
    [pinned] = account.publish(1, at=SINCE - timedelta(days=300))
    account.publish(150)
    answer = {"post": account.view(pinned), "reason": {"$type": "app.bsky.feed.defs#reasonPin"}}
    shown = [account.entry(seed) for seed in account.newest_first()[:100]]
    account.answers["getAuthorFeed"] = Reply.of_json({"feed": [answer, *shown], "cursor": "x"})
    source = Source(account)
    source.pull(pages=1)
    assert len(source.stored) == 100
    assert source.cursor is not None
    assert source.cursor["places"][f"account {OWN}"]["at"] == "x"  # type: ignore[call-overload, index]


@pytest.mark.parametrize(
    "cursor",
    [
        {"places": 7},
        {"places": {"search acme": 7, f"account {OWN}": 7}},
        {"places": {"search acme": {"floor": "x"}, f"account {OWN}": {"floor": "x", "at": 7}}},
        {"places": {"search acme": {"floor": True, "low": 3}}},
        {"last": 7},
    ],
)
def test_a_damaged_cursor_starts_anew(fake: FakeBluesky, cursor: dict[str, Any]) -> None:
    fake.publish(5)
    source = Source(fake, accounts=[OWN])
    source.cursor = cursor
    source.pull()
    assert set(source.stored) == fake.expected()


def test_times_beyond_all_time_in_a_cursor_do_no_harm(fake: FakeBluesky) -> None:
    for floor in (1e300, -1e300):
        source = Source(fake)
        source.cursor = {"places": {"search acme": {"floor": floor, "high": None, "low": None}}}
        source.pull()


# --- what comes


def test_a_post_becomes_an_item(fake: FakeBluesky) -> None:
    [seed] = fake.publish(1)
    link = {"$type": "app.bsky.embed.external", "external": {"uri": "https://acme.example/a", "title": "A"}}
    fake.changes[seed.number] = told(
        record_text="acme & <b> &amp; so on\n",
        record_embed=link,
        record_langs=["pt-BR", "en"],
        indexedAt=NOW.isoformat(),
    )
    [item] = Source(fake).pull()
    assert (item.external_id, item.kind, item.title) == (fake.external_id(seed), Kind.MENTION, None)
    assert item.text == "acme & <b> &amp; so on"
    assert item.author == Author(DID, HANDLE)
    assert item.counts == Counts(likes=4, shares=5, comments=1)
    assert item.url == f"https://bsky.app/profile/{HANDLE}/post/3k000001"
    assert (item.language, item.place, item.published_at) == ("pt-BR", "Bluesky", seed.at)
    assert item.attributes == {"type": "post", "link": "https://acme.example/a"}


@pytest.mark.parametrize(
    ("claim", "published"),
    [
        ("2015-02-22T20:26:41", datetime(2015, 2, 22, 20, 26, 41, tzinfo=UTC)),
        ("2026-10-30T12:00:00.123456789+02:00", datetime(2026, 10, 30, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2031-01-01T00:00:00Z", None),
        ("yesterday", None),
        (None, None),
        (7, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_the_app_s_claim_counts_only_for_the_past(fake: FakeBluesky, claim: object, published: datetime | None) -> None:
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(record_createdAt=claim)
    [item] = Source(fake).pull()
    assert item.published_at == (published or seed.at)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"record_reply": {"root": {}, "parent": {}}}, "reply"),
        ({"record_embed": {"$type": "app.bsky.embed.record", "record": {}}}, "quote"),
        ({"record_embed": {"$type": "app.bsky.embed.recordWithMedia", "media": {"$type": "x"}}}, "quote"),
        ({"record_embed": {"$type": "app.bsky.embed.images"}}, "post"),
    ],
)
def test_replies_and_quotes_are_told_apart(fake: FakeBluesky, changes: dict[str, Any], kind: str) -> None:
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(**changes)
    [item] = Source(fake).pull()
    assert item.attributes["type"] == kind


def test_an_author_without_a_valid_handle_is_named_by_the_did(fake: FakeBluesky) -> None:
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(author_handle="handle.invalid")
    [item] = Source(fake).pull()
    assert (item.author, item.url) == (Author(DID, DID), f"https://bsky.app/profile/{DID}/post/3k000001")


def test_own_posts_found_by_search_are_own_posts(fake: FakeBluesky) -> None:
    first, second = fake.publish(2)
    fake.changes[first.number] = told(author_handle="Acme.Example")
    fake.changes[second.number] = told(author_did="did:plc:other")
    kinds = {item.external_id: item.kind for item in Source(fake, accounts=[OWN, "did:plc:other"]).pull()}
    assert set(kinds.values()) == {Kind.POST}


def test_followers_of_authors_are_asked_in_batches_when_wanted(fake: FakeBluesky) -> None:
    for seed in fake.publish(30):
        fake.changes[seed.number] = told(author_did=DID if seed.number % 2 else f"did:plc:{seed.number}")
    items = Source(fake, author_followers=True).pull()
    assert {item.author.followers for item in items if item.author and item.author.id == DID} == {12}
    assert {item.author.followers for item in items if item.author and item.author.id != DID} == {None}
    assert fake.methods == ["createSession", "searchPosts", "getProfiles"]


@pytest.mark.parametrize("name", ["likeCount", "repostCount", "replyCount"])
@pytest.mark.parametrize("value", [None, -1, "7", True, 1e30, 10**30])
def test_a_count_that_is_none_is_unknown(fake: FakeBluesky, name: str, value: object) -> None:
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(**{name: value})
    [item] = Source(fake).pull()
    counts = {"likeCount": item.counts.likes, "repostCount": item.counts.shares, "replyCount": item.counts.comments}
    assert counts[name] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"uri": "https://bsky.app/x"},
        {"uri": None},
        {"uri": f"at://{DID}/app.bsky.feed.like/3k"},
        {"author": None},
        {"author": "ada"},
        {"author_did": ""},
        {"record": 7},
        {"record": {}},
        {"record_text": None},
        {"indexedAt": None},
        {"indexedAt": 1_700_000_000},
        {"indexedAt": "9999-12-31T23:59:59-12:00"},
    ],
    ids=str,
)
def test_a_damaged_post_is_skipped_and_the_rest_stays(fake: FakeBluesky, changes: dict[str, Any]) -> None:
    first, second = fake.publish(2)
    fake.changes[first.number] = told(**changes)
    source = Source(fake)
    assert [item.external_id for item in source.pull()] == [fake.external_id(second)]
    assert len([entry for page in source.pages for entry in page.skipped]) == 1


@pytest.mark.parametrize("answer", [{}, {"posts": None}, {"posts": {}}, [], "x", None, {"cursor": "1"}])
def test_an_answer_without_posts_is_a_fault(fake: FakeBluesky, answer: object) -> None:
    fake.answers["searchPosts"] = Reply.of_json(answer)
    with pytest.raises(Unavailable, match="no posts"):
        Source(fake).pull()


# --- counts again, followers, check


def test_counts_are_read_again_and_what_is_gone_is_told(fake: FakeBluesky) -> None:
    seeds = fake.publish(30)
    fake.gone = {seeds[3], seeds[29]}
    ids = [fake.external_id(seed) for seed in seeds]
    fresh = {entry.external_id: entry for entry in Source(fake).open().refresh([*ids, "x", "at://x/y/z"])}
    assert set(fresh) == set(ids)
    assert {name for name, entry in fresh.items() if entry.gone} == {ids[3], ids[29]}
    assert fresh[ids[0]].counts == Counts(likes=4, shares=5, comments=1)
    assert fake.methods == ["getPosts", "getPosts"]


@pytest.mark.parametrize("answer", [{}, {"posts": [{"uri": "at://x"}]}, {"posts": [7]}, [], "x"])
def test_an_answer_about_something_else_deletes_nothing(fake: FakeBluesky, answer: object) -> None:
    [seed] = fake.publish(1)
    fake.answers["getPosts"] = Reply.of_json(answer)
    with pytest.raises(Unavailable):
        list(Source(fake).open().refresh([fake.external_id(seed)]))


def test_followers_of_the_own_accounts_are_counted(fake: FakeBluesky) -> None:
    readings = list(Source(fake, accounts=["@Acme.example", OWN_DID]).open().followers())
    assert readings == [FollowerReading(OWN, 4321, NOW), FollowerReading(OWN_DID, 4321, NOW)]
    fake.followers[OWN_DID] = None
    assert list(Source(fake, accounts=[OWN]).open().followers()) == []


def test_check_asks_for_one_post_and_for_every_account(fake: FakeBluesky) -> None:
    Source(fake, accounts=[OWN]).open().check()
    assert fake.methods == ["createSession", "searchPosts", "getProfiles"]
    with pytest.raises(NotThere, match=r"@nobody\.example"):
        Source(fake, accounts=["nobody.example"]).open().check()
    with pytest.raises(Malformed, match="no keyword"):
        Source(fake, terms=()).open().check()


def test_an_account_that_is_gone_is_a_gap_and_the_rest_goes_on(fake: FakeBluesky) -> None:
    fake.publish(3)
    source = Source(fake, accounts=["nobody.example"])
    source.pull()
    assert set(source.stored) == fake.expected()
    [gap] = source.gaps
    assert "@nobody.example" in gap.reason
    assert (gap.since, gap.until) == (SINCE, NOW)


def test_queries_say_what_is_asked(fake: FakeBluesky) -> None:
    source = Source(fake, terms=("acme", "acme phone", "C++", '""', "acme"), accounts=[OWN])
    assert list(source.open().queries()) == ["acme", '"acme phone"', '"C++"', f"posts of @{OWN}"]
    assert list(Source(fake, query=" acme lang:de ").open().queries()) == ["acme lang:de"]


# --- refusals and limits


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (Reply(b"<html>Request forbidden by administrative rules.</html>", 403), AccessDenied),
        (refusal("InvalidRequest", 400), Malformed),
        (refusal("InvalidRequest", 400, "Error: Profile not found"), NotThere),
        (refusal("AccountDeactivated", 400), AccessDenied),
        (refusal("UpstreamFailure", 502), Unavailable),
        (refusal("NotEnoughResources", 503), Unavailable),
        (Reply(b"", 307, {"Location": "http://169.254.169.254/"}), Unavailable),
    ],
    ids=str,
)
def test_a_refused_search_becomes_its_fate(fake: FakeBluesky, reply: Reply, fate: type[SourceError]) -> None:
    fake.answers["searchPosts"] = reply
    with pytest.raises(fate) as caught:
        Source(fake).pull()
    assert "something about it" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
        ({"RateLimit-Reset": str(int(NOW.timestamp()) - 90)}, timedelta(seconds=1)),
        ({"RateLimit-Reset": str(10**15)}, None),
        ({"RateLimit-Reset": "soon"}, None),
        ({}, None),
        ({"Retry-After": "7", "RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=7)),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["createSession", "searchPosts"])
def test_a_refusal_for_haste_says_how_long(
    fake: FakeBluesky, method: str, headers: Mapping[str, str], wait: timedelta | None
) -> None:
    fake.answers[method] = refusal("RateLimitExceeded", 429, **headers)
    with pytest.raises(RateLimited) as caught:
        Source(fake).pull()
    assert caught.value.retry_after == wait


def test_the_last_request_of_a_window_ends_the_pull_without_asking_again(fake: FakeBluesky) -> None:
    fake.publish(150)
    fake.limits = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(NOW.timestamp()) + 200)}
    source = Source(fake)
    with pytest.raises(RateLimited) as caught:
        source.pull()
    assert caught.value.retry_after == timedelta(seconds=200)
    assert (fake.methods, len(source.stored)) == (["createSession", "searchPosts"], 100)


# --- options


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"identifier": HANDLE},
        {"app_password": "x"},
        {"accounts": [OWN], "query": "acme"},
        {"accounts": ["acme"]},
        {"accounts": ["did:plc:"]},
        {"accounts": ["a b.example"]},
        {"accounts": [OWN], "service": "http://pds.example"},
        {"accounts": [OWN], "service": "https://me:pw@pds.example"},
        {"accounts": [OWN], "service": "https://["},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BlueskyOptions.model_validate(wrong)


def test_accounts_and_services_are_taken_as_people_write_them() -> None:
    options = BlueskyOptions(
        accounts=("@Acme.bsky.social", "https://bsky.app/profile/acme.example", OWN_DID), service="PDS.example/"
    )
    assert options.accounts == ("acme.bsky.social", "acme.example", OWN_DID)
    assert options.service == "https://pds.example"


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://bsky.app/profile/acme.bsky.social", {"accounts": ["acme.bsky.social"]}),
        ("https://bsky.app/profile/did:plc:acme/", {"accounts": ["did:plc:acme"]}),
        ("https://bsky.app/search?q=acme+phone", {"query": "acme phone"}),
        ("https://bsky.app/search?q=", None),
        ("https://bsky.app/profile/acme.bsky.social/post/3k", None),
        ("https://bsky.app/profile/x%20y", None),
        ("https://bsky.app.evil.example/profile/acme.example", None),
        ("ftp://bsky.app/profile/acme.example", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_links_to_profiles_and_searches_are_recognised(link: str, options: dict[str, Any] | None) -> None:
    assert PLUGIN.recognise(link) == options
