"""Commands about who speaks and who listens: ``authors``, ``followers``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
)
from monitor.cli.reporting import heading, part_json, reported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor import figures as f
    from monitor.app import App
    from monitor.people import History

LISTS = {
    "engaged": "most engaged with",
    "followed": "most followed",
    "rising": "more active than before",
    "falling": "less active than before",
}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(authors)
    app.command()(followers)


def authors(
    who: Annotated[
        str | None, typer.Argument(metavar="[AUTHOR]", help="One author's history: a number from the list, or a name.")
    ] = None,
    brand: Brand = None,
    since: Since = None,
    until: Until = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Who speaks: most engaged with, most followed, rising, falling; or one author's whole history."""
    with opened(config) as app:
        if who is not None:
            _one(app, who, brand, (since, until), as_json=as_json)
            return
        report = reported(app, brand, since, until)
        if as_json:
            print_json(part_json(report, "authors"))
            return
        heading(app, report)
        for figures in report.brands:
            _show(figures)
        first = next((one.id for figures in report.brands for one in figures.authors.engaged), None)
        if first is not None:
            next_step(f"sentiment-monitor authors {first}")


def _show(figures: f.BrandFigures) -> None:
    from rich.table import Table

    from monitor.digest import escape
    from monitor.digest.numbers import count, plural, score

    out = console()
    out.print(f"\n{escape.name(figures.brand)}: {plural(figures.authors.total, 'author')}")
    for name, title in LISTS.items():
        listed: Sequence[f.AuthorFigures] = getattr(figures.authors, name)
        if not listed:
            continue
        out.print(f"  {title}")
        table = Table(box=None, pad_edge=False)
        for column in ("author", "number", "where", "items", "before", "engagement", "followers", "score"):
            table.add_column(column, no_wrap=column in ("author", "number"))
        for one in listed:
            mood = "not known" if one.score is None else f"{score(one.score)} of {count(one.total)}"
            table.add_row(
                *(escape.name(one.name), one.id, escape.name(one.source), count(one.items), count(one.before)),
                *(count(one.engagement), count(one.followers), mood),
            )
        out.print(table)


def followers(
    brand: Brand = None, since: Since = None, until: Until = None, config: ConfigPath = None, as_json: AsJson = False
) -> None:
    """Followers of the brand's own accounts at the window's end, and how many came or went in it."""
    with opened(config) as app:
        report = reported(app, brand, since, until)
        if as_json:
            print_json(part_json(report, "followers"))
            return
        heading(app, report)
        for figures in report.brands:
            _show_followers(app, figures)


def _show_followers(app: App, figures: f.BrandFigures) -> None:
    from monitor.digest import escape, times, words

    out = console()
    out.print(f"\n{escape.name(figures.brand)}")
    for one in figures.followers:
        seen = times.moment(one.seen_at, app.settings.monitor.zone)
        out.print(f"  {escape.name(one.account)} ({escape.name(one.source)}): {words.followers(one)}; seen {seen}")
    if not figures.followers:
        out.print("  no account is read; a source of the brand's own posts brings its followers")


# ------------------------------------------------------------------------------------------------- one author


def _one(
    app: App, who: str, brand: Sequence[str] | None, span: tuple[str | None, str | None], *, as_json: bool
) -> None:
    from monitor.people import found, history_of

    profiles = found(app, who)
    if not profiles:
        raise Failure(f'authors: nobody is called "{who}"; `authors` and `items --json` have names and numbers', 2)
    if len(profiles) > 1:
        known = ", ".join(f"{one.id} ({one.platform})" for one in profiles)
        raise Failure(f'authors: {len(profiles)} authors are called "{who}"; take one by its number: {known}', 2)
    since, until = instant(app, span[0]), instant(app, span[1], up=True)
    history = history_of(app, profiles[0], brands_of(app, brand), since, until)
    if as_json:
        print_json(_json(history))
    else:
        _show_history(app, history)


def _json(history: History) -> dict[str, Any]:
    tally = history.tally
    return {
        "author": {**asdict(history.profile), "id": str(history.profile.id)},
        "items": tally.volume,
        "score": tally.score,
        "total": tally.n,
        "engagement": history.engagement,
        "by_brand": history.by_brand,
        "months": [
            {
                "month": one.month,
                "items": one.tally.volume,
                **{name: getattr(one.tally, name) for name in ("positive", "negative", "neutral", "unscored")},
                "engagement": one.engagement,
            }
            for one in history.months
        ],
        "newest": [asdict(item) for item in history.newest],
    }


def _show_history(app: App, history: History) -> None:
    from rich.table import Table

    from monitor.cli.listing import show_items
    from monitor.digest import escape, times
    from monitor.digest.numbers import count, plural, score

    one, tally, out = history.profile, history.tally, console()
    seen = times.moment(one.seen_at, app.settings.monitor.zone)
    known = "followers not known" if one.followers is None else f"{plural(one.followers, 'follower')} ({seen})"
    out.print(f"{escape.name(one.name)} on {escape.name(one.platform)}, {known}", soft_wrap=True)
    about = ", ".join(f"{escape.name(name)} {count(n)}" for name, n in sorted(history.by_brand.items()))
    out.print(f"{plural(tally.volume, 'item')}: {about}" if about else "no mention or review that counts")
    if tally.n:
        # One person's items depend on each other, so that a likely range would promise too much.
        mood = f"{count(tally.positive)} positive, {count(tally.neutral)} neutral, {count(tally.negative)} negative"
        out.print(f"{mood} of {count(tally.n)} · score {score(tally.score)} (one author: no likely range)")
    if not tally.volume:
        return
    table = Table(
        "month", "items", "positive", "neutral", "negative", "not scored", "engagement", box=None, pad_edge=False
    )
    for month in history.months:
        labels = (month.tally.positive, month.tally.neutral, month.tally.negative, month.tally.unscored)
        table.add_row(month.month, count(month.tally.volume), *map(count, labels), count(month.engagement))
    out.print(table)
    out.print("newest:")
    show_items(app, history.newest)
    next_step(f"sentiment-monitor explain {history.newest[0].id}")
