"""What owners add to their digests arrives: subject, logo, templates, the items as CSV; and what fails is said."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from monitor import delivery, dressing
from monitor.config import ConfigError, parse
from monitor.report import build_report
from monitor.schedule import parse_period
from tests.fakes.mailserver import MailServer
from tests.fakes.newsroom import DAILY, Newsroom, Open, by_file, by_mail, deliver, letter

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def digest(**more: Any) -> list[dict[str, Any]]:
    return [{**DAILY, **more}]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_mail_carries_the_items_of_its_period_as_csv(queued: Open, mail: MailServer) -> None:
    reviews = [("r1", "=1+1", "I love it so much", "2026-11-19T10:00:00Z", 5, "Ann"),
               ("r2", "Old", "terrible", "2026-11-18T10:00:00Z", 1, "Bob")]  # fmt: skip
    room = queued(by_mail(mail), digests=digest(attach_items=True), reviews=reviews)
    assert deliver(room) == (1, "sent", "")
    (taken,) = mail.mails
    (attached,) = list(taken.message.iter_attachments())
    assert attached.get_filename() == "daily-2026-11-19-items.csv"
    assert attached.get_content_type() == "text/csv"
    (row,) = rows(attached.get_payload(decode=True).decode())  # type: ignore[union-attr]
    assert row["title"] == "'=1+1"
    assert taken.message.get_body(("html",)) is not None
    assert max(len(line) for line in taken.raw.splitlines()) < 998


def test_a_mail_shows_its_charts_as_parts_of_its_own(queued: Open, mail: MailServer) -> None:
    reviews = [(f"r{n}", "Title", "I love it", "2026-11-19T10:00:00Z", n % 5 + 1, f"Ann {n}") for n in range(40)]
    room = queued(by_mail(mail), digests=digest(detail="full"), reviews=reviews)
    assert deliver(room) == (1, "sent", "")
    (taken,) = mail.mails
    html = taken.message.get_body(("html",))
    assert html is not None
    document = html.get_content()
    parts = {part["Content-ID"]: part for part in taken.message.walk() if part.get_content_maintype() == "image"}
    shown = re.findall(r'src="cid:([^"]+)" alt="([^"]+)"', document)
    assert "data:image" not in document
    assert {f"<{cid}>" for cid, _ in shown} == set(parts)
    assert any("Stars of 40 reviews" in alt for _, alt in shown)
    assert all(part.get_content().startswith(b"\x89PNG") for part in parts.values())


def test_charts_that_are_not_wanted_are_not_drawn(queued: Open, mail: MailServer) -> None:
    room = queued(by_mail(mail), digests=digest(detail="full", charts=False))
    assert deliver(room) == (1, "sent", "")
    assert not [part for part in mail.mails[0].message.walk() if part.get_content_maintype() == "image"]


def test_a_folder_gets_the_items_beside_the_digest(queued: Open, tmp_path: Path) -> None:
    room = queued(by_file(tmp_path / "out", formats=["txt"]), digests=digest(attach_items=True))
    assert deliver(room) == (1, "sent", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "daily-2026-11-19-items.csv",
        "daily-2026-11-19.txt",
    ]
    assert len(rows((tmp_path / "out" / "daily-2026-11-19-items.csv").read_text(encoding="utf-8"))) == 2


def test_items_that_are_too_many_stay_behind_and_that_is_said_once(newsroom: Open) -> None:
    room = newsroom(digests=digest(attach_items=True))
    assert room.pull() is None
    report = build_report(room.app, ["Acme"], parse_period("2026-11-19", room.app.settings.monitor.zone))
    remarks: list[str] = []
    for _ in range(2):
        settings = room.app.settings.digests[0]
        assert dressing.attachments(room.app, settings, report, "daily", remarks, at_most=600) == []
    assert remarks == ["items: more than 600 bytes, not attached; take them with: sentiment-monitor db export"]


def test_without_the_option_nothing_is_attached(queued: Open, mail: MailServer) -> None:
    assert deliver(queued(by_mail(mail))) == (1, "sent", "")
    assert list(mail.mails[0].message.iter_attachments()) == []


def test_a_mail_has_the_owners_subject_and_logo(queued: Open, mail: MailServer, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PIXEL)
    look = {"subject": "{brand}: {news}", "logo": str(tmp_path / "logo.png"), "logo_line": "Example Ltd"}
    room = queued(by_mail(mail), digests=digest(**look, attach_items=True))
    assert deliver(room) == (1, "sent", "")
    message = mail.mails[0].message
    assert message["Subject"] == "Acme: 1 positive of 2 reviews"
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert picture.get_payload(decode=True) == PIXEL
    html = message.get_body(("html",))
    assert html is not None
    content = html.get_content()
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in content
    assert "data:" not in content
    assert "Example Ltd" in content


def test_a_file_holds_its_logo_itself(queued: Open, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PIXEL)
    room = queued(by_file(tmp_path / "out", formats=["html"]), digests=digest(logo=str(tmp_path / "logo.png")))
    assert deliver(room) == (1, "sent", "")
    document = (tmp_path / "out" / "daily-2026-11-19.html").read_text(encoding="utf-8")
    assert f'src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}"' in document


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), (b"<svg/>", "is no PNG"), (PIXEL * 2000, "is larger than 100 kB")]
)
def test_a_digest_goes_out_without_a_logo_that_cannot_be_shown(
    queued: Open, tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "logo.png").write_bytes(content)
    room = queued(by_file(tmp_path / "out", formats=["html"]), digests=digest(logo=str(tmp_path / "logo.png")))
    sent, state, error = deliver(room)
    assert (sent, state) == (1, "sent")
    assert said in error
    assert "<img" not in (tmp_path / "out" / "daily-2026-11-19.html").read_text(encoding="utf-8")


def test_own_templates_make_the_forms_they_are_for(queued: Open, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "digest.txt.j2").write_text("Dear team: {{ page.preview }}", encoding="utf-8")
    look = digest(templates=str(tmp_path / "own"))
    assert deliver(queued(by_file(tmp_path / "out", formats=["txt", "md"]), digests=look)) == (1, "sent", "")
    text, markdown = ((tmp_path / "out" / f"daily-2026-11-19.{form}").read_text("utf-8") for form in ("txt", "md"))
    assert text.startswith("Dear team: Acme: 1 positive, 1 negative of 2 reviews")
    assert markdown.startswith("# daily")


def test_a_faulty_template_gives_way_to_the_built_in_form_and_both_the_digest_and_the_delivery_say_so(
    queued: Open, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "digest.txt.j2").write_text("a\n{{ page.nothing }}", encoding="utf-8")
    room = queued(by_file(tmp_path / "out", formats=["txt"]), digests=digest(templates=str(tmp_path / "own")))
    sent, state, error = deliver(room)
    assert (sent, state) == (1, "sent")
    assert error.startswith("template digest.txt.j2, line 2: ")
    text = " ".join((tmp_path / "out" / "daily-2026-11-19.txt").read_text(encoding="utf-8").split())
    assert "The template digest.txt.j2, line 2: " in text
    assert "This is the built-in form." in text
    assert "MARKED-TEXT-ONE" in text


def test_a_folder_of_templates_that_is_not_there_is_said(queued: Open, tmp_path: Path) -> None:
    room = queued(by_file(tmp_path / "out", formats=["txt"]), digests=digest(templates=str(tmp_path / "none")))
    assert deliver(room)[2] == f"templates: there is no folder {tmp_path / 'none'}"


def test_figures_link_to_the_dashboard_where_there_is_one(newsroom: Open) -> None:
    room: Newsroom = newsroom()
    room.data["web"] = {"public_url": "https://monitor.example.org/"}
    room.app = room.start()
    html = letter(room.queued()).render("html")
    assert "https://monitor.example.org/items?figure=reviews.positive&amp;brand=Acme&amp;since=2026-11-18T23" in html
    assert delivery.view_of(room.app, "daily", None).public_url is None


@pytest.mark.parametrize(
    ("table", "value", "place"),
    [
        ("web", {"public_url": "monitor.example.org"}, "web.public_url"),
        ("web", {"public_url": "https://a@b.example"}, "web.public_url"),
        ("web", {"public_url": "https://b.example/?a=b"}, "web.public_url"),
        ("digests", digest(subject="{nothing}"), "digests.daily.subject"),
    ],
)
def test_settings_that_make_no_sense_are_refused(newsroom: Open, table: str, value: Any, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse({**newsroom().data, table: value})
    assert [fault.place for fault in refused.value.faults] == [place]
