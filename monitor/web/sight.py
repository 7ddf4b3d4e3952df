"""What a visitor may see who is limited to some brands. What is of others is as if it were not there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from monitor import figures as f
from monitor.app import App
from monitor.web.access import Visitor
from monitor.web.guards import NotAllowed
from monitor.web.problems import not_found

SHOWN: Final = 100
"""Characters of what was asked for that an answer repeats."""


def brands(app: App, visitor: Visitor) -> list[str]:
    """The watched brands that may be seen, in the configuration's order."""
    return [brand.name for brand in app.settings.brands if visitor.may_see(brand.name)]


def brand(app: App, visitor: Visitor, name: str) -> str:
    """``name``, if it is one of them; else it is not found."""
    seen = brands(app, visitor)
    if name not in seen:
        raise not_found(f'no brand "{name[:SHOWN]}"; there are: {", ".join(seen) or "none"}')
    return name


def chosen_brands(app: App, visitor: Visitor, names: Sequence[str] | None) -> list[str]:
    """Those that were asked for, each once; all that may be seen where none was."""
    if not names:
        return brands(app, visitor)
    return [brand(app, visitor, name) for name in dict.fromkeys(names)]


def whole_store(visitor: Visitor) -> None:
    """Refuse what concerns every brand to who is limited to some."""
    if visitor.brands is not None:
        raise NotAllowed("this token is limited to some brands, and this concerns all; take one without --brand")


def all_of(visitor: Visitor, names: Collection[str]) -> None:
    """Refuse what concerns these brands to who may not see each of them."""
    if not all(map(visitor.may_see, names)):
        raise NotAllowed("this concerns brands that this token is not for; take one without --brand")


# ---------------------------------------------------------------------------------------------------- sources


def sources(app: App, visitor: Visitor) -> frozenset[str] | None:
    """The sources that serve a brand that may be seen; ``None``: all that the store knows."""
    if visitor.brands is None:
        return None
    return frozenset(one.name for one in app.settings.sources if any(map(visitor.may_see, one.served)))


def served(app: App, name: str) -> Sequence[str]:
    """The brands that a source serves, as far as the configuration says."""
    return next((one.served for one in app.settings.sources if one.name == name), ())


def channels(app: App, visitor: Visitor, names: Sequence[str]) -> list[str]:
    """Of these channels those that are not for other brands alone."""
    of = {one.name: one.brands for one in app.settings.channels}
    return [name for name in names if not of.get(name) or any(map(visitor.may_see, of[name]))]


# ----------------------------------------------------------------------------------------------------- reports


def narrowed(report: f.Report, visitor: Visitor) -> f.Report:
    """The report without what it says of other brands, competitors among them. Pure."""
    if visitor.brands is None:
        return report
    kept = [_narrowed(one, visitor) for one in report.brands if visitor.may_see(one.brand)]
    return report.model_copy(update={"brands": kept})


def _narrowed(one: f.BrandFigures, visitor: Visitor) -> f.BrandFigures:
    rivals = [rival for rival in one.competitors if visitor.may_see(rival.brand)]
    of = [name for name in one.competitor_of if visitor.may_see(name)]
    volume = one.volume
    if len(rivals) < len(one.competitors):  # their part of the voices tells how many there are
        volume = volume.model_copy(update={"share_of_voice": None, "shared_sources": []})
    return one.model_copy(update={"competitors": rivals, "competitor_of": of, "volume": volume})
