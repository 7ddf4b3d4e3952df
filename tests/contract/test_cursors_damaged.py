"""A damaged cursor, of whatever shape, ends in nothing but a fate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from connectors.errors import SourceError
from connectors.testing import Case, FakePlatform
from connectors.testing.suite import Pulls
from tests.contract import test_facebook_page, test_google_business, test_instagram, test_x
from tests.fakes.damaging import damaged_copies
from tests.fakes.facebook_page import OWN, FakeFacebookPage
from tests.fakes.instagram import OWN as OWN_MEDIA
from tests.fakes.instagram import FakeInstagram

CASES = [test_x.CASE, test_google_business.CASE, test_facebook_page.CASE, test_instagram.CASE]


@pytest.fixture(params=CASES, ids=lambda case: case.plugin.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def fake(case: Case) -> Iterator[FakePlatform]:
    fake = case.fake()
    yield fake
    fake.close()


def test_damaged_cursors_raise_nothing_but_the_fates(case: Case, fake: FakePlatform) -> None:
    fake.publish(130)
    _publish_comments(fake)
    pulls = Pulls(case, fake)
    pulls.pull(pages=4)
    whole = json.dumps(pulls.cursor).encode()
    came = 0
    for copy in damaged_copies(whole, 60, seed=8):
        held = _parsed(copy)
        if not isinstance(held, dict):
            continue
        pulls.cursor = held
        with suppress(SourceError):
            came += len(pulls.pull(pages=6))
    assert came > 100


def _parsed(copy: bytes) -> object:
    try:
        return json.loads(copy)
    except ValueError:
        return None


def _publish_comments(fake: FakePlatform) -> None:
    if isinstance(fake, FakeFacebookPage):
        (post,) = fake.put(fake.publish(1), OWN)
        fake.put(fake.publish(2), fake.comments_on(post))
    elif isinstance(fake, FakeInstagram):
        (post,) = fake.put(fake.publish(1), OWN_MEDIA)
        fake.put(fake.publish(2), fake.comments_on(post))
