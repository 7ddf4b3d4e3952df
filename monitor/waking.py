"""Going on as the daemon after a sleep: the same settings, the same name to the others, the same dashboard beside it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from monitor import __version__
from monitor.app import App
from monitor.cli.common import Failure, load_settings, set_up_logging, spare_collections
from monitor.config.models import Settings
from monitor.daemon import Daemon
from monitor.sleep import Bed, Daily
from monitor.sleeper import Child, Night, Why
from monitor.troubles import build_patiently
from monitor.web.beside import Keeper, kept
from storage.engine import StorageError

LOG = logging.getLogger("sentiment_monitor.daemon")


def go_on(daily: Daily, night: Night, why: Why) -> int:
    """Run the daemon until it sleeps again, which does not come back, or is told to end; the exit code."""
    set_up_logging(daily.settings.monitor.log_level, night.log_format)
    LOG.debug("awake why=%s", why)
    try:
        with _beside(night.child) as keeper:
            app = _built(daily)
            spare_collections()
            try:
                Daemon(app, bed=Bed(_arguments(), night.log_format, keeper)).run(awoken=True)
            finally:
                app.close()
    except StorageError as error:
        return _failed(Failure(str(error)))
    except Failure as failure:
        return _failed(failure)
    return 0


def _built(daily: Daily) -> App:
    """The program as it was. The store was read as a whole when it began, which need not be done at each waking."""
    return replace(build_patiently(_settings(daily), thorough=False), owner=daily.owner, started_at=daily.started_at)


def _settings(daily: Daily) -> Settings:
    """Those that were in effect: the daemon takes up by itself what is new in the files, once it is right."""
    if (
        daily.version != __version__
    ):  # the program was replaced while it slept: what it knew may mean something else now
        return load_settings(daily.settings.path)
    return daily.settings


@contextmanager
def _beside(child: Child | None) -> Iterator[Keeper | None]:
    if child is None:
        yield None
        return
    with kept(Keeper(child.command, child)) as keeper:
        yield keeper


def _arguments() -> list[str]:
    return [one for one in sys.argv[1:] if not one.startswith("--asleep=")]


def _failed(failure: Failure) -> int:
    failure.show()
    return failure.code
