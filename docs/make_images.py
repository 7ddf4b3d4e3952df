"""Makes docs/images from the sample brands: python docs/make_images.py. Needs Chromium on the PATH."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from threading import Event

from monitor.app import build
from monitor.daemon import run_once
from monitor.samples.demo import demo_settings

IMAGES = Path(__file__).parent / "images"
SHOTS = {"digest": (760, 1500, False), "digest-dark": (760, 1500, True), "digest-phone": (390, 1500, False)}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
)


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium on the PATH; install it and run this again")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = build(demo_settings(folder))
        run_once(app, Event())
        app.close()
        page = next((folder / "digests").glob("weekly-*.html"))
        for shot, (width, height, dark) in SHOTS.items():
            flags = [*FLAGS, f"--user-data-dir={folder / shot}", f"--window-size={width},{height}"]
            flags += ["--blink-settings=preferredColorScheme=0"] if dark else []
            command = [chromium, *flags, f"--screenshot={IMAGES / shot}.png", page.as_uri()]
            subprocess.run(command, check=True, capture_output=True, timeout=60)


main()
