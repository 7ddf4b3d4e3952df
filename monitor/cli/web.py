"""``web``: the dashboard alone; its password; tokens for programs."""

from __future__ import annotations

import logging
import sys
from typing import Annotated, Any

import typer

from monitor.cli.common import (
    AsJson,
    ConfigPath,
    Failure,
    LogFormat,
    brands_of,
    next_step,
    opened,
    print_json,
    say,
    set_up_logging,
)

Name = Annotated[str, typer.Argument(help="What the token is for.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    web = typer.Typer(help="The dashboard alone, without pulling; its password, and tokens for programs.")
    web.callback(invoke_without_command=True)(serve)
    web.command()(password)
    web.command()(token)
    web.command()(tokens)
    app.add_typer(web, name="web")


def serve(
    context: typer.Context,
    config: ConfigPath = None,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="The port to listen on.", min=0, max=65_535)] = None,
    log_format: LogFormat = "text",
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """The dashboard alone, until stopped; nothing is pulled."""
    if context.invoked_subcommand is not None:
        return
    from monitor.web.parent import Parent

    # Before what takes long, so that a daemon that ends meanwhile need not wait for us.
    parent = Parent() if with_parent else None
    from monitor.web import serving

    with opened(config, makes_store=True) as app:
        set_up_logging(app.settings.monitor.log_level, log_format)
        given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
        app = serving.with_web(app, **given)
        try:
            bound = serving.listening(app.settings.web.host, app.settings.web.port)
        except serving.NotListening as error:
            raise Failure(str(error)) from error
        serving.serve(app, bound, ready=lambda: announce(app, bound, log_format), parent=parent)
        serving.end_soon()


def announce(app: Any, bound: Any, log_format: str) -> None:
    """Say where it is, and, once, the password that was made for it."""
    from monitor.web import serving

    where = serving.address(app, bound)
    if log_format == "json":
        logging.getLogger("sentiment_monitor.web").info("dashboard address=%s", where)
    else:
        say(f"dashboard: {where}")
    made = serving.first_password(app)
    if made is not None:
        say(f"its password, shown this once: {made}")
        say("set another with: sentiment-monitor web password")


def password(
    config: ConfigPath = None,
    forget: Annotated[bool, typer.Option("--forget", help="Ask for none any more, on this machine alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set the dashboard's password; everybody who is signed in is signed out. Read from standard input where that is no terminal."""
    from storage import tokens as stored

    with opened(config, makes_store=True) as app:
        if app.settings.web.password is not None:
            raise Failure("[web] password: the configuration names one; change it there", 2)
        if forget:
            done = stored.forget_password(app.database)
        else:
            from monitor.web import access

            stored.keep_password(app.database, access.hashed(_new_password()))
            done = True
        if as_json:
            print_json({"password": not forget, "changed": done})
        else:
            say(_forgotten(app) if forget else "the password is set; everybody who was signed in is signed out")


def _forgotten(app: Any) -> str:
    if app.settings.web.is_local:
        return "no password is asked for any more"
    return "the password is forgotten, nobody can sign in; the next start makes another, or set one: sentiment-monitor web password"


def _new_password() -> str:
    from monitor.config.web import LONGEST_PASSWORD, SHORTEST_PASSWORD

    given = (
        typer.prompt("password", hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.readline()
    )
    given = str(given).rstrip("\r\n")
    if len(given) < SHORTEST_PASSWORD:
        raise Failure(f"password: has fewer than {SHORTEST_PASSWORD} characters; choose a longer one", 2)
    if len(given) > LONGEST_PASSWORD:
        raise Failure(f"password: has more than {LONGEST_PASSWORD:,} characters; choose a shorter one", 2)
    return given


def token(
    name: Name,
    config: ConfigPath = None,
    write: Annotated[bool, typer.Option("--write", help="It may change things, too.")] = False,
    brand: Annotated[list[str] | None, typer.Option("--brand", help="For these brands alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program; it is shown once."""
    from monitor.web import access
    from storage import tokens as stored

    if not 0 < len(name.strip()) <= 100 or not name.isprintable():
        raise Failure("NAME: has 1 to 100 characters that can be seen", 2)
    with opened(config, makes_store=True) as app:
        brands = brands_of(app, brand) if brand else None
        made = access.new_token()
        digest, now = access.digest_of(made), app.now()
        if not stored.add_token(app.database, name, digest, may_write=write, brands=brands, now=now):
            raise Failure(f'NAME: there is a token "{name}" already; remove it first: sentiment-monitor web tokens', 2)
        if as_json:
            print_json({"name": name, "token": made, "may_write": write, "brands": brands})
            return
        typer.echo(made)
        say("this is shown once; send it as: Authorization: Bearer TOKEN")
        next_step("sentiment-monitor web tokens")


def tokens(
    config: ConfigPath = None,
    remove: Annotated[str | None, typer.Option("--remove", help="Make this one useless.")] = None,
    as_json: AsJson = False,
) -> None:
    """The tokens there are, and when each was last used."""
    from storage import tokens as stored

    with opened(config) as app:
        if remove is not None and not stored.remove_token(app.database, remove):
            raise Failure(f'--remove: no token "{remove}"', 2)
        found = stored.tokens(app.database)
        if as_json:
            print_json({"tokens": [{name: getattr(one, name) for name in type(one).__slots__} for one in found]})
            return
        _show(found, app.settings.monitor.zone)


def _show(found: Any, zone: Any) -> None:
    from rich.table import Table

    from monitor.cli.common import console, whole
    from monitor.digest import escape, times

    if not found:
        say("no tokens; make one with: sentiment-monitor web token NAME")
        return
    table = Table(whole("token"), "may", "brands", "made", "last used")
    for one in found:
        brands = "all" if one.brands is None else ", ".join(escape.name(name) for name in one.brands)
        used = times.moment(one.used_at, zone) if one.used_at else "never"
        may = "read and write" if one.may_write else "read"
        table.add_row(escape.name(one.name), may, brands, times.moment(one.created_at, zone), used)
    console().print(table)
