"""GDELT: news articles of the whole world that name a keyword, by the DOC API. Titles only. No key needed.

GDELT takes one request in five seconds and gives 250 articles at most. A time window that is full is halved; what one pull
does not come to waits in the cursor for the next, and no pull ever sleeps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    JsonValue,
    Options,
    Page,
    Plugin,
    Scope,
    from_epoch,
)
from connectors.errors import Malformed, RateLimited, SourceError, Unavailable
from connectors.gdelt_names import country_word, language_word
from connectors.gdelt_parse import NotJson, articles_of, items_of
from connectors.turns import Book, Refusal, take_turns

API = "https://api.gdeltproject.org"
ARTICLES_AT_MOST = 250
OVERLAP = timedelta(hours=2).total_seconds()
"""Re-read below the watermark: GDELT learns of articles late."""
NARROWEST = timedelta(minutes=30).total_seconds()
"""Windows are not halved below this: GDELT's clock ticks every quarter of an hour."""
WINDOWS_AT_MOST = 500
QUERY_LETTERS = 200
"""Keywords are joined by OR into searches of about this length; GDELT refuses long ones."""

_TOO_OFTEN = re.compile(r"limit requests|too many requests|rate limit")
_REFUSED = re.compile(
    r"too short|too long|too common|invalid|illegal|not valid|parenthes|unsupported|must contain|keyword|phrase"
)


def _language(given: str) -> str:
    if language_word(given) is None:
        raise ValueError(f'{given[:40]!r} is no language that GDELT reads; write its code, such as "de"')
    return given


def _country(given: str) -> str:
    if country_word(given) is None:
        raise ValueError(f'{given[:40]!r} is no country that GDELT knows; write its code, such as "DE"')
    return given


class GdeltOptions(Options):
    query: str | None = Field(
        default=None,
        min_length=3,
        description="What to search for, in GDELT's own words; without it the brands' keywords, joined by OR.",
    )
    languages: tuple[Annotated[str, AfterValidator(_language)], ...] = Field(
        default=(), description='Only articles in these languages, such as "en" or "German".'
    )
    countries: tuple[Annotated[str, AfterValidator(_country)], ...] = Field(
        default=(), description='Only publishers of these countries, such as "US" or "Germany".'
    )
    pause_seconds: float = Field(
        default=5, ge=0, le=3600, description="Seconds between two requests; GDELT asks for at least 5."
    )


@dataclass(frozen=True, slots=True)
class Windows:
    """What of a search is still to be read: ``open`` time windows, the newest last; all up to ``high`` is read or open.

    ``fresh``: the last pull opened a new one, so that the next one goes on with what is open.
    """

    high: float
    open: tuple[tuple[float, float], ...] = ()
    fresh: bool = False

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Windows:
        """What a cursor holds, or all since ``since``; a damaged state begins anew, which loses nothing."""
        held = state if isinstance(state, Mapping) else {}
        high, listed = held.get("high"), held.get("open")
        windows = [_window(one) for one in listed] if isinstance(listed, list | tuple) else [None]
        if not _sound(high) or None in windows:
            return cls(since + OVERLAP)
        return cls(float(high), tuple(filter(None, windows)), held.get("fresh") is True)  # type: ignore[arg-type]

    def to_json(self) -> Mapping[str, JsonValue]:
        return {"high": self.high, "open": [list(one) for one in self.open], "fresh": self.fresh}

    def begun(self, now: float) -> Windows:
        """For a new pull: the time since the last one is opened; every other pull, as long as something older waits."""
        if self.open and (self.fresh or len(self.open) >= WINDOWS_AT_MOST):
            return replace(self, fresh=False)
        return Windows(max(now, self.high), (*self.open, (self.high - OVERLAP, max(now, self.high))), fresh=True)

    def after(self, *, full: bool) -> Windows:
        """The newest window is read; one that was full and is not narrow yet is halved."""
        low, high = self.open[-1]
        middle = (low + high) // 2
        halves = ((low, middle), (middle, high)) if full and high - low > NARROWEST else ()
        return replace(self, open=(*self.open[:-1], *halves))


