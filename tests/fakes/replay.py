"""A platform that answers every request with one body, recorded or damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from connectors.testing import FakePlatform, Reply, Request


class Replay(FakePlatform):
    """``body`` and ``status`` are what it says; ``prelude``: answers by path that it gives as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.status = b"", 200
        self.prelude: dict[str, Reply] = {}

    def respond(self, request: Request) -> Reply:
        return self.prelude.get(request.path) or Reply(self.body, self.status)


def recorded(platform: str, begins: str = "") -> dict[str, tuple[int, bytes]]:
    """Every recorded body of a platform whose file's name begins so, with its status; skips where there are none."""
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / platform
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return {
        row["file"]: (row["status"] or 400, (folder / row["file"]).read_bytes())
        for row in rows
        if row["file"].startswith(begins)
    }
