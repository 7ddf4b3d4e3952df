"""Fakes of what other programs write: one growing file in each format, and a folder of exports."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

from connectors.contract import Context, Cursor, Item, Page, Unlimited
from connectors.files import FileOptions, Files, prefix_of
from connectors.http import HttpClient
from connectors.testing import FakePlatform, Fault, Reply, Request, Seed
from connectors.testing.platform import NOW


class FakeFiles(FakePlatform):
    """A CSV of reviews in a folder of its own, written anew whenever something is published; nothing asks the network."""

    name: ClassVar[str] = "reviews.csv"
    faults: ClassVar[Mapping[Fault, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="files-"))
        self.path = self.folder / self.name
        self.write()

    def options(self) -> Mapping[str, Any]:
        return {"path": str(self.path)}

    def external_id(self, seed: Seed) -> str:
        return f"{prefix_of(FileOptions(**self.options()))}r-{seed.number}"

    def respond(self, request: Request) -> Reply:
        return Reply(b"", 404)

    def publish(self, count: int = 1, *, at: Any = None, every: timedelta = timedelta(minutes=7)) -> list[Seed]:
        new = super().publish(count, at=at or NOW - timedelta(minutes=10), every=every)
        self.write()
        return new

    def damage(self, seed: Seed) -> None:
        super().damage(seed)
        self.write()

    def write(self) -> None:
        self.path.write_text(self.content(self.seeds), encoding="utf-8")

    def content(self, seeds: list[Seed]) -> str:
        rows = (
            f'r-{seed.number},"{seed.text}, ""really""\nso it is",{self.date(seed)},{seed.number % 5 + 1},someone\n'
            for seed in seeds
        )
        return "id,Review,Date,Stars,User\n" + "".join(rows)

    def date(self, seed: Seed) -> str:
        return "yesterday" if seed.damaged else seed.at.isoformat()

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder)


class FakeTsv(FakeFiles):
    name: ClassVar[str] = "mentions.tsv"

    def content(self, seeds: list[Seed]) -> str:
        rows = (f"r-{seed.number}\t{seed.text}\t{self.date(seed)}\t{seed.number}\n" for seed in seeds)
        return "id\ttext\tcreated_at\tlikes\n" + "".join(rows)


class FakeJsonLines(FakeFiles):
    name: ClassVar[str] = "mentions.jsonl"

    def content(self, seeds: list[Seed]) -> str:
        return "".join(json.dumps(self.row(seed)) + "\n" for seed in seeds)

    def row(self, seed: Seed) -> dict[str, Any]:
        return {"id": f"r-{seed.number}", "body": seed.text, "time": self.date(seed), "user": {"name": "someone"}}


class FakeJson(FakeJsonLines):
    name: ClassVar[str] = "export.json"

    def content(self, seeds: list[Seed]) -> str:
        rows = [self.row(seed) for seed in seeds]
        return json.dumps({"exported": "by [us] {all}", "pages": [1, 2], "reviews": rows, "next": None}, indent=1)


class FakeFolder(FakeFiles):
    """A folder into which each publication lays a new export."""

    def options(self) -> Mapping[str, Any]:
        return {"path": str(self.folder)}

    def write(self) -> None:
        for start in range(0, len(self.seeds), 100):
            file = self.folder / f"export-{start:05}.csv"
            content = self.content(self.seeds[start : start + 100])
            if not file.exists() or file.read_text(encoding="utf-8") != content:
                file.write_text(content, encoding="utf-8")


class Source:
    """A source over files as the daemon drives it: pages are stored with their cursor, the next pull goes on."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.options = FileOptions(path=str(path), **options)
        self.cursor: Cursor | None = None
        self.stored: dict[str, Item] = {}
        self.pages: list[Page] = []
        self.now = datetime.now(UTC)

    def open(self) -> Files:
        log = logging.getLogger("connectors.test")
        return Files(self.options, Context((), lambda: self.now, Event(), HttpClient(), log, Unlimited()))

    def pull(self, pages: int = 10_000) -> list[Item]:
        brought: list[Item] = []
        for number, page in enumerate(self.open().fetch(self.cursor, NOW), 1):
            self.pages.append(page)
            brought.extend(page.items)
            self.cursor = json.loads(json.dumps(page.cursor))
            if number == pages:
                break
        self.stored.update((item.external_id, item) for item in brought)
        return brought

    @property
    def skipped(self) -> list[tuple[str, str]]:
        return [(entry.what, entry.why) for page in self.pages for entry in page.skipped]


def texts(items: list[Item]) -> list[str | None]:
    return [item.text for item in items]


HEADER = "text,date\n"


def rows(*names: str) -> str:
    return "".join(f"{name},2026-10-{number:02}\n" for number, name in enumerate(names, 1))


Make = Callable[..., Source]


def maker(folder: Path) -> Make:
    """Writes a file into the folder and makes a source of it."""

    def make(content: str | bytes, name: str = "reviews.csv", **options: Any) -> Source:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(path, **options)

    return make
