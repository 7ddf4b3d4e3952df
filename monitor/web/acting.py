"""What a person does to items on a page: labels, marks, tags, mutes; on one, on those ticked, or on all that a filter finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor import marking
from monitor import sums as s
from monitor.app import App
from monitor.digest.numbers import plural, score
from monitor.schedule import Window
from monitor.web.asked import Unasked
from monitor.web.rows import Row, mute_of_author, mute_of_site, rows
from storage import listing, marks, queries
from storage.marks import LABELS, Marked
from storage.reasons import NOT_ABOUT_US, Mute
from storage.records import ItemFilter, StoredItem

AT_ONCE: Final = 10_000
"""So many items in one go; more are for the command line."""
LABELS_AT_ONCE: Final = 2_000
"""Each label is a transaction of its own."""
MUTES_AT_ONCE: Final = 20
"""Each mute looks at every item of a brand."""
LONGEST_TAG: Final = 60

BY_AUTHOR: Final = ("mute_author", "unmute_author")
BY_SITE: Final = ("mute_site", "unmute_site")
ACTS: Final[Mapping[str, str]] = {
    **{label: f"label {{}} {label}" for label in LABELS},
    "by_itself": "take the corrections of {} back",
    "not_about_us": "mark {} as not about the brand",
    "about_us": "let {} count again",
    "done": "mark {} as done",
    "undone": "mark {} as not done",
    "tag": "tag {}",
    "untag": "take the tag off {}",
    "mute_author": "mute the authors of {}",
    "unmute_author": "unmute the authors of {}",
    "mute_site": "mute the sites of {}",
    "unmute_site": "unmute the sites of {}",
}
"""What can be done, as one says it of ``{}``, so many items."""
MOVING: Final = (*LABELS, "by_itself", "not_about_us", "about_us", *BY_AUTHOR, *BY_SITE)
"""What moves scores."""
NO_FILTER: Final = (*BY_AUTHOR, *BY_SITE)
"""What is not done to all that a filter finds."""
FIGURES: Final = {"mention": "social", "review": "reviews"}


@dataclass(frozen=True, slots=True)
class Moved:
    """A brand's score before and after, over a window."""

    brand: str
    kind: str
    before: float | None
    after: float | None

    @property
    def words(self) -> str:
        """``score of mentions −0.03 → −0.02``."""
        noun = f"score of {self.kind}s"
        if self.before == self.after or self.before is None or self.after is None:
            return (
                f"{noun} stays {score(self.after)}" if self.before == self.after else f"{noun} now {score(self.after)}"
            )
        if score(self.before) != score(self.after):
            return f"{noun} {score(self.before)} → {score(self.after)}"
        return f"{noun} {_finely(self.before)} → {_finely(self.after)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, in a sentence; ``changed``: how many items; ``moved``: the scores it may have moved."""

    said: str
    changed: int
    moved: Sequence[Moved] = ()

    @property
    def words(self) -> str:
        return "; ".join([self.said, *(one.words for one in self.moved)])


def act(
    app: App, do: str, items: Sequence[StoredItem], by: str, tag: str = "", window: Window | None = None
) -> Outcome:
    """Do it to these items. :class:`Unasked` for what cannot be done. ``window``: over which scores are compared."""
    check(do, tag)
    moving = _scores(app, items, window) if do in MOVING else {}
    said, changed = _acted(app, do, items, by, _tag(tag))
    after = _scores(app, items, window) if moving else {}
    moved = [Moved(brand, kind, before, after[brand, kind]) for (brand, kind), before in moving.items()]
    return Outcome(said, changed, moved)


def on_all(app: App, do: str, wanted: ItemFilter, by: str, tag: str = "") -> Outcome:
    """Do it to all that a filter finds."""
    check(do, tag)
    if do in NO_FILTER:
        raise Unasked(f"do={do}: is done to items that are ticked; tick some")
    if do in (*LABELS, "by_itself"):
        ids = [number for chunk in marking.ids_where(app, wanted) for number in chunk]
        return _said(do, _labelled(app, do, ids, by), tag)
    return _said(do, marking.on_all(app, wanted, _step(app, do, by, _tag(tag))), tag)


def check(do: str, tag: str) -> None:
    if do not in ACTS:
        raise Unasked(f'do: there is no "{do[:60]}"; choose one of the buttons')
    if do in ("tag", "untag") and not 0 < len(_tag(tag)) <= LONGEST_TAG:
        raise Unasked(f"tag: write 1 to {LONGEST_TAG} characters")


def most(do: str) -> int:
    """To so many items at most it is done in one go."""
    return LABELS_AT_ONCE if do in (*LABELS, "by_itself") else AT_ONCE


