"""Digests leave: tried again, given up, killed in between, written into files; and secrets stay."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from connectors.testing import Reply
from monitor import delivery
from monitor.channels import write_files
from monitor.config.models import FileChannel
from monitor.delivery import ATTEMPTS
from storage import outbox
from storage.tables import DELIVERY
from tests.e2e.conftest import ROOT, Home
from tests.e2e.forking import forker
from tests.fakes.mailserver import MailServer

# --- tries
from tests.fakes.newsroom import PASSWORD, SECRET, Newsroom, Open, by_file, by_hook, by_mail, deliver, letter
from tests.unit.http_world import World


def test_after_its_last_try_a_delivery_fails(queued_anywhere: Open) -> None:
    room = queued_anywhere(by_hook("http://127.0.0.1:9/"))
    begun = room.now
    for _ in range(ATTEMPTS):
        assert room.delivery["state"] == "queued"
        delivery.deliver_due(room.app)
        room.now = max(room.now, room.delivery["next_try_at"])
    assert (room.delivery["state"], room.delivery["attempts"]) == ("failed", ATTEMPTS)
    assert room.delivery["error"] == "gave up after 20 tries; 127.0.0.1: cannot be reached"
    assert timedelta(hours=24) < room.now - begun < timedelta(hours=28)


def test_one_channel_that_fails_holds_up_no_other(queued_anywhere: Open, mail: MailServer, tmp_path: Path) -> None:
    mail.answers["DATA"] = "451 later"
    room = queued_anywhere(by_mail(mail), by_file(tmp_path / "out"))
    assert delivery.deliver_due(room.app) == 1
    assert {row["channel"]: row["state"] for row in room.rows(DELIVERY)} == {"mail": "queued", "files": "sent"}
    assert room.digests[0]["state"] == "built"


# --- mail and its identity


def test_a_mail_keeps_its_id_over_tries_and_shares_it_with_no_other(queued: Open, mail: MailServer) -> None:
    room = queued(by_mail(mail), by_mail(mail, name="again"))
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
    queued_anywhere: Open, mail: MailServer
) -> None:
    room = queued_anywhere(by_mail(mail))
    begun = Event()
    mail.taken = lambda: begun.wait(60) and victim.kill()
    victim = forker().start(SENDER, [room.now.isoformat()], ROOT, dict(os.environ), given=json.dumps(room.data))
    begun.set()
    assert victim.wait(60) == -signal.SIGKILL
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


def test_a_delivery_that_kills_its_sender_every_time_is_given_up(queued_anywhere: Open, mail: MailServer) -> None:
    room = queued_anywhere(by_mail(mail))
    for _ in range(ATTEMPTS):
        due = outbox.claim_delivery(room.app.database, "dies", ["mail"], room.now, timedelta(minutes=5))
        assert due is not None
        room.leases_run_out()
    assert deliver(room) == (0, "failed", "gave up after 20 tries; the program ended in the middle of each")
    assert mail.mails == []


# --- files


def test_files_are_replaced_whole(queued: Open, tmp_path: Path) -> None:
    room = queued(by_file(tmp_path / "out"))
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


def test_what_a_crash_left_half_written_is_taken_over(queued: Open, tmp_path: Path) -> None:
    out = tmp_path / "out"
    room = queued(by_file(out, formats=["txt"]))
    out.mkdir()
    (out / f".daily-2026-11-19.txt.{room.delivery['key'][:8]}.part").write_text("half of it", encoding="utf-8")
    assert deliver(room) == (1, "sent", "")
    assert [path.name for path in out.iterdir()] == ["daily-2026-11-19.txt"]


def test_a_folder_that_cannot_be_written_is_tried_again_and_says_what_to_do(queued: Open, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("a file stands where the folder should be", encoding="utf-8")
    room = queued(by_file(out))
    sent, state, error = deliver(room)
    assert (sent, state) == (0, "queued")
    assert error == (
        f"{out}: cannot be written (File exists); give the right to write it, free some space, or change "
        "channels.files.folder"
    )
    out.unlink()
    room.later(minutes=1)
    assert deliver(room) == (1, "sent", "")


def test_a_file_of_an_hour_has_a_name_that_every_system_takes(queued: Open, tmp_path: Path) -> None:
    hourly = {"name": "hourly", "schedule": "hourly", "period": "hour"}
    room = queued(by_file(tmp_path / "out", formats=["txt"]), digests=[hourly])
    assert deliver(room)[0] == 1
    room.later(hours=5)
    room.digest()
    assert delivery.deliver_due(room.app) == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "hourly-2026-11-20T07.txt", "hourly-2026-11-20T0800_2026-11-20T1300.txt",
    }  # fmt: skip


# --- secrets


def test_secrets_are_told_nowhere(
    queued: Open, mail: MailServer, web: World, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mail.answers["DATA"] = "451 later"
    web.replies["/hook"] = Reply(b"", 500)
    hidden = (PASSWORD, SECRET, "url-token")
    room = queued(by_mail(mail), by_hook(web.url("/hook?key=url-token")))
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
