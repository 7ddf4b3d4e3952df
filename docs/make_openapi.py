"""Writes the description of the interface for programs: python docs/make_openapi.py [--check]."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from monitor.web.site import described

FILE = Path(__file__).parent / "openapi.json"


def main() -> None:
    made = json.dumps(described(), indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        fresh = FILE.exists() and FILE.read_text(encoding="utf-8") == made
        sys.exit(0 if fresh else f"{FILE.name}: out of date; run: python docs/make_openapi.py")
    FILE.write_text(made, encoding="utf-8")


main()
