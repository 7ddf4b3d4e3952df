"""Commands that bring items in: ``run``, ``pull``, ``import``, ``demo``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli import importing
from monitor.cli.common import (
    AsJson,
    ConfigPath,
    Failure,
    LogFormat,
    at_once,
    load_settings,
    next_step,
    opened,
    print_json,
    say,
    set_up_logging,
)

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.collect import Progress, Pulled
    from monitor.web.beside import Keeper


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(run)
    app.command()(pull)
    app.command("import")(importing.import_)
    app.command()(demo)


def run(
    config: ConfigPath = None,
    once: Annotated[bool, typer.Option("--once", help="Pull every source, send what is due, end.")] = False,
    log_format: LogFormat = "text",
    as_json: AsJson = False,
) -> None:
    """Run the daemon: pull, score, store, and send digests, until stopped."""
    if as_json and not once:
        raise Failure(
            "--json: the daemon has no result to print; add --once, or read its log with --log-format json", 2
        )
    set_up_logging(load_settings(config).monitor.log_level if not once else "warning", log_format)
    from monitor.app import build
    from monitor.troubles import build_patiently

    with opened(config, partial(build, thorough=True) if once else build_patiently, makes_store=True) as app:
        if not once:
            _run_daemon(app, log_format)
            return
        _run_once(app, as_json=as_json)


def _run_daemon(app: App, log_format: str) -> None:
    from monitor.daemon import Daemon
    from monitor.sleep import Bed

    with _dashboard(app, "--log-format", log_format) as keeper:
        Daemon(app, bed=Bed(sys.argv[1:], log_format, keeper)).run()


def _dashboard(app: App, *options: str) -> AbstractContextManager[Keeper | None]:
    """The dashboard beside the daemon, where the configuration has one."""
    if not app.settings.web.enabled or app.settings.path is None:
        return nullcontext()
    from monitor.web.beside import dashboard

    return dashboard(app.settings.path, *options)


def _run_once(app: App, *, as_json: bool) -> None:
    from monitor.daemon import run_once
    from storage import outbox

    with _progress() as progress:
        pulled, built, _ = run_once(app, Event(), progress)
    sent = outbox.deliveries(app.database, built * max(1, len(app.settings.channels))) if built else []
    if as_json:
        print_json({"pulls": [_told(result) for result in pulled], "digests": built, "deliveries": sent})
    else:
        _report_pulls(pulled)
        _report_busy(_known(app, None), pulled)
        for due in outbox.due_digests(app.database, [digest.name for digest in app.settings.digests]):
            say(f"digest {due.name} {due.period}: waits until its sources have been read")
        for row in sent:
            say(f"digest {row['digest']} {row['period']} to {row['channel']}: {row['error'] or row['state']}")
        next_step("sentiment-monitor scores")
    if pulled and all(result.fate for result in pulled):
        raise Failure("no source could be read")


def pull(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources by name; all without one.")] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Pull sources now, whether due or not."""
    from monitor.daemon import pull_now
    from monitor.parties import bury

    set_up_logging("error", "text")
    with opened(config, makes_store=True) as app:
        names = _known(app, sources)
        bury(app)
        with _progress() as progress:
            pulled = pull_now(app, names, Event(), progress)
        if as_json:
            print_json({"pulls": [_told(result) for result in pulled]})
        else:
            _report_pulls(pulled)
            _report_busy(names, pulled)
            next_step("sentiment-monitor scores")
        if any(result.fate for result in pulled):
            raise Failure(f"{sum(result.fate is not None for result in pulled)} of {len(pulled)} sources failed")


def _known(app: App, names: Sequence[str] | None) -> list[str]:
    """The sources that are named; all but those that people have paused, where none is."""
    from monitor.steering import held

    known = [source.name for source in app.settings.enabled_sources]
    for name in names or ():
        if name not in known:
            raise Failure(f'no source "{name}"; there are: {", ".join(known)}', 2)
    return list(names) if names else [name for name in known if name not in held(app)]


def demo(
    once: Annotated[bool, typer.Option("--once", help="Without the dashboard: show the figures and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """The whole program on its sample data, in a temporary folder, with the dashboard; nothing of yours is touched."""
    import tempfile

    from monitor.app import build
    from monitor.samples.demo import demo_settings

    set_up_logging("error", "text")
    folder = Path(tempfile.mkdtemp(prefix="sentiment-monitor-demo-"))
    app = build(demo_settings(folder))
    try:
        if once or as_json:
            _fill(app, folder, as_json=as_json)
            return
        from monitor.daemon import Daemon

        port = free_port(app.settings.web.port)
        with _dashboard(app, "--port", str(port)):
            _fill(app, folder, as_json=False)
            typer.echo(f"dashboard: http://127.0.0.1:{port} (ends with Ctrl-C)")
            sys.stdout.flush()
            Daemon(app).run()
    finally:
        app.close()


def free_port(wanted: int) -> int:
    """The port wanted, or any other where that one is taken."""
    import socket

    for port in (wanted, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = tried.getsockname()[1]
            return found
    return wanted


def _fill(app: App, folder: Path, *, as_json: bool) -> None:
    from monitor.cli.showing import show_scores
    from monitor.daemon import run_once
    from monitor.samples.demo import audit

    with _progress() as progress:
        pulled, built, _ = run_once(app, Event(), progress)
    audit(app)
    if as_json:
        print_json({"folder": str(folder), "pulls": [_told(result) for result in pulled], "digests": built})
        return
    show_scores(app, None, "30d", None)
    typer.echo("")
    for page in sorted((folder / "digests").glob("*.html")):
        typer.echo(f"digest: {page}")
    typer.echo(f"all of it lies in {folder}, to be deleted when you like")
    typer.echo("for a brand of your own: sentiment-monitor init")


# ------------------------------------------------------------------------------------------------ telling


def _told(result: Pulled) -> dict[str, Any]:
    return {name: getattr(result, name) for name in type(result).__slots__}


def _report_pulls(pulled: Sequence[Pulled]) -> None:
    for result in sorted(pulled, key=lambda one: one.source):
        counts = f"{result.seen} read, {result.new} new, {result.changed} changed"
        if result.new + result.changed > result.seen:
            counts += " (what names several brands is an item of each)"
        again = f", {result.refreshed} read again" if result.refreshed else ""
        again += f" ({result.gone} gone)" if result.gone else ""
        left_out = f", {result.skipped} left out" if result.skipped else ""
        problem = f" - {at_once(result.error)}" if result.error else ""
        say(f"{result.source}: {counts}{again}{left_out}{problem}")


def _report_busy(names: Sequence[str], pulled: Sequence[Pulled]) -> None:
    done = {result.source for result in pulled}
    for name in dict.fromkeys(name for name in names if name not in done):
        say(f"{name}: left to another process that is reading it right now")


@contextmanager
def _progress() -> Iterator[Callable[[str], Progress]]:
    """A line per source while a person waits; silent when standard error is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: lambda _: None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    from monitor.cli.common import console

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"), TimeElapsedColumn())
    with Bars(*columns, console=console(err=True), transient=True) as bars:

        def one(name: str) -> Progress:
            task = bars.add_task(name[:40], total=None, state="")

            def moved(result: Pulled) -> None:
                bars.update(task, state=f"{result.seen} read, {result.new} new")

            return moved

        yield one
