"""Programs that share a store: each says by what configuration it runs, and where two differ is said in words.

What is said of a configuration are digests of its parts, made of what ``config show`` prints: no secret goes into them, and
two that differ in nothing but a secret are taken for the same.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal

from monitor import __version__
from monitor.app import App
from monitor.config.models import Settings
from monitor.config.shown import shown
from storage import parties as store
from storage import sources
from storage.parties import Running

LOG = logging.getLogger("sentiment_monitor.daemon")
Parts = Mapping[str, str]
"""Digests of the parts of a configuration, by name: ``sources|news``, ``brands|Acme|keywords``, ``scoring``."""

TOLD: Final = 6
"""So many differences are named; of the rest, how many."""
_KEYWORDS: Final = ("keywords", "required", "exclude", "case_sensitive", "query")
_OWN: Final = ("include", "database", "workers", "lease", "executor", "log_level", "sleep")
"""What of ``[monitor]`` may well differ between two machines."""
_LISTS: Final = ("brands", "sources", "accounts", "digests", "channels", "topics", "rules", "alerts")
_WHOLE: Final[Mapping[str, str]] = {
    "monitor": "settings of [monitor]",
    "annotations": "annotations",
    "scoring": "scoring settings",
    "privacy": "privacy settings",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a configuration differs from another: it has something more, something less, or something else."""

    table: str
    name: str
    how: Literal["more", "less", "other"]
    keywords: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """A daemon that runs on this store. ``differs``: from the configuration of whoever asks. ``fault``: of its files as they are now."""

    owner: str
    host: str
    process: str
    started_at: datetime
    seen_at: datetime
    differs: Sequence[Difference]
    fault: str | None = None
    names: Mapping[str, Sequence[str]] | None = None


def parts_of(settings: Settings) -> Parts:
    """PURE  The digests of a configuration's parts."""
    tables = shown(settings)
    parts = {"program": __version__}
    for table in _LISTS:
        for entry in tables[table]:
            if table == "sources" and not entry["enabled"]:
                continue  # rests, which is as if it were not there
            if table == "brands":
                parts[f"brands|{entry['name']}|keywords"] = _digest({key: entry.get(key) for key in _KEYWORDS})
                entry = {key: value for key, value in entry.items() if key not in _KEYWORDS}
            parts[f"{table}|{entry['name']}"] = _digest(entry)
    tables["monitor"] = {key: value for key, value in tables["monitor"].items() if key not in _OWN}
    return parts | {table: _digest(tables[table]) for table in _WHOLE}


def differences(here: Parts, there: Parts) -> list[Difference]:
    """PURE  What ``there`` has more, less or otherwise than ``here``; keywords first, since they decide what counts."""
    found = []
    for part in dict.fromkeys([*here, *there]):
        table, _, rest = part.partition("|")
        keywords = table == "brands" and rest.endswith("|keywords")
        name = rest.removesuffix("|keywords") if keywords else rest
        if here.get(part) == there.get(part):
            continue
        if part not in there or part not in here:
            if not keywords:
                found.append(Difference(table, name, "less" if part not in there else "more"))
        else:
            found.append(Difference(table, name, "other", keywords))
    return sorted(found, key=lambda one: (not one.keywords, one.table != "program"))


def difference_words(found: Sequence[Difference]) -> str:
    """PURE  ``has other keywords for Acme, does not read news``."""
    told = [_words(one) for one in found[:TOLD]]
    more = len(found) - TOLD
    return ", ".join(told) + (f" and {more} more difference{'' if more == 1 else 's'}" if more > 0 else "")


def change_words(found: Sequence[Difference]) -> str:
    """PURE  The same of one configuration and the next: ``keywords of Acme changed, source news removed``."""
    how = {"more": "added", "less": "removed", "other": "changed"}
    told = [f"{_subject(one)} {how[one.how]}" for one in found]
    return ", ".join(told[: 2 * TOLD]) + (f" and {len(told) - 2 * TOLD} more" if len(told) > 2 * TOLD else "")


def party_words(party: Party, us: str, zone: Any, now: datetime) -> str:
    """PURE  ``daemon on host x, started 10:02``; of another day with the day."""
    started, today = party.started_at.astimezone(zone), now.astimezone(zone).date()
    at = f"{started:%H:%M}" if started.date() == today else f"{started:%d %b %H:%M}"
    here = us.partition(":")[0] == party.host
    where = f"this machine (process {party.process})" if here else f"host {party.host}"
    return f"daemon on {where}, started {at}"


# ------------------------------------------------------------------------------------------------- in the store


