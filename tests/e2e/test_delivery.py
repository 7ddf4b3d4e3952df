"""Digests leave: by mail through a real server, to a web server, into files; refused, retried, given up, killed in between."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from connectors.testing import Fault, Reply
from connectors.testing.loopback import RETRY_AFTER_SECONDS
from monitor import delivery
from monitor.channels import Letter, Passing, send_mail, write_files
from monitor.config import ConfigError, parse
from monitor.config.models import EmailChannel, FileChannel
from monitor.delivery import ATTEMPTS, RETRY_BASE, letter_of
from monitor.figures import Report
from storage import outbox
from storage.tables import DELIVERY
from tests.e2e.conftest import ROOT, Home
from tests.fakes.mailserver import CERTIFICATE, CUT, MailServer
from tests.fakes.newsroom import Newsroom
from tests.unit.http_world import World

Open = Callable[..., Newsroom]
PASSWORD, SECRET = "s3cret-pass-word", "webhook-secret-value"


@pytest.fixture
def newsroom(tmp_path: Path, migrated_file: Path) -> Iterator[Open]:
    """Opens a newsroom with these channels, its digest of yesterday built and queued."""
    file = shutil.copyfile(migrated_file, tmp_path / "store.db")
    with rooms(tmp_path, f"sqlite:///{file}") as open_:
        yield open_


@pytest.fixture
def newsroom_anywhere(tmp_path: Path, database_url: str) -> Iterator[Open]:
    """The same on every kind of store, for what only the store can promise."""
    with rooms(tmp_path, database_url) as open_:
        yield open_


@contextmanager
def rooms(folder: Path, database_url: str) -> Iterator[Open]:
    opened: list[Newsroom] = []

    def open_(*channels: Any, **given: Any) -> Newsroom:
        opened.append(Newsroom(folder, database_url, *channels, **given))
        opened[-1].digest()
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer(accounts={"monitor": PASSWORD})
    yield server
    server.close()


@pytest.fixture
def web() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def by_mail(server: MailServer, **given: Any) -> dict[str, Any]:
    return {
        "name": "mail",
        "type": "email",
        "host": "localhost",
        "port": server.port,
        "ca_file": str(CERTIFICATE),
        "username": "monitor",
        "password": PASSWORD,
        "from": "Sentiment Monitor <monitor@example.org>",
        "to": ["ann@example.org", "Bob Ö. <bob@example.org>"],
        **given,
    }


def openly(server: MailServer, **given: Any) -> dict[str, Any]:
    """Without encryption and log-in."""
    plain = by_mail(server, security="none", **given)
    return {key: value for key, value in plain.items() if key not in ("username", "password", "ca_file")}


def by_hook(url: str, **given: Any) -> dict[str, Any]:
    return {"name": "hook", "type": "webhook", "url": url, "secret": SECRET, **given}


def by_file(folder: Path, **given: Any) -> dict[str, Any]:
    return {"name": "files", "type": "file", "folder": str(folder), **given}


def deliver(room: Newsroom) -> tuple[int, str, str]:
    """One round: how many were taken, and what became of the delivery."""
    sent = delivery.deliver_due(room.app)
    return sent, room.delivery["state"], room.delivery["error"] or ""


def letter(room: Newsroom) -> Letter:
    """What the queued delivery carries."""
    names = [channel.name for channel in room.app.settings.channels]
    due = outbox.claim_delivery(room.app.database, "test", names, room.now, timedelta(minutes=5))
    assert due is not None
    return letter_of(room.app, due)


def parts(message: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}


# --- mail that arrives


def test_mail_goes_encrypted_and_logged_in_with_html_and_text(newsroom: Open, mail: MailServer) -> None:
    room = newsroom(by_mail(mail), brand="Müller & Söhne <b>")
    assert deliver(room) == (1, "sent", "")
    (taken,) = mail.mails
    assert (taken.user, taken.sender) == ("monitor", "monitor@example.org")
    assert taken.recipients == ("ann@example.org", "bob@example.org")
    message = taken.message
    assert message["Subject"].startswith("Müller & Söhne <b>: 1 positive of 2 reviews")
    assert [address.display_name for address in message["To"].addresses] == ["", "Bob Ö."]
    assert message["Date"].datetime == room.now.replace(microsecond=0)
    assert message["Auto-Submitted"] == "auto-generated"
    found = parts(message)
    assert list(found) == ["text/plain", "text/html"]
    assert all("MARKED-TEXT-ONE" in text for text in found.values())
    assert "Müller &amp; Söhne &lt;b&gt;" in found["text/html"]
    assert taken.raw.isascii()
    assert max(len(line) for line in taken.raw.splitlines()) < 998


@pytest.mark.parametrize("tls", ["tls", "none"])
def test_mail_goes_over_servers_that_encrypt_at_once_or_not_at_all(newsroom: Open, tls: str) -> None:
    server = MailServer(tls=tls)
    try:
        channel = openly(server) if tls == "none" else openly(server) | {"security": "tls", "ca_file": str(CERTIFICATE)}
        assert deliver(newsroom(channel)) == (1, "sent", "")
        assert len(server.mails) == 1
    finally:
        server.close()


def test_no_name_can_break_out_of_a_header(newsroom: Open, mail: MailServer) -> None:
    room = newsroom(by_mail(mail), brand="Acme\r\nBcc: evil@example.org\r\n\r\n<script>")
    assert deliver(room) == (1, "sent", "")
    (taken,) = mail.mails
    assert taken.recipients == ("ann@example.org", "bob@example.org")
    assert taken.message["Bcc"] is None
    assert "Acme Bcc: evil@example.org" in taken.message["Subject"]
    assert "<script" not in parts(taken.message)["text/html"]


@pytest.mark.parametrize("bad", ["x\r\nBcc: evil@example.org", "ann", "Example, Ann <ann@example.org>", "a@b.c, d@e.f"])
def test_an_address_that_is_none_is_refused_by_the_configuration(tmp_path: Path, bad: str) -> None:
    channel = {"name": "mail", "type": "email", "host": "h", "from": "a@example.org", "to": [bad]}
    with pytest.raises(ConfigError, match=r"(?s)channels\.mail\.to: .* is no mail address; write name@example\.org"):
        parse({"brands": [{"name": "Acme"}], "channels": [channel]})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("password", None, "add password"), ("username", None, "add username"), ("password", "pässword", "ASCII only")],
)
def test_a_log_in_is_whole_and_sendable_or_refused_by_the_configuration(
    mail: MailServer, name: str, value: str | None, words: str
) -> None:
    channel = {key: given for key, given in by_mail(mail, **{name: value}).items() if given is not None}
    with pytest.raises(ConfigError) as caught:
        parse({"brands": [{"name": "Acme"}], "channels": [channel]})
    assert re.match("channels.mail: .*" + words, str(caught.value))
    assert "pässword" not in str(caught.value)


# --- mail that is refused


def test_a_wrong_password_fails_and_is_told_nowhere(
    newsroom: Open, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    room = newsroom(by_mail(mail, password="wr0ng-pass-word"))
    sent, state, error = deliver(room)
    assert (sent, state) == (0, "failed")
    assert error == (
        "localhost: user name or password refused (535 5.7.8); look at channels.mail.username and password"
    )
    assert "wr0ng" not in caplog.text + repr(room.app.settings) + str(room.delivery)
    assert deliver(room)[1] == "failed"
    assert mail.mails == []


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(newsroom: Open, mail: MailServer) -> None:
    channel = by_mail(mail)
    del channel["ca_file"]
    sent, state, error = deliver(newsroom(channel))
    assert (sent, state) == (0, "failed")
    assert re.fullmatch(
        r"localhost: its certificate is not trusted \(self.signed certificate\); look at channels.mail.host, "
        r"or name its authority in channels.mail.ca_file",
        error,
    )


def test_a_certificate_of_another_host_is_not_trusted(newsroom: Open, mail: MailServer) -> None:
    sent, state, error = deliver(newsroom(by_mail(mail, host="127.0.0.1")))
    assert (sent, state) == (0, "failed")
    assert "certificate is not trusted" in error


def test_an_authority_that_cannot_be_read_is_named(newsroom: Open, mail: MailServer, tmp_path: Path) -> None:
    room = newsroom(by_mail(mail, ca_file=str(tmp_path / "none.pem")))
    sent, state, error = deliver(room)
    assert (sent, state) == (0, "queued")
    assert error.endswith("none.pem: holds no certificate that can be read; look at channels.mail.ca_file")


def test_what_a_mail_server_refuses_for_now_is_tried_again_later_and_later(newsroom: Open, mail: MailServer) -> None:
    room = newsroom(by_mail(mail))
    for attempt, (step, minutes) in enumerate({"AUTH": 1, "MAIL": 2, "RCPT": 4, "DATA": 8}.items(), 1):
        mail.answers = {step: "451 4.3.0 MARKED try again later"}
        sent, state, error = deliver(room)
        assert (sent, state, room.delivery["attempts"]) == (0, "queued", attempt)
        assert re.fullmatch(r"localhost: .*\(451.*\); trying again later", error)
        assert room.delivery["next_try_at"] == room.now + timedelta(minutes=minutes)
        assert delivery.deliver_due(room.app) == 0
        assert room.delivery["attempts"] == attempt
        room.later(minutes=minutes)
    mail.answers = {}
    assert deliver(room) == (1, "sent", "")
    assert len(mail.mails) == 1


REFUSED = {
    "MAIL": "the sender was refused (550 5.7.1); look at channels.MAIL.from",
    "RCPT": "all were refused: ann@example.org (550), bob@example.org (550); look at channels.RCPT.to",
    "DATA": "the server did not take the mail (550 5.7.1); look at channels.DATA",
}


def test_what_a_mail_server_refuses_for_good_fails(newsroom: Open) -> None:
    servers = {step: MailServer(tls="none") for step in REFUSED}
    try:
        for step, server in servers.items():
            server.answers[step] = "550 5.7.1 MARKED: you said: MARKED-TEXT-ONE"
        room = newsroom(*(openly(server, name=step) for step, server in servers.items()))
        for _ in range(2):
            assert delivery.deliver_due(room.app) == 0
            found = {row["channel"]: (row["state"], row["error"]) for row in room.rows(DELIVERY)}
            assert found == {step: ("failed", f"localhost: {words}") for step, words in REFUSED.items()}
            room.later(days=1)
        assert [server.mails for server in servers.values()] == [[], [], []]
    finally:
        for server in servers.values():
            server.close()


def test_recipients_refused_among_others_are_named(newsroom: Open, mail: MailServer) -> None:
    mail.refused["bob@example.org"] = "550 5.1.1 no such user"
    room = newsroom(by_mail(mail))
    assert deliver(room) == (1, "sent", "sent, but refused for bob@example.org (550)")
    assert [taken.recipients for taken in mail.mails] == [("ann@example.org",)]


@pytest.mark.parametrize("goodbye", ["421 too busy for that", "550 rude", CUT])
def test_mail_that_was_taken_is_sent_whatever_the_goodbye(newsroom: Open, mail: MailServer, goodbye: str) -> None:
    mail.answers["QUIT"] = goodbye
    room = newsroom(by_mail(mail))
    assert deliver(room) == (1, "sent", "")
    room.later(days=1)
    assert delivery.deliver_due(room.app) == 0
    assert len(mail.mails) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"security": "starttls"}, "offers no encryption by STARTTLS"),
        ({"username": "monitor", "password": PASSWORD}, "offers no way to log in"),
        ({"to": "bøb@example.org"}, "takes no addresses with letters beyond ASCII"),
    ],
)
def test_what_a_mail_server_does_not_offer_fails(newsroom: Open, given: dict[str, Any], words: str) -> None:
    server = MailServer(tls="none")
    try:
        sent, state, error = deliver(newsroom(openly(server) | given))
        assert (sent, state) == (0, "failed")
        assert words in error
    finally:
        server.close()


def test_tls_spoken_to_a_server_that_does_not_is_tried_again(newsroom: Open) -> None:
    server = MailServer(tls="none")
    try:
        _, state, error = deliver(newsroom(openly(server) | {"security": "tls"}))
        assert state == "queued"
        assert f"encryption failed on port {server.port}; look at channels.mail.security" in error
    finally:
        server.close()


def test_a_mail_server_that_is_away_is_tried_again(newsroom: Open) -> None:
    server = MailServer()
    server.close()
    room = newsroom(by_mail(server))
    assert deliver(room) == (0, "queued", "localhost: nothing listens there; trying again later")


@pytest.mark.parametrize("trickle", [b"", b"220-wait\r\n"])
def test_a_mail_server_that_hangs_or_trickles_is_left(newsroom: Open, mail: MailServer, trickle: bytes) -> None:
    def drip(connection: socket.socket, ended: Event) -> None:
        while trickle and not ended.wait(0.05):
            connection.sendall(trickle)
        ended.wait(30)

    room = newsroom(by_mail(mail))
    slow, begun = Slow(drip), time.monotonic()
    channel = EmailChannel.model_validate(openly(mail) | {"port": slow.port})
    try:
        with pytest.raises(Passing, match=r"localhost: (no answer in time|the connection ended); trying again later"):
            send_mail(channel, letter(room), 0.15)
        assert time.monotonic() - begun < 5
    finally:
        slow.close()


class Slow:
    """Does with each connection, at once, as it is told."""

    def __init__(self, behave: Callable[[socket.socket, Event], object]) -> None:
        self._behave, self._ended = behave, Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection:
                self._behave(connection, self._ended)
        except OSError:
            return  # the client went away


def test_after_its_last_try_a_delivery_fails(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere(by_hook("http://127.0.0.1:9/"))
    begun = room.now
    for _ in range(ATTEMPTS):
        assert room.delivery["state"] == "queued"
        delivery.deliver_due(room.app)
        room.now = max(room.now, room.delivery["next_try_at"])
    assert (room.delivery["state"], room.delivery["attempts"]) == ("failed", ATTEMPTS)
    assert room.delivery["error"] == "gave up after 20 tries; 127.0.0.1: cannot be reached"
    assert timedelta(hours=24) < room.now - begun < timedelta(hours=28)


def test_one_channel_that_fails_holds_up_no_other(newsroom_anywhere: Open, mail: MailServer, tmp_path: Path) -> None:
    mail.answers["DATA"] = "451 later"
    room = newsroom_anywhere(by_mail(mail), by_file(tmp_path / "out"))
    assert delivery.deliver_due(room.app) == 1
    assert {row["channel"]: row["state"] for row in room.rows(DELIVERY)} == {"mail": "queued", "files": "sent"}
    assert room.digests[0]["state"] == "built"


# --- mail and its identity


def test_a_mail_keeps_its_id_over_tries_and_shares_it_with_no_other(newsroom: Open, mail: MailServer) -> None:
    room = newsroom(by_mail(mail), by_mail(mail, name="again"))
    ids = set()
    for _ in range(2):
        assert delivery.deliver_due(room.app) == 2
        ids |= {taken.id for taken in mail.mails}
        room.later(days=1)
        room.digest()
    assert len(ids) == len(mail.mails) == 4
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.org>", one) for one in ids)


def test_two_installations_of_one_configuration_never_share_an_id(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, mail: MailServer
) -> None:
    for _ in range(2):
        folder = tmp_path_factory.mktemp("installation")
        file = shutil.copyfile(migrated_file, folder / "store.db")
        room = Newsroom(folder, f"sqlite:///{file}", by_mail(mail))
        try:
            room.digest()
            assert deliver(room) == (1, "sent", "")
        finally:
            room.close()
    first, second = mail.mails
    assert first.id != second.id


SENDER = """
import json, sys
from datetime import datetime
from monitor import delivery
from monitor.app import build
from monitor.config import parse
data, now = json.loads(sys.stdin.read()), datetime.fromisoformat(sys.argv[1])
delivery.deliver_due(build(parse(data), now=lambda: now))
"""


def test_killed_between_the_servers_yes_and_its_own_note_a_mail_comes_once_more_with_the_same_id(
    newsroom_anywhere: Open, mail: MailServer
) -> None:
    room = newsroom_anywhere(by_mail(mail))
    victim = subprocess.Popen(
        [sys.executable, "-c", SENDER, room.now.isoformat()],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    mail.taken = victim.kill
    victim.communicate(json.dumps(room.data), timeout=60)
    assert victim.returncode == -signal.SIGKILL
    mail.taken = lambda: None
    assert (len(mail.mails), room.delivery["state"]) == (1, "claimed")
    assert delivery.deliver_due(room.app) == 0  # the dead one's lease still stands
    room.leases_run_out()
    assert deliver(room) == (1, "sent", "")
    room.leases_run_out()
    room.later(days=1)
    assert delivery.deliver_due(room.app) == 0
    first, second = mail.mails
    assert first.id == second.id
    assert room.delivery["attempts"] == 2


def test_a_delivery_that_kills_its_sender_every_time_is_given_up(newsroom_anywhere: Open, mail: MailServer) -> None:
    room = newsroom_anywhere(by_mail(mail))
    for _ in range(ATTEMPTS):
        due = outbox.claim_delivery(room.app.database, "dies", ["mail"], room.now, timedelta(minutes=5))
        assert due is not None
        room.leases_run_out()
    assert deliver(room) == (0, "failed", "gave up after 20 tries; the program ended in the middle of each")
    assert mail.mails == []


# --- webhooks


def recipe() -> Callable[[str, dict[str, str], bytes, float], bool]:
    """The receiver's function, as the documentation has it."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/channels.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[[str, dict[str, str], bytes, float], bool] = names["is_genuine"]
    return found


