"""``[privacy]``: what of a person is stored, and for how long words are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, field_validator

from monitor.config.tables import DurationOrNever, Table, listed


def _long_enough(length: timedelta) -> timedelta:
    if timedelta(0) < length < timedelta(days=1):
        raise ValueError('is shorter than a day; write for example "90d" or "2y", or false to keep everything')
    return length


Keep = Annotated[
    DurationOrNever,
    AfterValidator(_long_enough),
    WithJsonSchema({"anyOf": [{"const": False}, {"type": "string", "pattern": r"^\s*\d", "examples": ["90d", "2y"]}]}),
]
"""How long words are kept; ``timedelta(0)``, written ``false``: for good."""

Redacted = Annotated[list[Literal["email", "phone"]], BeforeValidator(listed)]


class PrivacySettings(Table):
    """``[privacy]``: what of a person is stored."""

    authors: Literal["kept", "hashed"] = Field(
        default="kept", description='"hashed": names and ids of authors are stored as a keyed hash only.'
    )
    key: SecretStr | None = Field(
        default=None, description="What the hash is keyed with; by default a random key that the store keeps."
    )
    redact: Redacted = Field(
        default_factory=list, description="What is taken out of texts before they are scored and stored."
    )

    @field_validator("key", mode="before")
    @classmethod
    def _strong_enough(cls, key: Any) -> Any:
        if isinstance(key, str) and len(key) < 16:
            raise ValueError("is shorter than 16 characters and could be guessed; take a long random one")
        return key
