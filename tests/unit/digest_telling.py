"""A report with everything in it: terms, topics, breakdowns, authors, competitors, answers, and a dated event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from monitor.figures import (
    Alert,
    Annotation,
    Answered,
    AuthorFigures,
    Authors,
    BrandFigures,
    Change,
    Driver,
    Drivers,
    Group,
    Reach,
    Report,
    Rival,
    Usual,
    Volume,
)
from tests.unit import digest_reports as made


def everything() -> Report:
    """Every part of a digest, and every kind of brand."""
    return made.report(made.competitor(), telling(), made.tiny(), made.empty(), made.unreachable())


def telling(**more: Any) -> BrandFigures:
    """The lively brand with all that its items say beyond their sums."""
    lively = made.lively()
    rating = lively.reviews.rating.model_copy(
        update={"answered": answered(), "velocity": 9.0},
    )
    values: dict[str, Any] = {
        "reviews": lively.reviews.model_copy(update={"rating": rating}),
        "engagement": lively.engagement.model_copy(update={"reach": Reach(followers=55_826, authors=127, known=27)}),
        "volume": Volume(
            mentions=430,
            reviews=63,
            before=455,
            share_of_voice=0.66,
            shared_sources=["reddit-larkspur", "mastodon"],
            expected=Usual(mean=420.0, low=380, high=470),
        ),
        "drivers": drivers(),
        "topics": [group("sync", (9, 8, 24), change=made.change("down", -0.41)), group("price", (0, 0, 0))],
        "breakdowns": breakdowns(),
        "authors": authors(),
        "competitors": [rival()],
        "alerts": [alert()],
        "annotations": [Annotation(at=made.START + timedelta(days=4), text="release 2.0")],
    }
    return lively.model_copy(update=values | more)


def answered(unanswered: int = 43, outdated: int = 1) -> Answered:
    return Answered(
        reviews=63,
        answered=63 - unanswered,
        share=(63 - unanswered) / 63,
        median_hours=17.5,
        unanswered=unanswered,
        outdated=outdated,
    )


def driver(term: str, items: int, others: int, *, clear: bool, number: int, text: str | None = None) -> Driver:
    said = made.quote(number, "negative", text or f"Once more: {term}, and nobody answers.", author="aster.lane")
    return Driver(term=term, z=3.1, p=0.01, items=items, others=others, authors=items - 1, clear=clear, examples=[said])


def drivers() -> Drivers:
    return Drivers(
        negative=[
            driver("lost notes", 16, 1, clear=True, number=201),
            driver("battery", 9, 2, clear=False, number=202),
            driver("heat", 8, 2, clear=False, number=203),
            driver("refund", 7, 2, clear=False, number=204),
        ],
        positive=[driver("sidebar", 12, 3, clear=False, number=205)],
        new=[driver("update", 24, 0, clear=True, number=206)],
        texts=400,
    )


def group(name: str, counts: tuple[int, int, int], change: Change | None = None, before: int = 3) -> Group:
    nothing = made.sentiment(0, 0, 0)
    return Group(
        name=name,
        social=made.sentiment(*counts, change=change),
        reviews=nothing,
        volume=sum(counts) + 1,
        before=before,
    )


def breakdowns() -> dict[str, list[Group]]:
    places = [group(f"r/place{number}", (4 + number, 2, 3)) for number in range(9)]
    return {
        "source": [group("reddit-larkspur", (120, 38, 52), change=made.change("up", 0.2))],
        "place": [*places, group("r/quiet", (2, 1, 1))],
        "country": [group("de", (9, 3, 3)), group("us", (8, 3, 5))],
        "app_version": [
            group("2.0.0", (2, 3, 30), change=made.change("too few to tell", -1.2)),
            group("1.9.6", (9, 2, 1)),
        ],
        "language": [group("en", (200, 70, 60)), group("de", (5, 1, 1))],
    }


def authors() -> Authors:
    one = AuthorFigures(
        id="7", name="amberanchor81", source="reddit-larkspur", items=2, before=0, engagement=667, followers=None,
        score=-1.0, total=2,
    )  # fmt: skip
    followed = one.model_copy(update={"id": "8", "name": "Wren Alder", "followers": 48_232, "items": 1})
    silent = one.model_copy(update={"id": "9", "name": None, "items": 0, "before": 4})
    return Authors(engaged=[one], followed=[followed], rising=[], falling=[silent], total=127)


def alert(number: int = 3, **more: Any) -> Alert:
    values: dict[str, Any] = {
        "id": number,
        "name": "spike",
        "kind": "volume",
        "subject": "Larkspur",
        "since": made.START + timedelta(days=4),
        "until": None,
        "state": "open",
        "told": True,
        "figures": {"seen": 62.0},
        "words": "3.1 times the usual: 62 mentions and reviews on Fri 13 Nov, usually about 20",
    }
    return Alert(**(values | more))


def rival() -> Rival:
    return Rival(
        brand="Jotwick",
        social=made.sentiment(90, 70, 60),
        reviews=made.sentiment(0, 0, 0),
        mentions=220,
        share_of_voice=0.34,
        social_difference=made.change("up", 0.30),
        reviews_difference=made.change("too few to tell"),
    )
