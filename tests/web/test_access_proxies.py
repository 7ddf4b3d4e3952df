"""Proxies in front: whom they name, whose word counts, and what the configuration may say of all that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.config import ConfigError, load
from monitor.config.web import WebSettings
from monitor.web.access import Signer
from storage import tokens
from tests.web.doors import door, home, key, token_of, visitor_of
from tests.web.serving import Dashboard

ADA = {"Remote-User": "Ada"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard behind a proxy that says who has signed in."""
    web: dict[str, Any] = {"proxies": ["127.0.0.0/8"], "user_header": "Remote-User"}
    with door(tmp_path_factory.mktemp("proxied"), migrated_file, password=None, **web) as dashboard:
        yield dashboard


def test_a_believed_proxy_says_who_is_asking(proxied: Dashboard) -> None:
    page = proxied.get("/welcome", headers=ADA)
    assert "Acme" in page.text
    assert "Sign out" not in page.text  # the proxy signs out
    proxied.get("/api/v1/sources", headers=ADA)


@pytest.mark.parametrize("said", [{}, {"Remote-User": ""}, {"Remote_User": "Ada"}, {"X-Remote-User": "Ada"}], ids=str)
def test_without_a_name_nobody_is_signed_in(proxied: Dashboard, said: dict[str, str]) -> None:
    proxied.get("/welcome", 303, headers=said)
    proxied.get("/api/v1/sources", 401, headers=said)
    assert "sign in there" in proxied.get("/login", 403, headers=said).text
    assert "sign in there" in proxied.client.post("/login", data={"password": "x"}, headers=said).text


def test_two_names_are_none(proxied: Dashboard) -> None:
    both = [("Remote-User", "Eve"), ("Remote-User", "Ada")]
    assert httpx.get(f"{proxied.url}/welcome", headers=both).status_code == 303


def test_a_name_is_believed_from_proxies_alone(tmp_path: Path, migrated_file: Path) -> None:
    web: dict[str, Any] = {"proxies": ["10.0.0.0/8"], "user_header": "Remote-User"}
    with door(tmp_path, migrated_file, password=None, **web) as dashboard:
        for said in (ADA, {**ADA, "X-Forwarded-For": "10.0.0.1"}, {**ADA, "Forwarded": "for=10.0.0.1"}):
            dashboard.get("/welcome", 303, headers=said)
            dashboard.get("/api/v1/sources", 401, headers=said)


def test_forms_of_who_a_proxy_names_carry_what_others_cannot_work_out(proxied: Dashboard) -> None:
    ada = token_of(proxied.get("/welcome", headers=ADA))
    eve = token_of(proxied.get("/welcome", headers={"Remote-User": "Eve"}))
    assert ada == token_of(proxied.get("/overview", headers=ADA))  # forms stay good from page to page
    assert Signer(b"a").nonce_of("Ada") != Signer(b"b").nonce_of("Ada")
    fields = {"name": "robot"}
    assert proxied.client.post("/settings/tokens", data={**fields, "csrf": eve}, headers=ADA).status_code == 403
    assert tokens.tokens(proxied.app.database) == []
    assert proxied.client.post("/settings/tokens", data={**fields, "csrf": ada}, headers=ADA).status_code == 200


