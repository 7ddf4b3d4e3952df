"""A connector of one's own to begin with: a package that passes its tests as it is written."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from connectors import registry

LONGEST: Final = 30

_FILES: Final = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    "src/$package/__init__.py": "init.py",
    "src/$package/options.py": "options.py",
    "src/$package/parse.py": "parse.py",
    "src/$package/connector.py": "connector.py",
    "src/$package/py.typed": "",
    "tests/fake_$name.py": "fake.py",
    "tests/test_$name.py": "test.py",
    "docs/$name.md": "page.md",
}
"""What is written, and the template that it is written from."""


def fault_of(name: str) -> str | None:
    """Why a connector cannot be called so, and what to do; ``None`` where it can."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")
        better = f"; write {near}" if near and near != name and fault_of(near) is None else ""
        return f'"{name}": small letters, digits and single underscores only, a letter first{better}'
    if len(name) > LONGEST:
        return f'"{name}": has {len(name)} characters, {LONGEST} are allowed; choose a shorter one'
    if keyword.iskeyword(name):
        return f'"{name}": is a word of Python; choose another'
    if name in registry.names():
        whose = registry.package(name)
        return f'"{name}": is there already, {f"brought by {whose}" if whose else "built in"}; choose another'
    return None


def package_of(name: str) -> dict[str, str]:
    """The files of a new connector's package, by path. ``name`` has no fault."""
    words = _words(name)
    return {
        Template(path).substitute(words): _filled(template, words) if template else ""
        for path, template in _FILES.items()
    }


def write(name: str, folder: Path) -> list[Path]:
    """Write a new connector's package; ``FileExistsError`` where something stands already."""
    folder.mkdir(parents=True)
    written = []
    for path, text in package_of(name).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def distribution_of(name: str) -> str:
    """What the package is called where packages are installed from."""
    return f"sentiment-monitor-{name.replace('_', '-')}"


def _words(name: str) -> Mapping[str, str]:
    from monitor import __version__

    return {
        "name": name,
        "dashed": name.replace("_", "-"),
        "upper": name.upper(),
        "cls": "".join(part.capitalize() for part in name.split("_")),
        "title": " ".join(part.capitalize() for part in name.split("_")),
        "package": f"sentiment_monitor_{name}",
        "distribution": distribution_of(name),
        "version": __version__,
    }


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = files("monitor.scaffold").joinpath("files", f"{template}.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute(words)
