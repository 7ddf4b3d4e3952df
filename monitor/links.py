"""PURE  Links as people paste them -> links as connectors know them, and what to say where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

_WRAPPING: Final = "<>\"'`“”„‘’«»[{("
_TRAILING: Final = _WRAPPING + ".,;:!?…"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what was pasted: a link to ask the connectors about, or (``type``) a connector to ask outright.

    ``note``: what was made of it, where that is not what was pasted.
    """

    link: str
    note: str | None = None
    type: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def tidied(text: str) -> str:
    """What was pasted, without the brackets, quotes and full stops that came along."""
    found = text.strip().lstrip(_WRAPPING).strip().rstrip(_TRAILING)
    return found if "(" in found else found.rstrip(")]}" + _TRAILING)


def as_link(text: str) -> str | None:
    """``text`` as a link; one without ``https://`` is known by the dot in its host."""
    if re.match(r"(?i)(https?://[^/\s]|feed:|file://)\S+$", text):
        return text
    return f"https://{text}" if re.match(r"(?i)[\w-]+(\.[\w-]+)+(:\d+)?([/?#]\S*)?$", text) else None


def readings(text: str) -> Iterator[Reading]:
    """The ways to read ``text``, the plainest first; none where it is no link at all."""
    link = _spelt_out(text) or as_link(text)
    if link is None:
        return
    yield Reading(link)
    if (bare := _without_prefix(link)) != link:
        yield Reading(bare)
    for rule in _RULES:
        if (found := rule.pattern.fullmatch(_host_and_path(bare))) is not None:
            yield rule.reading(found)


def hint(link: str) -> str | None:
    """What to do instead, for a link to a place that cannot be watched by its link alone."""
    place = _host_and_path(_without_prefix(link))
    return next((sentence for pattern, sentence in _HINTS if pattern.match(place)), None)


def may_announce_a_feed(link: str) -> bool:
    """May the page announce a feed, although there is a hint for its link?"""
    return _host_and_path(_without_prefix(link)).startswith("youtube.com/")


# ---------------------------------------------------------------------------------------------- short and app forms

_SHORT: Final = (
    (re.compile(r"/?r/(\w{2,21})/?"), r"https://www.reddit.com/r/\1"),
    (re.compile(r"@([\w.-]+)@([\w-]+(?:\.[\w-]+)+)"), r"https://\2/@\1"),
    (re.compile(r"!([\w.-]+)@([\w-]+(?:\.[\w-]+)+)"), r"https://\2/c/\1"),
    (re.compile(r"@([\w-]+(?:\.[\w-]+)+)"), r"https://bsky.app/profile/\1"),
    (re.compile(r"(?i)market://details\?(\S+)"), r"https://play.google.com/store/apps/details?\1"),
    (re.compile(r"(?i)(?:steam://(?:store|openurl/.*/app)/|(?:https?://)?s\.team/a/)(\d+)\S*"), r"https://store.steampowered.com/app/\1"),
    (re.compile(r"git@github\.com:([\w.-]+/[\w.-]+?)(?:\.git)?"), r"https://github.com/\1"),
)  # fmt: skip


def _spelt_out(text: str) -> str | None:
    """The link that a short form (``r/acme``, ``@acme@mastodon.social``) or an app's own form means."""
    return next((found.expand(link) for form, link in _SHORT if (found := form.fullmatch(text))), None)


_PREFIX: Final = re.compile(r"(?i)^(https?://)(?:www\.|m\.|mobile\.|amp\.)+(?=[^/?#]*\.)")


def _without_prefix(link: str) -> str:
    return _PREFIX.sub(r"\1", link)


def _host_and_path(link: str) -> str:
    """What the rules look at: the host in lower case, without a port, and the path."""
    try:
        parts = urlsplit(link)
        return f"{(parts.hostname or '').lower()}{parts.path}"
    except ValueError:
        return ""


# --------------------------------------------------------------------------------- parts of what can be watched whole


@dataclass(frozen=True, slots=True)
class _Rule:
    """A link into something: what can be watched is the whole of it (``link``, a template), which ``note`` says."""

    pattern: re.Pattern[str]
    link: str
    note: str | None = None
    type: str | None = None

    def reading(self, found: re.Match[str]) -> Reading:
        return Reading(found.expand(self.link), self.note, self.type)


_SEARCHED: Final = "what can be watched is a search for your keywords there"
_RULES: Final = (
    _Rule(
        re.compile(r"(?:[a-z]+\.)?reddit\.com/r/(\w+)/(?:comments|s|comment|wiki|about|w)\b.*"),
        r"https://www.reddit.com/r/\1",
        "a single post or page cannot be watched; this is its subreddit",
    ),
    _Rule(
        re.compile(r"(?:[a-z]+\.)?reddit\.com/(?:user|u)/.*|redd\.it/.*"),
        r"https://www.reddit.com",
        f"Reddit: a single post or person cannot be watched; {_SEARCHED}",
        "reddit",
    ),
    _Rule(
        re.compile(r"bsky\.app/profile/([^/]+)/.+"),
        r"https://bsky.app/profile/\1",
        "a single post cannot be watched; this is the account that it belongs to",
    ),
    _Rule(re.compile(r"bsky\.app/hashtag/([^/]+)/?"), r"https://bsky.app/search?q=%23\1"),
    _Rule(
        re.compile(r"([^/]+)/(?:web/|deck/)?@([\w.-]+(?:@[\w.-]+)?)(?:/.*)?"),
        r"https://\1/@\2",
        "this is the account as a whole",
    ),
    _Rule(
        re.compile(
            r"((?:[\w-]+\.stackexchange|stackoverflow|superuser|serverfault|askubuntu|mathoverflow)\.(?:com|net))"
            r"/(?:questions/\d+|q/\d+|a/\d+|users/).*"
        ),
        r"https://\1/questions",
        "a single question cannot be watched; this is its site, searched for your keywords",
    ),
    _Rule(
        re.compile(r"news\.ycombinator\.com(?:/.*)?"),
        r"https://news.ycombinator.com",
        f"Hacker News: a single story or person cannot be watched; {_SEARCHED}",
        "hackernews",
    ),
    _Rule(re.compile(r"((?:[a-z]{2}\.)?trustpilot\.com)/evaluate/([^/]+)/?"), r"https://www.trustpilot.com/review/\2"),
)

