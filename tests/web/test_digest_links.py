"""What a digest's figures lead to: the dashboard shows exactly the items that were counted."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest

from monitor import digest
from monitor.digest import DigestView
from monitor.report import build_report
from monitor.schedule import span
from tests.web.serving import Dashboard

BASE = "https://monitor.example.org"


@pytest.fixture(scope="module")
def linked(read_only: Dashboard) -> dict[str, str]:
    """The links of a full digest and their words, over a week that does not begin at midnight."""
    app = read_only.app
    zone = app.settings.monitor.zone
    noon = app.now().replace(hour=12, minute=30, second=0, microsecond=0) - timedelta(days=1)
    report = build_report(app, ["Larkspur"], span(noon - timedelta(days=7), noon, zone))
    view = DigestView(name="weekly", zone=zone, public_url=BASE, detail="full")
    document = unescape(digest.render(report, "html", view))
    return {
        address.removeprefix(BASE): re.sub(r"<[^>]+>", "", words)
        for address, words in re.findall(rf'<a [^>]*href="({BASE}/[^"]+)"[^>]*>(.*?)</a>', document, re.DOTALL)
    }


def test_every_link_of_a_digest_opens(read_only: Dashboard, linked: dict[str, str]) -> None:
    assert len(linked) > 40
    assert any("figure=series." in address for address in linked)
    for address in linked:
        assert urlsplit(address).path in ("/items", "/overview", "/")
        read_only.get(address)


def test_a_count_in_a_digest_opens_so_many_items(read_only: Dashboard, linked: dict[str, str]) -> None:
    counted = {
        address: found[0].replace(",", "")
        for address, words in linked.items()
        if (found := re.match(r"[\d,]+(?= (?:scored )?(?:mention|review))", words))
    }
    assert len(counted) >= 4
    for address, number in counted.items():
        main = re.sub(r"<[^>]+>", " ", read_only.get(address).text.partition("<main")[2])
        assert re.search(rf"\b{number}\s+items?\b", main.replace(",", "")), address
