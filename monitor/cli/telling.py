"""Commands about what is said: ``drivers``, ``topics``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from monitor.cli.common import AsJson, Brand, ConfigPath, Since, Until, console, next_step, opened, print_json
from monitor.cli.reporting import compared_with, heading, part_json, reported

if TYPE_CHECKING:
    from monitor import figures as f
    from monitor.app import App

SAID = 160
"""Characters of an example."""


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(drivers)
    app.command()(topics)


def drivers(
    brand: Brand = None, since: Since = None, until: Until = None, config: ConfigPath = None, as_json: AsJson = False
) -> None:
    """The words that tell negative items from positive ones, and this window from the one before; with an example each."""
    with opened(config) as app:
        report = reported(app, brand, since, until)
        if as_json:
            print_json(part_json(report, "drivers"))
            return
        heading(app, report)
        for figures in report.brands:
            _show_drivers(figures, compared_with(app, report))
        if (term := _first(report)) is not None:
            next_step(f"sentiment-monitor items {term}")


def _show_drivers(figures: f.BrandFigures, before: str) -> None:
    from monitor.digest import escape
    from monitor.digest.numbers import plural

    out, found = console(), figures.drivers
    out.print(f"\n{escape.name(figures.brand)}: {plural(found.texts, 'text')}{' (a sample)' if found.sampled else ''}")
    sides = (
        ("complained about", found.negative, "positive ones"),
        ("praised", found.positive, "negative ones"),
        ("new", found.new, before),
    )
    for title, terms, against in sides:
        for clear, part in ((True, title), (False, f"{title}, maybe by chance")):
            here = [term for term in terms if term.clear is clear]
            if here:
                out.print(f"  {part}")
            for term in here:
                _show_term(term, against)
    if not (found.negative or found.positive or found.new):
        out.print("  no word stands out: that takes three authors who use it on one side more than on the other")


def _show_term(term: f.Driver, against: str) -> None:
    from monitor.digest import escape
    from monitor.digest.numbers import count, plural

    out = console()
    said = (
        f"{plural(term.items, 'item')} by {plural(term.authors, 'author')}, against {count(term.others)} in {against}"
    )
    out.print(f"    {escape.name(term.term)}: {said}", soft_wrap=True)
    for quote in term.examples[:1]:
        words = escape.clean(quote.text or quote.title, SAID) or "(erased)"
        out.print(f"      {quote.id}: {words}", soft_wrap=True)


def _first(report: f.Report) -> str | None:
    """A figure to open: the first term's items."""
    for figures in report.brands:
        for term in figures.drivers.negative:
            return f'--brand "{figures.brand}" --figure "drivers.negative.{term.term}.items"'
    return None


def topics(
    brand: Brand = None, since: Since = None, until: Until = None, config: ConfigPath = None, as_json: AsJson = False
) -> None:
    """The configured topics: how many items, their score with its likely range, and whether it moved."""
    with opened(config) as app:
        report = reported(app, brand, since, until)
        if as_json:
            print_json(part_json(report, "topics"))
            return
        heading(app, report)
        for figures in report.brands:
            _show_topics(app, figures.brand, figures.topics, compared_with(app, report))


def _show_topics(app: App, brand: str, groups: Sequence[f.Group], before: str) -> None:
    from monitor.digest import escape, words
    from monitor.digest.numbers import count, plural

    out = console()
    out.print(f"\n{escape.name(brand)}")
    for group in groups:
        out.print(f"  {escape.name(group.name)}: {plural(group.volume, 'item')}, {before}: {count(group.before)}")
        for title, sentiment in (("mentions", group.social), ("reviews", group.reviews)):
            if sentiment.total:
                change = f"; {words.verdict(sentiment.change, before)}" if sentiment.change else ""
                out.print(f"    {title}: {words.score_line(sentiment)}{change}", soft_wrap=True)
    if not groups:
        told = (
            "no item names a topic" if app.settings.topics else "no topic is configured; add [[topics]] with keywords"
        )
        out.print(f"  {told}")
