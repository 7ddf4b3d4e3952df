"""Commands that show: ``scores``, ``digest``, ``items``, ``sources``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    whole,
    window_of,
)

if TYPE_CHECKING:
    from monitor import figures as f
    from monitor.app import App
    from monitor.config import DigestSettings
    from monitor.schedule import Window
    from storage.records import ItemFilter, StoredItem

Form = Literal["html", "txt", "md", "json"]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="mention, review or post (may be repeated).")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="positive, neutral, negative or unscored (may be repeated).")
]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source (may be repeated).")]
ITEM_COLUMNS = (
    *("id", "brand", "source", "kind", "published_at", "label", "label_by", "compound", "stars", "author", "place"),
    *("title", "text", "url", "likes", "shares", "comments", "views", "language", "reply_text", "reply_at"),
    *("uncounted", "unscored", "scorer"),
)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(scores)
    app.command()(digest)
    app.command()(items)
    app.command()(sources)


# ------------------------------------------------------------------------------------------------- scores


def scores(
    brand: Brand = None,
    since: Since = None,
    until: Until = None,
    by: Annotated[Literal["source", "day"] | None, typer.Option("--by", help="A line for each source or day.")] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """The scores of a window (by default the last seven days), with their n and their likely range."""
    with opened(config) as app:
        if as_json:
            from monitor.report import build_report

            report = build_report(app, brands_of(app, brand), window_of(app, since, until))
            print_json(report.model_dump(mode="json", by_alias=True))
            return
        show_scores(app, brand, since, until, by)
        next_step("sentiment-monitor items --label negative")


def show_scores(
    app: App, brand: Sequence[str] | None, since: str | None, until: str | None, by: str | None = None
) -> None:
    """Print the scores: a plain line for each brand and kind, and a table where one is asked for."""
    from monitor.digest import escape, times, words
    from monitor.report import build_report

    window = window_of(app, since, until)
    report = build_report(app, brands_of(app, brand), window)
    out, zone = console(), app.settings.monitor.zone
    before = times.before(report.window, report.compared_with, zone)
    out.print(f"{times.window(report.window, zone)}, compared with {before}")
    for figures in report.brands:
        out.print(f"\n{escape.name(figures.brand)}")
        for title, sentiment in (("social media", figures.social), ("reviews", figures.reviews)):
            out.print(f"  {title + ':':<14}{words.score_line(sentiment)}", soft_wrap=True)
            if sentiment.change is not None and sentiment.total:
                out.print(f"  {'':<14}{words.verdict(sentiment.change, before)}", soft_wrap=True)
        for line in _more(figures, before, zone):
            out.print(f"  {line}", soft_wrap=True)
        if by is not None:
            out.print(_table(figures, by, app))


def _more(figures: f.BrandFigures, before: str, zone: tzinfo) -> list[str]:
    from monitor.digest import escape, words

    lines = [f"{'volume:':<14}{words.volume(figures, before)}"]
    if figures.reviews.rating.count:
        lines.append(f"{'stars:':<14}{words.rating(figures.reviews.rating)}")
    lines += [
        f"{'followers:':<14}{escape.name(account.account)}: {words.followers(account)}" for account in figures.followers
    ]
    for sentiment, noun in ((figures.social, "mention"), (figures.reviews, "review")):
        if (left_out := words.left_out(sentiment, noun)) is not None:
            lines.append(f"{'left out:':<14}{left_out}")
    lines += [f"{'gap:':<14}{words.gap(gap, zone)}" for gap in figures.coverage.gaps]
    return lines


def _table(figures: f.BrandFigures, by: str, app: App) -> Any:
    from rich.table import Table

    from monitor.digest import escape, words

    table = Table(whole(by), "mentions", "score", "reviews", "score", "volume", box=None, pad_edge=False)
    zone = app.settings.monitor.zone
    rows: list[tuple[str, f.Sentiment, f.Sentiment, int]]
    if by == "source":
        rows = [(escape.name(one.source), one.social, one.reviews, one.volume) for one in figures.by_source]
    else:
        rows = [
            (
                f"{day.start.astimezone(zone):%a %d %b %H:%M}{' gap' if day.gap else ''}",
                day.social,
                day.reviews,
                day.volume,
            )
            for day in figures.series
        ]
    for name, social, reviews, volume in rows:
        table.add_row(
            name,
            str(social.total),
            words.score_words(social),
            str(reviews.total),
            words.score_words(reviews),
            str(volume),
        )
    return table


# ------------------------------------------------------------------------------------------------- digest


def digest(
    name: Annotated[str | None, typer.Argument(help="The digest; the first one without it.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="2026-11-21, 2026-W46 or 2026-10.")] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="How it is written.")] = "txt",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into this file instead of the terminal.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Build a digest of any period now and print it; nothing is sent."""
    from monitor.digest import DigestView, render
    from monitor.digests import brands_of as digest_brands
    from monitor.report import build_report

    with opened(config) as app:
        chosen = _digest(app, name)
        window = _period(app, chosen, period)
        report = build_report(app, digest_brands(app, chosen), window)
        view = DigestView(name=chosen.name, zone=window.zone, detail=chosen.detail)
        text = render(report, "json" if as_json else form, view)
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{output}: cannot be written ({error.strerror}); name another file") from error


