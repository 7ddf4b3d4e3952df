"""``[web]``: where the dashboard listens, by which names it is reached, and who may use it."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from monitor.config.tables import Duration, Names, Table

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


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

    @property
    def is_local(self) -> bool:
        """Can it be reached from this machine alone?"""
        return is_loopback(self.host)

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
        if password is not None and len(password.get_secret_value()) < 8:
            raise ValueError("shorter than 8 characters; choose a longer one")
        return password


def is_loopback(host: str) -> bool:
    """Is this address one that only the machine itself reaches?"""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
