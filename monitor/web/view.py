"""PURE  A report as pages show it: the blocks of a digest with links within the site, and charts whose points lead somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from monitor.charts import Chart, charts_of
from monitor.charts.scores import Kind, leading, score_chart
from monitor.charts.series import short_name
from monitor.digest import layout, times, words
from monitor.digest.escape import Link
from monitor.digest.numbers import count
from monitor.digest.page import Block, DigestView
from monitor.figures import BrandFigures, Day, Report
from monitor.schedule import Window
from monitor.slices import stretches
from monitor.web.asked import Asked

BASE: Final = "http://here"
"""What the links of a block begin with until they are shown."""


@dataclass(frozen=True, slots=True)
class Plotted:
    """A chart, its values as a table, and where its points lead, by their place."""

    chart: Chart
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    links: Mapping[int, str]


def block_of(report: Report, zone: tzinfo) -> Block:
    """The first brand of a report in the words of a full digest."""
    view = DigestView(name="-", zone=zone, public_url=BASE)  # type: ignore[arg-type]
    return layout.page(report, view).brands[0]


def before_words(report: Report, zone: tzinfo) -> str:
    """What the window is compared with: ``the 30 days before``."""
    return times.before(report.window, report.compared_with, zone)


def here(link: Link | None) -> str | None:
    """A block's link as an address within the site."""
    return None if link is None else link.url.removeprefix(BASE)


def plotted(report: Report, asked: Asked, zone: tzinfo) -> dict[str, Plotted]:
    """The charts of a report's first brand, by name."""
    brand = report.brands[0]
    other: Kind = "social" if leading(brand) == "reviews" else "reviews"
    charts = [*charts_of(brand, report.window, zone), score_chart(brand, report.window, zone, other)]
    return {one.name: _plotted(one, brand, asked, zone) for one in charts if one is not None}


_KINDS: Final[Mapping[str, Kind]] = {"score of mentions": "social", "score of reviews": "reviews"}


def _plotted(chart: Chart, brand: BrandFigures, asked: Asked, zone: tzinfo) -> Plotted:
    if chart.name.startswith("score"):
        kind = _KINDS.get(chart.name, leading(brand))
        rows = [(_day(day, asked.window, zone), *_score_cells(day, kind)) for day in brand.series]
        return Plotted(chart, ("When", "Score", "Of", "Read"), rows, _series(brand, asked, f"{kind}.total"))
    if chart.name == "volume":
        rows = [(_day(day, asked.window, zone), *_volume_cells(day)) for day in brand.series]
        columns = ("When", "Items", "Positive", "Neutral", "Negative", "Not scored", "Usual", "Read")
        return Plotted(chart, columns, rows, _series(brand, asked, "volume"))
    if chart.name == "stars":
        cells = {str(cell): brand.reviews.rating.histogram.get(str(cell), 0) for cell in (5, 4, 3, 2, 1)}
        links = {n: asked.figure(f"reviews.rating.histogram.{cell}") for n, cell in enumerate(cells) if cells[cell]}
        return Plotted(_numbered(chart), ("Stars", "Reviews"), [(cell, count(n)) for cell, n in cells.items()], links)
    if chart.name == "engagement":
        return _engagement(_numbered(chart), brand, asked)
    return Plotted(chart, (), (), {})


def _numbered(chart: Chart) -> Chart:
    """The same with a place in each of its rows, by which a bar knows where it leads."""
    rows = [{**row, "index": number} for number, row in enumerate(chart.spec["data"]["values"])]
    return replace(chart, spec={**chart.spec, "data": {"values": rows}})


def _engagement(chart: Chart, brand: BrandFigures, asked: Asked) -> Plotted:
    whole = {short_name(one.source): one.source for one in brand.by_source}
    values = chart.spec["data"]["values"]
    rows = [(f"{row['source']}, {row['part']}", count(row["items"])) for row in values]
    paths = [f"by_source.{whole[row['source']]}.engagement.{row['part']}" for row in values]
    return Plotted(chart, ("Where", "How many"), rows, {n: asked.figure(path) for n, path in enumerate(paths)})


def _series(brand: BrandFigures, asked: Asked, figure: str) -> dict[int, str]:
    """Where each stretch leads that has something behind it."""
    kind = figure.partition(".")[0]
    sizes = [day.volume if kind == "volume" else getattr(day, kind).total for day in brand.series]
    names = stretches(asked.window)
    return {
        number: asked.figure(f"series.{name}.{figure}")
        for number, (name, size) in enumerate(zip(names, sizes, strict=True))
        if size
    }


def _day(day: Day, window: Window, zone: tzinfo) -> str:
    hourly = window.length.total_seconds() <= 50 * 3600
    return times.moment(day.start, zone) if hourly else times.day(day.start, zone)


def _score_cells(day: Day, kind: str) -> tuple[str, ...]:
    figure = getattr(day, kind)
    return words.score_words(figure), count(figure.total), _read(day)


def _volume_cells(day: Day) -> tuple[str, ...]:
    both = (day.social, day.reviews)
    labels = [
        count(sum(getattr(one, name) for one in both)) for name in ("positive", "neutral", "negative", "unscored")
    ]
    usual = "–" if day.expected is None else f"{day.expected.low} to {day.expected.high}"
    return count(day.volume), *labels, usual, _read(day)


def _read(day: Day) -> str:
    return "not watched yet" if day.unwatched else "not fully" if day.gap else "yes"
