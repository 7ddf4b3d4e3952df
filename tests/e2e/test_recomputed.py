"""A report of the sample brand, computed a second time from the sample files alone: without the store and without the report.

Only the scorer is the same: what it says of a text is proved against vaderSentiment elsewhere.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sqrt
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest

from monitor import figures as f
from monitor.report import build_report
from monitor.schedule import span
from monitor.scoring import DEFAULT, Label, Scorable, score_batch
from tests.e2e.conftest import ROOT
from tests.fakes import samples
from tests.fakes.samples import NOW

SHIFT = datetime(2026, 11, 23, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC)
START = NOW - timedelta(days=14)
SAMPLES = ROOT / "monitor" / "samples"
SEARCHED = ("reddit", "mastodon", "forum", "news")
STORES = ("appstore", "playstore")
EXCLUDED = ("larkspur seeds", "delphinium", "flower bed", "larkspur street", "garden")
COUNTS = ("likes", "shares", "comments", "views")


@dataclass
class Entry:
    """An item of the files as it stood at ``NOW``, and every reading of its counts."""

    stream: str
    kind: str
    at: datetime
    title: str | None
    text: str | None
    author: str | None
    stars: float | None
    language: str | None
    attributes: Mapping[str, str]
    place: str | None
    reply_at: datetime | None
    edited_at: datetime | None
    readings: list[tuple[datetime, dict[str, int | None]]]
    label: str | None = None
    excluded: bool = False
    counts: dict[str, int | None] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return f"{self.title or ''} \n {self.text or ''}".lower()

    def gained(self, name: str) -> int:
        """Growth within the window: a first reading counts whole if the item was younger than a day."""
        known = [(at, counts[name]) for at, counts in self.readings if counts[name] is not None]
        total, last = 0, None
        for at, value in known:
            assert value is not None
            first = value if last is None and at - self.at <= timedelta(hours=24) and at == self.readings[0][0] else 0
            grown = first if last is None else value - last
            total += grown if START <= at < NOW else 0
            last = value
        return total


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC) + SHIFT


def lines(name: str) -> Iterator[dict[str, Any]]:
    for line in (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def entry(stream: str, record: Mapping[str, Any]) -> Entry:
    at = moment(record["at"])
    edits = [edit for edit in record.get("edits", ()) if moment(edit["at"]) <= NOW]
    last = {key: value for edit in sorted(edits, key=lambda edit: str(edit["at"])) for key, value in edit.items()}
    state = {**record, **last}
    rating = state.get("rating")
    readings = [
        (at + timedelta(hours=hours), dict(zip(COUNTS, counts, strict=True)))
        for hours, *counts in record.get("counts", ())
        if at + timedelta(hours=hours) <= NOW
    ]
    if not readings or readings[0][0] != at:
        readings.insert(0, (at, dict.fromkeys(COUNTS)))
    latest: dict[str, int | None] = dict.fromkeys(COUNTS)
    for _, counts in readings:
        latest |= {name: value for name, value in counts.items() if value is not None}
    reply = record.get("reply")
    return Entry(
        stream=stream,
        kind=record["kind"],
        at=at,
        title=state.get("title"),
        text=state.get("text"),
        author=f"{stream}:{record['author']['id']}" if record.get("author") else None,
        stars=1 + 4 * (rating["value"] - rating["worst"]) / (rating["best"] - rating["worst"]) if rating else None,
        language=record.get("language"),
        attributes=record.get("attributes", {}),
        place=record.get("place"),
        reply_at=moment(reply["at"]) if reply and moment(reply["at"]) <= NOW else None,
        edited_at=moment(max(edit["at"] for edit in edits)) if edits else None,
        readings=readings,
        counts=latest,
    )


def entries(brand: str, excluded: Sequence[str]) -> list[Entry]:
    """All items of a brand published in the window, with their labels."""
    word = re.compile(rf"(?<![^\W_]){brand.lower()}(?![^\W_])|#{brand.lower()}")
    found = []
    for stream in (*SEARCHED, *STORES, "social_own"):
        for record in lines(stream):
            one = entry(stream, record)
            if not START <= one.at < NOW or record.get("brand", brand) != brand:
                continue
            if stream in SEARCHED and not word.search(one.said):
                continue
            one.excluded = stream in SEARCHED and any(re.search(rf"\b{phrase}\b", one.said) for phrase in excluded)
            found.append(one)
    texts = [Scorable(one.title, one.text, None, one.language, frozenset({brand.lower()})) for one in found]
    for one, scored in zip(found, score_batch(texts, DEFAULT), strict=True):
        one.label = scored.label and scored.label.value
        if one.stars is not None:
            one.label = "positive" if one.stars >= 3.5 else "neutral" if one.stars >= 2.5 else "negative"
    return found


@pytest.fixture(scope="module")
def ours() -> list[Entry]:
    return entries("Larkspur", EXCLUDED)


@pytest.fixture(scope="module")
def report(pulled_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[f.BrandFigures]:
    app = samples.opened(samples.copied(pulled_samples, tmp_path_factory.mktemp("recomputed")))
    window = span(START, NOW, app.settings.monitor.zone)
    yield build_report(app, ["Larkspur"], window).brands[0]
    app.close()


def counted(found: Sequence[Entry], *kinds: str) -> list[Entry]:
    return [one for one in found if one.kind in kinds and not one.excluded]


def tally(found: Sequence[Entry]) -> tuple[int, int, int, int]:
    labels = Counter(one.label for one in found)
    return labels["positive"], labels["negative"], labels["neutral"], labels[None]


def told(sentiment: f.Sentiment) -> tuple[int, int, int, int]:
    return sentiment.positive, sentiment.negative, sentiment.neutral, sentiment.unscored


def test_the_labels_are_those_of_the_texts_and_the_stars(report: f.BrandFigures, ours: list[Entry]) -> None:
    mentions, reviews = counted(ours, "mention"), counted(ours, "review")
    assert told(report.social) == tally(mentions)
    assert told(report.reviews) == tally(reviews)
    excluded = sum(one.excluded for one in ours)
    assert report.social.uncounted == ({"excluded": excluded} if excluded else {})
    assert (report.volume.mentions, report.volume.reviews) == (len(mentions), len(reviews))
    assert len(mentions) > 150 < len(reviews) + 10


def test_the_scores_are_those_of_the_counts(report: f.BrandFigures, ours: list[Entry]) -> None:
    for sentiment, kind in ((report.social, "mention"), (report.reviews, "review")):
        positive, negative, neutral, _ = tally(counted(ours, kind))
        assert sentiment.score == (positive - negative) / (positive + negative + neutral)
        assert sentiment.variants["polar"] == (positive - negative) / (positive + negative)


def test_the_likely_range_is_tango_s_over_the_design_effect(report: f.BrandFigures, ours: list[Entry]) -> None:
    for sentiment, kind in ((report.social, "mention"), (report.reviews, "review")):
        found = [one for one in counted(ours, kind) if one.label is not None]
        signs = [{"positive": 1, "negative": -1, "neutral": 0}[one.label or ""] for one in found]
        deff = design_effect(signs, cluster_names(counted(ours, "mention", "review"), found))
        assert sentiment.deff == pytest.approx(deff)
        b, c, n = (count / deff for count in (signs.count(1), signs.count(-1), len(signs)))
        assert sentiment.low == pytest.approx(tango_end(b, c, n, 1.959964), abs=1e-5)
        assert sentiment.high == pytest.approx(tango_end(b, c, n, -1.959964), abs=1e-5)


def cluster_names(everyone: Sequence[Entry], found: Sequence[Entry]) -> list[int]:
    """Items of one author, or with the same words, over any number of steps, have one name."""
    names = list(range(len(everyone)))
    keys: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(everyone):
        for kind, value in (("author", one.author), ("words", same_words(one))):
            if value:
                keys.setdefault((kind, value), []).append(number)
    changed = True
    while changed:
        changed = False
        for members in keys.values():
            least = min(names[number] for number in members)
            for number in members:
                changed |= names[number] != least
                names[number] = least
    by_identity = {id(one): names[number] for number, one in enumerate(everyone)}
    return [by_identity[id(one)] for one in found]


def same_words(one: Entry) -> str:
    words = re.findall(r"[^\W_]+", re.sub(r"https?://\S+|@\w+", " ", one.said))
    return " ".join(words) if len(words) >= 5 else ""


def design_effect(signs: Sequence[int], clusters: Sequence[int]) -> float:
    n, score = len(signs), fmean(signs)
    rest: dict[int, float] = {}
    for sign, cluster in zip(signs, clusters, strict=True):
        rest[cluster] = rest.get(cluster, 0.0) + sign - score
    clustered = len(rest) / (len(rest) - 1) * sum(value**2 for value in rest.values()) / n**2
    return max(1.0, clustered / (sum((sign - score) ** 2 for sign in signs) / n**2))


def tango_end(b: float, c: float, n: float, z: float) -> float:
    """Where the statistic as published comes to ``z``, found by halving."""

    def statistic(d: float) -> float:
        big_a, big_c = 2 * n, -c * d * (1 - d)
        big_b = -b - c + (2 * n - b + c) * d
        q = (sqrt(big_b * big_b - 4 * big_a * big_c) - big_b) / (2 * big_a)
        return (b - c - n * d) / sqrt(n * (2 * q + d * (1 - d)))

    low, high = -1 + 1e-9, 1 - 1e-9
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if statistic(middle) > z else (low, middle)
    return low


def test_stars_are_averaged_and_counted(report: f.BrandFigures, ours: list[Entry]) -> None:
    stars = [one.stars for one in counted(ours, "review") if one.stars is not None]
    rating = report.reviews.rating
    assert rating.mean == pytest.approx(fmean(stars))
    assert rating.histogram == {str(cell): sum(int(one + 0.5) == cell for one in stars) for cell in range(1, 6)}
    assert rating.csat == sum(one >= 3.5 for one in stars) / len(stars)
    assert rating.velocity == pytest.approx(len(counted(ours, "review")) / 14)


def test_answers_are_timed(report: f.BrandFigures, ours: list[Entry]) -> None:
    reviews = counted(ours, "review")
    answered = [one for one in reviews if one.reply_at is not None]
    hours = [(one.reply_at - one.at) / timedelta(hours=1) for one in answered if one.reply_at is not None]
    figures = report.reviews.rating.answered
    assert figures is not None
    assert (figures.reviews, figures.answered) == (len(reviews), len(answered))
    assert figures.share == len(answered) / len(reviews)
    assert figures.median_hours == pytest.approx(median(hours))
    outdated = [one for one in answered if one.edited_at and one.reply_at and one.edited_at > one.reply_at]
    assert figures.outdated == len(outdated)


def test_engagement_is_added_up(report: f.BrandFigures, ours: list[Entry]) -> None:
    for figures, kind in ((report.engagement.mentions, "mention"), (report.engagement.own, "post")):
        found = counted(ours, kind)
        for name in COUNTS:
            known = [one.counts[name] or 0 for one in found if one.counts[name] is not None]
            assert getattr(figures, name) == (sum(known) if known else None), name
            assert figures.known[name] == len(known)
        assert figures.items == len(found)


def test_growth_is_added_up_over_items_of_any_age(report: f.BrandFigures) -> None:
    for figures, streams in ((report.engagement.mentions, SEARCHED), (report.engagement.own, ("social_own",))):
        everyone = [
            one
            for stream in streams
            for record in lines(stream)
            if record.get("brand", "Larkspur") == "Larkspur"
            and (one := entry(stream, record)).at < NOW
            and (stream == "social_own" or ("larkspur" in one.said and not any(word in one.said for word in EXCLUDED)))
        ]
        for name in COUNTS:
            assert figures.gained[name] == sum(one.gained(name) for one in everyone), name


def test_followers_are_those_last_seen(report: f.BrandFigures) -> None:
    readings: dict[str, list[tuple[datetime, int]]] = {}
    for record in lines("followers"):
        if record["brand"] == "Larkspur" and moment(record["at"]) <= NOW:
            readings.setdefault(record["account"], []).append((moment(record["at"]), record["count"]))
    expected = {}
    for account, found in readings.items():
        at_end, at_start = max(found)[1], max(one for one in found if one[0] <= START)[1]
        expected[account] = (at_end, at_end - at_start)
    assert {one.account: (one.count, one.change) for one in report.followers} == expected
    own = report.engagement.own
    total = sum(count for count, _ in expected.values())
    assert own.rate == pytest.approx(((own.likes or 0) + (own.shares or 0) + (own.comments or 0)) / total)


def test_share_of_voice_is_that_of_the_mentions(report: f.BrandFigures, ours: list[Entry]) -> None:
    mine, theirs = len(counted(ours, "mention")), len(counted(entries("Jotwick", ()), "mention"))
    assert report.volume.share_of_voice == pytest.approx(mine / (mine + theirs))
    assert [rival.mentions for rival in report.competitors] == [theirs]


def test_a_topic_counts_what_names_it(report: f.BrandFigures, ours: list[Entry]) -> None:
    words = {
        "sync": r"\b(sync|syncs|syncing|synced)\b",
        "price": r"\b(price|prices|pricing|subscription|expensive|cheap)\b",
    }
    for topic in report.topics:
        naming = [one for one in counted(ours, "mention", "review") if re.search(words[topic.name], one.said)]
        assert topic.volume == len(naming)
        assert told(topic.social) == tally([one for one in naming if one.kind == "mention"])
        assert told(topic.reviews) == tally([one for one in naming if one.kind == "review"])


def test_breakdowns_sort_by_where_and_which(report: f.BrandFigures, ours: list[Entry]) -> None:
    everyone = counted(ours, "mention", "review")
    for dimension in ("country", "app_version"):
        sizes = Counter(one.attributes[dimension] for one in everyone if dimension in one.attributes)
        assert {group.name: group.volume for group in report.breakdowns[dimension]} == dict(sizes.most_common(20))
    places = Counter(one.place for one in everyone if one.place)
    assert all(group.volume == places[group.name] for group in report.breakdowns["place"])
    assert {label.value for label in Label} == {"positive", "negative", "neutral"}


def test_reach_counts_each_author_once(report: f.BrandFigures, ours: list[Entry]) -> None:
    assert report.engagement.reach is not None
    assert report.engagement.reach.authors == len(
        {one.author for one in counted(ours, "mention", "review") if one.author}
    )
    assert report.authors.total == report.engagement.reach.authors
