"""The tables of ``[[channels]]``: where messages go, when, and which of them."""

from __future__ import annotations

import re
from datetime import time
from email.utils import getaddresses
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from monitor.config.tables import Format, LocalPath, Name, Names, Table, listed

Syntax = Literal["html", "markdown", "text"]

SERVICES: Final[dict[str, Syntax]] = {
    "bark": "text",
    "barks": "text",
    "cliq": "text",
    "dingtalk": "text",
    "discord": "markdown",
    "feishu": "text",
    "gchat": "markdown",
    "gotify": "text",
    "gotifys": "text",
    "guilded": "markdown",
    "hassio": "text",
    "hassios": "text",
    "lark": "text",
    "line": "text",
    "matrix": "html",
    "matrixs": "html",
    "mmost": "markdown",
    "mmosts": "markdown",
    "ncloud": "text",
    "nclouds": "text",
    "nctalk": "markdown",
    "nctalks": "markdown",
    "ntfy": "text",
    "ntfys": "text",
    "pbul": "text",
    "pover": "html",
    "prowl": "text",
    "revolt": "markdown",
    "rocket": "markdown",
    "rockets": "markdown",
    "signal": "text",
    "signals": "text",
    "simplepush": "text",
    "stackfield": "text",
    "tgram": "html",
    "threema": "text",
    "twist": "markdown",
    "webex": "markdown",
    "wecombot": "text",
    "workflow": "markdown",
    "workflows": "markdown",
    "wxteams": "markdown",
    "zoom": "text",
    "zulip": "markdown",
}
"""Kinds of address that the ``apprise`` channel takes, each with what its messages are written in. Nothing else is taken:
many others read files, call programs of this machine, or are told of its users."""

OTHERWISE: Final = {
    "slack": 'a channel of type = "slack"',
    "mailto": 'a channel of type = "email"',
    "mailtos": 'a channel of type = "email"',
    "json": 'a channel of type = "webhook"',
    "jsons": 'a channel of type = "webhook"',
    "file": 'a channel of type = "file"',
    "teams": "workflows://, the address of a Teams workflow",
    "msteams": "workflows://, the address of a Teams workflow",
}
"""What to write instead of addresses that have a channel of their own, or are no more."""

REFUSED_OPTIONS: Final = frozenset(
    (
        "template",
        "attach",
        "verify",
        "optional",
        "retry",
        "wait",
        "redirect",
        "redirects",
        "overflow",
        "format",
        "emojis",
        "store",
        "cto",
        "rto",
    )
)
"""Options of such an address that would read files, leave certificates unverified, hide failures or change what is written."""

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


def hours(text: str) -> tuple[time, time]:
    """``22:00-07:00`` as two times of the day; ``ValueError`` says what to write instead."""
    found = _HOURS.fullmatch(text.strip())
    if found is None or found.groups()[:2] == found.groups()[2:]:
        raise ValueError(f'"{text[:40]}" are no hours of the day; write "22:00-07:00"')
    begin_hour, begin_minute, end_hour, end_minute = map(int, found.groups())
    return time(begin_hour, begin_minute), time(end_hour, end_minute)


def _web_address(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        known = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # says which text it is: perhaps a secret
        known = False
    if not known:
        raise ValueError("not a web address; it starts with https://")
    return url


class Channel(Table):
    """What every channel has: a name, when it rests, how much it takes, and which messages are for it."""

    name: Name
    brands: Names = Field(default_factory=list, description="Only what is about these brands; all if none is named.")
    tags: Names = Field(default_factory=list, description="Of rules, only items with one of these tags.")
    max_per_hour: int | None = Field(
        default=None, ge=1, le=10_000, description="So many messages in any hour; further ones wait, but for digests."
    )
    quiet_hours: str | None = Field(
        default=None, description='"22:00-07:00", in the time zone: what comes then waits, but for what is urgent.'
    )

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, text: str | None) -> str | None:
        if text is not None:
            hours(text)
        return text


