"""Brands and a window -> Report: every figure, read once. The only source of figures for all outputs.

Scores, ratings, engagement, volume and series come from rollups, whatever the size of the store; design effects, breakdowns,
topics, drivers and authors from the window's items, read once (:mod:`monitor.insight`) and remembered until one changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from monitor import figures as f
from monitor import sums as s
from monitor.annotations import annotations_of
from monitor.app import App
from monitor.auditing import audited
from monitor.coverage import Known, Reach, coverage_of, known_of
from monitor.expectations import LONGEST, Expectations, alerts_of, expectations
from monitor.insights import NOTHING, Insights, effects_alone, insights
from monitor.lazily import lazily
from monitor.metrics.change import change, compare
from monitor.metrics.expected import LEAST_HISTORY
from monitor.metrics.volume import share_of_voice, velocity
from monitor.quotes import quote
from monitor.schedule import Window, comparison, trailing
from monitor.slices import slices_of
from storage import queries
from storage.records import Sums
from storage.tables import UNCOUNTED

TRAILING_DAYS = 90
FEW = 30
"""Under so many items a window's own score says little. Source: METRICS 2.6."""


def build_report(
    app: App, brands: Sequence[str], window: Window, *, before: Window | None = None, items: bool = True
) -> f.Report:
    """Every figure of these brands over ``window``, compared with ``before`` (default: METRICS 1).

    Without ``items`` only what comes from rollups: at once, however large window and store are. Intervals then take the
    items as independent; breakdowns, topics, drivers, authors and top items are empty.
    """
    other, known = before or comparison(window), known_of(app)
    return f.Report(
        generated_at=app.now(),
        window=_window(window),
        compared_with=_window(other),
        brands=[_Brand(app, name, window, other, items, known).figures() for name in brands],
    )


