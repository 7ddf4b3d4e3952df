"""What a digest tells beyond its scores: each part where there is something to say, in words that are true, short by default."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from monitor import digest
from monitor.digest import DigestView, Form, layout, sentences
from monitor.figures import Answered, BrandFigures, Coverage, Driver, Drivers, Gap, Reach, TopItems, Usual, Volume
from tests.unit import digest_reports as made
from tests.unit import digest_telling as full
from tests.unit.digest_hostile import Outline, as_html

SHOWN: Final[tuple[Form, ...]] = ("html", "txt", "md")


def told(form: Form, *brands: BrandFigures, options: DigestView = made.VIEW) -> str:
    """A digest as its readers read it: without markup, on one line."""
    document = digest.render(made.report(*brands), form, options)
    words = document if form == "txt" else Outline(as_html(form, document)).text
    return " ".join(words.replace("\xa0", " ").split())


def short(form: Form, *brands: BrandFigures) -> str:
    return told(form, *brands, options=made.SHORT)


BOTH: Final = [
    "spike (3): 3.1 times the usual", "What drives complaints", "lost notes", "16 negative by 15 authors, 1 positive",
    "Once more: lost notes, and nobody answers.", "Often said in complaints", "battery", "Often said in praise", "sidebar",
    "12 positive by 11 authors, 3 negative", "New: said clearly more than the week before", "24 items by 23 authors, 0 before",
    "43 of 63 reviews have no answer; 1 was edited after the answer", "74 negative mentions, 16 negative reviews",
    "more than usual (380 to 470)", "66 % share of voice among the competitors (on reddit-larkspur and mastodon)",
]  # fmt: skip
ONLY_FULL: Final = [
    "refund", "Topics", "sync", "41 mentions", "clearly worse (−0.41)", "nothing scored on price", "By place", "r/place0",
    "and 2 more places with 23 items", "By country", "DE", "By app version", "2.0.0", "too few to tell", "By language", "English",
    "German", "Larkspur beside its competitors", "Jotwick", "clearly ahead (+0.30)", "34 % share of voice",
    "Authors most engaged with", "amberanchor81", "engagement 667, 2 items", "Most followed authors", "48,232 followers, 1 item",
    "Authors writing less than before", "Author not known", "0 items, 4 before", "127 authors in all",
    "Potential reach: 55,826 followers of 27 authors; of 100 more it is not known",
    "20 of 63 reviews answered (32 %), median time to answer 18 hours", "9.0 reviews a day", "clearly better (+0.20)",
]  # fmt: skip


@pytest.mark.parametrize("form", SHOWN)
def test_a_full_digest_tells_everything(form: Form) -> None:
    words = told(form, full.telling())
    assert [one for one in [*BOTH, *ONLY_FULL] if one not in words] == []


@pytest.mark.parametrize("form", SHOWN)
def test_a_short_digest_tells_the_main_things_and_leaves_the_tables_out(form: Form) -> None:
    words = short(form, full.telling())
    assert [one for one in BOTH if one not in words] == []
    assert [
        one for one in ("refund", "Topics", "By place", "Authors most", "clearly ahead", "Day by day") if one in words
    ] == []


@pytest.mark.parametrize("form", SHOWN)
def test_parts_without_figures_leave_no_heading(form: Form) -> None:
    words = told(form, made.brand(social=made.sentiment(30, 5, 5), volume=Volume(mentions=40, reviews=0)))
    headings = [
        "drives", "Often said", "New:", "Topics", "By place", "By country", "beside its", "Authors", "Waiting", "usual",
        "Alert", "share of voice", "reach", "Written down",
    ]  # fmt: skip
    assert [one for one in headings if one in words] == []


@pytest.mark.parametrize("form", SHOWN)
def test_terms_that_chance_explains_drive_nothing(form: Form) -> None:
    chance = Drivers(negative=[full.driver("slow", 4, 1, clear=False, number=301)], texts=40)
    words = told(form, full.telling(drivers=chance))
    assert "Often said in complaints" in words
    assert "drives" not in words


def test_a_term_of_few_items_is_told_only_if_it_is_clear() -> None:
    few = made.tiny().model_copy(update={"drivers": full.drivers()})
    words = short("txt", few)
    assert "lost notes" in words
    assert "battery" not in words
    assert "battery" in told("txt", few)


def test_an_example_is_shown_around_its_term_and_its_words_only_once() -> None:
    long = "So many words before it. " * 10 + "And then the battery died. " + "So many after it. " * 10
    one = full.driver("battery", 9, 2, clear=True, number=401, text=long)
    again = one.model_copy(update={"term": "died"})
    blocks = layout.page(made.report(made.brand(drivers=Drivers(negative=[one, again]))), made.VIEW).brands
    first, second = blocks[0].terms[0].rows
    assert first.said is not None
    assert second.said is not None
    assert "the battery died" in (first.said.text or "")
    assert len(first.said.text or "") <= 110
    assert len(second.said.text or "") <= 55


def test_an_example_is_not_the_item_that_stands_above_it() -> None:
    item = made.quote(1, "negative", "The battery died.")
    other = made.quote(2, "negative", "My battery is hot.")
    two = Driver(term="battery", z=3, p=0.01, items=9, others=0, authors=9, clear=True, examples=[item, other])
    figures = made.brand(drivers=Drivers(negative=[two]), top_items=TopItems(negative=[item]))
    (row,) = layout.page(made.report(figures), made.SHORT).brands[0].terms[0].rows
    assert row.said is not None
    assert row.said.text == "My battery is hot."


@pytest.mark.parametrize(
    ("answered", "sentence"),
    [
        (full.answered(43, 1), "43 of 63 reviews have no answer; 1 was edited after the answer"),
        (full.answered(1, 0), "1 of 63 reviews has no answer"),
        (full.answered(0, 2), "2 were edited after the answer"),
        (full.answered(0, 0), None),
    ],
)
def test_what_waits_for_an_answer_is_counted(answered: Answered, sentence: str | None) -> None:
    assert sentences.waiting(answered) == sentence


@pytest.mark.parametrize(
    ("hours", "words"),
    [(None, ""), (0.2, ", median time to answer 12 minutes"), (1.2, ", median time to answer 1 hour"), (72, ", median time to answer 3 days")],
)  # fmt: skip
def test_answers_are_told_with_the_time_they_took(hours: float | None, words: str) -> None:
    answered = full.answered(43, 0).model_copy(update={"median_hours": hours})
    assert sentences.answers(answered) == f"20 of 63 reviews answered (32 %){words}"


@pytest.mark.parametrize("form", SHOWN)
def test_where_answers_cannot_be_seen_no_review_is_said_to_wait(form: Form) -> None:
    words = told(form, made.lively())
    assert "Bad reviews without a known answer" in words
    assert "Waiting" not in words


@pytest.mark.parametrize(
    ("volume", "complete", "sentence"),
    [
        (11, True, "more than usual (2 to 9)"),
        (9, True, "as usual (2 to 9)"),
        (1, True, "fewer than usual (2 to 9)"),
        (1, False, "usually 2 to 9"),
        (11, False, "more than usual (2 to 9)"),
    ],
)
def test_a_volume_is_told_against_what_is_usual(volume: int, complete: bool, sentence: str) -> None:
    figures = Volume(mentions=volume, reviews=0, expected=Usual(mean=5.0, low=2, high=9))
    assert sentences.usual(figures, complete=complete) == sentence
    assert sentences.usual(Volume(mentions=volume, reviews=0), complete=complete) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (made.change("up", 0.3), "clearly ahead (+0.30)"),
        (made.change("down", -0.3), "clearly behind (−0.30)"),
        (made.change("no clear change", 0.1), "no clear difference (+0.10)"),
        (made.change("too few to tell", 0.8), "too few to tell"),
        (made.change("sources changed"), "not comparable"),
    ],
)
def test_a_distance_to_a_competitor_is_clear_or_not_told_as_such(change: Any, words: str) -> None:
    assert sentences.difference(change) == words


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (None, None),
        (Reach(followers=None, authors=3, known=0), None),
        (Reach(followers=10, authors=1, known=1), "Potential reach: 10 followers of 1 author"),
    ],
)
def test_reach_is_only_told_where_it_is_known(reach: Reach | None, words: str | None) -> None:
    assert sentences.reach(reach) == words


def test_a_breakdown_needs_more_than_one_group_and_five_scored_items_in_each() -> None:
    alone = full.telling(breakdowns={"language": [full.group("en", (20, 5, 5))]})
    few = full.telling(breakdowns={"country": [full.group("de", (2, 1, 1)), full.group("us", (1, 1, 1))]})
    some = full.telling(breakdowns={"country": [full.group("de", (2, 2, 1)), full.group("us", (1, 1, 1))]})
    assert "By language" not in told("txt", alone)
    assert "By country" not in told("txt", few)
    assert "and 1 more country with 4 items" in told("txt", some)


def test_a_breakdown_has_eight_rows_and_says_at_least_how_many_more_there_are() -> None:
    places = [full.group(f"r/place{number}", (5, 2, 3)) for number in range(20)]
    (shown,) = layout.page(made.report(full.telling(breakdowns={"place": places})), made.VIEW).brands[0].breakdowns
    assert len(shown.rows) == 8
    assert shown.rest == "and at least 12 more places with 132 items"


@pytest.mark.parametrize("form", SHOWN)
def test_a_brand_of_which_there_is_nothing_takes_one_line_of_a_short_digest(form: Form) -> None:
    words = short(form, made.empty())
    assert "Fernhollow: no mentions and no reviews found, and every source was read" in words
    assert words.count("Fernhollow") == (2 if form == "html" else 1)  # the preview beside a mail's subject
    assert "What was seen" not in words


@pytest.mark.parametrize(
    "more",
    [
        {"coverage": Coverage(complete=False, known_until=None)},
        {"alerts": [full.alert(kind="source_silent")]},
        {"volume": Volume(mentions=0, reviews=0, before=0, expected=Usual(mean=9.0, low=4, high=15))},
    ],
    ids=["not read", "alerted", "usually more"],
)
def test_silence_that_is_not_plain_is_told_at_length(more: dict[str, Any]) -> None:
    assert not layout.page(made.report(made.empty().model_copy(update=more)), made.SHORT).brands[0].silent


@pytest.mark.parametrize("form", SHOWN)
def test_a_short_digest_names_three_gaps_and_counts_the_rest(form: Form) -> None:
    gaps = [
        Gap(source=f"source{number}", start=made.START, end=made.START + timedelta(hours=1), reason="timed out")
        for number in range(5)
    ]
    words = short(form, made.brand(coverage=Coverage(complete=False, known_until=None, gaps=gaps)))
    assert "source2: not fully read" in words
    assert "source3" not in words
    assert "And 2 more gaps" in words


@pytest.mark.parametrize("form", SHOWN)
def test_alerts_stand_before_the_scores(form: Form) -> None:
    words = short(form, full.telling(alerts=[full.alert(number) for number in range(1, 6)]))
    body = words.split("430 mentions", 1)[1]
    assert body.index("3.1 times the usual") < body.index("core +0.44")
    assert "Alert spike (3)" in body
    assert "Alert spike (4)" not in body
    assert "And 2 more alerts" in body


def test_short_html_is_small() -> None:
    view = replace(made.SHORT, public_url="https://monitor.example.org")
    assert len(digest.render(made.report(full.telling()), "html", view).encode()) < 60_000


@pytest.mark.parametrize("form", SHOWN)
def test_the_owner_stands_above_the_title(form: Form) -> None:
    words = told(form, made.empty(), options=replace(made.VIEW, logo_line="Example Ltd"))
    assert words.index("Example Ltd") < words.rindex("Week 46")


def test_an_own_subject_has_its_places_filled() -> None:
    view = replace(made.VIEW, subject="{brand} {name}: {news} ({period})")
    assert digest.subject(made.report(made.lively()), view) == (
        "Larkspur weekly: 62 % positive of 412 mentions, clearly worse, incomplete (Week 46: 9–15 November 2026)"
    )
    assert digest.subject(made.report(), view).startswith("weekly: no brands")
    assert digest.subject(made.report(made.empty()), replace(view, subject="a\r\nBcc: x\x00")) == "a Bcc: x"
