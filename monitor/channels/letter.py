"""What is sent, and how sending fails. One bit of every error matters: will it pass?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from monitor.digest import Brief, Form

Event = Literal["digest", "alert", "rule", "test"]


class Passing(Exception):
    """The channel does not take it now; later it may: after ``retry_after``, where it says so."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(Exception):
    """The channel will never take it; somebody must act."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter. ``kind`` is its media type."""

    name: str
    kind: str
    content: bytes


def _nothing() -> Sequence[Attachment]:
    return ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be sent. ``key`` is equal over all tries, so that a receiver can drop repeats.

    ``name`` is the digest's, alert's or rule's; ``stem`` the name of its files; ``render`` gives it in each form, harmless
    whatever it quotes, and ``brief`` what chats are told of it. ``attachments`` are for mail and files; ``remarks`` says
    afterwards what could not be done as wished.
    """

    event: Event
    name: str
    stem: str
    subject: str
    render: Callable[[Form], str]
    brief: Callable[[], Brief]
    key: str
    at: datetime
    attachments: Callable[[], Sequence[Attachment]] = _nothing
    remarks: list[str] = field(default_factory=list)
