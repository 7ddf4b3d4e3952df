"""Whom nothing is answered, and what every answer carries: names, sizes, odd requests, bugs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.web.headers import ALWAYS, LARGEST_BODY, LARGEST_FROM_STRANGERS
from tests.web.doors import asked, door, is_guarded, raw, site_of, status, token_of
from tests.web.serving import Dashboard


@pytest.fixture(scope="module")
def open_door(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard without a password on this machine."""
    with door(tmp_path_factory.mktemp("open"), migrated_file, password=None) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard that others can reach, under two names."""
    web: dict[str, Any] = {"host": "0.0.0.0", "public_url": "https://Monitor.example.org", "hosts": ["monitor.lan"]}
    with door(tmp_path_factory.mktemp("public"), migrated_file, **web) as dashboard:
        yield dashboard


# ------------------------------------------------------------------------------------------------------- names

OURS = (
    "127.0.0.1",
    "127.0.0.1:80",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost:8350",
    "[::1]",
    "[::1]:8350",
    "127.0.0.2",
)
NOT_OURS = (
    *("evil.example", "localhost.evil.example", "evil.example:80", "127.0.0.1.evil.example", "169.254.169.254", "0.0.0.0", "[::2]"),
    *("user@localhost", "localhost@evil.example", "evil.example#@localhost", "localhost/x", "localhost?x", r"localhost\x", "localhost:x"),
    *("", " ", ":", ":80", "[", "[]", "[::1", "localhost..", ".localhost", "local host", "localhost:123456", "localhost,evil.example"),
    *("localhost:80:80", "127.0.0.1%00", "\xe9", "l\xf6calhost", "[::1]evil", "x" * 5_000),
)  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_this_machine_goes_by_its_names(open_door: Dashboard, host: str) -> None:
    assert status(raw(open_door, asked("/welcome", f"Host: {host}"))) == 200


@pytest.mark.parametrize("host", NOT_OURS)
def test_other_names_are_not_answered(open_door: Dashboard, host: str) -> None:
    told = raw(open_door, asked("/welcome", f"Host: {host}"))
    assert status(told) in (400, 421)
    assert b"Acme" not in told


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Host: localhost", "Host: evil.example"),
        ("Host: evil.example", "Host: localhost"),
        ("Host: localhost", "Host: localhost"),
    ],
)
def test_without_one_name_nothing_is_answered(open_door: Dashboard, lines: tuple[str, ...]) -> None:
    assert status(raw(open_door, asked("/welcome", *lines))) == 400
    if not lines:
        assert status(raw(open_door, asked("/welcome", version="1.0"))) == 421


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(
            (name, 303)
            for name in ("monitor.example.org", "MONITOR.lan", "monitor.lan:9000", "192.0.2.7", "[2001:db8::1]:8350")
        ),
        *((name, 421) for name in ("evil.example", "example.org", "a.monitor.lan", "monitor.lan.evil.example")),
    ],
)
def test_a_dashboard_for_others_goes_by_its_names_and_by_addresses(public: Dashboard, host: str, expected: int) -> None:
    assert status(raw(public, asked("/welcome", f"Host: {host}"))) == expected


# ----------------------------------------------------------------------------------------------------- headers


def test_the_policy_allows_nothing_that_stands_in_a_page() -> None:
    policy = dict(part.strip().split(" ", 1) for part in ALWAYS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert not re.search(r"unsafe|\*|https?:", ALWAYS["Content-Security-Policy"])


def test_every_answer_carries_its_headers(open_door: Dashboard) -> None:
    client = open_door.client
    for answer, expected in (
        (client.get("/"), 303),
        (client.get("/welcome"), 200),
        (client.get("/nothing"), 404),
        (client.get("/overview?brand=Nobody"), 422),
        (client.put("/welcome"), 405),
        (client.post("/sources", data={}), 403),
        (client.get("/api/v1/nothing"), 404),
        (client.get("/api/v1/sources"), 200),
        (client.get("/api/v1/openapi.json"), 200),
        (client.get("/static/nothing.js"), 404),
        (client.get("/welcome", headers={"Host": "evil.example"}), 421),
        (client.post("/login", content=b"x" * (LARGEST_FROM_STRANGERS + 1)), 413),
        (client.get("/welcome", headers={"X-Odd": "x" * 300_000}), 400),
        (client.get("/welcome?x=%00"), 422),
    ):
        assert answer.status_code == expected, answer.request.url
        is_guarded(answer)
        assert "strict-transport-security" not in answer.headers


def test_our_own_files_are_kept_by_browsers_and_nothing_else(open_door: Dashboard) -> None:
    for path in ("/static/app.js", "/static/app.css", "/static/mark.svg"):
        answer = open_door.get(path)
        is_guarded(answer, but=("Cache-Control",))
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "../headers.py",
        "..%2fheaders.py",
        "%2e%2e/headers.py",
        "/etc/passwd",
        "//etc/passwd",
        "app.js/",
        "APP.JS",
        "./app.js",
        "..\\x",
    ],
)
def test_no_other_file_is_given(open_door: Dashboard, path: str) -> None:
    told = raw(open_door, asked(f"/static/{path}", "Host: localhost"))
    assert status(told) == 404


def test_who_is_reached_by_https_says_so(public: Dashboard) -> None:
    answer = public.get("/login", headers={"Host": "monitor.example.org"})
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    is_guarded(answer)


# ------------------------------------------------------------------------------------------ odd requests and bugs


def chunks(head: bytes) -> Iterator[bytes]:
    """A body that does not say how large it is."""
    yield head
    for _ in range(LARGEST_BODY // 65_536 + 3):
        yield b"x" * 65_536


FILE = b'--here\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'


@pytest.mark.parametrize(
    ("path", "kind", "head"),
    [
        ("/sources", "multipart/form-data; boundary=here", FILE),
        ("/api/v1/explain", "application/json", b'{"text": "'),
        ("/api/v1/sources/shop/items", "application/json", b"["),
    ],
)
def test_a_body_that_does_not_say_its_size_is_cut_off_too(
    open_door: Dashboard, path: str, kind: str, head: bytes
) -> None:
    token = token_of(open_door.get("/welcome"))
    sent = {"Content-Type": kind, "X-CSRF-Token": token}
    answer = open_door.client.post(path, content=chunks(head), headers=sent)
    assert answer.status_code == 413, answer.text
    assert "10,485,760" in answer.text


def test_a_size_that_is_told_is_refused_before_it_comes(open_door: Dashboard) -> None:
    lines = ("Host: localhost", f"Content-Length: {LARGEST_BODY + 1}")
    assert status(raw(open_door, asked("/welcome", *lines).replace(b"GET", b"POST"))) == 413


MULTIPART = "multipart/form-data; boundary=here"
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(2_100))),
    ("application/x-www-form-urlencoded", b"name=" + b"x" * (2 << 20)),
    ("application/x-www-form-urlencoded", b"%=%zz&&&=&;;a=%00"),
    ("application/x-www-form-urlencoded", b"\xff\xfe\x00=\xff"),
    (MULTIPART, b"no boundary at all"),
    (MULTIPART, b"--here\r\nContent-Disposition: form-data\r\n\r\nx\r\n--here--"),
    (MULTIPART, b"--here\r\nContent-Disposition: form-data; name=name; filename=x\r\n\r\nx\r\n--here--"),
    (MULTIPART, b"--here\r\n" * 3_000),
    (MULTIPART, b"--here\r\n\xff\xff: \x00\r\n\r\n"),
    ("multipart/form-data", b"--here"),
    ("multipart/form-data; boundary=" + "x" * 500, b"--x"),
    (
        "multipart/form-data; boundary=here; charset=nonsense",
        b"--here\r\nContent-Disposition: form-data; name=name\r\n\r\n\xff\r\n--here--",
    ),
    ("text/plain", b"name=x"),
    ("application/json", b"[" * 100_000),
    ("", b"name=x"),
    ("\xff;;=", b"name=x"),
)


@pytest.mark.parametrize("path", ["/sources", "/settings/tokens", "/welcome", "/login", "/items/act", "/audit"])
def test_a_damaged_form_is_refused_in_words(open_door: Dashboard, path: str) -> None:
    token = token_of(open_door.get("/welcome"))
    for kind, body in BODIES:
        sent = {"Content-Type": kind.encode("latin-1"), "X-CSRF-Token": token.encode()}
        answer = open_door.client.post(path, content=body, headers=sent)  # type: ignore[arg-type]
        assert answer.status_code in (200, 303, 400, 403, 413, 422), (kind, body[:60], answer.text)
        assert "Traceback" not in answer.text
        is_guarded(answer)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/%00",
            "/items/%00",
            "/sources/%00",
            "/authors/1%00",
            "/items?q=%00",
            "/authors?who=a%00b",
            "/static/%00",
            "/api/v1/items?q=%00",
        ),
        *(
            "/%ff%fe",
            "/sources/%ed%a0%80",
            "/items?q=%ed%a0%80",
            "/items?brand=%ff",
            "/login?next=%ff",
            "/%",
            "/%zz",
            "/sources/%0d%0aX:y",
        ),
        *(
            "/" + "x" * 20_000,
            "/items?" + "&".join(["label=positive"] * 3_000),
            "/authors/" + "9" * 5_000,
            "/items/-1",
            "/audit/1e9",
        ),
        *(
            "/items?since=" + "9" * 5_000,
            "/overview?since=0001-01-01&until=9999-12-31",
            "/overview?window=%0a",
            "/topics?whole=perhaps",
        ),
    ],
    ids=lambda path: path[:30],
)
def test_an_odd_address_is_refused_in_words(open_door: Dashboard, path: str) -> None:
    told = raw(open_door, asked(path, "Host: localhost"))
    assert 300 <= status(told) < 500 or status(told) == 200, told[:300]
    assert b"Traceback" not in told
    assert b"\r\nX:y" not in told


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_no_http_gets_the_headers_too(open_door: Dashboard, sent: bytes) -> None:
    told = raw(open_door, sent)
    assert status(told) in (400, 405, 501)
    assert b"nosniff" in told


SECRET = "the name of a file: /srv/private"


@pytest.fixture
def broken(tmp_path: Path, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard one of whose pages has a bug."""
    with door(tmp_path, migrated_file, password=None) as dashboard:
        site = site_of(dashboard)

        def bug() -> None:
            raise RuntimeError(SECRET)

        site.add_api_route("/bug", bug)
        site.add_api_route("/api/v1/bug", bug)
        yield dashboard


