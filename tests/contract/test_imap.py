"""A mailbox is read whole, unchanged, and by what people wrote."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Connector, Item, Kind, RequestBudget, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.imap import PLUGIN
from connectors.mail_quotes import own_words
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.imap import PASSWORD, FakeMailbox, Mail, internal, mail, told
from tests.fakes.mailserver import CERTIFICATE

CASE = Case(
    plugin=PLUGIN,
    fake=FakeMailbox,
    not_applicable={
        "fault_429": "a mail server has no way of asking to be left alone for so many seconds",
        "refresh": "a mail has no counts",
    },
)


class TestImap(ContractSuite):
    case = CASE


class Box:
    """A mailbox, and what is read of it as by the daemon; its clock is the test's."""

    def __init__(self, fake: FakeMailbox) -> None:
        self.fake, self.server = fake, fake.server
        self.pulls = Pulls(CASE, fake)
        self.given: dict[str, Any] = {}
        self.pulls.open = self.open  # type: ignore[method-assign]

    def open(self, budget: RequestBudget | None = None) -> Connector:
        options = PLUGIN.options.model_validate({"base_url": self.fake.base_url, **self.fake.options(), **self.given})
        return PLUGIN.open(options, self.pulls.context(budget or Unlimited()))

    def put(self, *mails: Mail) -> None:
        self.server.mails += mails

    def read(self) -> list[Item]:
        return self.pulls.pull()

    @property
    def skipped(self) -> list[str]:
        return [f"{one.what}: {one.why}" for page in self.pulls.pages for one in page.skipped]


@pytest.fixture
def box() -> Iterator[Box]:
    fake = FakeMailbox()
    yield Box(fake)
    fake.close()


def first(box: Box, body: str | bytes = "I love it", **headers: str) -> Item:
    box.put(mail(body, AT, **headers))
    (item,) = box.read()
    return item


AT = NOW - timedelta(days=1)


# ----------------------------------------------------------------------------------------------- the mailbox


def test_nothing_in_the_mailbox_is_changed(box: Box) -> None:
    box.fake.publish(45)
    box.read()
    words = {command.split()[0] for command in box.server.commands}
    assert words == {"CAPABILITY", "EXAMINE", "SEARCH", "FETCH", "LOGOUT"}
    assert all("BODY.PEEK[]" in command for command in box.server.commands if command.startswith("FETCH"))


def test_other_numbers_make_it_read_again_since_the_beginning_and_nothing_is_doubled(box: Box) -> None:
    box.fake.publish(30)
    box.read()
    before = dict(box.pulls.stored)
    box.server.uidvalidity = 8
    box.server.mails.reverse()
    box.put(mail("new", NOW, Message_ID="<new@x>"))
    assert len(box.read()) == 31
    assert set(box.pulls.stored) == {*before, "new@x"}
    assert box.pulls.cursor == {"uidvalidity": 8, "uid": 31}
    searches = [command for command in box.server.commands if command.startswith("SEARCH")]
    assert searches == ["SEARCH UID 1:* SINCE 1-Oct-2026"] * 2


def test_the_last_mail_that_every_search_brings_is_not_read_again(box: Box) -> None:
    box.fake.publish(3)
    box.read()
    asked = len(box.server.requests)
    assert box.read() == []
    assert [request.path for request in box.server.requests[asked:]] == ["LOGIN", "SEARCH"]


def test_what_arrived_before_the_first_pull_reaches_is_left_alone(box: Box) -> None:
    box.put(mail("old", NOW - timedelta(days=90)), mail("new", AT))
    assert [item.text for item in box.read()] == ["new"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"sender": ["@shop.example"]}, ["a"]),
        ({"sender": ["@shop.example", "bob@"]}, ["a", "b"]),
        ({"subject": ["review"]}, ["a", "c"]),
        ({"subject": ["review"], "sender": ["bob"]}, []),
        ({"subject": ["Größe"]}, ["b"]),
        ({"sender": ["José"]}, ["c"]),
    ],
)
def test_only_mails_of_a_sender_or_on_a_subject_come(box: Box, given: dict[str, Any], found: list[str]) -> None:
    box.given = given
    box.put(
        mail("a", AT, From="Shop <alerts@shop.example>", Subject="A new review"),
        mail("b", AT, From="bob@mail.example", Subject="=?utf-8?q?Gr=C3=B6=C3=9Fe?="),
        mail("c", AT, From="=?utf-8?q?Jos=C3=A9?= <jose@mail.example>", Subject="Another REVIEW"),
    )
    assert [item.text for item in box.read()] == found


