"""PURE  Links from a figure to the items behind it, on the dashboard: ``PUBLIC/items?figure=social.negative&brand=...``.

A figure is named by its place in the report: ``social.negative``, ``reviews.total``, ``volume.mentions``,
``topics.NAME.social.total``, ``drivers.negative.TERM.items``, ``breakdowns.place.NAME.reviews.total``; as
``items --figure`` takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from monitor.digest import escape
from monitor.digest.escape import Link
from monitor.figures import WindowFigure


@dataclass(frozen=True, slots=True)
class Links:
    """Where the figures of a window lead to. Without ``base``, the dashboard's address, they lead nowhere."""

    base: str | None
    since: datetime
    until: datetime

    def to(self, brand: str, *parts: str) -> Link | None:
        """The link to the items of a brand's figure; ``None`` where there is no dashboard, or the address would be too long."""
        return self._page("items", {"figure": ".".join(parts), "brand": brand})

    def overview(self, brand: str) -> Link | None:
        """The link to all of a brand's figures; ``None`` where there is no dashboard."""
        return self._page("overview", {"brand": brand})

    def _page(self, name: str, asked: Mapping[str, str]) -> Link | None:
        if self.base is None:
            return None
        window = {"since": _instant(self.since), "until": _instant(self.until)}
        return escape.link(f"{self.base}/{name}?{urlencode({**asked, **window})}")


def links(public_url: str | None, window: WindowFigure) -> Links:
    """The links of a window's figures; what is no plain web address gives none."""
    known = escape.link(public_url)
    return Links(known.url.partition("#")[0].partition("?")[0].rstrip("/") if known else None, window.start, window.end)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
