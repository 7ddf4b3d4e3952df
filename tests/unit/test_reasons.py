"""Which reason wins, and whom a mute means."""

from __future__ import annotations

from itertools import product

import pytest

from storage.reasons import LONGEST_SITE, Mute, Mutes, host_of, site_name, why_uncounted

ORDER = ("not_about_us", "muted", "excluded", "duplicate")


@pytest.mark.parametrize("held", list(product([False, True], repeat=4)))
def test_the_first_reason_that_holds_is_kept(held: tuple[bool, ...]) -> None:
    holding = [reason for reason, holds in zip(ORDER, held, strict=True) if holds]
    assert why_uncounted(**dict(zip(ORDER, held, strict=True))) == (holding[0] if holding else None)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Spam.Example:8080/a?b", "spam.example"),
        ("https://user:word@spam.example./a", "spam.example"),
        ("https://bücher.example/a", "xn--bcher-kva.example"),
        ("mailto:somebody@spam.example", None),
        ("not an address", None),
        ("http://[broken", None),
        ("", None),
        (None, None),
    ],
)
def test_the_host_of_an_address(url: str | None, host: str | None) -> None:
    assert host_of(url) == host


def test_a_site_is_written_in_many_ways() -> None:
    assert site_name(" Bücher.Example. ") == "xn--bcher-kva.example"
    assert site_name(".") is None


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://spam.example/1", True),
        ("https://a.b.spam.example/1", True),
        ("https://notspam.example/1", False),
        ("https://spam.example.org/1", False),
        ("https://other.example/spam.example", False),
        (None, False),
    ],
)
def test_a_site_stands_for_its_subdomains(url: str | None, meant: bool) -> None:
    mute = Mute("spam.example", site="spam.example")
    assert mute.means(1, None, url) is meant
    assert Mutes.of([mute]).hold(1, None, url) is meant


def test_a_mute_of_one_brand_is_of_no_other() -> None:
    mutes = [Mute("Ann", 1, author_id=7), Mute("spam.example", 2, site="spam.example")]
    held = {(brand, who, url): Mutes.of(mutes).hold(brand, who, url) for brand, who, url in product(*CASES)}
    assert held == {(b, w, u): any(mute.means(b, w, u) for mute in mutes) for b, w, u in product(*CASES)}
    assert [case for case, holds in held.items() if holds] == [
        (1, 7, None),
        (1, 7, "https://spam.example"),
        (2, None, "https://spam.example"),
        (2, 7, "https://spam.example"),
    ]


CASES = ([1, 2], [None, 7], [None, "https://spam.example"])


def test_what_is_too_long_for_a_host_is_none() -> None:
    longest = ".".join(["a" * 49] * 5) + ".org"
    assert len(longest) == LONGEST_SITE
    assert (site_name(longest), host_of(f"https://{longest}/x")) == (longest, longest)
    assert (site_name(f"a{longest}"), host_of(f"https://a{longest}/x")) == (None, None)
