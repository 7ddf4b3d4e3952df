"""Samples in the store: random, of the right items, and with no bearing on any figure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from monitor import marking
from storage import audits
from storage.audits import Frame, Sample
from storage.erasure import ASKED, erase
from storage.people_tables import AUDIT_LABEL
from storage.tables import CORRECTION, ITEM, ROLLUP
from tests.fakes.storing import NOW, OLD, Shop, dump, item
from tests.unit.test_rescoring import app_of

WINDOW = (OLD - timedelta(days=1), OLD + timedelta(days=1))
FRAME = Frame("Acme", *WINDOW)


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Forty mentions whose text was scored, and one of everything that belongs into no sample."""
    stars = {"rating_label": "negative", "label": "negative", "label_by": "stars", "kind": "review"}
    shop.pull(
        *(item(f"m{n}", label="positive" if n % 4 else "negative") for n in range(40)),
        item("stars", **stars),
        item("unscored", label=None, label_by=None, text_label=None, unscored="language"),
        item("excluded", uncounted="excluded"),
        item("post", kind="post"),
        item("late", published_at=WINDOW[1]),
        item("early", published_at=WINDOW[0] - timedelta(seconds=1)),
        item("other", brand_id=2),
    )
    shop.pull(item("south", title="With a title"), name="south")
    return shop


def drawn(shop: Shop, size: int = 10, seed: int = 1, frame: Frame = FRAME) -> Sample:
    found = audits.draw(shop.database, frame, size, seed, NOW)
    assert found is not None
    return found


def names(shop: Shop, sample: Sample) -> list[str]:
    """The items of a sample in their order."""
    known = {row["id"]: row["external_id"] for row in shop.rows(ITEM)}
    return [known[one.id] for one in audits.items(shop.database, sample.id)]


def test_a_sample_is_of_counted_items_whose_text_was_scored(stocked: Shop) -> None:
    sample = drawn(stocked, size=1_000)
    assert sorted(names(stocked, sample)) == sorted([*(f"m{n}" for n in range(40)), "south"])
    assert (sample.frame, sample.size, sample.kind, sample.sources) == (41, 41, None, ())
    assert (sample.since, sample.until) == WINDOW


def test_a_seed_draws_the_same_items_in_the_same_order_again(stocked: Shop) -> None:
    first, again, other = drawn(stocked, seed=7), drawn(stocked, seed=7), drawn(stocked, seed=8)
    assert names(stocked, first) == names(stocked, again) != names(stocked, other)
    assert len(set(names(stocked, first))) == 10


def test_a_sample_can_be_of_one_kind_and_of_some_sources(stocked: Shop) -> None:
    assert names(stocked, drawn(stocked, frame=Frame("Acme", *WINDOW, "mention", ("south",)))) == ["south"]
    assert audits.draw(stocked.database, Frame("Acme", *WINDOW, "review"), 5, 1, NOW) is None
    assert audits.draw(stocked.database, Frame("Acme", NOW, NOW + timedelta(days=1)), 5, 1, NOW) is None


def test_every_item_is_as_likely_as_any_other_at_every_place() -> None:
    """Chi-squared with 19 degrees of freedom is under 43.8 but once in a thousand."""
    first: Counter[int] = Counter()
    chosen: Counter[int] = Counter()
    for seed in range(2_000):
        found, total = audits._drawn(range(20), 5, Random(seed))
        assert (total, len(set(found))) == (20, 5)
        first[found[0]] += 1
        chosen.update(found)
    assert sum((first[one] - 100) ** 2 / 100 for one in range(20)) < 43.8
    assert sum((chosen[one] - 500) ** 2 / (500 * 0.75) for one in range(20)) * 19 / 20 < 43.8


def test_what_a_person_says_changes_no_item_no_figure_and_is_no_correction(stocked: Shop) -> None:
    sample = drawn(stocked)
    before = dump(stocked, ITEM, ROLLUP, CORRECTION)
    first = audits.items(stocked.database, sample.id)[0]
    assert audits.say(stocked.database, sample.id, first.id, "Ann", "negative", NOW)
    assert dump(stocked, ITEM, ROLLUP, CORRECTION) == before
    assert not before[2]


