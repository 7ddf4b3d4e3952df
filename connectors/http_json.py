"""Any JSON API, described in the configuration: where its entries stand, what their fields are called, how it pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    Item,
    Kind,
    Page,
    Plugin,
    Scope,
    Skipped,
)
from connectors.errors import Unavailable
from connectors.http import Answer, host_of
from connectors.http_json_ask import (
    Asked,
    Astray,
    Turn,
    asked,
    headers_of,
    kept_link,
    next_in_header,
    origin_of,
    prefix_of,
    shown_query,
)
from connectors.http_json_options import HttpJsonOptions
from connectors.http_json_paths import Path, path_of
from connectors.http_json_walk import TOKEN, Leaf, Place, Rules, Sweep, go_through
from connectors.mapped import Shape, Unfit, clock_of, item_of, word_of
from connectors.tidy import digest
from connectors.turns import Book, Refusal, take_turns

ENTRIES = 10_000
"""Entries of one page that are read; the expressions look at each."""


class HttpJson:
    """One search for each term, in turn; one search without any where the address has no place for it."""

    def __init__(self, options: HttpJsonOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._answers = _Answers.of(options)
        self._overlap = options.overlap_minutes * 60.0
        now = context.now
        self._rules = Rules(options.order, self._overlap, lambda: now().timestamp())

    def queries(self) -> Sequence[str]:
        if "term" not in self._options.places:
            return shown_query(self._options)
        return [term for term in self._terms() if term is not None]

    def check(self) -> None:
        term = next(iter(self._terms()), "")
        since = self._context.now().timestamp() - self._overlap
        answer = self._ask(Turn(term, since, None))
        self._answers.entries(answer, _json(answer))

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        keys = {f"{self._fingerprint()} {term or ''}": term for term in self._terms()}
        book = Book(cursor, list(keys))

        def search(key: str) -> Iterator[Page]:
            sweep = Sweep.from_json(book.state(key), since=since.timestamp())
            yield from self._search(book, key, keys[key], sweep)

        yield from take_turns(book, search, _gap_of_refusal(keys))

    def close(self) -> None:
        self._context.http.close()

    def _terms(self) -> Sequence[str | None]:
        if "term" not in self._options.places:
            return [None]
        if self._options.query is not None:
            return [self._options.query.strip()]
        return list(dict.fromkeys(term for given in self._context.terms if (term := given.strip())))

    def _fingerprint(self) -> str:
        """What the cursor belongs to: an address or order that was changed begins anew."""
        told = self._options
        return digest("\n".join((told.method, told.url, told.items, told.order, told.paging)))[:12]

    def _search(self, book: Book, key: str, term: str | None, sweep: Sweep) -> Iterator[Page]:
        pages = go_through(sweep, self._rules, lambda at, now: self._leaf(term, at, now))
        for number, (leaf, after) in enumerate(pages, 1):
            self._note(book, key, after)
            capped = number >= self._options.max_pages and after.at is not None
            if capped:
                book.had_turn(key)
            yield Page(leaf.items, book.cursor(), leaf.skipped, self._gap(leaf, sweep, capped=capped))
            if capped:
                return

    def _note(self, book: Book, key: str, after: Sweep) -> None:
        """An unordered listing that is not at its end yet counts for nothing."""
        kept = after.anew() if self._options.order == "unordered" else after
        book.note(key, kept.to_json(), done=after.at is None)

    def _gap(self, leaf: Leaf, before: Sweep, *, capped: bool) -> Gap | None:
        if leaf.cut is not None:
            return Gap(leaf.cut)
        if capped and self._options.order == "unordered":
            return Gap(f"the list has more than max_pages = {self._options.max_pages} pages; what follows is not read")
        if capped:
            return Gap(f"stopped after max_pages = {self._options.max_pages} pages; the next pull goes on from there")
        if self._options.paging == "none" and before.known and leaf.oldest is not None and leaf.oldest > before.floor:
            return Gap(
                "everything on the list is new, so that some may have gone by unseen; pull more often, or set paging"
            )
        return None

    # ------------------------------------------------------------------------------------------------ one page

    def _leaf(self, term: str | None, at: Place, sweep: Sweep) -> Leaf:
        answer = self._ask(Turn(term, sweep.floor - self._overlap, at))
        body = _json(answer)
        entries = self._answers.entries(answer, body)
        leaf = self._answers.leaf(entries[:ENTRIES])
        if len(entries) > ENTRIES:
            return Leaf(
                leaf.items, leaf.skipped, cut=f"a page has more than {ENTRIES:,} entries; ask for fewer at once"
            )
        return self._with_next(leaf, len(entries), at, answer, body)

    def _with_next(self, leaf: Leaf, count: int, at: Place, answer: Answer, body: object) -> Leaf:
        following, cut = None, None
        if not self._is_last(count, body):
            try:
                following = self._next(at, answer, body)
            except Astray as error:
                cut = str(error)
        return Leaf(leaf.items, leaf.skipped, leaf.newest, leaf.oldest, leaf.last, following, cut)

    def _is_last(self, count: int, body: object) -> bool:
        if self._options.paging == "none":
            return True
        if self._answers.more is not None:
            return not self._answers.more.find(body)
        if self._options.paging in ("cursor", "link"):
            return False
        return count == 0 or (self._options.page_size is not None and count < self._options.page_size)

    def _next(self, at: Place, answer: Answer, body: object) -> str | int | None:
        """The page after this one; :class:`Astray` where it is not to be followed."""
        if self._options.paging in ("page", "offset"):
            return (at if isinstance(at, int) else 1) + 1
        told = self._answers.next.find(body) if self._answers.next else next_in_header(answer.headers)
        token = word_of(told)
        if token is None or self._options.paging == "link":
            return None if token is None else kept_link(self._options, token, answer.url)
        return token if len(token) <= TOKEN and token.isprintable() else None

    def _ask(self, turn: Turn) -> Answer:
        request: Asked = asked(self._options, turn)
        headers = headers_of(self._options)
        if self._options.method == "GET":
            return self._context.http.get(request.url, headers=headers)
        body = {} if request.body is None else request.body
        return self._context.http.post(request.url, body, headers=headers)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the answers are read with: every expression, ready."""

    list: Path
    fields: Mapping[str, Path]
    next: Path | None
    more: Path | None
    order_by: Path | None
    shape: Shape

    @classmethod
    def of(cls, options: HttpJsonOptions) -> _Answers:
        fields = {name: path_of(text) for name, text in options.fields.items()}
        shape = Shape(
            prefix_of(options),
            Kind(options.kind),
            options.rating_worst,
            options.rating_best,
            clock_of(options.time_format, options.timezone),
            options.html,
            origin_of(options),
        )
        following, more, order_by = (
            path_of(text) if text else None for text in (options.next, options.more, options.order_by)
        )
        return cls(path_of(options.items), fields, following, more, order_by, shape)

    def entries(self, answer: Answer, body: object) -> Sequence[Any]:
        """The list in an answer's body; ``Unavailable`` if there is none."""
        found = self.list.find(body)
        if not isinstance(found, list):
            fact = f"there is no list at items = {self.list.text[:100]} in the answer"
            raise Unavailable(f"{host_of(answer.url)}: {fact}; look at the option items, or try again later")
        return found

    def leaf(self, entries: Sequence[Any]) -> Leaf:
        items: dict[str, Item] = {}
        skipped: list[Skipped] = []
        times: list[float] = []
        for number, entry in enumerate(entries, 1):
            try:
                item = item_of({name: path.find(entry) for name, path in self.fields.items()}, self.shape)
            except (Unfit, ValueError) as error:
                skipped.append(Skipped(self._name(number, entry), _reason(error)))
                continue
            times.append(self._sorted_by(entry, item))
            items.setdefault(item.external_id, item)
        last = times[-1] if times else None
        return Leaf(list(items.values()), skipped, max(times, default=None), min(times, default=None), last)

    def _sorted_by(self, entry: object, item: Item) -> float:
        at = None
        if self.order_by is not None:
            try:
                at = self.shape.clock(self.order_by.find(entry))
            except ValueError:
                at = None
        return (at or item.published_at).timestamp()

    def _name(self, number: int, entry: object) -> str:
        own_id = word_of(self.fields["external_id"].find(entry))
        return f"entry {number} ({own_id[:40]})" if own_id else f"entry {number}"


def _json(answer: Answer) -> Any:
    """The answer's JSON. What is none is a matter of the settings, as a rule: a page for people, or one to sign in."""
    try:
        return answer.json()
    except Unavailable as error:
        kind = answer.headers.get("content-type", "no content type")[:60]
        fact = f"{host_of(answer.url)}: the answer is not JSON ({kind})"
        raise Unavailable(f"{fact}; look at url, and whether it wants a token, api_key or username") from error


def _reason(error: ValueError) -> str:
    return str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: not a sound entry"


def _gap_of_refusal(keys: Mapping[str, str | None]) -> Any:
    def gap(key: str, refusal: Refusal) -> Gap:
        return Gap(f"{keys[key] or 'the search'}: {refusal}")

    return gap


PLUGIN = Plugin(
    name="http_json",
    title="A JSON API",
    platform="http_json",
    options=HttpJsonOptions,
    open=HttpJson,
    capabilities=Capabilities(scope=Scope.STREAM, ratings=True, minimum_interval=timedelta(minutes=1)),
    tried="recorded",
    notes="What the API's owner allows is for you to find out: its terms, its limits, and the right to keep its texts.",
)