# --------------------------------------------------------------------------------------------- what cannot be watched


def _no_connector(name: str) -> str:
    return (
        f"{name}: there is no connector for it; save what you have as CSV or JSON and read that: "
        "sentiment-monitor import FILE --brand NAME"
    )


_HINTS: Final = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (
            r"(?:x|twitter)\.com(?:/|$)",
            "X: a profile or a post cannot be watched by its link; paste a search, such as "
            f"https://x.com/search?q={quote('acme OR @acme')}, or for an account of your own: sentiment-monitor add x",
        ),
        (
            r"(?:[\w-]+\.)?(?:facebook|fb)\.(?:com|me)(?:/|$)",
            "Facebook: only pages that you manage can be read, with a token of your own: sentiment-monitor add facebook_page",
        ),
        (
            r"(?:instagram\.com|instagr\.am)(?:/|$)",
            "Instagram: only a business account of your own and hashtags can be read, with a token of your own: "
            "sentiment-monitor add instagram; a hashtag's link is https://www.instagram.com/explore/tags/acme/",
        ),
        (
            r"(?:[\w-]+\.)?google\.[a-z.]+/maps|maps\.app\.goo\.gl/|goo\.gl/maps|g\.page/|maps\.google\.|business\.google\.com",
            "Google Maps: only the reviews of locations that you manage can be read, with Google's leave: "
            "sentiment-monitor add google_business",
        ),
        (
            r"youtube\.com/(?:c|user)/",
            "YouTube: the old form of a channel's link; open it and copy the one with the @, such as "
            "https://www.youtube.com/@acme",
        ),
        (
            r"youtube\.com/(?:playlist|feed|hashtag)",
            "YouTube: a list cannot be watched; paste the link to a channel, a video or a search",
        ),
        (r"play\.google\.com/", "Google Play: paste the link to one app; it has details?id= in it"),
        (r"(?:apps|itunes)\.apple\.com/", "App Store: paste the link to one app; it has /id and digits in it"),
        (
            r"appstoreconnect\.apple\.com",
            "App Store Connect: give the app's id and your API key: sentiment-monitor add appstoreconnect; without a key "
            "paste the app's link in the App Store",
        ),
        (
            r"(?:store\.steampowered|steamcommunity)\.com",
            "Steam: paste the link to one app, such as https://store.steampowered.com/app/440",
        ),
        (
            r"(?:[\w-]+\.)?trustpilot\.com",
            "Trustpilot: paste the link to a company, such as https://www.trustpilot.com/review/acme.com",
        ),
        (
            r"github\.com/",
            "GitHub: an account cannot be watched; paste the link to a repository, such as https://github.com/acme/app",
        ),
        (
            r"(?:[\w-]+\.)?reddit\.com(?:/|$)",
            "Reddit: paste the link to a subreddit, such as https://www.reddit.com/r/acme",
        ),
        (
            r"bsky\.app(?:/|$)",
            "Bluesky: paste the link to a profile or a search, such as https://bsky.app/search?q=acme",
        ),
        (
            r"[^/]*lemmy[^/]*/(?:post|comment|u)/",
            "Lemmy: a single post or person cannot be watched; paste the link to a community, such as "
            "https://lemmy.world/c/technology",
        ),
        (r"(?:[\w-]+\.)?tiktok\.com", _no_connector("TikTok")),
        (r"(?:[\w-]+\.)?linkedin\.com", _no_connector("LinkedIn")),
        (r"threads\.(?:net|com)", _no_connector("Threads")),
        (r"(?:[\w-]+\.)?yelp\.[a-z.]+", _no_connector("Yelp")),
        (r"(?:[\w-]+\.)?tripadvisor\.[a-z.]+", _no_connector("Tripadvisor")),
        (r"(?:[\w-]+\.)?amazon\.[a-z.]+", _no_connector("Amazon")),
        (r"(?:g2|capterra)\.com", _no_connector("G2 and Capterra")),
        (r"producthunt\.com", _no_connector("Product Hunt")),
        (r"(?:t\.me|telegram\.me)/", _no_connector("Telegram")),
        (r"discord\.(?:gg|com)", _no_connector("Discord")),
    )
)
"""By host and path, without ``www.`` and the like."""

NOT_MASTODON: Final = re.compile(
    r"(?:.+\.)?(?:medium|tiktok|youtube|threads|substack|flickr|pinterest|github|npmjs|observablehq)\.\w+"
)
"""Hosts whose accounts have an @ in their links, too."""