def _digest(app: App, name: str | None) -> DigestSettings:
    known = {one.name: one for one in app.settings.digests}
    if not known:
        raise Failure('no digest is configured; add [[digests]] with name = "daily" and schedule = "daily at 08:00"', 2)
    if name is not None and name not in known:
        raise Failure(f'no digest "{name}"; there are: {", ".join(known)}', 2)
    return known[name] if name is not None else next(iter(known.values()))


def _period(app: App, chosen: DigestSettings, period: str | None) -> Window:
    from monitor.schedule import parse_period, period_before

    if period is None:
        return period_before(app.now(), chosen.period, app.settings.monitor.zone)
    try:
        return parse_period(period, app.settings.monitor.zone)
    except ValueError as error:
        raise Failure(str(error), 2) from error


# -------------------------------------------------------------------------------------------------- items


def items(
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="Only this brand.")] = None,
    source: Sources = None,
    kind: Kinds = None,
    label: Labels = None,
    since: Since = None,
    until: Until = None,
    search: Annotated[str | None, typer.Option("--search", "-s", help="Words to be found in title or text.")] = None,
    uncounted: Annotated[
        Literal["excluded", "muted", "duplicate", "not_about_us", "all"] | None,
        typer.Option("--uncounted", help="Show what is kept and not counted, by reason."),
    ] = None,
    max_stars: Annotated[float | None, typer.Option("--max-stars", help="Reviews of so many stars or fewer.")] = None,
    min_stars: Annotated[float | None, typer.Option("--min-stars", help="Reviews of so many stars or more.")] = None,
    unanswered: Annotated[bool, typer.Option("--unanswered", help="Reviews without the owner's answer.")] = False,
    order: Annotated[Literal["newest", "negative", "positive", "engaged"], typer.Option("--order")] = "newest",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000_000)] = 20,
    config: ConfigPath = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, safe to open in a spreadsheet.")] = False,
) -> None:
    """The items behind the figures."""
    from storage import queries
    from storage.records import ItemFilter

    if as_json and as_csv:
        raise Failure("--json, --csv: say the same in two ways; give one of them", 2)
    with opened(config) as app:
        if brand is not None:
            brands_of(app, [brand])
        _check_sources(app, source or ())
        wanted = ItemFilter(
            brand=brand,
            sources=source or (),
            kinds=_one_of("--kind", kind, ("mention", "review", "post")),
            labels=_one_of("--label", label, ("positive", "neutral", "negative", "unscored")),
            since=instant(app, since),
            until=instant(app, until, up=True),
            search=search,
            uncounted=uncounted or "counted",
            stars_at_most=max_stars,
            stars_at_least=min_stars,
            unanswered=unanswered,
        )
        found = queries.items(app.database, wanted, order=order, limit=limit)
        if as_json:
            print_json({"items": [asdict(item) for item in found], "total": queries.count_items(app.database, wanted)})
        elif as_csv:
            typer.echo(_csv(found), nl=False)
        else:
            _show_items(app, wanted, found)


