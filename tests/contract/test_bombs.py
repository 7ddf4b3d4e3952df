"""Answers made to do harm: nested a hundred thousand deep, packed to nothing, full of entities. Every connector ends in a fate."""

from __future__ import annotations

import gzip
import importlib
import json
import pkgutil
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Refreshes
from connectors.errors import SourceError
from connectors.feeds import PLUGIN as FEEDS
from connectors.testing import Case, ContractSuite, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from tests import contract
from tests.fakes.feeds import FakeFeed
from tests.fakes.files import Source as FileSource

MOST_BYTES = 150_000_000
MOST_SECONDS = 60
OF_THIS_MACHINE = ("files", "sample", "sql")
NOT_BY_HTTP = ("imap",)  # what a mail server may do to it stands with its own tests


def _nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * depth + closing * depth).encode()


@cache
def bombs() -> dict[str, Reply]:
    """Made by the process that throws them, and only once: every process that tests collects this file."""
    return {
        "lists, 100,000 deep": Reply(_nested(100_000)),
        "lists, 900 deep": Reply(_nested(900)),
        "objects, 100,000 deep": Reply(_nested(100_000, '{"data":', "}").replace(b":}", b":1}")),
        "objects, 400 deep": Reply(_nested(400, '{"data":', "}").replace(b":}", b":1}")),
        "a million digits": Reply(b'{"data": ' + b"9" * 1_000_000 + b"}"),
        "gzip of 200 MB": Reply(gzip.compress(bytes(200_000_000), 1), headers={"Content-Encoding": "gzip"}),
        "br": Reply(b"\x0b\x02\x80hello\x03", headers={"Content-Encoding": "br"}),
        "zstd": Reply(b"\x28\xb5\x2f\xfd\x00\x00", headers={"Content-Encoding": "zstd"}),
        "nothing": Reply(b""),
        "null": Reply(b"null"),
    }


def _cases() -> dict[str, Case]:
    """One case of every connector that asks somebody over the network."""
    for module in pkgutil.iter_modules(contract.__path__):
        importlib.import_module(f"tests.contract.{module.name}")
    found: dict[str, Case] = {}
    waiting = list(ContractSuite.__subclasses__())
    while waiting:
        suite = waiting.pop()
        waiting += suite.__subclasses__()
        case = getattr(suite, "case", None)
        if (
            case is not None
            and suite.__module__.startswith(contract.__name__)
            and isinstance(case.fake, type)
            and case.plugin.name not in (*OF_THIS_MACHINE, *NOT_BY_HTTP)
        ):
            found.setdefault(case.plugin.name, case)
    return dict(sorted(found.items()))


CASES = _cases()


class Bombed:
    """A platform that answers everything with one bomb."""

    def __init__(self, case: Case) -> None:
        self.reply = Reply()
        bombed = self

        class Exposed(case.fake):  # type: ignore[misc, name-defined]
            def respond(self, _request: Request) -> Reply:
                return bombed.reply

        self.fake: FakePlatform = Exposed()
        self.case = case

    def use_everything(self) -> int:
        """Do with the answers whatever the connector can do; how many items came."""
        connector = Pulls(self.case, self.fake).open()
        came = 0
        with suppress(SourceError):
            came += sum(len(page.items) for page in connector.fetch(None, self.since))
        for use in ("followers", "standing"):
            with suppress(SourceError):
                list(getattr(connector, use, list)())
        if isinstance(connector, Refreshes):
            with suppress(SourceError):
                list(connector.refresh([self.fake.external_id(self.fake.seeds[0])]))
        with suppress(SourceError):
            connector.check()
        connector.close()
        return came

    @property
    def since(self) -> Any:
        from connectors.testing.suite import SINCE

        return SINCE


@pytest.fixture
def bombed(request: pytest.FixtureRequest) -> Iterator[Bombed]:
    bombed = Bombed(CASES[request.param])
    bombed.fake.publish(3)
    yield bombed
    bombed.fake.close()


@pytest.mark.parametrize("bombed", CASES, indirect=True)
def test_no_answer_does_harm(bombed: Bombed) -> None:
    began = time.monotonic()
    for bomb in bombs().values():
        bombed.reply = bomb
        assert bombed.use_everything() == 0
    assert time.monotonic() - began < MOST_SECONDS


def test_most_connectors_were_tried() -> None:
    assert len(CASES) > 15


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
LAUGHS = f"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "ha">{ENTITIES}]>
<rss version="2.0"><channel><title>&e11;</title><item><guid>1</guid><title>&e11;</title></item></channel></rss>"""
STRANGER = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY file SYSTEM "file:///etc/hostname"><!ENTITY web SYSTEM "{url}">]>
<rss version="2.0"><channel><title>&file;</title><item><guid>1</guid><title>a &file;&web; b</title></item></channel></rss>"""


def test_entities_are_not_unfolded_and_nobody_is_asked_for_them() -> None:
    fake = FakeFeed()
    pulls = Pulls(Case(plugin=FEEDS, fake=FakeFeed), fake)
    tracemalloc.start()
    try:
        for document in (LAUGHS, STRANGER.format(url=f"{fake.base_url}/asked")):
            fake.document = document.encode()
            with suppress(SourceError):
                pulls.pull()
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
        fake.close()
    assert "/asked" not in {request.path for request in fake.loopback.requests}
    hostname = Path("/etc/hostname")
    secret = hostname.read_text().strip() if hostname.exists() else "no such name"
    for item in pulls.stored.values():
        assert len(item.title or "") < 10_000
        assert secret not in (item.title or "")


@pytest.mark.parametrize(("suffix", "read"), [("json", {"0"}), ("jsonl", {"0", "1", "2"})])
def test_a_nested_row_of_a_file_is_said_and_does_no_harm(tmp_path: Path, suffix: str, read: set[str]) -> None:
    """Lines stand for themselves; in a JSON document nobody knows where such a row ends, so that it is said to be the last."""
    rows = [json.dumps({"id": str(n), "text": "fine", "date": "2026-10-01T10:00:00Z"}) for n in range(3)]
    rows.insert(1, '{"id": "deep", "text": ' + "[" * 100_000 + "]" * 100_000 + "}")
    path = tmp_path / f"reviews.{suffix}"
    path.write_text(f"[{','.join(rows)}]" if suffix == "json" else "\n".join(rows) + "\n")
    source = FileSource(path)
    source.now += timedelta(hours=1)  # a file that is still being written is waited for
    assert {item.external_id.partition(":")[2] for item in source.pull()} == read
    assert len(source.skipped) == 1
