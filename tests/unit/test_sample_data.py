"""The promises of the sample data, as its README states them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest

Record = dict[str, Any]

REFERENCE = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 70
START = REFERENCE - timedelta(days=DAYS)
RELEASE = datetime(2025, 12, 23, 10, tzinfo=UTC)
CAMPAIGN_TAG = "#JotwickGiveaway"

ITEM_STREAMS = ("reddit", "mastodon", "forum", "news", "appstore", "playstore", "social_own")
OTHER_STREAMS = ("followers", "standing", "gaps", "labels")
ITEM_KEYS = frozenset(
    {"id", "kind", "brand", "at", "updated_at", "title", "text", "url", "language", "author", "rating", "reply"}
    | {"place", "parent_title", "attributes", "counts", "edits"}
)
KIND_OF = {"appstore": "review", "playstore": "review", "social_own": "post"}
MINIMUM_BY_STREAM = {
    ("Larkspur", "reddit"): 120,
    ("Larkspur", "mastodon"): 100,
    ("Larkspur", "forum"): 50,
    ("Larkspur", "news"): 15,
    ("Larkspur", "appstore"): 90,
    ("Larkspur", "playstore"): 150,
    ("Larkspur", "social_own"): 25,
    ("Jotwick", "reddit"): 30,
    ("Jotwick", "mastodon"): 40,
    ("Jotwick", "appstore"): 30,
    ("Jotwick", "playstore"): 50,
    ("Jotwick", "social_own"): 20,
}
EXCLUDED = ("larkspur seeds", "delphinium", "flower bed", "larkspur street", "garden")
ACCIDENTAL_AND_KEPT = ("Painted the hallway", "colourway Larkspur", "Larkspur Cottage", "Larkspur Lad")
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


def records(stream: str) -> list[Record]:
    lines = (files("monitor") / "samples" / f"{stream}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


ITEMS: dict[str, list[Record]] = {stream: records(stream) for stream in ITEM_STREAMS}
ALL: list[Record] = [item for stream in ITEM_STREAMS for item in ITEMS[stream]]
REVIEWS = [item for item in ALL if item["kind"] == "review"]


def instant(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


def words_of(item: Record) -> str:
    return f"{item.get('title', '')} {item.get('text', '')}"


def names(item: Record, phrase: str) -> bool:
    return re.search(rf"\b{phrase}\b", words_of(item), re.IGNORECASE) is not None


def is_about(item: Record, brand: str) -> bool:
    return item["brand"] == brand if "brand" in item else names(item, brand)


def normalised(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def times_of(item: Record) -> Iterator[datetime]:
    yield instant(item["at"])
    if "updated_at" in item:
        yield instant(item["updated_at"])
    if "reply" in item:
        yield instant(item["reply"]["at"])
    yield from (instant(edit["at"]) for edit in item.get("edits", ()))


def share_of_low_stars(reviews: list[Record]) -> float:
    low = [review for review in reviews if review["rating"]["value"] <= 2]
    return len(low) / len(reviews)


def test_there_are_at_least_900_items_and_no_id_twice() -> None:
    assert len(ALL) >= 900
    assert len({item["id"] for item in ALL}) == len(ALL)


@pytest.mark.parametrize(("brand", "stream"), MINIMUM_BY_STREAM)
def test_each_brand_has_enough_items_in_each_stream(brand: str, stream: str) -> None:
    count = sum(is_about(item, brand) for item in ITEMS[stream])
    assert count >= MINIMUM_BY_STREAM[brand, stream]


def test_the_three_brands_have_the_promised_sizes() -> None:
    sizes = {b: sum(is_about(item, b) for item in ALL) for b in ("Larkspur", "Jotwick", "Pebblebox")}
    assert sizes["Larkspur"] >= 600
    assert sizes["Jotwick"] >= 250
    assert 10 <= sizes["Pebblebox"] < 20


def test_every_item_has_only_known_keys_and_the_kind_of_its_stream() -> None:
    for stream, items in ITEMS.items():
        for item in items:
            assert item.keys() <= ITEM_KEYS
            assert item["kind"] == KIND_OF.get(stream, "mention")
            assert item["id"].startswith(f"{stream}-")
            assert None not in item.values()


def test_mentions_carry_no_brand_and_name_at_least_one() -> None:
    for item in ALL:
        if item["kind"] == "mention":
            assert "brand" not in item
            assert any(is_about(item, brand) for brand in ("Larkspur", "Jotwick", "Pebblebox"))
        else:
            assert item["brand"] in ("Larkspur", "Jotwick")


def test_every_time_lies_in_the_ten_weeks_and_the_streams_are_in_order() -> None:
    for items in ITEMS.values():
        assert all(START <= when <= REFERENCE for item in items for when in times_of(item))
        assert [item["at"] for item in items] == sorted(item["at"] for item in items)


def test_the_last_day_is_populated_up_to_shortly_before_the_end() -> None:
    last_day = [item for item in ALL if instant(item["at"]) >= REFERENCE - timedelta(days=1)]
    assert len(last_day) >= 15
    assert max(instant(item["at"]) for item in ALL) > REFERENCE - timedelta(hours=3)


def test_no_day_of_the_ten_weeks_is_empty() -> None:
    days = {instant(item["at"]).date() for item in ALL}
    assert days == {START.date() + timedelta(days=n) for n in range(DAYS)}


def test_nothing_comes_from_a_stream_while_it_was_down() -> None:
    gaps = records("gaps")
    assert len(gaps) == 1
    for gap in gaps:
        start, end = instant(gap["start"]), instant(gap["end"])
        assert end - start == timedelta(days=1)
        assert not [item for item in ITEMS[gap["stream"]] if start <= instant(item["at"]) < end]


def test_counts_are_readings_at_growing_ages_that_end_before_the_reference() -> None:
    counted = [item for item in ALL if "counts" in item]
    assert len(counted) > 500
    for item in counted:
        ages = [reading[0] for reading in item["counts"]]
        assert 1 <= len(ages) <= 6
        assert ages == sorted(set(ages))
        assert ages[0] <= 1
        assert instant(item["at"]) + timedelta(hours=ages[-1]) <= REFERENCE
        for reading in item["counts"]:
            assert len(reading) == 5
            assert all(value is None or (isinstance(value, int) and value >= 0) for value in reading[1:])


def test_engagement_grows_but_a_few_counts_fall() -> None:
    pairs = [
        (earlier[1], later[1])
        for item in ALL
        for earlier, later in zip(item.get("counts", [])[:-1], item.get("counts", [])[1:], strict=True)
    ]
    falls = sum(later < earlier for earlier, later in pairs)
    assert 1 <= falls < len(pairs) / 50


def test_texts_repeat_only_where_the_campaign_repeats_them() -> None:
    texts = Counter(normalised(item["text"]) for item in ALL if "text" in item and CAMPAIGN_TAG not in item["text"])
    assert len(texts) >= 300
    assert max(texts.values()) <= 2


def test_the_campaign_is_many_like_texts_by_many_authors_within_a_week() -> None:
    campaign = [item for item in ITEMS["mastodon"] if CAMPAIGN_TAG in item["text"]]
    times = [instant(item["at"]) for item in campaign]
    assert len(campaign) >= 25
    assert len({item["author"]["id"] for item in campaign}) == len(campaign)
    assert max(times) - min(times) <= timedelta(days=7)
    assert max(Counter(normalised(item["text"]) for item in campaign).values()) >= 4


def test_lengths_go_from_a_word_to_250_words() -> None:
    lengths = [len(item["text"].split()) for item in ALL if "text" in item]
    assert min(lengths) == 1
    assert sum(length >= 250 for length in lengths) >= 3


def test_emoji_other_languages_and_bare_stars_are_there() -> None:
    foreign = Counter(item["language"] for item in ALL if item.get("language", "en") != "en")
    assert sum(EMOJI.search(words_of(item)) is not None for item in ALL) >= 25
    assert foreign.total() >= 25
    assert {"de", "es", "fr", "ja"} <= foreign.keys()
    assert sum("text" not in review for review in REVIEWS) >= 30


def test_accidental_mentions_are_mostly_but_not_all_excluded() -> None:
    mentions = [item for item in ALL if item["kind"] == "mention" and is_about(item, "Larkspur")]
    excluded = [item for item in mentions if any(names(item, phrase) for phrase in EXCLUDED)]
    kept = [item for item in mentions if item not in excluded]
    assert len(excluded) >= 10
    for phrase in ACCIDENTAL_AND_KEPT:
        assert sum(names(item, phrase) for item in kept) == 1
    assert {phrase for phrase in EXCLUDED if any(names(item, phrase) for item in excluded)} == set(EXCLUDED)


def test_the_exclusions_never_touch_a_review_or_another_brand() -> None:
    others = [item for item in ALL if item["kind"] != "mention" or is_about(item, "Jotwick")]
    assert not [item["id"] for item in others if any(names(item, phrase) for phrase in EXCLUDED)]


def test_texts_that_look_hostile_are_there() -> None:
    everything = "\n".join(item.get("text", "") for item in ALL)
    for fragment in ("<b>", "<script>alert(1)</script>", '\n=HYPERLINK("', "<!channel>", "](javascript:"):
        assert fragment in everything


def test_stars_turn_bad_with_the_release() -> None:
    larkspur = [review for review in REVIEWS if review["brand"] == "Larkspur"]
    before = [review for review in larkspur if instant(review["at"]) < RELEASE]
    after = [review for review in larkspur if instant(review["at"]) >= RELEASE]
    assert share_of_low_stars(after) >= 2 * share_of_low_stars(before)
    assert len(after) / 9 > 2 * len(before) / (DAYS - 9)


def test_ratings_are_whole_stars_and_only_reviews_have_them() -> None:
    for item in ALL:
        assert ("rating" in item) == (item["kind"] == "review")
    for review in REVIEWS:
        assert review["rating"].keys() == {"value", "worst", "best"}
        assert review["rating"]["value"] in range(1, 6)


def test_edits_and_replies_come_after_their_review() -> None:
    edited = [review for review in REVIEWS if "edits" in review]
    answered = [review for review in REVIEWS if "reply" in review]
    assert len(edited) >= 3
    assert len(answered) >= 40
    for review in edited:
        assert all(instant(edit["at"]) > instant(review["at"]) for edit in review["edits"])
        assert all(edit["rating"] != review["rating"] for edit in review["edits"])
    assert all(instant(review["reply"]["at"]) > instant(review["at"]) for review in answered)


def test_nobody_reviews_twice_in_one_store() -> None:
    for store in ("appstore", "playstore"):
        authors = [review["author"]["id"] for review in ITEMS[store] if "author" in review]
        assert len(set(authors)) == len(authors)


def test_links_and_addresses_lead_only_to_reserved_domains() -> None:
    for item in ALL:
        as_text = json.dumps(item, ensure_ascii=False)
        hosts = re.findall(r"https?://([^/\s\"'\\#?)]+)", as_text) + re.findall(r"\w@([\w.-]+\w)", as_text)
        assert all(host.endswith(".example") for host in hosts), item["id"]


@pytest.mark.parametrize("account", ["@larkspur@social.example", "larkspur.notes", "@jotwick@social.example"])
def test_each_account_has_a_follower_reading_every_day(account: str) -> None:
    readings = [r for r in records("followers") if r["account"] == account]
    days: list[date] = [instant(reading["at"]).date() for reading in readings]
    assert days == [START.date() + timedelta(days=n) for n in range(DAYS)]
    assert all(isinstance(reading["count"], int) for reading in readings)


def test_followers_dip_after_the_release_and_jump_in_the_campaign() -> None:
    count = {(r["account"], r["at"][:10]): r["count"] for r in records("followers")}
    larkspur, jotwick = "@larkspur@social.example", "@jotwick@social.example"
    assert count[larkspur, "2025-12-27"] < count[larkspur, "2025-12-22"] - 100
    assert count[jotwick, "2025-12-09"] > count[jotwick, "2025-12-02"] + 1500


def test_the_standing_falls_after_the_release() -> None:
    by_place: dict[str, list[Record]] = {}
    for reading in records("standing"):
        assert 1 <= reading["mean"] <= reading["best"] == 5
        if reading["brand"] == "Larkspur":
            by_place.setdefault(reading["place"], []).append(reading)
    assert len(by_place) == 4
    for readings in by_place.values():
        before = [r["mean"] for r in readings if instant(r["at"]) < RELEASE]
        assert readings[-1]["mean"] < min(before)
        assert [r["count"] for r in readings] == sorted(r["count"] for r in readings)


def test_no_text_names_a_date_that_a_shift_would_make_wrong() -> None:
    dated = re.compile(
        r"\b((mon|tues|wednes|thurs|fri|satur|sun)day|january|february|october|november|december"
        r"|christmas|20[12]\d)\b",
        re.IGNORECASE,
    )
    assert not [item["id"] for item in ALL if dated.search(words_of(item))]


def test_labels_name_existing_items_with_a_text_once_each() -> None:
    labels = records("labels")
    texts = {item["id"] for item in ALL if "text" in item and item.get("language", "en") == "en"}
    by_label = Counter(label["label"] for label in labels)
    assert len(labels) >= 300
    assert len({label["id"] for label in labels}) == len(labels)
    assert {label["id"] for label in labels} <= texts
    assert by_label.keys() == {"positive", "neutral", "negative"}
    assert min(by_label.values()) >= 100


def test_the_files_are_small_enough_to_ship() -> None:
    folder = files("monitor") / "samples"
    size_bytes = sum(len((folder / f"{s}.jsonl").read_bytes()) for s in ITEM_STREAMS + OTHER_STREAMS)
    assert size_bytes < 1_500_000
