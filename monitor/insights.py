"""What a window's items come to when they are looked at one by one: the item part of a report, remembered while it is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from connectors import registry
from monitor import figures as f
from monitor import sums as s
from monitor.app import App
from monitor.drivers import drivers_of
from monitor.figures_copies import Copies
from monitor.metrics.engagement import potential_reach
from monitor.metrics.groups import Group, changes_of
from monitor.reading import DIMENSIONS, KINDS, Answers, Read, Writer, potential_readers, read, totals_of
from monitor.schedule import Window
from storage import windows

LARGEST: Final = 20
"""Groups shown of each breakdown."""
LEADING: Final = 10
"""Authors shown in each list."""
LEAST_RISE: Final = 3
"""Items more or fewer than in the window before, from which an author counts as rising or falling."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Design effects of a score: over all sources now, and over the compared sources in both windows."""

    now: float | None
    compared_now: float | None
    compared_before: float | None


@dataclass(frozen=True, slots=True)
class Insights:
    """All that the items say beyond their sums."""

    effects: Mapping[str, Effects] = field(default_factory=dict)
    by_source: Mapping[tuple[str, str], float | None] = field(default_factory=dict)
    by_slice: Mapping[tuple[int, str], float | None] = field(default_factory=dict)
    breakdowns: dict[str, list[f.Group]] = field(default_factory=dict)
    topics: list[f.Group] = field(default_factory=list)
    drivers: f.Drivers = field(default_factory=f.Drivers)
    authors: f.Authors = field(default_factory=f.Authors)
    answered: f.Answered | None = None
    reach: f.Reach | None = None
    top: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """The ids of the top items, by list."""
    copies: Copies | None = None
    like: Mapping[int, int] = field(default_factory=dict)
    """How many others say nearly the same as a top item."""
    foreign: Mapping[str, int] = field(default_factory=dict)
    """Counted items without a label because of their language, by language."""


NOTHING: Final = Insights()


def insights(
    app: App,
    brand: str,
    both: tuple[Window, Window],
    slices: Sequence[Window],
    complete: frozenset[str],
    expected: int,
) -> Insights:
    """The item part for a window and the one before; made anew only if an item of theirs, or what is asked, has changed."""
    window, other = both
    edges = [(one.start, one.end) for one in both]
    state = tuple(windows.version(app.database, brand, edge) for edge in edges)
    topics = tuple(topic.model_dump_json() for topic in app.settings.topics)
    key = (brand, *edges, state, complete, topics, tuple(part.start for part in slices))
    return app.remembered(key, lambda: _made(app, brand, window, other, slices, complete, expected))


def _made(
    app: App, brand: str, window: Window, other: Window, slices: Sequence[Window], complete: Set[str], expected: int
) -> Insights:
    now = read(app, brand, window, slices, expected=expected)
    before = read(app, brand, other, expected=expected)
    return Insights(
        effects={kind: _effects(now.totals[kind], before.totals[kind], complete) for kind in KINDS},
        by_source={
            (source, kind): now.group("source", source, kind).deff() for source in now.names("source") for kind in KINDS
        },
        by_slice={key: group.deff() for key, group in now.slices.items()},
        breakdowns={name: _groups(now, before, name, complete) for name in ("source", *DIMENSIONS)},
        topics=_groups(now, before, "topic", complete),
        drivers=drivers_of(app, brand, now, before),
        authors=_authors(now, before),
        answered=_answered(app, now.answers),
        reach=_reach(now),
        top=now.top,
        copies=Copies(mentions=len(now.copies["mention"]), reviews=len(now.copies["review"])),
        like={number: now.like.get(number, 0) for ids in now.top.values() for number in ids},
        foreign=dict(now.foreign),
    )


def effects_alone(app: App, brand: str, both: tuple[Window, Window], complete: frozenset[str]) -> Insights:
    """Of the item part only the design effects of both kinds: all that is shown of a rival. Remembered alike."""
    edges = [(one.start, one.end) for one in both]
    state = tuple(windows.version(app.database, brand, edge) for edge in edges)
    key = ("effects", brand, *edges, state, complete)

    def made() -> Insights:
        now, before = (totals_of(app, brand, edge) for edge in edges)
        return Insights(effects={kind: _effects(now[kind], before[kind], complete) for kind in KINDS})

    return app.remembered(key, made)


def _effects(here: Group, there: Group, complete: Set[str]) -> Effects:
    return Effects(here.deff(), here.deff(complete), there.deff(complete))


