"""A notice (an alert, a rule's items, a test) in the forms of a digest: a sentence, further lines, and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.digest import escape, forms, slack, times
from monitor.digest.brief import Brief, of_notice
from monitor.digest.items import said
from monitor.digest.page import Words
from monitor.figures import Quote

SUBJECT: Final = 180
LINE: Final = 500


@dataclass(frozen=True, slots=True)
class NoticePage:
    """What a notice shows, cleaned and not yet escaped. ``more``: items it does not name."""

    kind: str
    name: str
    title: str
    lines: tuple[str, ...]
    items: tuple[Words, ...]
    more: int
    made: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, ready for any channel."""

    page: NoticePage
    document: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """One line for a mail's subject."""
        return escape.cap(self.page.title, SUBJECT)

    @property
    def brief(self) -> Brief:
        """The notice as chats show it."""
        return of_notice(self.page)

    def render(self, form: str) -> str:
        """The notice in one of the forms."""
        if form == "json":
            return escape.json_text(dumps(self.document, ensure_ascii=False, indent=2)) + "\n"
        if form == "slack":
            return slack.payload(self.brief)
        return forms.notice(self.page, form)


def told(
    kind: str,
    name: str,
    title: str,
    lines: Sequence[str],
    quotes: Sequence[Quote],
    *,
    total: int,
    at: datetime,
    zone: ZoneInfo,
    figures: Mapping[str, Any],
    brand: str | None,
) -> Told:
    """A notice made ready; ``total``: items it is about, of which ``quotes`` are the first."""
    page = NoticePage(
        kind=kind,
        name=escape.name(name),
        title=escape.clean(title, LINE) or escape.name(name),
        lines=tuple(line for line in (escape.clean(one, LINE) for one in lines) if line),
        items=tuple(said(quote, zone) for quote in quotes),
        more=max(0, total - len(quotes)),
        made=times.moment(at, zone),
    )
    document = {
        "schema": 1,
        "kind": kind,
        "name": name,
        "brand": brand,
        "at": at.isoformat().replace("+00:00", "Z"),
        "title": title,
        "lines": list(lines),
        "figures": dict(figures),
        "total": total,
        "items": [quote.model_dump(mode="json") for quote in quotes],
    }
    return Told(page, document)
