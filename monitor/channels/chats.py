"""Messages to chat and push services by the library Apprise, which only this file knows.

Of all that the library can do, only the services of :data:`~monitor.config.channels.SERVICES` are reached: over the network,
with certificates verified, and without a file of this machine being read or written. What it logs may hold addresses, which
are secrets, so that of its log only the numbers of answers are read.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from monitor.channels.letter import Letter, Passing, Permanent
from monitor.config.channels import SERVICES, AppriseChannel, service_of
from monitor.digest import chat, escape

if TYPE_CHECKING:
    from apprise import NotifyBase

LONGEST: Final = 4_000
"""Bytes of a message at most, whatever more a service takes: nobody reads on in a chat."""
SHORTER: Final = {"ntfy": 2_600, "ntfys": 2_600}
"""Services that make a file of longer messages."""
READ_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 10.0
PASSING_STATUSES: Final = (408, 425, 429)
_STATUS = re.compile(r"error=(\d{3})\b")


def post_to_chats(channel: AppriseChannel, letter: Letter) -> str | None:
    """To every address of the channel; for which of them it was not taken, if another took it.

    It is tried again only where none took it, since the others would get it twice.
    """
    failures: list[Passing | Permanent] = []
    for number, url in enumerate(channel.url, 1):
        place = f"channels.{channel.name}.url" + (f"[{number}]" if len(channel.url) > 1 else "")
        try:
            _post(url.get_secret_value(), letter, place)
        except (Passing, Permanent) as error:
            failures.append(error)
    if len(failures) == len(channel.url):
        raise next((error for error in failures if isinstance(error, Passing)), failures[0])
    told = [str(error).removesuffix("; trying again later") for error in failures]
    return "; ".join(["sent, but not everywhere", *told]) if told else None


def service(url: str, place: str) -> NotifyBase:
    """The library's own part for an address; ``Permanent`` where it is not complete. Nothing is sent."""
    apprise = _library()
    asset = apprise.AppriseAsset(
        secure_logging=True, plugin_paths=[], storage_mode=apprise.PersistentStoreMode.MEMORY, storage_path="",
        interpret_emojis=False, interpret_escapes=False,
    )  # fmt: skip
    kind = service_of(url)
    if kind not in SERVICES:
        raise Permanent(f"{kind}://: is not taken; look at {place}")
    found: NotifyBase | None = apprise.Apprise.instantiate(url, asset=asset)
    if found is None:
        raise Permanent(f"{kind}://: the address is not complete; look at {place}")
    found.socket_connect_timeout, found.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    return found


def written(found: NotifyBase, kind: str, letter: Letter) -> tuple[str, str]:
    """Title and body as the service takes them; the title is empty where it knows none."""
    room = _number(found.title_maxlen)
    title = escape.cap(chat.uncalled(letter.subject), room) if room > 0 else ""
    limit = min(_number(found.body_maxlen), LONGEST, SHORTER.get(kind, LONGEST))
    return title, chat.message(letter.brief(), SERVICES[kind], limit, titled=bool(title))


def _post(url: str, letter: Letter, place: str) -> None:
    kind = service_of(url)
    found = service(url, place)
    title, body = written(found, kind, letter)
    wanted = _library().NotifyFormat(SERVICES[kind])
    with _statuses() as seen:
        try:
            taken = found.notify(body=body, title=title, body_format=found.resolve_format(wanted))
        except Exception as error:
            # Its words, and those it was caused by, may hold the address.
            raise Passing(f"{kind}://: {type(error).__name__} while sending; trying again later") from None
    if not taken:
        raise _judged(kind, seen[-1] if seen else None, place)


def _judged(kind: str, status: int | None, place: str) -> Passing | Permanent:
    if status is None:
        return Passing(f"{kind}://: did not take it; trying again later")
    if status >= 500 or status in PASSING_STATUSES:
        return Passing(f"{kind}://: answered {status}; trying again later")
    if status in (401, 403, 404, 410):
        return Permanent(f"{kind}://: answered {status}, access refused or gone; look at {place}")
    return Permanent(f"{kind}://: answered {status}, it does not take this; look at {place}")


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0


@cache
def _library() -> Any:
    """The library, imported when it is first wanted, since that takes time, and silenced."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports what later Pythons will not have
        import apprise

        apprise.Apprise.instantiate("gotify://localhost/none")  # which makes it load its services
    return apprise


class _Statuses(logging.Handler):
    """Keeps the numbers of the answers that this thread was refused with."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[int] = []
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if get_ident() == self._thread:
            self.seen += [int(found) for found in _STATUS.findall(record.getMessage())]


@contextmanager
def _statuses() -> Iterator[list[int]]:
    logger, handler = logging.getLogger("apprise"), _Statuses()
    logger.addHandler(handler)
    try:
        yield handler.seen
    finally:
        logger.removeHandler(handler)
