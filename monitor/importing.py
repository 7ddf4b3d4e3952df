"""A file of items into the store, through the same path as every pull."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from connectors import registry
from connectors.errors import SourceError
from connectors.files import open_file
from monitor.app import App
from monitor.collect import Progress, Pulled, store_page
from monitor.config.models import SourceSettings
from storage import sources
from storage.engine import StorageError
from storage.leases import LeaseLost
from storage.records import Claim, Outcome

if TYPE_CHECKING:
    from connectors.files_options import FileOptions


class ImportFailed(Exception):
    """The file cannot be imported; the message says why."""


def import_file(app: App, options: FileOptions, brand: str, progress: Progress) -> Pulled:
    """Store a file's items for one brand as the source ``import FILE``; what is there already is not stored twice.

    The file is taken as finished, and read from its beginning each time: it may be another of the same name, for another
    brand, or read otherwise now. ``ImportFailed`` where it cannot be read; what was stored until
    then stays, and importing again completes it.
    """
    file = Path(options.path)
    if not file.exists():
        raise ImportFailed(f"{file}: there is no such file; look at its name and folder")
    claim = _claimed(app, f"import {file.name}"[:200])
    source = SourceSettings(name=claim.name, type="files", brand=brand, match="all")
    try:
        result = _stored(app, source, claim, options, progress)
    except SourceError as error:
        fate = type(error).__name__.lower()
        sources.finish_pull(app.database, claim, Outcome(app.now(), fate, str(error)[:500]), app.now())
        raise ImportFailed(str(error)) from error
    except LeaseLost as error:
        raise ImportFailed(f"{claim.name}: another process has taken over; wait for its end, then try again") from error
    except BaseException:
        with suppress(LeaseLost, StorageError):
            sources.give_back(app.database, claim)
        raise
    sources.finish_pull(app.database, claim, Outcome(app.now()), app.now())
    return result


def _claimed(app: App, name: str) -> Claim:
    now = app.now()
    sources.ensure(app.database, sources.SourceEntry(name, "files", registry.plugin("files").platform), now)
    claim = sources.claim_source(app.database, app.owner, {name: now}, now, app.lease, only_due=False)
    if claim is None:
        raise ImportFailed(f"{name}: another process is importing it; wait for its end")
    return claim


def _stored(app: App, source: SourceSettings, claim: Claim, options: FileOptions, progress: Progress) -> Pulled:
    result = Pulled(claim.name)
    for page in open_file(options.path, options, now=app.now):
        result = result.plus(*store_page(app, source, claim, page))
        progress(result)
    return result
