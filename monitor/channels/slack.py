"""Messages to Slack, by an incoming webhook."""

from __future__ import annotations

import re
from typing import Final

from connectors.http import Answer, host_of, retry_after
from monitor.channels.letter import Letter, Passing, Permanent
from monitor.channels.webhook import PASSING_STATUSES, sent
from monitor.config.models import SlackChannel

GONE: Final = {
    "channel_is_archived": "the channel is archived; make a new webhook for another channel",
    "channel_not_found": "the channel is gone; make a new webhook for another channel",
    "no_service": "the webhook was removed; make a new one",
    "no_service_id": "the webhook was removed; make a new one",
    "no_team": "the workspace is gone; make a new webhook",
    "team_disabled": "the workspace is disabled; make a new webhook",
    "invalid_token": "the webhook's address is not valid any more; make a new one",
    "posting_to_general_channel_denied": "only few may write to that channel; make a webhook for another",
    "user_not_found": "the webhook's user is gone; make a new one",
}
"""What Slack answers when a webhook will take nothing any more, and what to do."""


def post_to_slack(channel: SlackChannel, letter: Letter) -> None:
    """As blocks, with a text for notifications."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = sent(channel.url, letter.render("slack").encode(), headers, f"channels.{channel.name}.url")
    _judge(channel, answer, letter)


def _judge(channel: SlackChannel, answer: Answer, letter: Letter) -> None:
    """Slack says why in a word of the body; anything but such a word may repeat what was sent, and is not told."""
    status, place = answer.status, f"channels.{channel.name}.url"
    if 200 <= status < 300:
        return
    said = answer.body[:100].decode("ascii", "replace").strip()
    word = said if re.fullmatch(r"[a-z_]{3,60}", said) else ""
    fact = f"{host_of(answer.url)}: answered {status}{f' {word}' if word else ''}"
    if word not in GONE and (status in PASSING_STATUSES or status >= 500):
        raise Passing(f"{fact}; trying again later", retry_after(answer.headers, letter.at))
    if word in GONE:
        raise Permanent(f"{fact}: {GONE[word]}, and write its address into {place}")
    raise Permanent(f"{fact}, it does not take this; look at {place}")
