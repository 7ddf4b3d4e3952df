"""Lists of items: what a figure is made of, filters, paging, files; and what an address may not say."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from sqlalchemy import update
from starlette.datastructures import QueryParams

from monitor.app import App
from monitor.cli.listing import ITEM_COLUMNS
from monitor.digest.links import links
from monitor.leaves import leaves
from monitor.report import build_report
from monitor.schedule import Window
from monitor.web.access import Visitor
from monitor.web.asked import Unasked, window_named
from monitor.web.chosen import of_query
from monitor.web.pages.items import COLUMNS, COUNTED_TO, Shown
from storage import listing
from storage.records import ERASED, ItemFilter
from storage.tables import ITEM
from tests.web.serving import Dashboard

BRAND = "Larkspur"


def ids_of(text: str) -> list[int]:
    """The items that a page shows, in their order."""
    return [int(found) for found in re.findall(r'<li class="item" id="item-(\d+)"', text)]


def words_in(text: str) -> str:
    """A page's words, without marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def usual(app: App) -> Window:
    return window_named(app, {})[0]


# ------------------------------------------------------------------------------------------------------ figures


@pytest.mark.parametrize(
    "path", ["social.negative", "volume.reviews", "reviews.rating.histogram.1", "by_source.forum.social.total"]
)
def test_a_figure_that_counts_shows_just_its_items(read_only: Dashboard, path: str) -> None:
    window = usual(read_only.app)
    figures = leaves(build_report(read_only.app, [BRAND], window, items=False).brands[0], window)
    said = words_in(read_only.get("/items", params={"figure": path, "brand": BRAND}).text)
    assert f"{path} " in said
    assert f" {figures[path]} " in said
    assert f"It counts these {figures[path]:,} items." in said
    lines = read_only.get("/items.jsonl", params={"figure": path, "brand": BRAND}).text.splitlines()
    assert len(lines) == figures[path]


def test_a_figure_opens_under_the_address_that_digests_give_it(read_only: Dashboard) -> None:
    report = build_report(read_only.app, [BRAND], usual(read_only.app), items=False)
    link = links(read_only.url, report.window).to(BRAND, "social", "negative")
    assert link is not None
    assert f"It counts these {report.brands[0].social.negative:,} items." in read_only.get(link.url).text


def test_a_score_says_what_it_is_and_what_it_rests_on(read_only: Dashboard) -> None:
    figure = build_report(read_only.app, [BRAND], usual(read_only.app), items=False).brands[0].social
    said = words_in(read_only.get(f"/items?figure=social.score&brand={BRAND}").text)
    assert f"{figure.score:.4g}".replace("-", "−") in said
    assert "(positive - negative) / total" in said
    assert f"It rests on these {figure.total:,} items." in said


def test_a_figure_that_is_not_made_of_items_says_why(read_only: Dashboard) -> None:
    window = usual(read_only.app)
    path = next(
        one
        for one in leaves(build_report(read_only.app, [BRAND], window, items=False).brands[0], window)
        if one.startswith("followers.")
    )
    answer = read_only.get("/items", params={"figure": path, "brand": BRAND})
    assert "There are no items to show" in answer.text
    assert ids_of(answer.text) == []


# ------------------------------------------------------------------------------------------------------ filters

FILTERS: list[tuple[str, dict[str, Any]]] = [
    ("label=negative&label=unscored", {"labels": ["negative", "unscored"]}),
    ("kind=review&max_stars=2", {"kinds": ["review"], "stars_at_most": 2}),
    ("source=forum&min_engagement=3", {"sources": ["forum"], "at_least": [("engagement", 3)]}),
    ("language=fr", {"languages": ["fr"]}),
    ("uncounted=excluded", {"uncounted": "excluded"}),
    ("unanswered=1", {"unanswered": True}),
    ("place=r/notetaking", {"place": "r/notetaking"}),
    ("done=1", {"done": True}),
]


@pytest.mark.parametrize(("query", "fields"), FILTERS)
def test_a_filter_shows_what_fits_it(read_only: Dashboard, query: str, fields: dict[str, Any]) -> None:
    wanted = ItemFilter(brand=BRAND, **fields)
    expected = [item.id for item in listing.items(read_only.app.database, wanted, limit=50)]
    text = read_only.get(f"/items?brand={BRAND}&window=all&{query}").text
    assert ids_of(text) == expected
    total = listing.count_items(read_only.app.database, wanted)
    assert f"<strong>{total} item" in text or total == 0


