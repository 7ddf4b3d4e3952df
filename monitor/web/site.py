"""The site put together: pages for people, the interface for programs, and the guards before both."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from monitor import __version__
from monitor.web import api, pages
from monitor.web.description import describe, operation_id
from monitor.web.gauges import Gauges
from monitor.web.headers import Guarded
from monitor.web.house import House
from monitor.web.problems import handle

ABOUT = """The figures of the dashboard for programs. Send `Authorization: Bearer TOKEN`; make tokens with
`sentiment-monitor web token NAME`. Errors are problem documents (RFC 9457). Times are ISO 8601 in UTC."""


def make_site(house: House, *, is_local: bool) -> FastAPI:
    """The whole site. ``is_local``: it can be reached from this machine alone, so it may be open without a password."""
    site = _empty()
    site.state.house, site.state.is_local, site.state.gauges = house, is_local, Gauges()
    for router in (*routers(pages), *routers(api)):
        site.include_router(router)
    handle(site)
    site.add_middleware(GZipMiddleware, minimum_size=1_000)
    site.middleware_stack = Guarded(site.build_middleware_stack(), site)  # before what answers bugs, too
    return site


def described() -> dict[str, Any]:
    """The description of the interface for programs (OpenAPI 3.1)."""
    site = _empty()
    for router in routers(api):
        site.include_router(router)
    return site.openapi()


def _empty() -> FastAPI:
    site = FastAPI(
        title="Sentiment Monitor", version=__version__, description=ABOUT,
        openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None,
        generate_unique_id_function=operation_id,
    )  # fmt: skip
    describe(site)
    return site


def routers(package: object) -> list[APIRouter]:
    """The ``router`` of every module in a package, by the modules' names."""
    names = sorted(module.name for module in iter_modules(package.__path__))  # type: ignore[attr-defined]
    found = [import_module(f"{package.__name__}.{name}") for name in names]  # type: ignore[attr-defined]
    return [module.router for module in found if hasattr(module, "router")]
