"""Did the score move? Reference values, the size of the test, and like with like."""

from __future__ import annotations

from collections import Counter
from math import erfc, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics.change import Change, Comparison, Part, Verdict, change, compare, control, settle
from monitor.metrics.sentiment import Tally

COUNTS = st.integers(0, 500)
BY_SOURCE = st.dictionaries(st.sampled_from(["news", "forum", "store"]), st.builds(Tally, COUNTS, COUNTS, COUNTS))


def test_the_p_value_is_that_of_the_pooled_statistic() -> None:
    found = change(Tally(40, 20, 40), Tally(30, 30, 40))
    pooled_variance = 120 / 200 - (20 / 200) ** 2
    z = 0.2 / sqrt(pooled_variance * (1 / 100 + 1 / 100))
    assert found.delta == pytest.approx(0.2)
    assert found.p == pytest.approx(erfc(z / sqrt(2)))
    assert found.verdict == "no clear change"


def test_a_clear_rise_is_up_and_its_mirror_is_down() -> None:
    low, high = Tally(200, 300, 500), Tally(300, 200, 500)
    assert change(high, low).verdict == "up"
    assert change(low, high).verdict == "down"


def test_the_interval_shown_holds_the_change() -> None:
    found = change(Tally(300, 200, 500), Tally(200, 300, 500))
    assert found.low is not None
    assert found.high is not None
    assert 0.1 < found.low < 0.2 < found.high < 0.3


def test_an_empty_window_leaves_everything_unknown() -> None:
    assert change(Tally(30, 10, 60), Tally(unscored=9)) == Change(None, None, None, None, Verdict.TOO_FEW)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (Tally(10, 5, 4), Tally(100, 50, 40)),  # 19 items in one window
        (Tally(100, 2, 100), Tally(50, 2, 100)),  # four negative in both
        (Tally(2, 100, 100), Tally(2, 50, 100)),  # four positive in both
    ],
)
def test_too_few_items_give_a_change_without_a_verdict(now: Tally, before: Tally) -> None:
    found = change(now, before)
    assert (found.p, found.verdict) == (None, "too few to tell")
    assert found.delta is not None
    assert found.low is not None


def test_clustered_items_weigh_less() -> None:
    now, before = Tally(300, 200, 500), Tally(240, 260, 500)
    assert change(now, before).verdict == "up"
    assert change(now, before, deff_now=4, deff_before=4).verdict == "no clear change"
    assert change(now, before, deff_now=51, deff_before=1).verdict == "too few to tell"


def test_with_one_cluster_only_nothing_can_be_told() -> None:
    found = change(Tally(300, 200, 500), Tally(200, 300, 500), deff_now=None)
    assert (found.low, found.p, found.verdict) == (None, None, "too few to tell")
    assert found.delta == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("n_now", "n_before", "shares"),
    [
        (20, 20, (0.4, 0.4, 0.2)),
        (30, 30, (0.2, 0.2, 0.6)),
        (20, 300, (0.1, 0.1, 0.8)),
        (60, 200, (0.6, 0.1, 0.3)),
        (100, 100, (0.05, 0.3, 0.65)),
        (300, 300, (0.3, 0.2, 0.5)),
    ],
)
def test_without_a_change_the_test_speaks_of_one_in_about_5_percent(
    n_now: int, n_before: int, shares: tuple[float, float, float]
) -> None:
    random = Random(f"{n_now} {n_before} {shares}")
    verdicts = Counter(
        change(drawn(random, n_now, shares), drawn(random, n_before, shares)).verdict for _ in range(3000)
    )
    spoke = verdicts.total() - verdicts[Verdict.TOO_FEW]
    assert spoke > 1500
    assert 0.03 <= (verdicts[Verdict.UP] + verdicts[Verdict.DOWN]) / spoke <= 0.08


def drawn(random: Random, n: int, shares: tuple[float, float, float]) -> Tally:
    labels = random.choices(range(3), shares, k=n)
    return Tally(labels.count(0), labels.count(1), labels.count(2))


# --- like with like


def parts(found: Comparison) -> list[float]:
    assert found.split is not None
    return [found.split.mix, found.split.within]


def test_a_source_with_a_gap_is_left_out_of_both_windows_and_named() -> None:
    now = {"forum": Tally(30, 30, 40), "store": Tally(500, 0, 0)}
    before = {"forum": Tally(30, 30, 40), "store": Tally(10, 0, 0)}
    found = compare(now, before, complete={"forum"})
    assert found.change == change(now["forum"], before["forum"])
    assert found.left_out == {"store"}


def test_a_rise_within_the_sources_is_up_and_none_of_it_is_mix() -> None:
    now = {"forum": Tally(300, 200, 500), "store": Tally(700, 100, 200)}
    before = {"forum": Tally(200, 300, 500), "store": Tally(600, 200, 200)}
    found = compare(now, before, complete={"forum", "store"})
    assert found.change.verdict == "up"
    assert parts(found) == pytest.approx([0, 0.2])


