"""The daemon: ticks, worker threads, signals. APScheduler only ticks; the database decides what is due."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from types import FrameType
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

from monitor import delivery, digests, firing
from monitor.alerting import Watch, evaluate
from monitor.app import App
from monitor.collect import Progress, Pulled, pull
from monitor.config.models import Settings
from monitor.footprint import give_back, keep_small
from monitor.live import LiveFiles, swapped
from monitor.parties import Presence, bury, named_by, parties
from monitor.retention import Upkeep
from monitor.sleep import Bed, fall_asleep, is_worth_it, night_of
from monitor.sleeper import has_terminal
from monitor.steering import held
from monitor.troubles import Troubles
from storage import sources
from storage.engine import StorageError
from storage.records import Claim

LOG = logging.getLogger("sentiment_monitor.daemon")
TICK_SECONDS: Final = 2
GIVE_BACK_SECONDS: Final = 30.0
"""How often memory that work has left is given back."""
BEAT_SECONDS: Final = 60.0
"""How often a daemon says that it still runs."""
QUIET_SECONDS: Final = 2.0
"""A daemon that has just begun or pulled stays awake for so long."""
GRACE_SECONDS: Final = 0.8
"""What running pulls get to come to the end of their page; what is cut off is redone."""


class Daemon:
    """Pulls what is due on its own threads, and builds and sends digests on another, until told to stop."""

    def __init__(self, app: App, tick_seconds: float = TICK_SECONDS, bed: Bed | None = None) -> None:
        """``bed``: with one, the process goes to sleep while there is nothing to do."""
        self._app, self._bed = app, bed
        self._tick_seconds = tick_seconds
        self._stop = Event()
        self._running: set[Thread] = set()
        self._lock = Lock()
        self._ticks: list[Event] = []
        self._pulling, self._posting, self._keeping = Troubles(app), Troubles(app), Troubles(app)
        self._living = Troubles(app)
        self._upkeep = Upkeep(app)
        self._alerts = Watch(app)
        self._given_back = time.monotonic()
        self._files = LiveFiles(app.settings)
        self._presence = Presence(app)
        self._heard_of = time.monotonic()
        self._unsettled = False
        self._asked_to_look = Event()
        self._has_terminal = has_terminal()
        self._at_work, self._is_nodding = 0, False
        self._worked = time.monotonic()

    def run(self, *, awoken: bool = False) -> None:
        """Until SIGTERM or SIGINT: tick, then stop within about a second. Blocks. ``awoken``: go on after a sleep."""
        keep_small()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._on_hang_up)
        self._presence.begin()
        if not awoken:
            bury(self._app)
            sources.resume_all(self._app.database, list(horizons(self._app)), self._app.now())
            settle(self._app)
            LOG.info("running sources=%d digests=%d", len(horizons(self._app)), len(self._app.settings.digests))
        scheduler = BackgroundScheduler(timezone="UTC")
        for name, work, troubles in (
            ("claims", self._claim_pulls, self._pulling),
            ("post", self._send, self._posting),
            ("upkeep", self._keep_house, self._keeping),
            ("life", self._live, self._living),
        ):
            self._ticks.append(tick := Event())
            self._start(Thread(target=self._loop, args=(tick, work, troubles), name=name, daemon=True))
            scheduler.add_job(
                tick.set, "interval", seconds=self._tick_seconds, coalesce=True, max_instances=1,
                misfire_grace_time=None, next_run_time=datetime.now(scheduler.timezone),
            )  # fmt: skip
        scheduler.start()
        while not self._stop.wait(self._tick_seconds if self._bed is not None else None):
            self._guarded(self._nod, self._living, nods=True)
        self._wind_down(scheduler)

    def stop(self) -> None:
        """Ask the daemon to end."""
        self._stop.set()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        LOG.info("stopping signal=%s", signal.Signals(number).name)
        self.stop()

    def _on_hang_up(self, _number: int, _frame: FrameType | None) -> None:
        """Look at the configuration at once; or end, where the terminal that the daemon was started on is gone."""
        if self._has_terminal and not has_terminal():
            self.stop()
        self._asked_to_look.set()
        for tick in self._ticks:
            tick.set()

    def _wind_down(self, scheduler: BackgroundScheduler) -> None:
        scheduler.shutdown(wait=False)
        for tick in self._ticks:
            tick.set()
        end = time.monotonic() + GRACE_SECONDS
        with self._lock:
            running = list(self._running)
        for thread in running:
            thread.join(max(0.0, end - time.monotonic()))
        try:
            sources.release_all(self._app.database, self._app.owner)
            self._presence.end()
        except StorageError as error:
            LOG.warning("leases not given back, they run out: %s", error)
        LOG.info("stopped cut_off=%d", sum(thread.is_alive() for thread in running))

    def _start(self, thread: Thread) -> None:
        with self._lock:
            self._running.add(thread)
        thread.start()

    def _loop(self, tick: Event, work: Callable[[], None], troubles: Troubles) -> None:
        """Work at each tick. Own threads, since those of an executor would hold up the end of the process."""
        while not self._stop.is_set():
            tick.wait(self._tick_seconds)
            tick.clear()
            if not self._stop.is_set() and not troubles.resting:  # the last tick only wakes the loops
                self._guarded(work, troubles)

    def _guarded(self, work: Callable[[], object], troubles: Troubles, *, nods: bool = False) -> None:
        with self._lock:
            if self._is_nodding and not nods:
                return
            self._at_work += not nods
        try:
            work()
        except StorageError as error:
            troubles.met(error)
        except Exception:
            LOG.exception("bug in the daemon")
        finally:
            with self._lock:
                self._at_work -= not nods

    def _nod(self) -> None:
        """Fall asleep, if nothing is to be done for a while; then this does not come back."""
        bed, troubled = (
            self._bed,
            any(one.resting for one in (self._pulling, self._posting, self._keeping, self._living)),
        )
        if bed is None or not bed.is_made or troubled or time.monotonic() - self._worked < QUIET_SECONDS:
            return
        if not is_worth_it(self._app, self._files) or not self._has_come_to_rest():
            return
        try:
            self._send(at_once=True)  # what was stored last may have been stored since that was last done
            night = night_of(self._app, self._files, bed, has_terminal=self._has_terminal)
            if night is not None:
                LOG.debug("asleep until=%s", datetime.fromtimestamp(night.until, UTC).isoformat(timespec="seconds"))
                self._app.database.close()
                fall_asleep(night, bed, lambda: self._stop.is_set() or self._asked_to_look.is_set())
        except StorageError:
            raise
        except Exception:
            LOG.exception("bug while falling asleep; staying awake from now on")
            self._bed = None
        finally:
            self._is_nodding = False

    def _has_come_to_rest(self) -> bool:
        """Is nothing under way? From then on nothing begins."""
        with self._lock:
            pulling = any(thread.is_alive() and thread.name.startswith("pull-") for thread in self._running)
            unsettled = self._unsettled or self._asked_to_look.is_set() or self._stop.is_set()
            self._is_nodding = not (pulling or unsettled or self._at_work)
            return self._is_nodding

    def _claim_pulls(self) -> None:
        while not self._stop.is_set() and self._free_workers():
            app = self._app
            claim = sources.claim_source(app.database, app.owner, horizons(app), app.now(), app.lease)
            if claim is None:
                return
            self._start(Thread(target=self._pull, args=(app, claim), name=f"pull-{claim.name}", daemon=True))

    def _free_workers(self) -> bool:
        with self._lock:
            self._running = {thread for thread in self._running if thread.is_alive()}
            pulling = sum(thread.name.startswith("pull-") for thread in self._running)
            return pulling < self._app.settings.monitor.workers

    def _pull(self, app: App, claim: Claim) -> None:
        self._guarded(lambda: self._watched_pull(app, claim), self._pulling)

    def _watched_pull(self, app: App, claim: Claim) -> None:
        """A pull ends by the settings that it began with."""
        pulled = pull(app, claim, self._stop)
        self._worked = time.monotonic()
        if app.database.found:
            raise app.database.found[0]
        if pulled.fate == "store":
            self._pulling.met(StorageError(pulled.error))
        else:
            self._pulling.over()

    def _send(self, *, at_once: bool = False) -> None:
        app = self._app
        firing.act(app, self._stop)
        self._alerts.look(at_once=at_once)
        digests.plan(app)
        digests.build_due(app, self._stop)
        delivery.deliver_due(app, self._stop)
        self._posting.over()

    def _live(self) -> None:
        """Take up what is new in the configuration, and say now and then that this daemon still runs."""
        asked, fault = self._asked_to_look.is_set(), self._files.fault
        self._asked_to_look.clear()
        settings = self._files.look(at_once=asked)
        if settings is not None:
            self._take_up(settings)
        elif self._files.fault != fault:
            self._presence.serve(self._app, self._files.fault)
        elif asked:
            LOG.info("configuration unchanged")
        if self._unsettled:
            self._presence.serve(self._app)
            settle(self._app)
            self._unsettled = False
        if time.monotonic() - self._heard_of >= BEAT_SECONDS:
            self._heard_of = time.monotonic()
            self._presence.beat()
        self._living.over()

    def _take_up(self, settings: Settings) -> None:
        """What began by the old settings ends by them; all that begins from here on goes by the new ones."""
        app = swapped(self._app, settings)
        self._app, self._alerts, self._upkeep = app, Watch(app), Upkeep(app)
        logging.getLogger("sentiment_monitor").setLevel(app.settings.monitor.log_level.upper())
        self._files.taken_up(settings)
        self._unsettled = True

    def _keep_house(self) -> None:
        self._upkeep.look(self._stop)
        if time.monotonic() - self._given_back >= GIVE_BACK_SECONDS:
            self._app.database.rest()
            give_back()
            self._given_back = time.monotonic()
        self._keeping.over()


def settle(app: App) -> None:
    """Let the store rest what no configuration names any longer, of this program or of another that runs on it."""
    others = parties(app)
    sources.retire(app.database, [*horizons(app), *named_by(others, "sources")])
    firing.begin(app, named_by(others, "rules"))


def horizons(app: App) -> dict[str, datetime]:
    """The sources that are pulled, each with how far back its first pull reaches."""
    return {source.name: app.horizon(source) for source in app.settings.enabled_sources}


def pull_now(
    app: App, names: Sequence[str], stop: Event, progress: Callable[[str], Progress] = lambda _: lambda _: None
) -> list[Pulled]:
    """Pull these sources now, several at a time, whether due or not; those another process is pulling are left to it."""
    chosen = {name: horizon for name, horizon in horizons(app).items() if name in names}

    def one(name: str) -> Pulled | None:
        only = {name: chosen[name]}
        claim = sources.claim_source(app.database, app.owner, only, app.now(), app.lease, only_due=False)
        return None if claim is None else pull(app, claim, stop, progress(name))

    with ThreadPoolExecutor(app.settings.monitor.workers, thread_name_prefix="pull") as pool:
        futures: list[Future[Pulled | None]] = [pool.submit(one, name) for name in chosen]
        try:
            wait(futures)
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [result for future in futures if (result := future.result()) is not None]


def run_once(
    app: App, stop: Event, progress: Callable[[str], Progress] = lambda _: lambda _: None
) -> tuple[list[Pulled], int, int]:
    """Pull every source, build the due digests, deliver; (pulls, digests built, deliveries taken).

    Digests wait while another process reads a source of theirs: what it brings belongs to them.
    """
    bury(app)
    settle(app)
    wanted = [name for name in horizons(app) if name not in held(app)]
    pulled = pull_now(app, wanted, stop, progress)
    firing.act(app)
    evaluate(app)
    digests.plan(app)
    built = digests.build_due(app, patient=len(pulled) < len(wanted))
    return pulled, built, delivery.deliver_due(app)
