"""Commands that show: ``scores``, ``digest``."""

from __future__ import annotations

from collections.abc import Sequence
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

Dimension = Literal["source", "day", "place", "country", "app_version", "language", "topic"]
Form = Literal["html", "txt", "md", "json"]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="mention, review or post (may be repeated).")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="positive, neutral, negative or unscored (may be repeated).")
]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source (may be repeated).")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(scores)
    app.command()(digest)


# ------------------------------------------------------------------------------------------------- scores


def scores(
    brand: Brand = None,
    since: Since = None,
    until: Until = None,
    by: Annotated[
        Dimension | None,
        typer.Option("--by", help="A line for each source, day, place, country, app_version, language or topic."),
    ] = None,
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
            if sentiment.audited is not None:
                out.print(f"  {'':<14}{words.checked(sentiment.audited, zone)}", soft_wrap=True)
            if sentiment.change is not None and sentiment.total:
                out.print(f"  {'':<14}{words.verdict(sentiment.change, before)}", soft_wrap=True)
                if sentiment.change.left_out and not words.unwatched(sentiment.change):
                    out.print(f"  {'':<14}{words.not_compared(sentiment.change)}", soft_wrap=True)
        for line in _more(figures, before, zone):
            out.print(f"  {line}", soft_wrap=True)
        if by is not None:
            out.print(_table(figures, by, app))


def _more(figures: f.BrandFigures, before: str, zone: tzinfo) -> list[str]:
    from monitor.digest import escape, words
    from monitor.digest.alert_words import figure as alert

    lines = [f"{'volume:':<14}{words.volume(figures, before)}"]
    if figures.reviews.rating.count:
        lines.append(f"{'stars:':<14}{words.rating(figures.reviews.rating)}")
    lines += [
        f"{'followers:':<14}{escape.name(account.account)}: {words.followers(account)}" for account in figures.followers
    ]
    for sentiment, noun in ((figures.social, "mention"), (figures.reviews, "review")):
        if (left_out := words.left_out(sentiment, noun)) is not None:
            lines.append(f"{'left out:':<14}{left_out}")
    lines += [f"{'alert:':<14}{alert(one, zone)}" for one in figures.alerts]
    lines += [f"{'noted:':<14}{words.noted(one, zone)}" for one in figures.annotations]
    lines += [f"{'':<14}{words.NO_CAUSE}"] if any(one.social or one.reviews for one in figures.annotations) else []
    lines += (
        [f"{'watched:':<14}{since.removeprefix('watched ')}"] if (since := words.begun(figures.coverage, zone)) else []
    )
    lines += [f"{'not read:':<14}{words.unread(one)}" for one in figures.coverage.unread]
    lines += [f"{'gap:':<14}{words.gap(gap, zone)}" for gap in figures.coverage.gaps]
    return lines


def _table(figures: f.BrandFigures, by: str, app: App) -> Any:
    from rich.table import Table

    from monitor.digest import escape, words

    table = Table(whole(by), "mentions", "score", "reviews", "score", "volume", box=None, pad_edge=False)
    zone = app.settings.monitor.zone
    rows: list[tuple[str, f.Sentiment, f.Sentiment, int]]
    if by == "day":
        rows = [(_stretch(day, zone), day.social, day.reviews, day.volume) for day in figures.series]
    elif by == "source":
        rows = [(escape.name(one.source), one.social, one.reviews, one.volume) for one in figures.by_source]
    else:
        groups = figures.topics if by == "topic" else figures.breakdowns.get(by, [])
        rows = [(escape.name(one.name), one.social, one.reviews, one.volume) for one in groups]
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


def _stretch(day: f.Day, zone: tzinfo) -> str:
    mark = " not watched yet" if day.unwatched else " gap" if day.gap else ""
    return f"{day.start.astimezone(zone):%a %d %b %H:%M}{mark}"


# ------------------------------------------------------------------------------------------------- digest


def digest(
    name: Annotated[str | None, typer.Argument(help="The digest; the first one without it.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="2026-11-21, 2026-W46 or 2026-10.")] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="How it is written.")] = "txt",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into this file instead of the terminal.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="As HTML in the browser; with --output into that file only.")
    ] = False,
    send_test: Annotated[
        str | None, typer.Option("--send-test", help="Send it to this channel, marked as a test.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Build a digest of any period now, as known now, and print it; nothing is sent but with --send-test."""
    from monitor.digest import DigestView
    from monitor.digests import brands_of as digest_brands
    from monitor.dressing import dressed
    from monitor.report import build_report

    with opened(config) as app:
        chosen = _digest(app, name)
        window = _period(app, chosen, period)
        if send_test is not None:
            _send_test(app, chosen.name, window, send_test, as_json=as_json)
            return
        report = build_report(app, digest_brands(app, chosen), window)
        note = "Built again, as known now." if period is not None else None
        look = dressed(app, DigestView(name=chosen.name, zone=window.zone, detail=chosen.detail, sent_note=note))
        text = look.render(report, "json" if as_json else "html" if preview else form)
    if preview and output is None and not as_json:
        look_at(text, f"{chosen.name}-{window.label}")
    else:
        put_out(text, output)


def put_out(text: str, output: Path | None) -> None:
    """To the terminal, or into a file; one that cannot be written ends the command."""
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{output}: cannot be written ({error.strerror}); name another file") from error


def look_at(document: str, stem: str) -> None:
    """Open an HTML document in the browser, and say where it is: there may be no browser here."""
    import tempfile
    import webbrowser

    folder = Path(tempfile.mkdtemp(prefix="sentiment-monitor-"))
    file = folder / f"{stem.replace(':', '').replace('..', '_')}.html"
    put_out(document, file)
    typer.echo(str(file))
    webbrowser.open(file.as_uri())


def _send_test(app: App, name: str, window: Window, channel: str, *, as_json: bool) -> None:
    from monitor.delivery import deliver_one, queue_test
    from storage import outbox

    known = [one.name for one in app.settings.channels]
    if channel not in known:
        there = f"there are: {', '.join(known)}" if known else "none is configured"
        raise Failure(f'--send-test: no channel "{channel}"; {there}', 2)
    number = queue_test(app, name, window, channel)
    deliver_one(app, number)
    row = outbox.delivery_row(app.database, number)
    if as_json:
        print_json({"delivery": row})
    if row["state"] != "sent":
        raise Failure(f"delivery {number}: not sent: {row['error']}")
    if not as_json:
        typer.echo(f"delivery {number}: sent to {channel}" + (f", {row['error']}" if row["error"] else ""))


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


# ---------------------------------------------------------------------------------------- what others choose by


def check_sources(app: App, names: Sequence[str]) -> None:
    """Ends the command where the store knows no source of this name: no items would look like an answer."""
    from monitor.health import health_of_sources

    known = [state.name for state in health_of_sources(app)]
    for name in names:
        if name not in known:
            raise Failure(f'--source: no source "{name}"; there are: {", ".join(known)}', 2)


def one_of(option: str, values: Sequence[str] | None, known: Sequence[str]) -> Sequence[str]:
    for value in values or ():
        if value not in known:
            raise Failure(f'{option}: there is no "{value}"; write {", ".join(known)}', 2)
    return values or ()
