from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Counts, FollowerReading, Gap, Kind, RequestBudget, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, Unavailable
from connectors.mastodon import PLUGIN, Mastodon
from connectors.mastodon_options import MastodonOptions, tag_of
from connectors.mastodon_walk import OVERLAP, id_at
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, LimitedBudget, Pulls
from tests.fakes.mastodon import HOST, OWN_ID, TOKEN, FakeMastodon, FakeMastodonAccount, FakeMastodonSearch, number_of


class TestMastodonHashtags(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeMastodon)


class TestMastodonSearch(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeMastodonSearch)


class TestMastodonAccounts(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeMastodonAccount, kind=Kind.POST)


class Source(Pulls):
    """A source with options and keywords of its own."""

    def __init__(self, fake: FakeMastodon, terms: tuple[str, ...] = ("acme",), **options: Any) -> None:
        super().__init__(Case(plugin=PLUGIN, fake=lambda: fake), fake)
        self.terms, self.options = terms, options

    def open(self, budget: RequestBudget | None = None) -> Mastodon:
        given = {"base_url": self.fake.base_url, **self.fake.options(), **self.options}
        context = replace(self.context(budget or Unlimited()), terms=self.terms)
        return Mastodon(MastodonOptions.model_validate(given), context)

    @property
    def gaps(self) -> list[Gap]:
        return [page.gap for page in self.pages if page.gap]


@pytest.fixture
def fake() -> Iterator[FakeMastodon]:
    fake = FakeMastodon()
    yield fake
    fake.close()


@pytest.fixture
def searching() -> Iterator[FakeMastodonSearch]:
    fake = FakeMastodonSearch()
    yield fake
    fake.close()


# --- walking


def test_an_idle_pull_asks_twice_for_each_hashtag_and_once_for_an_empty_one(fake: FakeMastodon) -> None:
    fake.publish(1)
    source = Source(fake, terms=("acme", "other"))
    source.pull()
    fake.loopback.requests.clear()
    source.pull()
    assert sorted(path.rpartition("/")[2] for path in fake.paths) == ["acme", "acme", "other"]


def test_mastodon_py_asks_nothing_of_its_own(fake: FakeMastodon) -> None:
    fake.publish(1)
    Source(fake, hashtags=["acme"], accounts=["acme"], access_token=TOKEN).pull()
    assert set(fake.paths) == {
        "/api/v1/timelines/tag/acme",
        "/api/v2/search",
        "/api/v1/accounts/lookup",
        f"/api/v1/accounts/{OWN_ID}/statuses",
    }


def test_the_search_asks_other_servers_for_nothing(searching: FakeMastodonSearch) -> None:
    searching.publish(1)
    Source(searching).pull()
    assert not [request for request in searching.loopback.requests if "resolve" in request.query]


def test_what_other_servers_hand_on_late_is_found(fake: FakeMastodon) -> None:
    fake.publish(30)
    source = Source(fake)
    source.pull()
    fake.publish(1, at=fake.newest_first()[0].at - timedelta(seconds=OVERLAP - 60))
    source.pull()
    assert set(source.stored) == fake.expected()


def test_an_id_from_the_future_does_not_hide_what_comes_before_it(fake: FakeMastodon) -> None:
    fake.publish(1, at=NOW + timedelta(days=300))
    source = Source(fake)
    source.pull()
    fake.publish(150, at=NOW + timedelta(hours=5), every=timedelta(minutes=1))
    source.now = NOW + timedelta(hours=5)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_an_overlap_of_many_pages_is_passed_with_a_small_budget(fake: FakeMastodon) -> None:
    fake.publish(200, every=timedelta(seconds=20))
    source = Source(fake)
    source.pull()
    fake.publish(5, at=NOW)

    def limited() -> None:
        with pytest.raises(RateLimited):
            source.pull(budget=LimitedBudget(1))

    source.until_settled(limited)


