"""The checks of a connector that others send to: who sent it is known, it comes once, and what is damaged is told.

class TestMine(PushSuite):
    push = PushCase(PLUGIN, {"secret": SECRET}, headers_of, body_of, secrets=(SECRET,))
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.contract import Connector, Context, Delivery, Page, Plugin, Receives
from connectors.errors import AccessDenied, TooLarge
from connectors.http import HttpClient
from connectors.testing.platform import NOW, Seed
from connectors.testing.pulls import LimitedBudget
from connectors.testing.telling import expect

Headers = Mapping[str, str]


@dataclass(frozen=True)
class PushCase:
    """One push connector's entry in the suite.

    ``headers``: those of a rightly signed request (body, time of signing, the sender's own id of it); ``body``: these seeds as
    the sender sends them, a damaged one malformed; ``oversized``: a body that is more than is taken at once.
    ``not_applicable``: checks that make no sense here, each with its reason.
    """

    plugin: Plugin[Any]
    options: Mapping[str, Any]
    headers: Callable[[bytes, datetime, str], Headers]
    body: Callable[[Sequence[Seed]], bytes]
    oversized: bytes
    secrets: Sequence[str] = ()
    not_applicable: Mapping[str, str] = field(default_factory=dict)


class PushSuite:
    """The checks. Each is a method ``test_...``; a check listed in ``push.not_applicable`` passes as such."""

    push: ClassVar[PushCase]

    def applies(self, check: str) -> bool:
        return check not in self.push.not_applicable

    def test_it_says_what_it_can_do(self) -> None:
        """A connector that can be sent to says so, and has ``accept``, ``delivery`` and ``read``."""
        expect(self.push.plugin.capabilities.push, "capabilities.push is false")
        expect(isinstance(self.opened(), Receives), "accept, delivery or read is missing")

    def test_what_is_sent_arrives(self) -> None:
        """Every item comes, whole, once, with its time; the same again has the same ids."""
        sent = seeds(5)
        first, second = self.accepted(sent), self.accepted(sent)
        expect([item.published_at for item in first.items] == [seed.at for seed in sent], "published_at is not true")
        for seed, item in zip(sent, first.items, strict=True):
            expect(seed.text in f"{item.title or ''}\n{item.text or ''}", f"seed {seed.number}: its text is not whole")
        ids = [item.external_id for item in first.items]
        expect(len(set(ids)) == 5, "ids are shared")
        expect(ids == [item.external_id for item in second.items], "ids are not stable")

    def test_a_bad_signature_is_refused(self) -> None:
        """Without a signature, with another one, or with another body: ``AccessDenied``."""
        body, other = self.push.body(seeds(2)), self.push.body(seeds(3))
        right = self.push.headers(body, NOW, "k")
        self.refused(body, {})
        self.refused(body, dict.fromkeys(right, ""))
        if self.applies("bad_signature"):
            self.refused(other, right)
            self.refused(body, self.push.headers(other, NOW, "k"))

    def test_a_replay_is_refused(self) -> None:
        """What was signed once is not taken with the time of another signing, and has the same seal under another name."""
        body = self.push.body(seeds(2))
        then, now = (self.push.headers(body, at, "k") for at in (NOW - timedelta(hours=1), NOW))
        if not self.applies("replay"):
            return
        signature = {name: value for name, value in then.items() if value != now[name]}
        stamps = [name for name, value in signature.items() if value.isdigit()]
        self.refused(body, {**now, **{name: then[name] for name in signature if name not in stamps}})
        seals = {self.delivery(body, self.push.headers(body, NOW, key)).seal for key in ("k", "another")}
        expect(
            len(seals) == 1 and None not in seals, "the seal goes by what is not signed: a copy would be taken for new"
        )

    def test_an_old_timestamp_is_refused(self) -> None:
        """A signature of yesterday, or of tomorrow, is not taken."""
        body = self.push.body(seeds(1))
        for away in (timedelta(days=-2), timedelta(days=2)):
            if self.applies("old_timestamp"):
                self.refused(body, self.push.headers(body, NOW + away, "k"))

    def test_the_same_key_names_the_same_delivery(self) -> None:
        """The sender's own id of a delivery stays the same when it is sent and signed again; another one differs."""
        body = self.push.body(seeds(1))
        one, again, other = (
            self.delivery(body, self.push.headers(body, NOW + timedelta(seconds=late), key)).key
            for late, key in ((0, "k"), (9, "k"), (9, "l"))
        )
        expect(
            one is not None and one == again, "the same key, sent again, is told as another: it would be stored twice"
        )
        expect(one != other, "different keys are told as the same: the second would be lost")

    def test_names_of_headers_may_be_in_any_case(self) -> None:
        """Programs in between write names of headers as they like."""
        body = self.push.body(seeds(1))
        for change in (str.lower, str.upper):
            headers = {change(name): value for name, value in self.push.headers(body, NOW, "k").items()}
            expect(
                len(self.opened().accept(body, headers).items) == 1, "a name of a header in another case is not found"
            )

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"17", b'"text"'])
    def test_a_damaged_body_is_skipped_and_counted(self, body: bytes) -> None:
        """What cannot be read raises nothing: it is a page without items that says what was skipped and why."""
        page = self.opened().accept(body, self.push.headers(body, NOW, "k"))
        expect(not page.items, "a damaged body gives items")
        expect(page.skipped, "a damaged body is not told; put it into Page.skipped")
        expect(all(one.what and one.why for one in page.skipped), "a skipped body needs what and why")

    def test_one_bad_item_is_skipped_and_counted(self) -> None:
        """A damaged item costs itself alone, and is told without its text."""
        sent = seeds(5, damaged=3)
        page = self.accepted(sent)
        expect(len(page.items) == 4, f"of 5 items, one damaged, {len(page.items)} came")
        expect(len(page.skipped) == 1, "the damaged one is not told; put it into Page.skipped")
        told = [f"{one.what} {one.why}" for one in page.skipped]
        expect(
            not any(seed.text in one for one in told for seed in sent), "the text of an item shows in what was skipped"
        )

    def test_an_oversized_body_is_refused(self) -> None:
        """More than is taken at once is ``TooLarge``."""
        body = self.push.oversized
        with pytest.raises(TooLarge):
            self.opened().accept(body, self.push.headers(body, NOW, "k"))

    def test_a_preview_shows_the_same_without_a_signature(self) -> None:
        """``read`` gives the page that ``accept`` would."""
        body = self.push.body(seeds(3, damaged=2))
        expect(self.opened().read(body) == self.accepted(seeds(3, damaged=2)), "read gives another page than accept")

    def test_nothing_is_asked_of_anybody(self) -> None:
        """Taking, checking and (for a connector that only receives) pulling spend nothing; a pull brings nothing and no gap."""
        connector = self.opened()
        connector.check()
        expect(self.accepted(seeds(1)).cursor is None, "a page that was sent has no cursor: the pulls own it")
        if not self.push.plugin.capabilities.pull:
            pages = list(connector.fetch(None, NOW - timedelta(days=30)))
            expect(
                not any(page.items or page.gap for page in pages),
                "a pull of a source that only receives brings something",
            )

    def test_an_unknown_option_is_refused(self) -> None:
        """A misspelt option is a fault, not silence."""
        with pytest.raises(ValidationError, match="no_such_option"):
            self.push.plugin.options.model_validate({**self.push.options, "no_such_option": 1})

    def test_secrets_and_texts_show_nowhere(self, caplog: pytest.LogCaptureFixture) -> None:
        """Not in reprs, errors, logs, deliveries; and no text of an item in a log."""
        caplog.set_level(logging.DEBUG)
        connector, sent = self.opened(), seeds(2)
        body = self.push.body(sent)
        headers = self.push.headers(body, NOW, "k")
        shown = [repr(connector), repr(self.push.plugin.options.model_validate(dict(self.push.options)))]
        self.accepted(sent)
        shown += [str(self.refused(body, {})), repr(self.delivery(body, headers))]
        shown += [record.getMessage() for record in caplog.records]
        expect(not any(secret in text for secret in self.push.secrets for text in shown), "a secret shows")
        expect(
            not any(seed.text in record.getMessage() for seed in sent for record in caplog.records), "a text is logged"
        )

    # ------------------------------------------------------------------------------------------------- by hand

    def opened(self, at: datetime = NOW) -> Any:
        """The connector, which may ask nobody; its clock stands at ``at``."""
        options = self.push.plugin.options.model_validate(dict(self.push.options))
        budget, stop = LimitedBudget(0), Event()
        http = HttpClient(budget=budget, stop=stop, now=lambda: at)
        log = logging.getLogger("connectors.test")
        connector: Connector = self.push.plugin.open(
            options, Context(("acme",), lambda: at, stop, http, log, budget, "mine")
        )
        return connector

    def accepted(self, sent: Sequence[Seed]) -> Page:
        body = self.push.body(sent)
        page: Page = self.opened().accept(body, self.push.headers(body, NOW, "k"))
        return page

    def delivery(self, body: bytes, headers: Headers) -> Delivery:
        found: Delivery = self.opened().delivery(body, headers)
        return found

    def refused(self, body: bytes, headers: Headers) -> AccessDenied:
        """The error with which a request is refused; the check fails if it is taken."""
        with pytest.raises(AccessDenied) as caught:
            self.opened().accept(body, headers)
        return caught.value


def seeds(count: int, damaged: int | None = None) -> list[Seed]:
    """So many items, seven minutes apart; the one of the number ``damaged`` is malformed."""
    return [
        Seed(n, NOW - timedelta(minutes=7 * n), f"acme makes me think, number {n}", damaged=n == damaged)
        for n in range(1, count + 1)
    ]


PUSH_CHECKS: Sequence[str] = tuple(name.removeprefix("test_") for name in vars(PushSuite) if name.startswith("test_"))


def as_json(values: Sequence[Mapping[str, Any]]) -> bytes:
    """Items as a body."""
    return json.dumps(list(values)).encode()
