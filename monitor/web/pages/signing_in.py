"""Signing in and out."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.config.web import LONGEST_PASSWORD
from monitor.web import access
from monitor.web.guards import (
    SESSION,
    Here,
    NotAllowed,
    NotSignedIn,
    address_of,
    is_right_password,
    refuse_other_sites,
    submitted,
    visitor,
)
from monitor.web.house import House
from monitor.web.page import own_path, render, sign_in
from monitor.web.problems import Refused

router = APIRouter(include_in_schema=False)
LONGEST_PATH = 8_000


@router.get("/login")
def login(request: Request, house: Here, next: str = "/") -> Response:
    """The form that asks for the password; whoever needs none is sent on."""
    try:
        visitor(request)
    except NotSignedIn:
        _refuse_without_password(house)
        return render(request, "login.html", title="Sign in", next=own_path(next), wrong=None)
    return RedirectResponse(own_path(next), 303)


@router.post("/login", dependencies=[Depends(refuse_other_sites)])
def try_password(
    request: Request,
    house: Here,
    password: Annotated[str, Form(max_length=LONGEST_PASSWORD)] = "",
    next: Annotated[str, Form(max_length=LONGEST_PATH)] = "/",
) -> Response:
    """A password is right, wrong, or one too many."""
    _refuse_without_password(house)
    if not _is_right(request, house, password):
        wrong = "That is not the password."
        return render(request, "login.html", status=401, title="Sign in", next=own_path(next), wrong=wrong)
    answer = RedirectResponse(own_path(next), 303)
    session = house.signer.session("you", house.password_hash)
    sign_in(request, answer, session, int(house.settings.web.session.total_seconds()))
    return answer


def _is_right(request: Request, house: House, password: str) -> bool:
    address = address_of(request)
    wait = house.throttle.enter(address, house.now())
    if wait is not None:
        minutes = max(1, math.ceil(wait.total_seconds() / 60))
        said = f"too many wrong passwords; try again in {minutes} minute{'s' if minutes > 1 else ''}"
        raise Refused(429, said, {"Retry-After": str(minutes * 60)})
    try:
        is_right = is_right_password(house, password)
    except access.Busy as error:
        house.throttle.take_back(address)
        raise Refused(503, "too many sign in at once; try again in a moment", {"Retry-After": "2"}) from error
    if is_right:
        house.throttle.succeeded(address)
    return is_right


def _refuse_without_password(house: House) -> None:
    """There is none that could be right: say what helps instead of asking."""
    if house.password_hash is not None:
        return
    if house.settings.web.user_header is not None:
        raise NotAllowed("the proxy in front of the dashboard did not say who you are; sign in there")
    raise NotAllowed(
        "this dashboard is open to its own machine alone, and you come from elsewhere, maybe through a proxy;"
        " set a password on that machine: sentiment-monitor web password"
    )


@router.post("/logout", dependencies=[Depends(submitted)])
def logout() -> Response:
    """The session ends in this browser."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION)
    return answer