def test_a_post_is_the_report_and_its_signature_verifies_as_documented(newsroom: Open, web: World) -> None:
    room = newsroom(by_hook(web.url("/hook?key=1")))
    assert deliver(room) == (1, "sent", "")
    (request,) = web.requests
    assert (request.method, request.path, dict(request.query)) == ("POST", "/hook", {"key": "1"})
    report = Report.model_validate_json(request.body)
    assert report.window.label == "2026-11-19"
    assert report.brands[0].top_items.positive[0].text == "MARKED-TEXT-ONE, I love it so much"
    headers = {name.title(): value for name, value in request.headers.items()}
    assert headers["Content-Type"] == "application/json"
    assert (headers["X-Sentiment-Monitor-Event"], headers["X-Sentiment-Monitor-Digest"]) == ("digest", "daily")
    genuine, now = recipe(), room.now.timestamp()
    assert genuine(SECRET, headers, request.body, now)
    assert not genuine("another", headers, request.body, now)
    assert not genuine(SECRET, headers, request.body + b" ", now)
    assert not genuine(SECRET, headers, request.body, now + 3600)
    assert not genuine(SECRET, headers | {"X-Sentiment-Monitor-Timestamp": str(int(now) + 1)}, request.body, now)


def test_without_a_secret_a_post_is_unsigned_and_an_empty_one_is_refused(newsroom: Open, web: World) -> None:
    channel = by_hook(web.url("/hook"))
    with pytest.raises(ConfigError, match=r"channels\.hook\.secret: is empty"):
        parse({"brands": [{"name": "Acme"}], "channels": [channel | {"secret": ""}]})
    del channel["secret"]
    assert deliver(newsroom(channel)) == (1, "sent", "")
    assert "x-sentiment-monitor-signature" not in web.requests[0].headers


