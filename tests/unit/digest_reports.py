"""Reports made by hand: a lively brand with a gap, a tiny one, an empty one, one whose sources are down, a competitor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.digest import DigestView
from monitor.figures import (
    BrandFigures,
    Change,
    Coverage,
    Day,
    Engagement,
    EngagementOfBrand,
    Followers,
    Gap,
    OwnEngagement,
    Quote,
    Rating,
    Report,
    Reviews,
    Sentiment,
    SourceFigures,
    Standing,
    TopItems,
    Trailing,
    Verdict,
    Volume,
    WindowFigure,
)

BERLIN: Final = ZoneInfo("Europe/Berlin")
START: Final = datetime(2026, 11, 8, 23, tzinfo=UTC)
WEEK: Final = timedelta(days=7)
VIEW: Final = DigestView(name="weekly", zone=BERLIN)
SHORT: Final = DigestView(name="weekly", zone=BERLIN, detail="short")
BEFORE: Final = "the week before"


def window(start: datetime = START, length: timedelta = WEEK, label: str | None = "2026-W46") -> WindowFigure:
    return WindowFigure(start=start, end=start + length, timezone="Europe/Berlin", period="week", label=label)


def sentiment(positive: int, neutral: int, negative: int, **more: Any) -> Sentiment:
    """The score of these counts, its interval by a rule of thumb that is good enough to be shown."""
    return Sentiment(**_sentiment(positive, neutral, negative), **{"unscored": 0, **more})


def reviews(positive: int, neutral: int, negative: int, rating: Rating | None = None, **more: Any) -> Reviews:
    stars = rating or Rating(mean=None, low=None, high=None, count=0, histogram={})
    return Reviews(**_sentiment(positive, neutral, negative), rating=stars, **{"unscored": 0, **more})


def change(verdict: Verdict, delta: float | None = None, **more: Any) -> Change:
    if delta is None:
        return Change(delta=None, verdict=verdict, **more)
    return Change(delta=delta, low=delta - 0.09, high=delta + 0.09, p=0.01, verdict=verdict, **more)


def engagement(
    likes: int | None, shares: int | None, comments: int | None, items: int, *, shares_known: int | None = None
) -> Engagement:
    given = {"likes": likes, "shares": shares, "comments": comments}
    everywhere = {key: items for key, value in given.items() if value is not None}
    known = everywhere if shares_known is None else everywhere | {"shares": shares_known}
    return Engagement(
        **given, views=None, items=items, known=known, gained={"likes": 310, "comments": -3} if likes else {}
    )


def own_posts(
    likes: int | None = None, posts: int = 0, rate: float | None = None, views: int | None = None
) -> OwnEngagement:
    known = {"likes": posts} if likes is not None else {}
    return OwnEngagement(
        likes=likes,
        shares=None,
        comments=None,
        views=views,
        items=posts,
        known=known,
        gained={},
        posts=posts,
        rate=rate,
    )


def quote(number: int, label: str | None, text: str | None, **more: Any) -> Quote:
    values: dict[str, Any] = {
        "source": "reddit-larkspur",
        "kind": "mention",
        "published_at": START + timedelta(days=1, hours=number),
        "author": "northlamp",
        "place": "r/notetaking",
        "url": f"https://reddit.example/r/notetaking/comments/{number}/",
    }
    return Quote(id=number, label=label, text=text, **(values | more))


def brand(name: str = "Larkspur", **more: Any) -> BrandFigures:
    """A brand with nothing to its name but what is given."""
    values: dict[str, Any] = {
        "social": sentiment(0, 0, 0),
        "reviews": reviews(0, 0, 0),
        "engagement": EngagementOfBrand(mentions=engagement(None, None, None, 0), own=own_posts()),
        "followers": [],
        "volume": Volume(mentions=0, reviews=0),
        "by_source": [],
        "series": [],
        "top_items": TopItems(),
        "coverage": Coverage(complete=True, known_until=START + WEEK),
    }
    return BrandFigures(brand=name, **(values | more))


def report(*brands: BrandFigures) -> Report:
    return Report(
        generated_at=START + WEEK + timedelta(hours=8),
        window=window(),
        compared_with=window(START - WEEK, label="2026-W45"),
        brands=list(brands),
    )


def everything() -> Report:
    return report(competitor(), lively(), tiny(), empty(), unreachable())


def lively() -> BrandFigures:
    """Of 430 mentions 412 are scored; the forum was down on Thursday, when there is no item from it."""
    stars = Rating(
        mean=3.62,
        low=3.31,
        high=3.93,
        count=63,
        histogram={"1": 11, "2": 5, "3": 8, "4": 12, "5": 27},
        csat=0.619,
        standing=[
            Standing(
                source="appstore", place="Apple App Store (DE)", mean=4.61, best=5, count=622, seen_at=START + WEEK
            ),
            Standing(source="trust", place="Trust Index", mean=8.4, best=10, count=None, seen_at=START + WEEK),
        ],
    )
    return brand(
        social=sentiment(
            255,
            83,
            74,
            unscored=18,
            uncounted={"excluded": 5, "muted": 2},
            change=change("down", -0.21, compared=["reddit-larkspur", "mastodon"]),
        ),
        reviews=reviews(39, 8, 16, stars, replied=12, change=change("no clear change", -0.04)),
        engagement=EngagementOfBrand(
            mentions=engagement(12_034, 512, 3_310, 430, shares_known=255), own=own_posts(941, 6, 0.023)
        ),
        followers=[
            Followers(source="own", account="@larkspur@social.example", count=11_920, change=120, seen_at=START + WEEK),
            Followers(source="own", account="larkspur.notes", count=4_300, change=None, seen_at=START + WEEK),
        ],
        volume=Volume(mentions=430, reviews=63, before=455),
        by_source=_sources(),
        series=_series(),
        top_items=_items(),
        coverage=Coverage(
            complete=False,
            known_until=START + WEEK,
            gaps=[
                Gap(
                    source="forum",
                    start=START + timedelta(days=3),
                    end=START + timedelta(days=4),
                    reason="the forum answered 503",
                    missing=12,
                )
            ],
            unscored_languages={"de": 12, "ja": 5, "und": 1},
        ),
    )


def tiny() -> BrandFigures:
    """Under thirty items: the items lead, and the last 90 days stand beside."""
    return brand(
        "Pebblebox",
        social=sentiment(4, 1, 1, change=change("too few to tell")),
        volume=Volume(mentions=6, reviews=0, before=4),
        top_items=TopItems(
            negative=[
                quote(90, "negative", "The oak lid warped within a week. Sad, it is a lovely thing.", author=None)
            ],
            positive=[
                quote(
                    91,
                    "positive",
                    "A timer that does not shout. My desk is calmer for it.",
                    place="@quiet@toots.example",
                )
            ],
        ),
        trailing=Trailing(days=90, social=sentiment(51, 20, 13), reviews=sentiment(0, 0, 0)),
    )


def empty() -> BrandFigures:
    return brand("Fernhollow", volume=Volume(mentions=0, reviews=0, before=0))


def unreachable() -> BrandFigures:
    gaps = [
        Gap(source=name, start=START, end=START + WEEK, reason=reason)
        for name, reason in [("reddit-tidewell", "access denied: the token is no longer valid"), ("news", "timed out")]
    ]
    days = [_day(at, (0, 0, 0), 0, gap=True) for at in range(7)]
    return brand("Tidewell", series=days, coverage=Coverage(complete=False, known_until=None, gaps=gaps))


def competitor() -> BrandFigures:
    return brand(
        "Jotwick",
        competitor_of=["Larkspur"],
        social=sentiment(
            90, 70, 60, change=change("sources changed", 0.15, mix=0.12, within=0.03), variants={"polar": 0.2}
        ),
        volume=Volume(mentions=220, reviews=0, before=190),
    )


def _sentiment(positive: int, neutral: int, negative: int) -> dict[str, Any]:
    total = positive + neutral + negative
    if not total:
        return {"score": None, "low": None, "high": None, "positive": 0, "negative": 0, "neutral": 0, "total": 0}
    score = (positive - negative) / total
    half = 1.6 / total**0.5
    counts = {"positive": positive, "neutral": neutral, "negative": negative, "total": total}
    return {"score": score, "low": max(-1.0, score - half), "high": min(1.0, score + half), **counts}


def _sources() -> list[SourceFigures]:
    none = sentiment(0, 0, 0)
    liked = engagement(9_120, None, 2_804, 210)
    rows = [
        ("reddit-larkspur", sentiment(120, 38, 52), none, liked, 214),
        ("mastodon", sentiment(118, 40, 16), none, engagement(2_914, 512, 506, 174), 186),
        ("forum", sentiment(17, 5, 6), none, engagement(None, None, None, 28), 30),
        ("appstore", none, sentiment(9, 2, 9), engagement(None, None, None, 20), 20),
        ("playstore", none, sentiment(30, 6, 7), engagement(0, None, None, 43), 43),
        ("news", none, none, engagement(None, None, None, 0), 0),
    ]
    return [
        SourceFigures(source=name, social=social, reviews=review, engagement=counts, volume=volume)
        for name, social, review, counts, volume in rows
    ]


def _series() -> list[Day]:
    counts = [(31, 10, 4), (34, 12, 6), (40, 14, 8), (18, 7, 5), (45, 14, 22), (48, 15, 19), (39, 11, 10)]
    return [_day(at, one, sum(one) + 9 + at % 4, gap=at == 3) for at, one in enumerate(counts)]


def _day(at: int, counts: tuple[int, int, int], volume: int, *, gap: bool = False) -> Day:
    some = sentiment(4, 1, 1) if volume else sentiment(0, 0, 0)
    return Day(start=START + timedelta(days=at), social=sentiment(*counts), reviews=some, volume=volume, gap=gap)


def _items() -> TopItems:
    lost = quote(
        1,
        "negative",
        "Updated to 2.0 this morning and half of my notebooks are gone. Not moved, gone. Sync says 43 % and has said so for "
        "three hours now, the phone is hot enough to fry an egg. I have paid for Pro for four years and I am this close to "
        "leaving. Is anybody from the team reading here at all, or is it only us?",
        title="2.0 ate my notes",
        score=-0.83,
        likes=412,
        comments=96,
    )
    stuck = quote(2, "negative", "Stuck at 43 % since Friday. Reinstalled twice.", author="velvet.walnut", place="Google Play",
                  kind="review", stars=1, likes=0, url="https://play.example/reviews?id=2&hl=en")  # fmt: skip
    calm = quote(3, "negative", "The merge tool shows the same note twice and asks which of them is right. Neither is.")
    hot = quote(4, "negative", "Battery: 80 % to 11 % on a train ride.", author=None, place=None, source="mastodon")
    saved = quote(5, "positive", "2.0.1 brought everything back. The team answered my mail on a Sunday night ❤️", likes=87,
                  shares=12, comments=4, author="Aoife Moreau", place=None, source="mastodon")  # fmt: skip
    joy = quote(6, "positive", "There's so much care in this app. The empty state made me smile.", title="A joy",
                kind="review", stars=5, author="Emil Villar", place="Apple App Store (SE)", url=None)  # fmt: skip
    wordless = quote(7, "negative", None, kind="review", stars=2, author="caleb.moreau", place="Google Play", url=None)
    return TopItems(
        negative=[lost, stuck, calm, hot], positive=[saved, joy], engaged=[lost, saved], unanswered=[stuck, wordless]
    )
