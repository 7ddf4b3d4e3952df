"""Where no answer, link or name may lead: names that change their address, certificates that nobody vouches for."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import httpcore
import pytest

from connectors.errors import Unavailable
from connectors.guard import ForbiddenAddress, GuardedBackend, public_addresses
from connectors.http import HttpClient
from tests.fakes.mailserver import CERTIFICATE

ROOT = Path(__file__).parents[2]
KEY = CERTIFICATE.with_name("localhost-key.pem")
RESOLVE = socket.getaddrinfo


class Resolver:
    """The system's resolver, which knows some names of its own and answers each with the next of its addresses."""

    def __init__(self) -> None:
        self.known: dict[str, list[Sequence[str]]] = {}
        self.asked: list[str] = []

    def __call__(self, host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        self.asked.append(str(host))
        answers = self.known.get(str(host))
        if answers is None:
            return RESOLVE(host, port, *rest, **named)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in addresses for entry in RESOLVE(address, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1"],
        ["fd00::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"],  # one good address does not make the other good
        ["2606:4700::1111", "192.168.0.1"],
    ],
)
def test_a_name_that_leads_into_a_private_network_is_not_opened(resolver: Resolver, addresses: list[str]) -> None:
    resolver.known["inside.example"] = [addresses]
    with pytest.raises(ForbiddenAddress, match=r"inside\.example leads to .*, which is not a public address"):
        public_addresses("inside.example", 80)
    with pytest.raises(ForbiddenAddress):
        HttpClient(trusted=frozenset({"elsewhere.example"})).get("http://inside.example/")


def test_a_name_that_changes_its_address_after_the_look_gains_nothing(resolver: Resolver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.1)
        resolver.known["rebind.example"] = [["192.0.0.9"], ["127.0.0.1"]]  # a public address where nobody answers
        backend = GuardedBackend(())
        with pytest.raises((httpcore.ConnectError, httpcore.ConnectTimeout)):
            backend.connect_tcp("rebind.example", inside.getsockname()[1], 0.2)
        with pytest.raises(TimeoutError):
            inside.accept()
    assert resolver.asked.count("rebind.example") == 1, "the connection goes to the address that was looked at"
    assert "192.0.0.9" in resolver.asked


@pytest.fixture
def encrypted() -> Iterator[tuple[int, list[bytes]]]:
    """A server whose certificate nobody vouches for: its port, and what it came to read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    read: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    read.append(connection.recv(1000))
            except OSError:
                plain.close()

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], read
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(
    encrypted: tuple[int, list[bytes]],
) -> None:
    port, read = encrypted
    http = HttpClient(trusted=frozenset({"localhost", "127.0.0.1"}), read_seconds=1, total_seconds=3)
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(Unavailable):
            http.get(f"https://{host}:{port}/", headers={"Authorization": "Bearer s3cret"})
    http.close()
    assert b"s3cret" not in b"".join(read)


def test_a_certificate_is_asked_for_everywhere() -> None:
    careless = re.compile(r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified_context")
    found = [
        str(path.relative_to(ROOT))
        for folder in ("connectors", "monitor", "storage")
        for path in (ROOT / folder).rglob("*.py")
        if careless.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_connectors_reach_the_network_by_one_guarded_way() -> None:
    """A session of a platform's own client carries none of its requests; the guarded one does."""
    openers = re.compile(
        r"httpx\.(Client|get|post|request|stream)\(|requests\.(get|post|Session)\(|urlopen\(|create_connection\("
    )
    found = {
        path.name for path in (ROOT / "connectors").glob("*.py") if openers.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"http.py", "imap_wire.py"}  # a mail server is one that the user has named
