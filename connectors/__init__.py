"""Connectors: what people say, page by page, from each platform."""

import sys

# httpx brings a command line of its own, which loads rich and Pygments: 5 MB in every process, and nothing here needs it.
# Told that there is none, it goes without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
