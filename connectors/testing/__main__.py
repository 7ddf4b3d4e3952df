"""A fake platform to try a connector on: ``python -m connectors.testing fake_burrow:FakeBurrow --count 60``.

Prints the address to give as ``base_url``, and serves until interrupted; the items end a minute ago.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.testing.platform import FakePlatform


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m connectors.testing", description="Serve a fake platform.")
    parser.add_argument("fake", help="Where it is: MODULE:CLASS.")
    parser.add_argument("--count", type=int, default=60, help="How many items are published there.")
    given = parser.parse_args()
    try:
        fake = _made(given.fake)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        parser.error(
            f"{given.fake}: names no fake platform ({error}); write MODULE:CLASS, as in fake_burrow:FakeBurrow"
        )
    fake.publish(given.count, at=datetime.now(UTC) - timedelta(minutes=1))
    options = {"base_url": fake.base_url, **fake.options()}
    pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
    sys.stdout.write(f"{fake.base_url}\noptions = {{ {pairs} }}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.close()


def _made(place: str) -> FakePlatform:
    sys.path.insert(0, str(Path.cwd()))
    module, _, name = place.partition(":")
    made: object = getattr(importlib.import_module(module), name)()
    if not isinstance(made, FakePlatform):
        raise TypeError(f"{name} is no FakePlatform")
    return made


main()