def test_mails_that_are_gone_meanwhile_are_no_fault(box: Box) -> None:
    box.fake.publish(3)
    box.server.tell = lambda number, one, most: b"" if number == 2 else told(number, one, most)
    assert len(box.read()) == 2


@pytest.mark.parametrize(
    "tell",
    [
        lambda n, one, _: (
            b'* %d FETCH (BODY[]<0> {%d}\r\n%s UID %d INTERNALDATE "%s" RFC822.SIZE 9)\r\n'
            % (n, len(one.raw), one.raw, n, internal(one.arrived).encode())
        ),
        lambda n, one, _: (
            b'* %d FETCH (UID %d BODY[]<0> "Subject: hi")\r\n* %d FETCH (FLAGS (\\Seen))\r\n* 9 EXISTS\r\n' % (n, n, n)
            + told(n, one, 9999)
        ),
        lambda n, one, most: b"* OK [ALERT] the disk is full\r\n" + told(n, one, most),
    ],
)
def test_servers_may_answer_in_another_order_and_say_more(box: Box, tell: Callable[[int, Mail, int], bytes]) -> None:
    box.server.tell = tell
    assert first(box).text == "I love it"


def test_a_mail_without_anything_is_skipped(box: Box) -> None:
    box.put(mail("x", AT), mail("y", AT), mail("z", AT))
    empty = {1: "NIL", 2: '""'}
    box.server.tell = lambda n, one, most: (
        f"* {n} FETCH (UID {n} RFC822.SIZE 0 BODY[] {empty[n]})\r\n".encode() if n in empty else told(n, one, most)
    )
    assert [item.text for item in box.read()] == ["z"]
    assert box.skipped == ["mail 1: has no headers", "mail 2: has no headers"]


def test_of_a_huge_mail_the_beginning_is_read(box: Box) -> None:
    box.given = {"max_kilobytes": 16}
    item = first(box, "acme " * 100_000)
    assert (len(item.text or ""), item.attributes) == (pytest.approx(16_000, abs=500), {"cut": "true"})


def test_a_folder_may_have_any_name() -> None:
    for name, wire in (("Größe & Co", "Gr&APYA3w-e &- Co"), ('a "b"\\c', 'a "b"\\c'), ("日本語", "&ZeVnLIqe-")):
        box = Box(FakeMailbox(folder=wire))
        box.given = {"folder": name}
        assert first(box).place == name
        box.fake.close()


# ------------------------------------------------------------------------------------------- ways in, ways out


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_the_way_is_encrypted_with_a_certificate_that_is_trusted(tls: str) -> None:
    box = Box(FakeMailbox(tls=tls))
    box.fake.publish(2)
    box.given = {
        "base_url": None,
        "host": "localhost",
        "port": box.server.port,
        "security": tls,
        "ca_file": CERTIFICATE,
    }
    assert len(box.read()) == 2
    box.given |= {"ca_file": None}
    with pytest.raises(Unavailable, match="certificate is not trusted"):
        box.read()
    assert len(box.server.requests) == 3  # nobody signed in
    box.fake.close()


def test_without_starttls_no_password_is_sent(box: Box) -> None:
    box.given = {"base_url": None, "port": box.server.port, "security": "starttls"}
    with pytest.raises(Unavailable, match="offers no STARTTLS"):
        box.read()
    assert box.server.requests == []


def test_a_password_may_hold_any_letter(box: Box) -> None:
    box.server.account = ("ana", "pässwörd €")
    box.given = {"user": "ana", "password": "pässwörd €"}
    assert first(box).text == "I love it"


@pytest.mark.parametrize(
    "given",
    [{"password": "a\r\nb"}, {"user": "a\nDELETE"}, {"folder": "x\r\ny"}, {"sender": ["\n"]}, {"base_url": "http://x"}],
)
def test_what_would_be_another_command_is_refused(box: Box, given: dict[str, Any]) -> None:
    box.given = given
    with pytest.raises(ValidationError):
        box.open()


