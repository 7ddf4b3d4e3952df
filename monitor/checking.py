"""Tries every source and every channel of a configuration, at once and for a bounded time; nothing is stored or sent."""

from __future__ import annotations

import math
import smtplib
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, Literal
from urllib.parse import urlsplit

from connectors import registry
from connectors.contract import ShowsQueries, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from monitor import budgets
from monitor.app import open_connector
from monitor.config.models import (
    AppriseChannel,
    ChannelSettings,
    EmailChannel,
    FileChannel,
    Settings,
    SlackChannel,
    SourceSettings,
    WebhookChannel,
)
from monitor.left_out import never_told
from monitor.schedule import Schedule
from storage.engine import Database, StorageError

SECONDS: Final = 30.0
"""How long a source or channel may take."""
AT_ONCE: Final = 8
CONNECT_SECONDS: Final = 10.0

_FATES: Final = {
    AccessDenied: "access denied",
    RateLimited: "asked too often",
    Unavailable: "not reachable",
    Malformed: "not understood",
    NotThere: "not there",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """How a source, a channel or the store is: ``state`` in words, the searches made, and what to mend where it is not ``ok``.

    ``budget``: what is left of the request budget that a source takes from, in words.
    """

    what: Literal["source", "channel", "store"]
    name: str
    type: str
    ok: bool
    state: str
    queries: tuple[str, ...] = ()
    mend: str | None = None
    budget: str | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """When a digest is next due. ``left_out``: what none of its digests ever tells of, in words."""

    digest: str
    schedule: str
    due: tuple[datetime, ...]
    channels: tuple[str, ...]
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing to try. ``run`` raises nothing."""

    what: Literal["source", "channel"]
    name: str
    type: str
    run: Callable[[], Finding]


def check_all(settings: Settings, now: Callable[[], datetime], *, seconds: float = SECONDS) -> list[Finding]:
    """Every enabled source and every channel, in the order of the configuration.

    ``seconds`` is what each may take; one that takes longer is failed and left behind.
    """
    stop = Event()
    with budgets.shared_store(settings) as store:
        trials = [
            *(_trial_of_source(settings, source, now, stop, store) for source in settings.enabled_sources),
            *(_trial_of_channel(channel) for channel in settings.channels),
        ]
        try:
            return list(_at_once(trials, seconds))
        finally:
            stop.set()


def coming(settings: Settings, now: datetime, count: int = 3) -> list[Coming]:
    """The next ``count`` due times of every digest, in the configured time zone."""
    zone = settings.monitor.zone
    return [
        Coming(
            digest.name,
            digest.schedule,
            tuple(at.astimezone(zone) for at in _due(Schedule.parse(digest.schedule, zone), now, count)),
            tuple(digest.channels),
            never_told(Schedule.parse(digest.schedule, zone), digest.period, now),
        )
        for digest in settings.digests
    ]


def _due(schedule: Schedule, at: datetime, count: int) -> Iterator[datetime]:
    for _ in range(count):
        at = schedule.next(at)
        yield at


# ----------------------------------------------------------------------------------------------- many at once


def _at_once(trials: Sequence[Trial], seconds: float) -> Iterator[Finding]:
    """Runs the trials on threads that nobody waits for longer than they may take."""
    found: dict[int, Finding] = {}
    waiting: SimpleQueue[int] = SimpleQueue()
    for number in range(len(trials)):
        waiting.put(number)

    def work() -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except Empty:
                return
            found[number] = trials[number].run()

    threads = [Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(trials)))]
    end = time.monotonic() + seconds * math.ceil(len(trials) / AT_ONCE)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return (found.get(number) or _too_slow(trial, seconds) for number, trial in enumerate(trials))


def _too_slow(trial: Trial, seconds: float) -> Finding:
    remedy = "look at the address and the network, or try again later"
    return Finding(trial.what, trial.name, trial.type, False, f"no answer within {seconds:g} s", mend=remedy)


# --------------------------------------------------------------------------------------------------- a source


def _trial_of_source(
    settings: Settings, source: SourceSettings, now: Callable[[], datetime], stop: Event, store: Database | None
) -> Trial:
    return Trial("source", source.name, source.type, lambda: check_source(settings, source, now, stop, store))


def check_source(
    settings: Settings,
    source: SourceSettings,
    now: Callable[[], datetime],
    stop: Event,
    store: Database | None = None,
) -> Finding:
    """Are its credentials good and its subject there? What is asked is taken from its budget in the store. Raises nothing."""
    queries: tuple[str, ...] = ()

    def found(state: str, mend: str | None = None) -> Finding:
        budget = _budget_words(settings, source, store)
        return Finding("source", source.name, source.type, mend is None, state, queries, mend, budget)

    terms = [term for name in source.served for term in settings.brand(name).compiled().search_terms]
    plugin = registry.plugin(source.type)
    budget = Unlimited() if store is None else budgets.budget_of(settings, store, source, stop)
    try:
        connector = open_connector(
            plugin, source.parsed, tuple(dict.fromkeys(terms)), now, stop, budget, folder=settings.folder
        )
        try:
            queries = tuple(connector.queries()) if isinstance(connector, ShowsQueries) else ()
            connector.check()
        finally:
            connector.close()
    except budgets.BudgetSpent as error:
        return found(f"not tried: {error}")
    except SourceError as error:
        return found(_fate(error), str(error))
    except StorageError as error:
        return found("not tried", str(error))
    except Exception as error:
        return found("a bug in the connector", f"{type(error).__name__}: report it to the makers of {plugin.title}")
    return found("works")


def _budget_words(settings: Settings, source: SourceSettings, store: Database | None) -> str | None:
    purse = budgets.purse_of(settings, source)
    if purse is None or store is None:
        return None
    try:
        return f"{purse.words}: {budgets.left_words(budgets.left(store, purse))}"
    except StorageError:
        return None


def _fate(error: SourceError) -> str:
    return next((words for fate, words in _FATES.items() if isinstance(error, fate)), "fails")


# -------------------------------------------------------------------------------------------------- a channel


def _trial_of_channel(channel: ChannelSettings) -> Trial:
    return Trial("channel", channel.name, channel.type, lambda: check_channel(channel))


def check_channel(channel: ChannelSettings) -> Finding:
    """Would it take a digest? As far as can be known without sending one. Raises nothing."""
    try:
        match channel:
            case FileChannel():
                state, mend = _check_folder(channel.folder)
            case EmailChannel():
                state, mend = _check_mail(channel)
            case WebhookChannel() | SlackChannel():
                state, mend = _check_address(channel)
            case AppriseChannel():
                state, mend = _check_services(channel)
    except Exception as error:
        state, mend = "cannot be tried", f"{type(error).__name__}; look at channels.{channel.name}"
    return Finding("channel", channel.name, channel.type, mend is None, state, mend=mend)


_Result = tuple[str, str | None]


def _check_folder(folder: Path) -> _Result:
    """A folder that is not there yet can be made if the nearest one above takes files."""
    home = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=home):
            return ("can be written" if home == folder else "will be made"), None
    except OSError as error:
        return "cannot be written", f"{home}: {error.strerror}; name another folder or give the right to write"


def _check_mail(channel: EmailChannel) -> _Result:
    """Connects, encrypts and signs in as for a digest; sends nothing."""
    at = f"channels.{channel.name}"
    try:
        with _server(channel) as server:
            if channel.username is not None and channel.password is not None:
                server.login(channel.username, channel.password.get_secret_value())
                server.noop()
                return "takes the user name and password", None
            server.noop()
            return "answers", None
    except smtplib.SMTPAuthenticationError:
        return "access denied", f"{channel.host}: user name or password refused; mend {at}"
    except smtplib.SMTPNotSupportedError:
        return "not understood", f"{channel.host}: offers no such encryption or login; look at {at}.security"
    except ssl.SSLCertVerificationError:
        return "not trusted", f"{channel.host}: its certificate is not valid; look at {at}.host"
    except (smtplib.SMTPException, OSError) as error:
        return "not reachable", f"{channel.host}:{channel.port}: {type(error).__name__}; look at {at}.host and .port"


def _server(channel: EmailChannel) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if channel.security == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=CONNECT_SECONDS, context=context)
    server = smtplib.SMTP(channel.host, channel.port, timeout=CONNECT_SECONDS)
    if channel.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _check_services(channel: AppriseChannel) -> _Result:
    """Are the addresses complete? Whether they are right is known only when something is sent."""
    from monitor.channels.chats import service
    from monitor.channels.letter import Permanent

    try:
        for url in channel.url:
            service(url.get_secret_value(), f"channels.{channel.name}.url")
    except Permanent as error:
        return "not complete", str(error)
    return "complete; digest NAME --send-test shows whether it arrives", None


def _check_address(channel: WebhookChannel | SlackChannel) -> _Result:
    """Does anybody listen there? The address itself may be a secret: only its host is named."""
    parts = urlsplit(channel.url.get_secret_value())
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = "no such host" if isinstance(error, socket.gaierror) else error.strerror or "no answer in time"
        return "not reachable", f"{host}:{port}: {reason}; look at channels.{channel.name}.url"
    return "listens", None
