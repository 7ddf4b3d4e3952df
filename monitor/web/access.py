"""Who is asking, and what may they do: open on this machine, by password, behind a proxy, by token. Decides; reads no request.

Sessions and tokens of forms are signed with a key of the store's own. A password is kept as its argon2 hash, a token as its
SHA-256 (it has 256 random bits of its own).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, URLSafeTimedSerializer

from monitor.config.web import LONGEST_PASSWORD

Way = Literal["open", "session", "proxy", "token"]

FREE_TRIES: Final = 5
"""Wrong passwords from one address before it has to wait."""
TRIES_IN_ALL: Final = 50
"""The same for all addresses together."""
WAIT: Final = timedelta(minutes=15)
KNOWN_AT_MOST: Final = 1_000
"""Addresses remembered from which somebody signed in."""
WAITING: Final = 4
"""Tries of passwords that may wait while one is looked at; each holds a thread."""
TOKEN_MARK: Final = "smt_"  # noqa: S105 - what every token begins with
_HASHER: Final = PasswordHasher()
_ONE_AT_A_TIME: Final = threading.Lock()  # each takes 64 MB
_PLACES: Final = threading.BoundedSemaphore(1 + WAITING)


class Busy(Exception):
    """So many passwords are being looked at that this one is not."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking. ``brands``: those they are limited to; ``None``: all. ``nonce`` ties forms to whom they were shown."""

    name: str
    way: Way
    may_write: bool = True
    brands: frozenset[str] | None = None
    nonce: str = ""

    def may_see(self, brand: str) -> bool:
        return self.brands is None or brand in self.brands


class Signer:
    """Signs sessions and the tokens of forms."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sessions = URLSafeTimedSerializer(key.hex(), salt="session")

    def session(self, name: str, password_hash: str | None) -> str:
        """A session for a cookie; it ends when the password changes."""
        return self._sessions.dumps({"name": name, "nonce": nonce(), "of": self._mark(password_hash)})

    def visitor(self, session: str, password_hash: str | None, age: timedelta) -> Visitor | None:
        """Whose session it is; ``None`` for one that is forged, too old, or of another password."""
        try:
            told: Mapping[str, Any] = self._sessions.loads(session, max_age=int(age.total_seconds()))
        except BadSignature:
            return None
        if told.get("of") != self._mark(password_hash):
            return None
        return Visitor(str(told["name"]), "session", nonce=str(told["nonce"]))

    def form_token(self, visitor: Visitor) -> str:
        """What a form shown to this visitor carries."""
        return hmac.new(self._key, f"form:{visitor.way}:{visitor.nonce}".encode(), hashlib.sha256).hexdigest()

    def is_form_of(self, visitor: Visitor, token: str) -> bool:
        return bool(visitor.nonce) and hmac.compare_digest(self.form_token(visitor).encode(), token.encode())

    def nonce_of(self, name: str) -> str:
        """What ties forms to somebody whom a proxy names: the same every time, and nothing others can work out."""
        return hmac.new(self._key, f"name:{name}".encode(), hashlib.sha256).hexdigest()

    def _mark(self, password_hash: str | None) -> str:
        return hmac.new(self._key, f"password:{password_hash}".encode(), hashlib.sha256).hexdigest()[:16]


def nonce() -> str:
    """Something nobody can guess."""
    return secrets.token_urlsafe(18)


# ---------------------------------------------------------------------------------------- passwords and tokens


def new_password() -> str:
    """A password to print once: 96 random bits."""
    return "-".join(secrets.token_hex(3) for _ in range(4))


def hashed(password: str) -> str:
    """The argon2 hash under which a password is kept."""
    return _HASHER.hash(password)


def is_password(kept: str, given: str) -> bool:
    """Is it the one? Takes some 50 ms and 64 MB, so one is looked at at a time. :class:`Busy` where enough wait already."""
    if not _PLACES.acquire(blocking=False):
        raise Busy
    try:
        with _ONE_AT_A_TIME:
            return _HASHER.verify(kept, given[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _PLACES.release()


def new_token() -> str:
    """A key for a program: 256 random bits behind a mark by which leaked ones are found."""
    return TOKEN_MARK + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """What the store keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


# -------------------------------------------------------------------------------------------------- throttle


@dataclass(slots=True)
class Throttle:
    """Slows the guessing of passwords: by address, and over all addresses together. Safe for several threads.

    A try counts as wrong from its beginning, so that many at once are no more than one after the other. An address from
    which somebody has signed in does not wait for the wrong tries of others: nobody can lock it out.
    """

    _wrong: dict[str, deque[datetime]] = field(default_factory=dict)
    _known: dict[str, None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, address: str, now: datetime) -> timedelta | None:
        """How long this address has to wait; ``None``: it may try, which counts as wrong until it :meth:`succeeded`."""
        place = place_of(address)
        with self._lock:
            self._forget(now)
            wait = self._wait(place, now)
            if wait is None:
                self._wrong.setdefault(place, deque(maxlen=FREE_TRIES)).append(now)
            return wait

    def take_back(self, address: str) -> None:
        """The last try of this address was none: nobody looked at it."""
        with self._lock:
            if tries := self._wrong.get(place_of(address)):
                tries.pop()

    def succeeded(self, address: str) -> None:
        place = place_of(address)
        with self._lock:
            self._wrong.pop(place, None)
            self._known.pop(place, None)
            self._known[place] = None
            while len(self._known) > KNOWN_AT_MOST:
                del self._known[next(iter(self._known))]

    def _wait(self, place: str, now: datetime) -> timedelta | None:
        own = self._wrong.get(place, deque())
        if len(own) >= FREE_TRIES:
            return own[-FREE_TRIES] + WAIT - now
        everyone = sorted(at for tries in self._wrong.values() for at in tries)
        if place in self._known or len(everyone) < TRIES_IN_ALL:
            return None
        return everyone[-TRIES_IN_ALL] + WAIT - now

    def _forget(self, now: datetime) -> None:
        for place in list(self._wrong):
            tries = self._wrong[place]
            while tries and tries[0] + WAIT <= now:
                tries.popleft()
            if not tries:
                del self._wrong[place]


def place_of(address: str) -> str:
    """What tries are counted by: an IPv4 address, the network of an IPv6 address, of which one household has 2^64."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped) if known.ipv4_mapped else str(ip_network((known, 64), strict=False))