def test_a_budget_for_one_hashtag_a_pull_reaches_all_in_turn(fake: FakeMastodon) -> None:
    fake.publish(1, at=NOW - timedelta(days=29))
    source = Source(fake, terms=("other", "third", "acme"))

    def limited() -> None:
        with pytest.raises(RateLimited):
            source.pull(budget=LimitedBudget(1))

    source.until_settled(limited)


def test_a_hashtag_that_the_server_cannot_answer_does_not_starve_the_others(fake: FakeMastodon) -> None:
    fake.publish(3)
    fake.answers["/api/v1/timelines/tag/broken"] = Reply.of_json({"error": "x"}, 500)
    source = Source(fake, terms=("broken", "acme"))

    def failing() -> None:
        with pytest.raises(Unavailable):
            source.pull()

    source.until_settled(failing)


def test_a_status_with_two_of_the_hashtags_comes_once_a_pull(fake: FakeMastodon) -> None:
    fake.publish(3)
    fake.answers["/api/v1/timelines/tag/phone"] = Reply.of_json([fake.status(seed) for seed in fake.seeds])
    brought = Source(fake, terms=("acme", "phone")).pull()
    assert len(brought) == 3


def test_what_left_the_options_leaves_the_cursor(fake: FakeMastodon) -> None:
    fake.publish(3)
    source = Source(fake, terms=("acme", "other"))
    source.pull()
    source.terms = ("acme",)
    source.pull()
    assert source.cursor is not None
    assert list(source.cursor["places"]) == ["tag acme"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cursor",
    [
        {"places": 7},
        {"places": {"tag acme": 7}},
        {"places": {"tag acme": {"at": "x"}}},
        {"places": {"tag acme": {"at": -1}}},
        {"places": {"tag acme": {"at": True}}},
        {"last": 7},
        {"places": {"search acme": {"floor": "x"}}},
    ],
)
def test_a_damaged_cursor_starts_anew(fake: FakeMastodon, cursor: dict[str, Any]) -> None:
    fake.publish(5)
    source = Source(fake, access_token=TOKEN)
    source.cursor = cursor
    source.pull()
    assert set(source.stored) == fake.expected()


def test_statuses_of_one_second_at_the_place_of_a_crash_all_arrive(searching: FakeMastodonSearch) -> None:
    searching.publish(100, at=NOW - timedelta(days=2), every=timedelta(milliseconds=3))
    searching.publish(60)
    source = Source(searching)
    source.pull(pages=2)
    source.until_settled(lambda: source.pull(pages=5))


def test_a_thousand_and_more_found_slide_down_in_time(searching: FakeMastodonSearch) -> None:
    searching.publish(1_150, every=timedelta(minutes=10))
    source = Source(searching)
    source.pull()
    assert set(source.stored) == searching.expected()
    assert max(int(request.query.get("offset", 0)) for request in searching.loopback.requests) < 1_000


# --- what comes


def told(**changes: Any) -> Callable[[dict[str, Any]], object]:
    """Changes to a status; ``account_x`` changes ``x`` of its account."""

    def change(status: dict[str, Any]) -> None:
        for name, value in changes.items():
            place = status["account"] if name.startswith("account_") else status
            place[name.removeprefix("account_")] = value

    return change


def test_a_status_becomes_an_item(fake: FakeMastodon) -> None:
    [seed] = fake.publish(1)
    link = '<a href="https://acme.example/a"><span class="invisible">https://</span><span>acme.example/a</span></a>'
    fake.changes[seed.number] = told(
        spoiler_text="about phones", content=f"<p>Salt &amp; acme</p><p>{link}</p>", edited_at="2026-11-01T12:34:56Z"
    )
    [item] = Source(fake).pull()
    assert (item.external_id, item.kind) == (f"{HOST}/{number_of(seed)}", Kind.MENTION)
    assert (item.title, item.text) == ("about phones", "Salt & acme\n\nhttps://acme.example/a")
    assert item.author == Author("ada@far.example", "Ada", 12)
    assert item.counts == Counts(likes=3, shares=2, comments=1)
    assert (item.url, item.language, item.place) == (f"https://far.example/@ada/{seed.number}", "en", "far.example")
    assert item.updated_at == datetime(2026, 11, 1, 12, 34, 56, tzinfo=UTC)
    assert item.attributes == {"type": "post", "visibility": "public"}


