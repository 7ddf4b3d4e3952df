"""A file of items into the store, through the same path as every pull."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from pydantic import ValidationError

from connectors import registry
from connectors.contract import Unlimited
from connectors.errors import SourceError
from monitor.app import LEASE, App, open_connector
from monitor.collect import Progress, Pulled, store_page
from monitor.config.faults import faults_of, keys_of
from monitor.config.models import SourceSettings
from storage import sources
from storage.records import Outcome


class ImportFailed(Exception):
    """The file cannot be imported; the message says why."""


def import_file(
    app: App, file: Path, brand: str, kind: str | None, columns: Mapping[str, str], progress: Progress
) -> Pulled:
    """Store a file's items for one brand as the source ``import FILE``; what is there already is not stored twice.

    ``ImportFailed`` where the file cannot be read; what was stored until then stays, and importing again goes on.
    """
    plugin = registry.plugin("files")
    given: dict[str, Any] = {"path": str(file.resolve()), **({"kind": kind} if kind else {})}
    try:
        options = plugin.options.model_validate(given | ({"columns": dict(columns)} if columns else {}))
    except ValidationError as error:
        raise ImportFailed("\n".join(map(str, faults_of(error, "import", keys_of(plugin.options))))) from error
    name = f"import {file.name}"[:200]
    source = SourceSettings(name=name, type="files", brand=brand, match="all")
    now = app.now()
    sources.ensure(app.database, sources.SourceEntry(name, "files", plugin.platform), now)
    claim = sources.claim_source(app.database, app.owner, {name: now}, now, LEASE, only_due=False)
    if claim is None:
        raise ImportFailed(f"{name}: another process is importing it; wait for its end")
    stop = Event()
    connector = open_connector(plugin, options, (), app.now, stop, Unlimited())
    result = Pulled(name)
    try:
        for page in connector.fetch(claim.cursor, now):
            result = result.plus(page, store_page(app, source, claim, page))
            progress(result)
    except SourceError as error:
        fate = type(error).__name__.lower()
        sources.finish_pull(app.database, claim, Outcome(app.now(), fate, str(error)[:500]), app.now())
        raise ImportFailed(str(error)) from error
    finally:
        connector.close()
        stop.set()
    sources.finish_pull(app.database, claim, Outcome(app.now()), app.now())
    return result
