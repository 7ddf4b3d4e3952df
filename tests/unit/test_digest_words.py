"""What a digest says is true: headlines, numbers, times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import digest
from monitor.digest import DigestView, numbers, times, words
from monitor.figures import BrandFigures, Coverage, Gap, Rating, Trailing, Volume, WindowFigure
from tests.unit import digest_reports as made

END = made.START + made.WEEK


def said(**figures: object) -> str:
    return words.headline(made.brand(**figures), made.BEFORE, made.BERLIN).removeprefix("Larkspur: ")


def test_a_headline_tells_shares_and_verdict_of_mentions_and_the_verdict_of_reviews() -> None:
    lively = made.brand(
        social=made.sentiment(255, 83, 74, change=made.change("down", -0.21)),
        reviews=made.reviews(39, 8, 16, change=made.change("no clear change", -0.04)),
    )
    assert words.headline(lively, made.BEFORE, made.BERLIN) == (
        "Larkspur: 62 % positive, 18 % negative of 412 mentions; clearly worse than the week before (−0.21);"
        " no clear change on reviews"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (made.change("up", 0.06), "clearly better than the week before (+0.06)"),
        (made.change("down", -0.214), "clearly worse than the week before (−0.21)"),
        (made.change("no clear change", 0.02), "no clear change"),
        (made.change("too few to tell"), "too few to tell a change"),
        (made.change("too few to tell", 0.3), "too few to tell a change"),
        (made.change("sources changed", 0.3), "not comparable with the week before: sources changed"),
    ],
)
def test_a_headline_says_of_a_change_what_its_verdict_allows(change: object, sentence: str) -> None:
    assert said(social=made.sentiment(60, 20, 20, change=change)) == (
        f"60 % positive, 20 % negative of 100 mentions; {sentence}"
    )


def test_a_headline_without_a_comparison_claims_none() -> None:
    assert said(social=made.sentiment(60, 20, 20)) == "60 % positive, 20 % negative of 100 mentions"


@pytest.mark.parametrize(
    ("reviews", "sentence"),
    [
        (made.reviews(30, 5, 15), "reviews: 60 % positive, 30 % negative of 50"),
        (made.reviews(3, 0, 1, change=made.change("too few to tell")), "reviews: 3 positive, 1 negative of 4"),
        (made.reviews(30, 5, 15, change=made.change("up", 0.2)), "clearly better on reviews (+0.20)"),
        (
            made.reviews(30, 5, 15, change=made.change("sources changed", 0.2)),
            "reviews not comparable: sources changed",
        ),
    ],
)
def test_reviews_stand_beside_mentions_with_their_verdict_or_their_shares(reviews: object, sentence: str) -> None:
    assert said(social=made.sentiment(60, 20, 20), reviews=reviews).endswith(f"; {sentence}")


def test_reviews_lead_where_no_mention_is_scored() -> None:
    reviews = made.reviews(71, 10, 19, change=made.change("up", 0.12))
    assert said(reviews=reviews, volume=Volume(mentions=0, reviews=100)) == (
        "71 % positive, 19 % negative of 100 reviews; clearly better than the week before (+0.12); no mentions"
    )
    assert said(reviews=reviews, volume=Volume(mentions=3, reviews=100)).endswith("; 3 mentions, none scored")


def test_few_items_are_told_in_counts_with_a_longer_time_beside() -> None:
    few = {"social": made.sentiment(4, 1, 1, change=made.change("too few to tell"))}
    assert said(**few) == "4 positive, 1 negative of 6 mentions; too few to tell a change"
    longer = Trailing(days=90, social=made.sentiment(51, 20, 13), reviews=made.sentiment(0, 0, 0))
    assert said(**few, trailing=longer).endswith("; last 90 days: 61 % positive, 15 % negative of 84 mentions")


def test_a_longer_time_that_adds_nothing_is_not_told() -> None:
    same = Trailing(days=90, social=made.sentiment(4, 1, 1), reviews=made.sentiment(0, 0, 0))
    assert said(social=made.sentiment(4, 1, 1), trailing=same) == "4 positive, 1 negative of 6 mentions"


@pytest.mark.parametrize(
    ("total", "told"), [(29, "29 positive, 0 negative of 29"), (30, "100 % positive, 0 % negative of 30")]
)
def test_shares_begin_at_thirty_items(total: int, told: str) -> None:
    assert said(social=made.sentiment(total, 0, 0)) == f"{told} mentions"


@pytest.mark.parametrize(
    ("volume", "sentence"),
    [
        (Volume(mentions=0, reviews=0), "no mentions and no reviews found"),
        (Volume(mentions=1, reviews=0), "1 mention, none of them scored"),
        (Volume(mentions=12, reviews=3), "12 mentions and 3 reviews, none of them scored"),
    ],
)
def test_a_window_without_a_score_is_told_in_one_line(volume: Volume, sentence: str) -> None:
    assert said(volume=volume) == sentence


def test_shares_of_only_the_scored_mentions_say_so() -> None:
    assert said(social=made.sentiment(60, 20, 20, unscored=18)) == "60 % positive, 20 % negative of 100 scored mentions"


def test_a_headline_ends_with_what_was_not_read() -> None:
    gap = Gap(source="forum", start=made.START, end=END, reason="timed out")
    down = Coverage(complete=False, known_until=END, gaps=[gap, gap])
    late = Coverage(complete=False, known_until=END - timedelta(hours=10))
    never = Coverage(complete=False, known_until=None)
    assert said(coverage=down).endswith("found; incomplete: 1 source could not be read throughout")
    assert said(coverage=late).endswith("found; incomplete: known up to Sun 15 Nov, 14:00")
    assert said(coverage=never).endswith("found; incomplete: not every source has been read")


def test_a_score_is_told_with_its_shares_first() -> None:
    measured = made.sentiment(255, 83, 74).model_copy(update={"low": 0.37, "high": 0.51})
    assert words.score_line(measured) == (
        "62 % positive, 20 % neutral, 18 % negative of 412 · score +0.44 (likely +0.37 to +0.51)"
    )
    unsure = measured.model_copy(update={"low": None, "high": None})
    assert words.score_line(unsure).endswith("score +0.44 (its likely range is not known)")
    assert words.score_line(made.sentiment(0, 0, 0)) == "none scored"


def test_a_change_that_cannot_be_compared_is_split() -> None:
    mixed = made.change("sources changed", 0.15, mix=0.12, within=0.03)
    assert words.change_detail(mixed, made.BEFORE) == (
        "not comparable with the week before: sources changed"
        " (+0.12 by another mix of sources, +0.03 within the sources)"
    )


def test_a_change_that_is_not_clear_shows_its_size_and_range() -> None:
    unclear = made.change("no clear change", -0.04)
    assert words.change_detail(unclear, made.BEFORE) == "no clear change (−0.04, likely −0.13 to +0.05)"
    clear = made.change("down", -0.21)
    assert (
        words.change_detail(clear, made.BEFORE) == "clearly worse than the week before (−0.21, likely −0.30 to −0.12)"
    )


@pytest.mark.parametrize(
    ("volume", "complete", "sentence"),
    [
        (
            Volume(mentions=430, reviews=63, before=455),
            True,
            "430 mentions and 63 reviews, 8 % more than the week before (455)",
        ),
        (
            Volume(mentions=400, reviews=1, before=455),
            True,
            "400 mentions and 1 review, 12 % fewer than the week before (455)",
        ),
        (Volume(mentions=455, reviews=0, before=455), True, "455 mentions and no reviews, as many as the week before"),
        (
            Volume(mentions=430, reviews=63, before=455),
            False,
            "430 mentions and 63 reviews; the week before: 455 in all",
        ),
        (Volume(mentions=6, reviews=0, before=4), True, "6 mentions and no reviews; the week before: 4 in all"),
        (
            Volume(mentions=0, reviews=0, before=40),
            True,
            "no mentions and no reviews, 100 % fewer than the week before (40)",
        ),
        (Volume(mentions=6, reviews=0), True, "6 mentions and no reviews"),
        (Volume(mentions=0, reviews=0, before=0), True, "no mentions and no reviews found"),
    ],
)
def test_volume_is_compared_only_where_that_is_fair(volume: Volume, complete: bool, sentence: str) -> None:
    figures = made.brand(volume=volume, coverage=Coverage(complete=complete, known_until=END))
    assert words.volume(figures, made.BEFORE) == sentence


def test_ratings_are_told_with_their_range_where_it_is_known() -> None:
    full = Rating(mean=4.08, low=3.9, high=4.26, count=1, histogram={"4": 1})
    assert words.rating(full) == "4.1 of 5 stars (likely 3.9 to 4.3) in 1 rating"
    assert words.rating(full.model_copy(update={"low": None})) == "4.1 of 5 stars in 1 rating"
    assert words.rating(full.model_copy(update={"mean": None})) == "no star ratings"


def test_what_a_score_leaves_out_is_told_most_first() -> None:
    partial = made.sentiment(
        1, 0, 0, unscored=1, uncounted={"muted": 2, "excluded": 5, "duplicate": 0, "not_about_us": 3}
    )
    assert words.left_out(partial, "mention") == (
        "1 mention not scored; not counted: 5 excluded by keywords, 3 not about the brand, 2 muted"
    )
    assert words.left_out(made.sentiment(1, 0, 0), "mention") is None


def test_languages_have_their_names() -> None:
    assert words.languages({"fr": 3, "de-AT": 12, "und": 1, "tlh": 2, "sv": 0}) == (
        "Not scored by language: 12 German, 3 French, 2 tlh, 1 of unknown language"
    )
    assert words.languages({}) is None


def test_a_gap_says_when_why_and_how_much() -> None:
    short = Gap(
        source="forum", start=made.START, end=made.START + timedelta(hours=4), reason="answered 503", missing=12
    )
    assert words.gap(short, made.BERLIN) == (
        "forum: not fully read Mon 9 Nov, 00:00 to 04:00 (answered 503); about 12 items missing"
    )


def test_a_subject_is_one_line_with_the_news_first() -> None:
    assert digest.subject(made.everything(), made.VIEW) == (
        "Larkspur: 62 % positive of 412 mentions, clearly worse, incomplete; 4 more brands"
        " · weekly, Week 46: 9–15 November 2026"
    )
    alone = made.report(made.tiny())
    assert (
        digest.subject(alone, made.VIEW) == "Pebblebox: 4 positive of 6 mentions · weekly, Week 46: 9–15 November 2026"
    )


def test_own_brands_come_before_competitors() -> None:
    order = [line.split(":")[0] for line in digest.headlines(made.everything(), made.VIEW)]
    assert order == ["Larkspur", "Pebblebox", "Fernhollow", "Tidewell", "Jotwick"]


def test_brands_that_are_each_others_competitors_are_all_own() -> None:
    rivals = made.report(made.brand("A", competitor_of=["B"]), made.brand("B", competitor_of=["A"]))
    assert [line.split(":")[0] for line in digest.headlines(rivals, made.VIEW)] == ["A", "B"]


def test_a_report_without_brands_says_so() -> None:
    assert digest.headline(made.report(), made.VIEW) == "No brands in this digest."
    assert digest.subject(made.report(), made.VIEW) == "no brands · weekly, Week 46: 9–15 November 2026"


def test_a_period_in_the_owners_words_replaces_the_window() -> None:
    view = DigestView(name="board", zone=made.BERLIN, period="Launch week")
    assert digest.subject(made.report(made.empty()), view).endswith("· board, Launch week")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.18, "+0.18"), (-0.214, "−0.21"), (0.004, "0.00"), (-0.004, "0.00"), (1.0, "+1.00"), (None, "–")],
)
def test_a_score_has_two_decimals_and_a_true_minus(value: float | None, told: str) -> None:
    assert numbers.score(value) == told


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (62, 100, "62 %"),
        (1, 1000, "<1 %"),
        (999, 1000, ">99 %"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 8, "13 %"),
        (0, 0, "–"),
    ],
)
def test_percentages_never_round_to_none_or_all(part: int, whole: int, told: str) -> None:
    assert numbers.percent(part, whole) == told


def test_counts_are_grouped_and_unknown_is_a_dash() -> None:
    assert [numbers.count(value) for value in (12_034, 0, None)] == ["12,034", "0", "–"]
    assert [numbers.gained(value) for value in (1_200, -3, 0, None)] == ["+1,200", "−3", "0", "–"]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=5), st.integers(5, 120))
def test_the_cells_of_a_bar_fill_it_and_forget_no_part(parts: list[int], width: int) -> None:
    sizes = numbers.cells(parts, width)
    assert sum(sizes) == (width if any(parts) else 0)
    assert [size > 0 for size in sizes] == [part > 0 for part in parts]


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=made.BERLIN).astimezone(UTC)  # type: ignore[arg-type,misc]


def figure(start: datetime, end: datetime, period: str | None = None) -> WindowFigure:
    return WindowFigure(start=start, end=end, timezone="Europe/Berlin", period=period)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (at(2026, 11, 9), at(2026, 11, 16), "Week 46: 9–15 November 2026"),
        (at(2026, 12, 28), at(2027, 1, 4), "Week 53: 28 December 2026 – 3 January 2027"),
        (at(2026, 11, 16), at(2026, 11, 17), "Mon 16 Nov 2026"),
        (at(2026, 10, 25), at(2026, 10, 26), "Sun 25 Oct 2026"),  # 25 hours
        (at(2026, 2, 1), at(2026, 3, 1), "February 2026"),
        (at(2026, 12, 1), at(2027, 1, 1), "December 2026"),
        (at(2026, 1, 1), at(2027, 1, 1), "2026"),
        (at(2026, 10, 28), at(2026, 11, 4), "28 October – 3 November 2026"),
        (at(2026, 11, 16, 8), at(2026, 11, 16, 9), "Mon 16 Nov 2026, 08:00–09:00"),
        (at(2026, 11, 9), at(2026, 11, 12, 14, 30), "Mon 9 Nov, 00:00 – Thu 12 Nov 2026, 14:30"),
    ],
)
def test_a_window_has_its_calendar_name(start: datetime, end: datetime, told: str) -> None:
    assert times.window(figure(start, end), made.BERLIN) == told


@pytest.mark.parametrize(
    ("now", "compared", "told"),
    [
        (figure(at(2026, 11, 9), at(2026, 11, 16)), figure(at(2026, 11, 2), at(2026, 11, 9)), "the week before"),
        (figure(at(2026, 11, 16), at(2026, 11, 17)), figure(at(2026, 11, 15), at(2026, 11, 16)), "the day before"),
        (figure(at(2026, 3, 1), at(2026, 4, 1)), figure(at(2026, 2, 1), at(2026, 3, 1)), "the month before"),
        (
            figure(at(2026, 11, 9), at(2026, 11, 11, 12), "week"),
            figure(at(2026, 11, 2), at(2026, 11, 4, 12)),
            "the same part of the week before",
        ),
        (figure(at(2026, 11, 9), at(2026, 11, 19)), figure(at(2026, 10, 30), at(2026, 11, 9)), "the 10 days before"),
        (
            figure(at(2026, 11, 9, 8), at(2026, 11, 9, 14)),
            figure(at(2026, 11, 9, 2), at(2026, 11, 9, 8)),
            "the same length of time before",
        ),
        (
            figure(at(2026, 11, 9), at(2026, 11, 16), "week"),
            figure(at(2025, 11, 10), at(2025, 11, 17)),
            "Week 46: 10–16 November 2025",
        ),
    ],
)
def test_the_window_before_has_its_name(now: WindowFigure, compared: WindowFigure, told: str) -> None:
    assert times.before(now, compared, made.BERLIN) == told


def test_instants_are_told_in_the_readers_zone() -> None:
    instant = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
    assert times.moment(instant, made.BERLIN) == "Mon 16 Nov, 08:00"
    assert times.moment(instant, ZoneInfo("America/Los_Angeles")) == "Sun 15 Nov, 23:00"
    assert times.span(instant, instant + timedelta(days=1), UTC) == "Mon 16 Nov, 07:00 to Tue 17 Nov, 07:00"


def test_names_of_many_sources_are_cut_short() -> None:
    assert words.names(["a"]) == "a"
    assert words.names(["a", "b", "c"]) == "a, b and c"
    assert words.names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_every_brand_of_a_report_has_a_headline_that_begins_with_its_name() -> None:
    report = made.everything()
    brands: list[BrandFigures] = report.brands
    lines = digest.headlines(report, made.VIEW)
    assert {line.split(":")[0] for line in lines} == {one.brand for one in brands}
