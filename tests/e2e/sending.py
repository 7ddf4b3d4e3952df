"""A process that sends what is due, over and over, until it is killed or all has left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import monitor.digest.forms  # so that a fork of whoever imported this has it loaded
from monitor import delivery
from monitor.app import App
from monitor.config import Settings, parse
from monitor.digest import render, subject
from storage.engine import open_database
from tests.unit import digest_reports as made

assert monitor.digest.forms

render(made.everything(), "html", made.VIEW)
subject(made.everything(), made.VIEW)
parse(
    {
        "monitor": {"timezone": "Europe/Berlin"},
        "brands": [{"name": "Acme"}],
        "sources": [{"name": "reviews", "type": "files", "brand": "Acme", "options": {"path": "none.json"}}],
    }
)


def send_all(data: dict[str, Any], now: datetime, owner: str) -> None:
    """What the daemon does with its outbox; it ends once nothing is due or free."""
    settings: Settings = parse(data)
    database = open_database(settings.monitor.database)
    app = App(settings, database, lambda: now, owner, {}, now)
    delivery.deliver_due(app)
    database.close()
