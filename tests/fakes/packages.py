"""Installed packages, as Python sees them in a folder: a module, and metadata with entry points."""

from __future__ import annotations

from pathlib import Path

GROUP = "sentiment_monitor.connectors"
PLUGIN = """
from datetime import timedelta
from connectors.contract import Capabilities, Options, Plugin, Scope

class Given(Options):
    pass

def recognise(link):
    raise RuntimeError("whatever the link")

PLUGIN = Plugin("{name}", "{name}", "{name}", Given, lambda options, context: None, Capabilities(Scope.SEARCH), recognise)
"""


def install(folder: Path, package: str, module: str, entries: str) -> None:
    """Put a package into ``folder``: one module of the package's name, and the lines of its entry points."""
    (folder / f"{package}.py").write_text(module, encoding="utf-8")
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{entries}\n", encoding="utf-8")


def install_broken(folder: Path) -> Path:
    """One package for each way in which a connector of somebody else's can be of no use."""
    folder.mkdir()
    install(folder, "raising", "1 / 0", "raising = raising:PLUGIN")
    install(folder, "leaving", "raise SystemExit(3)", "leaving = leaving:PLUGIN")
    install(folder, "textual", "PLUGIN = 'no plugin'", "textual = textual:PLUGIN")
    install(folder, "misnamed", PLUGIN.format(name="other"), "misnamed = misnamed:PLUGIN")
    install(
        folder,
        "untyped",
        f"{PLUGIN.format(name='untyped')}\nobject.__setattr__(PLUGIN, 'options', dict)",
        "untyped = untyped:PLUGIN",
    )
    install(folder, "clashing", PLUGIN.format(name="reddit"), "reddit = clashing:PLUGIN")
    install(folder, "twin_a", PLUGIN.format(name="twin"), "twin = twin_a:PLUGIN")
    install(folder, "twin_b", PLUGIN.format(name="twin"), "twin = twin_b:PLUGIN")
    install(folder, "sound", PLUGIN.format(name="sound"), "sound = sound:PLUGIN")
    return folder
