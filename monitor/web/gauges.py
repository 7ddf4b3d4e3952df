"""What ``/metrics`` shows: small numbers about the program and its figures, read when asked, kept for some seconds.

Cardinality is bounded by the configuration: brands, kinds, labels, sources; never an item, an author or a text.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from threading import Lock
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from monitor import __version__
from monitor import sums as s
from monitor.app import App
from monitor.health import health_of_sources
from monitor.metrics.sentiment import Tally
from monitor.web.asked import window_named
from storage import gauges, schema
from storage.tables import UNCOUNTED

KEPT_SECONDS: Final = 10.0
DAY: Final = timedelta(days=1)
SCORE_DAYS: Final = 7
KINDS: Final = ("mention", "review")
PREFIX: Final = "sentiment_monitor"


class Gauges:
    """The numbers as text, made anew when they are older than :data:`KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: tuple[float, bytes] | None = None

    def text(self, app: App) -> bytes:
        """In Prometheus' text format."""
        with self._lock:
            if self._made is None or time.monotonic() - self._made[0] >= KEPT_SECONDS:
                self._made = (time.monotonic(), exposition(app))
            return self._made[1]


def exposition(app: App) -> bytes:
    """The numbers as they are now."""
    registry = CollectorRegistry()
    registry.register(_Collected(list(_metrics(app))))
    return generate_latest(registry)


class _Collected:
    """Metrics that were read already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _metrics(app: App) -> Iterator[Metric]:
    yield InfoMetricFamily(f"{PREFIX}_build", "The program.", {"version": __version__, "schema": schema.HEAD})
    yield from _items(app)
    yield from _scores(app)
    yield from _sources(app)
    yield from _pulls(app)
    yield from _deliveries(app)


def _gauge(name: str, words: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    found = GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=labels)
    for where, value in values:
        found.add_metric(where, value)
    return found


def _items(app: App) -> Iterator[Metric]:
    counted = gauges.items(app.database)
    labelled = ((key, count) for key, count in counted.items() if key[2] not in UNCOUNTED)
    left_out = ((key, count) for key, count in counted.items() if key[2] in UNCOUNTED)
    yield _gauge("items", "Counted items in the store.", ("brand", "kind", "label"), labelled)
    yield _gauge("uncounted_items", "Items kept and not counted, by reason.", ("brand", "kind", "reason"), left_out)


def _scores(app: App) -> Iterator[Metric]:
    window = window_named(app, {"window": f"{SCORE_DAYS}d"})[0]
    counted = gauges.moods(app.database, window.start, window.end)
    moods = {(name, kind): s.figure(_tally(counted.get((name, kind), {}))) for name in app.brands for kind in KINDS}
    told = {key: one.score for key, one in moods.items() if one.score is not None}
    words = f"(positive - negative) / labelled, over {SCORE_DAYS} days."
    yield _gauge("score", words, ("brand", "kind"), told.items())
    rests = ((key, one.total) for key, one in moods.items())
    yield _gauge(
        "score_items", f"Labelled items of {SCORE_DAYS} days, which the score rests on.", ("brand", "kind"), rests
    )


def _tally(counts: Mapping[str, int]) -> Tally:
    positive, negative, neutral, unscored = (counts.get(label, 0) for label in s.MOOD)
    return Tally(positive, negative, neutral, unscored)


def _sources(app: App) -> Iterator[Metric]:
    states = health_of_sources(app)
    counted: dict[tuple[str, ...], float] = {}
    for one in states:
        counted[(one.state,)] = counted.get((one.state,), 0) + 1
    yield _gauge("sources", "Sources by how they are.", ("state",), sorted(counted.items()))
    watched = {one.name for one in app.settings.enabled_sources}
    lags = [(one.name, one.known_until) for one in states if one.name in watched]
    late = (((name,), max(0.0, (app.now() - at).total_seconds())) for name, at in lags if at is not None)
    yield _gauge("source_lag_seconds", "Since up to when a source has been read.", ("source",), late)
    failures = (((one.name,), float(one.failures)) for one in states if one.name in watched)
    yield _gauge("source_failures", "Failed pulls in a row.", ("source",), failures)


def _pulls(app: App) -> Iterator[Metric]:
    found = gauges.pulls(app.database, app.now() - DAY)
    total = CounterMetricFamily(f"{PREFIX}_pulls", "Finished pulls.", labels=("source",))
    for name, one in found.items():
        total.add_metric((name,), one.finished)
    yield total
    results = {(name, result): getattr(one, result) for name, one in found.items() for result in ("good", "bad")}
    yield _gauge("pulls_last_day", "Finished pulls of the last 24 hours.", ("source", "result"), results.items())
    lasted: Mapping[str, float] = {name: one.seconds for name, one in found.items() if one.seconds is not None}
    yield _gauge(
        "pull_duration_seconds",
        "How long the last pull took.",
        ("source",),
        (((name,), one) for name, one in lasted.items()),
    )


def _deliveries(app: App) -> Iterator[Metric]:
    states, oldest = gauges.waiting(app.database)
    yield _gauge(
        "deliveries", "Deliveries that have not left.", ("state",), (((name,), n) for name, n in states.items())
    )
    late = 0.0 if oldest is None else max(0.0, (app.now() - oldest).total_seconds())
    yield _gauge(
        "delivery_oldest_due_seconds", "Since when the oldest waiting delivery has been due.", (), [((), late)]
    )
