"""Items and authors as a report names them: stored by their ids, shown with their present words and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from monitor import figures as f
from monitor.app import App
from storage import queries
from storage.records import StoredItem

WORDS: Final = ("title", "text", "author", "place", "url")
_SIDES: Final = ("negative", "positive", "new")
_LISTS: Final = ("engaged", "followed", "rising", "falling")


def quote(item: StoredItem, more_like_it: int = 0) -> f.Quote:
    """An item as a report names it, with its words; ``more_like_it``: others of the window say nearly the same."""
    return f.Quote(
        id=item.id,
        source=item.source,
        kind=item.kind,
        published_at=item.published_at,
        label=item.label,
        score=item.compound,
        stars=item.stars,
        likes=item.likes,
        shares=item.shares,
        comments=item.comments,
        title=item.title,
        text=item.text,
        author=item.author,
        place=item.place,
        url=item.url,
        more_like_it=more_like_it,
        erased=item.erased,
    )


def without_words(report: f.Report) -> dict[str, Any]:
    """The report as it is stored: items and authors keep their ids only, so that what is erased later is gone from it, too."""
    data = report.model_dump(mode="json", by_alias=True)
    for brand in data["brands"]:
        for entry in _quotes(brand):
            entry.update(dict.fromkeys(WORDS))
        for name in _LISTS:
            for author in brand["authors"][name]:
                author["name"] = None
    return data


def with_words(app: App, stored: Any) -> f.Report:
    """A stored report with its items' present words and its authors' present names."""
    report = f.Report.model_validate(stored)
    data = report.model_dump(by_alias=True)
    quotes = [entry for brand in data["brands"] for entry in _quotes(brand)]
    found = queries.items_by_id(app.database, [entry["id"] for entry in quotes])
    for entry in quotes:
        if entry["id"] in found:
            entry.update({name: getattr(found[entry["id"]], name) for name in (*WORDS, "erased")})
    _name_authors(data, lambda ids: queries.author_names(app.database, ids))
    return f.Report.model_validate(data)


def _quotes(brand: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item named in a brand's part of a report."""
    for entries in brand["top_items"].values():
        yield from entries
    for side in _SIDES:
        for driver in brand["drivers"][side]:
            yield from driver["examples"]


def _name_authors(data: dict[str, Any], look_up: Callable[[list[int]], dict[int, str | None]]) -> None:
    authors = [author for brand in data["brands"] for name in _LISTS for author in brand["authors"][name]]
    names = look_up([int(author["id"]) for author in authors])
    for author in authors:
        author["name"] = names.get(int(author["id"]))
