"""The daemon as a process whose clock runs sixty times as fast, on the configuration that the first argument names.

Leases go by the machine's clock and keep their length.
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path

from monitor.app import utc_now
from monitor.config import load
from monitor.daemon import Daemon
from monitor.troubles import build_patiently
from storage.engine import StorageError

SPEED = 60
TICK_SECONDS = 0.1


def quick_clock() -> datetime:
    """A minute goes by in each second."""
    return STARTED + (utc_now() - STARTED) * SPEED


STARTED = utc_now()


def main() -> int:
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("sentiment_monitor").setLevel(logging.INFO)
    try:
        app = build_patiently(load(Path(sys.argv[1])), quick_clock)
    except StorageError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    Daemon(app, TICK_SECONDS).run()
    app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
