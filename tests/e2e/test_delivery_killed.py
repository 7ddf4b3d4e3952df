"""Senders that are killed at random moments, and a mail server that refuses, delays and drops: nothing is lost, and every
repeat can be told by its Message-ID."""

from __future__ import annotations

import os
from collections import Counter
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from random import Random
from threading import Event

import pytest

from monitor import digests
from storage.tables import DELIVERY
from tests.e2e.sending import send_all
from tests.fakes.mailserver import DROP, MailServer
from tests.fakes.newsroom import DAILY, PASSWORD, Newsroom, Open, by_mail

pytestmark = pytest.mark.long

RUNS = int(os.environ.get("DELIVERY_RUNS", "30"))
"""Senders; ``DELIVERY_RUNS=200`` takes a minute or two."""
DIGESTS, CHANNELS = 3, 12
STEPS_A_RUN = 12
"""A mail takes seven: the connection, the log-in, sender, two recipients, the words, the goodbye."""
MOODS = ("250", "250", "250", "451 4.3.0 later", DROP)
"""What the server does with a mail: it takes it three times as often as it refuses it or drops the connection."""


class Hunt:
    """Calls the hunter after so many steps of the server."""

    def __init__(self, steps: int) -> None:
        self.left, self.now = steps, Event()

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.now.set()


def test_however_many_senders_are_killed_every_digest_arrives_and_every_repeat_has_its_id(newsroom: Open) -> None:
    dice, mail = Random(46), MailServer(accounts={"monitor": PASSWORD})
    mail.mood = lambda: dice.choice(MOODS)
    try:
        channels = [by_mail(mail, name=f"mail{number}") for number in range(CHANNELS)]
        room = newsroom(*channels, digests=[{**DAILY, "name": f"d{number}"} for number in range(DIGESTS)])
        enqueue(room)
        killed, rounds = 0, 1
        for run in range(RUNS):
            mail.delay = dice.choice((0.0, 0.0, 0.001, 0.01))
            killed += sent_or_killed(room, mail, run, dice)
            if not waiting(room):
                room.later(days=1)
                enqueue(room)
                rounds += 1
        finish(room, mail)
        check(room, mail, killed, rounds)
    finally:
        mail.close()


def check(room: Newsroom, mail: MailServer, killed: int, rounds: int) -> None:
    rows = room.rows(DELIVERY)
    assert {row["state"] for row in rows} == {"sent"}
    assert len(rows) == rounds * DIGESTS * CHANNELS
    taken = Counter(one.id.strip("<>").partition("@")[0] for one in mail.mails)
    assert set(taken) == {row["key"] for row in rows}  # none lost, none made up
    repeats = taken.total() - len(taken)
    print(f"runs {RUNS}, killed {killed}, deliveries {len(rows)}, mails {taken.total()}, repeats {repeats}")  # noqa: T201
    assert killed > RUNS / 2, "they were over too soon to disturb them"
    assert repeats <= killed  # one at most for each that was killed: between the server's yes and its own note of it


def enqueue(room: Newsroom) -> None:
    assert room.pull() is None
    digests.plan(room.app)
    assert digests.build_due(room.app) == DIGESTS


def waiting(room: Newsroom) -> int:
    return sum(row["state"] != "sent" for row in room.rows(DELIVERY))


def sent_or_killed(room: Newsroom, mail: MailServer, run: int, dice: Random) -> bool:
    """A process that sends what is due, killed after some steps and a moment; was it killed?"""
    hunt, moment = Hunt(dice.randint(1, STEPS_A_RUN)), dice.choice((0.0, dice.uniform(0, 0.03)))
    mail.passed = hunt.step
    process = started(room, run)
    while process.is_alive() and not hunt.now.wait(0.02):
        pass
    process.join(moment)
    alive = process.is_alive()
    process.kill()
    process.join()
    assert alive or process.exitcode == 0
    room.later(hours=2)
    room.leases_run_out()
    return alive


def started(room: Newsroom, run: int) -> ForkServerProcess:
    process = CONTEXT.Process(target=send_all, args=(room.data, room.now, f"run {run}"), daemon=True)
    process.start()
    return process


def finish(room: Newsroom, mail: MailServer) -> None:
    """Undisturbed, what was left over leaves."""
    mail.mood, mail.delay = lambda: "250", 0.0
    started(room, RUNS).join(60)


def _warmed() -> ForkServerContext:
    """Forks of a process that has loaded all there is to load."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.e2e.sending"])
    return context


CONTEXT = _warmed()
