"""Signing in: who is asked for a password, what a session is worth, how guessing is slowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from monitor.web import access
from monitor.web.access import FREE_TRIES, TRIES_IN_ALL, WAIT, Signer, Throttle, Visitor
from monitor.web.guards import SESSION, VISIT
from monitor.web.page import own_path
from storage import tokens
from tests.web.doors import HASH, PASSWORD, addresses, door, raw, sign_in, token_of, visitor_of
from tests.web.serving import Dashboard

OPEN_TO_ALL = ("/login", "/static/", "/favicon.ico", "/healthz", "/readyz")
MORNING = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard with a password. Who is believed to be a proxy says where readers come from, so that each has tries of their own."""
    with door(tmp_path_factory.mktemp("locked"), migrated_file, proxies=["127.0.0.1"]) as dashboard:
        yield dashboard


@pytest.fixture
def stranger(locked: Dashboard) -> Iterator[httpx.Client]:
    """Somebody who has not signed in."""
    with visitor_of(locked) as client:
        yield client


# ------------------------------------------------------------------------------------------------ who is asked


def test_on_this_machine_alone_nobody_is_asked(tmp_path: Path, migrated_file: Path) -> None:
    with door(tmp_path, migrated_file, password=None) as dashboard:
        page = dashboard.get("/welcome")
        (cookie,) = page.headers.get_list("set-cookie")
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        assert dashboard.get("/login?next=/sources", 303).headers["location"] == "/sources"


@pytest.mark.parametrize(
    "added",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
        {"Via": "1.1 edge"},
    ],
    ids=str,
)
def test_what_came_through_a_proxy_is_not_from_this_machine(open_door: Dashboard, added: dict[str, str]) -> None:
    answer = open_door.get("/welcome", 303, headers=added)
    assert answer.headers["location"] == "/login?next=/welcome"
    assert "sentiment-monitor web password" in open_door.get("/login", 403, headers=added).text
    open_door.get("/api/v1/sources", 401, headers=added)


