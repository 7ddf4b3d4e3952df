"""Digests by mail, through a real mail server that takes them or refuses."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from monitor import delivery
from monitor.channels import Passing, send_mail
from monitor.config import ConfigError, parse
from monitor.config.models import EmailChannel
from storage.tables import DELIVERY
from tests.fakes.mailserver import CERTIFICATE, CUT, MailServer
from tests.fakes.newsroom import PASSWORD, Open, by_mail, deliver, letter, openly


def parts(message: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}


# --- mail that arrives


def test_mail_goes_encrypted_and_logged_in_with_html_and_text(queued: Open, mail: MailServer) -> None:
    room = queued(by_mail(mail), brand="Müller & Söhne <b>")
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
def test_mail_goes_over_servers_that_encrypt_at_once_or_not_at_all(queued: Open, tls: str) -> None:
    server = MailServer(tls=tls)
    try:
        channel = openly(server) if tls == "none" else openly(server) | {"security": "tls", "ca_file": str(CERTIFICATE)}
        assert deliver(queued(channel)) == (1, "sent", "")
        assert len(server.mails) == 1
    finally:
        server.close()


def test_no_name_can_break_out_of_a_header(queued: Open, mail: MailServer) -> None:
    room = queued(by_mail(mail), brand="Acme\r\nBcc: evil@example.org\r\n\r\n<script>")
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
    queued: Open, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    room = queued(by_mail(mail, password="wr0ng-pass-word"))
    sent, state, error = deliver(room)
    assert (sent, state) == (0, "failed")
    assert error == (
        "localhost: user name or password refused (535 5.7.8); look at channels.mail.username and password"
    )
    assert "wr0ng" not in caplog.text + repr(room.app.settings) + str(room.delivery)
    assert deliver(room)[1] == "failed"
    assert mail.mails == []


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(queued: Open, mail: MailServer) -> None:
    channel = by_mail(mail)
    del channel["ca_file"]
    sent, state, error = deliver(queued(channel))
    assert (sent, state) == (0, "failed")
    assert re.fullmatch(
        r"localhost: its certificate is not trusted \(self.signed certificate\); look at channels.mail.host, "
        r"or name its authority in channels.mail.ca_file",
        error,
    )


def test_a_certificate_of_another_host_is_not_trusted(queued: Open, mail: MailServer) -> None:
    sent, state, error = deliver(queued(by_mail(mail, host="127.0.0.1")))
    assert (sent, state) == (0, "failed")
    assert "certificate is not trusted" in error


def test_an_authority_that_cannot_be_read_is_named(queued: Open, mail: MailServer, tmp_path: Path) -> None:
    room = queued(by_mail(mail, ca_file=str(tmp_path / "none.pem")))
    sent, state, error = deliver(room)
    assert (sent, state) == (0, "queued")
    assert error.endswith("none.pem: holds no certificate that can be read; look at channels.mail.ca_file")


def test_what_a_mail_server_refuses_for_now_is_tried_again_later_and_later(queued: Open, mail: MailServer) -> None:
    room = queued(by_mail(mail))
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


def test_what_a_mail_server_refuses_for_good_fails(queued: Open) -> None:
    servers = {step: MailServer(tls="none") for step in REFUSED}
    try:
        for step, server in servers.items():
            server.answers[step] = "550 5.7.1 MARKED: you said: MARKED-TEXT-ONE"
        room = queued(*(openly(server, name=step) for step, server in servers.items()))
        for _ in range(2):
            assert delivery.deliver_due(room.app) == 0
            found = {row["channel"]: (row["state"], row["error"]) for row in room.rows(DELIVERY)}
            assert found == {step: ("failed", f"localhost: {words}") for step, words in REFUSED.items()}
            room.later(days=1)
        assert [server.mails for server in servers.values()] == [[], [], []]
    finally:
        for server in servers.values():
            server.close()


def test_recipients_refused_among_others_are_named(queued: Open, mail: MailServer) -> None:
    mail.refused["bob@example.org"] = "550 5.1.1 no such user"
    room = queued(by_mail(mail))
    assert deliver(room) == (1, "sent", "sent, but refused for bob@example.org (550)")
    assert [taken.recipients for taken in mail.mails] == [("ann@example.org",)]


@pytest.mark.parametrize("goodbye", ["421 too busy for that", "550 rude", CUT])
def test_mail_that_was_taken_is_sent_whatever_the_goodbye(queued: Open, mail: MailServer, goodbye: str) -> None:
    mail.answers["QUIT"] = goodbye
    room = queued(by_mail(mail))
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
def test_what_a_mail_server_does_not_offer_fails(queued: Open, given: dict[str, Any], words: str) -> None:
    server = MailServer(tls="none")
    try:
        sent, state, error = deliver(queued(openly(server) | given))
        assert (sent, state) == (0, "failed")
        assert words in error
    finally:
        server.close()


def test_tls_spoken_to_a_server_that_does_not_is_tried_again(queued: Open) -> None:
    server = MailServer(tls="none")
    try:
        _, state, error = deliver(queued(openly(server) | {"security": "tls"}))
        assert state == "queued"
        assert f"encryption failed on port {server.port}; look at channels.mail.security" in error
    finally:
        server.close()


def test_a_mail_server_that_is_away_is_tried_again(queued: Open) -> None:
    server = MailServer()
    server.close()
    room = queued(by_mail(server))
    assert deliver(room) == (0, "queued", "localhost: nothing listens there; trying again later")


@pytest.mark.parametrize("trickle", [b"", b"220-wait\r\n"])
def test_a_mail_server_that_hangs_or_trickles_is_left(queued: Open, mail: MailServer, trickle: bytes) -> None:
    def drip(connection: socket.socket, ended: Event) -> None:
        while trickle and not ended.wait(0.05):
            connection.sendall(trickle)
        ended.wait(30)

    room = queued(by_mail(mail))
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