@pytest.mark.parametrize(
    ("command", "answer", "fate"),
    [
        ("LOGIN", b"NO [AUTHENTICATIONFAILED] no", AccessDenied),
        ("LOGIN", b"NO what?", AccessDenied),
        ("LOGIN", b"BAD what?", AccessDenied),
        ("LOGIN", b"NO [LIMIT] too many", RateLimited),
        ("LOGIN", b"NO [UNAVAILABLE] later", Unavailable),
        ("EXAMINE", b"NO what?", NotThere),
        ("EXAMINE", b"NO [INUSE] later", Unavailable),
        ("EXAMINE", b"OK but no numbers", Unavailable),
        ("SEARCH", b"NO [CANNOT] search", Malformed),
        ("SEARCH", b"BAD what?", Unavailable),
        ("FETCH", b"NO [SERVERBUG] oh", Unavailable),
        ("FETCH", b"", Unavailable),
    ],
)
def test_every_refusal_has_its_fate(box: Box, command: str, answer: bytes, fate: type[SourceError]) -> None:
    box.fake.publish(2)
    box.server.answers[command] = answer
    with pytest.raises(SourceError) as caught:
        box.read()
    assert type(caught.value) is fate
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "said",
    [
        b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\n",
        b"* 1 FETCH (UID 1 BODY[]<0> {" + b"9" * 5000 + b"}\r\n",
        b"* BYE enough\r\n",
        b"\xff\xfe\x00\r\n",
        b"* OK " + b"x" * 5_000_000,
        b"* OK more\r\n" * 1_000_000,
    ],
)
def test_a_server_that_sends_too_much_or_nonsense_is_left(box: Box, said: bytes) -> None:
    box.fake.publish(2)
    box.server.before["FETCH"] = said
    with pytest.raises(Unavailable):
        box.read()
    box.server.before.clear()
    assert len(box.read()) == 2


def test_a_server_that_drips_is_left_when_its_time_is_over(box: Box) -> None:
    box.fake.publish(2)
    box.pulls.total_seconds = 0.6
    box.server.seconds_a_byte = 0.03
    started = time.monotonic()
    with pytest.raises(Unavailable, match="no answer in time"):
        box.read()
    assert time.monotonic() - started < 3


def test_a_server_without_the_program_we_want_is_told(box: Box) -> None:
    box.server.greeting = b"220 mail.example ESMTP\r\n"
    with pytest.raises(Unavailable, match="does not speak IMAP"):
        box.read()
    box.given = {"base_url": "imap://127.0.0.1:1"}
    with pytest.raises(Unavailable, match="refused"):
        box.read()


def test_damaged_cursors_begin_anew(box: Box) -> None:
    box.fake.publish(3)
    for cursor in ({}, {"uidvalidity": 7}, {"uidvalidity": "7", "uid": 1}, {"uidvalidity": 7, "uid": -1}, {"uid": [1]}):
        box.pulls.cursor = cursor
        assert len(box.read()) == 3


# ---------------------------------------------------------------------------------------------------- the mails


def test_a_mail_says_who_wrote_what_and_when(box: Box) -> None:
    item = first(box, Message_ID=" <a.1@mail.example> ", Subject="=?utf-8?b?R3LDvMOfZQ==?=\r\n =?utf-8?q?_aus_Berlin?=")
    assert (item.external_id, item.title, item.text) == ("a.1@mail.example", "Grüße aus Berlin", "I love it")
    assert item.author == Author("ana@mail.example", "Ana")
    assert (item.published_at, item.place, item.url, item.kind) == (AT, "INBOX", None, Kind.MENTION)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sun, 31 Oct 2026 08:00:00 +0200", datetime(2026, 10, 31, 6, tzinfo=UTC)),
        ("Sat, 31 Oct 2026 08:00:00 -0000", datetime(2026, 10, 31, 8, tzinfo=UTC)),
        ("31 Oct 26 08:00 GMT", datetime(2026, 10, 31, 8, tzinfo=UTC)),
        (
            f"{AT + timedelta(minutes=30):%d %b %Y %H:%M:%S} +0000",
            AT + timedelta(minutes=30),
        ),  # a clock that is a little fast
        ("Fri, 01 Jan 2038 00:00:00 +0000", AT),
        ("Thu, 01 Jan 1970 00:00:00 +0000", AT),
        ("Wed, 15 Dec 2010    59:10 -0500", AT),
        ("yesterday", AT),
        ("", AT),
    ],
)
def test_a_wrong_date_gives_way_to_the_time_of_arrival(box: Box, date: str, expected: datetime) -> None:
    assert first(box, Date=date).published_at == expected