def test_a_rise_by_mix_alone_is_called_sources_changed() -> None:
    now = {"forum": Tally(20, 30, 50), "store": Tally(630, 90, 180)}
    before = {"forum": Tally(180, 270, 450), "store": Tally(70, 10, 20)}
    found = compare(now, before, complete={"forum", "store"})
    assert found.change.verdict == "sources changed"
    assert parts(found) == pytest.approx([0.56, 0])
    assert found.change.delta == pytest.approx(0.56)


def test_a_fall_in_every_source_hidden_by_a_better_mix_is_called_sources_changed() -> None:
    now = {"forum": Tally(10, 30, 60), "store": Tally(540, 180, 180)}
    before = {"forum": Tally(180, 270, 450), "store": Tally(70, 10, 20)}
    found = compare(now, before, complete={"forum", "store"})
    assert found.split is not None
    assert found.split.within < -0.1 < 0.1 < found.split.mix
    assert found.change.verdict == "sources changed"


def test_a_little_mix_beside_a_great_rise_leaves_it_up() -> None:
    now = {"forum": Tally(3000, 1000, 400), "store": Tally(4000, 500, 1100)}
    before = {"forum": Tally(2000, 2500, 500), "store": Tally(2000, 1500, 1500)}
    found = compare(now, before, complete={"forum", "store"})
    assert found.split is not None
    assert 0 < found.split.mix < found.split.within
    assert found.change.verdict == "up"


def test_the_part_of_each_source_is_kitagawas() -> None:
    now = {"forum": Tally(25, 0, 75), "store": Tally(60, 0, 40)}
    before = {"forum": Tally(30, 0, 270), "store": Tally(50, 0, 50)}
    found = compare(now, before, complete={"forum", "store"})
    assert found.by_source["forum"].mix == pytest.approx((0.5 - 0.75) * (0.25 + 0.1) / 2)
    assert found.by_source["forum"].within == pytest.approx((0.5 + 0.75) / 2 * (0.25 - 0.1))
    assert found.by_source["store"].mix == pytest.approx((0.5 - 0.25) * (0.6 + 0.5) / 2)
    assert found.by_source["store"].within == pytest.approx((0.5 + 0.25) / 2 * (0.6 - 0.5))


@settings(deadline=None)
@given(BY_SOURCE, BY_SOURCE)
def test_mix_and_within_add_up_to_the_change(now: dict[str, Tally], before: dict[str, Tally]) -> None:
    found = compare(now, before, complete={"news", "forum", "store"})
    assert found.left_out == frozenset()
    if found.split is None:
        assert found.change.delta is None
    else:
        assert found.split.mix + found.split.within == pytest.approx(found.change.delta, abs=1e-9)
        assert sum(found.by_source.values(), Part(0, 0)) == found.split


@settings(deadline=None)
@given(BY_SOURCE, BY_SOURCE)
def test_comparing_the_other_way_round_turns_the_change(now: dict[str, Tally], before: dict[str, Tally]) -> None:
    there, back = compare(now, before, complete=set(now)), compare(before, now, complete=set(now))
    turned = {Verdict.UP: Verdict.DOWN, Verdict.DOWN: Verdict.UP}
    assert back.change.verdict == turned.get(there.change.verdict, there.change.verdict)
    assert (there.change.p is None) == (back.change.p is None)


def test_without_a_source_in_common_the_sources_changed() -> None:
    found = compare({"forum": Tally(30, 30, 40)}, {"store": Tally(30, 30, 40)}, complete=set())
    assert (found.change.verdict, found.change.delta) == ("sources changed", None)
    assert found.left_out == {"forum", "store"}


def test_two_empty_windows_are_too_few_to_tell() -> None:
    found = compare({"forum": Tally()}, {}, complete={"forum"})
    assert (found.change.verdict, found.left_out) == ("too few to tell", frozenset())


# --- many series at once


def test_benjamini_and_hochberg_adjust_as_published() -> None:
    assert control([0.01, 0.04, 0.03, 0.005]) == [pytest.approx(p) for p in (0.02, 0.04, 0.04, 0.02)]
    assert control([]) == []
    assert control([0.2]) == [0.2]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=30))
def test_adjusting_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = control(p_values)
    assert all(p - 1e-12 <= raised <= 1 for p, raised in zip(p_values, adjusted, strict=True))
    ranked = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[i] for i in ranked] == sorted(adjusted)


def test_one_weak_finding_among_many_series_is_no_clear_change() -> None:
    weak = change(Tally(300, 200, 500), Tally(260, 240, 500))
    nothing = change(Tally(300, 200, 500), Tally(300, 200, 500))
    few = change(Tally(3, 2, 5), Tally(2, 3, 5))
    assert weak.verdict == "up"
    settled = settle({"weak": weak, "few": few, **{f"quiet {i}": nothing for i in range(9)}})
    assert settled["weak"].verdict == "no clear change"
    assert settled["weak"].p == pytest.approx(min(1, 10 * (weak.p or 0)))
    assert settled["few"] == few


def test_strong_findings_among_many_series_stand() -> None:
    strong = change(Tally(400, 100, 500), Tally(200, 300, 500))
    settled = settle(dict.fromkeys(range(10), strong))
    assert {one.verdict for one in settled.values()} == {Verdict.UP}
