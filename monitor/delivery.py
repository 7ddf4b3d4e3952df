"""The outbox: claimed, sent, tried again with growing pauses, or given up and said so."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event
from typing import Any, Final

from sqlalchemy import Connection

from monitor import notices
from monitor.app import App
from monitor.channels import Letter, Passing, Permanent, send
from monitor.config.channels import Channel
from monitor.digest import Detail, DigestView, Form, in_brief, subject
from monitor.digests import brands_of, settings_of
from monitor.dressing import attachments, dressed
from monitor.quotes import with_words, without_words
from monitor.report import build_report
from monitor.routing import HOUR, held_until, narrowed
from monitor.schedule import Window, backoff
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
TEST_NOTE: Final = "This is a test: it was sent by hand, to see that it arrives."


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


def deliver_one(app: App, delivery_id: int) -> bool:
    """Send this delivery now, if it is due and nobody else is at it; was it taken?"""
    names = [channel.name for channel in app.settings.channels]
    due = outbox.claim_delivery(app.database, app.owner, names, app.now(), LEASE, only=delivery_id)
    return due is not None and _deliver(app, due)


def _deliver(app: App, due: DeliveryDue) -> bool:
    if due.attempts > ATTEMPTS:
        return _give_up(app, due, f"gave up after {ATTEMPTS} tries; the program ended in the middle of each")
    try:
        channel = app.settings.channel(due.channel)
        if (until := _held_until(app, channel, due)) is not None:
            outbox.put_off(app.database, due, until)
            LOG.info("held channel=%s kind=%s until=%s", due.channel, due.kind, until.isoformat(timespec="seconds"))
            return False
        letter = letter_of(app, due)
        refused = send(channel, letter)
    except Permanent as error:
        return _give_up(app, due, str(error))
    except Passing as error:
        return _later(app, due, str(error), error.retry_after)
    except StorageError:
        raise
    except Exception as error:
        LOG.exception("bug while sending channel=%s digest=%s", due.channel, due.name)
        return _later(app, due, f"{type(error).__name__} while sending")
    refused = "; ".join([*([refused] if refused else []), *letter.remarks]) or None
    outbox.mark_sent(app.database, due, app.now(), refused)
    LOG.info("sent digest=%s period=%s channel=%s", due.name, due.period, due.channel)
    if refused:
        LOG.warning("partly sent digest=%s channel=%s: %s", due.name, due.channel, refused)
    return True


def _held_until(app: App, channel: Channel, due: DeliveryDue) -> datetime | None:
    now = app.now()
    sent = outbox.sent_since(app.database, channel.name, now - HOUR) if channel.max_per_hour else ()
    urgent = due.kind != "digest" and bool(due.content.get("urgent"))
    return held_until(channel, due.kind, urgent, now, app.settings.monitor.zone, sent)


def letter_of(app: App, due: DeliveryDue) -> Letter:
    """What a delivery carries: the digest's or notice's stored figures with the present words of what it quotes.

    ``Permanent`` where nothing of it is for its channel any more.
    """
    if due.kind == "digest":
        return digest_letter(app, due, due.period, due.content)
    if due.kind == "test" and "report" in due.content:
        return as_test(digest_letter(app, due, due.content["period"], due.content["report"], TEST_NOTE))
    return notices.letter_of(app, due)


def digest_letter(app: App, due: DeliveryDue, period: str, content: Any, note: str | None = None) -> Letter:
    """A stored digest as a letter to its channel, cut to the channel's brands. The digest may have left the configuration."""
    report = with_words(app, content)
    channel = next((one for one in app.settings.channels if one.name == due.channel), None)
    if channel is not None and not (report := narrowed(report, channel)).brands and content["brands"]:
        raise Permanent(f"channels.{due.channel}.brands: none of them is in this digest; add one, or leave it")
    look = dressed(app, view_of(app, due.name, period, note))
    stem = f"{due.name}-{(period or f'{app.now():%Y-%m-%d}').replace(':', '').replace('..', '_')}"
    settings = next((digest for digest in app.settings.digests if digest.name == due.name), None)
    return Letter(
        event="digest",
        name=due.name,
        stem=stem,
        subject=subject(report, look.view),
        render=lambda form: look.render(report, form),
        brief=lambda: in_brief(report, look.view),
        key=due.key,
        at=app.now(),
        attachments=lambda: attachments(app, settings, report, stem, look.remarks),
        remarks=look.remarks,
    )


def view_of(app: App, name: str, period: str | None, note: str | None = None) -> DigestView:
    """How a digest of this name is shown now."""
    detail: Detail = next((digest.detail for digest in app.settings.digests if digest.name == name), "short")
    return DigestView(name=name, period=period, zone=app.settings.monitor.zone, detail=detail, sent_note=note)


def as_test(letter: Letter) -> Letter:
    """The letter marked as a test in subject, file name and JSON; its words say so already."""

    def rendered(form: Form) -> str:
        text = letter.render(form)
        return '{\n  "test": true,' + text.removeprefix("{") if form == "json" else text

    marked = f"[test] {letter.subject}"
    return replace(letter, event="test", stem=f"test-{letter.stem}", subject=marked, render=rendered)


def queue_test(app: App, name: str, window: Window, channel: str) -> int:
    """Queue a digest of this window to one channel, marked as a test; the delivery's id."""
    digest = settings_of(app, name)
    report = build_report(app, brands_of(app, digest), window)
    body = {"period": window.label, "report": without_words(report)}

    def work(connection: Connection) -> int:
        notice = outbox.queue_notice(connection, "test", name, None, body, {channel: token_hex(16)}, app.now())
        return outbox.delivery_of_notice(connection, notice)

    return app.database.write(work)


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
