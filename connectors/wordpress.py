"""WordPress: the comments on any site that offers its REST API. No key needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from connectors.contract import Author, Capabilities, Context, Cursor, Item, Kind, Options, Page, Plugin, Scope
from connectors.entries import told, whole, word
from connectors.text import plain_text
from connectors.tidy import storable
from connectors.wordpress_wire import Site, link_or_none, name_of, number_of, site_of, utc

PATH = "wp/v2/comments"


class WordPressOptions(Options):
    site: Annotated[str, BeforeValidator(site_of)] = Field(
        description='The site\'s address, such as "https://blog.example", with its folder if it lies in one.'
    )
    own: tuple[str, ...] = Field(
        default=(), description="The names under which the brand itself comments there: those comments are no mentions."
    )


class WordPress:
    """Leafs through the comments down to what is known."""

    def __init__(self, options: WordPressOptions, context: Context) -> None:
        self._address = options.site
        self._context = context
        self._own = frozenset(name.strip().casefold() for name in options.own)
        self._site = Site((options.base_url or options.site).rstrip("/"), context)

    def check(self) -> None:
        self._site.check(PATH)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        asked = {"_embed": "up"}  # brings the title of what was commented on along
        yield from self._site.pages(
            PATH, asked, cursor, since, lambda comment: comment_of(comment, self._address, self._own)
        )

    def close(self) -> None:
        self._context.http.close()


def comment_of(comment: Mapping[str, Any], site: str, own: frozenset[str] = frozenset()) -> Item | None:
    """A comment as an item, ``None`` of one that is not approved, or that a machine left (a pingback).

    ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged.
    """
    number = number_of(comment["id"])
    at = utc(comment["date_gmt"])
    if comment.get("status", "approved") != "approved" or comment.get("type", "comment") not in ("comment", ""):
        return None
    name = word(_plain(comment.get("author_name")))
    post = whole(comment.get("post"))
    return Item(
        external_id=f"{name_of(site)}/{number}",
        kind=Kind.POST if name and name.casefold() in own else Kind.MENTION,
        published_at=at,
        text=_plain(comment["content"]["rendered"]),
        url=link_or_none(comment.get("link")) or f"{site}/?p={post or 0}#comment-{number}",
        author=_author(comment.get("author"), name, name_of(site)),
        place=name_of(site),
        parent_title=_title(comment.get("_embedded")),
        attributes=told(
            {
                "type": "reply" if whole(comment.get("parent")) else "comment",
                "post": str(post) if post else None,
            }
        ),
    )


def _author(user: object, name: str | None, site: str) -> Author | None:
    """Who has an account there is known by its number, whoever else by the name given."""
    number = whole(user)
    if number:
        return Author(f"{site}/u/{number}", name)
    return Author(f"{site}/{name}", name) if name else None


def _title(embedded: object) -> str | None:
    above = embedded.get("up") if isinstance(embedded, Mapping) else None
    post = above[0] if isinstance(above, list) and above else None
    title = post.get("title") if isinstance(post, Mapping) else None
    return _plain(title.get("rendered")) if isinstance(title, Mapping) else None


def _plain(markup: object) -> str | None:
    return plain_text(storable(markup)) if isinstance(markup, str) else None


PLUGIN = Plugin(
    name="wordpress",
    title="WordPress comments",
    platform="wordpress",
    options=WordPressOptions,
    open=WordPress,
    capabilities=Capabilities(scope=Scope.STREAM, minimum_interval=timedelta(minutes=5)),
    notes="Each site's own REST API, no key; limits are the site's. Follow the site's terms.",
)
