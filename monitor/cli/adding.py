"""``add``: asks for what a source needs, shows its first items, and writes it into the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.asking import agreed, ask, ask_secret, can_ask
from monitor.cli.common import AsJson, ConfigPath, Failure, load_settings, next_step, print_json, say
from monitor.cli.trying import OptionTexts, looked, show, told, understood, validated

if TYPE_CHECKING:
    from pydantic import BaseModel

    from monitor.config import BrandSettings, Settings
    from monitor.config.models import AccountSettings
    from monitor.preview import Target

SHOWN = 5
"""Items that are shown before the question whether to keep the source."""


def add(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="A connector's name, a link, or a file.")],
    name: Annotated[str | None, typer.Option("--name", help="The source's name (default: made of type and brand).")] = None,
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="The brand it is read for.")] = None,
    option: OptionTexts = None,
    account: Annotated[str | None, typer.Option("--account", help="The account whose credentials it uses.")] = None,
    every: Annotated[str | None, typer.Option("--every", help="How often, as in 15m.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Keep it without being asked.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Add a source: asks for what it needs, shows its first items, writes it into the configuration."""
    from monitor.config.given import values_of

    settings = load_settings(config)
    asks = can_ask() and not as_json
    if not (asks or yes):
        raise Failure("add asks before it writes, and nobody can be asked here; give --yes", 2)
    target = understood(type_)
    try:
        given = values_of(target.plugin.options, option or [])
    except ValueError as error:
        raise Failure(f"--option {error}", 2) from error
    served = _brand(settings, brand, asks=asks)
    named = _name(settings, name, f"{target.plugin.name}-{served.name}")
    plan = _Plan(target.plus(given), named, served, every, _account(settings, target, account))
    plan = _complete(plan) if asks else plan
    _add(settings, plan, yes=yes, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be added. ``target.options`` are as the user gave them; ``account`` lends its own to them."""

    target: Target
    name: str
    brand: BrandSettings
    every: str | None
    account: AccountSettings | None

    @property
    def model(self) -> type[BaseModel]:
        model: type[BaseModel] = self.target.plugin.options
        return model

    @property
    def whole(self) -> Target:
        """The target with the account's options."""
        lent = self.account.options if self.account else {}
        return replace(self.target, options={**lent, **self.target.options})


def _add(settings: Settings, plan: _Plan, *, yes: bool, as_json: bool) -> None:
    assert settings.path is not None
    options, target = validated(plan.whole, settings.path.parent)
    keywords = plan.brand.compiled()
    preview = looked(
        target, options, name=plan.brand.name, keywords=keywords, limit=SHOWN, profile=settings.scoring
    )
    if not as_json:
        show(target, preview)
    if not (yes or agreed(f"Keep it as {plan.name}?")):
        raise Failure("nothing was written")
    written = _write(settings.path, plan, options)
    if as_json:
        print_json({**written, "preview": told(target, preview)})
        return
    say(f"{settings.path}: source {plan.name} added for {plan.brand.name}")
    next_step(f"sentiment-monitor pull {plan.name}" if re.fullmatch(r"[\w.-]+", plan.name) else "sentiment-monitor pull")


# ------------------------------------------------------------------------------------------------- choosing


def _brand(settings: Settings, given: str | None, *, asks: bool) -> BrandSettings:
    known = [brand.name for brand in settings.brands]
    if given is None and len(known) > 1 and asks:
        given = ask(f"For which brand? ({', '.join(known)})", known[0], fault=lambda a: _unknown(a, known))
    if given is None and len(known) > 1:
        raise Failure(f"--brand: missing; there are: {', '.join(known)}", 2)
    wanted = given or known[0]
    if (fault := _unknown(wanted, known)) is not None:
        raise Failure(fault, 2)
    return settings.brand(wanted)


def _unknown(name: str, known: Sequence[str]) -> str | None:
    return None if name in known else f'--brand: no brand "{name}"; there are: {", ".join(known)}'


def _name(settings: Settings, given: str | None, usual: str) -> str:
    from monitor.config.starter import free_name, slug

    taken = {source.name for source in settings.sources}
    if given is not None and given in taken:
        raise Failure(f'--name: there is a source "{given}" already; give another name', 2)
    return given or free_name(slug(usual) or "source", taken)


def _account(settings: Settings, target: Target, given: str | None) -> AccountSettings | None:
    """The account that is named, or the only one of its type."""
    fitting = [account for account in settings.accounts if account.type == target.plugin.name]
    if given is None:
        return fitting[0] if len(fitting) == 1 else None
    found = next((account for account in fitting if account.name == given), None)
    if found is None:
        names = ", ".join(account.name for account in fitting) or "none"
        raise Failure(f'--account: no account "{given}" of type {target.plugin.name}; there are: {names}', 2)
    return found


def _complete(plan: _Plan) -> _Plan:
    """The plan with every required option, asked for."""
    from monitor.config.given import is_secret, missing

    for key in missing(plan.model, plan.whole.options):
        about = plan.model.model_fields[key].description
        say(about or key)
        value = ask_secret(key) if is_secret(plan.model, key) else ask(key, fault=_sound(plan, key))
        plan = replace(plan, target=plan.target.plus(_as_option(plan.model, key, value)))
    return plan


def _as_option(model: type[BaseModel], key: str, text: str) -> Mapping[str, Any]:
    from monitor.config.given import values_of

    return values_of(model, [f"{key}={text}"])


def _sound(plan: _Plan, key: str) -> Any:
    """What is wrong with an answer, as far as it can be told from this option alone."""
    from monitor.config.given import parsed

    def fault(answer: str) -> str | None:
        if not answer:
            return f"{key}: is needed"
        found = parsed(plan.model, {**plan.whole.options, **_as_option(plan.model, key, answer)}, "")
        faults = found if isinstance(found, list) else []
        return next((str(one) for one in faults if one.place.split(".")[1] == key), None)

    return fault


# ------------------------------------------------------------------------------------------------- writing


def _write(path: Path, plan: _Plan, options: BaseModel) -> Mapping[str, Any]:
    """The source, with the account and the secrets it needs, in the files; what was written, without the secrets."""
    from monitor.config import ConfigError
    from monitor.config.edit import NotEditable, with_entry
    from monitor.config.writing import ignored_by_git, keep, read

    secrets, source, account = _entries(path.parent, plan, options)
    try:
        text = read(path)
        text = with_entry(text, "accounts", account) if account else text
        keep(path, with_entry(text, "sources", source), secrets)
        if secrets:
            ignored_by_git(path.parent, ["secrets.env"])
    except ConfigError as error:
        raise Failure([*(str(fault) for fault in error.faults), f"{path}: left as it was"], 2) from error
    except (NotEditable, ValueError) as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{error.filename or path}: cannot be written ({error.strerror})") from error
    if secrets:
        say(f"{path.parent / 'secrets.env'}: holds {', '.join(secrets)} now, for your eyes only")
    return {"file": str(path), "source": source, "account": account, "secrets": list(secrets)}


def _entries(
    folder: Path, plan: _Plan, options: BaseModel
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any] | None]:
    """The secrets by variable, the ``[[sources]]`` entry, and the ``[[accounts]]`` entry where one is new."""
    from monitor.config.given import credentials, storable

    given = plan.target.options
    owner = f"{plan.target.plugin.name}-main" if plan.account is None else plan.name
    secrets, references = _secrets(folder, plan.model, given, owner)
    values = storable(options, given) | references
    lent = credentials(plan.model) if plan.account is None and references else []
    own = {key: value for key, value in values.items() if key not in lent}
    account = {key: value for key, value in values.items() if key in lent}
    entry: dict[str, Any] = {"name": plan.name, "type": plan.target.plugin.name}
    return secrets, entry, account


def _secrets(
    folder: Path, model: type[BaseModel], given: Mapping[str, Any], owner: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Secrets told in plain get a variable each."""
    return {}, {}