def test_the_idempotency_key_is_equal_over_tries_and_differs_between_digests(
    newsroom_anywhere: Open, web: World
) -> None:
    room = newsroom_anywhere(by_hook(web.url("/hook")))
    web.replies["/hook"] = Reply(b"", 503)
    for minutes in (1, 2):
        assert deliver(room)[1] == "queued"
        room.later(minutes=minutes)
    web.replies["/hook"] = Reply(b"", 201)
    assert deliver(room) == (1, "sent", "")
    room.later(days=1)
    room.digest()
    assert delivery.deliver_due(room.app) == 1
    keys = [request.headers["idempotency-key"] for request in web.requests]
    assert keys[0] == keys[1] == keys[2] == room.rows(DELIVERY)[0]["key"]
    assert keys[3] == room.rows(DELIVERY)[1]["key"] != keys[0]
    stamps = {request.headers["x-sentiment-monitor-timestamp"] for request in web.requests}
    assert len(stamps) == 4  # each try is fresh


def test_a_web_server_in_trouble_is_tried_again(newsroom: Open, web: World) -> None:
    faults = [Fault.RESET, Fault.CUT, Fault.BROKEN, Fault.BUSY]
    web.server.faults.extend(faults)
    room = newsroom(*(by_hook(web.url("/hook"), name=fault.name) for fault in faults))
    assert delivery.deliver_due(room.app) == 0
    for row in room.rows(DELIVERY):
        assert (row["state"], row["next_try_at"]) == ("queued", room.now + RETRY_BASE)
        assert re.fullmatch(r"127\.0\.0\.1: .*; trying again later", row["error"])
    room.later(minutes=1)
    assert delivery.deliver_due(room.app) == len(faults)


