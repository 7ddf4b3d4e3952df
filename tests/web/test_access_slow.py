"""Who is slow, or too many: nobody holds up the others."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import Response

from monitor.web.connections import Patient
from monitor.web.headers import Guarded
from tests.web.doors import asked, door, is_guarded, raw, site_of, status, token_of
from tests.web.serving import Dashboard


@pytest.fixture
def open_door(tmp_path: Path, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard without a password on this machine."""
    with door(tmp_path, migrated_file, password=None) as dashboard:
        yield dashboard


@pytest.fixture
def hasty(tmp_path: Path, migrated_file: Path) -> Iterator[Dashboard]:
    """A dashboard that waits a fifth of a second where others wait many."""

    class Hasty(Patient):
        head_seconds = take_seconds = 0.2
        connections_at_most = 20

    with door(tmp_path, migrated_file, password=None) as dashboard:
        dashboard.get("/static/mark.svg")  # the server has begun
        dashboard.server.config.http_protocol_class = Hasty
        site = site_of(dashboard)
        site.middleware_stack = Guarded(site.build_middleware_stack(), site, body_seconds=0.2)
        yield dashboard


def connected(dashboard: Dashboard) -> socket.socket:
    url = httpx.URL(dashboard.url)
    return socket.create_connection((url.host, url.port or 80), 10)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_who_connects_and_does_not_ask_is_let_go(hasty: Dashboard, sent: bytes) -> None:
    begun = time.monotonic()
    with connected(hasty) as slow:
        slow.sendall(sent)
        assert closes(slow)
    assert time.monotonic() - begun < 5


def test_who_sends_one_letter_at_a_time_after_an_answer_is_let_go(hasty: Dashboard) -> None:
    with connected(hasty) as slow:
        slow.sendall(b"GET /static/mark.svg HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        assert trickles_until_closed(slow)


def closes(connection: socket.socket) -> bool:
    try:
        while connection.recv(65_536):
            continue
    except ConnectionError:
        return True
    return True


def trickles_until_closed(connection: socket.socket) -> bool:
    until = time.monotonic() + 8
    connection.settimeout(0.05)
    while time.monotonic() < until:
        try:
            connection.sendall(b"x")
            if not connection.recv(65_536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_who_takes_nothing_of_an_answer_is_let_go(hasty: Dashboard) -> None:
    site_of(hasty).add_api_route("/large", lambda: Response(b"x" * (30 << 20)))
    hasty.client.close()
    with connected(hasty) as slow:
        slow.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        until = time.monotonic() + 8
        while hasty.server.server_state.connections and time.monotonic() < until:
            time.sleep(0.02)
        assert not hasty.server.server_state.connections


def test_further_connections_than_can_be_held_are_closed(hasty: Dashboard) -> None:
    held = [connected(hasty) for _ in range(25)]
    try:
        assert closes(held[-1])
    finally:
        for one in held:
            one.close()


def test_a_body_that_does_not_come_is_given_up(open_door: Dashboard) -> None:
    site = site_of(open_door)
    site.middleware_stack = Guarded(site.build_middleware_stack(), site, body_seconds=0.2)
    token = token_of(open_door.get("/welcome"))
    cookies = "; ".join(f"{name}={value}" for name, value in open_door.client.cookies.items())
    lines = (
        "Host: localhost",
        "Content-Length: 100",
        f"Cookie: {cookies}",
        f"X-CSRF-Token: {token}",
        "Content-Type: application/x-www-form-urlencoded",
    )
    told = raw(open_door, asked("/sources", *lines).replace(b"GET", b"POST") + b"do=")
    assert status(told) == 408
    assert b"nosniff" in told


def test_more_requests_at_once_than_can_be_answered_are_told_to_come_again(hasty: Dashboard) -> None:
    site = site_of(hasty)
    site.middleware_stack = Guarded(site.build_middleware_stack(), site, at_once=0)
    answer = hasty.get("/welcome", 503)
    assert answer.headers["retry-after"] == "2"
    is_guarded(answer)
