from __future__ import annotations

import socket
from collections.abc import Iterator

import httpcore
import pytest

from connectors.errors import Unavailable
from connectors.guard import Deadline, ForbiddenAddress, GuardedBackend, is_public, public_addresses

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # carrier-grade NAT
    "169.254.169.254",  # where clouds keep their machines' credentials
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_private_network_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "::1"])
def test_every_spelling_of_this_machine_is_seen_through(host: str) -> None:
    with pytest.raises(ForbiddenAddress, match="not a public address"):
        public_addresses(host, 80)


def test_a_public_address_leads_to_itself() -> None:
    assert public_addresses("8.8.8.8", 443) == ["8.8.8.8"]


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "exa%20mple", ""])
def test_what_cannot_be_a_name_leads_nowhere(host: str) -> None:
    with pytest.raises((httpcore.ConnectError, ForbiddenAddress)):
        public_addresses(host, 80)


def test_a_forbidden_address_is_a_fate() -> None:
    assert issubclass(ForbiddenAddress, Unavailable)


def test_a_stranger_s_word_does_not_open_loopback(listener: socket.socket) -> None:
    listener.settimeout(0.1)
    with pytest.raises(ForbiddenAddress):
        GuardedBackend(()).connect_tcp("127.0.0.1", listener.getsockname()[1], 1)
    with pytest.raises(TimeoutError):
        listener.accept()


@pytest.mark.parametrize(("trusted", "host"), [("127.0.0.1", "127.0.0.1"), ("LocalHost", "localhost")])
def test_a_trusted_host_is_opened(listener: socket.socket, trusted: str, host: str) -> None:
    stream = GuardedBackend((trusted,)).connect_tcp(host, listener.getsockname()[1], 1)
    connection, _ = listener.accept()
    connection.sendall(b"hello")
    assert stream.read(5, 1) == b"hello"
    stream.write(b"bye", 1)
    assert connection.recv(3) == b"bye"
    stream.close()
    connection.close()


def test_trust_in_one_name_is_no_trust_in_its_neighbours(listener: socket.socket) -> None:
    with pytest.raises(ForbiddenAddress):
        GuardedBackend(("127.0.0.1",)).connect_tcp("127.0.0.2", listener.getsockname()[1], 1)


def test_a_wait_is_shortened_to_what_is_left() -> None:
    deadline = Deadline()
    assert deadline.within(7) == 7
    assert deadline.within(None) is None
    deadline.start(3)
    assert 0 < (deadline.within(7) or 0) <= 3
    assert 0 < (deadline.within(None) or 0) <= 3
    assert deadline.within(1) == 1


def test_when_the_time_is_over_nothing_is_waited_for(listener: socket.socket) -> None:
    deadline = Deadline()
    stream = GuardedBackend(("127.0.0.1",), deadline).connect_tcp("127.0.0.1", listener.getsockname()[1], 1)
    deadline.start(0)
    for wait in (lambda: stream.read(1, 9), lambda: stream.write(b"x", 9)):
        with pytest.raises(httpcore.ReadTimeout):
            wait()
    stream.close()
    with pytest.raises(httpcore.ReadTimeout):
        GuardedBackend(("127.0.0.1",), deadline).connect_tcp("127.0.0.1", listener.getsockname()[1], 1)
