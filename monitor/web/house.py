"""What all requests share: the program on its store, the keys; and the configuration, read again when it changes."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime
from threading import Lock
from typing import Final

from monitor.app import App, rebuilt
from monitor.config.models import Settings
from monitor.live import LiveFiles
from monitor.web.access import Signer, Throttle
from monitor.web.following import Follower
from storage import tokens
from storage.erasure import make_key

LOOK_SECONDS: Final = 2.0
"""How often it is looked whether the configuration has changed."""
PASSWORD_SECONDS: Final = 1.0
"""How long a change of the password may take to be seen."""


class House:
    """One for the whole site; safe for several threads. ``app`` is the program with the newest configuration that is sound."""

    def __init__(self, app: App, *, is_beside: bool = False) -> None:
        """``is_beside``: the daemon runs as well, and says what is wrong with the configuration."""
        self._app = app
        self._lock = Lock()
        self._looked = time.monotonic()
        self._files = LiveFiles(app.settings, logs_faults=not is_beside)
        self._password: tuple[float, str | None] | None = None
        self.signer = Signer(app.database.write(lambda connection: make_key(connection, "web signing")))
        self.throttle = Throttle()
        self.follower = Follower()

    @property
    def app(self) -> App:
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._look(at_once=False)
            return self._app

    @property
    def settings(self) -> Settings:
        return self._app.settings

    @property
    def fault(self) -> str | None:
        """Why the configuration as it stands in its files is not used."""
        return self._files.fault

    def now(self) -> datetime:
        return self._app.now()

    def look_again(self) -> None:
        """Read the configuration now: somebody has just changed it here."""
        with self._lock:
            self._look(at_once=True)

    @property
    def password_hash(self) -> str | None:
        """The hash that a password is held against; ``None``: none is asked for."""
        told = self.settings.web.password
        if told is not None:
            return "plain:" + hashlib.sha256(told.get_secret_value().encode()).hexdigest()
        if self._password is None or time.monotonic() - self._password[0] >= PASSWORD_SECONDS:
            self._password = (time.monotonic(), tokens.password_hash(self._app.database))
        return self._password[1]

    def _look(self, *, at_once: bool) -> None:
        self._looked = time.monotonic()
        found = self._files.look(at_once=at_once)
        if found is not None:
            self._app = rebuilt(self._app, _listening_where_it_does(found, self._app.settings))
            self._files.taken_up(found)


def _listening_where_it_does(settings: Settings, before: Settings) -> Settings:
    """Other settings, but for where the dashboard listens: that was settled at its start."""
    web = settings.web.model_copy(update={"host": before.web.host, "port": before.web.port})
    return settings.model_copy(update={"web": web})