@pytest.mark.parametrize("path", ["/bug", "/api/v1/bug"])
def test_a_bug_shows_nothing_of_what_is_inside(broken: Dashboard, path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = broken.get(path, 500)
    is_guarded(answer)
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert "the log of the program says what" in answer.text
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [SECRET]


def test_a_store_that_is_gone_is_told_without_its_place_to_strangers(tmp_path: Path, migrated_file: Path) -> None:
    with door(tmp_path, migrated_file, password=None, host="0.0.0.0") as dashboard:
        dashboard.app.database.close()
        (tmp_path / "monitor.db").write_bytes(b"no database" * 1_000)
        answer = httpx.get(f"{dashboard.url}/welcome")
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.text
        is_guarded(answer)


def test_names_do_not_break_headers(open_door: Dashboard) -> None:
    said = open_door.client.post(
        "/settings/tokens",
        data={"csrf": token_of(open_door.get("/welcome")), "name": "x\r\nSet-Cookie: a=b", "do": "remove"},
    )
    assert said.status_code == 303
    assert "a" not in said.cookies
    far = open_door.client.post(
        "/settings/tokens",
        data={"csrf": token_of(open_door.get("/welcome")), "name": "\U0001f600" * 400, "do": "remove"},
    )
    (told,) = [one for one in far.headers.get_list("set-cookie") if one.startswith("sm_said")]
    assert len(told) < 4_096


def test_a_program_is_told_in_json(open_door: Dashboard) -> None:
    answer = open_door.get("/welcome", 421, headers={"Host": "evil.example"})
    assert json.loads(answer.text)["status"] == 421
