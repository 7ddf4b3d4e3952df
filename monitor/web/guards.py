"""Who may do what, for requests: host and origin, sessions, proxies, tokens, forms. The decisions are :mod:`monitor.web.access`'s."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address, ip_network
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData

from monitor.config.web import LOOPBACK, is_loopback
from monitor.digest import escape
from monitor.web import access
from monitor.web.access import Visitor
from monitor.web.house import House
from storage import tokens

SESSION: Final = "sm_session"
VISIT: Final = "sm_visit"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FIELDS_AT_MOST: Final = 2_000


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


def _by_proxy(request: Request) -> Visitor | None:
    house = house_of(request)
    header = house.settings.web.user_header
    if header is None or not is_proxied(request):
        return None
    name = escape.clean(request.headers.get(header), 100)
    if name is None:
        return None
    return Visitor(name, "proxy", nonce=hashlib.sha256(name.encode()).hexdigest())


def _by_session(request: Request) -> Visitor | None:
    house = house_of(request)
    cookie = request.cookies.get(SESSION)
    if cookie is None or house.password_hash is None:
        return None
    return house.signer.visitor(cookie, house.password_hash, house.settings.web.session)


def _open(request: Request) -> Visitor | None:
    """On this machine alone, with no password set, whoever asks may."""
    house = house_of(request)
    if house.password_hash is not None or not request.app.state.is_local:
        return None
    if house.settings.web.user_header is not None:
        return None
    known = request.cookies.get(VISIT)
    if known is None:
        known = request.state.new_visit = access.nonce()
    return Visitor("you", "open", nonce=known)


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
    if is_proxied(request):
        return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    return request.url.scheme == "https"


def _is_among(address: str, networks: list[str]) -> bool:
    try:
        return any(ip_address(address) in ip_network(network) for network in networks)
    except ValueError:
        return False


# ----------------------------------------------------------------------------------------- what they may do


async def submitted(request: Request, visitor: Reader) -> FormData:
    """A form sent from one of our own pages by somebody who may change something; its fields."""
    refuse_unless_may_write(visitor)
    form = await request.form(max_files=1, max_fields=FIELDS_AT_MOST)
    _refuse_foreign(request, visitor, str(form.get("csrf") or request.headers.get("x-csrf-token", "")))
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


def _refuse_foreign(request: Request, visitor: Visitor, token: str) -> None:
    origin = request.headers.get("origin")
    if origin is not None and not _is_ours(request, origin):
        raise NotAllowed("the request comes from another site; open this page here and try again")
    if not house_of(request).signer.is_form_of(visitor, token):
        raise NotAllowed("the form is out of date; open the page again and repeat what you did")


def _is_ours(request: Request, origin: str) -> bool:
    public = house_of(request).settings.web.public_url
    if public is not None and _place(origin) == _place(public):
        return True
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def is_known_host(house: House, host: str, *, is_local: bool) -> bool:
    """Is it one of our names? Others point here to make a browser ask for somebody else (DNS rebinding)."""
    name = _name_of(host)
    web = house.settings.web
    ours = {*LOOPBACK, web.host.lower(), *(known.lower() for known in web.hosts)}
    if web.public_url is not None:
        ours.add(_name_of(urlsplit(web.public_url).netloc))
    return name in ours or is_loopback(name) or (not is_local and _is_address(name))


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


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