def test_mentions_and_reviews_are_lists_of_one_kind(read_only: Dashboard) -> None:
    for page, kind, order in (("/mentions", "mention", "newest"), ("/reviews", "review", "unanswered")):
        wanted = ItemFilter(brand=BRAND, kinds=[kind])
        expected = [item.id for item in listing.items(read_only.app.database, wanted, order=order, limit=50)]
        assert ids_of(read_only.get(f"{page}?brand={BRAND}&window=all").text) == expected


def test_every_filter_that_is_set_can_be_taken_off(read_only: Dashboard) -> None:
    text = read_only.get(f"/items?brand={BRAND}&q=sync&label=negative&min_stars=1&tag=%3Cb%3E").text
    chips = re.findall(r'<a class="chip" href="([^"]+)"><bdi>([^<]+)', text)
    assert [words for _, words in chips] == ["says: sync", "negative", "tag: &lt;b&gt;", "1 ★ or more"]
    for address, words in chips:
        rest = read_only.get(address.replace("&amp;", "&")).text
        assert words not in re.findall(r'<a class="chip" href="[^"]+"><bdi>([^<]+)', rest)


def test_a_search_that_cannot_be_made_shows_the_place(read_only: Dashboard) -> None:
    text = read_only.get("/items", 422, params={"q": 'battery AND (charger OR "'}).text
    shown = re.search(r"<pre[^>]*>([^<]*)</pre>", text)
    assert shown is not None
    line, caret = shown[1].split("\n")
    assert caret.strip() == "^"
    assert len(caret) <= len(line.replace("&#34;", '"'))
    assert ids_of(text) == []


WRONG = (
    *("brand=Nobody", "window=5y", "since=2026-11-08&until=2026-11-01", "label=great", "kind=tweet", "source=nowhere"),
    *("min_stars=many", "max_stars=nan", "min_engagement=-1", "attribute=country", "order=best", "after=xyz", "uncounted=because"),
    *("done=perhaps", "unanswered=2", "figure=social.nonsense", "figure=social.negative&label=negative", f"q={'x' * 2_001}"),
    "&".join(["label=positive"] * 60),
)  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_field_gives_a_page_that_says_so(read_only: Dashboard, query: str) -> None:
    said = words_in(read_only.get(f"/items?{query}", 422).text)
    assert query.partition("=")[0] in said


@pytest.mark.parametrize(
    "query", ["tag=%00", "author=%F0%9F%92%A9%00", "place=%ED%A0%80", "q=%00", "attribute=a%3D%00"]
)
def test_what_no_store_can_hold_is_found_nowhere(read_only: Dashboard, query: str) -> None:
    answer = read_only.client.get(f"/items?{query}")
    assert answer.status_code in (200, 422)
    assert ids_of(answer.text) == []


