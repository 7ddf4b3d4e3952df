"""Notices: what rules tell, in every form and through every channel; harmless whatever it quotes."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from connectors.testing import Reply
from monitor import delivery, erasing, notices
from monitor.channels import Letter
from monitor.delivery import letter_of
from monitor.digest import Form
from monitor.digest.notice import told
from monitor.quotes import quote
from storage import outbox, queries
from storage.people_tables import NOTICE
from storage.tables import DELIVERY, ITEM
from tests.fakes.mailserver import MailServer
from tests.fakes.newsroom import SECRET, Newsroom, Open, by_file, by_hook, by_mail
from tests.fakes.rulebook import Rulebook, review, ruled
from tests.unit.digest_hostile import ATTACKS, Outline, as_html
from tests.unit.http_world import World

FORMS: Final[tuple[Form, ...]] = get_args(Form)


def letter(room: Newsroom) -> Letter:
    """What the oldest queued delivery carries."""
    names = [channel.name for channel in room.app.settings.channels]
    due = outbox.claim_delivery(room.app.database, "test", names, room.now, timedelta(minutes=5))
    assert due is not None
    return letter_of(room.app, due)


def caught(open_: Open, *reviews: tuple[Any, ...], channels: tuple[Any, ...] = ()) -> Rulebook:
    book = ruled(open_, channels=channels)
    book.come(*(reviews or (review("bad"),)))
    assert book.act() == 1
    return book


# --- channels


def test_a_notice_is_a_file_in_every_form(newsroom: Open, tmp_path: Path) -> None:
    book = caught(newsroom, channels=(by_file(tmp_path / "told"),))
    assert delivery.deliver_due(book.room.app) == 1
    files = sorted((tmp_path / "told").iterdir())
    assert [file.suffix for file in files] == [".html", ".json", ".md", ".txt"]
    assert len({file.stem for file in files}) == 1
    assert files[0].name.startswith("rule-angry-20261120T080030-")
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "Title of bad" in text
        assert "angry: review about Acme (reviews, 1 of 5 stars)" in text.replace("\\", "")


def test_two_notices_of_one_second_are_two_files(newsroom: Open, tmp_path: Path) -> None:
    book = caught(newsroom, channels=(by_file(tmp_path / "told", formats=["txt"]),))
    book.come(review("worse"))
    book.act()
    assert delivery.deliver_due(book.room.app) == 2
    assert len(list((tmp_path / "told").iterdir())) == 2


def test_a_notice_is_mailed_with_its_sentence_as_the_subject(newsroom: Open, mail: MailServer) -> None:
    book = caught(newsroom, channels=(by_mail(mail),))
    assert delivery.deliver_due(book.room.app) == 1
    (taken,) = mail.mails
    assert taken.message["Subject"] == "angry: review about Acme (reviews, 1 of 5 stars)"
    plain, html = (taken.message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Title of bad" in plain.get_content()
    assert "Title of bad" in html.get_content()


def test_a_notice_is_posted_signed_and_keeps_its_key_over_tries(newsroom: Open, web: World) -> None:
    web.replies["/hook"] = Reply(b"", 500)
    book = caught(newsroom, channels=(by_hook(web.url("/hook")),))
    assert delivery.deliver_due(book.room.app) == 0
    del web.replies["/hook"]
    book.room.later(minutes=10)
    assert delivery.deliver_due(book.room.app) == 1
    first, second = web.server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert (second.headers["x-sentiment-monitor-event"], second.headers["x-sentiment-monitor-digest"]) == (
        "rule", "angry",
    )  # fmt: skip
    stamp = second.headers["x-sentiment-monitor-timestamp"]
    signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + second.body, hashlib.sha256).hexdigest()
    assert second.headers["x-sentiment-monitor-signature"] == f"sha256={signed}"
    document = json.loads(second.body)
    assert (document["kind"], document["name"], document["brand"], document["total"]) == ("rule", "angry", "Acme", 1)
    assert document["figures"] == {
        "rule": "angry", "when": "rating <= 2", "rated_anew": 0, "held": 0,
        "by_source": {"reviews": 1}, "by_label": {"negative": 1},
    }  # fmt: skip
    assert document["items"][0]["title"] == "Title of bad"


def test_each_channel_gets_a_notice_of_its_own(newsroom: Open, mail: MailServer, tmp_path: Path) -> None:
    mail.answers["DATA"] = "451 later"
    book = caught(newsroom, channels=(by_mail(mail), by_file(tmp_path / "told", formats=["txt"])))
    assert delivery.deliver_due(book.room.app) == 1
    assert {row["channel"]: row["state"] for row in book.room.rows(DELIVERY)} == {"mail": "queued", "files": "sent"}
    (listed, *_) = outbox.deliveries(book.room.app.database)
    assert (listed["kind"], listed["digest"], listed["period"]) == ("rule", "angry", "")


# --- what it holds


def test_a_stored_notice_holds_no_words(newsroom: Open) -> None:
    book = caught(newsroom, review("bad", text="secret words of the author"))
    stored = json.dumps([row["body"] for row in book.room.rows(NOTICE)])
    assert [word for word in ("secret", "Title of bad", "author of bad") if word in stored] == []


def test_what_was_edited_meanwhile_is_told_as_it_is_now(newsroom: Open) -> None:
    book = caught(newsroom)
    book.change("bad", title="Now it is another")
    assert "Now it is another" in letter(book.room).render("txt")


def test_an_item_erased_meanwhile_shows_as_erased(newsroom: Open) -> None:
    book = caught(newsroom, review("bad", text="words to be erased"))
    (number,) = (row["id"] for row in book.room.rows(ITEM) if row["title"] == "Title of bad")
    erasing.erase(book.room.app, erasing.find(book.room.app, [], [number]), by="test")
    shown = letter(book.room)
    for form in FORMS:
        text = shown.render(form)
        assert [word for word in ("words to be erased", "Title of bad", "author of bad") if word in text] == []
    assert "Erased" in shown.render("txt")
    assert json.loads(shown.render("json"))["items"][0]["erased"] is True


def test_of_many_items_the_first_are_named_and_the_rest_counted(newsroom: Open) -> None:
    book = ruled(newsroom, {"name": "angry", "when": "rating <= 2", "max_per_hour": 200})
    book.come(*(review(f"{number} x") for number in range(notices.LONGEST + 10)))
    book.act()
    (body,) = book.bodies
    assert (len(body["items"]), body["total"]) == (notices.LONGEST, notices.LONGEST + 10)
    for form in ("html", "md", "txt"):
        assert "and 10 more" in letter_anew(book.room).render(form)


def letter_anew(room: Newsroom) -> Letter:
    room.leases_run_out()
    return letter(room)


@pytest.mark.parametrize("words", ATTACKS, ids=range(len(ATTACKS)))
def test_words_stay_words_in_every_form(newsroom: Open, words: str) -> None:
    book = caught(newsroom, review("plain"), ("x", words, words, "2026-11-20T07:30:00Z", 1, words))
    calm = caught_calmly(book)
    shown = letter(book.room)
    for form in ("html", "md"):
        outline = Outline(as_html(form, shown.render(form)))
        assert [link for link in outline.links if "evil" in link or link.startswith("javascript")] == []
        assert {tag for tag, _ in outline.tags} <= calm[form]
        assert [char for char in outline.text if char in "\x1b\u202e\x00"] == []
    plain = shown.render("txt")
    assert [char for char in plain if char in "\x1b\u202e\x00\r"] == []
    assert max(map(len, plain.splitlines())) < 200
    document = json.loads(shown.render("json"))
    assert document["total"] == 2
    assert "\n" not in shown.subject


def caught_calmly(book: Rulebook) -> dict[str, set[str]]:
    """The tags that a notice of plain words is made of."""
    calm = told(
        "rule", "angry", "angry: 2 items", ["when rating <= 2"], [plain_quote(book), plain_quote(book)],
        total=2, at=book.room.now, zone=book.room.app.settings.monitor.zone, figures={}, brand="Acme",
    )  # fmt: skip
    return {form: {tag for tag, _ in Outline(as_html(form, calm.render(form))).tags} for form in ("html", "md")}


def plain_quote(book: Rulebook) -> Any:
    number = next(row["id"] for row in book.room.rows(ITEM) if row["title"] == "Title of plain")
    return quote(queries.items_by_id(book.room.app.database, [number])[number])
