"""The command ``items``: what is behind the figures, by filter, search and order, page by page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monitor.cells import cell
from monitor.cli.common import (
    AsJson,
    Brand,
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
    say,
)
from monitor.cli.opening import figure_json, opened_figure, show_figure
from monitor.cli.showing import Kinds, Labels, Sources, check_sources, one_of

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.opening import Opened
    from storage.records import ItemFilter, StoredItem
    from storage.search_tree import Tree

Order = Literal["newest", "oldest", "negative", "positive", "engaged", "unanswered"]
Search = Annotated[
    str | None,
    typer.Option("--search", "-s", help='What title or text say: battery AND NOT charger, (a OR b) "a phrase" begin*'),
]
MOST = 10**12
ITEM_COLUMNS = (
    *("id", "brand", "source", "kind", "published_at", "label", "label_by", "compound", "stars", "author", "place"),
    *("title", "text", "url", "likes", "shares", "comments", "views", "language", "reply_text", "reply_at"),
    *("uncounted", "unscored", "scorer"),
)
COUNTED_TO = 10_000
"""A terminal is not told the exact number of more items than that."""
_YEAR = timedelta(days=365)


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(items)


def items(
    brand: Brand = None,
    source: Sources = None,
    kind: Kinds = None,
    label: Labels = None,
    since: Since = None,
    until: Until = None,
    search: Search = None,
    author: Annotated[str | None, typer.Option("--author", help="By whom: a name, or an id on the platform.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="Where: r/phones, a forum's name ...")] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="en, de ... or unknown (may be repeated).")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", help="country=DE, app_version=4.2 (repeated: all of them).")
    ] = None,
    min_stars: Annotated[float | None, typer.Option("--min-stars", help="Reviews of so many stars or more.")] = None,
    max_stars: Annotated[float | None, typer.Option("--max-stars", help="Reviews of so many stars or fewer.")] = None,
    min_engagement: Annotated[
        int | None,
        typer.Option("--min-engagement", help="So many likes, shares and comments together.", min=0, max=MOST),
    ] = None,
    min_likes: Annotated[int | None, typer.Option("--min-likes", min=0, max=MOST)] = None,
    min_shares: Annotated[int | None, typer.Option("--min-shares", min=0, max=MOST)] = None,
    min_comments: Annotated[int | None, typer.Option("--min-comments", min=0, max=MOST)] = None,
    min_views: Annotated[int | None, typer.Option("--min-views", min=0, max=MOST)] = None,
    unanswered: Annotated[bool, typer.Option("--unanswered", help="Reviews without the owner's answer.")] = False,
    uncounted: Annotated[
        Literal["excluded", "muted", "duplicate", "not_about_us", "all"] | None,
        typer.Option("--uncounted", help="Show what is kept and not counted, by reason."),
    ] = None,
    like: Annotated[
        int | None, typer.Option("--like", metavar="ITEM", help="That say nearly the same as this one, counted or not.")
    ] = None,
    scorer: Annotated[str | None, typer.Option("--scorer", help="Labelled by it: vader, or vader/2.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="With this tag (repeated: all of them).")] = None,
    done: Annotated[bool | None, typer.Option("--done/--undone", help="Marked as done, or not.")] = None,
    text: Annotated[bool | None, typer.Option("--with-text/--without-text", help="That say something, or not.")] = None,
    figure: Annotated[
        str | None,
        typer.Option(
            "--figure", help="The items behind a number of the report: social.negative, reviews.rating.histogram.1"
        ),
    ] = None,
    order: Annotated[
        Order, typer.Option("--order", help="What comes first; unanswered: reviews that nobody has answered.")
    ] = "newest",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000_000)] = 20,
    after: Annotated[
        str | None, typer.Option("--after", metavar="TOKEN", help="Go on where a page ended; it prints the token.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, safe to open in a spreadsheet.")] = False,
) -> None:
    """The items behind the figures."""
    from storage.records import ItemFilter

    if as_json and as_csv:
        raise Failure("--json, --csv: say the same in two ways; give one of them", 2)
    counts = {"engagement": min_engagement, "likes": min_likes, "shares": min_shares}
    counts |= {"comments": min_comments, "views": min_views}
    with opened(config) as app:
        check_sources(app, source or ())
        wanted = ItemFilter(
            brands=brands_of(app, brand) if brand else (),
            sources=source or (),
            kinds=one_of("--kind", kind, ("mention", "review", "post")),
            labels=one_of("--label", label, ("positive", "neutral", "negative", "unscored")),
            since=instant(app, since),
            until=instant(app, until, up=True),
            search=searched(search),
            author=author,
            place=place,
            languages=[code.strip().lower() for code in language or ()],
            attributes=[_pair(one) for one in attribute or ()],
            stars_at_least=_stars("--min-stars", min_stars),
            stars_at_most=_stars("--max-stars", max_stars),
            at_least=[(name, count) for name, count in counts.items() if count is not None],
            unanswered=unanswered,
            uncounted=uncounted or "counted",
            scorer=scorer,
            tags=tag or (),
            done=done,
            has_text=text,
        )
        told = None
        if like is not None:
            wanted = replace(wanted, ids=_alike(app, like), uncounted=uncounted or "all")
        if figure is not None:
            told = opened_figure(app, figure, wanted, (since, until))
            wanted = told.wanted or replace(wanted, ids=())
        _print(app, wanted, _page(app, wanted, order, limit, after), told, as_json=as_json, as_csv=as_csv)


def _print(app: App, wanted: ItemFilter, page: _Page, told: Opened | None, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json({**(figure_json(told) if told else {}), **_json(app, wanted, page)})
    elif as_csv:
        typer.echo(_csv(app, page.items), nl=False)
        _tell_next(page)
    else:
        if told:
            show_figure(told)
        if told is None or told.why is None:
            _show(app, wanted, page)


def searched(search: str | None) -> Tree | None:
    """The tree of ``--search``; a fault in it ends the command and shows the place."""
    from monitor.query import QueryError
    from monitor.searching import search_of

    if search is None:
        return None
    try:
        return search_of(search)
    except QueryError as error:
        raise Failure(f"--search: {error}", 2) from error


def _alike(app: App, item_id: int) -> list[int]:
    from monitor.likeness import copies_of
    from storage.queries import items_by_id

    if item_id not in items_by_id(app.database, [item_id]):
        raise Failure(f"--like: there is no item {item_id}; `sentiment-monitor items` shows their numbers", 2)
    return [one.id for one in copies_of(app, item_id)]


def _pair(given: str) -> tuple[str, str]:
    name, sign, value = given.partition("=")
    if not (sign and name and value):
        raise Failure(f'--attribute: "{given}" names no value; write country=DE', 2)
    return name, value


def _stars(option: str, stars: float | None) -> float | None:
    if stars is not None and not (math.isfinite(stars) and abs(stars) <= 1_000):
        raise Failure(f"{option}: {stars} is no number of stars; write 4 or 3.5", 2)
    return stars


# ------------------------------------------------------------------------------------------------ one page


@dataclass(frozen=True, slots=True)
class _Page:
    items: Sequence[StoredItem]
    next: str | None
    """The token of the following page; ``None`` after the last one."""


def _page(app: App, wanted: ItemFilter, order: str, limit: int, after: str | None) -> _Page:
    from storage import listing

    try:
        key = None if after is None else listing.key_of(after, order)
    except ValueError as error:
        raise Failure(f"--after: {error}", 2) from error
    found = listing.items(app.database, wanted, order=order, limit=limit + 1, after=key)
    return _Page(found[:limit], listing.token_of(found[limit - 1], order) if len(found) > limit else None)


def _json(app: App, wanted: ItemFilter, page: _Page) -> dict[str, Any]:
    from storage.listing import count_items

    leaders = _leaders(app, page.items)
    found = [{**asdict(item), "copy_of": leaders.get(item.id)} for item in page.items]
    return {"items": found, "total": count_items(app.database, wanted), "next": page.next}


def _csv(app: App, found: Sequence[StoredItem]) -> str:
    leaders = _leaders(app, found)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*ITEM_COLUMNS, "copy_of"])
    for item in found:
        writer.writerow([*(cell(getattr(item, name)) for name in ITEM_COLUMNS), cell(leaders.get(item.id))])
    return text.getvalue()


def _show(app: App, wanted: ItemFilter, page: _Page) -> None:
    from storage.listing import count_items

    show_items(app, page.items)
    out = console()
    total = count_items(app.database, wanted, at_most=COUNTED_TO + 1)
    out.print(f"{len(page.items)} of {total if total <= COUNTED_TO else f'more than {COUNTED_TO:,}'} items")
    _tell_next(page)
    if page.items:
        next_step(f"sentiment-monitor explain {page.items[0].id}")


def _leaders(app: App, found: Sequence[StoredItem]) -> dict[int, int]:
    """Of items that are left out as copies, by their numbers: what they are copies of."""
    from storage.likeness import copies_known

    return copies_known(app.database, [item.id for item in found if item.uncounted == "duplicate"])


def show_items(app: App, found: Sequence[StoredItem]) -> None:
    """Items as a table."""
    from rich.table import Table

    table = Table("id", "when", "brand", "label", "score", "where", "what", box=None, pad_edge=False, expand=True)
    leaders = _leaders(app, found)
    for item in found:
        table.add_row(*_cells(item, leaders.get(item.id), app.now(), app.settings.monitor.zone))
    console().print(table)


def _cells(item: StoredItem, copy_of: int | None, now: datetime, zone: tzinfo) -> Iterator[str]:
    from monitor.digest.escape import clean

    said = " — ".join(part for part in (clean(item.title, 120), clean(item.text, 240)) if part) or (
        "(erased)" if item.erased else "(no text)"
    )
    when = item.published_at.astimezone(zone)
    yield str(item.id)
    yield f"{when:%d %b %Y}" if now - item.published_at > _YEAR else f"{when:%d %b %H:%M}"
    yield clean(item.brand, 30) or ""
    yield item.label or f"unscored: {item.unscored or ''}"
    yield "" if item.compound is None else f"{item.compound:+.2f}"
    yield clean(item.place or item.source, 30) or ""
    copied = "" if copy_of is None else f"(copy of {copy_of}) "
    yield copied + ("" if item.stars is None else f"{item.stars:g}★ ") + said


def _tell_next(page: _Page) -> None:
    if page.next is not None:
        say(f"more: the same with --after {page.next}")
