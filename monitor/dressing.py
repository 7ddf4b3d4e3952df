"""What its owner adds to a digest: a subject, a logo, own templates, the period's items beside it."""

from __future__ import annotations

import base64
import io
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from monitor.app import App
from monitor.channels.letter import Attachment
from monitor.charts import Chart, charts_of
from monitor.charts.drawing import NotDrawn, Picture, draw
from monitor.config.models import DigestSettings
from monitor.digest import DigestView, Form, layout, own, render
from monitor.digest.page import Drawn
from monitor.exporting import write_csv
from monitor.figures import BrandFigures, Report
from storage.engine import Database
from storage.export import Selection

LOG = logging.getLogger("sentiment_monitor.dressing")
LARGEST_LOGO: Final = 100_000
LARGEST_CSV: Final = 8_000_000
"""Bytes; mail servers refuse what is much larger."""
ENOUGH_TO_DRAW: Final = 30
"""Items from which a short digest shows their course."""
_PICTURES: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class NoLogo(Exception):
    """The logo cannot be shown; says why."""


@dataclass(frozen=True, slots=True)
class Dressed:
    """A digest as its owner wants it. ``remarks``: what of it could not be done, said once it has been tried."""

    view: DigestView
    remarks: list[str]
    templates: Path | None
    with_charts: bool = False

    def render(self, report: Report, form: Form) -> str:
        """The digest in a form, by the owner's template where there is one that works."""
        if form == "html" and self.with_charts:
            return replace(self, view=self._drawn(report), with_charts=False).render(report, form)
        if self.templates is None or not own.has(self.templates, form):
            return render(report, form, self.view)
        try:
            return own.render(self.templates, form, layout.page(report, self.view), report)
        except own.TemplateFault as fault:
            self._note(f"template {fault}")
            LOG.warning("template does not work digest=%s: %s", self.view.name, fault)
            told = f"The template {fault}. This is the built-in form."
            note = f"{self.view.sent_note} {told}" if self.view.sent_note else told
            return render(report, form, replace(self.view, sent_note=note))

    def _drawn(self, report: Report) -> DigestView:
        """The view with its charts; without them, and a remark, where they cannot be drawn."""
        wanted = {brand.brand: _chosen(brand, report, self.view) for brand in layout.own(report)}
        try:
            pictures = iter(draw([chart for charts in wanted.values() for chart in charts]))
        except NotDrawn as error:
            self._note(str(error))
            LOG.warning("digest without charts digest=%s: %s", self.view.name, error)
            return self.view
        drawn = {name: tuple(_as_drawn(next(pictures)) for _ in charts) for name, charts in wanted.items()}
        return replace(self.view, charts=drawn)

    def _note(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)


def dressed(app: App, view: DigestView) -> Dressed:
    """The view with what the digest's settings and ``[web]`` add; a digest that has left the configuration gets nothing."""
    settings = next((digest for digest in app.settings.digests if digest.name == view.name), None)
    linked = replace(view, public_url=app.settings.web.public_url)
    if settings is None:
        return Dressed(linked, [], None)
    remarks: list[str] = []
    logo = None
    if settings.logo is not None:
        try:
            logo = picture(settings.logo)
        except NoLogo as error:
            remarks.append(f"logo: {error}")
    shown = replace(linked, subject=settings.subject, logo_line=settings.logo_line, logo=logo)
    if settings.templates is not None and not settings.templates.is_dir():
        remarks.append(f"templates: there is no folder {settings.templates}")
    return Dressed(shown, remarks, settings.templates, settings.charts)


def _chosen(brand: BrandFigures, report: Report, view: DigestView) -> list[Chart]:
    """All charts for a full digest; for a short one the volume, where there is enough to see."""
    charts = charts_of(brand, report.window, view.zone)
    if view.detail == "full":
        return charts
    enough = brand.volume.mentions + brand.volume.reviews >= ENOUGH_TO_DRAW
    return [chart for chart in charts if chart.name == "volume" and enough]


def _as_drawn(one: Picture) -> Drawn:
    encoded = base64.b64encode(one.png).decode()
    return Drawn(one.chart.title, one.chart.alt, f"data:image/png;base64,{encoded}")


def picture(path: Path) -> str:
    """A picture as a ``data:`` address. ``NoLogo`` unless it is a PNG, JPEG or GIF of modest size."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LOGO + 1)
    except OSError as error:
        raise NoLogo(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > LARGEST_LOGO:
        raise NoLogo(f"{path}: is larger than {LARGEST_LOGO // 1000} kB; make it smaller")
    kind = next((kind for mark, kind in _PICTURES if content.startswith(mark)), None)
    if kind is None:
        raise NoLogo(f"{path}: is no PNG, JPEG or GIF")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def attachments(
    app: App,
    settings: DigestSettings | None,
    report: Report,
    stem: str,
    remarks: list[str],
    at_most: int = LARGEST_CSV,
) -> list[Attachment]:
    """The items of the report's brands and window as CSV, where the digest's settings say so; none of more bytes than ``at_most``."""
    if settings is None or not settings.attach_items or not report.brands:
        return []
    wanted = Selection([brand.brand for brand in report.brands], report.window.start, report.window.end)
    content = _csv(app.database, wanted, at_most)
    if content is None:
        remark = f"items: more than {at_most:,} bytes, not attached; take them with: sentiment-monitor db export"
        if remark not in remarks:
            remarks.append(remark)
        return []
    return [Attachment(f"{stem}-items.csv", "text/csv", content)]


def _csv(database: Database, wanted: Selection, at_most: int) -> bytes | None:
    """The items as CSV that spreadsheets take for no formula; ``None`` where they are too many to attach."""
    out = _Bounded(at_most)
    try:
        write_csv(database, wanted, out)
    except _TooLarge:
        return None
    return out.getvalue()


class _TooLarge(Exception):
    """More than fits."""


class _Bounded(io.BytesIO):
    def __init__(self, at_most: int) -> None:
        super().__init__()
        self._at_most = at_most

    def write(self, content: Any) -> int:
        written = super().write(content)
        if self.tell() > self._at_most:
            raise _TooLarge
        return written
