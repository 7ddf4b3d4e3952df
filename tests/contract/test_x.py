from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import (
    Connector,
    Context,
    Counts,
    CountsFollowers,
    Kind,
    Refreshed,
    Refreshes,
    Remembers,
    RequestBudget,
    ShowsQueries,
    Unlimited,
)
from connectors.errors import AccessDenied, Malformed, RateLimited, SourceError, Unavailable
from connectors.testing import Case, ContractSuite, Fault, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, Pulls
from connectors.x import PLUGIN, XOptions, escaped
from connectors.x_parse import id_at, item_of, time_of
from tests.fakes.x import FakeX

CASE = Case(plugin=PLUGIN, fake=FakeX, late_by=timedelta(minutes=1))
SEARCH = "/2/tweets/search/recent"


class TestX(ContractSuite):
    case = CASE


class Source(Pulls):
    """Pulls with other keywords and options than the suite's."""

    def __init__(self, fake: FakeX, *terms: str, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.terms = terms or ("acme",)
        self.options = {**fake.options(), **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        return PLUGIN.open(XOptions(base_url=self.address(), **self.options), context)

    def address(self) -> str:
        return self.fake.base_url


@pytest.fixture
def fake() -> Iterator[FakeX]:
    fake = FakeX()
    yield fake
    fake.close()


def limited(source: Source) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        source.pull()
    return caught.value


# --- what it costs


def test_a_day_never_reads_more_than_it_may(fake: FakeX) -> None:
    fake.publish(250)
    source = Source(fake, posts_per_day=130)
    for _ in range(4):
        limited(source)
    assert fake.read <= 130
    assert [query["max_results"] for query in fake.searches] == ["100", "30"]


def test_the_next_day_goes_on_where_the_money_ended(fake: FakeX) -> None:
    fake.publish(250)
    source = Source(fake, posts_per_day=130)
    assert limited(source).retry_after == timedelta(hours=12)
    source.now = fake.now = NOW + timedelta(hours=12, minutes=1)
    source.pull()
    assert set(source.stored) == fake.expected()
    assert fake.read <= 250 + 5


def test_less_than_ten_posts_left_is_not_asked_for(fake: FakeX) -> None:
    fake.publish(250)
    source = Source(fake, posts_per_day=105)
    limited(source)
    assert fake.read == 100


def test_a_crash_between_asking_and_storing_forgets_no_cost(fake: FakeX) -> None:
    fake.publish(250)
    source = Source(fake, posts_per_day=130)
    for _ in range(3):
        connector = source.open()
        pages = connector.fetch(source.cursor, NOW - timedelta(days=30))
        try:
            source._store(next(pages))
            next(pages)  # read, and never stored
        except RateLimited:
            pass
        connector.close()
    assert fake.read <= 130


@pytest.mark.parametrize("fault", [Fault.UNAUTHORISED, Fault.TOO_MANY, Fault.BROKEN, Fault.NOT_FOUND], ids=str)
def test_a_refusal_costs_nothing(fake: FakeX, fault: Fault) -> None:
    fake.publish(30)
    source = Source(fake, posts_per_day=50)
    for _ in range(5):
        fake.fail(fault)
        with pytest.raises(SourceError):
            source.pull()
    source.pull()
    assert set(source.stored) == fake.expected()


def test_an_answer_that_was_lost_may_have_been_charged(fake: FakeX) -> None:
    fake.publish(30)
    source = Source(fake, posts_per_day=50)
    fake.fail(Fault.CUT)
    with pytest.raises(Unavailable):
        source.pull()
    limited(source)
    assert fake.read <= 50


def test_a_damaged_cursor_is_no_free_day(fake: FakeX) -> None:
    fake.publish(30)
    source = Source(fake, posts_per_day=50)
    source.cursor = {"spent": {"day": NOW.date().isoformat(), "posts": 45}, "places": 7, "last": []}
    limited(source)
    assert fake.read == 0


def test_a_quiet_search_reads_nothing_twice_for_money(fake: FakeX) -> None:
    fake.publish(30)
    source = Source(fake)
    source.pull()
    read = fake.read
    for _ in range(5):
        source.pull()
    assert fake.read <= read + 5  # the newest, which lies within the overlap


# --- seven days


def test_a_watermark_older_than_seven_days_is_a_gap(fake: FakeX) -> None:
    fake.publish(20)
    source = Source(fake)
    source.pull()
    fake.publish(3, at=NOW + timedelta(days=1))
    fake.publish(3, at=NOW + timedelta(days=10))
    source.now = fake.now = NOW + timedelta(days=11)
    source.pull()
    (gap,) = [page.gap for page in source.pages if page.gap]
    assert gap.since is not None
    assert gap.until is not None
    assert gap.since < NOW < gap.until < NOW + timedelta(days=5)
    assert len(source.stored) == 23
    source.pull()
    assert len([page for page in source.pages if page.gap]) == 1


def test_a_silent_week_is_no_gap(fake: FakeX) -> None:
    source = Source(fake)
    for day in range(12):
        source.now = fake.now = NOW + timedelta(days=day)
        source.pull()
    assert not [page for page in source.pages if page.gap]


def test_a_pull_cut_off_a_week_ago_is_a_gap_too(fake: FakeX) -> None:
    fake.publish(250)
    source = Source(fake, posts_per_day=100)
    limited(source)
    source.options["posts_per_day"] = 1000
    source.now = fake.now = NOW + timedelta(days=9)
    source.pull()
    assert [page.gap for page in source.pages if page.gap]


# --- what is searched


@pytest.mark.parametrize(
    ("term", "query"),
    [
        ("acme", "acme"),
        ("acme phone", '"acme phone"'),
        ("#acme", "#acme"),
        ("from:rival", '"from:rival"'),
        ("-acme", '"-acme"'),
        ("OR", '"OR"'),
        ('a "b" c', '"a b c"'),
        ("C++", '"C++"'),
        ("(acme)", '"(acme)"'),
        ('"', ""),
        ("Müller", "Müller"),
    ],
)
def test_keywords_are_no_operators(term: str, query: str) -> None:
    assert escaped(term) == query


def test_reposts_are_left_out_unless_wanted(fake: FakeX) -> None:
    plain, all_of_it = Source(fake, "acme").open(), Source(fake, "acme", retweets=True, language="de").open()
    assert isinstance(plain, ShowsQueries)
    assert isinstance(all_of_it, ShowsQueries)
    assert plain.queries() == ["acme -is:retweet"]
    assert all_of_it.queries() == ["acme lang:de"]


def test_own_accounts_are_searched_apart(fake: FakeX) -> None:
    fake.own.update(fake.publish(3))
    fake.publish(4)
    source = Source(fake, "acme", accounts=("@AcmeHQ",))
    source.pull()
    assert sorted(item.kind for item in source.stored.values()) == [Kind.MENTION] * 4 + [Kind.POST] * 3
    assert [query["query"] for query in fake.searches] == [
        "acme -from:AcmeHQ -is:retweet",
        "(from:AcmeHQ) -is:retweet",
    ]


def test_followers_are_counted_and_not_paid_for_with_every_pull(fake: FakeX) -> None:
    source = Source(fake, accounts=("acmehq",))
    counted = []
    for minutes in (0, 10, 400):
        source.now = NOW + timedelta(minutes=minutes)
        connector = source.open()
        assert isinstance(connector, CountsFollowers)
        counted.append([(reading.account, reading.count) for reading in connector.followers()])
    assert counted == [[("acmehq", 4321)], [], [("acmehq", 4321)]]


# --- refusals


def test_credits_that_are_spent_are_access_denied(fake: FakeX) -> None:
    fake.answers[SEARCH] = Reply.of_json({"title": "CreditsDepleted", "detail": "no credits"}, 402)
    with pytest.raises(AccessDenied, match="credits"):
        Source(fake).pull()


def test_the_reset_of_a_rate_limit_is_waited_for(fake: FakeX) -> None:
    at = int((NOW + timedelta(minutes=9)).timestamp())
    fake.answers[SEARCH] = Reply.of_json({"title": "Too Many Requests"}, 429, {"x-rate-limit-reset": str(at)})
    assert limited(Source(fake)).retry_after == timedelta(minutes=9)


def test_a_spent_month_waits_a_day(fake: FakeX) -> None:
    fake.answers[SEARCH] = Reply.of_json({"title": "UsageCapExceeded", "period": "Monthly"}, 429)
    assert limited(Source(fake)).retry_after == timedelta(days=1)


def test_a_query_that_x_does_not_take_is_malformed(fake: FakeX) -> None:
    fake.answers[SEARCH] = Reply.of_json({"title": "Invalid Request"}, 400)
    with pytest.raises(Malformed):
        Source(fake).pull()


def test_checking_reads_no_post(fake: FakeX) -> None:
    fake.publish(3)
    Source(fake).open().check()
    assert fake.read == 0


def test_a_redirect_takes_the_token_nowhere(fake: FakeX) -> None:
    fake.answers[SEARCH] = Reply(b"", 302, {"Location": "http://127.0.0.1:9/"})
    with pytest.raises(Unavailable):
        Source(fake).pull()


# --- posts


def test_a_post_tells_its_counts_author_and_language(fake: FakeX) -> None:
    (seed,) = fake.publish(1)
    source = Source(fake)
    source.pull()
    item = source.stored[fake.external_id(seed)]
    assert item.counts == Counts(likes=11, shares=5, comments=1, views=500)
    assert item.author is not None
    assert (item.author.id, item.author.name, item.author.followers) == ("99", "ada", 12)
    assert item.url == f"https://x.com/ada/status/{item.external_id}"
    assert item.language == "en"


def test_without_authors_no_users_are_asked_for(fake: FakeX) -> None:
    fake.publish(1)
    source = Source(fake, authors=False)
    source.pull()
    (item,) = source.stored.values()
    assert item.author is not None
    assert (item.author.id, item.author.name) == ("99", None)
    assert not any("expansions" in query for query in fake.searches)


def post(**changes: Any) -> dict[str, Any]:
    return {"id": str(id_at(NOW)), "text": "Acme &amp; I &lt;3", "created_at": "2026-11-01T12:00:00.000Z"} | changes


def test_an_edited_post_stays_the_same_item() -> None:
    first, second = id_at(NOW), id_at(NOW + timedelta(minutes=3))
    edited = post(
        id=str(second), created_at="2026-11-01T12:03:00.000Z", edit_history_tweet_ids=[str(first), str(second)]
    )
    item = item_of(edited, {}, frozenset())
    assert (item.external_id, item.published_at) == (str(first), NOW)
    assert item.updated_at == NOW + timedelta(minutes=3)


def test_a_long_post_comes_whole_and_unescaped() -> None:
    item = item_of(post(note_tweet={"text": "Long &amp; whole"}), {}, frozenset())
    assert (item.text, item_of(post(), {}, frozenset()).text) == ("Long & whole", "Acme & I <3")


def test_what_a_post_answers_and_quotes_is_named() -> None:
    referenced = [{"type": "replied_to", "id": "5"}, {"type": "quoted", "id": "6"}]
    assert item_of(post(referenced_tweets=referenced), {}, frozenset()).attributes == {"reply_to": "5", "quotes": "6"}


def test_a_language_that_is_none_is_unknown() -> None:
    assert [item_of(post(lang=code), {}, frozenset()).language for code in ("und", "qme", "in", None)] == [
        None,
        None,
        "id",
        None,
    ]


def test_unknown_counts_are_none() -> None:
    assert item_of(post(), {}, frozenset()).counts == Counts()


def test_ids_tell_the_time() -> None:
    assert time_of(id_at(NOW)) == NOW
    assert time_of(1578522194770296832).isoformat(timespec="seconds") == "2022-10-07T23:06:33+00:00"


# --- reading again


def refreshed(source: Source, ids: list[str]) -> list[Refreshed]:
    connector = source.open()
    assert isinstance(connector, Refreshes)
    return list(connector.refresh(ids))


def test_reading_again_tells_counts_and_what_is_gone(fake: FakeX) -> None:
    there, gone = fake.publish(2)
    fake.gone.add(gone)
    first, second = refreshed(Source(fake), [fake.external_id(there), fake.external_id(gone), "not an id"])
    assert first == Refreshed(fake.external_id(there), Counts(11, 5, 1, 500))
    assert second == Refreshed(fake.external_id(gone), None, gone=True)


def test_what_is_neither_there_nor_gone_stays(fake: FakeX) -> None:
    hidden = {"value": "5", "resource_type": "tweet", "type": "https://api.twitter.com/2/problems/not-authorized"}
    fake.answers["/2/tweets"] = Reply.of_json({"errors": [hidden]})
    assert refreshed(Source(fake), ["5"]) == []


def test_reading_again_has_a_limit_of_its_own(fake: FakeX) -> None:
    ids = [fake.external_id(seed) for seed in fake.publish(150)]
    source = Source(fake, refreshes_per_day=120)
    with pytest.raises(RateLimited):
        refreshed(source, ids)
    assert fake.read == 120
    with pytest.raises(RateLimited):
        refreshed(source, ids)
    assert fake.read == 120
    assert refreshed(Source(fake, refreshes_per_day=0), ids) == []


class Elsewhere(Source):
    """The same source in another process: what a process knows of itself is kept by address, and this one is spelt otherwise."""

    def address(self) -> str:
        return super().address().replace("http://", "HTTP://")


def refreshed_in_a_pull(source: Source, ids: list[str]) -> None:
    """As the daemon does it: pages first, then followers and counts, and what was spent is stored with the cursor."""
    connector = source.open()
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, CountsFollowers)
    assert isinstance(connector, Remembers)
    list(connector.fetch(source.cursor, SINCE))
    try:
        list(connector.followers())
        list(connector.refresh(ids))
    finally:
        connector.close()
        source.cursor = json.loads(json.dumps(connector.remember()))


def test_another_process_knows_from_the_cursor_what_reading_again_has_cost(fake: FakeX) -> None:
    ids = [fake.external_id(seed) for seed in fake.publish(150)]
    here, there = (kind(fake, refreshes_per_day=120) for kind in (Source, Elsewhere))
    refreshed_in_a_pull(here, ids[:100])
    there.cursor, read = here.cursor, fake.read
    with pytest.raises(RateLimited):
        refreshed_in_a_pull(there, ids[100:])
    assert fake.read - read == 20 + len(fake.seeds[-1:])
    here.cursor = there.cursor
    with pytest.raises(RateLimited):
        refreshed_in_a_pull(here, ids[:1])


def test_a_process_that_dies_over_a_batch_has_put_its_cost_down(fake: FakeX) -> None:
    ids = [fake.external_id(seed) for seed in fake.publish(100)]
    here, there = (kind(fake, refreshes_per_day=120) for kind in (Source, Elsewhere))
    dying = here.open()
    assert isinstance(dying, Remembers)
    list(dying.fetch(None, SINCE))
    there.cursor = json.loads(json.dumps(dying.remember(len(ids))))
    with pytest.raises(RateLimited):
        refreshed_in_a_pull(there, ids)
    assert there.cursor is not None
    assert there.cursor["rereads"] == {"day": "2026-11-01", "posts": 120}


def test_a_new_day_may_be_spent_anew_in_every_process(fake: FakeX) -> None:
    ids = [fake.external_id(seed) for seed in fake.publish(10)]
    here, there = (kind(fake, refreshes_per_day=10) for kind in (Source, Elsewhere))
    refreshed_in_a_pull(here, ids)
    there.cursor, there.now = here.cursor, NOW + timedelta(days=1)
    refreshed_in_a_pull(there, ids)
    assert there.cursor is not None
    assert there.cursor["rereads"] == {"day": "2026-11-02", "posts": 10}


def test_another_process_does_not_pay_for_the_followers_again(fake: FakeX) -> None:
    here, there = (kind(fake, accounts=("AcmeHQ",)) for kind in (Source, Elsewhere))
    refreshed_in_a_pull(here, [])
    there.cursor = here.cursor
    refreshed_in_a_pull(there, [])
    there.now += timedelta(hours=6)
    refreshed_in_a_pull(there, [])
    assert [request.path for request in fake.loopback.requests].count("/2/users/by") == 2


@pytest.mark.parametrize(
    "damage",
    [
        {"rereads": {"day": "9999-12-31", "posts": 5}, "followers_at": 10**12},
        {"rereads": {"day": 7, "posts": "many"}, "followers_at": "yesterday"},
        {"rereads": [], "followers_at": -1},
    ],
)
def test_a_damaged_account_of_what_was_spent_is_an_empty_one(fake: FakeX, damage: dict[str, Any]) -> None:
    ids = [fake.external_id(seed) for seed in fake.publish(3)]
    source = Source(fake, accounts=("AcmeHQ",))
    source.cursor = damage
    refreshed_in_a_pull(source, ids)
    assert source.cursor is not None
    assert source.cursor["rereads"] == {"day": "2026-11-01", "posts": 3}
    assert [request.path for request in fake.loopback.requests].count("/2/users/by") == 1


def test_who_has_fetched_nothing_remembers_nothing(fake: FakeX) -> None:
    connector = Source(fake).open()
    assert isinstance(connector, Remembers)
    assert connector.remember() is None


# --- options and links


@pytest.mark.parametrize(
    ("given", "name"), [("@acme", "acme"), ("https://x.com/acme/", "acme"), ("https://twitter.com/acme", "acme")]
)
def test_an_account_is_known_by_its_link(given: str, name: str) -> None:
    assert XOptions(bearer_token="t", accounts=(given,)).accounts == (name,)


@pytest.mark.parametrize("wrong", [{"posts_per_day": 9}, {"accounts": ["a b"]}, {"language": "English"}, {"query": ""}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        XOptions.model_validate({"bearer_token": "t", **wrong})


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://x.com/search?q=acme%20phone&src=typed_query", {"query": "acme phone"}),
        ("https://twitter.com/hashtag/acme", {"query": "#acme"}),
        ("https://x.com/acme", None),
        ("https://example.com/search?q=acme", None),
        ("https://[x.com/", None),
    ],
)
def test_links_to_searches_are_recognised(link: str, options: object) -> None:
    assert PLUGIN.recognise(link) == options
