"""PURE  Where others send what a source takes, and what they show that it is theirs; never the secret itself."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from connectors import registry
from monitor.config.models import Settings, SourceSettings

ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  compared, not bound


def takes_what_is_sent(source: SourceSettings) -> bool:
    """Is it one that others send to, and that is never asked for anything?"""
    return not registry.plugin(source.type).capabilities.pull


def address_of(settings: Settings, name: str) -> str:
    """The address to post to: that of the dashboard as it is configured."""
    return f"{_dashboard(settings)}/api/v1/sources/{quote(name)}/items"


def words(settings: Settings, name: str, options: Any) -> str:
    """The address, the headers that go with it, and what is missing for anything to be taken there."""
    off = "" if settings.web.enabled else "; the dashboard takes it, which is off: set enabled = true under [web]"
    return f"POST {address_of(settings, name)}, {_proof(options)}{off}"


def _dashboard(settings: Settings) -> str:
    web = settings.web
    if web.public_url is not None:
        return web.public_url.rstrip("/")
    host = next(iter(web.hosts), "127.0.0.1") if web.host in ANYWHERE else web.host
    return f"http://{f'[{host}]' if ':' in host else host}:{web.port or 'PORT'}"


def _proof(options: Any) -> str:
    """Which headers the sender sets; a connector of somebody else's says that in its own page."""
    if getattr(options, "token", None) is not None:
        return f"with the token in {options.token_header}"
    if getattr(options, "secret", None) is not None:
        is_github = options.style == "github"
        header = options.signature_header or ("X-Hub-Signature-256" if is_github else "X-Signature")
        time = "" if is_github else f", the time in {options.timestamp_header}"
        return f"signed with the secret: the signature in {header}{time}"
    return "once it has a secret or a token" if hasattr(options, "secret") else "as its type wants it"
