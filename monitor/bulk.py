"""Scoring in bulk: batches go to processes of this machine or to a Dask cluster, and come back in their order.

Reading and writing stay with the caller; only ``score_batch`` crosses. Where a worker dies, what it had is scored again;
where all are gone, this process scores by itself. Nothing is lost, and nothing comes twice.
"""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from monitor.scoring import Profile, Scorable, Scored, score_batch
from monitor.scoring.pipeline import versions

LOG = logging.getLogger("sentiment_monitor.bulk")

SMALL: Final = 20_000
"""Up to so many items it takes longer to start other processes than to score."""
IN_FLIGHT: Final = 2
"""Batches per worker that are on their way at once."""
MOST_LOSSES: Final = 3
"""So often in a row workers may die before this process scores by itself."""
SECONDS_TO_CONNECT: Final = 5
SECONDS_A_LOOK: Final = 5
SECONDS_WITHOUT_WORKERS: Final = 30
DASK: Final = "dask://"

T = TypeVar("T")
Batch = Sequence[Scorable]


class ExecutorUnusable(Exception):
    """What the configuration names to score on cannot be used; the message says what to do."""


class Lost(Exception):
    """Workers died with batches on them, or cannot be reached any more."""


class Workers(Protocol):
    """Where batches are scored. ``at_once``: how many may be on their way."""

    at_once: int

    def send(self, batch: Batch, profile: Profile) -> Future[list[Scored]]: ...

    def answer(self, sent: Future[list[Scored]]) -> list[Scored]:
        """Wait for it. ``Lost`` where it will not come; what the scorer raised, as it was."""
        ...

    def renewed(self) -> Workers:
        """After a loss: others in their place, or the same where they look after themselves."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Sent(Generic[T]):
    ticket: T
    batch: Batch
    future: Future[list[Scored]]


class BulkScoring:
    """A job's scoring, from ``with`` to its end. ``later`` opens the workers once the job has proved large.

    ``ScorerError`` where a scorer fails, ``ExecutorUnusable`` where the workers cannot do this work.
    """

    def __init__(self, profile: Profile, workers: Workers, later: Callable[[], Workers] | None = None) -> None:
        self._profile = profile
        self._workers = workers
        self._later = later
        self._taken = 0
        self._losses = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.close()

    def in_order(self, work: Iterable[tuple[T, Batch]]) -> Iterator[tuple[T, list[Scored]]]:
        """Each ticket with its batch's answers, in the order given. ``work`` is taken as it is needed, never drained."""
        waiting: deque[_Sent[T]] = deque()
        for ticket, batch in work:
            self._grow(len(batch))
            waiting.append(_Sent(ticket, batch, self._workers.send(batch, self._profile)))
            if len(waiting) >= self._workers.at_once:
                yield self._answered(waiting)
        while waiting:
            yield self._answered(waiting)

    def _grow(self, items: int) -> None:
        self._taken += items
        if self._later is not None and self._taken > SMALL:
            self._workers, self._later = self._later(), None

    def _answered(self, waiting: deque[_Sent[T]]) -> tuple[T, list[Scored]]:
        first = waiting[0]
        while True:
            try:
                scored = self._workers.answer(first.future)
            except Lost as loss:
                self._replace(loss)
                self._send_again(waiting)
                continue
            self._losses = 0
            waiting.popleft()
            return first.ticket, scored

    def _replace(self, loss: Lost) -> None:
        self._losses += 1
        if self._losses < MOST_LOSSES:
            LOG.warning("scoring: %s; what they had is scored again", loss)
            self._workers = self._workers.renewed()
        else:
            LOG.warning("scoring: %s, %d times in a row; this process goes on alone", loss, self._losses)
            self._workers.close()
            self._workers = Here()

    def _send_again(self, waiting: Iterable[_Sent[T]]) -> None:
        for sent in waiting:
            if not _is_good(sent.future):
                sent.future = self._workers.send(sent.batch, self._profile)


def _failed(error: Exception) -> Future[list[Scored]]:
    future: Future[list[Scored]] = Future()
    future.set_exception(error)
    return future


def _is_good(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def bulk_scoring(profile: Profile, executor: str, workers: int | None = None) -> BulkScoring:
    """Scoring as configured: ``"processes"``, or ``"dask://HOST:PORT"``. ``ExecutorUnusable`` where that cannot be used.

    ``workers``: so many processes from the first item on. Without it there is one a core, and none for a small job.
    """
    if executor.startswith(DASK) and workers is None:
        return BulkScoring(profile, Cluster(executor, profile))
    count = workers or cores()
    if count == 1:
        return BulkScoring(profile, Here())
    if workers is not None:
        return BulkScoring(profile, Processes(count))
    return BulkScoring(profile, Here(), later=lambda: Processes(count))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# ------------------------------------------------------------------------------------------------- here


class Here:
    """This process, at once."""

    at_once = 1

    def send(self, batch: Batch, profile: Profile) -> Future[list[Scored]]:
        future: Future[list[Scored]] = Future()
        future.set_result(score_batch(batch, profile))
        return future

    def answer(self, sent: Future[list[Scored]]) -> list[Scored]:
        return sent.result()

    def renewed(self) -> Here:
        return self

    def close(self) -> None:
        """Nothing to end."""


# ------------------------------------------------------------------------------------------------- processes


class Processes:
    """Other processes of this machine. They end with this one, however it ends."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.at_once = IN_FLIGHT * count
        # Spawned, since a fork copies locks that other threads hold.
        self._pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin)

    def send(self, batch: Batch, profile: Profile) -> Future[list[Scored]]:
        try:
            with _interrupts_held():
                return self._pool.submit(score_batch, batch, profile)
        except BrokenExecutor as error:
            return _failed(error)

    def answer(self, sent: Future[list[Scored]]) -> list[Scored]:
        try:
            return sent.result()
        except BrokenExecutor as error:
            raise Lost("a process has died, perhaps for want of memory") from error

    def renewed(self) -> Processes:
        self.close()
        return Processes(self._count)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process that is begun in here never sees a Ctrl-C, not even while it loads; this one sees it a moment later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Ctrl-C is for the process that the person started, which ends the others; one that was killed cannot, so they look."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


# ------------------------------------------------------------------------------------------------- a cluster


class Cluster:
    """The workers of a Dask scheduler, wherever they run. It gives a dead worker's tasks to the others by itself."""

    def __init__(self, address: str, profile: Profile) -> None:
        self._address = address
        self._versions = versions(profile)
        self._client, self._executor = self._connected()
        self.at_once = IN_FLIGHT * max(1, sum(self._client.nthreads().values()))

    def _connected(self) -> tuple[Any, Any]:
        try:
            import dask
            from distributed import Client
        except ImportError as error:
            fact = f'executor = "{self._address}": Dask is not installed'
            raise ExecutorUnusable(f'{fact}; pip install "sentiment-monitor[dask]"') from error
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})  # long texts make large batches
        address = "tcp://" + self._address.removeprefix(DASK)
        try:
            connect: Any = Client
            client = connect(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            fact = f'executor = "{self._address}": no Dask scheduler can be reached there'
            raise ExecutorUnusable(f"{fact}; start it (dask scheduler), or mend executor in [monitor]") from error
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        except TimeoutError as error:
            client.close()
            fact = f'executor = "{self._address}": the scheduler has no workers'
            raise ExecutorUnusable(f"{fact}; start some with: dask worker {address}") from error
        return client, client.get_executor(pure=False)

    def send(self, batch: Batch, profile: Profile) -> Future[list[Scored]]:
        try:
            sent: Future[list[Scored]] = self._executor.submit(score_batch, batch, profile)
        except Exception as error:  # another program's code, which raises what it likes once its scheduler is gone
            return _failed(Lost(f"the cluster cannot be reached ({type(error).__name__})"))
        return sent

    def answer(self, sent: Future[list[Scored]]) -> list[Scored]:
        from distributed import KilledWorker

        waited = 0
        while True:
            try:
                return self._checked(sent.result(SECONDS_A_LOOK))
            except (ImportError, AttributeError) as error:
                raise self._other_version() from error
            except KilledWorker as error:
                raise Lost("a batch's workers have died, perhaps for want of memory") from error
            except (CancelledError, OSError) as error:  # a TimeoutError is an OSError
                waited += SECONDS_A_LOOK
                if sent.done() or not self._may_answer(waited):
                    raise Lost("the cluster's workers cannot be reached") from error

    def _checked(self, scored: list[Scored]) -> list[Scored]:
        if not {one.scorer for one in scored} <= self._versions:
            raise self._other_version()
        return scored

    def _other_version(self) -> ExecutorUnusable:
        fact = f'executor = "{self._address}": its workers score by another sentiment-monitor, or have none'
        return ExecutorUnusable(f"{fact}; install the same version and the same scorers there")

    def _may_answer(self, waited: int) -> bool:
        """Workers may come back as long as there is a scheduler to come to."""
        try:
            return bool(self._client.nthreads()) or waited < SECONDS_WITHOUT_WORKERS
        except Exception:  # another program's code, which raises what it likes once its scheduler is gone
            return False

    def renewed(self) -> Cluster:
        return self

    def close(self) -> None:
        with suppress(Exception):  # it may be gone already
            self._executor.shutdown(wait=False)
        with suppress(Exception):
            self._client.close(timeout=2)
