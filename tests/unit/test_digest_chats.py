"""A digest in chats: Slack's blocks and messages of bounded length; whatever people wrote calls nobody and links nowhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from monitor import digest
from monitor.digest import chat, escape, slack
from monitor.digest.brief import Brief
from monitor.digest.chat import Syntax
from tests.unit import digest_reports as made
from tests.unit.digest_hostile import ATTACKS, Outline, filled, view

CALLS = (
    "@everyone @here @channel @all @room @Bob",
    "<!channel> <!here|here> <!everyone> <!subteam^S012345>",
    "<@U012AB3CD> <@!123> <@&456> <#C01> <@all> <users/all> <at>Bob</at>",
    "<https://evil.example|harmless> [harmless](https://evil.example) ![x](https://evil.example/p.png)",
    "*bold* _it_ ~gone~ `code` ```block``` ||spoiler|| # head > quote",
    "&lt;!channel&gt; &amp; &#60;!here&#62;",
)
SYNTAXES: tuple[Syntax, ...] = ("html", "markdown", "text")


def brief_of(words: str) -> Brief:
    return digest.in_brief(filled(made.everything(), words), view(words))


def strings(value: Any) -> list[str]:
    """Every text that Slack would show."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in strings(part)]
    return [text for part in value for text in strings(part)] if isinstance(value, list) else []


# --- Slack


@pytest.mark.parametrize("words", [*ATTACKS, *CALLS], ids=range(len(ATTACKS) + len(CALLS)))
def test_in_slack_nothing_that_people_wrote_is_a_mention_a_link_or_an_escape(words: str) -> None:
    ours = {slack.link(link) for link in links(brief_of(words))}
    for text in [*strings(slack.blocks(brief_of(words))), slack.fallback(brief_of(words))]:
        for link in ours:
            text = text.replace(link, "")
        assert not re.search(r"<(?!\u200b)\S", text)  # a header shows "<" as it is
        assert not re.search(r"@\w", text)
        assert not re.search(r"&(?!amp;|lt;|gt;)", text) or "&" in brief_of(words).title


def links(brief: Brief) -> list[escape.Link]:
    found = [item.link for part in brief.parts for item in part.items if item.link]
    return [*found, *([brief.link] if brief.link else [])]


@pytest.mark.parametrize("words", ["tame", "<&>" * 400, "@" * 900, "*" * 900, "x" * 900, "😀" * 500])
def test_blocks_keep_within_slack_s_limits(words: str) -> None:
    brief = brief_of(words)
    shown = slack.blocks(replace(brief, parts=brief.parts * 9))
    assert len(shown) <= 50
    for block in shown:
        if block["type"] == "header":
            assert 0 < len(block["text"]["text"]) <= 150
        if "text" in block:
            assert 0 < len(block["text"]["text"]) <= 3000
        assert len(block.get("fields", ())) <= 10
        assert all(0 < len(field["text"]) <= 2000 for field in block.get("fields", ()))
        assert len(block.get("elements", ())) <= 10
        assert all(0 < len(one["text"]) <= 3000 for one in block.get("elements", ()))
    assert len(slack.fallback(brief)) <= 3000


def test_what_has_no_room_in_slack_is_counted() -> None:
    brief = digest.in_brief(made.everything(), made.VIEW)
    whole = sum(len(part.items) + part.more for part in brief.parts)
    texts = strings(slack.blocks(replace(brief, parts=brief.parts * 3)))
    quoted = sum(text.startswith("&gt;") or text.startswith("> ") for text in texts)
    told = sum(int(found) for text in texts for found in re.findall(r"^… (\d+) more item", text))
    assert quoted + told == 3 * whole
    assert told > 0


def test_a_slack_message_tells_the_figures_the_gaps_and_up_to_when_all_is_known() -> None:
    told = json.loads(digest.render(made.everything(), "slack", made.VIEW))
    everything = "\n".join(strings(told["blocks"]))
    for words in ("412 scored mentions", "likely +0.36 to +0.52", "forum: not fully read", "is known up to Mon 16 Nov"):
        assert words in everything
    assert told["text"].startswith("weekly: Week 46")
    assert told["unfurl_links"] is told["unfurl_media"] is False


# --- other chats


@pytest.mark.parametrize("words", [*ATTACKS, *CALLS], ids=range(len(ATTACKS) + len(CALLS)))
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_in_no_chat_does_a_text_call_anybody(syntax: Syntax, words: str) -> None:
    message = chat.message(brief_of(words), syntax, 30_000, titled=False)
    for link in links(brief_of(words)):
        message = message.replace(link.url, "")
    assert not re.search(r"@[\w*{\[]", message)
    if syntax != "html":
        assert not re.search(r"<[\w!@#/&]", message)


@pytest.mark.parametrize("words", [*ATTACKS, *CALLS], ids=range(len(ATTACKS) + len(CALLS)))
def test_in_html_no_text_becomes_a_tag(words: str) -> None:
    tame, wild = (Outline(chat.message(brief_of(one), "html", 1_000_000, titled=False)) for one in ("tame", words))
    assert wild.tags == tame.tags
    assert wild.links == tame.links


@pytest.mark.parametrize("words", CALLS)
def test_in_markdown_every_mark_is_escaped_and_the_only_links_are_ours(words: str) -> None:
    brief = brief_of(words)
    message = chat.message(brief, "markdown", 1_000_000, titled=False)
    targets = re.findall(r"(?<!\\)\]\(([^)]*)\)", message)
    assert set(targets) <= {link.url.replace("(", "%28").replace(")", "%29") for link in links(brief)}
    unmarked = re.sub(r"\\.", "", re.sub(r"(?<!\\)\[.*?(?<!\\)\]\([^)]*\)", "", message)).replace("**", "")
    assert not re.search(r"[`*_~|\[\]#]", unmarked)


@pytest.mark.parametrize("limit", [160, 1000, 2000, 4096])
@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("words", ["tame", "<&>" * 300, "日本" * 300, "😀*_" * 200])
def test_a_message_is_never_longer_than_the_service_takes(syntax: Syntax, limit: int, words: str) -> None:
    message = chat.message(brief_of(words), syntax, limit, titled=False)
    assert 0 < len(message.encode()) <= limit


@pytest.mark.parametrize("limit", [1500, 2500, 4000])
def test_what_has_no_room_is_counted_and_every_brand_s_first_sentence_stays(limit: int) -> None:
    brief = digest.in_brief(made.everything(), replace(made.VIEW, public_url="https://dashboard.example/"))
    message = chat.message(brief, "text", limit, titled=False)
    whole = sum(len(part.items) + part.more for part in brief.parts)
    told = sum(int(count) for count in re.findall(r"(?m)^… (\d+) more items? in the dashboard$", message))
    assert message.count("• “") + told == whole
    assert all(f"{part.heading}: {part.lines[0]}" in message for part in brief.parts)


def test_the_title_is_left_to_the_service_where_it_has_a_place_for_it() -> None:
    brief = digest.in_brief(made.everything(), made.VIEW)
    assert chat.message(brief, "text", 4000, titled=False).startswith(brief.title)
    assert brief.title not in chat.message(brief, "text", 4000, titled=True)
