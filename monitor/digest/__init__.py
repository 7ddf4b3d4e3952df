"""A report as a digest: HTML for mail and file, plain text, Markdown, JSON. No I/O but the package's own templates.

``words``, ``numbers`` and ``times`` hold the sentences and figures that every other output uses too.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from monitor.digest import brief, escape, layout, slack, words
from monitor.digest.brief import Brief
from monitor.digest.numbers import plural
from monitor.digest.page import Detail, DigestView
from monitor.figures import Report

Form = Literal["html", "txt", "md", "json", "slack"]

SUBJECT: Final = 180
"""Characters of a subject."""


def render(report: Report, form: Form, options: DigestView) -> str:
    """``report`` in one of the forms; the same report and options give the same text, byte for byte.

    JSON is the report itself, whole and unaltered: ``options`` do not touch it.
    """
    if form == "json":
        return escape.json_text(report.model_dump_json(by_alias=True, indent=2)) + "\n"
    if form == "slack":
        return slack.payload(in_brief(report, options))
    from monitor.digest import (
        forms,  # the templates’ engine takes time to import, which commands that need only words do not pay
    )

    made = {"html": forms.html, "txt": forms.text, "md": forms.markdown}
    return made[form](layout.page(report, options))


def in_brief(report: Report, options: DigestView) -> Brief:
    """``report`` as chats show it."""
    return brief.of_digest(layout.page(report, options))


def subject(report: Report, view: DigestView) -> str:
    """One line for a mail's subject: the first brand's news, how many brands more, the digest's name and its time."""
    frame = layout.frame_of(report, view)
    brands = layout.own(report)
    lead = words.news(brands[0], frame.before) if brands else "no brands"
    if view.subject:
        return _own_subject(view, frame.window, lead, escape.name(brands[0].brand) if brands else "")
    others = max(0, len(report.brands) - 1)
    more = f"; {plural(others, 'more brand', 'more brands')}" if others else ""
    return escape.cap(f"{lead}{more} · {escape.name(view.name)}, {frame.window}", SUBJECT)


def _own_subject(view: DigestView, window: str, lead: str, brand: str) -> str:
    """The owner's subject, its places filled."""
    news = lead.removeprefix(f"{brand}: ")
    places = {"{news}": news, "{brand}": brand, "{name}": escape.name(view.name), "{period}": window}
    filled = re.sub(r"\{\w+\}", lambda found: places.get(found[0], found[0]), view.subject or "")
    return escape.clean(filled, SUBJECT) or lead


def headline(report: Report, view: DigestView) -> str:
    """The sentence of the first of the own brands; of a report without brands, that it has none."""
    lines = headlines(report, view)
    return lines[0] if lines else "No brands in this digest."


def headlines(report: Report, view: DigestView) -> tuple[str, ...]:
    """One true sentence for each brand, own brands first."""
    return tuple(f"{brand}: {sentence}" for brand, sentence in layout.page(report, view).headlines)


__all__ = ["Brief", "Detail", "DigestView", "Form", "headline", "headlines", "in_brief", "render", "subject"]
