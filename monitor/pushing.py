"""What others hand in: accept, normalise, match, score, store. A pull that the sender begins; its route is in ``monitor.web``.

What was handed in is stored with what it is known by in one transaction, so that a sender who heard no answer may send it
again. It neither waits for a pull of the same source nor takes it over.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from threading import Event
from typing import Any, ClassVar, Final

from connectors import registry
from connectors.contract import Delivery, Page, Receives
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, TooLarge
from monitor import firing, likeness
from monitor.app import App
from monitor.collect import SKIPS_TOLD, page_values
from monitor.config.models import SourceSettings
from storage import receiving
from storage.engine import StorageError
from storage.receiving import Before, SourceGone
from storage.records import Claim, PageValues, Saved

LOG = logging.getLogger("sentiment_monitor.pushing")
MAX_BYTES: Final = 16 * 1024 * 1024
"""More is refused before anything looks at it, whatever a source's options say."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of it. ``seen``: items read; ``unmatched``: that name no brand; ``repeated``: all that was told before.

    ``skips``: the first of what was left out: what, and why; never its text.
    """

    source: str
    seen: int = 0
    new: int = 0
    changed: int = 0
    unmatched: int = 0
    skipped: int = 0
    skips: tuple[tuple[str, str], ...] = ()
    repeated: bool = False


class Refused(Exception):
    """What was sent was not taken, or not all of it could be. ``status`` is the HTTP status that says so."""

    status: ClassVar[int] = 400


class NotKnown(Refused):
    """Nobody knows who sent it: signature or token are missing, wrong, or too old."""

    status = 401


class NoSuchSource(Refused):
    """There is no such source, or none that takes what is sent to it."""

    status = 404


class Replayed(Refused):
    """What was signed once came again under another name: somebody's copy."""

    status = 409


class TooMuch(Refused):
    """More than is taken at once."""

    status = 413


class NothingUsable(Refused):
    """The sender is known, but nothing of what was sent can be read; ``handed`` says why."""

    status = 422

    def __init__(self, message: str, handed: Handed) -> None:
        super().__init__(message)
        self.handed = handed


class TooOften(Refused):
    """The connector wants to be left alone for a while."""

    status = 429


class Busy(Refused):
    """Not now: the store is busy, or somebody has paused the source. The sender may try again."""

    status = 503


def hand_in(app: App, source_name: str, body: bytes, headers: Mapping[str, str]) -> Handed:
    """Take what was sent to a source. Raises what :class:`Refused` has below it, and nothing else but bugs.

    The same again under the sender's own key is answered as the first time and stored once.
    """
    try:
        return _handed_in(app, source_name, body, headers)
    except Refused as error:
        LOG.warning("not taken source=%s status=%d why=%s", source_name[:80], error.status, error)
        raise


def _handed_in(app: App, name: str, body: bytes, headers: Mapping[str, str]) -> Handed:
    source = _source(app, name)
    if len(body) > MAX_BYTES:
        raise TooMuch(f"a body of {len(body):,} bytes; send at most {MAX_BYTES:,} at once")
    page, delivery = _accepted(app, source, body, headers)
    try:
        return _stored(app, source, page, delivery)
    except SourceGone as error:
        raise NoSuchSource(f"{error}; restart the program that serves this address") from error
    except StorageError as error:
        raise Busy(f"the store cannot take it now: {error}") from error


def _source(app: App, name: str) -> SourceSettings:
    source = next((one for one in app.settings.enabled_sources if one.name == name), None)
    if source is None:
        raise NoSuchSource(f'no source "{name[:80]}"; look at the address it is sent to')
    if not registry.plugin(source.type).capabilities.push:
        raise NoSuchSource(f'{name}: a source of type {source.type} is not sent to; add one of type "webhook"')
    return source


