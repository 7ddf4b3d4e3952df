"""Dated events in the store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import annotations as stored
from tests.fakes.storing import NOW, OLD, Shop


def test_annotations_are_listed_by_time_those_of_all_brands_with_each_brand_s(shop: Shop) -> None:
    later = stored.add(shop.database, "release 2.0", NOW, NOW, brand="Acme", by="Ann")
    everywhere = stored.add(shop.database, "holiday", OLD, NOW, until=OLD + timedelta(days=1))
    other = stored.add(shop.database, "price", NOW, NOW, brand="Rival")
    assert stored.listed(shop.database, "Acme") == [everywhere, later]
    assert stored.listed(shop.database) == [everywhere, later, other]
    assert (later.brand, later.by, everywhere.brand, everywhere.until) == ("Acme", "Ann", None, OLD + timedelta(days=1))


def test_an_annotation_is_removed_once(shop: Shop) -> None:
    added = stored.add(shop.database, "release 2.0", NOW, NOW)
    assert stored.remove(shop.database, added.id)
    assert not stored.remove(shop.database, added.id)
    assert stored.listed(shop.database) == []


def test_a_brand_that_the_store_does_not_know_is_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="Nobody"):
        stored.add(shop.database, "release", NOW, NOW, brand="Nobody")
