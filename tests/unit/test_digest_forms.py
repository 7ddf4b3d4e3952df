"""A digest in its four forms: everything is told, gaps are gaps, and no text of others becomes markup."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

import pytest

from monitor import digest
from monitor.digest import DigestView, Form, columns, escape
from monitor.figures import Coverage, Day, Gap, Report, TopItems, Volume
from tests.unit import digest_reports as made
from tests.unit.digest_hostile import ATTACKS, Outline, as_html, filled, view
from tests.unit.digest_telling import everything

FORMS: Final[tuple[Form, ...]] = ("html", "txt", "md", "json")
SHOWN: Final[tuple[Form, ...]] = ("html", "txt", "md")


@pytest.mark.parametrize("words", ATTACKS, ids=range(len(ATTACKS)))
@pytest.mark.parametrize("form", ["html", "md"])
def test_hostile_words_in_every_field_change_no_tag_and_no_attribute(form: Form, words: str) -> None:
    linked = len(words) < 1000  # of longer ones there are no links
    tame, wild = (
        Outline(as_html(form, digest.render(filled(everything(), one), form, view(one, linked=linked))))
        for one in ("tame", words)
    )
    assert wild.tags == tame.tags
    assert wild.links == tame.links
    assert wild.oddities == tame.oddities
    shown = escape.clean(words, escape.NAME)
    assert shown is not None
    assert shown in wild.text.replace("\u200b", "").replace("\xa0", " ")


@pytest.mark.parametrize("words", ATTACKS, ids=range(len(ATTACKS)))
def test_plain_text_keeps_its_columns_and_holds_no_control_character(words: str) -> None:
    document = digest.render(filled(everything(), words), "txt", view(words))
    assert all(line == "\n" or line.isprintable() for line in document.replace("\u200d", "").split("\n"))
    assert all(columns.width(line) <= 80 for line in document.split("\n") if "://" not in line)


@pytest.mark.parametrize("words", ATTACKS, ids=range(len(ATTACKS)))
def test_subjects_and_headlines_stay_on_one_short_line(words: str) -> None:
    report = filled(everything(), words)
    subject = digest.subject(report, view(words))
    assert subject.isprintable()
    assert len(subject) <= digest.SUBJECT
    assert all(line.isprintable() for line in digest.headlines(report, view(words)))


@pytest.mark.parametrize("words", ["\x00", "\u202e", "\x1b[0m", "   ", ""])
@pytest.mark.parametrize("form", SHOWN)
def test_words_of_which_nothing_is_visible_leave_a_dash(form: Form, words: str) -> None:
    document = digest.render(filled(everything(), words), form, view(words))
    assert "–: 62" in document.replace("<b>", "").replace("</b>", "").replace("**", "")


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "https://a@evil.example/", "https://x\\y", "ftp://x/"]
)
def test_only_web_addresses_become_links(form: Form, url: str) -> None:
    item = made.quote(1, "negative", "words", url=url)
    document = digest.render(made.report(made.brand(top_items=TopItems(negative=[item]))), form, made.VIEW)
    assert Outline(as_html(form, document)).links == []
    assert url not in document


def test_a_link_in_html_shows_its_host() -> None:
    item = made.quote(1, "negative", "words", url='https://play.example/a?b=1&c="><script>')
    document = digest.render(made.report(made.brand(top_items=TopItems(negative=[item]))), "html", made.VIEW)
    outline = Outline(document)
    assert outline.links == ["https://play.example/a?b=1&c=%22%3E%3Cscript%3E"]
    assert "play.example" in outline.text


def test_html_is_one_document_that_loads_nothing() -> None:
    document = digest.render(made.everything(), "html", made.VIEW)
    outline = Outline(document)
    assert {tag for tag, _ in outline.tags if not tag.startswith("/")} <= {
        "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "th",
        "p", "h1", "h2", "h3", "b", "br", "span", "a", "ul", "li",
    }  # fmt: skip
    assert all(link.startswith("https://") for link in outline.links)
    assert "url(" not in document
    assert "@import" not in document


def test_html_has_its_style_on_the_elements_and_its_media_rules_in_a_sheet() -> None:
    document = digest.render(made.everything(), "html", made.VIEW)
    assert document.startswith("<!DOCTYPE html>")
    assert 'style="' in document
    assert "@media (prefers-color-scheme: dark)" in document
    assert "@media (max-width: 520px)" in document
    assert '<meta name="color-scheme" content="light dark">' in document


def test_html_of_five_brands_is_smaller_than_what_mail_programs_cut() -> None:
    assert len(digest.render(everything(), "html", made.VIEW).encode()) < 102_000


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", [made.VIEW, made.SHORT], ids=["full", "short"])
def test_the_same_report_gives_the_same_text(form: Form, options: DigestView) -> None:
    assert digest.render(made.everything(), form, options) == digest.render(made.everything(), form, options)


def told(form: Form, report: Report, options: DigestView = made.VIEW) -> str:
    """A digest as its readers read it: without markup, on one line."""
    document = digest.render(report, form, options)
    words = document if form == "txt" else Outline(as_html(form, document)).text
    return " ".join(words.split())


NUMBERS: Final = {
    "full": [
        "62 % positive", "20 % neutral, 18 % negative of 412", "core +0.44 (likely +0.36 to +0.52)",
        "Clearly worse than the week before (−0.21, likely −0.30 to −0.12)", "Compared without forum",
        "18 mentions not scored; not counted: 5 excluded by keywords, 2 muted",
        "13 % neutral, 25 % negative of 63", "No clear change (−0.04, likely −0.13 to +0.05)",
        "430 mentions and 63 reviews; the week before: 455 in all",
        "3.6 of 5 stars (likely 3.3 to 3.9) in 63 ratings", "12 of 63 reviews answered by the owner", "62 % satisfied",
        "4.61 of 5 in 622 ratings", "8.40 of 10",
        "12,034", "known for 255 of 430", "+310", "3,310", "−3", "941", "2.3 % of followers",
        "@larkspur@social.example", "11,920", "+120", "change not known",
        "reddit-larkspur", "9,120 likes, 2,804 comments", "+0.59",
        "2.0 ate my notes", "Stuck at 43 % since Friday.", "Stars only, without words", "Aoife Moreau",
        "forum: not fully read Thu 12 Nov, 00:00 to Fri 13 Nov, 00:00 (the forum answered 503); about 12 items missing",
        "Not scored by language: 12 German, 5 Japanese, 1 of unknown language",
    ],
    "short": [
        "62 % positive", "core +0.44 (likely +0.36 to +0.52)", "2.0 ate my notes",
        "3.6 of 5 stars (likely 3.3 to 3.9) in 63 ratings", "On mentions: 12,034 likes, 512 shares, 3,310 comments",
        "On own posts: 941 likes", "11,920 followers (+120)", "4,300 followers (change not known)",
        "forum: not fully read Thu 12 Nov",
    ],
}  # fmt: skip


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize("options", [made.VIEW, made.SHORT], ids=["full", "short"])
def test_every_figure_of_a_brand_is_told(form: Form, options: DigestView) -> None:
    words = told(form, made.report(made.lively()), options)
    missing = [figure for figure in NUMBERS[options.detail] if figure not in words]
    assert missing == []


@pytest.mark.parametrize("form", SHOWN)
def test_a_short_digest_leaves_tables_and_further_items_out(form: Form) -> None:
    words = told(form, made.report(made.lively()), made.SHORT)
    assert "Day by day" not in words
    assert "By source" not in words
    assert "Battery: 80 %" not in words


@pytest.mark.parametrize(
    ("form", "mark"), [("html", "gap ≥ 42"), ("txt", "gap: at least 42"), ("md", "gap, at least 42")]
)
def test_a_day_with_a_gap_is_a_lower_bound(form: Form, mark: str) -> None:
    words = told(form, made.report(made.lively()))
    assert mark in words
    assert "what is missing is not known, and not zero" in words


@pytest.mark.parametrize(
    ("form", "mark"), [("html", "gap not read"), ("txt", "gap: not read"), ("md", "gap, not read")]
)
def test_a_day_that_was_not_read_is_never_a_zero(form: Form, mark: str) -> None:
    nothing = made.sentiment(0, 0, 0)
    series = [
        Day(start=made.START, social=nothing, reviews=nothing, volume=0, gap=True),
        Day(start=made.START + timedelta(days=1), social=made.sentiment(3, 1, 0), reviews=nothing, volume=4),
        Day(start=made.START + timedelta(days=2), social=nothing, reviews=nothing, volume=0),
    ]
    words = told(form, made.report(made.brand(series=series)))
    assert mark in words.split("Tue 10 Nov")[0]
    assert " 0 " in words.split("Wed 11 Nov")[1]


@pytest.mark.parametrize("form", SHOWN)
def test_hours_are_told_by_the_hour(form: Form) -> None:
    some = made.sentiment(1, 0, 0)
    hours = [
        Day(start=made.START + timedelta(hours=at), social=some, reviews=made.sentiment(0, 0, 0), volume=1)
        for at in (8, 9)
    ]
    words = told(form, made.report(made.brand(series=hours)))
    assert "Hour by hour" in words
    assert "Mon 9 Nov, 09:00" in words


@pytest.mark.parametrize("form", SHOWN)
def test_few_items_come_before_their_figures_and_a_longer_time_beside(form: Form) -> None:
    words = told(form, made.report(made.tiny())).split("the week before: 4 in all")[1]
    assert words.index("The oak lid warped") < words.index("core +0.50")
    assert (
        "Last 90 days: 61 % positive, 24 % neutral, 15 % negative of 84 · score +0.45 (likely +0.28 to +0.63)" in words
    )


@pytest.mark.parametrize("form", SHOWN)
def test_many_items_come_after_their_figures(form: Form) -> None:
    words = told(form, made.report(made.lively())).split("430 mentions")[1]
    assert words.index("core +0.44") < words.index("2.0 ate my notes")


@pytest.mark.parametrize("form", SHOWN)
def test_an_empty_window_is_short_and_says_that_everything_was_read(form: Form) -> None:
    words = told(form, made.report(made.empty()))
    assert "Fernhollow: no mentions and no reviews found" in words
    assert "Every source is known up to Mon 16 Nov, 00:00." in words
    assert not any(heading in words for heading in ("Engagement", "Day by day", "By source", "Followers", "Stars "))


@pytest.mark.parametrize("form", SHOWN)
def test_sources_that_fail_are_named_with_their_reason(form: Form) -> None:
    words = told(form, made.report(made.unreachable()))
    assert "Incomplete: 2 sources could not be read throughout. What is missing is named below" in words
    assert "reddit-tidewell: not fully read" in words
    assert "(access denied: the token is no longer valid)" in words
    assert "Not every source has been read yet." in words


@pytest.mark.parametrize("form", SHOWN)
def test_competitors_are_told_after_and_without_items(form: Form) -> None:
    rival = made.competitor().model_copy(
        update={"top_items": TopItems(negative=[made.quote(1, "negative", "Rival words")])}
    )
    words = told(form, made.report(rival, made.lively()))
    assert words.index("Larkspur:") < words.index("Jotwick:") < words.index("Competitors")
    assert "220 mentions and no reviews, 16 % more than the week before (190)" in words
    assert "sources changed (+0.12 by another mix of sources, +0.03 within the sources)" in words
    assert "Rival words" not in words


@pytest.mark.parametrize("form", SHOWN)
def test_an_item_of_two_groups_is_told_in_full_once(form: Form) -> None:
    words = told(form, made.report(made.lively()))
    assert words.count("half of my notebooks are gone") == 1
    assert words.count("2.0 ate my notes") == 2
    assert words.count("in full above") == 3


@pytest.mark.parametrize("form", SHOWN)
def test_what_is_not_known_is_not_zero(form: Form) -> None:
    words = told(form, made.report(made.lively())).split("Engagement", 1)[1]
    assert "not known" in words
    assert "Views" not in words


@pytest.mark.parametrize("form", SHOWN)
def test_unscored_items_are_volume_without_a_score(form: Form) -> None:
    mute = made.brand(social=made.sentiment(0, 0, 0, unscored=12), volume=Volume(mentions=12, reviews=0))
    words = told(form, made.report(mute))
    assert "12 mentions, none of them scored" in words
    assert "12 mentions not scored" in words
    assert "0 %" not in words


@pytest.mark.parametrize("form", SHOWN)
def test_a_digest_of_no_brands_says_so(form: Form) -> None:
    assert "No brands in this digest." in told(form, made.report())


@pytest.mark.parametrize("form", SHOWN)
def test_the_note_the_dashboard_and_the_zone_are_told(form: Form) -> None:
    options = DigestView(
        name="weekly", zone=made.BERLIN, sent_note="Two weeks in one.", public_url="https://own.example/x"
    )
    document = digest.render(made.report(made.empty()), form, options)
    words = told(form, made.report(made.empty()), options)
    assert "Two weeks in one." in words
    assert "https://own.example/x" in document
    assert "Times in Europe/Berlin; compared with Week 45: 2–8 November 2026" in words


def test_long_words_are_cut_to_their_caps() -> None:
    item = made.quote(1, "negative", "word " * 200, title="title " * 60)
    document = digest.render(made.report(made.brand(top_items=TopItems(negative=[item]))), "txt", made.VIEW)
    quoted = " ".join(line[2:] for line in document.split("\n") if line.startswith("> "))
    title, text = quoted.split("… ", 1)
    assert len(title) < escape.TITLE
    assert len(text) <= escape.QUOTE


def test_json_is_the_report_whole_and_unaltered() -> None:
    report = made.everything()
    document = digest.render(report, "json", made.SHORT)
    assert Report.model_validate_json(document) == report
    assert json.loads(document)["schema"] == 1


def test_json_of_hostile_words_holds_no_control_character() -> None:
    hostile = "\x9b31m \u202e \u2066 \x1b[0m"
    gap = Gap(source=hostile, start=made.START, end=made.START, reason=hostile)
    report = made.report(made.brand(coverage=Coverage(complete=False, known_until=None, gaps=[gap])))
    document = digest.render(report, "json", made.VIEW)
    assert document.replace("\n", "").isprintable()
    assert Report.model_validate_json(document) == report


def test_markdown_tables_have_as_many_cells_as_their_heads() -> None:
    lines = [
        line
        for line in digest.render(filled(everything(), "a | b"), "md", made.VIEW).split("\n")
        if line.startswith("|")
    ]
    assert lines
    widths = {line.replace("\\|", "").count("|") for line in lines}
    assert widths <= {4, 6, 7, 8}
