"""Every request of docs/api.md is one that the program answers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from pydantic import SecretStr

from monitor.app import App
from monitor.web import access
from storage import listing, tokens
from storage.records import ItemFilter
from tests.web.serving import Dashboard, served

PAGE: Final = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def guarded(sample_app: App) -> Iterator[Dashboard]:
    with served(sample_app, password=SecretStr("a long password")) as made:
        yield made


@pytest.fixture
def values(guarded: Dashboard) -> dict[str, str]:
    """What the page's names stand for."""
    token, app = access.new_token(), guarded.app
    tokens.add_token(app.database, "page", access.digest_of(token), may_write=True, brands=None, now=app.now())
    item = listing.items(app.database, ItemFilter(brand="Larkspur", kinds=["mention"]), limit=1)[0].id
    return {"URL": guarded.url, "TOKEN": token, "ITEM": str(item)}


def request(line: str, values: dict[str, str]) -> httpx.Request:
    """What such a line of curl would send."""
    words = iter(shlex.split(re.sub(r"\$([A-Z]+)", lambda found: values[found[1]], line))[1:])
    method, headers, data, url, as_query = "GET", dict[str, str](), list[str](), "", False
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word in ("-d", "--data-urlencode"):
            data.append(next(words))
        elif word == "-G":
            as_query = True
        else:
            url = word
    if as_query:
        return httpx.Request(method, url, headers=headers, params=dict(one.split("=", 1) for one in data))
    return httpx.Request(method, url, headers=headers, content="&".join(data))


def test_every_line_of_curl_is_answered(values: dict[str, str]) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(lines) > 30
    with httpx.Client(timeout=60) as client:
        for line in lines:
            answer = client.send(request(line, values))
            assert answer.is_success, f"{line}\n{answer.status_code} {answer.text[:300]}"


def test_every_piece_of_python_runs(values: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks("python"):
        exec(compile(block, "docs/api.md", "exec"), {"URL": values["URL"], "TOKEN": values["TOKEN"]})
    printed = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[+-]0\.\d\d of \d+ mentions, likely [+-]0\.\d\d to [+-]0\.\d\d", printed[0])
    assert int(printed[-1]) > 100


def test_the_page_names_addresses_that_there_are(guarded: Dashboard) -> None:
    known = {path.removeprefix("/api/v1") for path in httpx.get(f"{guarded.url}/api/v1/openapi.json").json()["paths"]}
    named = set(re.findall(r"`(/[a-z/{}_]+)`", PAGE)) - {"/api/v1/openapi.json"}
    assert named - known == set()