def test_a_name_of_any_letters_is_shown_as_it_is(proxied: Dashboard) -> None:
    name = {b"Remote-User": "Zoë <b>".encode()}
    page = httpx.get(f"{proxied.url}/welcome", headers=name)  # type: ignore[arg-type]
    assert page.status_code == 200
    assert "<b>" not in page.text.partition("<main")[0]


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ('user_header = "Remote-User"', 'web: user_header is set without proxies, so that anybody could say to be anybody; name the proxy that sets it: proxies = ["127.0.0.1"]'),
        ('user_header = "Remote User"\nproxies = ["127.0.0.1"]', 'web.user_header: "Remote User" is no name of a header'),
        ('proxies = ["10.0.0.300"]', 'web.proxies: "10.0.0.300" is no address or network; write for example 10.0.0.0/8'),
        ('host = "http://0.0.0.0"', 'web.host: "http://0.0.0.0" is no address or name of this machine; write for example 127.0.0.1'),
        ('host = ""', "web.host:"),
        ('host = "0.0.0.0:80"', "web.host:"),
        ('hosts = ["https://monitor.lan"]', 'web.hosts: "https://monitor.lan" is no name alone; write it without http:// and port: monitor.lan'),
        ('hosts = ["*"]', "web.hosts:"),
        ("port = 70000", "web.port:"),
        ('port = "many"', "web.port:"),
        ('password = "short"', "web.password: shorter than 8 characters; choose a longer one"),
        (f'password = "{"x" * 1_001}"', "web.password: longer than 1,000 characters; choose a shorter one"),
        ('password = "env:NOT_SET_ANYWHERE"', "web.password:"),
        ('session = "5s"', "web.session: shorter than a minute"),
        ('session = "soon"', "web.session:"),
        ('public_url = "monitor.example.org"', "web.public_url: not a plain web address"),
        ('public_url = "https://a:b@monitor.example.org"', "web.public_url:"),
        ('pasword = "x"', 'web.pasword: not a known key; did you mean "password"?'),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_fault_that_says_what_helps(
    tmp_path: Path, migrated_file: Path, web: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(home(tmp_path, migrated_file, f"[web]\n{web}"))
    assert str(caught.value.faults[0]).startswith(said)
    (fault,) = caught.value.faults
    assert "x" * 50 not in str(fault)


@pytest.mark.parametrize(
    ("web", "is_local"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost", "public_url": "http://localhost:8350"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "::"}, False),
        ({"host": "192.0.2.1"}, False),
        ({"public_url": "https://monitor.example.org"}, False),
        ({"hosts": ["monitor.lan"]}, False),
        ({"proxies": ["127.0.0.1"]}, False),
    ],
)
def test_only_what_nobody_else_reaches_is_local(web: dict[str, Any], is_local: bool) -> None:
    assert WebSettings(**web).is_local is is_local


# ------------------------------------------------------------------------------------------------------ tokens


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Dashboard]:
    with door(tmp_path_factory.mktemp("locked"), migrated_file) as dashboard:
        yield dashboard


def test_a_program_reads_with_a_token_and_writes_with_one_that_may(locked: Dashboard) -> None:
    reads, writes = key(locked.app, "reads"), key(locked.app, "writes", may_write=True)
    locked.get("/api/v1/sources", headers=reads)
    path = "/api/v1/items/1/marks/done"
    refused = locked.client.put(path, headers=reads)
    assert (refused.status_code, "--write" in refused.text) == (403, True)
    assert locked.client.put(path, headers=writes).status_code == 404


@pytest.mark.parametrize(
    "said",
    ["Bearer", "Bearer smt_wrong", "Bearer " + "x" * 5_000, "Basic eW91OnBhc3N3b3Jk", "smt_wrong", "bearer \xff"],
)
def test_a_wrong_token_is_none(locked: Dashboard, said: str) -> None:
    answer = locked.get("/api/v1/sources", 401, headers=[(b"Authorization", said.encode("latin-1"))])
    assert answer.headers["www-authenticate"] == "Bearer"
    locked.get("/welcome", 303, headers=[(b"Authorization", said.encode("latin-1"))])


def test_a_wrong_token_is_not_made_good_by_a_session(tmp_path: Path, migrated_file: Path) -> None:
    with door(tmp_path, migrated_file, password=None) as dashboard:
        dashboard.get("/api/v1/sources", 401, headers={"Authorization": "Bearer smt_wrong"})


def test_a_removed_token_works_no_more(locked: Dashboard) -> None:
    gone = key(locked.app, "gone")
    locked.get("/api/v1/sources", headers=gone)
    tokens.remove_token(locked.app.database, "gone")
    locked.get("/api/v1/sources", 401, headers=gone)


def test_a_token_for_some_brands_sees_no_page_that_shows_all(locked: Dashboard) -> None:
    some = key(locked.app, "some", brands=["Acme"], may_write=True)
    pages = (
        "settings",
        "sources",
        "overview",
        "topics",
        "audit",
        "keywords",
        "digests",
        "welcome",
        "",
        "items?brand=Acme",
    )
    for path in (f"/{page}" for page in pages):
        answer = locked.get(path, 403, headers=some)
        assert "Other" not in answer.text
        assert "/api/v1/" in answer.text


def test_what_is_kept_of_a_token_is_not_the_token(locked: Dashboard, caplog: pytest.LogCaptureFixture) -> None:
    said = key(locked.app, "kept")["Authorization"].removeprefix("Bearer ")
    with visitor_of(locked) as client:
        client.get(f"/api/v1/items?brand={said}", headers={"Authorization": f"Bearer {said}"})
        client.get("/nothing", headers={"Authorization": f"Bearer {said}x"})
    file = locked.app.database.file
    assert file is not None
    stored = b"".join(part.read_bytes() for part in file.parent.glob("monitor.db*"))
    assert said.encode() not in stored
    assert said not in caplog.text