@pytest.mark.parametrize("written", ["2026-10-31T23:00:00.000Z", "2026-11-01T01:00:00+02:00", "2026-10-31T23:00:00"])
def test_the_time_is_utc_whatever_the_zone_of_machine_and_server(
    fake: FakeMastodon, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(created_at=written)
    [item] = Source(fake).pull()
    assert item.published_at.isoformat() == "2026-10-31T23:00:00+00:00"


@pytest.mark.parametrize(
    "changes",
    [
        {"visibility": "private"},
        {"visibility": "direct"},
        {"visibility": "something new"},
        {"account_noindex": True},
        {"reblog": {"id": "1"}},
    ],
    ids=str,
)
def test_what_is_not_for_everyone_is_left_out_and_is_no_fault(fake: FakeMastodon, changes: dict[str, Any]) -> None:
    first, second = fake.publish(2)
    fake.changes[first.number] = told(**changes)
    source = Source(fake)
    assert [item.external_id for item in source.pull()] == [fake.external_id(second)]
    assert not [entry for page in source.pages for entry in page.skipped]


def test_unlisted_posts_come(fake: FakeMastodon) -> None:
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(visibility="unlisted")
    assert [item.attributes["visibility"] for item in Source(fake).pull()] == ["unlisted"]


@pytest.mark.parametrize(("only", "comes"), [(False, 2), (True, 1)])
def test_hashtags_of_people_who_did_not_agree_to_search_come_unless_told_otherwise(
    fake: FakeMastodon, only: bool, comes: int
) -> None:
    first, _ = fake.publish(2)
    fake.changes[first.number] = told(account_indexable=False)
    assert len(Source(fake, only_indexable=only).pull()) == comes


def test_a_search_never_brings_people_who_did_not_agree_to_search(searching: FakeMastodonSearch) -> None:
    first, second = searching.publish(2)
    searching.changes[first.number] = told(account_indexable=False)
    assert [item.external_id for item in Source(searching).pull()] == [searching.external_id(second)]


def test_own_posts_found_by_hashtag_are_own_posts(fake: FakeMastodon) -> None:
    first, _ = fake.publish(2)
    fake.changes[first.number] = told(account_acct="Acme", account_noindex=True)
    kinds = {item.external_id: item.kind for item in Source(fake, accounts=["acme"], hashtags=["acme"]).pull()}
    assert kinds[fake.external_id(first)] is Kind.POST


def test_boosts_come_when_asked_for(fake: FakeMastodon) -> None:
    first, _ = fake.publish(2)
    inner = fake.status(first) | {"content": "<p>praise</p>"}
    fake.changes[first.number] = told(reblog=inner, content="<p>praise</p>")
    options: dict[str, Any] = {"hashtags": [], "accounts": ["acme"]}
    assert len(Source(fake, **options).pull()) == 1
    [boost] = [item for item in Source(fake, **options, boosts=True).pull() if item.text == "praise"]
    assert (boost.kind, boost.attributes["type"], boost.counts) == (Kind.POST, "boost", Counts())
    assert boost.attributes["boost_of"] == f"https://far.example/@ada/{first.number}"
    asked = [request.query.get("exclude_reblogs") for request in fake.loopback.requests if "statuses" in request.path]
    assert set(asked) == {"1", None}


@pytest.mark.parametrize(
    "changes",
    [
        {"content": 7},
        {"content": ["x"]},
        {"created_at": None},
        {"created_at": 1_700_000_000},
        {"created_at": "9999-12-31T23:59:59-12:00"},
        {"account": None},
        {"account": "ada"},
        {"account_acct": ""},
        {"account_display_name": ["Ada"]},
        {"spoiler_text": {"a": 1}},
        {"language": 7},
        {"edited_at": "soon"},
        {"visibility": None},
        {"id": "01HF7YAT"},
        {"id": None},
        {"id": True},
        {"id": "9" * 31},
    ],
    ids=str,
)
def test_a_damaged_status_does_no_harm(fake: FakeMastodon, changes: dict[str, Any]) -> None:
    first, second = fake.publish(2)
    fake.changes[first.number] = told(**changes)
    source = Source(fake)
    assert [item.external_id for item in source.pull()] == [fake.external_id(second)]


@pytest.mark.parametrize("name", ["favourites_count", "reblogs_count", "replies_count", "account_followers_count"])
@pytest.mark.parametrize("value", [None, -1, "7", True, 1e30, 10**30])
def test_a_count_that_is_none_is_unknown(fake: FakeMastodon, name: str, value: object) -> None:
    [seed] = fake.publish(1)
    fake.changes[seed.number] = told(**{name: value})
    [item] = Source(fake).pull()
    assert item.author is not None
    counts = {
        "favourites_count": item.counts.likes,
        "reblogs_count": item.counts.shares,
        "replies_count": item.counts.comments,
        "account_followers_count": item.author.followers,
    }
    assert counts[name] is None


def test_a_server_whose_ids_are_not_mastodon_s_is_told(fake: FakeMastodon) -> None:
    for seed in fake.publish(3):
        fake.changes[seed.number] = told(id=f"01HF7YAT{seed.number}")
    with pytest.raises(Unavailable, match="only servers that run Mastodon"):
        Source(fake).pull()


# --- counts again, followers, check


def test_counts_are_read_again_and_what_is_gone_is_told(fake: FakeMastodon) -> None:
    seeds = fake.publish(45)
    fake.gone = {seeds[3], seeds[44]}
    ids = [fake.external_id(seed) for seed in seeds]
    fresh = {entry.external_id: entry for entry in Source(fake).open().refresh([*ids, "elsewhere.example/5", "x"])}
    assert set(fresh) == set(ids)
    assert {name for name, entry in fresh.items() if entry.gone} == {ids[3], ids[44]}
    assert fresh[ids[0]].counts == Counts(likes=3, shares=2, comments=1)
    assert len(fake.loopback.requests) == 3


def test_an_older_server_is_asked_for_one_at_a_time(fake: FakeMastodon) -> None:
    seeds = fake.publish(4)
    fake.gone, fake.gives_many = {seeds[1]}, False
    fresh = list(Source(fake).open().refresh([fake.external_id(seed) for seed in seeds]))
    assert [entry.gone for entry in fresh] == [False, True, False, False]


def test_a_missing_page_is_not_taken_for_deleted_posts(fake: FakeMastodon) -> None:
    [seed] = fake.publish(1)
    fake.gives_many = False
    missing = Reply(b"<html>not found</html>", 404, {"Content-Type": "text/html"})
    fake.answers[f"/api/v1/statuses/{number_of(seed)}"] = missing
    with pytest.raises(NotThere):
        list(Source(fake).open().refresh([fake.external_id(seed)]))


@pytest.mark.parametrize("answer", [{}, {"error": "x"}, [{"id": "1"}], [{"no": 1}], "x", None])
def test_an_answer_about_something_else_deletes_nothing(fake: FakeMastodon, answer: object) -> None:
    [seed] = fake.publish(1)
    fake.answers["/api/v1/statuses"] = Reply.of_json(answer)
    with pytest.raises(Unavailable):
        list(Source(fake).open().refresh([fake.external_id(seed)]))


def test_followers_of_the_own_accounts_are_counted(fake: FakeMastodon) -> None:
    assert list(Source(fake, accounts=["@acme"]).open().followers()) == [FollowerReading(f"acme@{HOST}", 4321, NOW)]


def test_an_account_that_does_not_exist_is_named(fake: FakeMastodon) -> None:
    source = Source(fake, accounts=["nobody"], hashtags=["acme"])
    with pytest.raises(NotThere, match="@nobody"):
        source.open().check()


def test_an_account_that_is_refused_is_a_gap_and_the_rest_goes_on(fake: FakeMastodon) -> None:
    fake.publish(3)
    source = Source(fake, accounts=["nobody"], hashtags=["acme"])
    source.pull()
    assert set(source.stored) == fake.expected()
    [gap] = source.gaps
    assert "@nobody" in gap.reason
    assert (gap.since, gap.until) == (SINCE, NOW)


def test_check_asks_for_one_of_each_and_says_when_there_is_nothing_to_ask(fake: FakeMastodon) -> None:
    Source(fake, terms=("acme", "other"), accounts=["acme"], access_token=TOKEN).open().check()
    assert fake.paths == ["/api/v1/timelines/tag/acme", "/api/v2/search", "/api/v1/accounts/lookup"]
    with pytest.raises(Malformed, match="name hashtags or accounts"):
        Source(fake, terms=("C++",)).open().check()


def test_queries_say_what_is_asked(fake: FakeMastodon) -> None:
    source = Source(fake, terms=("acme phone", "C++"), accounts=["acme"], access_token=TOKEN)
    assert list(source.open().queries()) == ["#acmephone", '"acme phone"', '"C++"', "posts of @acme"]


# --- refusals and limits


def refusal(error: str, status: int, **headers: str) -> Reply:
    return Reply.of_json({"error": error}, status, headers)


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_server_that_shows_nothing_to_strangers_says_what_to_do(fake: FakeMastodon, status: int) -> None:
    fake.answers["/api/v1/timelines/tag/acme"] = refusal("This method requires an authenticated user", status)
    with pytest.raises(AccessDenied, match="give an access_token"):
        Source(fake).pull()


def test_a_refused_token_says_where_to_get_a_new_one(searching: FakeMastodonSearch) -> None:
    with pytest.raises(AccessDenied, match="Preferences, Development"):
        Source(searching, access_token="another").pull()


def test_a_moved_server_says_where(fake: FakeMastodon) -> None:
    moved = Reply(b"", 301, {"Location": "https://new.example/api/v1/timelines/tag/acme"})
    fake.answers["/api/v1/timelines/tag/acme"] = moved
    with pytest.raises(NotThere, match=r"moved to new\.example"):
        Source(fake).pull()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": "2026-11-01T12:03:20.000Z"}, timedelta(seconds=200)),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
        ({"X-RateLimit-Reset": "2026-11-09T12:03:20.000Z"}, timedelta(hours=1)),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({}, None),
        ({"Retry-After": "7", "X-RateLimit-Reset": "2026-11-01T12:03:20.000Z"}, timedelta(seconds=7)),
    ],
    ids=str,
)
def test_a_refusal_for_haste_says_how_long(
    fake: FakeMastodon, headers: Mapping[str, str], wait: timedelta | None
) -> None:
    fake.answers["/api/v1/timelines/tag/acme"] = refusal("Too many requests", 429, **headers)
    with pytest.raises(RateLimited) as caught:
        Source(fake).pull()
    assert caught.value.retry_after == wait


