"""The sample brands as a configuration of their own, for a first look in a temporary folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import tomlkit

from monitor.config import Settings, load


def demo_settings(folder: Path) -> Settings:
    """The sample brands and sources, kept in ``folder``: a configuration file that may be changed, the store, the digests."""
    config = folder / "demo.toml"
    if not config.exists():
        config.write_text(_written(folder), encoding="utf-8")
    return load(config)


def _written(folder: Path) -> str:
    document = tomlkit.parse(files(__package__).joinpath("demo.toml").read_text(encoding="utf-8"))
    document["monitor"]["database"] = f"sqlite:///{folder / 'monitor.db'}"  # type: ignore[index]
    document["channels"][0]["folder"] = str(folder / "digests")  # type: ignore[index]
    return tomlkit.dumps(document)