def test_the_wait_that_a_web_server_asks_for_is_kept(newsroom: Open, web: World) -> None:
    room = newsroom(by_hook(web.url("/hook")))
    web.server.faults.append(Fault.TOO_MANY)
    assert deliver(room)[1] == "queued"
    assert RETRY_BASE.total_seconds() > RETRY_AFTER_SECONDS
    assert room.delivery["next_try_at"] == room.now + RETRY_BASE
    web.replies["/hook"] = Reply(b"", 429, {"Retry-After": "5000"})
    room.later(minutes=1)
    assert deliver(room) == (0, "queued", "127.0.0.1: answered 429; trying again later")
    assert room.delivery["next_try_at"] == room.now + timedelta(seconds=5000)


NO_REDIRECT = "a redirect, which is not followed; write where it leads to into"


def test_what_a_web_server_refuses_for_good_fails_and_redirects_are_not_followed(newsroom: Open, web: World) -> None:
    refused = {400: "it does not take this", 401: "access refused", 403: "access refused", 404: "it does not take this"}
    words = {f"s{status}": told for status, told in {**refused, 410: "it does not take this"}.items()}
    words |= {f"s{status}": NO_REDIRECT for status in (301, 302, 304, 307, 308)}
    for name in words:
        web.replies[f"/{name}"] = Reply(b"", int(name[1:]), {"Location": web.url("/elsewhere")})
    room = newsroom(*(by_hook(web.url(f"/{name}?token={SECRET}"), name=name) for name in words))
    for _ in range(2):
        assert delivery.deliver_due(room.app) == 0
        for row in room.rows(DELIVERY):
            assert row["state"] == "failed"
            assert row["error"].startswith(f"127.0.0.1: answered {row['channel'][1:]}, {words[row['channel']]}")
            assert f"channels.{row['channel']}.url" in row["error"]
        room.later(days=1)
    assert [request.path for request in web.requests] == [f"/{name}" for name in words]


