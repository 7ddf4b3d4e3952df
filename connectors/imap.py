"""A mailbox: reviews, alerts and letters that arrive by mail, read over IMAP. Nothing in the mailbox is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.contract import Capabilities, Context, Cursor, Item, JsonValue, Kind, Page, Plugin, Scope, Skipped
from connectors.imap_options import ImapOptions
from connectors.imap_wire import Mailbox
from connectors.mail_parse import Letter, item_of
from connectors.places import placed

AT_ONCE: Final = 20
"""Mails fetched with one request: 5 MB with the usual ``max_kilobytes``."""
ZONES: Final = timedelta(days=1)
"""A search by day goes by the server's own days."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder has been read. Numbers count only as long as ``uidvalidity`` stays the same."""

    uidvalidity: int
    uid: int

    @classmethod
    def of(cls, cursor: Cursor | None) -> Place | None:
        """What a cursor holds; ``None`` for none and for a damaged one, which begins anew and loses nothing."""
        validity, uid = ((cursor or {}).get(name) for name in ("uidvalidity", "uid"))
        whole = isinstance(validity, int) and isinstance(uid, int) and 0 <= uid < 2**32
        return cls(int(validity), int(uid)) if whole else None  # type: ignore[arg-type]

    def to_json(self) -> dict[str, JsonValue]:
        return {"uidvalidity": self.uidvalidity, "uid": self.uid}


class Imap:
    """Reads a folder upwards by the numbers that its server gives; identity is the Message-ID."""

    def __init__(self, options: ImapOptions, context: Context) -> None:
        self._options = options
        if options.ca_file is not None:
            self._options = options.model_copy(update={"ca_file": placed(options.ca_file, context.folder)})
        self._context = context

    def queries(self) -> Sequence[str]:
        words = [f'from "{word}"' for word in self._options.sender] + [
            f'about "{word}"' for word in self._options.subject
        ]
        return [f"{self._options.folder}: {', '.join(words) or 'all mails'}"]

    def check(self) -> None:
        self._opened().close()

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        mailbox = self._opened()
        try:
            yield from self._pages(mailbox, Place.of(cursor), since)
        finally:
            mailbox.close()

    def close(self) -> None:
        self._context.http.close()

    def _opened(self) -> Mailbox:
        http = self._context.http
        self._context.budget.take()
        return Mailbox(self._options, http.connect_seconds, http.read_seconds, http.total_seconds)

    def _pages(self, mailbox: Mailbox, known: Place | None, since: datetime) -> Iterator[Page]:
        """Everything above ``known``; where the numbers are others now, what has arrived since ``since``."""
        if known is not None and known.uidvalidity != mailbox.uidvalidity:
            known = None
        self._context.budget.take()
        uids = mailbox.search(known.uid if known else 0, None if known else (since - ZONES).date())
        for start in range(0, len(uids), AT_ONCE):
            if self._context.stop.is_set():
                return
            batch = uids[start : start + AT_ONCE]
            self._context.budget.take()
            yield self._page(mailbox.fetch(batch), Place(mailbox.uidvalidity, batch[-1]))
        last = max(mailbox.last_uid, uids[-1] if uids else 0, known.uid if known else 0)
        yield Page((), Place(mailbox.uidvalidity, last).to_json())

    def _page(self, letters: Sequence[Letter], place: Place) -> Page:
        items: list[Item] = []
        skipped: list[Skipped] = []
        for letter in letters:
            try:
                item = item_of(letter, Kind(self._options.kind), self._options.folder)
            except ValueError as error:
                skipped.append(Skipped(f"mail {letter.uid}", str(error)))
                continue
            if item is not None and self._is_wanted(item):
                items.append(item)
        return Page(items, place.to_json(), skipped)

    def _is_wanted(self, item: Item) -> bool:
        """What could not be asked of the server, which takes nothing but ASCII."""
        author = f"{item.author.name or ''} {item.author.id}" if item.author else ""
        looked_at = ((self._options.sender, author), (self._options.subject, item.title or ""))
        return all(
            any(word.casefold() in text.casefold() for word in words)
            for words, text in looked_at
            if words and not all(word.isascii() for word in words)
        )


PLUGIN = Plugin(
    name="imap",
    title="Mailbox",
    platform="email",
    options=ImapOptions,
    open=Imap,
    capabilities=Capabilities(scope=Scope.STREAM, needs_credentials=True, minimum_interval=timedelta(minutes=1)),
    notes="Reads a folder and changes nothing in it. Mails are private: tell those who write to you what becomes of them.",
)
