#!/bin/sh
# Brings the browser that the dashboard is looked at with: one that is there, else Playwright's own, else the system's.
set -u
python=${1:-python3}

is_there() {
	for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
		if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then return 0; fi
	done
	"$python" - <<'PY'
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    sys.exit(not Path(playwright.chromium.executable_path).exists())
PY
}

is_there && exit 0
echo "no browser yet: playwright install chromium"
timeout 300 "$python" -m playwright install chromium >/dev/null 2>&1 && is_there && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "that failed: apt-get install chromium"
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -q chromium >/dev/null 2>&1 ||
		{ apt-get update -q >/dev/null 2>&1 && apt-get install -y -q chromium >/dev/null; }
	is_there && exit 0
fi
echo "no browser could be installed; install Chromium, or name one: CHROMIUM=/path/to/chromium" >&2
exit 1
