"""PURE  What GDELT's article list answers -> items; and what its plain-text refusals mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Item, Kind, Skipped
from connectors.gdelt_names import country_code, language_code
from connectors.text import plain_text
from connectors.tidy import prefixed_id, storable

_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_BEFORE_MARK = re.compile(r" +([,.;:!?)%])(?=\s|$)")
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError)


class NotJson(ValueError):
    """The answer is something else: ``said`` is its beginning in lower case, as far as it is text."""

    def __init__(self, said: str) -> None:
        super().__init__("not JSON")
        self.said = said


def articles_of(body: bytes) -> Sequence[Any]:
    """The articles of an answer, whose JSON may hold escapes that are none; :class:`NotJson` if it is something else."""
    text = body.decode("utf-8", "replace").strip()
    try:
        answer = json.loads(_ESCAPE.sub(_repaired, text), strict=False)
    except (ValueError, RecursionError) as error:
        raise NotJson(text[:300].lower()) from error
    articles = answer.get("articles", []) if isinstance(answer, Mapping) else None
    if not isinstance(articles, list):
        raise NotJson("")
    return articles


def _repaired(found: re.Match[str]) -> str:
    return found[0] if len(found[0]) > 1 else r"\\"


def items_of(articles: Sequence[Any]) -> tuple[list[Item], list[Skipped]]:
    """Every article once, by its address; what is damaged is skipped."""
    items: dict[str, Item] = {}
    skipped: list[Skipped] = []
    for number, article in enumerate(articles, 1):
        try:
            item = item_of(article)
        except _DAMAGE as error:
            skipped.append(Skipped(f"article {number}", f"{type(error).__name__}: not an article"))
        else:
            items.setdefault(item.external_id, item)
    return list(items.values()), skipped


def item_of(article: Mapping[str, Any]) -> Item:
    """An article; ``published_at`` is when GDELT saw it, to the quarter of an hour."""
    address = storable(article["url"]).strip()
    if not re.match(r"https?://[^/\s]", address):
        raise ValueError("not an address")
    country = country_code(article.get("sourcecountry"))
    return Item(
        external_id=prefixed_id("", address),
        kind=Kind.MENTION,
        published_at=datetime.strptime(article["seendate"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        title=_title(article.get("title")),
        url=address,
        language=language_code(article.get("language")),
        place=_place(article.get("domain")),
        attributes={"type": "article", **({"country": country} if country else {})},
    )


def _title(said: str | None) -> str | None:
    """GDELT sets its titles apart into tokens: the blanks before commas and the like are not the publisher's."""
    text = plain_text(storable(said)) if said else None
    return _BEFORE_MARK.sub(r"\1", text) if text else None


def _place(domain: object) -> str | None:
    return (storable(domain).strip()[:200] or None) if isinstance(domain, str) else None
