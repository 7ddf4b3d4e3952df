"""The world of a fake platform: what was published there, and how it fails. One subclass per platform gives its shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.testing.loopback import Fault, Loopback, Reply, Request

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
"""The time at which the suite's pulls happen."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One thing published on the fake platform. ``number`` rises in the order of publishing; ``damaged`` ones are malformed."""

    number: int
    at: datetime
    text: str
    damaged: bool = False


class FakePlatform:
    """A platform on loopback. Subclasses say how it answers (:meth:`respond`) and how it names things (:meth:`external_id`).

    ``page_size``: how many items a page of the fake has, so that the suite can ask for several pages;
    ``ceiling``: how many items the platform shows at most (``None``: all);
    ``faults``: which ways of failing make sense here, and the fate each must become (by name in ``connectors.errors``).
    """

    page_size: ClassVar[int] = 100
    ceiling: ClassVar[int | None] = None
    paged: ClassVar[bool] = True
    faults: ClassVar[Mapping[Fault, str]] = {
        Fault.UNAUTHORISED: "AccessDenied",
        Fault.FORBIDDEN: "AccessDenied",
        Fault.NOT_FOUND: "NotThere",
        Fault.TOO_MANY: "RateLimited",
        Fault.BROKEN: "Unavailable",
        Fault.BUSY: "Unavailable",
        Fault.RESET: "Unavailable",
        Fault.HTML: "Unavailable",
        Fault.CUT: "Unavailable",
    }

    def __init__(self) -> None:
        self.seeds: list[Seed] = []
        self.more_likes: Counter[int] = Counter()
        """Likes that a seed, by its number, has got since it was published."""
        self.repeat_last_page = False
        self.loopback = Loopback(self.respond)

    @property
    def base_url(self) -> str:
        return self.loopback.url

    def options(self) -> Mapping[str, Any]:
        """The options that point a connector at this fake (beside ``base_url``)."""
        return {}

    def secrets(self) -> tuple[str, ...]:
        """Every secret among the options; none may show anywhere."""
        return ()

    def respond(self, request: Request) -> Reply:
        """The platform's answer. When ``repeat_last_page`` is set, a paging platform repeats its page token for ever."""
        raise NotImplementedError

    def external_id(self, seed: Seed) -> str:
        """The identity that the connector must give this seed."""
        raise NotImplementedError

    def publish(
        self, count: int = 1, *, at: datetime | None = None, every: timedelta = timedelta(minutes=7)
    ) -> list[Seed]:
        """Publish ``count`` items, the last one at ``at`` (default: ten minutes before :data:`NOW`)."""
        last = at or NOW - timedelta(minutes=10)
        start = len(self.seeds)
        new = [
            Seed(start + i + 1, last - every * (count - 1 - i), f"acme makes me think, number {start + i + 1}")
            for i in range(count)
        ]
        self.seeds.extend(new)
        return new

    def damage(self, seed: Seed) -> None:
        """Make one published item malformed, in a way that this platform's items can be."""
        self.seeds[self.seeds.index(seed)] = replace(seed, damaged=True)

    def like(self, seed: Seed, times: int) -> None:
        """Let an item be liked so often; fakes of platforms whose items can be read again add ``more_likes`` to theirs."""
        self.more_likes[seed.number] += times

    def take_down(self, seed: Seed) -> None:
        """Delete an item; to be written for platforms whose items can be read again."""
        raise NotImplementedError

    def can_be_read_again(self, seed: Seed) -> bool:
        """Of a platform whose items can be read again, can this one?"""
        return True

    def newest_first(self) -> list[Seed]:
        return sorted(self.seeds, key=lambda seed: (seed.at, seed.number), reverse=True)

    def expected(self) -> set[str]:
        """The identities of everything sound on the platform."""
        return {self.external_id(seed) for seed in self.seeds if not seed.damaged}

    def fail(self, *faults: Fault) -> None:
        """The next requests fail so, one each."""
        self.loopback.faults.extend(faults)

    def close(self) -> None:
        self.loopback.close()