class FileChannel(Channel):
    """Digests as files: ``FOLDER/NAME-PERIOD.{html,txt,md,json}``."""

    type: Literal["file"]
    folder: LocalPath = Field(default=Path("var/digests"), validate_default=True)
    formats: list[Format] = Field(default=["html", "txt", "md", "json"])


class EmailChannel(Channel):
    """Digests by mail (SMTP), HTML with a text part."""

    type: Literal["email"]
    host: Name
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: LocalPath | None = Field(
        default=None, description="A certificate authority (PEM) to trust besides the usual."
    )
    username: str | None = None
    password: SecretStr | None = None
    sender: Name = Field(alias="from")
    to: Annotated[list[str], BeforeValidator(listed), Field(min_length=1)]

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | list[str]) -> str | list[str]:
        for text in [value] if isinstance(value, str) else value:
            found = getaddresses([text])
            if any(mark in text for mark in "\r\n") or len(found) != 1 or not all(found[0][1].rpartition("@")):
                raise ValueError(
                    f'"{text[:80]}" is no mail address; write name@example.org or "A Name <name@example.org>"'
                )
        return value

    @model_validator(mode="after")
    def _whole_log_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            missing = "password" if self.password is None else "username"
            raise ValueError(f"to log in, both username and password are needed; add {missing} = ...")
        if self.password is not None and not f"{self.username}{self.password.get_secret_value()}".isascii():
            raise ValueError("username or password has a letter that SMTP cannot send; use letters of ASCII only")
        return self


class WebhookChannel(Channel):
    """The report as JSON, posted to an address; signed where there is a secret."""

    type: Literal["webhook"]
    url: SecretStr
    secret: SecretStr | None = None

    _address = field_validator("url")(_web_address)

    @field_validator("secret")
    @classmethod
    def _not_empty(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not secret.get_secret_value():
            raise ValueError("is empty; give it a value, or remove it to send unsigned")
        return secret


class SlackChannel(Channel):
    """Messages to Slack, by an incoming webhook."""

    type: Literal["slack"]
    url: SecretStr

    _address = field_validator("url")(_web_address)


class AppriseChannel(Channel):
    """Messages to a chat or push service, by an address of the library Apprise (``discord://``, ``tgram://`` ...)."""

    type: Literal["apprise"]
    url: Annotated[list[SecretStr], BeforeValidator(listed), Field(min_length=1)]

    @field_validator("url")
    @classmethod
    def _services(cls, urls: list[SecretStr]) -> list[SecretStr]:
        for url in urls:
            _check_service(url.get_secret_value())
        return urls


def service_of(url: str) -> str:
    """The kind of an address: what stands before ``://``, in small letters."""
    return url.partition("://")[0].strip().lower() if "://" in url else ""


def _check_service(url: str) -> None:
    """``ValueError`` where the address is not of a known service; it names the kind only, since the rest is secret."""
    kind = service_of(url)
    if kind in OTHERWISE:
        raise ValueError(f"{kind}:// is not taken here; use {OTHERWISE[kind]}")
    if kind not in SERVICES:
        named = f"{kind}:// is not taken" if re.fullmatch(r"[a-z0-9+.-]{1,20}", kind) else "is no address of a service"
        raise ValueError(f"{named}; known are: {', '.join(f'{name}://' for name in SERVICES)}")
    given = {key.lower().lstrip("+-:") for key, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
    if refused := sorted(given & REFUSED_OPTIONS):
        raise ValueError(f"the option {refused[0]} is not taken; remove it from the address")


ChannelSettings = FileChannel | EmailChannel | WebhookChannel | SlackChannel | AppriseChannel
CHANNEL_TYPES: dict[str, type[Channel]] = {
    "file": FileChannel,
    "email": EmailChannel,
    "webhook": WebhookChannel,
    "slack": SlackChannel,
    "apprise": AppriseChannel,
}