def test_a_proxy_that_adds_nothing_speaks_an_old_http(open_door: Dashboard) -> None:
    host = httpx.URL(open_door.url).netloc
    told = raw(open_door, b"GET /welcome HTTP/1.0\r\nHost: " + host + b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 303")
    assert b"Acme" not in told


@pytest.fixture(scope="module")
def open_door(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard without a password on this machine."""
    with door(tmp_path_factory.mktemp("open"), migrated_file, password=None) as dashboard:
        yield dashboard


@pytest.mark.parametrize(
    "web",
    [
        {"host": "0.0.0.0"},
        {"public_url": "https://monitor.example.org"},
        {"hosts": ["monitor.lan"]},
        {"proxies": ["10.0.0.1"]},
    ],
)
def test_who_can_be_reached_from_elsewhere_is_open_to_nobody(
    tmp_path: Path, migrated_file: Path, web: dict[str, object]
) -> None:
    with door(tmp_path, migrated_file, password=None, **web) as dashboard:
        dashboard.get("/welcome", 303)
        dashboard.get("/api/v1/sources", 401)
        dashboard.client.post("/login", data={"password": ""})
        dashboard.get("/welcome", 303)


def test_with_a_password_everything_asks_for_it(stranger: httpx.Client) -> None:
    asked = [one for one in addresses() if not one.path.startswith(OPEN_TO_ALL)]
    assert len(asked) > 60
    for one in asked:
        answer = stranger.request(one.method, one.path)
        assert "Acme" not in answer.text
        if one.path.startswith("/api/") or one.path == "/metrics":
            signed = one.route.name == "hand_in"  # by its sender; there is no such source
            assert (answer.status_code == 401) != signed, (str(one), answer.text)
        else:
            assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), str(one)


def test_the_page_that_was_asked_for_comes_after_the_password(stranger: httpx.Client) -> None:
    asked = stranger.get("/items?brand=Acme&q=a+b")
    assert asked.headers["location"] == "/login?next=/items%3Fbrand%3DAcme%26q%3Da%2Bb"
    form = stranger.get(asked.headers["location"])
    assert 'name="next" value="/items?brand=Acme&amp;q=a+b"' in form.text
    done = stranger.post("/login", data={"password": PASSWORD, "next": "/items?brand=Acme&q=a+b"})
    assert (done.status_code, done.headers["location"]) == (303, "/items?brand=Acme&q=a+b")
    assert stranger.get("/items?brand=Acme").status_code == 200


# ---------------------------------------------------------------------------------------------------- sessions


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    """The session that an answer sets, with its flags."""
    (told,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(SESSION)]
    return SimpleCookie(told)[SESSION]


def test_a_session_is_for_the_server_alone(locked: Dashboard, stranger: httpx.Client) -> None:
    plain = cookie_of(sign_in(locked, stranger))
    assert (plain["httponly"], plain["samesite"], plain["path"], plain["domain"]) == (True, "lax", "/", "")
    assert int(plain["max-age"]) == 30 * 86_400
    assert not plain["secure"]


def test_over_https_a_session_goes_by_https_alone(
    locked: Dashboard, stranger: httpx.Client, tmp_path: Path, migrated_file: Path
) -> None:
    assert cookie_of(sign_in(locked, stranger, **{"X-Forwarded-Proto": "https"}))["secure"]
    with door(tmp_path, migrated_file, public_url="https://monitor.example.org") as public:
        told = cookie_of(sign_in(public, Host="monitor.example.org"))
        assert told["secure"]
        nearby = cookie_of(sign_in(public, **{"X-Forwarded-Proto": "https"}))  # by whom? nobody is believed here
        assert not nearby["secure"]


def test_a_session_that_was_changed_or_made_elsewhere_is_none(locked: Dashboard, stranger: httpx.Client) -> None:
    session = cookie_of(sign_in(locked, stranger)).value
    kept = tokens.password_hash(locked.app.database)
    foreign = Signer(b"another key").session("you", kept)
    middle = len(session) // 2
    changed = session[:middle] + ("A" if session[middle] != "A" else "B") + session[middle + 1 :]
    for wrong in (foreign, changed, session[:-1], session + "A", "", "x" * 5_000, "null", session.split(".")[0]):
        answer = httpx.get(f"{locked.url}/welcome", headers={"Cookie": f"{SESSION}={wrong}"})
        assert answer.status_code == 303, wrong[:80]
    assert httpx.get(f"{locked.url}/welcome", headers={"Cookie": f"{SESSION}={session}"}).status_code == 200


def test_a_session_ends_in_time(tmp_path: Path, migrated_file: Path) -> None:
    signer = Signer(b"key")
    session = signer.session("you", HASH)
    assert signer.visitor(session, HASH, timedelta(days=1)) is not None
    assert signer.visitor(session, HASH, timedelta(seconds=-1)) is None
    with door(tmp_path, migrated_file, session=timedelta(hours=2)) as dashboard:
        assert cookie_of(sign_in(dashboard))["max-age"] == "7200"


def test_another_password_ends_every_session(locked: Dashboard, stranger: httpx.Client) -> None:
    signer = Signer(b"key")
    session = signer.session("you", HASH)
    assert signer.visitor(session, access.hashed(PASSWORD), timedelta(days=1)) is None  # the same words, set again
    assert signer.visitor(session, None, timedelta(days=1)) is None


def test_signing_out_ends_the_session_in_this_browser(locked: Dashboard, stranger: httpx.Client) -> None:
    sign_in(locked, stranger)
    token = token_of(stranger.get("/welcome"))
    assert stranger.post("/logout", data={"csrf": "0" * 64}).status_code == 403
    assert stranger.get("/welcome").status_code == 200
    assert stranger.post("/logout", data={"csrf": token}).headers["location"] == "/login"
    assert SESSION not in stranger.cookies
    assert stranger.get("/welcome").status_code == 303


def test_an_open_visit_is_no_session(locked: Dashboard) -> None:
    forged = {"Cookie": f"{VISIT}=guessed"}
    assert httpx.get(f"{locked.url}/welcome", headers=forged).status_code == 303


# ---------------------------------------------------------------------------------------------------- redirects

ELSEWHERE = (
    *(
        "//evil.example",
        "///evil.example",
        r"\\evil.example",
        r"/\evil.example",
        r"/\/evil.example",
        "https://evil.example/",
    ),
    *(
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
    ),
    *(
        "%2f%2fevil.example",
        "/\x00/evil.example",
        "/\u2028/evil.example",
        "evil.example",
        "",
        "?",
        "/\x7f",
        "http:/evil",
        "/\x85//x",
    ),
)


@pytest.mark.parametrize("to", ELSEWHERE)
def test_nobody_is_sent_elsewhere(locked: Dashboard, stranger: httpx.Client, to: str) -> None:
    assert own_path(to) == "/"
    answer = stranger.post("/login", data={"password": PASSWORD, "next": to})
    assert answer.headers["location"] == "/"
    if "\0" not in to:
        assert stranger.get("/login", params={"next": to}).headers["location"] == "/"


@pytest.mark.parametrize(
    "to", ["/%2f/evil.example", "/.//evil.example", "/items?next=//evil.example", "/a/..//evil.example"]
)
def test_what_looks_like_elsewhere_stays_here(stranger: httpx.Client, to: str) -> None:
    answer = stranger.post("/login", data={"password": PASSWORD, "next": to})
    target = stranger.base_url.join(answer.headers["location"])
    assert target.host == "127.0.0.1"


# ------------------------------------------------------------------------------------------------- guessing


def test_after_some_wrong_passwords_an_address_waits(locked: Dashboard, stranger: httpx.Client) -> None:
    there = {"X-Forwarded-For": "198.51.100.1"}
    for _ in range(FREE_TRIES):
        assert stranger.post("/login", data={"password": "wrong"}, headers=there).status_code == 401
    answer = stranger.post("/login", data={"password": PASSWORD}, headers=there)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WAIT.total_seconds()
    assert SESSION not in stranger.cookies
    sign_in(locked, stranger, **{"X-Forwarded-For": "198.51.100.2"})


def test_who_is_no_proxy_cannot_say_to_come_from_elsewhere(tmp_path: Path, migrated_file: Path) -> None:
    with door(tmp_path, migrated_file) as dashboard:
        told = [
            dashboard.client.post("/login", data={"password": "wrong"}, headers={"X-Forwarded-For": f"10.0.0.{number}"})
            for number in range(FREE_TRIES + 1)
        ]
        assert [one.status_code for one in told] == [401] * FREE_TRIES + [429]


def test_many_tries_at_once_are_no_more_than_one_after_the_other(locked: Dashboard) -> None:
    there = {"X-Forwarded-For": "198.51.100.77"}
    told: list[int] = []

    def guess() -> None:
        with visitor_of(locked) as client:
            told.append(client.post("/login", data={"password": "wrong"}, headers=there).status_code)

    guessing = [threading.Thread(target=guess) for _ in range(12)]
    for one in guessing:
        one.start()
    for one in guessing:
        one.join()
    assert set(told) <= {401, 429, 503}
    assert told.count(401) <= FREE_TRIES
    assert 429 in told


def test_few_passwords_wait_to_be_looked_at() -> None:
    told: list[bool | str] = []
    begin = threading.Barrier(30)

    def look() -> None:
        begin.wait()
        try:
            told.append(access.is_password(HASH, "wrong"))
        except access.Busy:
            told.append("busy")

    looking = [threading.Thread(target=look) for _ in range(30)]
    for one in looking:
        one.start()
    for one in looking:
        one.join()
    assert "busy" in told
    assert False in told
    assert access.is_password(HASH, PASSWORD)


def test_an_address_waits_until_its_oldest_wrong_try_is_past() -> None:
    throttle = Throttle()
    for minute in range(FREE_TRIES):
        assert throttle.enter("192.0.2.1", MORNING + timedelta(minutes=minute)) is None
    assert throttle.enter("192.0.2.1", MORNING + timedelta(minutes=10)) == timedelta(minutes=5)
    assert throttle.enter("192.0.2.1", MORNING + WAIT) is None
    assert throttle.enter("192.0.2.1", MORNING + WAIT) is not None


def test_a_right_password_forgives_and_one_not_looked_at_does_not_count() -> None:
    throttle = Throttle()
    for _ in range(FREE_TRIES - 1):
        throttle.enter("192.0.2.1", MORNING)
    throttle.succeeded("192.0.2.1")
    for _ in range(FREE_TRIES - 1):
        assert throttle.enter("192.0.2.1", MORNING) is None
    assert throttle.enter("192.0.2.1", MORNING) is None
    throttle.take_back("192.0.2.1")
    assert throttle.enter("192.0.2.1", MORNING) is None


def test_many_addresses_together_wait_but_who_was_in_before_does_not() -> None:
    throttle = Throttle()
    throttle.succeeded("192.0.2.250")
    for number in range(TRIES_IN_ALL):
        assert throttle.enter(f"198.51.100.{number}", MORNING) is None
    assert throttle.enter("203.0.113.1", MORNING + timedelta(minutes=1)) == timedelta(minutes=14)
    assert throttle.enter("192.0.2.250", MORNING) is None


def test_addresses_of_one_network_share_their_tries() -> None:
    throttle = Throttle()
    for number in range(FREE_TRIES):
        assert throttle.enter(f"2001:db8::{number:x}", MORNING) is None
    assert throttle.enter("2001:db8::ffff:1", MORNING) is not None
    assert throttle.enter("2001:db8:0:1::1", MORNING) is None
    assert [throttle.enter(f"::ffff:10.0.0.{n}", MORNING) for n in range(9)] == [None] * 9


def test_a_form_is_of_the_visitor_it_was_shown_to() -> None:
    signer = Signer(b"key")
    mine, yours = Visitor("you", "session", nonce="a"), Visitor("you", "session", nonce="b")
    assert signer.is_form_of(mine, signer.form_token(mine))
    assert not signer.is_form_of(mine, signer.form_token(yours))
    assert not signer.is_form_of(Visitor("you", "open", nonce="a"), signer.form_token(mine))
    assert not signer.is_form_of(Visitor("robot", "token"), signer.form_token(Visitor("robot", "token")))


def test_a_wrong_password_is_told_beside_the_field_and_not_repeated(stranger: httpx.Client) -> None:
    answer = stranger.post("/login", data={"password": "wrong-word-17"}, headers={"X-Forwarded-For": "198.51.100.9"})
    assert answer.status_code == 401
    assert 'aria-describedby="wrong"' in answer.text
    assert "wrong-word-17" not in answer.text


def test_the_password_opens_what_was_asked_for_and_signing_out_closes_it(locked: Dashboard, page: Page) -> None:
    page.goto(f"{locked.url}/sources?state=all")
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{locked.url}/login")
