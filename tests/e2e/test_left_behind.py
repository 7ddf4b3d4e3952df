"""What a process that was killed still holds is free at once; what a living one holds is waited for, by digests, too."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from monitor.daemon import run_once
from storage import parties, sources
from storage.leases import LeaseLost
from storage.records import Claim
from tests.fakes.newsroom import Newsroom, Open


@pytest.fixture
def room(newsroom: Open, tmp_path: Path) -> Newsroom:
    return newsroom({"name": "files", "type": "file", "folder": str(tmp_path / "out")})


def held(room: Newsroom, process: int) -> Claim:
    """The source, in the hands of a process of this machine."""
    owner, horizons = f"{room.app.owner.partition(':')[0]}:{process}:ab", {"reviews": room.now - timedelta(days=9)}
    parties.announce(room.app.database, owner, room.now, {})
    claim = sources.claim_source(room.app.database, owner, horizons, room.now, timedelta(minutes=2))
    assert claim is not None
    return claim


def test_what_a_killed_process_held_is_read_at_once(room: Newsroom) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    claim = held(room, killed.pid)
    (pulled,), built, sent = run_once(room.app, Event())
    assert (pulled.fate, pulled.new, built, sent) == (None, 2, 1, 1)
    assert parties.running(room.app.database) == []
    with pytest.raises(LeaseLost):
        sources.renew(room.app.database, claim)


def test_digests_wait_for_what_a_living_process_is_reading(room: Newsroom) -> None:
    claim = held(room, os.getppid())
    assert run_once(room.app, Event()) == ([], 0, 0)
    assert [digest["state"] for digest in room.digests] == ["due"]
    sources.give_back(room.app.database, claim)
    (pulled,), built, sent = run_once(room.app, Event())
    assert (pulled.new, built, sent) == (2, 1, 1)
