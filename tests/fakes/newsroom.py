"""A brand with one source, a file of reviews, and whatever digests and channels a test wants; its clock is the test's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Table, select, update

from monitor import delivery, digests
from monitor.app import App, build
from monitor.channels import Letter
from monitor.config import Settings, parse
from monitor.daemon import pull_now
from monitor.delivery import letter_of
from storage import outbox
from storage.tables import DELIVERY, DIGEST
from tests.fakes.mailserver import CERTIFICATE, MailServer

MORNING = datetime(2026, 11, 20, 7, 0, 30, tzinfo=UTC)
"""Half a minute after eight in Berlin, on a Friday."""
REVIEWS = (
    ("r1", "MARKED-TITLE-ONE", "MARKED-TEXT-ONE, I love it so much", "2026-11-19T10:00:00Z", 5, "Marked-Author-Ann"),
    ("r2", "MARKED-TITLE-TWO", "MARKED-TEXT-TWO, terrible and broken", "2026-11-19T11:00:00Z", 1, "Marked-Author-Bob"),
)
DAILY = {"name": "daily", "schedule": "0 8 * * *"}
PASSWORD, SECRET = "s3cret-pass-word", "webhook-secret-value"


class Newsroom:
    """Settings and their programs on one store."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *channels: Mapping[str, Any],
        digests: Sequence[Mapping[str, Any]] = (DAILY,),
        brand: str = "Acme",
        reviews: Sequence[Sequence[Any]] = REVIEWS,
    ) -> None:
        self.now = MORNING
        self.folder = folder
        self.file = folder / "reviews.json"
        self.publish(reviews)
        names = [channel["name"] for channel in channels]
        self.data: dict[str, Any] = {
            "monitor": {"timezone": "Europe/Berlin", "database": database_url},
            "brands": [{"name": brand}],
            "sources": [
                {
                    "name": "reviews",
                    "type": "files",
                    "brand": brand,
                    "match": "all",
                    "options": {"path": str(self.file)},
                }
            ],
            "digests": [{"channels": names, **digest} for digest in digests],
            "channels": list(channels),
        }
        self._open: list[App] = []
        self.app = self.start()

    def publish(self, reviews: Sequence[Sequence[Any]]) -> None:
        names = ("id", "title", "text", "date", "rating", "author")
        self.file.write_text(json.dumps([dict(zip(names, row, strict=True)) for row in reviews]), encoding="utf-8")

    def settings(self) -> Settings:
        return parse(self.data)

    def start(self) -> App:
        """Another program on the same store and clock."""
        app = build(self.settings(), now=lambda: self.now)
        self._open.append(app)
        return app

    def close(self) -> None:
        for app in self._open:
            app.close()

    def later(self, **parts: float) -> None:
        """Time goes by."""
        self.now += timedelta(**parts)

    def pull(self) -> str | None:
        """Read the source; how it failed, if it did."""
        (pulled,) = pull_now(self.app, ["reviews"], Event())
        return pulled.fate

    def queued(self) -> Newsroom:
        """With its digest of yesterday built and queued."""
        self.digest()
        return self

    def digest(self) -> None:
        """What the daemon does up to the outbox: pull, plan, build the one digest that is due."""
        assert self.pull() is None
        digests.plan(self.app)
        assert digests.build_due(self.app) == 1

    def rows(self, table: Table) -> list[dict[str, Any]]:
        query = select(table).order_by(table.c.id)
        return self.app.database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    @property
    def digests(self) -> list[dict[str, Any]]:
        return self.rows(DIGEST)

    @property
    def delivery(self) -> dict[str, Any]:
        """The only delivery."""
        (row,) = self.rows(DELIVERY)
        return row

    def leases_run_out(self) -> None:
        """As if their time had come: leases go by the real clock."""
        gone = {"lease_until": datetime(2020, 1, 1, tzinfo=UTC)}
        for table in (DIGEST, DELIVERY):
            held = update(table).where(table.c.lease_until.is_not(None)).values(gone)
            self.app.database.write(lambda connection, held=held: connection.execute(held))  # type: ignore[misc]


Open = Callable[..., Newsroom]


@contextmanager
def rooms(folder: Path, database_url: str) -> Iterator[Open]:
    """Opens newsrooms; one without channels writes its digests into ``folder / "out"``."""
    opened: list[Newsroom] = []

    def open_(*channels: Mapping[str, Any], **given: Any) -> Newsroom:
        chosen = channels or (by_file(folder / "out", formats=["txt"]),)
        opened.append(Newsroom(folder, database_url, *chosen, **given))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def by_mail(server: MailServer, **given: Any) -> dict[str, Any]:
    return {
        "name": "mail",
        "type": "email",
        "host": "localhost",
        "port": server.port,
        "ca_file": str(CERTIFICATE),
        "username": "monitor",
        "password": PASSWORD,
        "from": "Sentiment Monitor <monitor@example.org>",
        "to": ["ann@example.org", "Bob Ö. <bob@example.org>"],
        **given,
    }


def openly(server: MailServer, **given: Any) -> dict[str, Any]:
    """Without encryption and log-in."""
    plain = by_mail(server, security="none", **given)
    return {key: value for key, value in plain.items() if key not in ("username", "password", "ca_file")}


def by_hook(url: str, **given: Any) -> dict[str, Any]:
    return {"name": "hook", "type": "webhook", "url": url, "secret": SECRET, **given}


def by_file(folder: Path, **given: Any) -> dict[str, Any]:
    return {"name": "files", "type": "file", "folder": str(folder), **given}


def deliver(room: Newsroom) -> tuple[int, str, str]:
    """One round: how many were taken, and what became of the delivery."""
    sent = delivery.deliver_due(room.app)
    return sent, room.delivery["state"], room.delivery["error"] or ""


def letter(room: Newsroom) -> Letter:
    """What the queued delivery carries."""
    names = [channel.name for channel in room.app.settings.channels]
    due = outbox.claim_delivery(room.app.database, "test", names, room.now, timedelta(minutes=5))
    assert due is not None
    return letter_of(room.app, due)
