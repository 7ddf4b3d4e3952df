"""The sample brands as a configuration of their own, for a first look in a temporary folder."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final

import tomlkit

from monitor import auditing
from monitor.app import App
from monitor.config import Settings, load
from monitor.schedule import span
from storage import listing

AUDITED: Final = timedelta(days=30)
LABELS: Final = 120
SEED: Final = 2_026
WRITERS: Final = "the writers of the sample"


def demo_settings(folder: Path) -> Settings:
    """The sample brands and sources, kept in ``folder``: a configuration file that may be changed, the store, the digests."""
    config = folder / "demo.toml"
    if not config.exists():
        config.write_text(_written(folder), encoding="utf-8")
    return load(config)


def _written(folder: Path) -> str:
    document = tomlkit.parse(files(__package__).joinpath("demo.toml").read_text(encoding="utf-8"))
    document["monitor"]["database"] = f"sqlite:///{folder / 'monitor.db'}"
    document["channels"][0]["folder"] = str(folder / "digests")
    return tomlkit.dumps(document)


def audit(app: App) -> None:
    """A sample of what is said of the first sample brand, labelled by those who wrote it, so that there is a checked score."""
    brand = app.settings.brands[0].name
    end = app.now()
    drawn = auditing.draw(app, brand, span(end - AUDITED, end, app.settings.monitor.zone), LABELS, SEED)
    if drawn is None:
        return
    labels = truth()
    shown = listing.items_by_id(app.database, [one.id for one in auditing.sheet(app, drawn, WRITERS).items])
    for one in auditing.sheet(app, drawn, WRITERS).items:
        label = labels.get(shown[one.id].external_id)
        if label is not None:
            auditing.say(app, drawn, one, WRITERS, label)


def truth() -> dict[str, str]:
    """What the writers meant; for items that name two brands or something else of that name, what they say of this one."""
    names = ("labels.jsonl", "labels_larkspur.jsonl")
    texts = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in names)
    return {row["id"]: row["label"] for text in texts for row in map(json.loads, text.splitlines())}