def test_a_mail_without_any_time_is_skipped(box: Box) -> None:
    box.put(mail("x", AT, Date=""))
    box.server.tell = lambda n, one, most: told(n, one, most).replace(b" INTERNALDATE", b" XDATE")
    assert box.read() == []
    assert "has no time" in box.skipped[0]


def test_a_mail_without_an_id_keeps_the_one_it_is_given(box: Box) -> None:
    one = first(box, Message_ID="")
    box.server.uidvalidity += 1
    (again,) = box.read()
    assert one.external_id == again.external_id
    box.put(mail("I hate it", AT, Message_ID=""))
    assert box.read()[0].external_id != one.external_id


BOTH = "\r\n".join(
    ["--b", "Content-Type: text/plain", "", "{}", "--b", "Content-Type: text/html", "", "{}", "--b--", ""]
)
MIXED = {"Content_Type": "multipart/mixed; boundary=b", "MIME_Version": "1.0"}


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        ("Gr\xf6\xdfe".encode("latin-1"), {"Content_Type": "text/plain; charset=iso-8859-1"}, "Größe"),
        ("Größe".encode(), {"Content_Type": "text/plain; charset=nonsense"}, "Größe"),
        (b"Gr\xf6\xdfe \x96 ok", {"Content_Type": "text/plain; charset=utf-8"}, "Größe – ok"),
        (b"x" * 3, {"Content_Type": "text/plain; charset=punycode"}, "xxx"),
        ("SGk=", {"Content_Transfer_Encoding": "base64"}, "Hi"),
        ("SGk", {"Content_Transfer_Encoding": "base64"}, "Hi"),
        ("a=C3=B6", {"Content_Transfer_Encoding": "quoted-printable", "Content_Type": "text/plain; charset=utf-8"}, "aö"),
        ("<p>It is <b>good</b></p><style>x{}</style>", {"Content_Type": "text/html"}, "It is good"),
        ('<div>Great!</div><div class="gmail_quote">On 1 May 2026 Bob wrote: bad</div>', {"Content_Type": "text/html"}, "Great!"),
        ('<div class="gmail_quote">only this</div>', {"Content_Type": "text/html"}, "only this"),
        (BOTH.format("plain", "<b>markup</b>"), MIXED, "plain"),
        (BOTH.format(" ", "<b>markup</b>"), MIXED, "markup"),
        (BOTH.format("plain", "x").replace("text/plain", "text/plain; name=a.txt").replace("text/html", "text/plain"), MIXED, "x"),
        (BOTH.format("plain", "x").replace("text/plain", "message/rfc822").replace("text/html", "text/plain"), MIXED, "x"),
        (BOTH.format("plain", "x")[:40], MIXED, "plain"),
        ("zero\0byte", {}, "zerobyte"),
    ],
)  # fmt: skip
def test_the_text_is_what_people_read(box: Box, body: str | bytes, headers: dict[str, str], text: str) -> None:
    assert first(box, body, **headers).text == text


def test_attachments_are_left_alone(box: Box) -> None:
    body = BOTH.format("see there", "x").replace("text/html", "text/plain\r\nContent-Disposition: attachment")
    assert first(box, body, **MIXED).text == "see there"
    box.put(mail(body.replace("see there", ""), AT, **MIXED))
    (item,) = box.read()
    assert (item.title, item.text) == ("A review", None)


def test_notices_of_absence_and_of_what_was_not_delivered_are_no_items(box: Box) -> None:
    report = {"Content_Type": "multipart/report; boundary=b", "MIME_Version": "1.0"}
    box.put(mail("away", AT, Auto_Submitted="auto-replied"), mail(BOTH, AT, **report), mail("here", AT))
    assert [item.text for item in box.read()] == ["here"]
    assert box.skipped == []


def test_what_cannot_be_read_is_skipped_and_never_shown(box: Box) -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(2_000))
    secret = "the secret word"
    box.put(
        mail(secret, AT, **MIXED),
        mail(deep, AT, **MIXED),
        mail(deep.partition("\r\n\r\n")[2], AT, Content_Type="multipart/mixed; boundary=b0", MIME_Version="1.0"),
        Mail(secret.encode(), AT),
        mail("", AT, Subject=""),
        mail("good", AT),
    )
    assert [item.text for item in box.read()] == ["good"]
    assert len(box.skipped) == 5
    assert not any(secret in one for one in box.skipped)


