"""What the present keywords say of items that are stored: the same that a pull would say if it brought them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors import registry
from connectors.contract import Kind, Scope
from monitor.app import App, Watched
from monitor.belonging import counts_all
from monitor.config.models import Settings
from monitor.matching import Verdict, decide
from storage import sources
from storage.engine import Database
from storage.marks import Decided, Seen


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides by the brands of the configuration and by what is known of each source.

    ``by_nature``: by source id, does all of it count? ``None`` where the source has left the configuration and nobody knows.
    """

    brands: Mapping[int, Watched]
    by_nature: Mapping[int, bool | None]

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
    return Judge({brand.id: brand for brand in brands}, natures)


def _nature_of(name: str, type_: str) -> bool | None:
    """Of a source that no configuration names: imported files are about their brand, as are subjects."""
    if type_ == "files" and name.startswith("import "):
        return True
    try:
        scope = registry.plugin(type_).capabilities.scope
    except (registry.UnknownConnector, registry.BrokenConnector):
        return None
    return True if scope is Scope.SUBJECT else None
