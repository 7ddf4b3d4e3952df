"""The documentation says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from connectors import registry
from monitor.cli import app
from monitor.config import load, models, parse, watching
from monitor.config.models import CHANNEL_TYPES
from monitor.scoring import ScoringOptions

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("monitor/samples/*.md")]
)
EXAMPLE = ROOT / "config.example.toml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert broken == []


def test_generated_pages_are_up_to_date() -> None:
    script = ROOT / "docs" / "make_reference.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_example_configuration_is_valid_as_it_is() -> None:
    settings = load(EXAMPLE)
    assert [brand.name for brand in settings.brands] == ["Larkspur", "Jotwick", "Pebblebox", "Home Assistant"]


@pytest.mark.parametrize(
    "model",
    [
        models.MonitorSettings,
        models.BrandSettings,
        models.SourceSettings,
        models.AccountSettings,
        models.DigestSettings,
        models.AlertSettings,
        watching.RuleSettings,
        *CHANNEL_TYPES.values(),
        ScoringOptions,
    ],
    ids=lambda model: model.__name__,
)
def test_every_key_is_explained_in_the_example(model: type[models.Table]) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    names = [field.alias or name for name, field in model.model_fields.items()]
    missing = [name for name in names if not re.search(rf"(?m)\b{re.escape(name)} = ", text)]
    assert missing == []


def test_the_readme_s_configuration_is_valid() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    assert parse(tomllib.loads(example[1])).brands[0].name == "Acme"


def test_the_readme_names_commands_that_exist() -> None:
    known = {
        command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands
    }
    known |= {group.name for group in app.registered_groups if group.name}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"sentiment-monitor ([a-z]+)", text))
    assert named - {"run"} <= known
    assert {"init", "try", "add", "check", "run", "scores", "items", "sources", "db", "demo"} <= named


def test_every_built_in_connector_has_its_page() -> None:
    for name in registry.BUILT_IN:
        page = ROOT / "docs" / "connectors" / f"{name}.md"
        assert page.exists(), name
        assert f'type = "{name}"' in page.read_text(encoding="utf-8")