def _tag(given: str) -> str:
    return " ".join(given.split())


def _acted(app: App, do: str, items: Sequence[StoredItem], by: str, tag: str) -> tuple[str, int]:
    ids = [item.id for item in items]
    if do in NO_FILTER:
        return _muted(app, do, rows(app, items), by)
    if do in LABELS and len(ids) == 1:
        done = marking.correct(app, ids[0], do, by)
        if done is not None:
            was = "" if done.before == done.after else f" (was {done.before or 'not scored'})"
            return f"labelled {done.after}{was}", 1
    found = _labelled(app, do, ids, by) if do in (*LABELS, "by_itself") else _step(app, do, by, tag)(ids)
    outcome = _said(do, found, tag)
    return outcome.said, outcome.changed


def _step(app: App, do: str, by: str, tag: str) -> Callable[[Sequence[int]], Marked]:
    match do:
        case "not_about_us":
            return lambda ids: marking.mark(app, ids, NOT_ABOUT_US, by)
        case "about_us":
            return lambda ids: marking.unmark(app, ids, NOT_ABOUT_US)
        case "done":
            return lambda ids: marking.mark(app, ids, marks.DONE, by)
        case "undone":
            return lambda ids: marking.unmark(app, ids, marks.DONE)
        case "tag":
            return lambda ids: marking.tag(app, ids, tag, by)
    return lambda ids: marking.untag(app, ids, tag)


def _labelled(app: App, do: str, ids: Sequence[int], by: str) -> Marked:
    label = do if do in LABELS else None
    done = [number for number in ids if marking.correct(app, number, label, by) is not None]
    return Marked(len(done), left=tuple(sorted({*ids} - {*done})))


def _said(do: str, done: Marked, tag: str) -> Outcome:
    """``3 items marked as done, 1 was so already``."""
    what = {
        "by_itself": "labelled by the program again",
        "not_about_us": "marked as not about the brand: no longer counted",
        "about_us": "no longer marked as not about the brand",
        "done": "marked as done",
        "undone": "no longer marked as done",
        "tag": f"tagged “{_tag(tag)}”",
        "untag": f"no longer tagged “{_tag(tag)}”",
    }.get(do, f"labelled {do}")
    parts = [f"{plural(done.done, 'item')} {what}"]
    if done.already:
        parts.append(f"{done.already:,} {'was' if done.already == 1 else 'were'} so already")
    if done.left:
        parts.append(f"{plural(len(done.left), 'item')} not there, or erased")
    if done.overtaken:
        parts.append(f"{plural(len(done.overtaken), 'item')} changed meanwhile: do it again")
    return Outcome(", ".join(parts), done.done)


# ------------------------------------------------------------------------------------------------------------ mutes


def _muted(app: App, do: str, found: Sequence[Row], by: str) -> tuple[str, int]:
    of = mute_of_author if do in BY_AUTHOR else mute_of_site
    wanted = _distinct(of(row, by) for row in found)
    if not wanted:
        raise Unasked(f"these items have no {'author' if do in BY_AUTHOR else 'web address'} that could be muted")
    if len(wanted) > MUTES_AT_ONCE:
        raise Unasked(f"that would be {len(wanted)} mutes at once; tick fewer items")
    undo = do.startswith("un")
    done = [marking.unmute(app, one) if undo else marking.mute(app, one) for one in wanted]
    changed = sum(one.changed for one in done)
    shown = ", ".join(one.shown for one in wanted)
    counting = "count again" if undo else "no longer counted"
    return f"{shown}: {'no longer muted' if undo else 'muted'}; {plural(changed, 'item')} {counting}", changed


def _distinct(wanted: Iterator[Mute | None]) -> list[Mute]:
    return list({(one.brand_id, one.author_id, one.site): one for one in wanted if one is not None}.values())


# ------------------------------------------------------------------------------------------------------------ scores


def _scores(app: App, items: Sequence[StoredItem], window: Window | None) -> dict[tuple[str, str], float | None]:
    """The scores that these items are part of, by (brand, kind), from sums alone."""
    if window is None:
        return {}
    found = dict.fromkeys((item.brand, item.kind) for item in items if item.kind in FIGURES)
    sums = {brand: queries.sums_by_source(app.database, brand, (window.start, window.end)) for brand, _ in found}
    return {(brand, kind): s.sentiment(s.total(sums[brand], kind)).score for brand, kind in found}


def _finely(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def again(app: App, ids: Sequence[int]) -> list[Row]:
    """The same items as they are now."""
    found = listing.items_by_id(app.database, ids)
    return rows(app, [found[number] for number in ids if number in found])
