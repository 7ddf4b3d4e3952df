"""Who may do what, for requests: host and origin, sessions, proxies, tokens, forms. The decisions are :mod:`monitor.web.access`'s."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from monitor.config.web import LOOPBACK, is_loopback
from monitor.digest import escape
from monitor.web import access
from monitor.web.access import Visitor
from monitor.web.house import House
from storage import tokens

SESSION: Final = "sm_session"
VISIT: Final = "sm_visit"
FIELDS_AT_MOST: Final = 2_000
FORWARDED: Final = (
    *("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-server"),
    *("x-real-ip", "x-client-ip", "x-original-for", "true-client-ip", "cf-connecting-ip", "cf-ray"),
)
"""What proxies add, and what no browser on this machine sends."""


class NotSignedIn(Exception):
    """Nobody knows who is asking."""


class NotAllowed(Exception):
    """It is known who is asking, and they may not; the message says why and what helps."""


def house_of(request: Request) -> House:
    found: House = request.app.state.house
    return found


Here = Annotated[House, Depends(house_of)]


# ------------------------------------------------------------------------------------------ who is asking


def visitor(request: Request) -> Visitor:
    """Who is asking. :class:`NotSignedIn` where nobody can tell."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is None:
        known = _by_token(request) or _by_proxy(request) or _by_session(request) or _open(request)
        if known is None:
            raise NotSignedIn
        _refuse_pages_of_others(request, known)
        request.state.visitor = known
    return known


Reader = Annotated[Visitor, Depends(visitor)]


def _by_token(request: Request) -> Visitor | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    house = house_of(request)
    found = tokens.token_of(house.app.database, access.digest_of(given.strip()), house.now())
    if found is None:
        raise NotSignedIn
    brands = None if found.brands is None else frozenset(found.brands)
    return Visitor(found.name, "token", found.may_write, brands)


def _refuse_pages_of_others(request: Request, known: Visitor) -> None:
    """A token for some brands is for the interface for programs, whose every answer is cut to them; pages are for people, who see all."""
    path = request.scope["path"]
    if known.brands is not None and not path.startswith("/api/") and path != "/metrics":
        raise NotAllowed("this token is for some brands alone, and pages show all; ask below /api/v1/ instead")


def _by_proxy(request: Request) -> Visitor | None:
    house = house_of(request)
    header = house.settings.web.user_header
    if header is None or not is_proxied(request):
        return None
    told = request.headers.getlist(header)
    name = escape.clean(_as_utf8(told[0]), 100) if len(told) == 1 else None  # two: the reader may have sent one
    return None if name is None else Visitor(name, "proxy", nonce=house.signer.nonce_of(name))


def _as_utf8(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "replace")


def _by_session(request: Request) -> Visitor | None:
    house = house_of(request)
    cookie = request.cookies.get(SESSION)
    if cookie is None or house.password_hash is None:
        return None
    return house.signer.visitor(cookie, house.password_hash, house.settings.web.session)


def _open(request: Request) -> Visitor | None:
    """On this machine alone, with no password set, whoever asks may."""
    house = house_of(request)
    is_local = request.app.state.is_local and house.settings.web.is_local  # the second may have changed since the start
    if house.password_hash is not None or not is_local or is_forwarded(request):
        return None
    known = request.cookies.get(VISIT)
    if not known:
        known = request.state.new_visit = access.nonce()
    return Visitor("you", "open", nonce=known)


def is_forwarded(request: Request) -> bool:
    """Does the request come through a proxy, so that it may be from anywhere though it arrives on this machine?

    HTTP/1.0 is what proxies speak that add nothing of their own.
    """
    return request.scope["http_version"] == "1.0" or any(name in request.headers for name in FORWARDED)


def is_proxied(request: Request) -> bool:
    """Does the request come from one of the proxies whose headers are believed?"""
    return _is_among(request.client.host if request.client else "", house_of(request).settings.web.proxies)


def address_of(request: Request) -> str:
    """Whose request it is: as a believed proxy says, else who is connected."""
    direct = request.client.host if request.client else "?"
    if not is_proxied(request):
        return direct
    told = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    proxies = house_of(request).settings.web.proxies
    return next((one for one in reversed(told) if not _is_among(one, proxies)), direct)[:60]