def parties(app: App) -> list[Party]:
    """The daemons that run on the store, this one left out."""
    running = [one for one in store.running(app.database) if one.owner != app.owner]
    here = parts_of(app.settings) if running else {}
    return [_party(here, one) for one in running]


def named_by(others: Sequence[Party], table: str) -> list[str]:
    """The names in a table (``sources``, ``rules``) of all these daemons' configurations."""
    return list(dict.fromkeys(name for one in others for name in (one.names or {}).get(table, ())))


def bury(app: App) -> None:
    """Free what processes of this machine held that are dead: nobody has to wait until their leases run out.

    Whose number is another process's by now is left to that. Fences protect whoever is taken for dead and is not, as in
    another container of the same name.
    """
    known = {one.owner for one in store.running(app.database)} | sources.holders(app.database)
    for owner in known - {app.owner}:
        host, _, process = owner.rpartition(":")[0].rpartition(":")
        if host == app.owner.partition(":")[0] and process.isdecimal() and not _lives(int(process)):
            sources.release_all(app.database, owner)
            store.leave(app.database, owner)
            LOG.info("freed what process=%s held, which has ended", process)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


class Presence:
    """One daemon's line in the store; it looks round at the others now and then, and says once what is new about them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._fault: str | None = None
        self._said: dict[str, Sequence[Difference]] = {}

    def begin(self) -> None:
        """Say that this daemon runs, and by what."""
        self.serve(self._app)

    def serve(self, app: App, fault: str | None = None) -> None:
        """Say by what configuration it runs from now on; ``fault``: why not by the one that the files hold."""
        self._app, self._fault = app, fault
        settings = {"parts": dict(parts_of(app.settings)), "fault": fault and fault[:500]}
        store.announce(app.database, app.owner, app.started_at, settings)
        self.look_round()

    def beat(self) -> None:
        """Say that it still runs, and look who else does."""
        if store.beat(self._app.database, self._app.owner):
            self.look_round()
        else:
            self.serve(self._app, self._fault)

    def end(self) -> None:
        """Say that it ends."""
        store.leave(self._app.database, self._app.owner)

    def look_round(self) -> None:
        """Warn of daemons that run by another configuration, each time that this changes."""
        app, found = self._app, {one.owner: one for one in parties(self._app)}
        for owner, one in found.items():
            if one.differs and self._said.get(owner) != one.differs:
                words = party_words(one, app.owner, app.settings.monitor.zone, app.now())
                LOG.warning("another %s, has another configuration: it %s", words, difference_words(one.differs))
        self._said = {owner: one.differs for owner, one in found.items()}


def _party(here: Parts, one: Running) -> Party:
    host, _, process = one.owner.rpartition(":")[0].rpartition(":")
    there = one.settings.get("parts") or {}
    names: dict[str, list[str]] = {}
    for table, rest in (part.split("|", 1) for part in there if "|" in part):
        names.setdefault(table, []).append(rest)
    found = Party(one.owner, host, process, one.started_at, one.seen_at, (), one.settings.get("fault"), names)
    return replace(found, differs=tuple(differences(here, there))) if there else found


def _digest(value: Any) -> str:
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=6).hexdigest()


def _words(one: Difference) -> str:
    if one.table == "program":
        return "is of another version of the program"
    if one.table in _WHOLE:
        return f"has other {_WHOLE[one.table]}"
    if one.keywords:
        return f"has other keywords for {one.name}"
    if one.how == "other":
        return f"has other settings for the {_noun(one.table)} {one.name}"
    verb = {"brands": "watch", "sources": "read"}.get(one.table)
    if verb is None:
        return f"has {'no' if one.how == 'less' else 'the'} {_noun(one.table)} {one.name}"
    also = "does not " + verb if one.how == "less" else "also " + verb + ("es" if verb == "watch" else "s")
    return f"{also} {one.name}"


def _subject(one: Difference) -> str:
    if one.table in _WHOLE or one.table == "program":
        return _WHOLE.get(one.table, "program")
    return f"keywords of {one.name}" if one.keywords else f"{_noun(one.table)} {one.name}"


def _noun(table: str) -> str:
    return table.removesuffix("s")


def lines(others: Sequence[Party], app: App) -> Iterator[str]:
    """What ``sources`` says of the daemons: only of those that differ from this configuration, or whose files are faulty."""
    article = "the" if len(others) == 1 else "another"
    for one in others:
        words = party_words(one, app.owner, app.settings.monitor.zone, app.now())
        if one.differs:
            yield f"{article} {words}, {difference_words(one.differs)}"
        if one.fault:
            yield f"{article} {words}, goes on by its old configuration, since the new one is faulty: {one.fault}"
