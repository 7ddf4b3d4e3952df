"""A small dashboard to knock at: a brand, no items; and all the addresses that there are."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute

from monitor.app import App, build
from monitor.config import load
from monitor.web import access, api, pages
from monitor.web.headers import ALWAYS
from monitor.web.site import routers
from storage import tokens
from tests.web.serving import Dashboard, served

PASSWORD: Final = "correct horse battery"
HASH: Final = access.hashed(PASSWORD)
CONFIG: Final = """
[monitor]
database = "sqlite:///{folder}/monitor.db"
[[brands]]
name = "Acme"
keywords = ["acme"]
[[brands]]
name = "Other"
{web}
"""


def home(folder: Path, migrated: Path, web: str = "") -> Path:
    """A configuration with a store; its file."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(migrated, folder / "monitor.db")
    file = folder / "config.toml"
    file.write_text(CONFIG.format(folder=folder, web=web), encoding="utf-8")
    return file


@contextmanager
def door(folder: Path, migrated: Path, *, password: str | None = HASH, **web: Any) -> Iterator[Dashboard]:
    """A dashboard with a password (its hash), by itself as nobody. ``web``: settings of ``[web]``."""
    app = build(load(home(folder, migrated)))
    if password is not None:
        tokens.keep_password(app.database, password)
    with served(app, **web) as dashboard:
        dashboard.client.follow_redirects = False
        yield dashboard
    app.close()


def sign_in(dashboard: Dashboard, client: httpx.Client | None = None, **headers: str) -> httpx.Response:
    """Say the password."""
    asked = client or dashboard.client
    answer = asked.post("/login", data={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 303, answer.text
    return answer


def visitor_of(dashboard: Dashboard) -> httpx.Client:
    """Somebody else, with cookies of their own."""
    return httpx.Client(base_url=dashboard.url, timeout=30)


def token_of(page: httpx.Response) -> str:
    """What forms of this page carry."""
    found = re.search(r'<meta name="csrf" content="([0-9a-f]+)">', page.text)
    assert found is not None, page.text[:500]
    return found[1]


def key(
    app: App, name: str = "robot", *, may_write: bool = False, brands: Sequence[str] | None = None
) -> dict[str, str]:
    """The header of a program with a token."""
    made = access.new_token()
    assert tokens.add_token(
        app.database, name, access.digest_of(made), may_write=may_write, brands=brands, now=app.now()
    )
    return {"Authorization": f"Bearer {made}"}


def raw(dashboard: Dashboard, sent: bytes, *, seconds: float = 10) -> bytes:
    """What is answered to bytes that no client would send."""
    url = httpx.URL(dashboard.url)
    with socket.create_connection((url.host, url.port or 80), seconds) as connection:
        connection.sendall(sent)
        told = b""
        while part := connection.recv(65_536):
            told += part
        return told


def asked(path: str = "/welcome", *lines: str, version: str = "1.1") -> bytes:
    """A request as it goes over the wire."""
    return "\r\n".join([f"GET {path} HTTP/{version}", *lines, "Connection: close", "", ""]).encode("latin-1")


def status(told: bytes) -> int:
    return int(told.split(b" ", 2)[1])


def is_guarded(answer: httpx.Response, *, but: tuple[str, ...] = ()) -> None:
    """Every header that all answers carry."""
    for name, value in ALWAYS.items():
        if name not in but:
            assert answer.headers.get_list(name) == [value], (answer.request.url, name)
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


def site_of(dashboard: Dashboard) -> FastAPI:
    site = dashboard.server.config.app
    assert isinstance(site, FastAPI)
    return site


# ------------------------------------------------------------------------------------------------------ addresses


@dataclass(frozen=True, slots=True)
class Address:
    """One thing that can be asked; ``route`` is what answers."""

    method: str
    path: str
    route: APIRoute

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


VALUES: Final = {"number": "1", "id": "1", "name": "forum", "mark": "done", "tag": "press", "form": "html"}


def addresses() -> list[Address]:
    """Every page, part, form and call of the site, with something sensible in its place."""
    found = [route for router in (*routers(pages), *routers(api)) for route in router.routes]
    return [
        Address(method, _filled(route.path), route)
        for route in found
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda place: VALUES.get(place[1], "1"), path)


def rows(app: App) -> str:
    """All that the store holds, but for when tokens were used."""
    with app.database.engine.connect() as connection:
        names = sorted(connection.dialect.get_table_names(connection))
        found = {
            name: [tuple(map(str, row)) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')]
            for name in names
            if name != "token"
        }
    return json.dumps(found, default=str)
