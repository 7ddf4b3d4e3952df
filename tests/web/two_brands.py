"""A site that is not open, over a store with two brands; all that is of the second one holds its marker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from monitor import auditing, digests, marking, pushing
from monitor.app import App, build
from monitor.config import load
from monitor.web import access
from monitor.web.asked import window_named
from storage import alerts, listing, outbox, stories, tokens
from storage import annotations as events
from storage.reasons import Mute
from storage.records import ItemFilter
from tests.web.serving import Dashboard, served

OWN: Final = "Acme"
MARKER: Final = "zanzimark"
FOREIGN: Final = "Zanzimark"
PASSWORD: Final = "a long password"
WEBHOOK: Final = "a-token-of-the-sender-0123456789"
_CONFIG: Final = """
[monitor]
database = "sqlite:///{folder}/monitor.db"
[[brands]]
name = "Acme"
keywords = ["acme"]
competitors = ["Zanzimark"]
[[brands]]
name = "Zanzimark"
keywords = ["zanzimark"]
exclude = ["zanzimark circus"]
[[sources]]
name = "shop"
type = "webhook"
brand = "Acme"
options = {{ token = "{token}" }}
[[sources]]
name = "both"
type = "webhook"
brands = ["*"]
match = "keywords"
options = {{ token = "{token}" }}
[[sources]]
name = "zanzimark-shop"
type = "webhook"
brand = "Zanzimark"
options = {{ token = "{token}" }}
[[digests]]
name = "mine"
schedule = "0 8 * * *"
brands = ["Acme"]
channels = ["files", "zanzimark-files"]
[[digests]]
name = "everybody"
schedule = "0 8 * * *"
channels = ["files"]
[[digests]]
name = "zanzimark-daily"
schedule = "0 8 * * *"
brands = ["Zanzimark"]
channels = ["zanzimark-files"]
[[channels]]
name = "files"
type = "file"
folder = "{folder}/digests"
[[channels]]
name = "zanzimark-files"
type = "file"
folder = "{folder}/others"
brands = ["Zanzimark"]
[[rules]]
name = "low"
when = "rating <= 2"
channels = ["files", "zanzimark-files"]
[[rules]]
name = "zanzimark-low"
when = "rating <= 1"
brands = ["Zanzimark"]
channels = ["zanzimark-files"]
[[alerts]]
name = "complaints"
kind = "negative_volume"
[[alerts]]
name = "zanzimark-complaints"
kind = "negative_volume"
brands = ["Zanzimark"]
"""


@dataclass
class World:
    """The site, and what there is of the foreign brand. ``client`` is a program's: nothing ever gives it a cookie."""

    site: Dashboard
    client: httpx.Client
    item: int
    own_item: int
    author: str
    sample: int
    digest: int
    episode: int
    annotation: int
    delivery: int

    def ask(self, token: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        """One request with this token, or without any."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.request(method, path, headers=headers, **options)

    def token(self, name: str, *, may_write: bool = False, brands: list[str] | None = None) -> str:
        """A fresh token."""
        made, app = access.new_token(), self.site.app
        assert tokens.add_token(
            app.database, name, access.digest_of(made), may_write=may_write, brands=brands, now=app.now()
        )
        return made


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The site while the block runs."""
    config = folder / "config.toml"
    config.write_text(_CONFIG.format(folder=folder, token=WEBHOOK), encoding="utf-8")
    app = build(load(config))
    _fill(app)
    with served(app, password=SecretStr(PASSWORD)) as site, httpx.Client(base_url=site.url, timeout=30) as client:
        yield _world(site, client)
    app.close()


def _fill(app: App) -> None:
    for source, brand in (("shop", OWN), ("zanzimark-shop", FOREIGN), ("both", FOREIGN)):
        pushing.hand_in(app, source, _body(app, source, brand), {"authorization": f"Bearer {WEBHOOK}"})
    foreign = [item.id for item in listing.items(app.database, ItemFilter(brand=FOREIGN))]
    marking.tag(app, foreign, f"{MARKER}-tag", MARKER)
    marking.mark(app, foreign[:1], "done", MARKER)
    marking.correct(app, foreign[0], "neutral", MARKER)
    marking.mute(app, Mute(f"{MARKER}.example", app.brands[FOREIGN].id, site=f"{MARKER}.example", by=MARKER))
    events.add(app.database, f"{MARKER} launch", app.now() - timedelta(days=2), app.now(), brand=FOREIGN)
    auditing.draw(app, FOREIGN, window_named(app, {})[0], 5, 1)
    _alert(app)
    digests.plan(app)
    digests.build_due(app, patient=False)


def _body(app: App, source: str, brand: str) -> bytes:
    name = brand.lower()
    made = [
        {
            "external_id": f"{source}-{number}",
            "text": f"{name} {words} number {number}",
            "published_at": (app.now() - timedelta(hours=7 * number)).isoformat(),
            "url": f"https://{'www' if number else name}.{name}.test/{number}",
            "author": {"id": f"{name}-{number % 3}", "name": f"{name} fan {number % 3}"},
            "kind": "review" if number % 3 == 0 else "mention",
        }
        for number, words in enumerate(("is great, I love it", "is awful and broken", "arrived") * 4)
    ]
    return json.dumps(made).encode()


def _alert(app: App) -> None:
    now = app.now()
    begun = alerts.Begun(
        f"{MARKER}-complaints",
        "negative_volume",
        app.brands[FOREIGN].id,
        FOREIGN,
        now - timedelta(days=1),
        now,
        None,
        {},
    )
    assert alerts.apply(app.database, alerts.alert_state(app.database), [begun], [], now)


def _world(site: Dashboard, client: httpx.Client) -> World:
    database = site.app.database
    item = listing.items(database, ItemFilter(brand=FOREIGN, uncounted="all"))[0].id
    rows = {row["name"]: row["id"] for row in outbox.archive(database)}
    return World(
        site=site,
        client=client,
        item=item,
        own_item=listing.items(database, ItemFilter(brand=OWN))[0].id,
        author=str(stories.stories(database, [item])[item].author_id),
        sample=1,
        digest=rows[f"{MARKER}-daily"],
        episode=alerts.episodes(database)[0].id,
        annotation=events.listed(database)[0].id,
        delivery=outbox.deliveries(database)[0]["id"],
    )