def test_the_last_request_of_a_window_ends_the_pull_without_asking_again(fake: FakeMastodon) -> None:
    fake.publish(60)
    fake.limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-01T12:03:20.000Z"}
    source = Source(fake)
    with pytest.raises(RateLimited) as caught:
        source.pull()
    assert caught.value.retry_after == timedelta(seconds=200)
    assert (len(fake.loopback.requests), len(source.stored)) == (1, 40)


def test_odd_limits_do_no_harm(fake: FakeMastodon) -> None:
    fake.publish(3)
    for limits in ({"X-RateLimit-Remaining": "many"}, {"X-RateLimit-Remaining": "0"}, {"Deprecation": "true"}):
        fake.limits = limits
        source = Source(fake)
        source.pull()
        assert set(source.stored) == fake.expected()


def test_a_token_that_is_also_a_file_s_name_is_not_read_as_a_file(
    searching: FakeMastodonSearch, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / TOKEN).write_text("something else\n")
    monkeypatch.chdir(tmp_path)
    assert os.path.isfile(TOKEN)  # noqa: PTH113  as Mastodon.py asks
    searching.publish(1)
    assert len(Source(searching).pull()) == 1


def test_no_proxy_of_the_environment_is_asked(fake: FakeMastodon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    fake.publish(1)
    assert len(Source(fake).pull()) == 1


def test_answers_are_not_logged_nor_quoted(fake: FakeMastodon, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake.answers["/api/v1/timelines/tag/acme"] = Reply(b"{private words", 200, {"Content-Type": "application/json"})
    with pytest.raises(Unavailable) as caught:
        Source(fake).pull()
    assert "private" not in f"{caught.value!r} {caught.value.__context__!r} {caplog.text}"


# --- options


@pytest.mark.parametrize(
    ("server", "means"),
    [
        ("https://mastodon.social/", "https://mastodon.social"),
        ("Mastodon.Social", "https://mastodon.social"),
        ("https://fedi.example:8443/@x?y=1", "https://fedi.example:8443"),
    ],
)
def test_a_server_is_named_by_address_or_host(server: str, means: str) -> None:
    assert MastodonOptions(server=server).server == means


@pytest.mark.parametrize(
    "server", ["", "http://fedi.example", "https://a b", "https://me:pw@fedi.example", "https://["]
)
def test_what_is_no_server_is_refused(server: str) -> None:
    with pytest.raises(ValidationError, match="server"):
        MastodonOptions(server=server)


@pytest.mark.parametrize(
    ("term", "tag"),
    [
        ("acme", "acme"),
        ("Acme Phone", "acmephone"),
        ("acme-phone", "acmephone"),
        ("Ben & Jerry's", "benjerrys"),
        ("acme*", "acme"),
        ("Münchner Löwe", "münchnerlöwe"),
        ("C++", None),
        ("2026", None),
        ("***", None),
        ("acme/phone", None),
    ],
)
def test_a_keyword_makes_the_hashtag_that_people_would(term: str, tag: str | None) -> None:
    assert tag_of(term) == tag


def test_hashtags_and_accounts_are_taken_as_people_write_them() -> None:
    options = MastodonOptions(
        hashtags=("#Acme", "acme_phone"),
        accounts=("@Acme", "acme@other.example", "https://third.example/@acme", "acme@MASTODON.social"),
    )
    assert options.hashtags == ("acme", "acme_phone")
    assert options.own == {
        "acme@mastodon.social",
        "acme@other.example",
        "acme@third.example",
    }


@pytest.mark.parametrize(
    "wrong", [{"hashtags": ["a b"]}, {"hashtags": ["../x"]}, {"accounts": ["a/b"]}, {"accounts": [""]}]
)
def test_what_is_no_hashtag_or_account_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MastodonOptions.model_validate(wrong)


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://mastodon.social/tags/Acme", {"server": "https://mastodon.social", "hashtags": ["Acme"]}),
        (
            "https://mastodon.online/@acme",
            {"server": "https://mastodon.online", "hashtags": [], "accounts": ["acme"]},
        ),
        (
            "https://mas.to/@acme@x.example/",
            {"server": "https://mas.to", "hashtags": [], "accounts": ["acme@x.example"]},
        ),
        ("https://medium.com/@acme", None),
        ("https://mastodon.social/@acme/1234", None),
        ("https://mastodon.social/", None),
        ("https://mastodon.social/tags/a%20b", None),
        ("ftp://mastodon.social/tags/acme", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_links_to_hashtags_and_profiles_are_recognised(link: str, options: dict[str, Any] | None) -> None:
    assert PLUGIN.recognise(link) == options
    if options is not None:
        MastodonOptions.model_validate(options)


def test_an_id_holds_its_time() -> None:
    assert id_at(NOW.timestamp()) >> 16 == int(NOW.timestamp() * 1000)
