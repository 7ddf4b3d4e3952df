"""The HTTP client that connectors share: time-outs, size cap, redirects under guard, budget, and errors by fate."""

from __future__ import annotations

import email.utils
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from connectors.contract import RequestBudget, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.guard import Deadline, guarded_transport

MAX_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 5
CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 60.0
MAX_RETRY_AFTER = timedelta(days=1)
USER_AGENT = "sentiment-monitor/0.1 (brand monitoring on behalf of its user)"


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes the next request conditional: a 304 costs nothing."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value and value.isascii() and value.isprintable()}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. ``url`` is where it came from in the end; ``moved_to`` the new address if it moved for good."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str | None = None

    @property
    def not_modified(self) -> bool:
        return self.status == httpx.codes.NOT_MODIFIED

    @property
    def validators(self) -> Validators:
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))

    def json(self) -> Any:
        """The body as JSON; ``Unavailable`` if it is something else (a login page, a cut-off answer)."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = self.headers.get("content-type", "no content type")[:60]
            raise Unavailable(f"{host_of(self.url)}: the answer is not JSON ({kind}); trying again later") from error


@dataclass(frozen=True, slots=True)
class HttpClient:
    """One source's way to the network. ``trusted`` hosts may lie on private networks; all others must be public.

    ``read_seconds`` bounds each wait for bytes, ``total_seconds`` a whole answer with its redirects (not the resolving of a
    name, which the system bounds), ``max_bytes`` its decompressed size. One request at a time.
    Every request takes one unit of ``budget`` and none is begun once ``stop`` is set.
    """

    budget: RequestBudget = field(default_factory=Unlimited)
    stop: Event = field(default_factory=Event)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    trusted: frozenset[str] = frozenset()
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    total_seconds: float = TOTAL_SECONDS
    max_bytes: int = MAX_BYTES
    _clients: list[httpx.Client] = field(default_factory=list, repr=False)
    _deadline: Deadline = field(default_factory=Deadline, repr=False)

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        validators: Validators | None = None,
        units: int = 1,
    ) -> Answer:
        """GET, redirects followed under guard; 200s and 304 come back, everything else raises its fate.

        ``params`` join what the address already asks.
        ``headers`` (where credentials live) go to the first host only, never along a redirect to another.
        """
        extra = {**(headers or {}), **(validators.headers() if validators else {})}
        return self._follow("GET", self._begin(url, params), extra, units)

    def post(self, url: str, body: Any, *, headers: Mapping[str, str] | None = None, units: int = 1) -> Answer:
        """POST a JSON body (``bytes`` are sent as they are); redirects are not followed."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        extra = {"Content-Type": "application/json", **(headers or {})}
        answer = self._once("POST", self._begin(url), extra, units, content)
        return self._judged(answer)

    def send(self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None) -> Answer:
        """One request as it stands, for a platform's own client: whatever its status, the answer comes back unjudged.

        Redirects are not followed. What keeps an answer from coming still raises its fate.
        """
        return self._once(method, self._begin(url), headers, 1, content)

    def close(self) -> None:
        while self._clients:
            self._clients.pop().close()

    def _begin(self, url: str, params: Mapping[str, str | int] | None = None) -> httpx.URL:
        """Start the clock. The address asked for; ``Malformed`` if it is none."""
        self._deadline.start(self.total_seconds)
        try:
            return httpx.URL(url).copy_merge_params(dict(params or {}))
        except (httpx.InvalidURL, ValueError) as error:
            raise Malformed("the address is none that can be opened; look at the source's options") from error

    def _follow(self, method: str, url: httpx.URL, headers: dict[str, str], units: int) -> Answer:
        moved_to, permanent = None, True
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once(method, url, headers, units, None)
            if answer.status not in (301, 302, 303, 307, 308):
                judged = self._judged(answer)
                return Answer(judged.status, judged.headers, judged.body, judged.url, moved_to)
            target = _target(url, answer)
            permanent = permanent and answer.status in (301, 308)
            moved_to = str(target) if permanent else moved_to
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                headers = {}
            url = target
        raise Unavailable(f"{_host(url)}: more than {MAX_REDIRECTS} redirects; trying again later")

    def _once(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], units: int, content: bytes | None
    ) -> Answer:
        if self.stop.is_set():
            raise Unavailable("stopping")
        if url.scheme not in ("http", "https") or not url.raw_host:
            raise Malformed(f"{_host(url)}: only http and https addresses are opened")
        self.budget.take(units)
        try:
            with self._client().stream(method, url, headers=dict(headers), content=content) as response:
                return Answer(response.status_code, _plain(response.headers), self._body(response), str(url))
        except SourceError:
            raise
        except UnicodeError:  # says which text could not be sent: a key perhaps, hence without its cause
            raise Malformed(f"{_host(url)}: the address or a header holds letters that cannot be sent") from None
        except (httpx.TransportError, httpcore.NetworkError, httpx.InvalidURL, zlib.error) as error:
            raise Unavailable(f"{_host(url)}: {_reason(error)}; trying again later") from error

    def _client(self) -> httpx.Client:
        if not self._clients:
            _keep_addresses_out_of_the_log()
            timeout = httpx.Timeout(self.read_seconds, connect=self.connect_seconds)
            self._clients.append(
                httpx.Client(
                    transport=guarded_transport(self.trusted, self._deadline),
                    timeout=timeout,
                    headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
                    follow_redirects=False,
                    trust_env=False,
                )
            )
        return self._clients[0]

    def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in unpacked(self._packed(response), response.headers.get("content-encoding", "")):
            size += len(part)
            self._refuse_above_cap(size, response)
            parts.append(part)
        return b"".join(parts)

    def _packed(self, response: httpx.Response) -> Iterator[bytes]:
        """The bytes as they come over the wire: these are counted too, since packed bytes may unpack to nothing."""
        size = 0
        for part in response.iter_raw():
            if self.stop.is_set():
                raise Unavailable("stopping")
            size += len(part)
            self._refuse_above_cap(size, response)
            yield part

    def _refuse_above_cap(self, size: int, response: httpx.Response) -> None:
        if size > self.max_bytes:
            raise Unavailable(f"{_host(response.url)}: the answer is larger than {self.max_bytes:,} bytes; not read")

    def _judged(self, answer: Answer) -> Answer:
        if answer.status in range(200, 300) or answer.not_modified:
            return answer
        raise fate_of(answer.status, answer.headers, host_of(answer.url), self.now())


