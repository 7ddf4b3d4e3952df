"""Audits: people label a random sample, and the report says how right the scorer is and what the score is without its errors.

What people say here never becomes a correction, and corrections never enter here: they are no random sample.
Source: METRICS 2.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from monitor import figures as f
from monitor.app import App
from monitor.metrics import audit
from monitor.metrics.audit import LABELS, Agreement, Audited, Judged, Share
from monitor.metrics.intervals import Interval, score_interval
from monitor.metrics.sentiment import Tally
from monitor.schedule import Window
from storage import audits, windows
from storage.audits import Sample, Sampled

SIZE: Final = 200
"""Items in a sample unless another number is asked for: a range of about 0.1 either way, in under an hour of reading."""
LEAST: Final = 20
"""Labelled items from which a report shows an audited score; below, its range would not hold."""
LENDS_FOR: Final = timedelta(days=365)
"""How old an audit may be whose error is taken for that of a later window."""

Answers = Mapping[str, int]


# ------------------------------------------------------------------------------------------------- drawing


def draw(
    app: App, brand: str, window: Window, size: int, seed: int, *, kind: str | None = None, sources: Sequence[str] = ()
) -> Sample | None:
    """Draw a sample of the counted items whose text was scored; ``None`` where there are none."""
    frame = _frame(app, brand, window, kind, sources)
    return audits.draw(app.database, frame, size, seed, app.now())


def _frame(app: App, brand: str, window: Window, kind: str | None, sources: Sequence[str] = ()) -> audits.Frame:
    return audits.Frame(brand, window.start, window.end, kind, tuple(sources), app.profile.stars)


# ------------------------------------------------------------------------------------------------- labelling


@dataclass(slots=True)
class Sheet:
    """A sample before one person: which item is shown, and what this person has said so far. Others' words stay unseen."""

    items: Sequence[Sampled]
    said: dict[int, str] = field(default_factory=dict)
    at: int = 0

    @classmethod
    def of(cls, items: Iterable[Sampled], person: str) -> Sheet:
        """Begins with the first item that the person has not labelled. What can be read no more is left out."""
        shown = [one for one in items if one.readable and one.label is not None]
        sheet = cls(shown, {one.id: one.said[person] for one in shown if person in one.said}, -1)
        sheet.on()
        return sheet

    @property
    def shown(self) -> Sampled | None:
        """The item to be labelled; ``None`` at the end."""
        return self.items[self.at] if self.at < len(self.items) else None

    @property
    def done(self) -> int:
        return len(self.said)

    def on(self) -> None:
        """To the next item that is not labelled yet."""
        self.at += 1
        while self.at < len(self.items) and self.items[self.at].id in self.said:
            self.at += 1

    def back(self) -> bool:
        """To the item before, labelled or not; ``False`` at the first one."""
        if self.at == 0:
            return False
        self.at -= 1
        return True


def sheet(app: App, sample: Sample, person: str) -> Sheet:
    """The sample as it is before this person now."""
    return Sheet.of(audits.items(app.database, sample.id, stars_first=app.profile.stars), person)


def say(app: App, sample: Sample, item: Sampled, person: str, answer: str) -> None:
    """Keep a person's word on an item (one of ``audit.ANSWERS``) at once."""
    audits.say(app.database, sample.id, item.id, person, answer, app.now())


# ------------------------------------------------------------------------------------------------- the report


@dataclass(frozen=True, slots=True)
class Scores:
    """The score by the scorer's own labels and without its errors; ``by_stars`` of the population have no error."""

    raw: Tally
    raw_interval: Interval | None
    by_stars: int
    audited: Audited | None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a sample says so far. ``confusion`` counts by what people said, then by what the scorer said.

    ``labelled`` items enter the figures; ``passed_over``: not labelled though later ones are; ``left``: no longer in the
    population (they count no more, or their text is not scored now). ``by_kind`` where the sample holds both kinds.
    """

    sample: Sample
    labelled: int
    passed_over: int
    left: int
    scores: Scores
    by_kind: Mapping[str, Scores]
    confusion: Mapping[str, Mapping[str, float]]
    accuracy: Share
    recall: Mapping[str, Share]
    precision: Mapping[str, Share]
    relevance: Share
    agreements: Sequence[Agreement]


def report(app: App, sample: Sample) -> AuditReport:
    """The figures of a sample, with the scorer's labels as they are now."""
    items = audits.items(app.database, sample.id, stars_first=app.profile.stars)
    counts = audits.counts(
        app.database,
        audits.Frame(sample.brand, sample.since, sample.until, sample.kind, sample.sources, app.profile.stars),
    )
    judged = _judged(items)
    cells = audit.confusion(judged)
    kinds = sorted({kind for kind, _, _ in counts})
    return AuditReport(
        sample=sample,
        labelled=len(judged),
        passed_over=_passed_over(items),
        left=sum(one.label is None for one in items),
        scores=_scores(counts, items, kinds),
        by_kind={kind: _scores(counts, items, [kind]) for kind in kinds} if len(kinds) > 1 else {},
        confusion=cells,
        accuracy=audit.accuracy(cells),
        recall=audit.recall(cells),
        precision=audit.precision(cells),
        relevance=audit.relevance(judged),
        agreements=audit.agreements(judged),
    )


