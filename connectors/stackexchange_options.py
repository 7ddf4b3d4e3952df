"""PURE  What a Stack Exchange source is told: its options, what it therefore searches, and links that mean such options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import parse_qs, unquote_plus, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.contract import JsonValue, Options

_ON_COM = ("stackoverflow", "serverfault", "superuser", "askubuntu", "stackapps")
"""Sites with a domain of their own, and so their metas and Stack Overflow's other languages."""
_NETWORK = ".stackexchange.com"
_TAG = re.compile(r"[^\s;,\[\]/?&]{1,100}")


def site_of(value: object) -> str:
    """A site as the API names it (``stackoverflow``, ``unix``), given as that, as its host or as a link."""
    given = str(value).strip().lower()
    try:
        host = (urlsplit(given).hostname or "") if "://" in given else given.strip("/")
    except ValueError:
        host = ""
    host = host.removeprefix("www.").removesuffix(_NETWORK)
    bare = host.removesuffix(".com")
    if bare.split(".")[-1] in _ON_COM:
        host = bare
    if not re.fullmatch(r"[a-z0-9-]{1,40}(\.[a-z0-9-]{1,40}){0,3}", host):
        raise ValueError(f"{str(value)[:80]!r} is no site; write its host, such as stackoverflow.com")
    return host


def host_of_site(site: str) -> str:
    """The host that a site stands on."""
    if site.split(".")[-1] in _ON_COM:
        return f"{site}.com"
    return site if site.endswith((".net", ".com", ".org")) else f"{site}{_NETWORK}"


def _tags(value: object) -> str:
    """One tag, or several that a question must all bear, joined by semicolons."""
    tags = [part.strip().lower() for part in str(value).split(";")]
    if not all(_TAG.fullmatch(tag) for tag in tags):
        raise ValueError(f'{str(value)[:80]!r} is no tag; write "acme-sdk", or "acme-sdk;python" for both at once')
    return ";".join(tags)


def _user(value: object) -> str:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,15}", str(value).strip()):
        raise ValueError(f"{str(value)[:40]!r} is no user; take the number after /users/ in the profile's link")
    return str(value).strip()


class StackExchangeOptions(Options):
    site: Annotated[str, BeforeValidator(site_of)] = Field(
        default="stackoverflow",
        description="Which site, by its host or short name: stackoverflow.com, unix, askubuntu.",
    )
    tagged: tuple[Annotated[str, BeforeValidator(_tags)], ...] = Field(
        default=(), description='Everything under these tags, without a search; "a;b" means questions that bear both.'
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        max_length=240,
        description="What to search for instead of the brands' keywords; with tagged, only under these tags.",
    )
    questions: bool = Field(default=True, description="Bring questions.")
    answers: bool = Field(default=True, description="Bring answers.")
    own: tuple[Annotated[str, BeforeValidator(_user)], ...] = Field(
        default=(), description="Numbers of your own people's accounts: what they write counts as own posts."
    )
    key: SecretStr | None = Field(
        default=None, description="The free key of an app registered on stackapps.com: 10,000 requests a day, not 300."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.questions or self.answers):
            raise ValueError("neither questions nor answers: nothing would come; set one of them to true")
        return self


@dataclass(frozen=True, slots=True)
class Search:
    """One thing that is read: a query, a tag, or a query under a tag."""

    query: str = ""
    tagged: str = ""

    @property
    def title(self) -> str:
        """Its name to people and in the cursor, as one types it into a site's own search."""
        tags = " ".join(f"[{tag}]" for tag in self.tagged.split(";") if tag)
        return " ".join(part for part in (self.query, tags) if part)


def searches(options: StackExchangeOptions, terms: Sequence[str]) -> Sequence[Search]:
    """Everything that a source with these options reads, each once."""
    if options.query is not None:
        queries = [options.query.strip()]
    else:
        queries = [""] if options.tagged else [quoted for quoted in map(_quoted, terms) if quoted]
    return list(dict.fromkeys(Search(query, tags) for tags in options.tagged or ("",) for query in queries))


def _quoted(term: str) -> str:
    """The search takes words apart and heeds signs; quotes keep a name together."""
    bare = " ".join(term.replace('"', " ").split())
    return bare if not bare or re.fullmatch(r"\w+", bare) else f'"{bare}"'


def recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a site, to a tag or to a search as options; not one to a question, a user or a feed."""
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _is_of_the_network(host):
        return None
    site: dict[str, JsonValue] = {"site": site_of(host)}
    path = unquote_plus(parts.path).rstrip("/")
    if path == "/search":
        query = parse_qs(parts.query).get("q", [""])[0].strip()[:240]
        return {**site, "query": query} if query else None
    tagged = re.fullmatch(r"/questions/tagged/([^/]+)|/tags/([^/]+)(?:/info)?", path)
    if tagged:
        tags = _of_path(tagged[1] or tagged[2])
        return {**site, "tagged": tags} if tags else None
    return site if path in ("", "/questions") else None


def _of_path(path: str) -> list[str]:
    """``a b`` is both tags at once, ``a or b`` either."""
    entries = [";".join(entry.split()) for entry in re.split(r"\s+or\s+", path.strip())]
    return [entry for entry in entries if entry and all(_TAG.fullmatch(tag) for tag in entry.split(";"))]


def _is_of_the_network(host: str) -> bool:
    host = host.removeprefix("www.")
    own = host.removesuffix(".com").split(".")[-1] in _ON_COM and host.endswith(".com")
    return own or host == "mathoverflow.net" or host.endswith(_NETWORK)
