"""``[web]``: where the dashboard listens, by which names it is reached, and who may use it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from monitor.config.tables import Duration, Names, Table

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 1_000
SHORTEST_SESSION: Final = timedelta(minutes=1)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,79}", re.ASCII)


class WebSettings(Table):
    """``[web]``: the dashboard. ``public_url`` is where its readers reach it: digests link to it, figure by figure."""

    enabled: bool = False
    host: str = Field(default="127.0.0.1", description="The address it listens on; 0.0.0.0 for all of this machine.")
    port: int = Field(default=8350, ge=0, le=65535, description="The port it listens on; 0: any that is free.")
    public_url: str | None = Field(default=None, description='Its address for readers: "https://monitor.example.org".')
    hosts: Names = Field(default_factory=list, description="Further names under which it is reached.")
    password: SecretStr | None = Field(
        default=None, description="Asked for before anything is shown; on this machine alone none is needed."
    )
    session: Duration = Field(default=timedelta(days=30), description="How long somebody stays signed in.")
    proxies: Names = Field(
        default_factory=list,
        description="Addresses or networks of the proxies in front of it: their headers are believed.",
    )
    user_header: str | None = Field(
        default=None, description='The header in which such a proxy names who has signed in: "Remote-User".'
    )

    open_metrics: bool = Field(default=False, description="/metrics without a token.")

    @property
    def is_local(self) -> bool:
        """Is it reached from this machine alone? Not where it has other names or proxies in front, wherever it listens."""
        return is_loopback(self.host) and not self.proxies and all(map(is_loopback, self._names()))

    def _names(self) -> Sequence[str]:
        public = urlsplit(self.public_url).hostname if self.public_url is not None else None
        return [*self.hosts, *([public] if public else [])]

    @field_validator("host")
    @classmethod
    def _listens(cls, host: str) -> str:
        if not is_host(host):
            raise ValueError(f'"{host[:80]}" is no address or name of this machine; write for example 127.0.0.1')
        return host

    @field_validator("hosts")
    @classmethod
    def _names_alone(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not is_host(host):
                raise ValueError(f'"{host[:80]}" is no name alone; write it without http:// and port: monitor.lan')
        return hosts

    @field_validator("session")
    @classmethod
    def _lasts(cls, session: timedelta) -> timedelta:
        if session < SHORTEST_SESSION:
            raise ValueError('shorter than a minute; write for example "12h" or "30d"')
        return session

    @field_validator("user_header")
    @classmethod
    def _header(cls, name: str | None) -> str | None:
        if name is not None and not _HEADER.fullmatch(name):
            raise ValueError(f'"{name[:80]}" is no name of a header; write for example Remote-User')
        return name

    @model_validator(mode="after")
    def _believed(self) -> Self:
        if self.user_header is not None and not self.proxies:
            raise ValueError(
                "user_header is set without proxies, so that anybody could say to be anybody; "
                'name the proxy that sets it: proxies = ["127.0.0.1"]'
            )
        return self

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            known = (
                parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.query and not parts.fragment
            )
        except ValueError:
            known = False
        if not known or "@" in url or any(mark.isspace() for mark in url):
            raise ValueError("not a plain web address; write for example https://monitor.example.org")
        return url.rstrip("/")

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(f'"{proxy}" is no address or network; write for example 10.0.0.0/8') from error
        return proxies

    @field_validator("password")
    @classmethod
    def _long_enough(cls, password: SecretStr | None) -> SecretStr | None:
        if password is None:
            return None
        if len(password.get_secret_value()) < SHORTEST_PASSWORD:
            raise ValueError(f"shorter than {SHORTEST_PASSWORD} characters; choose a longer one")
        if len(password.get_secret_value()) > LONGEST_PASSWORD:
            raise ValueError(f"longer than {LONGEST_PASSWORD:,} characters; choose a shorter one")
        return password


def is_host(text: str) -> bool:
    """Is it an address, or a name as a host has one?"""
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return len(text) <= 253 and bool(_NAME.fullmatch(text))
    return True


def is_loopback(host: str) -> bool:
    """Is this address one that only the machine itself reaches?"""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
