"""Clusters, groups and their changes."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from monitor.metrics.change import Verdict
from monitor.metrics.clusters import clusters, labels_by_cluster
from monitor.metrics.groups import Group, change_of, changes_of
from monitor.metrics.intervals import design_effect
from monitor.metrics.sentiment import Tally

ties = st.lists(st.tuples(st.none() | st.integers(0, 6), st.none() | st.sampled_from("abcdef")), max_size=25)


@given(ties)
def test_items_are_in_one_cluster_exactly_where_a_chain_of_ties_joins_them(
    items: list[tuple[int | None, str | None]],
) -> None:
    found = clusters(items)
    reach = [{number} for number in range(len(items))]
    for one, other in combinations(range(len(items)), 2):
        if any(a is not None and a == b for a, b in zip(items[one], items[other], strict=True)):
            joined = reach[one] | reach[other]
            for number in joined:
                reach[number] = joined
    for one, other in combinations(range(len(items)), 2):
        assert (found[one] == found[other]) == (other in reach[one])


def test_an_author_and_a_text_of_the_same_name_do_not_join() -> None:
    assert len(set(clusters([("x", None), (None, "x")]))) == 2


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.sampled_from([1, 0, -1, None])), max_size=40))
def test_a_group_counts_what_was_put_into_it(items: list[tuple[str, int, int | None]]) -> None:
    group = Group()
    for source, cluster, sign in items:
        group.add(source, cluster, sign)
    signs = Counter(sign for _, _, sign in items)
    assert group.tally == Tally(signs[1], signs[-1], signs[0], signs[None])
    labelled = [(cluster, sign) for _, cluster, sign in items if sign is not None]
    assert_alike(group.deff(), design_effect(labels_by_cluster(labelled)))
    of_a = [(cluster, sign) for source, cluster, sign in items if sign is not None and source == "a"]
    assert_alike(group.deff({"a"}), design_effect(labels_by_cluster(of_a)))


def assert_alike(found: float | None, expected: float | None) -> None:
    """The same but for the last digit, which goes by the order in which clusters are summed up."""
    assert (found is None) == (expected is None)
    assert isclose(found or 0, expected or 0, rel_tol=1e-12)


def filled(positive: int, negative: int, *, each: int = 1, source: str = "a") -> Group:
    """A group whose authors wrote ``each`` items of one mind."""
    group = Group()
    for number in range(positive + negative):
        group.add(source, number // each, 1 if number < positive else -1)
    return group


def test_few_authors_writing_much_widen_what_is_known() -> None:
    loose, tight = filled(60, 20), filled(60, 20, each=10)
    assert isclose(loose.deff() or 0, 1.0, abs_tol=0.02)
    assert (tight.deff() or 0) > 9
    assert change_of(loose, filled(20, 60), {"a"})[0].verdict is Verdict.UP
    assert change_of(tight, filled(20, 60, each=10), {"a"})[0].verdict is Verdict.TOO_FEW


def test_only_sources_complete_in_both_windows_are_compared() -> None:
    now, before = filled(60, 20), filled(60, 20)
    now.add("b", 1_000, -1)
    found, compared = change_of(now, before, {"a"})
    assert found.delta == 0
    assert compared == ["a"]


def test_many_groups_tested_at_once_need_stronger_evidence_each() -> None:
    now = {f"g{number}": filled(30, 30) for number in range(20)} | {"one": filled(40, 20)}
    before = {name: filled(30, 30) for name in now}
    alone = change_of(now["one"], before["one"], {"a"})[0]
    together = changes_of(now, before, now, {"a"})["one"]
    assert alone.p is not None
    assert together.p is not None
    assert together.p > alone.p
    assert together.p <= min(1.0, alone.p * 21) + 1e-12
