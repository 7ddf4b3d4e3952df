"""What can be configured about what is sent to the program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.contract import Options
from connectors.http_json_paths import path_of
from connectors.mapped import SAID, TimeFormat, Zone, flattened, refuse_unknown

Style = Literal["timestamped", "github"]
Secret = Annotated[SecretStr, Field(min_length=8)]

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_SIGNATURE: Final[dict[Style, str]] = {"timestamped": "X-Signature", "github": "X-Hub-Signature-256"}
_ID: Final[dict[Style, str]] = {"timestamped": "Idempotency-Key", "github": "X-GitHub-Delivery"}
MAX_BYTES: Final = 16 * 1024 * 1024


class WebhookOptions(Options):
    secret: Secret | None = Field(
        default=None,
        description="What the sender signs with (HMAC-SHA256), known to the two of you; 8 characters or more.",
    )
    old_secret: Secret | None = Field(
        default=None, description="A secret that is accepted too, while a sender changes over to the new one."
    )
    token: Secret | None = Field(
        default=None,
        description="For senders that cannot sign: what they send along, as in `Authorization: Bearer TOKEN`.",
    )
    style: Style = Field(
        default="timestamped",
        description='What is signed: the time and the body ("timestamped"), or the body alone as GitHub does ("github").',
    )
    signature_header: str | None = Field(
        default=None, description="The header with the signature; by default X-Signature, GitHub's X-Hub-Signature-256."
    )
    timestamp_header: str = Field(
        default="X-Timestamp", description="The header with the time of signing, in seconds since 1970."
    )
    id_header: str | None = Field(
        default=None,
        description="The header with the sender's own id of a delivery; by default Idempotency-Key, GitHub's X-GitHub-Delivery.",
    )
    token_header: str = Field(default="Authorization", description="The header with the token.")
    tolerance_seconds: int = Field(
        default=300, ge=1, le=86_400, description="How far the time of signing may lie from now."
    )
    max_bytes: int = Field(default=1024 * 1024, ge=1024, le=MAX_BYTES, description="The largest body that is taken.")
    max_items: int = Field(default=1_000, ge=1, le=10_000, description="So many items are taken at once.")
    sender: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="What ids begin with, so that those of several senders do not mix; by default the source's name.",
    )
    items: str | None = Field(
        default=None,
        min_length=1,
        description="Where the items stand in a body of another shape (JMESPath): a list of them, or one; by default all of it.",
    )
    fields: Mapping[str, Any] = Field(
        default_factory=dict,
        description='Where each field stands in an item of another shape (JMESPath): { external_id = "id", text = "body" }.',
    )
    html: bool = Field(default=False, description="With fields: the texts are HTML; plain text is made of them.")
    time_format: TimeFormat | None = Field(
        default=None,
        description='With fields: how times are written: "iso8601", "epoch", "epoch_ms", "rfc2822" or as in "%d/%m/%Y %H:%M"; '
        "understood by themselves otherwise.",
    )
    kind: Literal["mention", "post", "review"] | None = Field(
        default=None, description="What the items are; by default reviews where there is a rating, else mentions."
    )
    rating_worst: float = Field(default=1, description="The worst rating that can be given.")
    rating_best: float = Field(default=5, description="The best rating that can be given.")
    timezone: Zone = Field(default="UTC", description="The zone of times that do not name one.")
    attributes: Sequence[str] = Field(default=(), description="Further fields to keep, for rules and filters.")

    @property
    def signature_name(self) -> str:
        return (self.signature_header or _SIGNATURE[self.style]).lower()

    @property
    def id_name(self) -> str:
        return (self.id_header or _ID[self.style]).lower()

    @property
    def secrets(self) -> list[bytes]:
        """What a signature may have been made with."""
        return [one.get_secret_value().encode() for one in (self.secret, self.old_secret) if one is not None]

    @field_validator("signature_header", "timestamp_header", "id_header", "token_header")
    @classmethod
    def _is_a_header(cls, name: str | None) -> str | None:
        if name is not None and not _HEADER.fullmatch(name):
            raise ValueError(f'"{name}": is no name of a header; write X-Signature or another')
        return name

    @field_validator("items")
    @classmethod
    def _is_a_path(cls, text: str | None) -> str | None:
        if text is not None:
            path_of(text)
        return text

    @field_validator("fields")
    @classmethod
    def _lead_to_fields(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        flat = flattened(given)
        refuse_unknown(flat)
        for name, text in flat.items():
            if not isinstance(text, str):
                raise ValueError(f"{name}: is no text; write the JMESPath expression in quotes")
            path_of(text)
        if flat and "external_id" not in flat:
            raise ValueError('external_id: is needed; add external_id = "..."')
        if flat and not any(name in flat for name in SAID):
            raise ValueError('none of text, title and rating is told; add text = "..."')
        return flat

    @model_validator(mode="after")
    def _makes_sense(self) -> WebhookOptions:
        if self.secret is not None and self.token is not None:
            raise ValueError("secret and token: one of them says who sends; leave the other out")
        if self.old_secret is not None and self.secret is None:
            raise ValueError("old_secret: goes with a new one; add secret")
        if (self.items or self.html or self.time_format) and not self.fields:
            raise ValueError("items, html and time_format go with fields; add fields")
        if self.rating_worst >= self.rating_best:
            raise ValueError("rating_worst must be less than rating_best")
        return self
