"""What the present keywords say of items that are stored: the same that a pull would say if it brought them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors import registry
from connectors.contract import Kind, Scope
from monitor.app import App, Watched
from monitor.belonging import counts_all
from monitor.config.models import Settings
from monitor.matching import Verdict, decide
from storage import sources
from storage.engine import Database
from storage.marks import Decided, Seen

_SOURCES_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides by the brands of the configuration and by what is known of each source.

    ``by_nature``: by source id, does all of it count? ``None`` where the source has left the configuration and nobody knows.
    ``names``: the sources by id.
    """

    brands: Mapping[int, Watched]
    by_nature: Mapping[int, bool | None]
    names: Mapping[int, str] = field(default_factory=dict)

    def decided(self, item: Seen) -> Decided:
        """Is the item excluded? An item that no longer names its brand is; own posts and what counts by nature never are."""
        return Decided(item, self.verdict(item)[0])

    def verdict(self, item: Seen) -> tuple[bool | None, str | None]:
        """Is the item excluded (``None``: nobody can say), and by which exclusion, as configured?"""
        brand, by_nature = self.brands.get(item.brand_id), self.by_nature.get(item.source_id)
        if not self.heeds_words(item):
            return False, None
        if brand is None:
            return None, None
        found = decide(item.said, brand.keywords)
        if found.verdict is Verdict.NOT_NAMED:
            return (True if by_nature is False else None), None
        return found.verdict is Verdict.EXCLUDED, found.excluded_by

    def heeds_words(self, item: Seen) -> bool:
        """Do keywords decide whether the item counts?"""
        return item.kind != Kind.POST and not self.by_nature.get(item.source_id)

    def named(self, counts: Mapping[int, int]) -> dict[str, int]:
        """Counts by source id, by the sources' names, most first."""
        told = ((self.names.get(number, "?"), count) for number, count in counts.items())
        return dict(sorted(told, key=lambda one: (-one[1], one[0])))


def beyond_words(beyond: Mapping[str, int]) -> str:
    """How many items no keyword decides about, and of which sources; empty without any."""
    if not beyond:
        return ""
    total, told = sum(beyond.values()), [f"{name} {count:,}" for name, count in list(beyond.items())[:_SOURCES_TOLD]]
    more = len(beyond) - len(told)
    rest = [f"{more} more source{'s' if more > 1 else ''}"] if more else []
    return (
        f'no keyword decides about {total:,} more, own posts and what counts by nature or by match = "all": '
        + ", ".join([*told, *rest])
    )


def judge(app: App) -> Judge:
    """A judge by the present configuration."""
    return judge_by(app.settings, app.database, app.brands.values())


def judge_by(settings: Settings, database: Database, brands: Iterable[Watched]) -> Judge:
    """A judge by these settings, and by the rules of these brands."""
    known = {source.name: source for source in settings.sources}
    states = sources.states(database)
    natures = {
        state.id: counts_all(known[state.name]) if state.name in known else _nature_of(state.name, state.type)
        for state in states
    }
    return Judge({brand.id: brand for brand in brands}, natures, {state.id: state.name for state in states})


def _nature_of(name: str, type_: str) -> bool | None:
    """Of a source that no configuration names: imported files are about their brand, as are subjects."""
    if type_ == "files" and name.startswith("import "):
        return True
    try:
        scope = registry.plugin(type_).capabilities.scope
    except (registry.UnknownConnector, registry.BrokenConnector):
        return None
    return True if scope is Scope.SUBJECT else None
