"""People's words on items: labels, marks, tags, mutes; and which words would exclude what they called not about us."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor import likeness
from monitor.app import App
from monitor.judging import Judge, judge
from monitor.rematching import ROUNDS
from storage import listing, marks, mutes, queries
from storage.marks import Corrected, Marked, Seen, Settled
from storage.reasons import MUTED, NOT_ABOUT_US, Mute, Mutes
from storage.records import ItemFilter

WHATS: Final = (NOT_ABOUT_US, marks.DONE)
Progress = Callable[[int], None]
"""Told after each chunk: items done."""
_Step = Callable[[Sequence[int]], Marked]


def correct(app: App, item_id: int, label: str | None, by: str | None = None) -> Corrected | None:
    """A person's label for an item; ``None`` takes it back. Without a result there is no such item, or it is erased."""
    if label is not None:
        return marks.correct(app.database, item_id, label, by, app.now())
    return marks.take_back(app.database, item_id, app.now(), stars_first=app.profile.stars)


def mark(app: App, ids: Sequence[int], what: str, by: str | None = None) -> Marked:
    """Mark items ``not_about_us`` or ``done``, chunk by chunk."""
    return _with_copies(app, _in_chunks(ids, lambda chunk: marks.mark(app.database, chunk, what, by, app.now())))


def unmark(app: App, ids: Sequence[int], what: str) -> Marked:
    """Take a mark back, chunk by chunk: what was not about us counts again, unless mutes or keywords speak against it."""
    speaks = judge(app)
    return _with_copies(app, _in_chunks(ids, lambda chunk: _unmark(app, speaks, chunk, what)))


def _unmark(app: App, speaks: Judge, ids: Sequence[int], what: str) -> Marked:
    total, left = Marked(), tuple(ids)
    for _ in range(ROUNDS):
        items = [item for item in marks.items_of(app.database, left) if item.erased_at is None]
        done = marks.unmark(app.database, [speaks.decided(item) for item in items], what, app.now())
        gone = {*left} - {item.id for item in items}
        total += replace(done, left=(*done.left, *sorted(gone)), overtaken=())
        left = done.overtaken
        if not left:
            return total
    return replace(total, overtaken=left)


def tag(app: App, ids: Sequence[int], name: str, by: str | None = None) -> Marked:
    """Tag items, chunk by chunk."""
    return _in_chunks(ids, lambda chunk: marks.tag(app.database, chunk, name, by, app.now()))


def untag(app: App, ids: Sequence[int], name: str) -> Marked:
    """Take a tag off items, chunk by chunk."""
    return _in_chunks(ids, lambda chunk: marks.untag(app.database, chunk, name))


def _with_copies(app: App, done: Marked) -> Marked:
    """Where an item counts no more, a copy of it may have to, and the other way round."""
    likeness.settle(app)
    return done


def _in_chunks(ids: Sequence[int], step: _Step) -> Marked:
    unique = list(dict.fromkeys(ids))
    total = Marked()
    for start in range(0, len(unique), marks.CHUNK):
        total += step(unique[start : start + marks.CHUNK])
    return total


def ids_where(app: App, wanted: ItemFilter, size: int = marks.CHUNK) -> Iterator[list[int]]:
    """The items that a filter chooses, in chunks, newest first, each read when it is asked for.

    Marking what one chunk holds does not disturb the next one, even where the mark takes items out of the filter.
    """
    after = None
    while True:
        chunk = listing.items(app.database, wanted, limit=size, after=after)
        if chunk:
            yield [item.id for item in chunk]
        if len(chunk) < size:
            return
        after = listing.sort_key(chunk[-1], "newest")


def on_all(app: App, wanted: ItemFilter, step: _Step, progress: Progress = lambda _: None) -> Marked:
    """One of the steps above on all that a filter chooses, chunk by chunk; done again, it goes on where it was cut off."""
    total, seen = Marked(), 0
    for chunk in ids_where(app, wanted):
        total += step(chunk)
        seen += len(chunk)
        progress(seen)
    return total


# ------------------------------------------------------------------------------------------------- mutes


@dataclass(frozen=True, slots=True)
class Muted:
    """What muting or its taking back came to. ``fresh``: it was not so before. ``changed``: items that count otherwise now."""

    fresh: bool
    items: int
    changed: int


def mute(app: App, wanted: Mute) -> Muted:
    """Let an author's or a site's items count no more: those to come from now on, those stored chunk by chunk."""
    fresh = mutes.mute(app.database, wanted, app.now())
    return _settled_anew(app, wanted, fresh=fresh)


def unmute(app: App, wanted: Mute) -> Muted:
    """Let them count again, as far as no other mute, mark or keyword speaks against it."""
    fresh = mutes.unmute(app.database, wanted)
    return _settled_anew(app, wanted, fresh=fresh)


def _settled_anew(app: App, wanted: Mute, *, fresh: bool) -> Muted:
    """Every stored item that a mute means, decided anew: right for whatever mutes there are by then."""
    brand_ids = [wanted.brand_id] if wanted.brand_id is not None else list(queries.brand_ids(app.database).values())
    speaks, items, changed = judge(app), 0, 0
    for chunk in marks.walk(app.database, brand_ids, marks.meant_by(wanted)):
        meant = [item for item in chunk if wanted.means(item.brand_id, item.author_id, item.url)]
        items += len(meant)
        stale = _stale(meant, mutes.in_force(app.database))
        changed += sum(len(done.changed) for done in _settle(app, speaks, stale))
    likeness.settle(app)
    return Muted(fresh, items, changed)


def _stale(items: Sequence[Seen], muted: Mutes) -> list[Seen]:
    """What is muted and should not be, or the other way round. What else speaks against an item waits for a rematch."""
    open_ = (item for item in items if item.uncounted != NOT_ABOUT_US)
    return [one for one in open_ if muted.hold(one.brand_id, one.author_id, one.url) != (one.uncounted == MUTED)]


def _settle(app: App, speaks: Judge, items: Sequence[Seen]) -> Iterator[Settled]:
    for _ in range(ROUNDS):
        done = marks.settle(app.database, [speaks.decided(item) for item in items], app.now())
        yield done
        if not done.overtaken:
            return
        items = marks.items_of(app.database, done.overtaken)
