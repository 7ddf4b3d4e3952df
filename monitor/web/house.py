"""What all requests share: the program on its store, the keys, the templates; and the configuration, read again when it changes."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from monitor.app import App, watched
from monitor.config import ConfigError, load
from monitor.config.models import Settings
from monitor.web.access import Signer, Throttle
from storage import sources, tokens
from storage.erasure import make_key

LOG = logging.getLogger("sentiment_monitor.web")
LOOK_SECONDS: Final = 2.0
"""How often it is looked whether the configuration has changed."""
PASSWORD_SECONDS: Final = 5.0
"""How long a change of the password may take to be seen."""


class House:
    """One for the whole site; safe for several threads. ``app`` is the program with the newest configuration that is sound."""

    def __init__(self, app: App, *, read: Callable[[Path], Settings] = load) -> None:
        self._app = app
        self._read = read
        self._lock = Lock()
        self._looked = time.monotonic()
        self._print = _print_of(app.settings.path)
        self._password: tuple[float, str | None] | None = None
        self.signer = Signer(app.database.write(lambda connection: make_key(connection, "web signing")))
        self.throttle = Throttle()
        self.fault: str | None = None
        """Why the newest configuration is not used."""

    @property
    def app(self) -> App:
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._look()
            return self._app

    @property
    def settings(self) -> Settings:
        return self._app.settings

    def now(self) -> datetime:
        return self._app.now()

    def look_again(self) -> None:
        """Read the configuration now: somebody has just changed it here."""
        with self._lock:
            self._look()

    @property
    def password_hash(self) -> str | None:
        """The hash that a password is held against; ``None``: none is asked for."""
        told = self.settings.web.password
        if told is not None:
            return "plain:" + hashlib.sha256(told.get_secret_value().encode()).hexdigest()
        if self._password is None or time.monotonic() - self._password[0] >= PASSWORD_SECONDS:
            self._password = (time.monotonic(), tokens.password_hash(self._app.database))
        return self._password[1]

    def _look(self) -> None:
        self._looked = time.monotonic()
        found = _print_of(self._app.settings.path)
        if found == self._print or self._app.settings.path is None:
            return
        self._print = found
        try:
            self._app = changed(self._app, self._read(self._app.settings.path))
            self.fault = None
        except ConfigError as error:
            self.fault = "; ".join(str(fault) for fault in error.faults)
            LOG.warning("the changed configuration is not used faults=%d", len(error.faults))


def changed(app: App, settings: Settings) -> App:
    """The program with other settings, on the same store. Where it listens stays: that is settled at the start."""
    web = settings.web.model_copy(update={"host": app.settings.web.host, "port": app.settings.web.port})
    settings = settings.model_copy(update={"web": web})
    ids = _known_brands(app, settings)
    brands = {brand.name: watched(brand, ids[brand.name]) for brand in settings.brands}
    return replace(app, settings=settings, brands=brands)


def _known_brands(app: App, settings: Settings) -> Mapping[str, int]:
    from connectors import registry

    entries = [
        sources.SourceEntry(one.name, one.type, registry.plugin(one.type).platform, one.was)
        for one in settings.enabled_sources
    ]
    return sources.sync(app.database, [brand.name for brand in settings.brands], entries, app.now())


def _print_of(path: Path | None) -> tuple[float, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime, found.st_size) if found else None
