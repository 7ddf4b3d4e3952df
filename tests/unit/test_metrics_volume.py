"""Pace, and share of voice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.metrics.volume import share_of_voice, velocity


def test_velocity_is_items_a_day_whatever_the_length() -> None:
    assert velocity(21, timedelta(days=7)) == pytest.approx(3)
    assert velocity(23, timedelta(hours=23)) == pytest.approx(24)
    assert velocity(1, timedelta(0)) is None


def test_share_of_voice_compares_the_same_sources_only() -> None:
    own = {"news": 30, "own forum": 500}
    rivals = [{"news": 50}, {"news": 20, "their forum": 900}]
    assert share_of_voice(own, rivals, shared={"news"}) == pytest.approx(0.3)


def test_share_of_voice_is_unknown_without_rivals_or_mentions() -> None:
    assert share_of_voice({"news": 30}, [], shared={"news"}) is None
    assert share_of_voice({"news": 0}, [{"news": 0}], shared={"news"}) is None
    assert share_of_voice({"news": 0}, [{"news": 4}], shared={"news"}) == 0
