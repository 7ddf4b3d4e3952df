"""What can be configured about a mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from connectors.contract import Options
from connectors.places import ON_DISK

Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Security = Literal["tls", "starttls", "none"]
PORTS: dict[Security, int] = {"tls": 993, "starttls": 143, "none": 143}


class ImapOptions(Options):
    host: Word = Field(description="The mail server, as in imap.example.com.")
    port: int | None = Field(default=None, ge=1, le=65_535, description="Its port; by default 993, without TLS 143.")
    security: Security = Field(
        default="tls", description='Encrypted from the start ("tls"), from within ("starttls"), or not at all ("none").'
    )
    ca_file: Annotated[Path | None, ON_DISK] = Field(
        default=None, description="A file with the certificates to trust, for a server with one of its own."
    )
    user: Word = Field(description="Who signs in: mostly the mail address.")
    password: SecretStr = Field(min_length=1, description="The password, or one made for this program alone.")
    folder: Word = Field(default="INBOX", description="Which folder is read; nothing in it is changed.")
    sender: Sequence[Word] = Field(
        default=(), description='Only mails whose sender holds one of these: ["alerts@example.com", "@shop.example"].'
    )
    subject: Sequence[Word] = Field(default=(), description='Only mails whose subject holds one of these: ["review"].')
    kind: Literal["mention", "review"] = Field(default="mention", description="What the mails are.")
    max_kilobytes: int = Field(
        default=256, ge=16, le=4_096, description="So much of a mail is read; what is beyond is cut off."
    )

    @field_validator("host", "user", "folder")
    @classmethod
    def _is_one_line(cls, text: str) -> str:
        return _checked(text)

    @field_validator("sender", "subject")
    @classmethod
    def _are_lines(cls, texts: Sequence[str]) -> Sequence[str]:
        return [_checked(text) for text in texts]

    @field_validator("password")
    @classmethod
    def _can_be_sent(cls, password: SecretStr) -> SecretStr:
        _checked(password.get_secret_value())
        return password

    @model_validator(mode="after")
    def _is_a_server(self) -> ImapOptions:
        if self.base_url is not None and urlsplit(self.base_url).scheme not in ("imap", "imaps"):
            raise ValueError("base_url: is no address of a mail server; write imaps://imap.example.com")
        return self

    @property
    def server(self) -> tuple[str, int, Security]:
        """Host, port, and how the way there is secured."""
        if self.base_url is None:
            return self.host, self.port or PORTS[self.security], self.security
        parts = urlsplit(self.base_url)
        security: Security = "tls" if parts.scheme == "imaps" else "none"
        return parts.hostname or self.host, parts.port or PORTS[security], security


def _checked(text: str) -> str:
    """A line end would begin another command."""
    if not text.isprintable():
        raise ValueError("holds signs that cannot be sent; leave out line ends and tabs")
    return text
