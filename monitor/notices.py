"""Messages that are no digest: alerts, their follow-ups, rules, tests. They are kept without words and told with them."""

from __future__ import annotations

import re
from datetime import datetime
from secrets import token_hex
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from monitor.app import App
from monitor.channels.letter import Event, Letter
from monitor.digest.notice import told
from monitor.quotes import quote
from storage import outbox, queries
from storage.records import DeliveryDue

Kind = Literal["alert", "rule", "test"]
LONGEST: Final = 50
"""Items that a notice names at most; of more it says how many."""


class Notice(BaseModel):
    """What is told: a sentence, further lines, and items by their ids (their words are looked up when it is sent).

    ``figures`` are the numbers behind it, for programs; ``total``: items it is about, of which ``items`` are the first.
    ``urgent``: it does not wait for the end of quiet hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    lines: list[str] = Field(default_factory=list)
    items: list[int] = Field(default_factory=list)
    total: int = 0
    brand: str | None = None
    figures: dict[str, Any] = Field(default_factory=dict)
    test: bool = False
    urgent: bool = False


def queue(
    connection: Connection,
    kind: Kind,
    name: str,
    notice: Notice,
    channels: list[str],
    brand_id: int | None,
    at: datetime,
) -> int:
    """Put a notice into the outbox for these channels, within the caller's transaction; its id."""
    keys = {channel: token_hex(16) for channel in channels}
    return outbox.queue_notice(connection, kind, name, brand_id, notice.model_dump(mode="json"), keys, at)


def letter_of(app: App, due: DeliveryDue) -> Letter:
    """The notice as a letter, with the present words of its items."""
    notice = Notice.model_validate(due.content)
    found = queries.items_by_id(app.database, notice.items)
    quotes = [quote(found[number]) for number in notice.items if number in found]
    shown = told(
        due.kind,
        due.name,
        f"[test] {notice.title}" if notice.test else notice.title,
        notice.lines,
        quotes,
        total=notice.total,
        at=due.start,
        zone=app.settings.monitor.zone,
        figures=notice.figures,
        brand=notice.brand,
    )
    return Letter(
        event=cast(Event, due.kind),
        name=due.name,
        stem=f"{due.kind}-{_fit(due.name)}-{due.start:%Y%m%dT%H%M%S}-{due.key[:6]}",
        subject=shown.subject,
        render=shown.render,
        brief=lambda: shown.brief,
        key=due.key,
        at=app.now(),
    )


def _fit(name: str) -> str:
    """A name fit for a file."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60] or "notice"
