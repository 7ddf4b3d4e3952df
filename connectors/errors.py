"""What can go wrong with a source, named by what the caller does about it.

    SourceError
    ├── AccessDenied   credentials refused or forbidden: pause the source, say so
    ├── RateLimited    asked too often, or the budget is spent: wait ``retry_after``
    ├── Unavailable    network, time-out, 5xx, an answer that is not what the platform speaks: back off
    ├── Malformed      the platform refuses the request, or an item is damaged: skip, count
    │   └── TooLarge   more was sent to us than is taken at once
    └── NotThere       the subreddit, app, feed or account does not exist: pause the source, say so

Anything else that leaves a connector is a bug and is recorded as one. Messages carry fact, subject and remedy, never
a secret and never the text of an item.
"""

from __future__ import annotations

from datetime import timedelta


class SourceError(Exception):
    """The base of every fate; raised only through its subclasses."""


class AccessDenied(SourceError):
    """Credentials are missing, wrong, expired or not allowed to see this."""


class RateLimited(SourceError):
    """Asked too often. ``retry_after``: how long the platform wants us to wait; ``None`` when it does not say."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(SourceError):
    """The platform does not answer, or not sensibly, at the moment."""


class Malformed(SourceError):
    """The request makes no sense to the platform, or an item makes no sense to us."""


class TooLarge(Malformed):
    """More was handed in than is taken at once; sent in smaller parts it would be."""


class NotThere(SourceError):
    """What the source names does not exist (any more)."""


def fate_name(error: SourceError) -> str:
    """Which fate it is, in lower case: ``ratelimited``; a connector's own error is one of the fate it is derived from."""
    return next(cls.__name__.lower() for cls in type(error).__mro__ if SourceError in cls.__bases__)
