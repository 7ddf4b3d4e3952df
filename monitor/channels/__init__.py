"""How a message leaves the house: as files, by mail, to a webhook, to chats."""

from __future__ import annotations

from monitor.channels.chats import post_to_chats
from monitor.channels.files import write_files
from monitor.channels.letter import Letter, Passing, Permanent
from monitor.channels.mail import send_mail
from monitor.channels.slack import post_to_slack
from monitor.channels.webhook import post
from monitor.config.models import (
    AppriseChannel,
    ChannelSettings,
    EmailChannel,
    FileChannel,
    SlackChannel,
    WebhookChannel,
)
from monitor.config.tables import Table


def send(channel: ChannelSettings | Table, letter: Letter) -> str | None:
    """Send a letter; what was not taken of it, though the rest was.

    Raises :class:`Passing` or :class:`Permanent`; messages never hold a secret.
    """
    match channel:
        case FileChannel():
            write_files(channel, letter)
        case EmailChannel():
            return send_mail(channel, letter)
        case WebhookChannel():
            post(channel, letter)
        case SlackChannel():
            post_to_slack(channel, letter)
        case AppriseChannel():
            return post_to_chats(channel, letter)
        case _:
            raise Permanent(f"channels: type {type(channel).__name__} cannot send")
    return None


__all__ = ["Letter", "Passing", "Permanent", "post", "send", "send_mail", "write_files"]
