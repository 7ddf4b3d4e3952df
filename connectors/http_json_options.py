"""How a JSON API is described: where it is, where its entries stand, how it pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from connectors.contract import Options
from connectors.http_json_paths import path_of
from connectors.mapped import NEEDED, SAID, TimeFormat, Zone, flattened, refuse_unknown

PLACE = re.compile(r"\{(term|since|page|offset|cursor)\}")
"""What may stand in the address, the params and the body, and is filled in for each request."""
SINCE_FORMATS = ("iso8601", "epoch", "epoch_ms")
Name = Annotated[str, StringConstraints(min_length=1)]


class HttpJsonOptions(Options):
    url: Name = Field(
        repr=False, description="The API's address; {term}, {since}, {page}, {offset} and {cursor} in it are filled in."
    )
    method: Literal["GET", "POST"] = Field(default="GET", description="How it is asked.")
    params: Mapping[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="What is added to the address, as in { limit = 100 }; may hold places.",
    )
    body: Mapping[str, Any] | None = Field(
        default=None, repr=False, description="The JSON that is sent with POST; its texts may hold places."
    )
    headers: Mapping[str, str] = Field(default_factory=dict, repr=False, description="Headers to send.")
    token: SecretStr | None = Field(default=None, description="A token, sent as Authorization: Bearer.")
    username: str | None = Field(default=None, description="With password: sent as Authorization: Basic.")
    password: SecretStr | None = Field(default=None, description="With username: sent as Authorization: Basic.")
    api_key: SecretStr | None = Field(default=None, description="A key, sent in the header that api_key_header names.")
    api_key_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,80}$")] = Field(
        default="X-API-Key", description="The header for api_key."
    )
    query: Name | None = Field(
        default=None, description="What stands for {term}; without it the brands' keywords, one search each."
    )
    items: Name = Field(default="@", description="Where the list of entries stands in an answer (JMESPath).")
    fields: Mapping[str, Any] = Field(
        description='Where each field stands in an entry (JMESPath): { external_id = "id", text = "body", ... }.'
    )
    html: bool = Field(default=False, description="The texts are HTML; plain text is made of them.")
    kind: Literal["mention", "post", "review"] = Field(default="mention", description="What the entries are.")
    time_format: TimeFormat | None = Field(
        default=None,
        description='How times are written: "iso8601", "epoch", "epoch_ms", "rfc2822" or as in "%d/%m/%Y %H:%M"; '
        "understood by themselves otherwise.",
    )
    timezone: Zone = Field(default="UTC", description="The zone of times that do not name one.")
    rating_worst: float = Field(default=1, description="The worst rating that can be given.")
    rating_best: float = Field(default=5, description="The best rating that can be given.")
    prefix: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="What the ids begin with instead of the address, so that the address may change."
    )
    paging: Literal["none", "page", "offset", "cursor", "link"] = Field(
        default="none",
        description="How to ask for more: by {page}, {offset}, {cursor}, or by the link to the next page.",
    )
    next: Name | None = Field(
        default=None,
        description="Where an answer names the next cursor or link (JMESPath); without it links are read from the header Link.",
    )
    more: Name | None = Field(
        default=None, description="What tells in an answer whether there is more (JMESPath), as in has_more."
    )
    page_start: int | None = Field(
        default=None, ge=0, description="The first page's number or offset; by default page 1 and offset 0."
    )
    page_size: int | None = Field(
        default=None, ge=1, description="Entries on a full page: one with fewer is taken to be the last."
    )
    max_pages: int = Field(
        default=50, ge=1, le=10_000, description="Pages to read at most in one pull, for each search."
    )
    order: Literal["newest first", "oldest first", "unordered"] = Field(
        default="newest first", description="How the API sorts its entries; newest first ends at what is known."
    )
    order_by: Name | None = Field(
        default=None, description="The time that they are sorted by (JMESPath), where it is not published_at."
    )
    overlap_minutes: int = Field(
        default=120, ge=0, le=525_600, description="How far below what is known is read again, for what shows up late."
    )
    since_format: str = Field(
        default="iso8601", description='How {since} is written: "iso8601", "epoch", "epoch_ms" or as in "%Y-%m-%d".'
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
        except ValueError:
            sound = False
        if not sound or "{" in parts.netloc:
            raise ValueError('is no address of an API; write url = "https://api.example.com/reviews"')
        if "@" in parts.netloc:
            raise ValueError("holds a name or password; give username and password as options of their own")
        if unknown := re.search(r"\{\w*\}", PLACE.sub("", url)):
            raise ValueError(
                f"{unknown[0]}: no such place; there are {{term}}, {{since}}, {{page}}, {{offset}}, {{cursor}}"
            )
        return url

    @field_validator("items", "next", "more", "order_by")
    @classmethod
    def _is_a_path(cls, text: str | None) -> str | None:
        if text is not None:
            path_of(text)
        return text

    @field_validator("fields", mode="before")
    @classmethod
    def _lead_to_fields(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            raise ValueError(
                'is no table; write fields = { external_id = "id", published_at = "created", text = "body" }'
            )
        flat = flattened(given)
        refuse_unknown(flat)
        for name, text in flat.items():
            _check_field(name, text)
        if missing := [name for name in NEEDED if name not in flat]:
            raise ValueError(f'{missing[0]}: is needed; add {missing[0]} = "..."')
        if not any(name in flat for name in SAID):
            raise ValueError('none of text, title and rating is told; add text = "..."')
        return flat

    @field_validator("params")
    @classmethod
    def _single_values(cls, params: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, value in params.items():
            if not all(isinstance(one, str | int | float) for one in (value if isinstance(value, list) else [value])):
                raise ValueError(f"{name}: is no text, number, or list of these; give nested data as body")
        return params

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not (
                value.isascii() and value.isprintable()
            ):
                raise ValueError(f"{name[:40]}: cannot be sent as a header; look for blanks and line ends")
        return headers

    @field_validator("since_format")
    @classmethod
    def _known_since(cls, name: str) -> str:
        if name not in SINCE_FORMATS and "%" not in name:
            raise ValueError(f'{name}: no way of writing times; set one of {", ".join(SINCE_FORMATS)}, or "%Y-%m-%d"')
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> HttpJsonOptions:
        for fault in (*_faults_of_asking(self), *_faults_of_paging(self)):
            raise ValueError(fault)
        return self

    @property
    def places(self) -> frozenset[str]:
        """The places that a request fills in."""
        texts = [self.url, *_texts(self.params), *_texts(self.body)]
        return frozenset(name for text in texts for name in PLACE.findall(text))


def _check_field(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{name}: is no text; write the JMESPath expression in quotes")
    try:
        path_of(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(entry)


def _faults_of_asking(options: HttpJsonOptions) -> Iterator[str]:
    if options.body is not None and options.method != "POST":
        yield 'a body is sent with POST only; set method = "POST"'
    if (options.username is None) != (options.password is None):
        yield "username and password go together; give both"
    if options.token is not None and options.username is not None:
        yield "token and username are two ways of signing in; leave one out"
    if options.query is not None and "term" not in options.places:
        yield "query: there is no place for it; write {term} where it is to stand in url, params or body"
    if options.rating_worst >= options.rating_best:
        yield "rating_worst is not less than rating_best; turn them round"


def _faults_of_paging(options: HttpJsonOptions) -> Iterator[str]:
    places = options.places & {"page", "offset", "cursor"}
    wanted = {options.paging} & {"page", "offset", "cursor"}
    if missing := wanted - places:
        yield f'paging = "{options.paging}" needs {{{min(missing)}}}; write it where it is to stand in url, params or body'
    if extra := places - wanted:
        name = min(extra)
        yield f'{{{name}}} is filled in with paging = "{name}" only; set that, or remove the place'
    if options.paging == "cursor" and options.next is None:
        yield 'paging = "cursor" needs next; add next = "..." (JMESPath to the next cursor)'
    if options.paging == "offset" and options.page_size is None:
        yield 'paging = "offset" needs page_size; add page_size = 100 (entries on a full page)'
    if options.paging == "link" and options.method != "GET":
        yield 'links to the next page are followed with GET only; set another paging, or method = "GET"'
    if options.next is not None and options.paging not in ("cursor", "link"):
        yield 'next is used with paging = "cursor" or "link" only; set one of them, or remove it'
