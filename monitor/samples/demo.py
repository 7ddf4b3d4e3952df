"""The sample brands as a configuration of their own, for a first look in a temporary folder."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

from monitor.config import Settings, parse


def demo_settings(folder: Path) -> Settings:
    """The sample brands and sources, kept in ``folder``."""
    data = tomllib.loads(files(__package__).joinpath("demo.toml").read_text(encoding="utf-8"))
    data["monitor"]["database"] = f"sqlite:///{folder / 'monitor.db'}"
    data["channels"][0]["folder"] = str(folder / "digests")
    return parse(data, folder / "demo.toml")