# ---------------------------------------------------------------------------------------------- breakdowns


def _groups(now: Read, before: Read, dimension: str, complete: Set[str]) -> list[f.Group]:
    """The largest groups, each with its score and its change; the changes are tested together. Source: METRICS 2.4."""
    sizes = {name: _size(now, dimension, name) for name in now.names(dimension)}
    names = sorted(sizes, key=lambda name: (-sizes[name], name))[:LARGEST]
    figures = {kind: _figures(now, before, dimension, names, kind, complete) for kind in KINDS}
    return [
        f.Group(
            name=name,
            social=figures["mention"][name],
            reviews=figures["review"][name],
            volume=sizes[name],
            before=_size(before, dimension, name),
        )
        for name in names
    ]


def _figures(
    now: Read, before: Read, dimension: str, names: Sequence[str], kind: str, complete: Set[str]
) -> dict[str, f.Sentiment]:
    here = {name: now.group(dimension, name, kind) for name in names}
    there = {name: before.group(dimension, name, kind) for name in names}
    changes = changes_of(here, there, names, complete)
    return {name: _sentiment(here[name], s.change(changes[name])) for name in names}


def _sentiment(group: Group, change: f.Change) -> f.Sentiment:
    return s.figure(group.tally, group.deff()).model_copy(update={"change": change})


def _size(one: Read, dimension: str, name: str) -> int:
    return sum(one.group(dimension, name, kind).tally.volume for kind in KINDS)


# ------------------------------------------------------------------------------------------------- authors


def _authors(now: Read, before: Read) -> f.Authors:
    earlier = {number: writer.items for number, writer in before.writers.items()}
    everyone = [
        now.writers.get(number) or _silent(before.writers[number]) for number in {*now.writers, *before.writers}
    ]
    here = list(now.writers.values())

    def listed(chosen: Iterable[Writer]) -> list[f.AuthorFigures]:
        return [_author(writer, earlier.get(writer.id, 0)) for writer in list(chosen)[:LEADING]]

    def gained(writer: Writer) -> int:
        return writer.items - earlier.get(writer.id, 0)

    return f.Authors(
        engaged=listed(sorted(here, key=lambda writer: (-(writer.engagement or 0), -writer.items, writer.id))),
        followed=listed(
            sorted((one for one in here if one.followers), key=lambda writer: (-(writer.followers or 0), writer.id))
        ),
        rising=listed(
            sorted((one for one in here if gained(one) >= LEAST_RISE), key=lambda writer: (-gained(writer), writer.id))
        ),
        falling=listed(
            sorted(
                (one for one in everyone if gained(one) <= -LEAST_RISE), key=lambda writer: (gained(writer), writer.id)
            )
        ),
        total=len(here),
    )


def _silent(writer: Writer) -> Writer:
    """Who wrote before and does not now."""
    return Writer(writer.id, writer.name, writer.source, writer.followers)


def _author(writer: Writer, before: int) -> f.AuthorFigures:
    return f.AuthorFigures(
        id=str(writer.id),
        name=writer.name,
        source=writer.source,
        items=writer.items,
        before=before,
        engagement=writer.engagement,
        followers=writer.followers,
        score=sum(writer.signs) / len(writer.signs) if writer.signs else None,
        total=len(writer.signs),
    )


def _reach(now: Read) -> f.Reach:
    found = potential_reach(potential_readers(now.writers.values()))
    return f.Reach(followers=found.total, authors=len(now.writers), known=found.known)


# ------------------------------------------------------------------------------------------------- answers


def telling_sources(app: App) -> set[str]:
    """The sources of which it is known that they show the owner's answers."""
    return {one.name for one in app.settings.sources if registry.plugin(one.type).capabilities.replies}


def _answered(app: App, by_source: Mapping[str, Answers]) -> f.Answered | None:
    """Over the sources that show answers; ``None`` where none does. Source: METRICS 3."""
    telling = telling_sources(app)
    shown = [answers for name, answers in by_source.items() if name in telling or answers.answered]
    if not shown:
        return None
    reviews, answered = sum(one.reviews for one in shown), sum(one.answered for one in shown)
    seconds = [one for answers in shown for one in answers.seconds]
    return f.Answered(
        reviews=reviews,
        answered=answered,
        share=answered / reviews if reviews else None,
        median_hours=median(seconds) / 3_600 if seconds else None,
        unanswered=reviews - answered,
        outdated=sum(one.outdated for one in shown),
    )
