"""What is worked out once, and for one object at a time only where it has to be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from monitor.lazily import lazily


class Slow:
    """Something whose length is known once it is told."""

    def __init__(self, length: int) -> None:
        self.length, self.asked, self.told = length, Event(), Event()
        self.times = 0

    @lazily
    def doubled(self) -> int:
        """Twice the length."""
        self.times += 1
        self.asked.set()
        assert self.told.wait(10)
        return 2 * self.length


def test_it_is_worked_out_once() -> None:
    one = Slow(4)
    one.told.set()
    assert (one.doubled, one.doubled, one.times) == (8, 8, 1)


def test_one_object_does_not_wait_for_another() -> None:
    slow, quick = Slow(1), Slow(2)
    quick.told.set()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: slow.doubled)
        assert slow.asked.wait(10)
        assert quick.doubled == 4
        slow.told.set()
        assert waiting.result(10) == 2
