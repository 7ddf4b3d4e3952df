"""The configuration's files, watched while the daemon runs: what is new in them is taken up, what is faulty is said and left."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monitor.app import App, rebuilt
from monitor.config import ConfigError, load
from monitor.config.models import Settings, SourceSettings
from monitor.config.watched import Stamp, digest, stamp
from monitor.parties import Difference, change_words, differences, parts_of
from storage import sources

LOG = logging.getLogger("sentiment_monitor.config")
FAULTS_TOLD: Final = 3


class LiveFiles:
    """The files that the settings came from. A change is taken up once it has been the same for two looks: files grow while written.

    ``logs_faults``: not where the daemon that this process stands beside says them in the same log.
    """

    def __init__(self, settings: Settings, *, logs_faults: bool = True) -> None:
        self._settings, self._logs_faults = settings, logs_faults
        self._looked: Stamp = ()
        self._stamp, self._content = _as_they_are(settings)
        self._coming = self._stamp, self._content
        if settings.sheets.digest not in (None, self._content):  # changed since they were read
            self._stamp, self._content = (), settings.sheets.digest or ""
        self.fault: str | None = None
        """What is wrong with the files as they are, in short; ``None``: they are in effect."""

    def look(self, *, at_once: bool = False) -> Settings | None:
        """New settings, if the files hold some. ``at_once``: without waiting for a second look, as a person has asked for it."""
        path, sheets = self._settings.path, self._settings.sheets
        if path is None:
            return None
        now = stamp(path, sheets)
        settled = at_once or now == self._looked
        self._looked = now
        if not settled or now == self._stamp:
            return None
        content = digest(path, sheets)
        if content == self._content:
            self._stamp = now
            return None
        return self._loaded(path, now, content)

    @property
    def are_taken_up(self) -> bool:
        """Are the settings in effect those that the files hold?"""
        path = self._settings.path
        return self.fault is None and (path is None or stamp(path, self._settings.sheets) == self._stamp)

    def taken_up(self, settings: Settings) -> None:
        """These settings, which :meth:`look` gave, are in effect now."""
        self._settings, self.fault = settings, None
        self._stamp, self._content = self._coming

    def _loaded(self, path: Path, now: Stamp, content: str) -> Settings | None:
        try:
            settings = load(path)
        except ConfigError as error:
            self._stamp, self._content = now, content  # said once
            self._say(error)
            return None
        if digest(path, self._settings.sheets) != content:
            return None  # changed again meanwhile: the next look takes it up
        self._coming = _as_they_are(settings)
        return settings

    def _say(self, error: ConfigError) -> None:
        level = logging.ERROR if self._logs_faults else logging.DEBUG
        for fault in error.faults:
            LOG.log(level, "%s", fault)
        LOG.log(level, "configuration faulty, going on with the one before; see: sentiment-monitor check --offline")
        told = "; ".join(str(fault) for fault in error.faults[:FAULTS_TOLD])
        more = len(error.faults) - FAULTS_TOLD
        self.fault = told + (f"; and {more} more" if more > 0 else "")


def _as_they_are(settings: Settings) -> tuple[Stamp, str]:
    if settings.path is None:
        return (), ""
    return stamp(settings.path, settings.sheets), digest(settings.path, settings.sheets)


def swapped(app: App, settings: Settings) -> App:
    """The program by these settings, the store told of them. Says what has changed, and what that does not change by itself."""
    if settings.monitor.database != app.settings.monitor.database:
        LOG.warning("monitor.database changed: this daemon stays on its store until it is restarted")
        kept = settings.monitor.model_copy(update={"database": app.settings.monitor.database})
        settings = settings.model_copy(update={"monitor": kept})
    found = differences(parts_of(app.settings), parts_of(settings))
    fresh = rebuilt(app, settings)
    _wake(fresh, _touched(app.settings, settings))
    LOG.info("configuration taken up: %s", change_words(found) or "nothing that the program shows has changed")
    for line in _left_to_do(app.settings, settings, found):
        LOG.info("%s", line)
    return fresh


def _touched(old: Settings, new: Settings) -> list[str]:
    """The sources that are read otherwise than before: they are due now, even where they were paused for a refusal."""
    before = {source.name: (source, _account(old, source)) for source in old.enabled_sources}
    return [
        source.name
        for source in new.enabled_sources
        if source.name in before and before[source.name] != (source, _account(new, source))
    ]


def _account(settings: Settings, source: SourceSettings) -> object:
    return settings.account(source.account) if source.account is not None else None


def _wake(app: App, names: Sequence[str]) -> None:
    if names:
        sources.resume_all(app.database, names, app.now())
        sources.bring_forward(app.database, names, app.now())


def _left_to_do(old: Settings, new: Settings, found: Sequence[Difference]) -> list[str]:
    lines = []
    if any(one.keywords for one in found):
        lines.append(
            "new items are matched with the new keywords; for those stored already run: sentiment-monitor rematch"
            " (`keywords exclude` has done it already)"
        )
    if any(one.table == "scoring" for one in found):
        lines.append(
            "new items are labelled by the new settings; for those stored already run: sentiment-monitor rescore"
        )
    if old.web != new.web:
        lines.append("[web] changed: restart the daemon for that")
    return lines