def is_secure(request: Request) -> bool:
    """Does the reader's browser speak https to us, or to the proxy in front?"""
    public = house_of(request).settings.web.public_url
    if public is not None and _place(public) == ("https", request.headers.get("host", "").lower()):
        return True
    if is_proxied(request) and (told := request.headers.get("x-forwarded-proto")):
        return told.partition(",")[0].strip().lower() == "https"
    return request.url.scheme == "https"


def _is_among(address: str, networks: Sequence[str]) -> bool:
    try:
        known = _as_ipv4(ip_address(address))
        return any(known in ip_network(network) for network in networks)
    except ValueError:
        return False


def _as_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """How a socket for both kinds of addresses shows one of the older kind: ``::ffff:10.0.0.1``."""
    return getattr(address, "ipv4_mapped", None) or address


# ----------------------------------------------------------------------------------------- what they may do


async def submitted(request: Request, visitor: Reader) -> FormData:
    """A form sent from one of our own pages by somebody who may change something; its fields."""
    refuse_unless_may_write(visitor)
    form = await request.form(max_files=1, max_fields=FIELDS_AT_MOST)
    _refuse_foreign(request, visitor, str(form.get("csrf") or request.headers.get("x-csrf-token", "")))
    if any("\0" in name or (isinstance(value, str) and "\0" in value) for name, value in form.multi_items()):
        raise HTTPException(422, "the form holds a NUL character, which nothing can keep; leave it out")
    return form


Submitted = Annotated[FormData, Depends(submitted)]


def writer(request: Request, visitor: Reader) -> Visitor:
    """Somebody who may change something, by the interface for programs."""
    refuse_unless_may_write(visitor)
    if visitor.way != "token" and not (visitor.way == "open" and _is_no_browser(request)):
        _refuse_foreign(request, visitor, request.headers.get("x-csrf-token", ""))
    return visitor


Writer = Annotated[Visitor, Depends(writer)]


def refuse_unless_may_write(visitor: Visitor) -> None:
    if not visitor.may_write:
        raise NotAllowed("this token may read only; make one that may write: sentiment-monitor web token NAME --write")


def _is_no_browser(request: Request) -> bool:
    """Every browser says where a request that changes something comes from; programs do not."""
    return not any(request.headers.get(name) for name in ("origin", "sec-fetch-site", "referer", "cookie"))


def refuse_other_sites(request: Request) -> None:
    """Refuse what a page of another site makes a browser send; programs say nothing of that kind."""
    origin = request.headers.get("origin")
    is_ours = origin is None or _is_ours(request, origin)
    if not is_ours or request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise NotAllowed("the request comes from another site; open this page here and try again")


def _refuse_foreign(request: Request, visitor: Visitor, token: str) -> None:
    refuse_other_sites(request)
    if not house_of(request).signer.is_form_of(visitor, token):
        raise NotAllowed("the form is out of date; open the page again and repeat what you did")


def _is_ours(request: Request, origin: str) -> bool:
    public = house_of(request).settings.web.public_url
    if public is not None and _place(origin) == _place(public):
        return True
    scheme, netloc = _place(origin)
    return scheme in ("http", "https") and netloc == request.headers.get("host", "").lower()


def _place(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme.lower(), parts.netloc.lower()


def is_known_host(house: House, host: str, *, is_local: bool) -> bool:
    """Is it one of our names? Others point here to make a browser ask for somebody else (DNS rebinding)."""
    name = _name_of(host)
    web = house.settings.web
    ours = {*LOOPBACK, web.host.lower(), *(known.lower() for known in web.hosts)}
    if web.public_url is not None:
        ours.add(_name_of(urlsplit(web.public_url).netloc))
    return bool(name) and (name in ours or is_loopback(name) or (not is_local and _is_address(name)))


_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?)(?::[0-9]{1,5})?", re.ASCII)


def _name_of(host: str) -> str:
    """The name or address in a ``Host`` header; empty for what is none, such as one with a user name or a path."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2]) if found else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_right_password(house: House, given: str) -> bool:
    """Is it the password that the configuration or the store holds?"""
    kept = house.password_hash
    if kept is None:
        return False
    told = house.settings.web.password
    if told is not None:
        return hmac.compare_digest(told.get_secret_value().encode(), given.encode())
    return access.is_password(kept, given)
