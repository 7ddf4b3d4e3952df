"""PURE  What a Mastodon source is asked for: its options, and the places that they come down to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from connectors.contract import JsonValue, Options

BIGGEST = "https://mastodon.social"
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*(?::\d{1,5})?")
_TAG = re.compile(r"(?!\d+$)[\w·]{1,100}")
_ACCOUNT = re.compile(r"[\w.-]{1,100}(?:@[\w-]+(?:\.[\w-]+)*)?")
_SQUEEZED = re.compile(r"[\s\-–'’\"“”*.&]+")
"""What people leave out when they make a name a hashtag."""
_OF_MASTODON = re.compile(r"(?:.+\.)?(?:mastodon|mstdn|masto)\..+|mas\.to|fosstodon\.org|hachyderm\.io|chaos\.social")


def _checked_server(entry: str) -> str:
    """``https://host``, whatever part of an address of the server was given."""
    address = entry.strip() if "://" in entry else f"https://{entry.strip()}"
    try:
        parts = urlsplit(address)
        host = parts.netloc.lower()
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host) or parts.scheme != "https":
        raise ValueError("is not the address of a server; write it as https://mastodon.social")
    return f"https://{host}"


def _checked_tag(entry: str) -> str:
    tag = entry.strip().removeprefix("#").lower()
    if not _TAG.fullmatch(tag):
        raise ValueError(f'"{entry[:40]}" cannot be a hashtag: only letters, digits and _, and not digits alone')
    return tag


def _checked_account(entry: str) -> str:
    """``name`` or ``name@server``, from that, ``@name@server`` or the address of a profile."""
    name = entry.strip()
    if "://" in name:
        parts = urlsplit(name)
        name = f"{parts.path.strip('/').removeprefix('@')}@{parts.hostname}"
    name = name.removeprefix("@").lower()
    if not _ACCOUNT.fullmatch(name):
        raise ValueError(f'"{entry[:60]}" is not the name of an account; write it as acme or acme@mastodon.social')
    return name


class MastodonOptions(Options):
    server: Annotated[str, AfterValidator(_checked_server)] = Field(
        default=BIGGEST,
        description="The server to ask. It knows what its own people and those they follow elsewhere write, "
        "so a big one knows most.",
    )
    hashtags: tuple[Annotated[str, AfterValidator(_checked_tag)], ...] | None = Field(
        default=None,
        description='Which hashtags to read, such as ["acme"]; without it those that the brands\' keywords make. '
        "[] reads none.",
    )
    access_token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="The token of an app of yours on that server: with it the keywords are also searched for in full text, "
        "where the server offers that. Give it as env:NAME or file:/path, not in the file itself.",
    )
    accounts: tuple[Annotated[str, AfterValidator(_checked_account)], ...] = Field(
        default=(),
        description="The brand's own accounts, such as acme or acme@other.server: what they post counts as own posts, "
        "and their followers are counted.",
    )
    boosts: bool = Field(default=False, description="Also bring what the brand's own accounts boost.")
    only_indexable: bool = Field(
        default=False,
        description="From hashtags bring only posts of people who agreed to be found by search. "
        "Search brings no others anyway.",
    )

    @property
    def host(self) -> str:
        return urlsplit(self.server).netloc

    @property
    def own(self) -> frozenset[str]:
        """The own accounts in full: ``name@server``."""
        return frozenset(full_name(account, self.host) for account in self.accounts)


def full_name(account: str, host: str) -> str:
    """A local account is named without its server by that server."""
    return (account if "@" in account else f"{account}@{host}").lower()


class What(StrEnum):
    TAG = "tag"
    SEARCH = "search"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Place:
    """One thing to read: a hashtag, a search, or an account's posts."""

    what: What
    name: str

    @property
    def key(self) -> str:
        """Its name in the cursor."""
        return f"{self.what} {self.name}"

    @property
    def title(self) -> str:
        """What is asked for, in words."""
        return {What.TAG: f"#{self.name}", What.SEARCH: self.name, What.ACCOUNT: f"posts of @{self.name}"}[self.what]


def places(options: MastodonOptions, terms: Sequence[str]) -> Sequence[Place]:
    """Everything that a source with these options reads, each once."""
    return list(dict.fromkeys(_places(options, terms)))


def _places(options: MastodonOptions, terms: Sequence[str]) -> Iterator[Place]:
    tags = [tag for tag in map(tag_of, terms) if tag] if options.hashtags is None else options.hashtags
    yield from (Place(What.TAG, tag) for tag in tags)
    if options.access_token is not None:
        yield from (Place(What.SEARCH, quoted) for quoted in map(_quoted, terms) if quoted)
    yield from (Place(What.ACCOUNT, account) for account in options.accounts)


def tag_of(term: str) -> str | None:
    """The hashtag people would make of a keyword: ``acme phone`` -> ``acmephone``; ``None`` where it makes none (``C++``)."""
    tag = _SQUEEZED.sub("", term).lower()
    return tag if _TAG.fullmatch(tag) else None


def _quoted(term: str) -> str:
    """A colon would make it an operator of the search; quotes keep a name of several words together."""
    bare = " ".join(term.replace('"', " ").split())
    return bare if re.fullmatch(r"\w*", bare) else f'"{bare}"'


def recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a hashtag or a profile on a server that is Mastodon by its name, as options."""
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _OF_MASTODON.fullmatch(host):
        return None
    path = unquote(parts.path)
    if tag := re.fullmatch(r"/tags?/([^/]+)/?", path):
        return {"server": f"https://{host}", "hashtags": [tag[1]]} if _TAG.fullmatch(tag[1]) else None
    account = re.fullmatch(r"/@([^/]+)/?", path)
    if account is None or not _ACCOUNT.fullmatch(account[1]):
        return None
    return {"server": f"https://{host}", "hashtags": [], "accounts": [account[1]]}
