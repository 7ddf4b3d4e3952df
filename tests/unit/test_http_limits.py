from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Unavailable
from connectors.http import HttpClient, unpacked
from connectors.testing import Reply
from tests.unit.http_world import NOW, Behave, RawServer, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    http = HttpClient(trusted=frozenset({"127.0.0.1"}), now=lambda: NOW, read_seconds=0.4, total_seconds=5)
    yield http
    http.close()


@pytest.fixture
def raw() -> Iterator[Callable[[Behave], str]]:
    """A server that does as a test says with each connection; the address where it listens."""
    with ExitStack() as open_ones:

        def serve(behave: Behave) -> str:
            server = RawServer(behave)
            open_ones.callback(server.close)
            return server.url

        yield serve


def seconds_until_unavailable(http: HttpClient, url: str) -> float:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="no answer in time"):
        http.get(url)
    return time.monotonic() - started


def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew(http: HttpClient) -> None:
    server = RawServer(lambda connection, _ended: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    for _ in range(3):
        assert http.get(server.url).body == b"ok"
        assert server.closed.acquire(timeout=5)
    server.close()


def test_a_long_answer_is_left_when_the_program_stops(http: HttpClient, raw: Callable[[Behave], str]) -> None:
    def pour(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        http.stop.set()
        while not ended.wait(0.01):
            connection.sendall(b"x")

    with pytest.raises(Unavailable, match="stopping"):
        http.get(raw(pour))


# --- size and time


def test_an_answer_above_the_cap_is_not_read(http: HttpClient, world: World) -> None:
    world.replies["/big"] = Reply(b"x" * 10_001)
    small = replace(http, max_bytes=10_000)
    with pytest.raises(Unavailable, match="larger than 10,000 bytes"):
        small.get(world.url("/big"))
    world.replies["/fits"] = Reply(b"x" * 10_000)
    assert len(small.get(world.url("/fits")).body) == 10_000


def test_an_endless_answer_is_left(http: HttpClient, raw: Callable[[Behave], str]) -> None:
    def pour(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.is_set():
            connection.sendall(b"x" * 65_536)

    with pytest.raises(Unavailable, match="larger"):
        replace(http, max_bytes=1_000_000).get(raw(pour))


def test_a_small_answer_that_unpacks_to_a_lot_is_left_in_time(http: HttpClient, world: World) -> None:
    world.replies["/bomb"] = Reply(gzip.compress(bytes(200_000_000)), 200, {"Content-Encoding": "gzip"})
    http.get(world.url())
    tracemalloc.start()
    try:
        with pytest.raises(Unavailable, match="larger"):
            replace(http, max_bytes=1_000_000).get(world.url("/bomb"))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_an_answer_packed_twice_is_refused(http: HttpClient, world: World) -> None:
    world.replies["/x"] = Reply(gzip.compress(gzip.compress(b"x")), 200, {"Content-Encoding": "gzip, gzip"})
    with pytest.raises(Unavailable, match="nobody asked for"):
        http.get(world.url("/x"))


def test_a_body_that_drips_ends(http: HttpClient, raw: Callable[[Behave], str]) -> None:
    def drip(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not ended.wait(0.05):
            connection.sendall(b"x")

    url = raw(drip)
    patient = replace(http, total_seconds=0.6)
    assert seconds_until_unavailable(patient, url) < 2


def test_headers_that_drip_end_as_well(http: HttpClient, raw: Callable[[Behave], str]) -> None:
    def drip(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not ended.wait(0.05):
            connection.sendall(b"x")

    url = raw(drip)
    assert seconds_until_unavailable(replace(http, total_seconds=0.6), url) < 2


def test_silence_ends(http: HttpClient, raw: Callable[[Behave], str]) -> None:
    url = raw(lambda _connection, ended: ended.wait(10) and None)
    assert seconds_until_unavailable(http, url) < 2


def test_the_time_for_an_answer_includes_its_redirects(http: HttpClient, raw: Callable[[Behave], str]) -> None:
    def linger(connection: socket.socket, ended: Event) -> None:
        ended.wait(0.25)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with pytest.raises(Unavailable, match="no answer in time"):
        replace(http, total_seconds=0.6).get(raw(linger))


def test_each_request_has_its_own_time(http: HttpClient, world: World) -> None:
    brief = replace(http, total_seconds=0.5)
    started = time.monotonic()
    while time.monotonic() - started < 0.8:
        assert brief.get(world.url()).status == 200


# --- unpacking


def zipped(data: bytes, window: int = 31) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", zipped(b"hello")),
        ("X-GZIP", zipped(b"hello")),
        ("identity, gzip", zipped(b"hello")),
        ("deflate", zipped(b"hello", 15)),
        ("deflate", zipped(b"hello", -15)),
        ("gzip", zipped(b"hel") + zipped(b"lo")),
        ("gzip", zipped(b"hello") + b"\0" * 20),
        ("identity", b"hello"),
        ("utf-8", b"hello"),
        ("", b"hello"),
    ],
)
def test_a_packed_body_is_unpacked(http: HttpClient, world: World, encoding: str, body: bytes) -> None:
    world.replies["/x"] = Reply(body, 200, {"Content-Encoding": encoding})
    assert http.get(world.url("/x")).body == b"hello"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", zipped(b"hello")[:-9]), ("gzip", b"hello"), ("deflate", b"\xff" * 9), ("br", b"x"), ("zstd", b"x")],
)
def test_a_body_that_cannot_be_unpacked_is_unavailable(
    http: HttpClient, world: World, encoding: str, body: bytes
) -> None:
    world.replies["/x"] = Reply(body, 200, {"Content-Encoding": encoding})
    with pytest.raises(Unavailable):
        http.get(world.url("/x"))


@given(st.lists(st.binary(max_size=400), max_size=5), st.integers(1, 50), st.sampled_from([31, 15, -15]))
def test_unpacking_gives_what_was_packed_however_it_is_cut(data: list[bytes], cut: int, window: int) -> None:
    whole = b"".join(zipped(part, window) for part in data) if window == 31 else zipped(b"".join(data), window)
    parts = [whole[i : i + cut] for i in range(0, len(whole), cut)]
    assert b"".join(unpacked(iter(parts), "gzip" if window == 31 else "deflate")) == b"".join(data)
