"""A dashboard over the sample data, and a browser to look at it with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from monitor.app import App, build
from monitor.daemon import run_once
from monitor.samples import demo
from monitor.samples.demo import demo_settings
from tests.fakes import samples
from tests.web.serving import Dashboard, served

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OWN = shutil.ignore_patterns("demo.toml")
"""What names the store of its own folder."""


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds the sample data, to be copied."""
    folder = tmp_path_factory.mktemp("sampled")
    shutil.copytree(samples.once(tmp_path_factory, "demo", _pulled), folder, ignore=OWN, dirs_exist_ok=True)
    return folder


def _pulled(folder: Path) -> None:
    app = build(demo_settings(folder))
    run_once(app, Event())
    demo.audit(app)
    app.close()


@pytest.fixture(scope="session")
def read_only(sampled: Path) -> Iterator[Dashboard]:
    """The dashboard over the sample data, for tests that change nothing."""
    app = build(demo_settings(sampled))
    with served(app) as dashboard:
        yield dashboard
    app.close()


@pytest.fixture
def sample_app(sampled: Path, tmp_path: Path) -> Iterator[App]:
    """The program over a copy of the sample data."""
    folder = tmp_path / "copy"
    shutil.copytree(sampled, folder, ignore=OWN)
    app = build(demo_settings(folder))
    yield app
    app.close()


@pytest.fixture
def dashboard(sample_app: App) -> Iterator[Dashboard]:
    """The dashboard over a copy of the sample data, for tests that change something."""
    with served(sample_app) as made:
        yield made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium: Playwright's own, else the system's."""
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        path = os.environ.get("CHROMIUM") or (str(own) if own.exists() else system)
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader of their own: no cookies, a zone."""
    made = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Berlin")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """An empty tab; what its console complains of, errors and breaches of the policy, fails the test."""
    made = context.new_page()
    complaints: list[str] = []
    made.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    assert complaints == []