@pytest.mark.parametrize(
    ("page", "order"),
    [("/items", "newest"), ("/mentions", "engaged"), ("/items", "negative"), ("/reviews", "unanswered")],
)
def test_pages_hold_every_item_once(read_only: Dashboard, page: str, order: str) -> None:
    address, seen = f"{page}?brand={BRAND}&window=all&order={order}", list[int]()
    while address:
        text = read_only.get(address).text
        seen += ids_of(text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        address = found[1].replace("&amp;", "&") if found else ""
    kinds = {"/mentions": ["mention"], "/reviews": ["review"]}.get(page, [])
    expected = listing.items(read_only.app.database, ItemFilter(brand=BRAND, kinds=kinds), order=order, limit=5_000)
    assert seen == [item.id for item in expected]


@pytest.mark.parametrize(
    ("total", "words"),
    [
        (1, "1 item"),
        (9_999, "9,999 items"),
        (COUNTED_TO + 1, "more than 10,000 items"),
        (None, "too many items to count quickly"),
    ],
)
def test_a_count_is_said_as_far_as_it_was_made(total: int | None, words: str) -> None:
    assert Shown((), None, total).total_words == words


# ------------------------------------------------------------------------------------------------------ files


def test_a_download_holds_the_whole_selection(read_only: Dashboard) -> None:
    wanted = ItemFilter(brand=BRAND, kinds=["review"], labels=["negative"])
    found = listing.items(read_only.app.database, wanted, order="unanswered", limit=5_000)
    expected = [item.id for item in found]
    query = f"page=/reviews&brand={BRAND}&window=all&label=negative"
    rows = list(csv.DictReader(io.StringIO(read_only.get(f"/items.csv?{query}").text)))
    assert [int(row["id"]) for row in rows] == expected
    lines = read_only.get(f"/items.jsonl?{query}").text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == expected


def test_a_download_comes_in_the_order_of_the_list(read_only: Dashboard) -> None:
    query = f"brand={BRAND}&window=90d&order=negative&page=/mentions"
    scores = [json.loads(line)["compound"] for line in read_only.get(f"/items.jsonl?{query}").text.splitlines()]
    known = [score for score in scores if score is not None]
    assert known[0] < known[-1]
    assert known == sorted(known)


def test_a_table_has_the_columns_of_the_command_and_no_formulas(dashboard: Dashboard) -> None:
    assert COLUMNS == ITEM_COLUMNS
    found = listing.items(dashboard.app.database, ItemFilter(brand=BRAND), limit=1)[0]
    rewrite(dashboard.app, found.id, title="=cmd()", text='a,"b"\nc')
    (row,) = [
        one
        for one in csv.DictReader(io.StringIO(dashboard.get(f"/items.csv?brand={BRAND}&window=all").text))
        if int(one["id"]) == found.id
    ]
    assert (row["title"], row["text"]) == ("'=cmd()", 'a,"b"\nc')


def rewrite(app: App, number: int, **values: Any) -> None:
    """Let an item say something else."""
    app.database.write(lambda c: c.execute(update(ITEM).where(ITEM.c.id == number).values(**values)))


# ------------------------------------------------------------------------------------------------------ one item


def test_an_items_page_tells_all_of_it(read_only: Dashboard) -> None:
    wanted = ItemFilter(brand=BRAND, kinds=["review"])
    found = next(item for item in listing.items(read_only.app.database, wanted, limit=500) if item.attributes)
    text = words_in(read_only.get(f"/items/{found.id}").text)
    for said in ("Why this label", "What people said of it", found.external_id, *found.attributes):
        assert said in text
    assert f'href="/api/v1/items/{found.id}"' in read_only.get(f"/items/{found.id}").text


@pytest.mark.parametrize("number", ["0", "999999999", "9" * 30])
def test_an_item_that_is_not_there_is_not_found(read_only: Dashboard, number: str) -> None:
    for path in (f"/items/{number}", f"/items/{number}/why", f"/items/{number}/copies"):
        assert f"there is no item {number}" in read_only.get(path, 404).text


def test_the_parts_of_every_explanation_add_up(read_only: Dashboard) -> None:
    checked = 0
    for item in listing.items(read_only.app.database, ItemFilter(brand=BRAND), limit=40):
        for values, total in re.findall(
            r"<table>(.*?)<strong data-sum>(.*?)</strong>", read_only.get(f"/items/{item.id}/why").text, re.DOTALL
        ):
            for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", values, re.DOTALL):
                *parts, value = numbers(row, "data-part") + numbers(row, "data-value")
                assert sum(parts) == pytest.approx(value, abs=0.001)
            assert sum(numbers(values, "data-value")) == pytest.approx(number(total), abs=0.001)
            checked += 1
    assert checked > 20


def numbers(text: str, mark: str) -> list[float]:
    return [number(found) for found in re.findall(rf"{mark}>([^<]+)<", text)]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


# ------------------------------------------------------------------------------------------------------ who may see what


def test_whoever_is_limited_to_a_brand_is_asked_of_no_other(read_only: Dashboard) -> None:
    part = Visitor("part", "token", brands=frozenset({"Jotwick"}))
    everything = of_query(read_only.app, QueryParams("window=all&uncounted=all"), part, "/items").wanted
    assert {item.brand for item in listing.items(read_only.app.database, everything, limit=5_000)} == {"Jotwick"}
    with pytest.raises(Unasked, match=f'no brand "{BRAND}"'):
        of_query(read_only.app, QueryParams(f"brand={BRAND}"), part, "/items")
    other = Visitor("other", "token", brands=frozenset({BRAND}))
    with pytest.raises(Unasked, match="of another brand"):
        of_query(read_only.app, QueryParams(f"figure=competitors.Jotwick.mentions&brand={BRAND}"), other, "/items")


def test_an_erased_item_shows_that_it_was_and_offers_nothing(dashboard: Dashboard) -> None:
    found = listing.items(dashboard.app.database, ItemFilter(brand=BRAND, kinds=["mention"]), limit=1)[0]
    gone = {"title": None, "text": None, "url": None, "author_id": None, "author_name": None}
    rewrite(dashboard.app, found.id, external_id=f"{ERASED}1", erased_at=dashboard.app.now(), **gone)
    for address in (f"/items?brand={BRAND}", f"/items/{found.id}"):
        text = dashboard.get(address).text
        assert "Its words have been erased." in text
        assert f'value="positive {found.id}"' not in text
    assert "which has been erased since" in dashboard.get(f"/items/{found.id}/why").text
