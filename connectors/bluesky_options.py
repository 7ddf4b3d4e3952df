"""PURE  What a Bluesky source is asked for: its options, and the places that they come down to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.contract import JsonValue, Options

ENTRYWAY = "https://bsky.social"
SITE = "bsky.app"
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?")
_HANDLE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}")


def _checked_service(entry: str) -> str:
    """``https://host``."""
    address = entry.strip() if "://" in entry else f"https://{entry.strip()}"
    try:
        parts = urlsplit(address)
        host = parts.netloc.lower()
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host) or parts.scheme != "https":
        raise ValueError(f"is not the address of a service; write it as {ENTRYWAY}")
    return f"https://{host}"


def _checked_account(entry: str) -> str:
    """A handle or a DID, from that, ``@handle`` or the address of a profile."""
    name = entry.strip()
    if "://" in name:
        name = urlsplit(name).path.removeprefix("/profile/").strip("/")
    name = name.removeprefix("@")
    if _DID.fullmatch(name):
        return name
    if not _HANDLE.fullmatch(name.lower()):
        raise ValueError(f'"{entry[:60]}" is not an account; write its handle, as in acme.bsky.social')
    return name.lower()


class BlueskyOptions(Options):
    identifier: str | None = Field(
        default=None,
        min_length=1,
        description="The handle (or mail address) of a Bluesky account of yours. Only who is signed in may search.",
    )
    app_password: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="An app password of that account, never its main one; made under Settings, Privacy and security. "
        "Give it as env:NAME or file:/path, not in the file itself.",
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="What to search for, as typed into Bluesky's search; without it the brands' keywords, one search each.",
    )
    accounts: tuple[Annotated[str, AfterValidator(_checked_account)], ...] = Field(
        default=(),
        description="The brand's own accounts, such as acme.bsky.social: what they post counts as own posts, and their "
        "followers are counted. Needs no sign-in.",
    )
    author_followers: bool = Field(
        default=False,
        description="Also ask how many follow the authors of what is found: up to four more requests for every hundred posts.",
    )
    service: Annotated[str, AfterValidator(_checked_service)] = Field(
        default=ENTRYWAY, description="Where to sign in, if the account is not hosted by Bluesky itself."
    )

    @model_validator(mode="after")
    def _something_to_bring(self) -> Self:
        if (self.identifier is None) != (self.app_password is None):
            raise ValueError("identifier and app_password belong together; give both or neither")
        if self.query is not None and not self.searches:
            raise ValueError("query: only who is signed in may search; give identifier and app_password")
        if not self.searches and not self.accounts:
            raise ValueError("nothing to bring; give identifier and app_password to search, or accounts to follow")
        return self

    @property
    def searches(self) -> bool:
        return self.identifier is not None


@dataclass(frozen=True, slots=True)
class Place:
    """One thing to read: a search, or an account's own posts."""

    name: str
    is_search: bool

    @property
    def key(self) -> str:
        """Its name in the cursor."""
        return f"{'search' if self.is_search else 'account'} {self.name}"

    @property
    def title(self) -> str:
        """What is asked for, in words."""
        return self.name if self.is_search else f"posts of @{self.name}"


def places(options: BlueskyOptions, terms: Sequence[str]) -> Sequence[Place]:
    """Everything that a source with these options reads, each once."""
    return list(dict.fromkeys(_places(options, terms)))


def _places(options: BlueskyOptions, terms: Sequence[str]) -> Iterator[Place]:
    if options.searches:
        queries = [options.query.strip()] if options.query else [_quoted(term) for term in terms]
        yield from (Place(query, is_search=True) for query in queries if query)
    yield from (Place(account, is_search=False) for account in options.accounts)


def _quoted(term: str) -> str:
    """A colon would make it an operator of the search; quotes keep a name of several words together."""
    bare = " ".join(term.replace('"', " ").split())
    return bare if re.fullmatch(r"\w*", bare) else f'"{bare}"'


def recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a profile or a search on bsky.app as options (a search needs a sign-in beside)."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.hostname != SITE:
        return None
    if parts.path.rstrip("/") == "/search":
        query = parse_qs(parts.query).get("q", [""])[0].strip()[:500]
        return {"query": query} if query else None
    found = re.fullmatch(r"/profile/([^/]+)/?", unquote(parts.path))
    known = found is not None and (_DID.fullmatch(found[1]) or _HANDLE.fullmatch(found[1].lower()))
    return {"accounts": [found[1]]} if found is not None and known else None
