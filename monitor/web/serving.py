"""The dashboard as a server: alone, or beside the daemon in a process of its own, so that pages and pulls do not wait for each other."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import uvicorn

from monitor.app import App
from monitor.web import access
from monitor.web.connections import Patient
from monitor.web.house import House
from monitor.web.parent import Parent
from monitor.web.site import make_site
from storage import tokens

LOG = logging.getLogger("sentiment_monitor.web")
END_SECONDS: Final = 1
"""How long answers that are on their way may take when the server is to end."""


class NotListening(Exception):
    """The address cannot be listened on; says why and what helps."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. :class:`NotListening` where that cannot be."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # Named as TCP so that asyncio sends answers at once; else every one waits 40 ms for the reader's delayed ACK.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError as error:
        other = port + 1 if port < 65_535 else 8350
        remedy = f"choose another port: [web] port = {other}" if port else "choose another: [web] host"
        raise NotListening(f"web: {host} port {port} cannot be used ({error.strerror}); {remedy}") from error
    return made


def address(app: App, bound: socket.socket) -> str:
    """Where a person on this machine, or where the configuration says, finds it."""
    web = app.settings.web
    if web.public_url is not None:
        return web.public_url
    host, port = bound.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def first_password(app: App) -> str | None:
    """The password made at the first start that others can reach; ``None`` where none is needed or there is one."""
    web = app.settings.web
    if web.is_local or web.password is not None or web.user_header is not None:
        return None
    if tokens.password_hash(app.database) is not None:
        return None
    made = access.new_password()
    return made if tokens.keep_password(app.database, access.hashed(made), unless_set=True) else None


def with_web(app: App, **given: object) -> App:
    """The program with other settings of ``[web]``: ``host``, ``port``."""
    web = app.settings.web.model_copy(update=given)
    return replace(app, settings=app.settings.model_copy(update={"web": web}))


def serve(
    app: App, bound: socket.socket, *, ready: Callable[[], None] | None = None, parent: Parent | None = None
) -> None:
    """Answer requests until SIGTERM or SIGINT. Blocks. ``parent``: end, too, when that one ends."""
    server = server_of(app, is_beside=parent is not None)
    if parent is not None:
        parent.then(partial(setattr, server, "should_exit", True))
    if ready is not None:
        ready()
    with _ended_by_signals(server):
        server.run(sockets=[bound])


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Signals before the server listens to them end it, too; after its end it sends itself the last one again, to no avail."""

    def end(*_: object) -> None:
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_soon(seconds: float = 2.0) -> None:
    """End this process then, whatever still looks through the store or waits for a platform: nobody is there to be told."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def server_of(app: App, *, is_beside: bool = False) -> uvicorn.Server:
    """The server of an app's site, yet to be run. ``is_beside``: by a daemon."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a bug is logged once, by the site
    site = make_site(House(app, is_beside=is_beside), is_local=app.settings.web.is_local)
    config = uvicorn.Config(
        site, http=Patient, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, timeout_keep_alive=15, timeout_graceful_shutdown=END_SECONDS, h11_max_incomplete_event_size=64_000,
    )  # fmt: skip
    return uvicorn.Server(config)
