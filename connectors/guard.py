"""Which addresses the program may open: nothing on loopback, private or link-local networks that an outsider named.

A redirect or a link from a platform is somebody else's word. Its host is resolved here, and the connection goes to the very
address that was looked at, so that a name which changes its address in between gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from connectors.errors import Unavailable


class ForbiddenAddress(Unavailable):
    """A host of a private network, reached through somebody else's word."""


class GuardedBackend(httpcore.NetworkBackend):
    """Opens TCP connections to public addresses, and to any address of the ``trusted`` hosts."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = frozenset(trusted)
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        target = host if host in self._trusted else _public_address(host, port)
        return self._inner.connect_tcp(target, port, timeout, local_address, socket_options)


def guarded_transport(trusted: Iterable[str]) -> httpx.HTTPTransport:
    """An httpx transport (TLS verified) whose connections are opened by :class:`GuardedBackend`."""
    transport = httpx.HTTPTransport(verify=True, retries=0)
    # httpx offers no parameter for the network backend; the pool it built is replaced by an equal one with ours.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(), network_backend=GuardedBackend(trusted), max_connections=10
    )
    return transport


def _public_address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host}: name not resolved") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not is_public(address):
            raise ForbiddenAddress(f"{host} leads to {address}, which is not a public address; not opened")
    return addresses[0]


def is_public(address: str) -> bool:
    """Is this IP address one of the public internet?"""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast
