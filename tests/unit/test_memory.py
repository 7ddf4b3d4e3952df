"""What is remembered is made once, however many ask for it at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from monitor.memory import Memory

MANY = 8


class Work:
    """Something dear that goes on until ``may_end``."""

    def __init__(self) -> None:
        self.times = 0
        self.begun, self.may_end = Event(), Event()

    def __call__(self) -> str:
        self.times += 1
        self.begun.set()
        assert self.may_end.wait(10)
        return "made"


def asked_together(memory: Memory, work: Callable[[], str], pool: ThreadPoolExecutor) -> list[Future[str]]:
    barrier = Barrier(MANY)

    def ask() -> str:
        barrier.wait(10)
        return memory.get("key", work)

    return [pool.submit(ask) for _ in range(MANY)]


def test_what_many_ask_for_at_once_is_made_once() -> None:
    memory, work = Memory(), Work()
    with ThreadPoolExecutor(MANY) as pool:
        found = asked_together(memory, work, pool)
        assert work.begun.wait(10)
        work.may_end.set()
        assert [one.result(10) for one in found] == ["made"] * MANY
    assert work.times == 1
    assert memory.get("key", lambda: "made again") == "made"


def test_other_keys_do_not_wait() -> None:
    memory, work = Memory(), Work()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(memory.get, "slow", work)
        assert work.begun.wait(10)
        assert memory.get("quick", lambda: "at once") == "at once"
        work.may_end.set()
        assert slow.result(10) == "made"


def test_who_waited_for_what_failed_makes_it_alone() -> None:
    memory, begun, may_fail = Memory(), Event(), Event()

    def failing() -> str:
        begun.set()
        assert may_fail.wait(10)
        raise OSError("the disk is gone")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.get, "key", failing)
        assert begun.wait(10)
        second = pool.submit(memory.get, "key", lambda: "made after all")
        may_fail.set()
        with pytest.raises(OSError, match="the disk is gone"):
            first.result(10)
        assert second.result(10) == "made after all"


def test_the_one_not_asked_for_the_longest_goes_first() -> None:
    memory = Memory(room=2)
    for key in ("first", "second"):
        memory.get(key, lambda: "old")
    memory.get("first", lambda: "new")
    memory.get("third", lambda: "old")
    assert memory.get("first", lambda: "new") == "old"
    assert memory.get("second", lambda: "new") == "new"
