"""Copies of one text: which of them count by the user's choice, and which items an item is nearly the same as.

An item is a copy if an item of the same brand and kind, published in the 30 days before it, says nearly the same
(:mod:`monitor.metrics.likeness`). That one may be a copy itself: what is handed on and on counts once. Texts too short to
be told from chance are copies only of what their own author said. The brand's own posts are nobody's copies: the same post on
two platforms is liked on both. Source: DESIGN 3, METRICS 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from connectors.contract import Kind
from monitor.app import App
from monitor.config.models import Settings, SourceSettings
from monitor.metrics import likeness as texts
from monitor.metrics.likeness import Sketch
from monitor.normalise import bare_text, said
from storage import copies, likeness, listing, queries, sources
from storage.copies import Like
from storage.marks import Changed, Seen
from storage.records import ItemFilter, ItemValues, Keyed, StoredItem
from storage.search_tree import And, Or, Term, Tree

COUNT: Final = "count"
ONCE: Final = "once"
ONCE_PER_AUTHOR: Final = "once per author"
_BITS: Final = {ONCE: 1, ONCE_PER_AUTHOR: 2}
_CHOICES: Final = 4
WINDOW: Final = timedelta(days=30)
PAGE: Final = 500
REMEMBERED: Final = 4_000
PAIRS: Final = 4
MOST_LOOKED_AT: Final = 2_000


# ------------------------------------------------------------------------------------------------- the choice


def default_of(settings: Settings, brand: str) -> str:
    """What a brand's copies count for where their source says nothing of it."""
    return settings.brand(brand).duplicates or settings.monitor.duplicates


def choice_of(settings: Settings, source: SourceSettings | None, brand: str) -> str:
    """What a source's copies count for; of imported files and of sources that left the configuration: the brand's default."""
    return (source.duplicates if source is not None else None) or default_of(settings, brand)


