"""The history's labels brought to the present settings: read a chunk, score it on all cores, write it with its rollups.

What is still to be done is asked of the database, so that a run cut off anywhere is gone on with by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from monitor.app import App
from monitor.bulk import BulkScoring
from monitor.metrics.sentiment import Tally
from monitor.scoring import Label, Scorable, Scored
from monitor.scoring.pipeline import versions
from storage import relabel
from storage.relabel import Labelled, Moved, NewLabel, Scope
from storage.tables import SCALE

LABELS: Final = ("positive", "neutral", "negative", "unscored")
SCORED_KINDS: Final = ("mention", "review")  # own posts have labels, but enter no score

Progress = Callable[[int, int], None]
"""Told after each chunk: items done, items to do."""


@dataclass(frozen=True, slots=True)
class ScoreMoved:
    """The counted items of one brand and kind by label, and so S, before and after."""

    brand: str
    kind: str
    before: Tally
    after: Tally


@dataclass(frozen=True, slots=True)
class Rescored:
    """What a rescore came to, or in a dry run would come to.

    ``labels`` counts the items by their label before, then by the one after: the labels that count, so a person's stay
    (``by_person``). ``overtaken``: their text changed while it was scored, so they were left to the next run.
    ``unscored``: those without a label after it, by reason. ``scores`` are of all items asked for, outdated or not.
    """

    scorer: str
    dry_run: bool
    outdated: int
    rescored: int
    changed: int
    by_person: int
    overtaken: int
    labels: Mapping[str, Mapping[str, int]]
    unscored: Mapping[str, int]
    scores: tuple[ScoreMoved, ...]


def outdated(app: App) -> int:
    """How many items bear a label of other settings than the present ones. Reads through the items once.

    ``ScorerError`` where a scorer that the settings name does not load.
    """
    return relabel.count_outdated(app.database, _scope(app, None, None), versions(app.profile))


def rescore(
    app: App,
    brands: Sequence[str] | None = None,
    since: datetime | None = None,
    *,
    dry_run: bool = False,
    workers: int | None = None,
    size: int = relabel.CHUNK,
    progress: Progress = lambda _done, _total: None,
) -> Rescored:
    """Label anew what other settings have labelled; only what was published from ``since`` on, if given.

    Chunk by chunk (of ``size`` items), each a transaction of its own: readers and pulls go on meanwhile. ``workers``:
    processes; by default as the settings have it, and this one alone for a small history. ``ScorerError`` where a scorer fails,
    ``ExecutorUnusable`` where the settings name a cluster that cannot be used; what was written until then stays.
    """
    scope, current = _scope(app, brands, since), versions(app.profile)
    result = _Result(relabel.counted_labels(app.database, scope))
    total = relabel.count_outdated(app.database, scope, current)
    with app.bulk_scoring(workers) as scoring:
        chunks = relabel.outdated(app.database, scope, current, size)
        for labels in _scored(app, chunks, scoring):
            result.add(labels, _would_move(labels) if dry_run else relabel.relabel(app.database, labels))
            progress(result.done, total)
    return result.ended(app, total, dry_run=dry_run)


def _scope(app: App, brands: Sequence[str] | None, since: datetime | None) -> Scope:
    """Brands that left the configuration keep their labels: nobody knows their words any more."""
    chosen = app.brands if brands is None else brands
    return Scope([app.brands[name].id for name in chosen], since)


def _would_move(labels: Iterable[NewLabel]) -> list[Moved]:
    return [relabel.moved(new.item, new) for new in labels]


# ------------------------------------------------------------------------------------------------- scoring


def _scored(app: App, chunks: Iterable[list[Labelled]], scoring: BulkScoring) -> Iterator[list[NewLabel]]:
    """The chunks in their order with their new labels; no more of them in memory than are being scored."""
    words = {brand.id: brand.words for brand in app.brands.values()}
    work = ((chunk, [_scorable(item, words[item.brand_id]) for item in chunk]) for chunk in chunks)
    for chunk, scored in scoring.in_order(work):
        yield [_new_label(item, said) for item, said in zip(chunk, scored, strict=True)]


def _scorable(item: Labelled, brand_words: frozenset[str]) -> Scorable:
    """The stored language is the platform's or what was told from the text; either is heard only where the text is unsure."""
    stars = Label(item.rating_label) if item.rating_label else None
    return Scorable(item.title, item.text, stars, item.language, brand_words)


def _new_label(item: Labelled, scored: Scored) -> NewLabel:
    return NewLabel(
        item=item,
        label=scored.label,
        label_by=scored.by,
        text_label=scored.text_label,
        compound=None if scored.compound is None else round(scored.compound * SCALE),
        language=scored.language or item.language,
        scorer=scored.scorer,
        unscored=scored.unscored,
    )


# ------------------------------------------------------------------------------------------------- counting


@dataclass
class _Result:
    """Counts, chunk by chunk."""

    counted: Mapping[tuple[int, str], Mapping[str | None, int]]
    done: int = 0
    moves: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    shifts: dict[tuple[int, str], Counter[str | None]] = field(default_factory=dict)
    unscored: Counter[str] = field(default_factory=Counter)
    by_person: int = 0

    def add(self, labels: Sequence[NewLabel], moved: Iterable[Moved]) -> None:
        self.done += len(labels)
        for move in moved:
            self.moves[move.before, move.after] += 1
            self.by_person += move.by_person
            if move.unscored is not None:
                self.unscored[move.unscored] += 1
            if move.counted:
                shift = self.shifts.setdefault((move.brand_id, move.kind), Counter())
                shift[move.before] -= 1
                shift[move.after] += 1

    def ended(self, app: App, total: int, *, dry_run: bool) -> Rescored:
        written = self.moves.total()
        return Rescored(
            scorer=app.profile.version,
            dry_run=dry_run,
            outdated=total,
            rescored=written,
            changed=sum(n for (before, after), n in self.moves.items() if before != after),
            by_person=self.by_person,
            overtaken=self.done - written,
            labels={name: {then: self.moves[_label(name), _label(then)] for then in LABELS} for name in LABELS},
            unscored=dict(sorted(self.unscored.items())),
            scores=tuple(self._scores({brand.id: name for name, brand in app.brands.items()})),
        )

    def _scores(self, names: Mapping[int, str]) -> Iterator[ScoreMoved]:
        for (brand_id, kind), before in sorted(self.counted.items()):
            if kind in SCORED_KINDS:
                after = Counter(before)
                after.update(self.shifts.get((brand_id, kind), {}))
                yield ScoreMoved(names[brand_id], kind, _tally(before), _tally(after))


def _label(name: str) -> str | None:
    return None if name == "unscored" else name


def _tally(counts: Mapping[str | None, int]) -> Tally:
    positive, negative, neutral, unscored = (
        counts.get(label, 0) for label in ("positive", "negative", "neutral", None)
    )
    return Tally(positive, negative, neutral, unscored)
