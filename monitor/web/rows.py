"""Stored items -> what a list shows of each: capped words, where the original is, what people said of it, what may be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.app import App
from monitor.digest import escape
from monitor.digest.escape import Link
from monitor.digest.numbers import plural
from monitor.web.chosen import REASONS
from storage import mutes
from storage.reasons import NOT_ABOUT_US, Mute, Mutes, host_of
from storage.records import StoredItem
from storage.stories import Story, Word, stories

GLANCE: Final = 320
"""Characters of a text that are shown at once."""
WHOLE: Final = 4_000
"""Characters that can be opened in a list; an item's own page has more."""
PAGE: Final = 40_000
"""Characters of a text on its own page."""
LINES: Final = 600
"""Paragraphs on its own page."""
ANSWERED_AT: Final = {
    "appstore": ("https://appstoreconnect.apple.com/apps", "App Store Connect"),
    "appstoreconnect": ("https://appstoreconnect.apple.com/apps", "App Store Connect"),
    "googleplay": ("https://play.google.com/console/", "Google Play Console"),
    "google_business": ("https://business.google.com/reviews", "Google Business Profile"),
    "trustpilot": ("https://business.trustpilot.com/reviews", "Trustpilot Business"),
    "steam": ("https://partner.steamgames.com/", "Steamworks"),
}
"""Where owners answer reviews of a platform, and what that place is called. Elsewhere it is where the review stands."""
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Row:
    """An item as lists show it. ``glance`` is the text's beginning; ``whole`` more of it, where there is more."""

    item: StoredItem
    story: Story
    title: str | None
    glance: str | None
    whole: str | None
    away: Link | None
    answer: tuple[str, str] | None
    reply: str | None
    muted_author: bool
    muted_site: bool
    site: str | None

    @property
    def id(self) -> int:
        return self.item.id

    @property
    def is_done(self) -> bool:
        return DONE in self.story.marks

    @property
    def not_about_us(self) -> Word | None:
        return self.story.marks.get(NOT_ABOUT_US)

    @property
    def why_uncounted(self) -> str | None:
        """In words; ``None``: it counts."""
        return REASONS.get(self.item.uncounted, self.item.uncounted) if self.item.uncounted else None

    @property
    def why_unscored(self) -> str | None:
        if self.item.label is not None:
            return None
        return "its language is not read" if self.item.unscored == "language" else "it says nothing that is read"

    @property
    def engagement(self) -> str:
        """What is known of it and more than nothing: ``3 likes, 1 comment``."""
        counted = ((getattr(self.item, f"{name}s"), name) for name in ("like", "share", "comment", "view"))
        return ", ".join(plural(count, name) for count, name in counted if count)

    @property
    def stars_shown(self) -> str:
        """``★★★★☆``, to the nearest whole star."""
        full = max(0, min(5, round(self.item.stars or 0)))
        return "★" * full + "☆" * (5 - full)


def rows(app: App, found: Sequence[StoredItem]) -> list[Row]:
    """What is shown of these items, in their order."""
    kept = stories(app.database, [item.id for item in found])
    silent = mutes.in_force(app.database)
    return [_row(item, kept[item.id], silent) for item in found if item.id in kept]


def _row(item: StoredItem, story: Story, silent: Mutes) -> Row:
    text = escape.clean(item.text, WHOLE)
    glance = escape.cap(text, GLANCE) if text else None
    site = host_of(item.url)
    return Row(
        item=item,
        story=story,
        title=escape.clean(item.title, 200),
        glance=glance,
        whole=text if glance != text else None,
        away=escape.link(item.url),
        answer=_answer(item),
        reply=escape.clean(item.reply_text, 1_000),
        muted_author=story.author_id is not None and (story.brand_id, story.author_id) in silent.authors,
        muted_site=site is not None and (story.brand_id, site) in silent.sites,
        site=site,
    )


def _answer(item: StoredItem) -> tuple[str, str] | None:
    """Where an unanswered review is answered: address and name of the place."""
    if item.kind != "review" or item.reply_text is not None or item.erased:
        return None
    if item.platform in ANSWERED_AT:
        return ANSWERED_AT[item.platform]
    away = escape.link(item.url)
    return None if away is None else (away.url, away.host)


def mute_of_author(row: Row, by: str) -> Mute | None:
    """The mute of a row's author, for its brand."""
    if row.story.author_id is None:
        return None
    shown = f"{escape.name(row.item.author or row.story.author_known_as)} ({row.item.platform})"
    return Mute(shown, row.story.brand_id, author_id=row.story.author_id, by=by)


def mute_of_site(row: Row, by: str) -> Mute | None:
    """The mute of the site where a row's item stands, for its brand."""
    return None if row.site is None else Mute(row.site, row.story.brand_id, site=row.site, by=by)


def paragraphs(text: str | None) -> Iterator[str]:
    """A text as its own page shows it: line by line, each made harmless."""
    for line in (text or "")[:PAGE].splitlines()[:LINES]:
        if (said := escape.clean(line, PAGE)) is not None:
            yield said


def is_cut(text: str | None) -> bool:
    """Does its own page not show all of it?"""
    return text is not None and (len(text) > PAGE or text.count("\n") > LINES)
