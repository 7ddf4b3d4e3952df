"""Which addresses the program may open, and for how long: nothing on loopback, private or link-local networks that an outsider
named, and no answer that trickles for ever.

A redirect or a link from a platform is somebody else's word. Its host is resolved here, and the connection goes to the very
address that was looked at, so that a name which changes its address in between gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import httpcore
import httpx

from connectors.errors import Unavailable

ADDRESSES_TRIED = 3
"""Of a host with many addresses so many are tried, in the resolver's order."""

_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(Unavailable):
    """A host of a private network, reached through somebody else's word."""


class Deadline:
    """When the request under way must be over. One request at a time."""

    def __init__(self) -> None:
        self._end: float | None = None

    def start(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def within(self, timeout: float | None) -> float | None:
        """``timeout`` in seconds, shortened to what is left; ``httpcore.ReadTimeout`` when nothing is."""
        if self._end is None:
            return timeout
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole answer is over")
        return left if timeout is None else min(timeout, left)


class GuardedBackend(httpcore.NetworkBackend):
    """Opens TCP connections to public addresses, and to any address of the ``trusted`` hosts, which end with ``deadline``."""

    def __init__(self, trusted: Iterable[str], deadline: Deadline | None = None) -> None:
        self._trusted = frozenset(host.strip("[]").lower() for host in trusted)
        self._deadline = deadline or Deadline()
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        targets = [host] if host.lower() in self._trusted else public_addresses(host, port)[:ADDRESSES_TRIED]
        failed: Exception = httpcore.ConnectError(f"{host}: no address")
        for target in targets:
            within = self._deadline.within(timeout)
            try:
                stream = self._inner.connect_tcp(target, port, within, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failed


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait is shortened to the deadline: headers that drip in byte by byte end as well."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = self._deadline.within(timeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, within), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def guarded_transport(trusted: Iterable[str], deadline: Deadline | None = None) -> httpx.HTTPTransport:
    """An httpx transport (TLS verified) whose connections are opened by :class:`GuardedBackend`."""
    transport = httpx.HTTPTransport(verify=_tls(), retries=0)
    # httpx offers no parameter for the network backend; the pool it built is replaced by an equal one with ours.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=_tls(),
        network_backend=GuardedBackend(trusted, deadline),
        max_connections=10,
        keepalive_expiry=5,
    )
    return transport


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificates takes tens of milliseconds; one context serves all."""
    return httpx.create_ssl_context()


def public_addresses(host: str, port: int) -> Sequence[str]:
    """Where ``host`` leads; ``ForbiddenAddress`` if any of it is not public, ``httpcore.ConnectError`` if it leads nowhere."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: what cannot be a name at all, such as "a..b"
        raise httpcore.ConnectError(f"{host}: name not resolved") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_public(address):
            raise ForbiddenAddress(f"{host} leads to {address}, which is not a public address; not opened")
    return addresses


def is_public(address: str) -> bool:
    """Is this IP address one of the public internet? One that wraps an IPv4 address is what that one is."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    wrapped = ip.ipv4_mapped or ip.sixtofour or _behind_nat64(ip)
    if wrapped is not None:
        return is_public(str(wrapped))
    return ip in _UNICAST and ip.is_global


def _behind_nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