@dataclass
class _Brand:
    """One brand's part of a report, read from the store piece by piece."""

    app: App
    name: str
    window: Window
    other: Window
    items: bool
    known: Known
    is_rival: bool = False
    """Only beside another brand: a few of its figures are shown."""

    def figures(self) -> f.BrandFigures:
        followers = self._followers()
        found = self.insights
        social, reviews = self.sentiment("mention"), self._reviews()
        return f.BrandFigures(
            brand=self.name,
            competitor_of=[b.name for b in self.app.settings.brands if self.name in b.competitors],
            social=social,
            reviews=reviews,
            engagement=s.engagement_of_brand(self.now, followers, found.reach),
            followers=followers,
            volume=self._volume(),
            by_source=[self._source(source) for source in sorted({source for source, _ in self.now})],
            series=self._series(),
            top_items=self._top(),
            breakdowns=found.breakdowns,
            copies=found.copies,
            topics=found.topics,
            drivers=found.drivers,
            authors=found.authors,
            competitors=[self._rival(rival) for rival in self.rivals.values()],
            annotations=annotations_of(self.app, self.name, self.window, self.other, items=self.items),
            alerts=alerts_of(self.app, self.name, self.window),
            coverage=self.reach.figures(self.insights.foreign, self.other.start),
            trailing=self._trailing() if min(social.total, reviews.total) < FEW else None,
        )

    # What is read once -----------------------------------------------------------------------------------------

    @lazily
    def now(self) -> s.BySource:
        return self._sums(self.window)

    @lazily
    def before(self) -> s.BySource:
        return self._sums(self.other)

    @lazily
    def reach(self) -> Reach:
        return coverage_of(self.app, self.name, self.window, self.known)

    @lazily
    def complete(self) -> set[str]:
        """The sources watched throughout both windows, without a gap: those that are compared."""
        return self.reach.complete_sources & self.reach_before.complete_sources

    @lazily
    def reach_before(self) -> Reach:
        return coverage_of(self.app, self.name, self.other, self.known)

    @lazily
    def unwatched(self) -> set[str]:
        """The sources that were not watched yet when the earlier of both windows began."""
        both = (self.reach, self.reach_before)
        return {name for one in both for name in (*one.begun_after(one.window.start), *one.unread)}

    @lazily
    def slices(self) -> list[Window]:
        return slices_of(self.window)

    @lazily
    def insights(self) -> Insights:
        if not self.items:
            return NOTHING
        windows, expected = (self.window, self.other), s.labelled(self.now, self.before)
        if self.is_rival:
            return effects_alone(self.app, self.name, windows, frozenset(self.complete))
        return insights(self.app, self.name, windows, self.slices, frozenset(self.complete), expected)

    @lazily
    def expected(self) -> Expectations:
        """What was usual for the window."""
        return expectations(self.app, self.name, self.window, self.slices)

    def _sums(self, window: Window) -> s.BySource:
        return queries.sums_by_source(self.app.database, self.name, (window.start, window.end))

    # The figures -----------------------------------------------------------------------------------------------

    def sentiment(self, kind: str) -> f.Sentiment:
        """The score of a kind over the window, with its change."""
        effects = self.insights.effects.get(kind)
        figure = s.sentiment(s.total(self.now, kind), effects.now if effects else s.UNREAD)
        checked = audited(self.app, self.name, kind, self.window) if self.items else None
        return figure.model_copy(update={"change": self._change(kind), "audited": checked})

    def _change(self, kind: str) -> f.Change:
        effects = self.insights.effects.get(kind)
        found = compare(
            s.tallies(self.now, kind),
            s.tallies(self.before, kind),
            self.complete,
            deff_now=effects.compared_now if effects else 1.0,
            deff_before=effects.compared_before if effects else 1.0,
        )
        told = s.comparison(found, self._compared(kind))
        return told.model_copy(update={"unwatched": [name for name in told.left_out if name in self.unwatched]})

    def _compared(self, kind: str) -> list[str]:
        return sorted(self.complete & {source for source, k in {*self.now, *self.before} if k == kind})

    def _reviews(self) -> f.Reviews:
        sums = s.total(self.now, "review")
        volume = s.tally_of(sums).volume
        rating = s.rating(self.now, velocity(volume, self.window.length), self._standing())
        rating = rating.model_copy(update={"answered": self.insights.answered})
        return f.Reviews(**self.sentiment("review").model_dump(), rating=rating, replied=sums["replied"])

    def _standing(self) -> list[f.Standing]:
        own = self._served()
        found = queries.standings(self.app.database, self.window.end)
        return [
            f.Standing(source=source, place=place, mean=mean, best=best, count=count, seen_at=seen)
            for source, place, mean, _worst, best, count, seen in found
            if source in own
        ]

    def _followers(self) -> list[f.Followers]:
        own = self._served()
        at_start = {
            (source, account): count
            for source, account, count, _ in queries.followers(self.app.database, self.window.start)
        }
        return [
            f.Followers(
                source=source,
                account=account,
                count=count,
                change=count - at_start[source, account] if (source, account) in at_start else None,
                seen_at=seen,
            )
            for source, account, count, seen in queries.followers(self.app.database, self.window.end)
            if source in own
        ]

    def _served(self) -> set[str]:
        return {source.name for source in self.app.settings.sources if self.name in source.served}

    def _volume(self) -> f.Volume:
        rivals = [rival.mentions() for rival in self.rivals.values()]
        shared = self._shared(self._competitors())
        return f.Volume(
            mentions=s.tally_of(s.total(self.now, "mention")).volume,
            reviews=s.tally_of(s.total(self.now, "review")).volume,
            before=s.tally_of(s.total(self.before, "mention", "review")).volume,
            share_of_voice=share_of_voice(self.mentions(), rivals, shared),
            shared_sources=sorted(shared),
            expected=self.expected.whole,
            watched_days=self._watched_days(),
        )

    def _watched_days(self) -> int | None:
        """For how long it has been watched, where that is too short to say what is usual."""
        since = self.reach.watched_since
        if since is None or self.expected.whole is not None or self.window.length > LONGEST:
            return None
        watched = min(self.window.end, self.app.now()) - since
        return max(0, watched.days) if self.window.start - since < LEAST_HISTORY else None

    def _source(self, source: str) -> f.SourceFigures:
        effects = self.insights.by_source

        def one(kind: str) -> f.Sentiment:
            return s.sentiment(s.total(self.now, kind, source=source), effects.get((source, kind), s.UNREAD))

        both = s.total(self.now, "mention", "review", source=source)
        return f.SourceFigures(
            source=source,
            social=one("mention"),
            reviews=one("review"),
            engagement=s.engagement(s.total(self.now, "mention", "review", "post", source=source)),
            volume=s.tally_of(both).volume,
        )

    def _series(self) -> list[f.Day]:
        spans = [(part.start, part.end) for part in self.slices]
        found = queries.sums_by_slice(self.app.database, self.name, spans, [*s.MOOD, *UNCOUNTED])
        return [self._day(part, number, found) for number, part in enumerate(self.slices)]

    def _day(self, part: Window, number: int, found: Mapping[tuple[int, str], Sums]) -> f.Day:
        tallies = {kind: s.tally_of(found.get((number, kind), Sums())) for kind in ("mention", "review")}
        effects = self.insights.by_slice
        figures = {kind: s.figure(one, effects.get((number, kind), s.UNREAD)) for kind, one in tallies.items()}
        return f.Day(
            start=part.start,
            social=figures["mention"],
            reviews=figures["review"],
            volume=tallies["mention"].volume + tallies["review"].volume,
            gap=self.reach.has_gap(part.start, part.end),
            unwatched=self.reach.is_unwatched(part.end),
            expected=self.expected.slices.get(number),
        )

    def _trailing(self) -> f.Trailing:
        window = trailing(self.window.end, TRAILING_DAYS, self.window.zone)
        sums = self._sums(window)
        return f.Trailing(
            days=TRAILING_DAYS,
            social=s.sentiment(s.total(sums, "mention")),
            reviews=s.sentiment(s.total(sums, "review")),
        )

    # Competitors -----------------------------------------------------------------------------------------------

    def _competitors(self) -> list[str]:
        return list(self.app.settings.brand(self.name).competitors)

    def _shared(self, rivals: Sequence[str]) -> set[str]:
        """The sources that look for the brand and all these others."""
        return shared_sources(self.app, {self.name, *rivals})

    def mentions(self) -> dict[str, int]:
        """Mentions by source."""
        return {source: one.volume for source, one in s.tallies(self.now, "mention").items()}

    @lazily
    def rivals(self) -> dict[str, _Brand]:
        return {name: replace(self, name=name, is_rival=True) for name in self._competitors()}

    def _rival(self, rival: _Brand) -> f.Rival:
        mentions = rival.mentions()
        return f.Rival(
            brand=rival.name,
            social=rival.sentiment("mention"),
            reviews=rival.sentiment("review"),
            mentions=sum(mentions.values()),
            share_of_voice=share_of_voice(mentions, [self.mentions()], self._shared([rival.name])),
            social_difference=self._difference("mention", rival),
            reviews_difference=self._difference("review", rival),
        )

    def _difference(self, kind: str, rival: _Brand) -> f.Change:
        """The brand's score minus the rival's. Source: METRICS 2.4, over two brands instead of two windows."""
        mine, other = (s.tally_of(s.total(one.now, kind)) for one in (self, rival))
        return s.change(change(mine, other, deff_now=self.effect(kind), deff_before=rival.effect(kind)))

    def effect(self, kind: str) -> float | None:
        """The design effect of a kind's score; 1 where items were not looked at."""
        effects = self.insights.effects.get(kind)
        return effects.now if effects else 1.0

    # Items -----------------------------------------------------------------------------------------------------

    def _top(self) -> f.TopItems:
        """The items as they are now; which ones they are was found while the window was read."""
        top, like = self.insights.top, self.insights.like
        found = queries.items_by_id(self.app.database, sorted({number for ids in top.values() for number in ids}))
        return f.TopItems(
            **{name: [quote(found[n], like.get(n, 0)) for n in ids if n in found] for name, ids in top.items()}
        )


def shared_sources(app: App, brands: Set[str]) -> set[str]:
    """The sources that look for all these brands: the only ones that a share of voice goes by."""
    return {source.name for source in app.settings.enabled_sources if brands <= set(source.served)}


def _window(window: Window) -> f.WindowFigure:
    return f.WindowFigure(
        start=window.start, end=window.end, timezone=window.zone.key, period=window.period, label=window.label
    )
