"""Putting an idle daemon to sleep: its process goes on as :mod:`monitor.sleeper`, a few megabytes, until there is something to do.

Nothing is lost by it, since the database decides what is due. What a daemon knows by heart is small: its settings (the files may be
faulty by the time it wakes up), who it is to the others on its store, and the dashboard beside it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from monitor import sleeper
from monitor.app import App
from monitor.config.models import Settings
from monitor.config.watched import files_of
from monitor.live import LiveFiles
from monitor.parties import parties
from monitor.schedule import Schedule
from monitor.sleeper import Entry, Night, Pattern, Store
from monitor.web.beside import Keeper
from storage import asleep, outbox
from storage.tables import BUCKET_SECONDS

WORTH: Final = timedelta(seconds=30)
"""For less than this it is not worth falling asleep: waking up takes a second and a half of the processor."""
LONGEST: Final = timedelta(hours=1)
"""After so long it looks round in any case: words may have grown too old to be kept."""
CAN_SLEEP: Final = sys.platform == "linux"
"""Elsewhere there is no memory without a name to hand things over in."""


@dataclass(frozen=True, slots=True)
class Daily:
    """What a daemon knows by heart."""

    settings: Settings
    owner: str
    started_at: datetime
    version: str


@dataclass(frozen=True, slots=True)
class Bed:
    """How this daemon was started, to be the same one afterwards. ``keeper``: of the dashboard beside it."""

    arguments: Sequence[str]
    log_format: str
    keeper: Keeper | None = None

    @property
    def is_made(self) -> bool:
        """Can it sleep just now? Not before the dashboard runs well: it may have to be started again."""
        return CAN_SLEEP and (self.keeper is None or self.keeper.is_steady)


def due_at(app: App) -> datetime:
    """When there will be something to do: a pull, a delivery, a digest, alerts to be judged, rules' hours to be summed up."""
    now = app.now()
    names = [source.name for source in app.settings.enabled_sources]
    channels = [channel.name for channel in app.settings.channels]
    zone = app.settings.monitor.zone
    planned = [Schedule.parse(digest.schedule, zone).next(now) for digest in app.settings.digests]
    found = asleep.next_due(app.database, names, channels)
    look = _quarter_after(now) if app.settings.alerts or app.settings.rules else now + LONGEST
    return min([look, *planned, *([found] if found is not None else [])])


def is_worth_it(app: App, files: LiveFiles) -> bool:
    """Is there nothing to do for a while, and nobody who would be disturbed?

    A daemon that is not alone on its store stays awake: each pull of another would wake it up.
    """
    if not app.settings.monitor.sleep or files.fault is not None or due_at(app) < app.now() + WORTH:
        return False
    waiting = outbox.due_digests(app.database, [digest.name for digest in app.settings.digests])
    return not waiting and not parties(app)


def night_of(app: App, files: LiveFiles, bed: Bed, *, has_terminal: bool) -> Night | None:
    """What the sleeper is to know; ``None`` where something has come up meanwhile."""
    child = bed.keeper.child if bed.keeper is not None else None
    told = asleep.statements(app.database, app.owner)
    store = Store(**asdict(told))
    connection = store.open()
    seen = store.seen(connection)  # before it is asked what is due: whatever comes up from here on wakes the sleeper
    connection.close()
    entries, patterns = _files(app.settings), _patterns(app.settings)
    if not bed.is_made or not files.are_taken_up or not is_worth_it(app, files):
        return None
    return Night(
        until=due_at(app).timestamp(),
        store=store,
        seen=seen,
        files=entries,
        patterns=patterns,
        child=child,
        log_format=bed.log_format,
        has_terminal=has_terminal,
        path=list(sys.path),
        daemon=pickle.dumps(_by_heart(app)),
    )


def fall_asleep(night: Night, bed: Bed, is_disturbed: Callable[[], bool]) -> None:
    """Become the sleeper, unless a signal has been heard meanwhile. The store is to be closed by now; threads end where they are."""
    number = sleeper.hand_over(night)
    os.set_inheritable(number, True)
    if night.child is not None:
        os.set_inheritable(night.child.pipe, True)
    program = [sys.executable, "-P", str(Path(sleeper.__file__)), *bed.arguments, f"--asleep={number}"]
    signal.pthread_sigmask(signal.SIG_BLOCK, sleeper.SIGNALS)  # until the sleeper hears them
    try:
        if not is_disturbed():
            os.execv(sys.executable, program)  # noqa: S606 - the program's own file
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, sleeper.SIGNALS)
        os.close(number)


def _by_heart(app: App) -> Daily:
    from monitor import __version__

    return Daily(app.settings, app.owner, app.started_at, __version__)


def _files(settings: Settings) -> list[Entry]:
    if settings.path is None:
        return []
    return [sleeper.entry(str(path)) for path in files_of(settings.path, settings.sheets)]


def _patterns(settings: Settings) -> list[Pattern]:
    if settings.path is None:
        return []
    folder = str(settings.path.parent)
    return [sleeper.matching(folder, str(Path(pattern).expanduser())) for pattern in settings.sheets.patterns]


def _quarter_after(now: datetime) -> datetime:
    passed = timedelta(seconds=now.timestamp() % BUCKET_SECONDS)
    return now - passed + timedelta(seconds=BUCKET_SECONDS)