def _judged(items: Iterable[Sampled], kinds: Sequence[str] = audits.KINDS) -> list[Judged]:
    return [Judged(one.label, one.said) for one in items if one.label is not None and one.said and one.kind in kinds]


def _passed_over(items: Iterable[Sampled]) -> int:
    """Items that somebody could have labelled before the last one that was."""
    there = [one for one in items if one.label is not None and (one.readable or one.said)]
    last = max((number for number, one in enumerate(there) if one.said), default=-1)
    return sum(not one.said for one in there[: last + 1])


def _scores(counts: Mapping[tuple[str, bool, str], int], items: Iterable[Sampled], kinds: Sequence[str]) -> Scores:
    frame = _population(counts, kinds)
    raw = frame.all
    return Scores(raw, score_interval(raw), frame.stars.n, audit.audited_score(frame, _judged(items, kinds)))


def _population(counts: Mapping[tuple[str, bool, str], int], kinds: Sequence[str]) -> audit.Frame:
    def tally(*, by_stars: bool) -> Tally:
        labels = {label: sum(counts.get((kind, by_stars, label), 0) for kind in kinds) for label in LABELS}
        return Tally(labels["positive"], labels["negative"], labels["neutral"])

    return audit.Frame(text=tally(by_stars=False), stars=tally(by_stars=True))


# ------------------------------------------------------------------------------------------------- in every report


def audited(app: App, brand: str, kind: str, window: Window) -> f.Audited | None:
    """The audited score of a kind over a window, by the sample that fits it best; ``None`` where none has labels enough."""
    known = [one for one in audits.samples(app.database, brand) if sum(one.said.values()) >= LEAST]
    for sample in lenders(known, kind, window):
        items = audits.items(app.database, sample.id, stars_first=app.profile.stars)
        judged = _judged(items, [kind])
        if len(judged) < LEAST:
            continue
        found = audit.audited_score(_population(_counts(app, brand, kind, window), [kind]), judged)
        return None if found is None else _figure(found, sample, judged, borrowed=not _is_of(sample, window))
    return None


def lenders(samples: Iterable[Sample], kind: str, window: Window) -> list[Sample]:
    """The samples whose error may stand for that of the window, the best first.

    Its own; those of wider windows around it, the narrowest first; those of earlier ones, the latest first, none older
    than a year. Samples of some sources only lend nothing. Pure.
    """
    whole = [one for one in samples if one.kind in (None, kind) and not one.sources]
    own = [one for one in whole if _is_of(one, window)]
    rest = [one for one in whole if one not in own]
    wider = [one for one in rest if one.since <= window.start and one.until >= window.end]
    oldest = window.start - LENDS_FOR
    earlier = [one for one in rest if one not in wider and oldest <= one.until <= window.end]
    return [
        *own,
        *sorted(wider, key=lambda one: one.until - one.since),
        *sorted(earlier, key=lambda one: one.until, reverse=True),
    ]


def _is_of(sample: Sample, window: Window) -> bool:
    return (sample.since, sample.until) == (window.start, window.end)


def _counts(app: App, brand: str, kind: str, window: Window) -> Mapping[tuple[str, bool, str], int]:
    """The scorer's labels in the window, counted anew only if something in it has changed."""
    edges = (window.start, window.end)
    state = windows.version(app.database, brand, edges)
    frame = _frame(app, brand, window, kind)
    key = ("audit", brand, kind, edges, state, app.profile.version)
    return app.remembered(key, lambda: audits.counts(app.database, frame))


def _figure(found: Audited, sample: Sample, judged: Sequence[Judged], *, borrowed: bool) -> f.Audited:
    right = audit.accuracy(audit.confusion(judged))
    return f.Audited(
        score=found.score,
        low=found.low,
        high=found.high,
        m=found.m,
        borrowed=borrowed,
        sample=sample.id,
        since=sample.since,
        until=sample.until,
        accuracy=right.share,
    )
