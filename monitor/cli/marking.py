"""What people say of items: ``correct``, ``mark``, ``mute``; ``tag`` has a file of its own, ``marks suggest`` stands beside ``rematch``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monitor.cli.common import (
    AsJson,
    Brand,
    By,
    ConfigPath,
    Failure,
    Since,
    Until,
    brands_of,
    console,
    instant,
    next_step,
    opened,
    print_json,
    whole,
)
from monitor.cli.listing import Search, searched
from monitor.cli.showing import Kinds, Labels, Sources, check_sources, one_of

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.marking import Muted
    from storage.marks import Marked
    from storage.reasons import Mute
    from storage.records import ItemFilter

Undo = Annotated[bool, typer.Option("--undo", help="Take it back.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say how many, and change nothing.")]
Author = Annotated[str | None, typer.Option("--author", help="By whom: a name, or an id on the platform.")]
Place = Annotated[str | None, typer.Option("--place", help="Where: r/phones, a forum's name ...")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="en, de ... or unknown (may be repeated).")]
Tagged = Annotated[list[str] | None, typer.Option("--tag", help="With this tag (repeated: all of them).")]
Uncounted = Annotated[
    Literal["excluded", "muted", "duplicate", "not_about_us", "all"] | None,
    typer.Option("--uncounted", help="Items that are kept and not counted, by reason; with --undo: not_about_us."),
]
Where = Annotated[bool, typer.Option("--where", help="Instead of numbers: all items that the options below choose.")]
All = Annotated[bool, typer.Option("--all", help="With --where and nothing else: every item.")]
LABELS = ("positive", "neutral", "negative", "none")
WHATS = {"not-about-us": "not_about_us", "done": "done"}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command in (correct, mark, mute):
        app.command()(command)


# ------------------------------------------------------------------------------------------------ correct


def correct(
    item: Annotated[int, typer.Argument(help="An item's number, as `items` shows it.")],
    label: Annotated[
        str,
        typer.Argument(metavar="positive|neutral|negative|none", help="The right label; none takes a correction back."),
    ],
    by: By = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Say what an item's label is; your word beats the scorer's in every figure, at once."""
    from monitor.marking import correct as corrected

    _check_label(label)
    with opened(config) as app:
        done = corrected(app, item, None if label == "none" else label, by)
    if done is None:
        raise Failure(f"item {item}: is not there, or was erased; `sentiment-monitor items` shows each with its number")
    if as_json:
        print_json({"id": item, **asdict(done)})
        return
    whose = {"person": "by a person", "stars": "by its stars", "text": "by its text"}.get(done.label_by or "", "")
    before = "" if done.before == done.after else f" (was {done.before or 'unscored'})"
    typer.echo(f"item {item}: {done.after or 'unscored'}{', ' if whose else ''}{whose}{before}")


def _check_label(label: str) -> None:
    from monitor.config.faults import nearest

    if label not in LABELS:
        near = nearest(label, LABELS)
        remedy = f'did you mean "{near}"?' if near else f"there are: {', '.join(LABELS)}"
        raise Failure(f'correct: "{label[:60]}" is no label; {remedy}', 2)


# --------------------------------------------------------------------------------------------------- mark