def choices_of(settings: Settings, brand: str) -> frozenset[str]:
    """All choices for which a brand's items need keys: none where every copy counts."""
    served = [source for source in settings.sources if brand in source.served]
    found = {default_of(settings, brand), *(choice_of(settings, source, brand) for source in served)}
    return frozenset(found - {COUNT})


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a brand's items are copies, by the configuration. It is a :class:`storage.copies.Chooser`."""

    all: frozenset[str]
    by_source: Mapping[int, str]
    _known: dict[int, tuple[str, Sketch]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def sources(self) -> list[int]:
        return sorted(number for number, choice in self.by_source.items() if choice != COUNT)

    def keys(self, items: Sequence[Like]) -> list[Keyed]:
        found = zip(items, self._sketches(items), strict=True)
        return [_keyed(sketch, item.kind, item.author_id, self.all) for item, sketch in found]

    def asks(self, items: Sequence[Like]) -> list[Sequence[int]]:
        choices = [frozenset({self.by_source.get(item.source_id, COUNT)} - {COUNT}) for item in items]
        found = zip(items, self._sketches(items), choices, strict=True)
        return [_keyed(sketch, item.kind, item.author_id, choice).keys for item, sketch, choice in found]

    def copied(self, item: Like, earlier: Sequence[Like]) -> int | None:
        choice = self.by_source.get(item.source_id, COUNT)
        near = [one for one in earlier if item.published_at - one.published_at <= WINDOW]
        if choice == COUNT or not near:
            return None
        own, *others = self._shapes([item, *near])
        alone = choice == ONCE_PER_AUTHOR or own.is_short
        for one, sketch in zip(near, others, strict=True):
            if texts.alike(own, sketch) and not (alone and (item.author_id is None or item.author_id != one.author_id)):
                return one.id
        return None

    def _shapes(self, items: Sequence[Like]) -> list[Sketch]:
        """What their words are compared by, as it was kept with their keys."""
        known = {item.id: texts.unpacked(kept) for item in items if (kept := _kept_sketch(item)) is not None}
        missing = [item for item in items if item.id not in known]
        known.update(zip((item.id for item in missing), self._sketches(missing), strict=True))
        return [known[item.id] for item in items]

    def _sketches(self, items: Sequence[Like]) -> list[Sketch]:
        """Those of the last few thousand items are remembered: the same ones are compared again and again."""
        wanted = {item.id: said(item.title, item.text) or "" for item in items}
        new = {
            number: text
            for number, text in wanted.items()
            if self._known.get(number, ("", None))[0] != text or not text
        }
        if len(self._known) + len(new) > REMEMBERED:
            self._known.clear()
            new = wanted
        found = texts.sketches([bare_text(text) for text in new.values()])
        self._known.update(zip(new, zip(new.values(), found, strict=True), strict=True))
        return [self._known[item.id][1] for item in items]


def choice(app: App, brand: str) -> Choice:
    """How a brand's copies count now."""
    known = {source.name: source for source in app.settings.sources}
    by_source = {
        state.id: choice_of(app.settings, known.get(state.name), brand) for state in sources.states(app.database)
    }
    return Choice(choices_of(app.settings, brand), by_source)


def _keyed(sketch: Sketch, kind: str, author_id: int | None, choices: frozenset[str]) -> Keyed:
    """A short text has keys among its author's items alone, and so has every text where copies count once per author."""
    scheme = texts.SCHEME * _CHOICES + sum(_BITS[choice] for choice in choices)
    scopes = {f"{kind}/{author_id}"} if author_id is not None else set()
    if not choices or not sketch.words or kind == Kind.POST:
        return Keyed(scheme, ())
    kept = texts.packed(sketch)
    if not sketch.is_short:
        scopes = {kind for _ in choices & {ONCE}} | (scopes if ONCE_PER_AUTHOR in choices else set())
    return Keyed(scheme, [key for scope in sorted(scopes) for key in texts.keys(sketch, scope)], kept)


def _kept_sketch(item: Like) -> bytes | None:
    return item.sketch if item.scheme is not None and item.scheme // _CHOICES == texts.SCHEME else None


# ------------------------------------------------------------------------------------------------- as items come


def keys_of(app: App, items: Sequence[ItemValues]) -> dict[tuple[int, str], Keyed]:
    """The keys that are stored with new items, by brand and id: of the brands whose copies do not all count."""
    choices = {brand.id: choices_of(app.settings, name) for name, brand in app.brands.items()}
    wanted = [item for item in items if choices.get(item["brand_id"])]
    found = texts.sketches([bare_text(said(item["title"], item["text"])) for item in wanted])
    return {
        (item["brand_id"], item["external_id"]): _keyed(
            sketch, item["kind"], item["author_id"], choices[item["brand_id"]]
        )
        for item, sketch in zip(wanted, found, strict=True)
    }


def settle(app: App) -> list[Changed]:
    """Decide which of the items that are due are copies; what changed. At once where nothing is due.

    To be called after whatever stores items or changes whether they count; what it leaves undone, the next call does.
    """
    names = {brand.id: name for name, brand in app.brands.items()}
    changed: list[Changed] = []
    for brand_id in likeness.due_brands(app.database):
        if brand_id in names:
            chosen = choice(app, names[brand_id])
            while (found := copies.settle(app.database, brand_id, chosen, app.now())) is not None:
                changed += found
    return changed


# ------------------------------------------------------------------------------------------------- a changed choice


class Rechosen:
    """The present choice, for the items that a rematch looks at, chunk by chunk."""

    def __init__(self, app: App, names: Mapping[int, str], *, dry_run: bool) -> None:
        """Items without keys of the present kind get them. Keys are an index and no figure: a dry run writes them, too."""
        self._app, self._dry_run, self._begun = app, dry_run, app.now()
        self._choices = {number: choice(app, name) for number, name in names.items()}
        self._leaders: dict[int, int | None] = {}
        for number, chosen in self._choices.items():
            if chosen.all:
                _rekey(app, number, chosen)
            elif not dry_run:
                app.database.write(lambda connection, of=number: likeness.forget_brand(connection, of))  # type: ignore[misc]

    def look_at(self, brand_id: int, ids: Sequence[int]) -> None:
        """Decide about items of one brand."""
        chosen, self._leaders = self._choices[brand_id], {}
        decide, does = (
            (copies.decided, self._app.database.read) if self._dry_run else (copies.decide, self._app.database.write)
        )
        if chosen.all:
            self._leaders = does(lambda connection: decide(connection, chosen, copies.of_ids(connection, ids)))

    def is_copy(self, item: Seen) -> bool:
        """Is one of these items a copy that is left out?"""
        return self._leaders.get(item.id) is not None

    def ended(self) -> list[Changed]:
        """What came meanwhile, and what other reasons have made of the items that copies are of; what changed by that."""
        if self._dry_run:
            return []
        numbers = [number for number, chosen in self._choices.items() if chosen.all]
        self._app.database.write(lambda connection: copies.doubt_since(connection, numbers, self._begun))
        return settle(self._app)


def _rekey(app: App, brand_id: int, chosen: Choice) -> None:
    after: tuple[datetime, int] | None = None
    while True:
        page = app.database.read(lambda connection, at=after: copies.page(connection, brand_id, at, PAGE))  # type: ignore[misc]
        app.database.write(lambda connection, items=page: copies.rekey(connection, chosen, items))  # type: ignore[misc]
        if len(page) < PAGE:
            return
        after = page[-1].published_at, page[-1].id


# ------------------------------------------------------------------------------------------------- looking


def copies_of(app: App, item_id: int, limit: int = 100) -> list[StoredItem]:
    """The items of the same brand that say nearly the same as this one, published at most 30 days apart, newest first.

    Counted or not; none where there is no such item, or it has no words any more. Looked for through the full-text index by
    pairs of its longest words, so that it takes no longer in a larger store unless these words are everywhere.
    """
    item = queries.items_by_id(app.database, [item_id]).get(item_id)
    own = bare_text(said(item.title, item.text)) if item is not None else ""
    tree = _any_pair(own)
    if item is None or tree is None:
        return []
    span = (item.published_at - WINDOW, item.published_at + WINDOW + timedelta(microseconds=1))
    wanted = ItemFilter(brand=item.brand, kinds=[item.kind], since=span[0], until=span[1], search=tree, uncounted="all")
    found = [one for one in listing.items(app.database, wanted, limit=MOST_LOOKED_AT) if one.id != item_id]
    first, *others = texts.sketches([own, *(bare_text(said(one.title, one.text)) for one in found)])
    return [one for one, sketch in zip(found, others, strict=True) if texts.alike(first, sketch)][:limit]


def _any_pair(bare: str) -> Tree | None:
    """What a near-copy holds: two neighbours among its longest words, or the two longest of its beginning."""
    words = texts.words_of(bare)
    ranked = sorted({word for word in words if word.isalnum()}, key=lambda word: (-len(word), word))
    opening = sorted(
        {word for word in words[: texts.LEAST_WORDS] if word.isalnum()}, key=lambda word: (-len(word), word)
    )
    pairs = [ranked[start : start + 2] for start in range(0, PAIRS * 2, 2)]
    found = {tuple(pair) for pair in (*pairs, opening[:2]) if pair}
    return Or(tuple(And(tuple(Term(word) for word in pair)) for pair in sorted(found))) if found else None
