"""Every source and channel is tried, and what is wrong is said with what mends it."""

from __future__ import annotations

import socket
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from connectors.testing import Fault
from monitor.checking import Finding, check_all, check_channel, coming
from monitor.config import ChannelSettings, Settings, parse
from tests.fakes.hackernews import FakeHackerNews

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BRAND = '[[brands]]\nname = "Acme"\nkeywords = ["acme", "acme phone"]\n'


def now() -> datetime:
    return NOW


def _settings(text: str) -> Settings:
    return parse(tomllib.loads(BRAND + text))


def _channel(text: str) -> ChannelSettings:
    return _settings(f"[[channels]]\nname = 'it'\n{text}").channels[0]


def _source(name: str, base_url: str, more: str = "") -> str:
    head = f'[[sources]]\nname = "{name}"\ntype = "hackernews"\nbrand = "Acme"\n{more}\n'
    return f'{head}options = {{ base_url = "{base_url}" }}\n'


@pytest.fixture
def news() -> Iterator[FakeHackerNews]:
    fake = FakeHackerNews()
    yield fake
    fake.close()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


# ---------------------------------------------------------------------------------------------- sources


def test_a_source_that_works_tells_what_it_asks_for(news: FakeHackerNews) -> None:
    (found,) = check_all(_settings(_source("hn", news.base_url)), now)
    assert found == Finding("source", "hn", "hackernews", True, "works", ("acme", '"acme phone"'))
    assert len(news.loopback.requests) == 1


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault.FORBIDDEN, "access denied"),
        (Fault.NOT_FOUND, "not there"),
        (Fault.TOO_MANY, "asked too often"),
        (Fault.BUSY, "not reachable"),
    ],
)
def test_a_source_that_fails_says_how_and_what_to_mend(news: FakeHackerNews, fault: Fault, state: str) -> None:
    news.fail(fault)
    (found,) = check_all(_settings(_source("hn", news.base_url)), now)
    assert (found.ok, found.state) == (False, state)
    assert found.mend is not None
    assert fault.value in found.mend


def test_one_that_does_not_answer_keeps_nobody_waiting(news: FakeHackerNews) -> None:
    news.fail(Fault.HANG)
    start = time.monotonic()
    (found,) = check_all(_settings(_source("hn", news.base_url)), now, seconds=0.3)
    assert time.monotonic() - start < 5
    assert (found.ok, found.state) == (False, "no answer within 0.3 s")


def test_many_are_tried_at_once_and_told_in_the_order_of_the_configuration(news: FakeHackerNews) -> None:
    names = [f"hn-{number}" for number in range(20)]
    text = "".join(_source(name, news.base_url) for name in names)
    found = check_all(_settings(text), now)
    assert [one.name for one in found] == names
    assert all(one.ok for one in found)


def test_what_is_switched_off_is_not_tried(news: FakeHackerNews) -> None:
    assert check_all(_settings(_source("hn", news.base_url, "enabled = false")), now) == []
    assert news.loopback.requests == []


# --------------------------------------------------------------------------------------------- channels


def test_a_folder_that_is_there_or_can_be_made_is_fine_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    there, coming_ = tmp_path, tmp_path / "a" / "b"
    states = [check_channel(_channel(f"type = 'file'\nfolder = '{folder}'")).state for folder in (there, coming_)]
    assert states == ["can be written", "will be made"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = check_channel(_channel(f"type = 'file'\nfolder = '{tmp_path}/file/digests'"))
    assert (found.ok, found.state) == (False, "cannot be written")
    assert found.mend is not None
    assert str(tmp_path / "file") in found.mend


class Mailbox:
    """A mail server that remembers what it was sent, and knows one password."""

    def __init__(self, port: int) -> None:
        self.sent: list[Envelope] = []
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=port,
            auth_require_tls=False,
            authenticator=self._authenticate,
        )

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:
        self.sent.append(envelope)
        return "250 OK"

    def _authenticate(
        self, server: object, session: object, envelope: object, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture
def mailbox(closed_port: int) -> Iterator[Mailbox]:
    mailbox = Mailbox(closed_port)
    mailbox.controller.start()
    yield mailbox
    mailbox.controller.stop()


def _mail(port: int, more: str = "", security: str = "none") -> ChannelSettings:
    return _channel(
        f"type = 'email'\nhost = '127.0.0.1'\nport = {port}\nsecurity = '{security}'\n"
        f"from = 'a@example.org'\nto = ['b@example.org']\n{more}"
    )


def test_a_mail_server_is_signed_in_to_and_sent_nothing(mailbox: Mailbox) -> None:
    port = mailbox.controller.port
    assert check_channel(_mail(port)).state == "answers"
    found = check_channel(_mail(port, "username = 'a'\npassword = 'right'"))
    assert (found.ok, found.state) == (True, "takes the user name and password")
    assert mailbox.sent == []


def test_a_wrong_password_is_said_without_telling_it(mailbox: Mailbox) -> None:
    found = check_channel(_mail(mailbox.controller.port, "username = 'a'\npassword = 'wr0ng-secret'"))
    assert (found.ok, found.state) == (False, "access denied")
    assert "wr0ng-secret" not in repr(found)


def test_a_mail_server_without_encryption_is_named_as_such(mailbox: Mailbox) -> None:
    found = check_channel(_mail(mailbox.controller.port, security="starttls"))
    assert (found.ok, found.state) == (False, "not understood")
    assert found.mend is not None
    assert "channels.it.security" in found.mend


def test_a_mail_server_that_is_not_there_is_not_reachable(closed_port: int) -> None:
    assert check_channel(_mail(closed_port)).state == "not reachable"


def test_a_webhook_is_only_knocked_at_and_its_path_is_never_told(news: FakeHackerNews, closed_port: int) -> None:
    good = check_channel(_channel(f"type = 'webhook'\nurl = '{news.base_url}/s3cret'"))
    bad = check_channel(_channel(f"type = 'webhook'\nurl = 'http://127.0.0.1:{closed_port}/s3cret'"))
    assert (good.state, bad.state) == ("listens", "not reachable")
    assert news.loopback.requests == []
    assert "s3cret" not in repr((good, bad))


# ---------------------------------------------------------------------------------------------- digests


def test_the_next_three_times_of_a_digest_are_local_and_in_order() -> None:
    text = '[monitor]\ntimezone = "Europe/Berlin"\n[[digests]]\nname = "daily"\nschedule = "daily at 08:00"\n'
    (daily,) = coming(_settings(text), NOW)
    assert [f"{at:%Y-%m-%d %H:%M %Z}" for at in daily.due] == [
        "2026-11-02 08:00 CET",
        "2026-11-03 08:00 CET",
        "2026-11-04 08:00 CET",
    ]
    assert daily.channels == ()