def _check_sources(app: App, names: Sequence[str]) -> None:
    """Ends the command where the store knows no source of this name: no items would look like an answer."""
    from monitor.health import health_of_sources

    known = [state.name for state in health_of_sources(app)]
    for name in names:
        if name not in known:
            raise Failure(f'--source: no source "{name}"; there are: {", ".join(known)}', 2)


def _one_of(option: str, values: Sequence[str] | None, known: Sequence[str]) -> Sequence[str]:
    for value in values or ():
        if value not in known:
            raise Failure(f'{option}: there is no "{value}"; write {", ".join(known)}', 2)
    return values or ()


def _show_items(app: App, wanted: ItemFilter, found: Sequence[StoredItem]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean
    from storage import queries

    zone = app.settings.monitor.zone
    table = Table("id", "when", "brand", "label", "score", "where", "what", box=None, pad_edge=False, expand=True)
    for item in found:
        said = " — ".join(part for part in (clean(item.title, 120), clean(item.text, 240)) if part) or "(no text)"
        stars = "" if item.stars is None else f"{item.stars:g}★ "
        score = "" if item.compound is None else f"{item.compound:+.2f}"
        table.add_row(
            str(item.id),
            f"{item.published_at.astimezone(zone):%d %b %H:%M}",
            clean(item.brand, 30) or "",
            item.label or f"unscored: {item.unscored or ''}",
            score,
            clean(item.place or item.source, 30) or "",
            stars + said,
        )
    out = console()
    out.print(table)
    out.print(f"{len(found)} of {queries.count_items(app.database, wanted)} items")
    if found:
        next_step(f"sentiment-monitor explain {found[0].id}")


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _csv(found: Sequence[StoredItem]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ITEM_COLUMNS)
    for item in found:
        writer.writerow([_cell(getattr(item, name)) for name in ITEM_COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


# ------------------------------------------------------------------------------------------------ sources


def sources(
    name: Annotated[str | None, typer.Argument(help="Show this source's last pulls.")] = None,
    healthy: Annotated[
        bool, typer.Option("--healthy", help="Print nothing; end with 1 if no source is read any more.")
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Each source's state: when it was read, what is wrong, when it is read next."""
    from monitor.health import health_of_sources, is_alive
    from storage import queries

    with opened(config) as app:
        states = health_of_sources(app)
        if healthy:
            if not is_alive(app):
                raise Failure("no source has been read for a long while; is the daemon running?")
            return
        if name is not None and name not in {state.name for state in states}:
            raise Failure(f'no source "{name}"; there are: {", ".join(state.name for state in states)}', 2)
        pulls = queries.pulls(app.database, name, 20) if name is not None else []
        if as_json:
            chosen = [asdict(state) for state in states if name in (None, state.name)]
            print_json({"sources": chosen, "pulls": pulls})
        elif name is not None:
            _show_pulls(app, pulls)
        else:
            _show_states(app)


def _show_states(app: App) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean
    from monitor.health import health_of_sources

    table = Table(whole("source"), "type", "state", "read up to", "next", box=None, pad_edge=False, expand=True)
    zone = app.settings.monitor.zone
    for state in health_of_sources(app):
        known = "never" if state.known_until is None else f"{state.known_until.astimezone(zone):%d %b %H:%M}"
        coming = "" if state.next_run_at is None else f"{state.next_run_at.astimezone(zone):%d %b %H:%M}"
        table.add_row(clean(state.name, 60) or "", state.type, clean(state.words, 300) or "", known, coming)
    console().print(table)


def _show_pulls(app: App, pulls: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    table = Table("begun", "result", "read", "new", "changed", "left out", "why", box=None, pad_edge=False, expand=True)
    zone = app.settings.monitor.zone
    for pull in pulls:
        result = {True: "good", False: "failed", None: "cut off"}[pull["ok"]]
        why = pull["error"] or "; ".join(f"{what}: {reason}" for what, reason in pull["skips"] or ())
        table.add_row(
            f"{pull['begun_at'].astimezone(zone):%d %b %H:%M:%S}",
            result,
            *(str(pull[key]) for key in ("seen", "new", "changed", "skipped")),
            clean(why, 300) or "",
        )
    console().print(table)
