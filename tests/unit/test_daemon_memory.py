"""The idle daemon stays small: what it loads at start has none of the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "alembic",
    "apprise",
    "css_inline",
    "dask",
    "fastapi",
    "matplotlib",
    "numpy",
    "pandas",
    "praw",
    "pyarrow",
    "pygments",
    "rich",
    "scipy",
    "vl_convert",
)
START = """
import sys
import monitor.app, monitor.cli.collecting, monitor.config, monitor.daemon, monitor.troubles
print([name for name in sys.argv[1:] if name in sys.modules])
"""


def test_the_daemon_loads_no_heavy_library_at_start() -> None:
    done = subprocess.run([sys.executable, "-c", START, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
