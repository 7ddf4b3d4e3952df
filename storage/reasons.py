"""PURE  Why an item does not count: the one place that knows which reason wins, and whom a mute means."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlsplit

Reason = Literal["not_about_us", "muted", "excluded", "duplicate"]

NOT_ABOUT_US: Final = "not_about_us"
MUTED: Final = "muted"
EXCLUDED: Final = "excluded"
DUPLICATE: Final = "duplicate"


def why_uncounted(*, not_about_us: bool, muted: bool, excluded: bool, duplicate: bool) -> Reason | None:
    """The reason that is kept with an item of which several hold; ``None``: it counts.

    What a person said of this very item beats what a person said of its author or site; that beats the keywords, which
    beat the choice among equal texts. So an item comes back only when the last of its reasons has gone.
    """
    if not_about_us:
        return "not_about_us"
    if muted:
        return "muted"
    if excluded:
        return "excluded"
    return "duplicate" if duplicate else None


@dataclass(frozen=True, slots=True)
class Mute:
    """Whose items do not count, for one brand or (``brand_id`` none) for all: an author's, or a site's with its subdomains."""

    shown: str
    brand_id: int | None = None
    author_id: int | None = None
    site: str | None = None
    by: str | None = None
    at: datetime | None = None

    def means(self, brand_id: int, author_id: int | None, url: str | None) -> bool:
        """Is an item of this brand, author and address meant?"""
        if self.brand_id not in (None, brand_id):
            return False
        if self.author_id is not None:
            return author_id == self.author_id
        return self.site in _sites(host_of(url))


@dataclass(frozen=True, slots=True)
class Mutes:
    """All mutes, ready to be asked about many items."""

    authors: frozenset[tuple[int | None, int]] = field(default_factory=frozenset)
    sites: frozenset[tuple[int | None, str]] = field(default_factory=frozenset)

    @classmethod
    def of(cls, mutes: Iterable[Mute]) -> Mutes:
        known = list(mutes)
        return cls(
            frozenset((mute.brand_id, mute.author_id) for mute in known if mute.author_id is not None),
            frozenset((mute.brand_id, mute.site) for mute in known if mute.site is not None),
        )

    def hold(self, brand_id: int, author_id: int | None, url: str | None) -> bool:
        """Is an item of this brand, author and address muted?"""
        if author_id is not None and not self.authors.isdisjoint(((None, author_id), (brand_id, author_id))):
            return True
        if not self.sites or not url:
            return False
        sites = _sites(host_of(url))
        return any(not self.sites.isdisjoint(((None, site), (brand_id, site))) for site in sites)


LONGEST_SITE: Final = 253
"""Characters of a host's name, in all its parts."""


def host_of(url: str | None) -> str | None:
    """The host of a web address, in lower case and ASCII (``xn--``); ``None`` where there is none."""
    if not url:
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return None if host is None else site_name(host)


def site_name(host: str) -> str | None:
    """A host as sites are compared: lower case, ASCII, no full stop at the end. ``None`` for an empty or overlong one."""
    plain = host.strip().rstrip(".").lower()
    if not plain.isascii():
        with suppress(UnicodeError):
            plain = plain.encode("idna").decode("ascii")
    return plain if 0 < len(plain) <= LONGEST_SITE else None


def _sites(host: str | None) -> list[str]:
    """A host and all that it is a subdomain of."""
    if host is None:
        return []
    parts = host.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]
