"""One hour of thirty sources on ten platforms, a tenth of whose answers are faulty, on a clock that does not wait."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from connectors.testing.loopback import Fault, Reply, Request
from connectors.testing.platform import NOW, FakePlatform
from monitor.app import App, build
from monitor.collect import Pulled, pull
from monitor.config import parse
from monitor.daemon import horizons
from monitor.health import Health, health_of_sources, is_alive
from storage import sources
from storage.tables import BRAND, ITEM
from storage.verify import verify
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.discourse import FakeDiscourse
from tests.fakes.feeds import FakeAtom, FakeFeed, FakeJsonFeed
from tests.fakes.gdelt import FakeGdelt
from tests.fakes.github import FakeGitHub
from tests.fakes.hackernews import FakeHackerNews
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.stackexchange import FakeStackExchange
from tests.fakes.wordpress import FakeWordPress

pytestmark = pytest.mark.long

KINDS: dict[type[FakePlatform], tuple[str, str, int]] = {  # type, how often, how many sources
    FakeHackerNews: ("hackernews", "3m", 5),
    FakeMastodon: ("mastodon", "3m", 4),
    FakeDiscourse: ("discourse", "4m", 4),
    FakeGitHub: ("github", "4m", 3),
    FakeFeed: ("feeds", "5m", 1),
    FakeAtom: ("feeds", "5m", 1),
    FakeJsonFeed: ("feeds", "5m", 1),
    FakeLemmy: ("lemmy", "5m", 3),
    FakeStackExchange: ("stackexchange", "5m", 2),
    FakeWordPress: ("wordpress", "5m", 2),
    FakeGdelt: ("gdelt", "5m", 2),
    FakeBluesky: ("bluesky", "5m", 2),
}
STEP = timedelta(seconds=30)
BEFORE = 60
"""Items that each platform holds when the hour begins."""

WHOLE = (Fault.TOO_MANY, Fault.BUSY, Fault.RESET, Fault.HTML, Fault.CUT)
FAULTY = 0.1


class Weather(deque[Fault]):
    """Faults that come by chance, as long as it is bad."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.bad = True
        self.asked = self.failed = 0
        self._chance = chance
        self._kinds = (*WHOLE, "slow", "truncated")

    def __bool__(self) -> bool:
        """Is this request to fail? One whose body is to be harmed does not yet."""
        self.asked += 1
        self.harm = self._chance.choice(self._kinds) if self.bad and self._chance.random() < FAULTY else None
        self.failed += self.harm is not None
        return isinstance(self.harm, Fault)

    def popleft(self) -> Fault:
        assert isinstance(self.harm, Fault)
        return self.harm

    def harmed(self, reply: Reply) -> Reply:
        """The answer with its body slow, or cut although its length is right."""
        if self.harm == "slow":
            return replace(reply, seconds=0.1)
        return replace(reply, body=reply.body[: len(reply.body) // 2]) if self.harm == "truncated" else reply


def under(weather: Weather, kind: type[FakePlatform]) -> FakePlatform:
    """A platform in this weather."""

    class Exposed(kind):  # type: ignore[misc, valid-type]
        def respond(self, request: Request) -> Reply:
            return weather.harmed(super().respond(request))

    fake: FakePlatform = Exposed()
    fake.loopback.faults = weather
    return fake


class World:
    """Thirty platforms, each with a source and a brand of its own, and the program, all on one clock."""

    def __init__(self, folder: Path, store: str, seed: int) -> None:
        self.now = NOW
        self.chance = Random(seed)
        self.weathers: list[Weather] = []
        self.fakes: dict[str, FakePlatform] = {}
        entries = []
        for kind, (type_, every, count) in KINDS.items():
            for _ in range(count):
                self.weathers.append(weather := Weather(Random(self.chance.random())))
                fake = under(weather, kind)
                fake.publish(BEFORE, at=NOW - timedelta(minutes=5))
                name = f"source-{len(self.fakes):02}"
                self.fakes[name] = fake
                entries.append(self._entry(name, type_, every, fake))
        self.data: dict[str, Any] = {
            "monitor": {"database": store},
            "brands": [{"name": f"brand of {name}", "keywords": ["acme"]} for name in self.fakes],
            "sources": entries,
        }
        self.app: App = build(parse(self.data), now=lambda: self.now)
        self.pulls: list[Pulled] = []
        self.seen: list[Health] = []

    def _entry(self, name: str, type_: str, every: str, fake: FakePlatform) -> dict[str, Any]:
        options = {"base_url": fake.base_url, **fake.options()}
        return {"name": name, "type": type_, "every": every, "brand": f"brand of {name}", "options": options}

    def close(self) -> None:
        self.app.close()
        for fake in self.fakes.values():
            fake.close()

    def work(self) -> None:
        """What a daemon does at a tick: claim what is due, and pull it."""
        while claim := sources.claim_source(
            self.app.database, self.app.owner, horizons(self.app), self.now, self.app.lease
        ):
            self.pulls.append(pull(self.app, claim, Event()))

    def publish(self) -> None:
        """Something new on most platforms; some of it shows up late, older than what was there already."""
        for fake in self.fakes.values():
            if self.chance.random() < 0.6:
                late = timedelta(minutes=20) if self.chance.random() < 0.25 else timedelta(seconds=20)
                fake.publish(self.chance.randint(1, 3), at=self.now - late, every=timedelta(seconds=7))

    def pass_until(self, end: datetime, *, publishing: bool) -> None:
        while self.now < end:
            self.work()
            if publishing and self.now.minute % 5 == 4 and self.now.second == 0:
                self.publish()
                self.seen += health_of_sources(self.app)
            self.now += STEP
        self.work()

    def stored(self, source: str) -> Counter[str]:
        """How often each item of a source is stored."""
        query = select(ITEM.c.external_id).join(BRAND, BRAND.c.id == ITEM.c.brand_id)
        query = query.where(BRAND.c.name == f"brand of {source}")
        return Counter(self.app.database.read(lambda connection: list(connection.execute(query).scalars())))


@pytest.fixture
def world(tmp_path: Path, migrated_file: Path) -> Iterator[World]:
    file = tmp_path / "store.db"
    file.write_bytes(migrated_file.read_bytes())
    world = World(tmp_path, f"sqlite:///{file}", seed=30)
    yield world
    world.close()


def test_an_hour_in_which_a_tenth_of_all_answers_is_faulty_loses_and_doubles_nothing(world: World) -> None:
    assert len(world.fakes) == 30
    world.pass_until(NOW + timedelta(hours=1), publishing=True)
    assert_the_weather_was_bad(world)
    assert_health_was_sensible(world)
    for weather in world.weathers:
        weather.bad = False
    world.pass_until(world.now + timedelta(hours=1), publishing=False)

    for name, fake in world.fakes.items():
        stored = world.stored(name)
        assert set(stored) == fake.expected(), (name, type(fake).__mro__[1].__name__)
        assert set(stored.values()) == {1}
    assert verify(world.app.database) == []
    assert {health.state for health in health_of_sources(world.app)} == {"fine"}
    assert {state.failures for state in sources.states(world.app.database)} == {0}
    assert is_alive(world.app)


def assert_the_weather_was_bad(world: World) -> None:
    """The faults did come, and did their worst."""
    asked, failed = (sum(getattr(weather, what) for weather in world.weathers) for what in ("asked", "failed"))
    assert 0.08 < failed / asked < 0.12
    assert failed > 50
    fates = Counter(pulled.fate for pulled in world.pulls)
    assert set(fates) == {None, "ratelimited", "unavailable"}, fates
    assert len({pulled.source for pulled in world.pulls if pulled.fate}) > 20


def assert_health_was_sensible(world: World) -> None:
    states = Counter(health.state for health in world.seen)
    assert set(states) <= {"fine", "waiting", "limited", "retrying", "failing"}, states
    assert states["fine"] > len(world.seen) / 2
    for health in world.seen:
        assert health.next_run_at is not None
        if health.state == "limited":
            assert health.words.startswith("waiting until")
        if health.state == "retrying":
            assert "; trying again at" in health.words
        assert (health.state == "failing") == ("failed " in health.words and " times in a row" in health.words)