@pytest.mark.parametrize("url", ["https://", "ftp://example.org/", "https://[::1/s3cret", "http://a:99999999/", "//x"])
def test_an_address_that_leads_nowhere_is_refused_by_the_configuration_unsaid(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"brands": [{"name": "Acme"}], "channels": [by_hook(url)]})
    assert str(caught.value) == "channels.hook.url: not a web address; it starts with https://"


# --- files


def test_files_are_replaced_whole(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom(by_file(tmp_path / "out"))
    channel = room.app.settings.channel("files")
    assert isinstance(channel, FileChannel)
    told = letter(room)
    write_files(channel, told)
    file, done, torn = tmp_path / "out" / "daily-2026-11-19.html", Event(), []

    def watch() -> None:
        while not done.is_set():
            torn.extend([text for text in [file.read_text(encoding="utf-8")] if not text.rstrip().endswith("</html>")])

    reader = Thread(target=watch)
    reader.start()
    for _ in range(10):
        write_files(channel, told)
    done.set()
    reader.join()
    assert torn == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"daily-2026-11-19.{form}" for form in ("html", "txt", "md", "json")
    }


def test_what_a_crash_left_half_written_is_taken_over(newsroom: Open, tmp_path: Path) -> None:
    out = tmp_path / "out"
    room = newsroom(by_file(out, formats=["txt"]))
    out.mkdir()
    (out / f".daily-2026-11-19.txt.{room.delivery['key'][:8]}.part").write_text("half of it", encoding="utf-8")
    assert deliver(room) == (1, "sent", "")
    assert [path.name for path in out.iterdir()] == ["daily-2026-11-19.txt"]


