"""The configuration: TOML in, frozen settings out, and every fault at once with its line of remedy."""

from monitor.config.faults import ConfigError, Fault
from monitor.config.load import find, load, parse
from monitor.config.models import (
    BrandSettings,
    ChannelSettings,
    DigestSettings,
    EmailChannel,
    FileChannel,
    Settings,
    SourceSettings,
    WebhookChannel,
)

__all__ = [
    "BrandSettings",
    "ChannelSettings",
    "ConfigError",
    "DigestSettings",
    "EmailChannel",
    "Fault",
    "FileChannel",
    "Settings",
    "SourceSettings",
    "WebhookChannel",
    "find",
    "load",
    "parse",
]