QUOTED = "> I hate it\n> really\n"


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"I love it\n\nOn Mon, 2 Nov 2026 at 10:00, Bob <bob@x.example>\nwrote:\n\n{QUOTED}", "I love it"),
        (f"On 2 Nov 2026, Bob wrote:\n{QUOTED}\nI love it", "I love it"),
        (f"Ich mag es\n\nAm 02.11.26 um 10:00 schrieb Bob:\n{QUOTED}", "Ich mag es"),
        (f"J'adore\n\nLe lun. 2 nov. 2026 à 10:00, Bob <b@x.example> a écrit :\n{QUOTED}", "J'adore"),
        (f"Me gusta\n\nEl 2/11/26, Bob escribió:\n{QUOTED}", "Me gusta"),
        (f"Hello\n> On 22 Aug 2026, at 19:21, Bob <bob@x.example> wrote:\n>\n{QUOTED}", "Hello"),
        ("Fine\n\n-----Original Message-----\nFrom: Bob\nSent: today\n\nbad", "Fine"),
        (
            "Fine\n\n________________________________\nVon: Bob\nGesendet: heute\nAn: Ana\nBetreff: x\n\nschlecht",
            "Fine",
        ),
        ("Fine\n\nFrom: Bob\nDate: today\nTo: Ana\nSubject: x\n\nbad", "Fine"),
        ("Fine\n-- \nAna\nHead of Happiness", "Fine"),
        ("Fine\n\nSent from my iPhone", "Fine"),
        ("Awful.\n\nBest regards,\nAna\nExample Inc", "Awful."),
        ("Furchtbar.\n\nMit freundlichen Grüßen\nAna", "Furchtbar."),
        (
            "Thanks for the quick delivery, it works.\nWould buy again.",
            "Thanks for the quick delivery, it works.\nWould buy again.",
        ),
        ("Pros:\n- good\n- cheap\nCons:\n- none", "Pros:\n- good\n- cheap\nCons:\n- none"),
        ("Thanks\n\nIt is great.\n" + "a long line that goes on and on, and says what is good about it\n" * 3, None),
        ("On the box it is written: 5 volts\nFrom: the top\nit is good", None),
        ("---------- Forwarded message ---------\nFrom: Shop\nDate: today\nSubject: x\n\nFive stars", None),
        (QUOTED, None),
    ],
)
def test_quotations_and_signatures_are_cut_and_nothing_else(text: str, own: str | None) -> None:
    assert own_words(text) == (own if own is not None else text.strip())


@pytest.mark.parametrize(
    "text",
    ["On Mon, " * 20_000, "On Monday\n" * 20_000, "From: a\n" * 30_000, "\n" * 250_000 + "x", "x\n" + ("_" * 20 + "\n" * 40) * 6_000, "On 1 @ wrote:\n\n\n" * 15_000, "> " * 120_000, ("x" * 70 + "@") * 3_000],
    ids=["on", "lines", "from", "empty", "lined", "intros", "quoted", "addresses"],
)  # fmt: skip
def test_hostile_mails_take_no_time(text: str) -> None:
    started = time.process_time()
    own_words(text)
    assert time.process_time() - started < 3


@pytest.mark.recorded
def test_recorded_mails_come_whole_or_are_skipped(box: Box) -> None:
    if "RECORDED_DATA" not in os.environ:
        pytest.skip("recorded data not present")
    raws = [path.read_bytes() for path in sorted((Path(os.environ["RECORDED_DATA"]) / "payloads/email").glob("*.eml"))]
    box.put(*(Mail(raw, AT) for raw in raws))
    items = box.read()
    assert len(items) + len(box.skipped) == len(raws) >= 39
    assert len(items) >= 33
    assert all(item.title or item.text for item in items)
    for number, raw in enumerate(raws):  # one by one, damaged: something, or skipped, and nothing else
        box.put(*(Mail(copy, AT) for copy in damaged_copies(raw, 6, seed=number)))
    before = len(box.pulls.pages)
    assert len(box.read()) + sum(len(page.skipped) for page in box.pulls.pages[before:]) >= 6 * len(raws) - 40
