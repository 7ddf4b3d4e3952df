"""The outbox: claimed, sent, tried again with growing pauses, or given up and said so."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Event
from typing import Final

from monitor import notices
from monitor.app import App
from monitor.channels import Letter, Passing, Permanent, send
from monitor.digest import Detail, DigestView, render, subject
from monitor.quotes import with_words
from monitor.schedule import backoff
from storage import outbox
from storage.engine import StorageError
from storage.leases import LeaseLost
from storage.records import DeliveryDue

LOG = logging.getLogger("sentiment_monitor.delivery")
LEASE: Final = timedelta(minutes=5)
RETRY_BASE: Final = timedelta(minutes=1)
RETRY_CAP: Final = timedelta(hours=2)
ATTEMPTS: Final = 20
"""Tries before a passing error is taken for a lasting one: about a day."""


def deliver_due(app: App, stop: Event | None = None) -> int:
    """Send everything that is due, beginning nothing more once ``stop`` is set; how many the channels took."""
    names = [channel.name for channel in app.settings.channels]
    sent = 0
    while not (stop is not None and stop.is_set()):
        due = outbox.claim_delivery(app.database, app.owner, names, app.now(), LEASE)
        if due is None:
            break
        try:
            sent += _deliver(app, due)
        except LeaseLost:
            LOG.warning("delivery taken over channel=%s digest=%s", due.channel, due.name)
    return sent


def _deliver(app: App, due: DeliveryDue) -> bool:
    if due.attempts > ATTEMPTS:
        return _give_up(app, due, f"gave up after {ATTEMPTS} tries; the program ended in the middle of each")
    try:
        refused = send(app.settings.channel(due.channel), letter_of(app, due))
    except Permanent as error:
        return _give_up(app, due, str(error))
    except Passing as error:
        return _later(app, due, str(error), error.retry_after)
    except StorageError:
        raise
    except Exception as error:
        LOG.exception("bug while sending channel=%s digest=%s", due.channel, due.name)
        return _later(app, due, f"{type(error).__name__} while sending")
    outbox.mark_sent(app.database, due, app.now(), refused)
    LOG.info("sent digest=%s period=%s channel=%s", due.name, due.period, due.channel)
    if refused:
        LOG.warning("partly sent digest=%s channel=%s: %s", due.name, due.channel, refused)
    return True


def letter_of(app: App, due: DeliveryDue) -> Letter:
    """What a delivery carries: the digest's or notice's stored figures with the present words of what it quotes."""
    return _digest(app, due) if due.kind == "digest" else notices.letter_of(app, due)


def _digest(app: App, due: DeliveryDue) -> Letter:
    """Its digest may have left the configuration."""
    zone = app.settings.monitor.zone
    detail: Detail = next((digest.detail for digest in app.settings.digests if digest.name == due.name), "short")
    report, view = with_words(app, due.content), DigestView(name=due.name, period=due.period, zone=zone, detail=detail)
    period = (due.period or f"{app.now():%Y-%m-%d}").replace(":", "").replace("..", "_")
    return Letter(
        event="digest",
        name=due.name,
        stem=f"{due.name}-{period}",
        subject=subject(report, view),
        render=lambda form: render(report, form, view),
        key=due.key,
        at=app.now(),
    )


def _later(app: App, due: DeliveryDue, error: str, retry_after: timedelta | None = None) -> bool:
    if due.attempts >= ATTEMPTS:
        return _give_up(app, due, f"gave up after {ATTEMPTS} tries; {error.removesuffix('; trying again later')}")
    next_try = app.now() + backoff(due.attempts, RETRY_BASE, RETRY_CAP, retry_after)
    outbox.mark_retry(app.database, due, error, next_try)
    LOG.warning(
        "not sent yet digest=%s channel=%s next=%s error=%s",
        *(due.name, due.channel, next_try.isoformat(timespec="seconds"), error),
    )
    return False


def _give_up(app: App, due: DeliveryDue, error: str) -> bool:
    outbox.mark_failed(app.database, due, error)
    LOG.error("not sent digest=%s channel=%s error=%s", due.name, due.channel, error)
    return False
