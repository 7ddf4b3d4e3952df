"""Tags: ``tag`` puts one on items or takes it off, by number or by filter; ``tags`` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    AsJson,
    Brand,
    By,
    ConfigPath,
    Failure,
    Since,
    Until,
    console,
    opened,
    print_json,
    say,
    whole,
)
from monitor.cli.listing import Search
from monitor.cli.marking import (
    All,
    Author,
    DryRun,
    Languages,
    Place,
    Tagged,
    Uncounted,
    Where,
    check_all,
    end,
    filter_of,
    items_words,
    numbers,
)
from monitor.cli.showing import Kinds, Labels, Sources

if TYPE_CHECKING:
    from monitor.app import App
    from storage.marks import Marked
    from storage.records import ItemFilter

LONGEST = 60
"""Characters in a tag at most."""


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(tag)
    app.command()(tags)


def tag(
    words: Annotated[list[str], typer.Argument(metavar="ITEM... NAME", help="Items by number, and the tag.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag off them.")] = False,
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
    by: By = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Put a tag on items, or take it off."""
    people = {"author": author, "place": place, "languages": language, "tags": tagged}
    given = {"brands": brand, "sources": source, "kinds": kind, "labels": label, **people}
    given |= {"since": since, "until": until, "search": search, "uncounted": uncounted}
    chosen = {name: value for name, value in given.items() if value is not None}
    ids, name = numbers(words[:-1]), " ".join(words[-1].split())
    if where == bool(ids):
        raise Failure("tag: give numbers of items, or --where with the options that choose them; and then the tag", 2)
    check_all(where=where, chosen=bool(chosen) or (remove and not everything), everything=everything)
    if not where and chosen:
        raise Failure("--brand, --search ...: choose items together with --where", 2)
    if not 0 < len(name) <= LONGEST:
        raise Failure(f"tag: a tag has 1 to {LONGEST} characters", 2)
    with opened(config) as app:
        step = _tagging(app, name, by, remove=remove)
        wanted = filter_of(app, _chosen(chosen, name, remove=remove)) if where else None
        if dry_run:
            _tell_dry(app, name, ids, wanted, remove=remove, as_json=as_json)
            return
        done = step(ids) if wanted is None else _on_all(app, wanted, step)
    if as_json:
        print_json({"tag": name, "removed": remove, **asdict(done)})
    else:
        say(f"{items_words(done.done)} {'no longer ' if remove else ''}tagged")
    end(done)


def _chosen(chosen: Mapping[str, Any], name: str, *, remove: bool) -> Mapping[str, Any]:
    """A tag is taken off wherever it is, and put on what counts, unless another reason is named."""
    if remove:
        return {"uncounted": "all", **chosen, "tags": [*chosen.get("tags", ()), name]}
    return {"uncounted": "counted", **chosen}


def _tagging(app: App, name: str, by: str | None, *, remove: bool) -> Callable[[Sequence[int]], Marked]:
    from monitor import marking

    if remove:
        return lambda ids: marking.untag(app, ids, name)
    return lambda ids: marking.tag(app, ids, name, by)


def _on_all(app: App, wanted: ItemFilter, step: Callable[[Sequence[int]], Marked]) -> Marked:
    from monitor.marking import on_all

    with console(err=True).status("tagging") as status:  # silent where nobody watches
        return on_all(app, wanted, step, lambda seen: status.update(f"tagging: {seen:,} items"))


def _tell_dry(
    app: App, name: str, ids: Sequence[int], wanted: ItemFilter | None, *, remove: bool, as_json: bool
) -> None:
    from storage.listing import count_items

    chosen = len(ids) if wanted is None else count_items(app.database, wanted)
    if as_json:
        print_json({"tag": name, "removed": remove, "dry_run": True, "chosen": chosen})
    else:
        typer.echo(f"{items_words(chosen)} would {'no longer ' if remove else ''}be tagged; nothing was changed")


def tags(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Every tag, with how many items bear it."""
    from rich.table import Table

    from monitor.digest.escape import clean
    from storage import marks

    with opened(config) as app:
        found = marks.tags(app.database)
    if as_json:
        print_json({"tags": [{"tag": name, "items": count} for name, count in found]})
        return
    table = Table(whole("tag"), "items", box=None, pad_edge=False)
    for name, count in found:
        table.add_row(clean(name, LONGEST), f"{count:,}")
    console().print(table if found else "there are no tags")