class Gdelt:
    """Reads one window after another, the searches in turn. The cursor holds the open windows of each."""

    def __init__(self, options: GdeltOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or API).rstrip("/")
        self._asked: float | None = None

    def queries(self) -> Sequence[str]:
        filters = _any_of("sourcelang", filter(None, map(language_word, self._options.languages)))
        filters += _any_of("sourcecountry", filter(None, map(country_word, self._options.countries)))
        if self._options.query is not None:
            return ["".join((self._options.query.strip(), *filters))]
        terms = dict.fromkeys(quoted for quoted in map(_quoted, self._context.terms) if quoted)
        return ["".join((_joined(some), *filters)) for some in _grouped(list(terms))]

    def check(self) -> None:
        now = self._context.now().timestamp()
        self._articles(next(iter(self.queries()), "news"), (now - timedelta(hours=1).total_seconds(), now))

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        asked = (cursor or {}).get("asked")
        self._asked = float(asked) if _sound(asked) else None  # type: ignore[arg-type]
        queries = self.queries()
        book = Book(cursor, queries)
        before = self._asked
        if queries:
            for page in take_turns(book, lambda query: self._pages(query, book, since.timestamp()), _gap):
                yield replace(page, cursor={**book.cursor(), "asked": self._asked})
        if queries and self._asked is before and self._wait() > 0:
            raise RateLimited("GDELT: asked a moment ago, and it takes one request in five seconds", _in(self._wait()))

    def close(self) -> None:
        self._context.http.close()

    def _pages(self, query: str, book: Book, since: float) -> Iterator[Page]:
        if self._wait() > 0:
            return
        windows = Windows.from_json(book.state(query), since=since).begun(self._now())
        while windows.open and self._wait() <= 0:
            window = windows.open[-1]
            articles = self._articles(query, window)
            full = len(articles) >= ARTICLES_AT_MOST
            windows = windows.after(full=full)
            items, skipped = items_of(articles)
            book.note(query, windows.to_json(), done=True)
            yield Page(items, None, skipped, _too_many(window) if full and _is_narrow(window) else None)

    def _articles(self, query: str, window: tuple[float, float]) -> Sequence[object]:
        params: dict[str, str | int] = {
            "query": query,
            "mode": "artlist",
            "format": "json",
            "maxrecords": ARTICLES_AT_MOST,
            "sort": "datedesc",
            "startdatetime": _stamp(window[0]),
            "enddatetime": _stamp(window[1]),
        }
        answer = self._context.http.get(f"{self._base}/api/v2/doc/doc", params)
        self._asked = self._now()
        try:
            return articles_of(answer.body)
        except NotJson as error:
            raise _fate(error.said) from error

    def _wait(self) -> float:
        """Seconds until GDELT may be asked again."""
        return 0 if self._asked is None else self._asked + self._options.pause_seconds - self._now()

    def _now(self) -> float:
        return self._context.now().timestamp()


def _fate(said: str) -> SourceError:
    """GDELT answers 200 to everything and says in plain words what is wrong."""
    if _TOO_OFTEN.search(said):
        return RateLimited("GDELT: asked too often")
    if _REFUSED.search(said) and "<" not in said:
        return Malformed("GDELT: does not take the search; words need three letters or more, and not be too common")
    return Unavailable("GDELT: the answer is no list of articles; trying again later")


def _quoted(term: str) -> str:
    """One word stands alone (GDELT refuses it in quotes), several are a phrase; what would mean something is left out."""
    words = re.sub(r"[^\w\s.&'+-]", " ", term).split()
    bare = " ".join(words)
    return f'"{bare}"' if len(words) > 1 or "-" in bare else bare


def _joined(terms: Sequence[str]) -> str:
    return f"({' OR '.join(terms)})" if len(terms) > 1 else terms[0]


def _grouped(terms: Sequence[str]) -> list[list[str]]:
    """As many keywords a search as fit: every search is a request of its own."""
    groups: list[list[str]] = []
    for term in terms:
        if groups and len(" OR ".join([*groups[-1], term])) <= QUERY_LETTERS:
            groups[-1].append(term)
        else:
            groups.append([term])
    return groups


def _any_of(operator: str, words: Iterator[str]) -> list[str]:
    each = [f"{operator}:{word}" for word in words]
    return [f" {_joined(each)}"] if each else []


def _too_many(window: tuple[float, float]) -> Gap:
    reason = f"GDELT shows at most {ARTICLES_AT_MOST} articles of this time; narrow the search, or split it by language"
    return Gap(reason, from_epoch(window[0]), from_epoch(window[1]))


def _gap(query: str, refusal: Refusal) -> Gap:
    return Gap(f"{query[:100]}: {refusal}")


def _is_narrow(window: tuple[float, float]) -> bool:
    return window[1] - window[0] <= NARROWEST


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y%m%d%H%M%S")


def _in(seconds: float) -> timedelta:
    return timedelta(seconds=math.ceil(seconds))


def _window(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_sound, value)):
        return None
    return (float(value[0]), float(value[1])) if value[0] <= value[1] else None


def _sound(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


PLUGIN = Plugin(
    name="gdelt",
    title="GDELT news",
    platform="gdelt",
    options=GdeltOptions,
    open=Gdelt,
    capabilities=Capabilities(scope=Scope.SEARCH, minimum_interval=timedelta(minutes=1)),
    notes="Public API, no key, one request in five seconds; when busy it refuses even that. Titles and links only; the articles are their publishers'.",
)
