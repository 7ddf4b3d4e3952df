"""A dashboard to ask: the real server on a free port of this machine, in a thread, over a store of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import httpx
from uvicorn import Server

from monitor.app import App
from monitor.web import serving


@dataclass
class Dashboard:
    """A dashboard that is being served. ``client`` is like a browser: it keeps cookies and follows redirects."""

    app: App
    url: str
    client: httpx.Client
    server: Server = field(repr=False)

    def get(self, path: str, status: int = 200, **options: Any) -> httpx.Response:
        """A page or an answer; its status must be ``status``."""
        answer = self.client.get(path, **options)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:2_000]}"
        return answer

    def submit(self, path: str, fields: Mapping[str, Any] | None = None, status: int = 200) -> httpx.Response:
        """Send a form as a page of ours would: with the token that the last page carried."""
        answer = self.client.post(path, data={"csrf": self.csrf(), **(fields or {})})
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:2_000]}"
        return answer

    def csrf(self) -> str:
        """The token that forms of this visitor carry."""
        found = re.search(r'<meta name="csrf" content="([0-9a-f]+)">', self.get("/settings-of-nobody", 404).text)
        assert found is not None
        return found[1]


@contextmanager
def served(app: App, **web: Any) -> Iterator[Dashboard]:
    """Serve an app's dashboard until the end of the block; ``web``: settings of ``[web]``."""
    app = serving.with_web(app, port=0, **web)
    bound = serving.listening("127.0.0.1", 0)
    server = serving.server_of(app)
    thread = Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as client:
            yield Dashboard(app, url, client, server)
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()
