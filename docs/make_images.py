"""Makes docs/images from the sample brands: python docs/make_images.py. Needs Chromium on the PATH."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from playwright.sync_api import Browser, sync_playwright

from monitor.app import build
from monitor.daemon import run_once
from monitor.samples import demo
from monitor.samples.demo import demo_settings
from monitor.web import serving

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--hide-scrollbars"]
BRAND = "brand=Larkspur&window=30d"


@dataclass(frozen=True)
class Shot:
    """A picture: of the weekly digest (without ``path``) or of a page of the dashboard."""

    name: str
    path: str | None
    width: int
    height: int
    dark: bool = False


SHOTS = (
    Shot("digest", None, 760, 1500),
    Shot("digest-dark", None, 760, 1500, dark=True),
    Shot("digest-phone", None, 390, 1500),
    Shot("overview", f"/overview?{BRAND}", 1280, 1400),
    Shot("overview-dark", f"/overview?{BRAND}", 1280, 1400, dark=True),
    Shot("overview-phone", f"/overview?{BRAND}", 390, 1500),
    Shot("mentions", f"/mentions?{BRAND}", 1280, 900),
    Shot("reviews-phone", f"/reviews?{BRAND}", 390, 1200, dark=True),
    Shot("topics", f"/topics?{BRAND}", 1280, 1000),
    Shot("audit", "/audit/1?at=5", 1280, 800),
    Shot("keywords", f"/keywords?{BRAND}&exclude=yarn", 1280, 1000),
    Shot("alerts", f"/alerts?{BRAND}", 1280, 1000),
    Shot("sources", "/sources", 1280, 900),
)


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium on the PATH; install it and run this again")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        app = build(demo_settings(folder))
        run_once(app, Event())
        demo.audit(app)
        bound = serving.listening("127.0.0.1", 0)
        server = serving.server_of(app)
        thread = Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        digest = next((folder / "digests").glob("weekly-*.html")).as_uri()
        for shot in SHOTS:
            take(browser, shot, f"http://127.0.0.1:{bound.getsockname()[1]}{shot.path}" if shot.path else digest)
        browser.close()
        server.should_exit = True
        thread.join()
        app.close()


def take(browser: Browser, shot: Shot, address: str) -> None:
    """One picture, once everything of the page has come."""
    page = browser.new_page(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.dark else "light",
        timezone_id="Europe/Berlin",
    )
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{shot.name}.png")
    page.close()


main()
