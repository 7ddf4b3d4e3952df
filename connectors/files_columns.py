"""PURE  Which column of a table holds what: as configured, else guessed from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_NAMES: Mapping[str, str] = {
    "id": "id externalid reviewid tweetid commentid postid messageid uuid guid",
    "text": "text body content review reviewtext comment message fulltext tweet feedback description summarytext "
    "answer",
    "title": "title headline subject summary",
    "published_at": "publishedat published createdat created createtime creationdate date datetime timestamp time at "
    "postedat posted submittedat submitted unixreviewtime tweetcreated",
    "updated_at": "updatedat updated updatetime modifiedat modified lastmodified editedat edited",
    "rating": "rating stars starrating score overall grade",
    "author": "author authorname user username reviewer reviewername reviewerdisplayname displayname screenname "
    "nickname name",
    "author_id": "authorid userid reviewerid",
    "followers": "followers followerscount followercount authorfollowers",
    "url": "url link permalink href",
    "likes": "likes likecount likescount upvotes thumbsup thumbsupcount favorites favoritecount favourites "
    "helpfulcount",
    "shares": "shares sharecount sharescount retweets retweetcount reposts repostcount",
    "comments": "comments commentcount commentscount numcomments replies replycount",
    "views": "views viewcount viewscount impressions",
    "language": "language lang locale languagecode",
    "reply": "reply replytext replycontent replycomment response ownerreply developerresponse",
    "reply_at": "replyat replydate repliedat replyupdatetime responsedate replytime",
    "kind": "kind",
    "place": "place app appname product productname publisher subreddit store location source",
    "parent_title": "parenttitle threadtitle thread",
    "observed_at": "observedat",
    "country": "country countrycode territory",
    "app_version": "appversion version createdversion",
    "device": "device devicemodel",
    "os": "os osversion",
    "verified": "verified verifiedpurchase isverified",
}
GUESSES: Mapping[str, Sequence[str]] = {field: names.split() for field, names in _NAMES.items()}
"""Names in their compact form (lower case, letters and digits only), the likeliest first."""

FIELDS = frozenset(GUESSES)
ATTRIBUTES = ("country", "app_version", "device", "os", "verified")
"""Fields that an item keeps among its attributes."""


class ColumnFault(ValueError):
    """The table has not the columns that are needed; the message names what is missing and what is there."""


def columns_of(header: Iterable[str], configured: Mapping[str, str], *, partial: bool = False) -> dict[str, str]:
    """Field -> column. :class:`ColumnFault` if a configured column is missing, unless the header is ``partial``."""
    names = list(header)
    by_compact = {compact(name): name for name in reversed(names)}
    chosen = {field: found for field, wanted in configured.items() if (found := _find(wanted, names, by_compact))}
    missing = [field for field in configured if field not in chosen]
    if missing and not partial:
        raise ColumnFault(f'no column "{configured[missing[0]]}" ({listed(names)}); look at columns.{missing[0]}')
    _guess(chosen, set(configured), by_compact)
    return chosen


def require_something(columns: Mapping[str, str], header: Sequence[str]) -> None:
    """:class:`ColumnFault` where no column holds anything that could be read or rated."""
    if not columns.keys() & {"text", "title", "rating"}:
        raise ColumnFault(f'no column for text, title or rating ({listed(header)}); add columns = {{ text = "..." }}')


def compact(name: str) -> str:
    """A column's name for comparing: lower case, letters and digits only."""
    return "".join(character for character in name.casefold() if character.isalnum())


def attribute_name(column: str) -> str:
    """The name of a column as an attribute that a rule can use: ``Order No.`` -> ``order_no``."""
    return re.sub(r"\W+", "_", column.strip().casefold()).strip("_") or "column"


def listed(header: Sequence[str]) -> str:
    """The columns for a message. A first row that does not look like names may be somebody's text, and is not shown."""
    names = [name for name in header if name]
    if any(len(name) > 40 or name.count(" ") > 4 for name in names):
        return f"{len(names)} columns, whose first row does not look like names; see the option header"
    return "columns: " + ", ".join(names[:40])


def _find(wanted: str, names: Sequence[str], by_compact: Mapping[str, str]) -> str | None:
    return wanted if wanted in names else by_compact.get(compact(wanted))


def _guess(chosen: dict[str, str], settled: set[str], by_compact: Mapping[str, str]) -> None:
    """Fill in what is not configured; each column serves once."""
    free = {short: name for short, name in by_compact.items() if name not in chosen.values()}
    for field, guesses in GUESSES.items():
        found = next(
            (name for guess in guesses for name in (free.get(guess), free.get(f"review{guess}")) if name), None
        )
        if found and field not in settled and not (field == "comments" and "text" not in chosen):
            chosen[field] = found
            free = {short: name for short, name in free.items() if name != found}
    if "text" not in chosen and "text" not in settled and "comments" in free:
        chosen["text"] = free["comments"]  # without another text, "Comments" are what people wrote, not how many