def test_a_folder_that_cannot_be_written_is_tried_again_and_says_what_to_do(newsroom: Open, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("a file stands where the folder should be", encoding="utf-8")
    room = newsroom(by_file(out))
    sent, state, error = deliver(room)
    assert (sent, state) == (0, "queued")
    assert error == (
        f"{out}: cannot be written (File exists); give the right to write it, free some space, or change "
        "channels.files.folder"
    )
    out.unlink()
    room.later(minutes=1)
    assert deliver(room) == (1, "sent", "")


def test_a_file_of_an_hour_has_a_name_that_every_system_takes(newsroom: Open, tmp_path: Path) -> None:
    hourly = {"name": "hourly", "schedule": "hourly", "period": "hour"}
    room = newsroom(by_file(tmp_path / "out", formats=["txt"]), digests=[hourly])
    assert deliver(room)[0] == 1
    room.later(hours=5)
    room.digest()
    assert delivery.deliver_due(room.app) == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "hourly-2026-11-20T07.txt", "hourly-2026-11-20T0800_2026-11-20T1300.txt",
    }  # fmt: skip


# --- secrets


def test_secrets_are_told_nowhere(
    newsroom: Open, mail: MailServer, web: World, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mail.answers["DATA"] = "451 later"
    web.replies["/hook"] = Reply(b"", 500)
    hidden = (PASSWORD, SECRET, "url-token")
    room = newsroom(by_mail(mail), by_hook(web.url("/hook?key=url-token")))
    assert delivery.deliver_due(room.app) == 0
    told = caplog.text + repr(room.app) + str(room.app.settings) + str(room.rows(DELIVERY))
    home.write(
        '[[brands]]\nname = "Acme"\n[[channels]]\nname = "mail"\ntype = "email"\nhost = "localhost"\nusername = "monitor"\n'
        f'password = "{PASSWORD}"\nfrom = "a@example.org"\nto = "b@example.org"\n[[channels]]\nname = "hook"\n'
        f'type = "webhook"\nurl = "{web.url("/hook?key=url-token")}"\nsecret = "{SECRET}"\n'
    )
    shown = home.run("config", "show")
    told += shown.stdout + shown.stderr + json.dumps(home.json("config", "show"))
    assert "monitor" in told
    assert [secret for secret in hidden if secret in told] == []
