"""PURE  Scores side by side: topics, breakdowns, competitors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from monitor.digest import escape, sentences, words
from monitor.digest.links import Links
from monitor.digest.numbers import percent, plural, score
from monitor.digest.page import Breakdown, GroupRow, Tone
from monitor.figures import BrandFigures, Change, Group, Rival, Sentiment

LEAST: Final = 5
"""A group's score is shown from so many scored items on."""
ROWS: Final = 8
"""Rows of a breakdown."""
NAMED: Final = 20
"""Groups that a report names of each breakdown; where it names so many there may be more."""
_BREAKDOWNS: Final = (
    ("place", "By place", "Place", ("place", "places")),
    ("country", "By country", "Country", ("country", "countries")),
    ("app_version", "By app version", "App version", ("version", "versions")),
    ("language", "By language", "Language", ("language", "languages")),
)
_KINDS: Final = (("social", "mention"), ("reviews", "review"))


def topics(brand: BrandFigures, links: Links) -> Breakdown | None:
    """Every topic with its mentions and its reviews, however few: they were asked for by name."""
    rows = [row for one in brand.topics for row in _rows(brand.brand, one, links, ("topics", one.name), least=1)]
    silent = [one.name for one in brand.topics if not one.social.total and not one.reviews.total]
    if not brand.topics:
        return None
    rest = f"nothing scored on {words.names(silent)}" if silent else None
    return Breakdown("Topics", "Topic", tuple(rows), rest)


def breakdowns(brand: BrandFigures, links: Links) -> Iterator[Breakdown]:
    """By place, country, version and language, where there is more than one. The sources have a table of their own."""
    for key, title, name, noun in _BREAKDOWNS:
        groups = brand.breakdowns.get(key, [])
        shown = _shown(groups, brand.brand, key, links)
        if len(groups) < 2 or not shown:
            continue
        left = [one for one in groups if one.name not in {group.name for group, _ in shown}]
        more = len(groups) >= NAMED
        rest = sentences.unshown(len(left), sum(one.volume for one in left), noun, at_least=more)
        yield Breakdown(title, name, tuple(row for _, row in shown), rest)


def _shown(groups: Sequence[Group], brand: str, key: str, links: Links) -> list[tuple[Group, GroupRow]]:
    rows = [
        (one, row)
        for one in groups
        for row in _rows(brand, one, links, ("breakdowns", key, one.name), least=LEAST, label=_label(key, one.name))
    ]
    return rows[:ROWS]


def _label(key: str, name: str) -> str:
    if key == "country":
        return escape.name(name.upper())
    return words.language(name) if key == "language" else escape.name(name)


def _rows(
    brand: str, one: Group, links: Links, path: Sequence[str], *, least: int, label: str | None = None
) -> Iterator[GroupRow]:
    for kind, noun in _KINDS:
        sentiment: Sentiment = getattr(one, kind)
        if sentiment.total >= least:
            yield row(label or escape.name(one.name), sentiment, noun, links.to(brand, *path, kind, "total"))


def row(name: str, sentiment: Sentiment, noun: str, link: escape.Link | None) -> GroupRow:
    """A group with its score, its range and its change."""
    return GroupRow(
        name=name,
        count=plural(sentiment.total, noun),
        score=score(sentiment.score),
        likely=sentences.span(sentiment),
        change=sentences.brief(sentiment.change),
        tone=tone(sentiment.change),
        link=link,
    )


def tone(change: Change | None) -> Tone:
    """The colour of a change: only a clear one has one."""
    return sentences.TONES.get(change.verdict, "none") if change else "none"


def versus(brand: BrandFigures, links: Links, *, with_voice: bool = True) -> Breakdown | None:
    """The competitors over the same time, each with the brand's distance to it; ``with_voice``: and its share of voice."""
    rows = [row for one in brand.competitors for row in _against(brand.brand, one, links)]
    silent = [one.brand for one in brand.competitors if not one.social.total and not one.reviews.total]
    if not brand.competitors:
        return None
    told = [
        sentences.voice(brand.volume) if with_voice else None,
        f"Nothing scored of {words.names(silent)}" if silent else None,
    ]
    note = ". ".join(one for one in told if one) or None
    return Breakdown(
        f"{escape.name(brand.brand)} beside its competitors",
        "Competitor",
        tuple(rows),
        note,
        escape.name(brand.brand),
        f"score, likely range, {escape.name(brand.brand)} against it",
    )


def _against(brand: str, one: Rival, links: Links) -> Iterator[GroupRow]:
    voice = None if one.share_of_voice is None else f"{percent(one.share_of_voice, 1)} share of voice"
    for kind, noun in _KINDS:
        sentiment: Sentiment = getattr(one, kind)
        change: Change = getattr(one, f"{kind}_difference")
        if not sentiment.total:
            continue
        yield GroupRow(
            name=escape.name(one.brand),
            count=plural(sentiment.total, noun),
            score=score(sentiment.score),
            likely=sentences.span(sentiment),
            change=sentences.difference(change),
            tone=tone(change),
            link=links.to(brand, "competitors", one.brand, kind, "total"),
            note=voice if kind == "social" else None,
        )
