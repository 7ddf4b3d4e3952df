"""What changes something is done by our own pages alone: every form and every call, knocked at from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from monitor.web import guards
from tests.web.doors import Address, addresses, door, key, rows, sign_in, token_of, visitor_of
from tests.web.serving import Dashboard

CHANGING = [one for one in addresses() if one.method not in ("GET", "HEAD")]
BY_FORM = [one for one in CHANGING if not one.path.startswith("/api/") and one.path != "/login"]
SIGNED = ("hand_in",)
"""Signed by their senders, so that they need nothing else."""
ASKING = ("/api/v1/explain", "/api/v1/keywords/try", "/api/v1/rules/trial")
"""They change nothing; their question is too long for an address."""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard with a password, to whose client it was said."""
    with door(tmp_path_factory.mktemp("locked"), migrated_file) as dashboard:
        sign_in(dashboard)
        yield dashboard


def _all(dependant: object) -> Iterator[object]:
    for inner in getattr(dependant, "dependencies", ()):
        yield inner
        yield from _all(inner)


def test_everything_that_changes_something_is_guarded() -> None:
    assert len(CHANGING) > 15
    for one in CHANGING:
        calls = {getattr(inner, "call", None) for inner in _all(one.route.dependant)}
        if one.path == "/login":
            assert guards.refuse_other_sites in calls
        elif one.path in ASKING:
            assert guards.visitor in calls
        elif one.route.name not in SIGNED:
            wanted = guards.writer if one.path.startswith("/api/") else guards.submitted
            assert wanted in calls, str(one)


def foreign(dashboard: Dashboard) -> dict[str, dict[str, str]]:
    """What pages of others can make a browser send, by how; ``csrf`` is told as a field and as a header."""
    own = token_of(dashboard.get("/welcome"))
    with visitor_of(dashboard) as other:
        sign_in(dashboard, other)
        others = token_of(other.get("/welcome"))
    return {
        "no token": {},
        "an empty token": {"csrf": ""},
        "a made up token": {"csrf": "0" * 64},
        "a token of letters": {"csrf": "ü" * 20},
        "another visitor's token": {"csrf": others},
        "another site": {"csrf": own, "origin": "https://evil.example"},
        "another port": {"csrf": own, "origin": "http://127.0.0.1:1"},
        "a site that hides": {"csrf": own, "origin": "null"},
        "an origin that is none": {"csrf": own, "origin": "http://["},
        "a like name": {"csrf": own, "origin": dashboard.url + ".evil.example"},
        "another site, as the browser says": {"csrf": own, "sec-fetch-site": "cross-site"},
        "a neighbour, as the browser says": {"csrf": own, "sec-fetch-site": "same-site"},
    }


def send(dashboard: Dashboard, one: Address, told: dict[str, str], **fields: str) -> httpx.Response:
    """As a form, or as a call."""
    headers = {name: value for name, value in told.items() if name != "csrf"}
    token = told.get("csrf")
    if one.path.startswith("/api/"):
        extra = {"x-csrf-token": token.encode()} if token is not None else {}
        return dashboard.client.request(one.method, one.path, json={}, headers={**headers, **extra})  # type: ignore[dict-item]
    body = {**fields, **({"csrf": token} if token is not None else {})}
    return dashboard.client.request(one.method, one.path, data=body, headers=headers)


def test_nothing_from_elsewhere_is_done(locked: Dashboard) -> None:
    before = rows(locked.app)
    for how, told in foreign(locked).items():
        for one in CHANGING:
            if one.route.name in SIGNED or one.path in (*ASKING, "/login"):
                continue
            answer = send(locked, one, told)
            assert answer.status_code == 403, (how, str(one), answer.status_code)
    assert rows(locked.app) == before
    locked.get("/welcome")  # nobody was signed out


def test_nobody_is_signed_in_from_elsewhere(locked: Dashboard) -> None:
    with visitor_of(locked) as client:
        for told in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            answer = client.post("/login", data={"password": "correct horse battery"}, headers=told)
            assert answer.status_code == 403
        assert not client.cookies


def test_our_own_forms_are_taken(locked: Dashboard) -> None:
    own = {"csrf": token_of(locked.get("/welcome")), "origin": locked.url, "sec-fetch-site": "same-origin"}
    for one in BY_FORM:
        if one.path != "/logout":
            assert send(locked, one, own).status_code in (200, 303, 404, 409, 422), str(one)


def test_a_key_of_a_program_sends_no_forms(locked: Dashboard) -> None:
    headers = key(locked.app, may_write=True)
    with visitor_of(locked) as client:
        for one in BY_FORM:
            assert client.request(one.method, one.path, data={"csrf": ""}, headers=headers).status_code == 403


def test_on_an_open_dashboard_a_browser_needs_the_token_and_a_program_does_not(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> None:
    with door(tmp_path_factory.mktemp("open"), migrated_file, password=None) as dashboard:
        path = "/api/v1/items/1/marks/done"
        for told in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"referer": "https://evil.example/"},
            {"sec-fetch-site": "cross-site"},
        ):
            assert dashboard.client.put(path, headers=told).status_code == 403
        assert dashboard.client.put(path).status_code == 404
        dashboard.get("/welcome")
        assert dashboard.client.put(path).status_code == 403  # with the cookie it is a browser


HOSTILE_FORM = """<form method="post" action="{url}/logout"><input name="csrf" value="0"><button>win</button></form>"""


def test_a_page_of_others_does_nothing_in_a_browser(locked: Dashboard, page: Page) -> None:
    page.goto(f"{locked.url}/login")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    evil = page.context.new_page()
    evil.route(
        "http://evil.example/",
        lambda route: route.fulfill(content_type="text/html", body=HOSTILE_FORM.format(url=locked.url)),
    )
    evil.goto("http://evil.example/")
    with evil.expect_response(f"{locked.url}/logout") as sent:
        evil.get_by_role("button").click()
    assert sent.value.status in (303, 403)
    evil.close()
    page.goto(f"{locked.url}/welcome")
    assert page.get_by_role("button", name="Sign out").is_visible()