def test_a_later_word_replaces_the_earlier_one_and_persons_stay_apart(stocked: Shop) -> None:
    sample = drawn(stocked)
    first, second = audits.items(stocked.database, sample.id)[:2]
    for person, label, one in [
        ("Ann", "positive", first),
        ("Bob", "neutral", first),
        ("Ann", "not_about_us", first),
        ("Ann", "negative", second),
    ]:
        assert audits.say(stocked.database, sample.id, one.id, person, label, NOW)
    found = audits.items(stocked.database, sample.id)
    assert [dict(one.said) for one in found[:3]] == [
        {"Ann": "not_about_us", "Bob": "neutral"},
        {"Ann": "negative"},
        {},
    ]
    again = audits.sample(stocked.database, sample.id)
    assert again is not None
    assert again.said == {"Ann": 2, "Bob": 1}
    assert len(stocked.rows(AUDIT_LABEL)) == 3


def test_an_item_outside_of_the_sample_is_refused(stocked: Shop) -> None:
    sample = drawn(stocked, size=1)
    inside = audits.items(stocked.database, sample.id)[0].id
    outside = next(row["id"] for row in stocked.rows(ITEM) if row["id"] != inside)
    assert not audits.say(stocked.database, sample.id, outside, "Ann", "neutral", NOW)
    assert not audits.say(stocked.database, sample.id + 1, inside, "Ann", "neutral", NOW)
    assert not stocked.rows(AUDIT_LABEL)


def test_the_scorer_s_label_is_the_present_one_whatever_a_person_has_corrected(stocked: Shop) -> None:
    app = app_of(stocked.database)
    sample = drawn(stocked, size=1_000)
    counts = audits.counts(stocked.database, FRAME)
    assert counts == {
        ("mention", False, "positive"): 31,
        ("mention", False, "negative"): 10,
        ("review", True, "negative"): 1,
    }
    for row in stocked.rows(ITEM):
        if row["external_id"] in ("m1", "stars"):
            marking.correct(app, row["id"], "neutral", "Ann")
    assert audits.counts(stocked.database, FRAME) == counts
    labels = dict(
        zip(names(stocked, sample), [one.label for one in audits.items(stocked.database, sample.id)], strict=True)
    )
    assert labels["m1"] == "positive"


def test_what_counts_no_more_has_left_the_frame(stocked: Shop) -> None:
    app = app_of(stocked.database)
    sample = drawn(stocked, size=1_000)
    gone = audits.items(stocked.database, sample.id)[0]
    marking.mark(app, [gone.id], "not_about_us")
    found = audits.items(stocked.database, sample.id)
    assert found[0].label is None
    assert all(one.label is not None for one in found[1:])
    assert sum(audits.counts(stocked.database, FRAME).values()) == 41


def test_what_is_erased_keeps_its_label_and_cannot_be_read(stocked: Shop) -> None:
    sample = drawn(stocked, size=1_000)
    gone = audits.items(stocked.database, sample.id)[0]
    audits.say(stocked.database, sample.id, gone.id, "Ann", "negative", NOW)
    stocked.database.write(lambda connection: erase(connection, [gone.id], NOW, reason=ASKED))
    found = audits.items(stocked.database, sample.id)[0]
    assert (found.label, dict(found.said), found.readable) == (gone.label, {"Ann": "negative"}, False)
    assert drawn(stocked, size=1_000).size == 40


def test_samples_are_listed_with_the_last_one_first(stocked: Shop) -> None:
    first = drawn(stocked)
    second = audits.draw(stocked.database, Frame("Rival", *WINDOW), 5, 1, NOW + timedelta(hours=1))
    assert second is not None
    assert [one.id for one in audits.samples(stocked.database)] == [second.id, first.id]
    assert [one.id for one in audits.samples(stocked.database, "Acme")] == [first.id]
    assert audits.sample(stocked.database, 99) is None
