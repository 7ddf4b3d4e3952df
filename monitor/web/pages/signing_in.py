"""Signing in and out."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.web.guards import SESSION, Here, NotSignedIn, address_of, is_right_password, submitted, visitor
from monitor.web.page import own_path, render, sign_in
from monitor.web.problems import Refused

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login(request: Request, next: str = "/") -> Response:
    """The form that asks for the password; whoever needs none is sent on."""
    try:
        visitor(request)
    except NotSignedIn:
        return render(request, "login.html", title="Sign in", next=own_path(next), wrong=None)
    return RedirectResponse(own_path(next), 303)


@router.post("/login")
def try_password(
    request: Request,
    house: Here,
    password: Annotated[str, Form(max_length=1_000)] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """A password is right, wrong, or one too many."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "the request comes from another site; open this page here and try again")
    address = address_of(request)
    wait = house.throttle.wait(address, house.now())
    if wait is not None:
        minutes = math.ceil(wait.total_seconds() / 60)
        raise Refused(
            429, f"too many wrong passwords; try again in {minutes} minutes", {"Retry-After": str(minutes * 60)}
        )
    if not is_right_password(house, password):
        house.throttle.failed(address, house.now())
        return render(
            request, "login.html", status=401, title="Sign in", next=own_path(next), wrong="That is not the password."
        )
    house.throttle.succeeded(address)
    answer = RedirectResponse(own_path(next), 303)
    session = house.signer.session("you", house.password_hash)
    sign_in(request, answer, session, int(house.settings.web.session.total_seconds()))
    return answer


@router.post("/logout", dependencies=[Depends(submitted)])
def logout() -> Response:
    """The session ends in this browser."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION)
    return answer
