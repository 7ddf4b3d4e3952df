"""Commands for the beginning: ``init``, ``try``, ``add``, ``check``, ``config``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli import adding, checks, trying
from monitor.cli.asking import agreed, ask, can_ask, listed
from monitor.cli.common import AsJson, Failure, next_step, print_json, say

if TYPE_CHECKING:
    from monitor.config.starter import Starter

IGNORED = ("secrets.env", "var/")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(init)
    app.command("try")(trying.try_)
    app.command()(adding.add)
    app.command()(checks.check)
    config = typer.Typer(help="The configuration: its schema, and what is in effect.", no_args_is_help=True)
    config.command()(checks.schema)
    config.command()(checks.show)
    app.add_typer(config, name="config")


def init(
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="What to watch.")] = None,
    keyword: Annotated[
        list[str] | None, typer.Option("--keyword", "-k", help="What names it; its name if none is given.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", "-x", help="What makes an item not count.")] = None,
    competitor: Annotated[list[str] | None, typer.Option("--competitor", help="A brand to compare with.")] = None,
    hackernews: Annotated[
        bool | None, typer.Option("--hackernews/--no-hackernews", help="Search Hacker News (default: yes).")
    ] = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="The address of a feed to read.")] = None,
    app_store: Annotated[
        list[str] | None, typer.Option("--app-store", help="An app's link in the App Store, or its id.")
    ] = None,
    folder: Annotated[str | None, typer.Option("--folder", help="Where digests go (default: var/digests).")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help='As in "Europe/Berlin" (default: this machine\'s).')
    ] = None,
    file: Annotated[Path, typer.Option("--file", help="The file to write.")] = Path("config.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a first configuration: asks for what is not given, or takes defaults where nobody can be asked."""
    from monitor.config.starter import Starter

    if file.exists() and not force:
        raise Failure(f"{file}: is there already; name another with --file, or replace it with --force")
    asks = can_ask() and not as_json
    brand = brand or (_ask_brand() if asks else None)
    if not brand:
        raise Failure('--brand: missing; add --brand "Your brand"', 2)
    starter = Starter(
        brand=brand,
        keywords=keyword or (listed(ask("Words that name it (a, b, c)", brand)) if asks else []),
        exclude=exclude or [],
        competitors=competitor or [],
        hackernews=_chosen(hackernews, lambda: agreed("Search Hacker News?"), asks=asks),
        feeds=_several(feed, _ask_feeds, asks=asks),
        apps=[_app(link) for link in _several(app_store, _ask_apps, asks=asks)],
        timezone=timezone or system_timezone(),
        folder=folder or (ask("Folder for the digests", "var/digests") if asks else "var/digests"),
    )
    _write(starter, file)
    _report(starter, file, as_json=as_json)


def _ask_brand() -> str:
    return ask("What brand do you want to watch?", fault=lambda answer: None if answer else "a name is needed")


def _chosen(given: bool | None, question: Callable[[], bool], *, asks: bool) -> bool:
    if given is not None:
        return given
    return question() if asks else True


def _several(given: Sequence[str] | None, question: Callable[[], list[str]], *, asks: bool) -> list[str]:
    if given is not None:
        return list(given)
    return question() if asks else []


def _ask_feeds() -> list[str]:
    """Feeds until an empty answer."""
    feeds: list[str] = []
    while answer := ask(f"Address of a{'nother' if feeds else ''} feed to read (empty: none)", fault=_fault_of_feed):
        feeds.append(answer)
    return feeds


def _fault_of_feed(address: str) -> str | None:
    return _fault("feeds", {"url": address}) if address else None


def _ask_apps() -> list[str]:
    def fault(link: str) -> str | None:
        return _fault("appstore", _app(link)) if link else None

    link = ask("An app's link in the App Store (empty: none)", fault=fault)
    return [link] if link else []


def _fault(connector: str, options: Mapping[str, Any]) -> str | None:
    """What is wrong with a connector's options."""
    from connectors import registry
    from monitor.config.given import parsed

    found = parsed(registry.plugin(connector).options, options, connector)
    return str(found[0]) if isinstance(found, list) else None


def _app(link: str) -> Mapping[str, Any]:
    from connectors import registry

    return dict(registry.plugin("appstore").recognise(link) or {"app_id": link})


def _write(starter: Starter, file: Path) -> None:
    """Write the file if what stands in it is sound."""
    from monitor.config import ConfigError
    from monitor.config.starter import text_of
    from monitor.config.writing import ignored_by_git, keep

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        keep(file, text_of(starter), {})
        ignored = ignored_by_git(file.parent, IGNORED)
    except ConfigError as error:
        raise Failure([*(str(fault) for fault in error.faults), f"{file}: not written"], 2) from error
    except OSError as error:
        raise Failure(f"{error.filename or file}: cannot be written ({error.strerror}); name another --file") from error
    if ignored:
        say(f"{ignored}: now leaves out {' and '.join(IGNORED)}")


def _report(starter: Starter, file: Path, *, as_json: bool) -> None:
    from monitor.config.starter import sources_of

    sources: Sequence[Mapping[str, Any]] = sources_of(starter)
    if as_json:
        names = [source["name"] for source in sources]
        print_json({"file": str(file), "brand": starter.brand, "sources": names})
        return
    say(f"{file}: written; it watches {starter.brand} with {_number_of(sources)}")
    where = "" if file == Path("config.toml") else f" --config {file}"
    if sources:
        next_step(f"sentiment-monitor check{where}, then: sentiment-monitor run{where}")
    else:
        next_step(f"sentiment-monitor add TYPE{where}")


def _number_of(sources: Sequence[Any]) -> str:
    return f"{len(sources)} source{'' if len(sources) == 1 else 's'}" if sources else "no source yet"


def system_timezone() -> str:
    """The machine's time zone by name; ``UTC`` where it does not tell."""
    from zoneinfo import available_timezones

    told = os.environ.get("TZ", "").removeprefix(":"), _linked_zone(), _text(Path("/etc/timezone"))
    known = available_timezones()
    found = next((name for name in told if name in known), "UTC")
    return "UTC" if found in ("Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu") else found


def _linked_zone() -> str:
    try:
        return str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    except OSError:
        return ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
