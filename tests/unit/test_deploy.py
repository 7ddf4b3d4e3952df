"""What ``deploy/`` and its page say is so: paths, versions, commands and options exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from monitor.cli import command
from monitor.config import ConfigError, parse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ADDRESS = "postgresql+psycopg://monitor:secret-word@database/monitor"


def instructions(name: str) -> list[str]:
    """The arguments of all the Dockerfile's instructions of this name."""
    return re.findall(rf"^ *{name} +(.*?) *$", DOCKERFILE, re.MULTILINE)


def unit() -> Mapping[str, list[str]]:
    """The unit's keys, each with all its values."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(
        r"^(\w+)=(.*)$", (DEPLOY / "sentiment-monitor.service").read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(key, []).append(value)
    return found


def services(*names: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in names:
        yield from yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))["services"].items()


def needed(names: Iterable[str]) -> set[str]:
    """These distributions and all that they need here."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            wanted = map(Requirement, metadata.requires(name) or ())
            waiting += [
                canonicalize_name(one.name) for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})
            ]
    return found


def takes(words: list[str]) -> bool:
    """Is this a command with these options? Only names are looked at."""
    node: Any = command()
    for word in words:
        below = getattr(node, "commands", {})
        if word in below:
            node = below[word]
        elif word.startswith("--"):
            known = [*node.params, *(below["show"].params if "show" in below else ())]  # `sources` is `sources show`
            if not any(word in option.opts for option in known):
                return False
    return node is not command()


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [path for one in instructions("COPY") if "--from" not in one for path in one.split()[:-1]]
    assert [path for path in sources if not (ROOT / path).exists()] == []
    assert [path for path in sources if not any(Path(path).match(pattern) for pattern in sent)] == []
    assert {"monitor", "connectors", "storage"} <= set(sources)


def test_the_image_s_python_is_one_that_is_supported() -> None:
    (python,) = re.findall(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)
    assert python in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]


def test_what_leaves_the_image_only_built_it() -> None:
    (gone,) = re.findall(r"pip uninstall --yes ([\w -]+?) *&&", DOCKERFILE)
    assert "hatchling" in gone.split()
    assert set(gone.split()) & needed(["sentiment-monitor"]) == set()


def test_the_image_s_extras_exist_and_are_locked() -> None:
    (extras,) = re.findall(r"^ARG EXTRAS=(.*)$", DOCKERFILE, re.MULTILINE)
    locked = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").lower()
    for extra in extras.split(","):
        for wanted in map(Requirement, PROJECT["optional-dependencies"][extra]):
            assert f"\n{wanted.name}==" in locked


def test_the_image_runs_commands_that_exist() -> None:
    health = shlex.split(instructions("HEALTHCHECK")[0].partition("CMD ")[2].strip("[]").replace(",", " "))
    started = shlex.split(instructions("CMD")[-1].strip("[]").replace(",", " "))
    assert (health[0], instructions("ENTRYPOINT")) == ("sentiment-monitor", ['["sentiment-monitor"]'])
    assert takes(health[1:])
    assert takes(started)


def test_the_image_is_not_root() -> None:
    user, _ = instructions("USER")[-1].split(":")
    assert int(user) > 0
    assert f"--uid {user} " in DOCKERFILE


def test_the_unit_runs_a_command_that_exists_in_the_folder_it_may_write_to() -> None:
    said = unit()
    (home,) = said["WorkingDirectory"]
    program, *words = said["ExecStart"][0].split()
    assert Path(program).name == "sentiment-monitor"
    assert takes(words)
    assert words[-1] == f"{home}/config.toml"
    assert home == f"/var/lib/{said['StateDirectory'][0]}"


def test_a_faulty_configuration_is_not_tried_again_and_again_by_systemd() -> None:
    assert (unit()["Restart"], unit()["RestartPreventExitStatus"]) == (["on-failure"], ["2"])


def test_charts_can_be_drawn_under_the_unit() -> None:
    assert "MemoryDenyWriteExecute" not in unit()  # their engine compiles its code as it runs


def test_compose_publishes_to_the_machine_alone_and_may_write_to_its_folder_alone() -> None:
    ((_, monitor),) = services("compose.yaml")
    assert all(port.startswith("127.0.0.1:") for port in monitor["ports"])
    assert [volume.partition(":")[2] for volume in monitor["volumes"]] == instructions("VOLUME")
    assert (monitor["read_only"], monitor["cap_drop"]) == (True, ["ALL"])
    assert (DEPLOY / monitor["build"]["context"] / monitor["build"]["dockerfile"]).exists()


def test_compose_with_postgresql_waits_for_it_and_names_no_password() -> None:
    told = dict(services("compose.postgres.yaml"))
    assert set(told["monitor"]["depends_on"]) == {"database"}
    assert told["monitor"]["environment"]["PGPASSWORD"] == told["database"]["environment"]["POSTGRES_PASSWORD"]
    assert told["monitor"]["environment"]["PGPASSWORD"].startswith("${DATABASE_PASSWORD:?")


def test_the_store_s_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"brands": [{"name": "Acme"}], "monitor": {"database": "env:DATABASE_URL"}}
    monkeypatch.setenv("DATABASE_URL", ADDRESS)
    assert parse(told).monitor.database == ADDRESS
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(ConfigError, match=r"monitor.database: the variable DATABASE_URL is not set"):
        parse(told)


def test_the_page_names_commands_options_and_files_that_exist() -> None:
    typed = re.findall(
        r"(?:^|[ /`])sentiment-monitor ((?:[a-z]+ )*[a-z]+(?: --[a-z-]+| [^ `\n]+)*)", PAGE, re.MULTILINE
    )
    named: Mapping[str, Any] = vars(command())["commands"]
    calls = [line.split() for line in typed if line.split()[0] in named]
    assert len(calls) >= 8
    assert [words for words in calls if not takes(words)] == []
    files = re.findall(r"(?:deploy/[\w.-]+|requirements/[\w.]+|config\.example\.toml)", PAGE)
    made = {"deploy/data", "deploy/.env", "requirements/"}
    assert [name for name in files if name not in made and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("shown", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_the_page_s_settings_are_valid(shown: str) -> None:
    parse({"brands": [{"name": "Acme"}], **tomllib.loads(shown)})
