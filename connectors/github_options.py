"""PURE  What a GitHub source is told: its options, what it therefore reads, and links that mean such options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.contract import JsonValue, Options

_OWNER = r"[A-Za-z0-9][\w-]{0,99}"
_NAME = r"[\w.-]{1,100}"
_REPOSITORY = re.compile(rf"({_OWNER})/({_NAME})", re.ASCII)
_NO_OWNERS = frozenset(
    {
        "about",
        "apps",
        "blog",
        "collections",
        "contact",
        "customer-stories",
        "enterprise",
        "events",
        "explore",
        "features",
        "issues",
        "join",
        "login",
        "marketplace",
        "new",
        "notifications",
        "orgs",
        "pricing",
        "pulls",
        "readme",
        "search",
        "security",
        "settings",
        "site",
        "sponsors",
        "stars",
        "team",
        "topics",
        "trending",
        "users",
    }
)
"""First parts of github.com's own pages, which look like owners."""
_TABS = frozenset({"", "issues", "pulls", "discussions", "pull", "blob", "tree", "wiki", "releases", "actions"})


class What(StrEnum):
    """What is read in a repository."""

    ISSUES = "issues"
    COMMENTS = "comments"
    DISCUSSIONS = "discussions"


def _repository(value: object) -> str:
    """``owner/name`` of that, or of a pasted link."""
    given = str(value).strip()
    found = _of_link(given) if "://" in given else given.removesuffix(".git")
    if found is None or not _is_repository(found):
        raise ValueError(f'{given[:80]!r} is no repository; write "owner/name", as in its github.com link')
    return found


class GitHubOptions(Options):
    repositories: tuple[Annotated[str, BeforeValidator(_repository)], ...] = Field(
        default=(), description='Repositories whose issues and comments are read: "owner/name" or the link, each.'
    )
    kinds: tuple[What, ...] = Field(
        default=(What.ISSUES, What.COMMENTS),
        min_length=1,
        description='What is read in these repositories: "issues", "comments", "discussions" (these need a token).',
    )
    pull_requests: bool = Field(default=False, description="Bring pull requests, and the comments on them, too.")
    search: bool | None = Field(
        default=None,
        description="Search the issues of all of GitHub for the brands' keywords; by default where no repository is named.",
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="What to search all of GitHub for, in its search language, instead of the brands' keywords.",
    )
    own: tuple[str, ...] = Field(
        default=(), description="Accounts of your own people: what they write counts as own posts, not as mentions."
    )
    token: SecretStr | None = Field(
        default=None, description="A personal access token, without any scope: 5,000 requests an hour instead of 60."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not (self.repositories or self.searches):
            raise ValueError(
                "neither repositories nor search: nothing would come; name a repository or set search = true"
            )
        if self.query is not None and not self.searches:
            raise ValueError("query: search is turned off; leave one of them out")
        if What.DISCUSSIONS in self.kinds and not self.token:
            raise ValueError('kinds: "discussions" need a token; add token = "env:GITHUB_TOKEN"')
        return self

    @property
    def searches(self) -> bool:
        return (self.query is not None or not self.repositories) if self.search is None else self.search


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing that is read: a kind of a repository, or (without one) a search."""

    what: What
    repository: str = ""
    query: str = ""

    @property
    def key(self) -> str:
        """Its name in the cursor."""
        return f"{self.what} {self.repository.lower()}" if self.repository else f"search {self.query}"

    @property
    def title(self) -> str:
        return f"{self.repository}, {self.what}" if self.repository else f"search for {self.query}"


def streams(options: GitHubOptions, terms: Sequence[str]) -> Sequence[Stream]:
    """Everything that a source with these options reads, each once."""
    return list({stream.key: stream for stream in _streams(options, terms)}.values())


def _streams(options: GitHubOptions, terms: Sequence[str]) -> Iterator[Stream]:
    for repository in options.repositories:
        yield from (Stream(what, repository) for what in What if what in options.kinds)
    if options.searches:
        types = ["is:issue", *(["is:pull-request"] if options.pull_requests else [])]
        yield from (
            Stream(What.ISSUES, query=f"{words} {type_}") for words in _words(options, terms) for type_ in types
        )


def _words(options: GitHubOptions, terms: Sequence[str]) -> Sequence[str]:
    if options.query is not None:
        own = options.query.strip()
        return [f"({own})" if " OR " in own else own]
    return [f"{quoted} in:title,body" for quoted in map(_quoted, terms) if quoted]


def _quoted(term: str) -> str:
    """The search takes words apart and heeds ``AND``, ``OR``, ``NOT``; quotes keep a name together."""
    bare = " ".join(term.replace('"', " ").replace("\\", " ").split())
    plain = re.fullmatch(r"\w+", bare) and bare not in ("AND", "OR", "NOT")
    return bare if plain or not bare else f'"{bare}"'


def recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a repository or to a search on GitHub as options; not one to a feed, a file or an account."""
    repository = _of_link(link)
    if repository is not None:
        return {"repositories": [repository]}
    query = _searched(link)
    return {"query": query} if query else None


def _searched(link: str) -> str | None:
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    if not _on_github(parts.scheme, parts.hostname) or parts.path.rstrip("/") != "/search":
        return None
    return parse_qs(parts.query).get("q", [""])[0].strip()[:256] or None


def _of_link(link: str) -> str | None:
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    owner, name, tab, *_ = [*parts.path.strip("/").split("/"), "", "", ""]
    found = f"{owner}/{name.removesuffix('.git')}"
    if not _on_github(parts.scheme, parts.hostname) or tab not in _TABS:
        return None
    return found if owner.lower() not in _NO_OWNERS and _is_repository(found) else None


def _on_github(scheme: str, host: str | None) -> bool:
    return scheme in ("http", "https") and host in ("github.com", "www.github.com")


def _is_repository(name: str) -> bool:
    found = _REPOSITORY.fullmatch(name)
    return found is not None and found[2] not in (".", "..")
