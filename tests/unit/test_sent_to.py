"""Where a sender has to send, as the configuration of the dashboard says it."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.config import parse
from monitor.sent_to import words

TOKEN = "t" * 32


def told(web: dict[str, Any], name: str = "shop", **options: Any) -> str:
    source = {"name": name, "type": "webhook", "brand": "Acme", "options": options}
    settings = parse({"brands": [{"name": "Acme"}], "sources": [source], "web": {"enabled": True, **web}})
    return words(settings, name, settings.source(name).parsed)


@pytest.mark.parametrize(
    ("web", "address"),
    [
        ({}, "http://127.0.0.1:8350"),
        ({"host": "::1", "port": 9000}, "http://[::1]:9000"),
        ({"host": "0.0.0.0", "hosts": ["monitor.lan"]}, "http://monitor.lan:8350"),
        ({"public_url": "https://monitor.example/"}, "https://monitor.example"),
    ],
)
def test_the_address_is_that_of_the_dashboard(web: dict[str, Any], address: str) -> None:
    assert told(web, "my shop").startswith(f"POST {address}/api/v1/sources/my%20shop/items, ")


def test_the_headers_are_those_that_the_source_looks_at() -> None:
    assert told({}, token=TOKEN, token_header="X-Token").endswith("items, with the token in X-Token")
    assert told({}, secret=TOKEN, style="github").endswith("the signature in X-Hub-Signature-256")
    assert told({}).endswith("items, once it has a secret or a token")
    assert TOKEN not in told({}, token=TOKEN) + told({}, secret=TOKEN)