def _accepted(app: App, source: SourceSettings, body: bytes, headers: Mapping[str, str]) -> tuple[Page, Delivery]:
    connector = app.open(source, Event())
    try:
        if not isinstance(connector, Receives):
            raise TypeError(f"connector {source.type}: says that it can be sent to, but has no accept")
        return connector.accept(body, headers), connector.delivery(body, headers)
    except SourceError as error:
        raise _refusal(source.name, error) from error
    finally:
        connector.close()


_FATES: Final[Sequence[tuple[type[SourceError], type[Refused]]]] = (
    (AccessDenied, NotKnown),
    (TooLarge, TooMuch),
    (NotThere, NoSuchSource),
    (RateLimited, TooOften),
)


def _refusal(name: str, error: SourceError) -> Refused:
    if isinstance(error, Malformed) and not isinstance(error, TooLarge):
        return NothingUsable(str(error), Handed(name, skipped=1))
    return next((refused for fate, refused in _FATES if isinstance(error, fate)), Busy)(str(error))


def _stored(app: App, source: SourceSettings, page: Page, delivery: Delivery) -> Handed:
    claim, paused = receiving.receiver(app.database, source.name, source.type, app.lease, app.now())
    if paused is not None:
        raise Busy(f"{source.name}: is paused ({paused}); it takes nothing until somebody resumes it")
    if known := receiving.handed_in_before(app.database, claim.source_id, _keys(delivery)):
        return _again(source, known, delivery)
    values = page_values(app, source, claim, replace(page, cursor=None))
    values = replace(values, arrivals_since=firing.news_since(app, source, claim))
    return _saved(app, source, claim, values, delivery, unfit=len(values.skips) - len(page.skipped))


def _saved(
    app: App, source: SourceSettings, claim: Claim, values: PageValues, delivery: Delivery, *, unfit: int
) -> Handed:
    """``unfit``: how many of the items that were read cannot be stored."""
    handed = Handed(
        source.name, values.seen, 0, 0, values.unmatched, len(values.skips), tuple(values.skips[:SKIPS_TOLD])
    )
    usable = not values.skips or values.seen > unfit
    only = not registry.plugin(source.type).capabilities.pull
    answer = {name: value for name, value in asdict(handed).items() if name not in ("source", "repeated")}
    saved = receiving.save_handed_in(
        app.database, claim, values, _keys(delivery), answer, app.now(), receives_only=only, usable=usable
    )
    if not isinstance(saved, Saved):
        return _again(source, saved, delivery)
    if not usable:
        what, why = values.skips[0]
        raise NothingUsable(f"nothing of it can be read: {what}: {why}", handed)
    return _told(app, handed, saved, claim)


def _told(app: App, handed: Handed, saved: Saved, claim: Claim) -> Handed:
    handed = replace(handed, new=saved.new, changed=saved.changed)
    _settle(app)
    LOG.info(
        "handed in source=%s seen=%d new=%d changed=%d skipped=%d",
        *(claim.name, handed.seen, handed.new, handed.changed, handed.skipped),
    )
    return handed


def _settle(app: App) -> None:
    """What was sent is stored by now and is not to be sent again, whatever becomes of its copies: a daemon decides them, too."""
    try:
        likeness.settle(app)
    except StorageError as error:
        LOG.warning("copies not decided yet, a daemon does it later: %s", error)


def _keys(delivery: Delivery) -> list[str]:
    """What it is remembered by; the sender's own name first."""
    named = [f"id {delivery.key}"] if delivery.key else []
    return [*named, f"seal {delivery.seal}"] if delivery.seal else named


def _again(source: SourceSettings, known: Sequence[Before], delivery: Delivery) -> Handed:
    """The answer to what came before: the first one. What was signed once and has another name now is a copy."""
    if delivery.key is not None and known[0].key.startswith("seal "):
        raise Replayed("what was signed was taken already, under another id; sign anew for each delivery")
    answer: Mapping[str, Any] = known[0].answer
    skips = tuple((str(what), str(why)) for what, why in answer.get("skips", ()))
    counts = {name: int(answer.get(name, 0)) for name in ("seen", "new", "changed", "unmatched", "skipped")}
    return Handed(source.name, **counts, skips=skips, repeated=True)