def fate_of(status: int, headers: Mapping[str, str], host: str, now: datetime) -> SourceError:
    """The fate that an HTTP status means."""
    if status in (401, 403, 407):
        return AccessDenied(f"{host}: answered {status}, access refused; look at the credentials and their rights")
    if status in (404, 410):
        return NotThere(f"{host}: answered {status}, there is nothing at this address; look at the source's options")
    if status == 429:
        return RateLimited(f"{host}: answered 429, asked too often", retry_after(headers, now))
    if status >= 500 or status in (408, 425):
        return Unavailable(f"{host}: answered {status}; trying again later")
    return Malformed(f"{host}: answered {status}, it does not take this request; look at the source's options")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that ``Retry-After`` names (seconds or a date), between 0 and one day; ``None`` without a sensible one."""
    value = headers.get("retry-after", "").strip()
    wait: timedelta | None
    try:
        wait = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        wait = _until(value, now)
    return None if wait is None else min(max(wait, timedelta(0)), MAX_RETRY_AFTER)


def _until(date: str, now: datetime) -> timedelta | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None


def host_of(url: str) -> str:
    """The host of an address: all of it that a message may name, since the rest can carry secrets."""
    try:
        return urlsplit(url).hostname or "address"
    except ValueError:
        return "address"


def unpacked(parts: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes of a body sent with this ``Content-Encoding``, at most 64 KiB at a time, since a little may unpack to a lot.

    ``zlib.error`` where they are damaged; ``Unavailable`` where they end early or are packed in a way not asked for.
    """
    packings = [name for name in encoding.lower().replace(" ", "").split(",") if name in _PACKINGS]
    if not packings:
        yield from parts
    elif packings in (["gzip"], ["x-gzip"], ["deflate"]):
        yield from _inflated(parts)
    else:
        raise Unavailable(
            f"the answer is packed as {', '.join(packings)[:60]}, which nobody asked for; trying again later"
        )


_PACKINGS = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_PIECE_BYTES = 65_536
_GZIP = 0x1F


def _inflated(parts: Iterator[bytes]) -> Iterator[bytes]:
    stream = None
    for part in parts:
        rest = part
        while rest:
            if stream is None or stream.eof:
                if stream is not None and rest[0] != _GZIP:
                    break  # padding behind the end, which everyone ignores
                stream = zlib.decompressobj(_window(rest[0]))
            yield stream.decompress(rest, _PIECE_BYTES)
            rest = stream.unconsumed_tail or stream.unused_data
    if stream is not None:
        yield stream.flush()
        if not stream.eof:
            raise Unavailable("the answer ends in the middle; trying again later")


def _window(first: int) -> int:
    """zlib's name for what begins with this byte: gzip or zlib, which it tells apart, or a bare deflate stream."""
    return zlib.MAX_WBITS | 32 if first == _GZIP or first & 0x0F == 8 else -zlib.MAX_WBITS


def _target(url: httpx.URL, answer: Answer) -> httpx.URL:
    location = answer.headers.get("location")
    if not location:
        raise Unavailable(f"{_host(url)}: a redirect that leads nowhere; trying again later")
    try:
        return httpx.URL(urljoin(str(url), location))
    except (httpx.InvalidURL, ValueError) as error:
        raise Unavailable(f"{_host(url)}: a redirect to something that is no address; trying again later") from error


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii", "replace") or "address"


def _keep_addresses_out_of_the_log() -> None:
    """Below WARNING the libraries log whole addresses and headers, where keys and tokens stand."""
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "cannot be reached"
    if isinstance(error, zlib.error):
        return "the answer is damaged"
    return f"the connection failed ({type(error).__name__})"