def mark(
    words: Annotated[
        list[str], typer.Argument(metavar="ITEM... not-about-us|done", help="Items by number, and what they are.")
    ],
    where: Where = False,
    everything: All = False,
    brand: Brand = None,
    source: Sources = None,
    kind: Kinds = None,
    label: Labels = None,
    since: Since = None,
    until: Until = None,
    search: Search = None,
    author: Author = None,
    place: Place = None,
    language: Languages = None,
    tagged: Tagged = None,
    uncounted: Uncounted = None,
    dry_run: DryRun = False,
    undo: Undo = False,
    by: By = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Say that items are not about the brand, so that they count no more, or that they are done with."""
    from storage.marks import Marked

    what, ids = _what(words), numbers(words[:-1])
    people = {"author": author, "place": place, "languages": language, "tags": tagged}
    given = {"brands": brand, "sources": source, "kinds": kind, "labels": label, **people}
    given |= {"since": since, "until": until, "search": search, "uncounted": uncounted}
    chosen = {name: value for name, value in given.items() if value is not None}
    if where == bool(ids):
        raise Failure("mark: give numbers of items, or --where with the options that choose them", 2)
    check_all(where=where, chosen=bool(chosen), everything=everything)
    if not where and chosen:
        raise Failure("--brand, --search ...: choose items together with --where", 2)
    with opened(config) as app:
        step = _marking(app, what, by, undo=undo)
        if not where:
            done = Marked() if dry_run else step(ids)
            _tell_marked(done, what, undo=undo, dry=len(ids) if dry_run else None, as_json=as_json)
            return
        wanted = filter_of(app, {"uncounted": _default_reason(what, undo=undo), **chosen})
        _on_all(app, wanted, step, what, undo=undo, dry_run=dry_run, as_json=as_json)


def check_all(*, where: bool, chosen: bool, everything: bool) -> None:
    """Every item is meant only where that is said."""
    if where and not chosen and not everything:
        raise Failure("--where: nothing chooses the items; add --brand, --search ..., or --all for every one", 2)
    if everything and (chosen or not where):
        raise Failure("--all: goes with --where alone; leave it out, or what chooses items", 2)


def _what(words: Sequence[str]) -> str:
    if words[-1] not in WHATS:
        raise Failure(f'mark: "{words[-1]}" is no mark; end with {" or ".join(WHATS)}', 2)
    return WHATS[words[-1]]


def numbers(words: Sequence[str]) -> list[int]:
    """Items by number; anything else ends the command."""
    for word in words:
        if not (word.isascii() and word.isdecimal()):
            raise Failure(f'"{word}" is no number of an item; `sentiment-monitor items` shows each with its number', 2)
    return [int(word) for word in words]


def _marking(app: App, what: str, by: str | None, *, undo: bool) -> Callable[[Sequence[int]], Marked]:
    from monitor import marking

    if undo:
        return lambda ids: marking.unmark(app, ids, what)
    return lambda ids: marking.mark(app, ids, what, by)


def _default_reason(what: str, *, undo: bool) -> str:
    return "not_about_us" if undo and what == "not_about_us" else "counted"


def filter_of(app: App, chosen: Mapping[str, Any]) -> ItemFilter:
    """The options as they choose items, like those of ``items``."""
    from storage.records import ItemFilter

    brands_of(app, chosen.get("brands"))
    check_sources(app, chosen.get("sources", ()))
    one_of("--kind", chosen.get("kinds"), ("mention", "review", "post"))
    one_of("--label", chosen.get("labels"), ("positive", "neutral", "negative", "unscored"))
    meant = {
        "since": instant(app, chosen.get("since")),
        "until": instant(app, chosen.get("until"), up=True),
        "search": searched(chosen.get("search")),
        "languages": [code.strip().lower() for code in chosen.get("languages", ())],
    }
    return ItemFilter(**{**chosen, **meant})


def _on_all(
    app: App,
    wanted: ItemFilter,
    step: Callable[[Sequence[int]], Marked],
    what: str,
    *,
    undo: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    from monitor.marking import on_all
    from storage.listing import count_items
    from storage.marks import Marked

    if dry_run:
        chosen = count_items(app.database, wanted)
        _tell_marked(Marked(), what, undo=undo, dry=chosen, as_json=as_json)
        return
    with console(err=True).status("marking") as status:  # silent where nobody watches
        done = on_all(app, wanted, step, lambda seen: status.update(f"marking: {seen:,} items"))
    _tell_marked(done, what, undo=undo, dry=None, as_json=as_json)


def _tell_marked(done: Marked, what: str, *, undo: bool, dry: int | None, as_json: bool) -> None:
    if as_json:
        found = {"dry_run": dry is not None, "chosen": dry} if dry is not None else {"dry_run": False}
        print_json({"what": what, "undo": undo, **found, **asdict(done)})
    elif dry is not None:
        typer.echo(f"{items_words(dry)} would be {_words(what, undo=undo)}; nothing was changed")
    else:
        again = f", {done.already:,} {'were not' if undo else 'were so already'}" if done.already else ""
        typer.echo(f"{items_words(done.done)} {_words(what, undo=undo)}{again}")
        if what == "not_about_us" and not undo:
            next_step("sentiment-monitor marks suggest --brand ...")
    end(done)


def _words(what: str, *, undo: bool) -> str:
    plain = "not about the brand" if what == "not_about_us" else what
    return f"no longer marked as {plain}" if undo else f"marked as {plain}"


def items_words(count: int) -> str:
    """``1 item``, ``2 items``."""
    return f"{count:,} item{'' if count == 1 else 's'}"


def end(done: Marked) -> None:
    """Ends the command with 1 where something was left as it is."""
    if done.overtaken:
        raise Failure(f"{items_words(len(done.overtaken))} changed meanwhile; run the command again")
    if done.left:
        shown = ", ".join(str(number) for number in done.left[:10])
        raise Failure(f"{items_words(len(done.left))} not there, or erased: {shown}")


# --------------------------------------------------------------------------------------------------- mute


def mute(
    author: Annotated[str | None, typer.Option("--author", help="An author's name, or id on the platform.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="A host, which stands for its subdomains, too.")] = None,
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="For this brand only.")] = None,
    undo: Undo = False,
    show: Annotated[bool, typer.Option("--list", help="Show who is muted.")] = False,
    by: By = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Let an author's or a site's items count no more, those stored and those to come; they are kept."""
    if [author is not None, site is not None, show].count(True) != 1:
        raise Failure("mute: give one of --author, --site and --list", 2)
    with opened(config) as app:
        if show:
            _list_mutes(app, as_json=as_json)
            return
        from monitor.marking import mute as muted
        from monitor.marking import unmute

        wanted = _mute(app, author, site, brand, by)
        done = unmute(app, wanted) if undo else muted(app, wanted)
    _tell_muted(wanted, done, undo=undo, as_json=as_json)


def _mute(app: App, author: str | None, site: str | None, brand: str | None, by: str | None) -> Mute:
    from storage.reasons import LONGEST_SITE, Mute, host_of, site_name

    if brand is not None:
        brands_of(app, [brand])
    brand_id = app.brands[brand].id if brand is not None else None
    if author is not None:
        number, shown = _author(app, author)
        return Mute(shown, brand_id, author_id=number, by=by)
    host = host_of(site) if site and "//" in site else site_name(site or "")
    if host is None or any(mark in host for mark in "/ @:"):
        raise Failure(
            f'--site: "{(site or "")[:80]}" is no host of {LONGEST_SITE} characters at most; write one such as example.org',
            2,
        )
    return Mute(host, brand_id, site=host, by=by)


def _author(app: App, wanted: str) -> tuple[int, str]:
    from monitor.erasing import hashes
    from storage.mutes import find_authors

    found = find_authors(app.database, wanted, hashes(app, [wanted]))
    if not found:
        raise Failure(
            f'--author: nobody "{wanted}" among the authors known; `sentiment-monitor authors` shows each with its name',
            2,
        )
    if len(found) > 1:
        each = [f"{number}: {name or external} ({platform}, {external})" for number, platform, external, name in found]
        raise Failure([f'--author: several are called "{wanted}"; give the number of one', *each], 2)
    number, platform, external, name = found[0]
    return number, f"{name or external} ({platform})"


def _tell_muted(wanted: Mute, done: Muted, *, undo: bool, as_json: bool) -> None:
    from monitor.digest.escape import clean

    if as_json:
        print_json({"shown": wanted.shown, "undo": undo, **asdict(done)})
        return
    state = "no longer muted" if undo else "muted"
    was = "" if done.fresh else ", as before"
    counting = "changed" if undo else "no longer counted"
    typer.echo(
        f"{clean(wanted.shown, 200)}: {state}{was}; {items_words(done.items)} stored, {done.changed:,} {counting}"
    )


def _list_mutes(app: App, *, as_json: bool) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean
    from storage import mutes, queries

    found = mutes.listed(app.database)
    names = {number: name for name, number in queries.brand_ids(app.database).items()}
    if as_json:
        keep = ("shown", "site", "author_id", "by", "at")
        told = [{**{n: getattr(one, n) for n in keep}, "brand": names.get(one.brand_id or 0)} for one in found]
        print_json({"mutes": told})
        return
    table = Table(whole("muted"), "brand", "by", "since", box=None, pad_edge=False)
    for one in found:
        since = "" if one.at is None else f"{one.at.astimezone(app.settings.monitor.zone):%d %b %Y %H:%M}"
        brand = "all" if one.brand_id is None else clean(names[one.brand_id], 60)
        table.add_row(clean(one.shown, 100), brand, clean(one.by, 40), since)
    console().print(table if found else "nobody is muted")
