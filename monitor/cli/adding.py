"""``add``: asks for what a source needs, shows its first items, and writes it into the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.asking import agreed, ask, ask_secret, can_ask
from monitor.cli.common import AsJson, ConfigPath, Failure, load_settings, next_step, print_json, say
from monitor.cli.trying import OptionTexts, given_options, looked, show, told, understood, validated

if TYPE_CHECKING:
    from pydantic import BaseModel

    from monitor.config import BrandSettings, Settings
    from monitor.config.entries import NewSource
    from monitor.config.models import AccountSettings
    from monitor.preview import Target

SHOWN = 5
"""Items that are shown before the question whether to keep the source."""


def add(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="A connector's name, a link, or a file.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The source's name (default: made of type and brand).")
    ] = None,
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="The brand it is read for.")] = None,
    option: OptionTexts = None,
    account: Annotated[str | None, typer.Option("--account", help="The account whose credentials it uses.")] = None,
    every: Annotated[str | None, typer.Option("--every", help="How often, as in 15m.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Keep it without being asked.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where another source reads the very same.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Add a source: asks for what it needs, shows its first items, writes it into the configuration."""
    settings = load_settings(config)
    asks = can_ask() and not as_json
    if not (asks or yes):
        if "://" not in type_:
            understood(type_)  # what is no type at all is said first
        raise Failure("add asks before it writes, and nobody can be asked here; give --yes", 2)
    _check_every(every)
    target = understood(type_)
    target = target.plus(given_options(target, option or []))
    served = _brand(settings, brand, asks=asks)
    named = _name(settings, name, f"{target.plugin.name}-{served.name}")
    plan = _Plan(target, named, served, every, _account(settings, target, account))
    plan = _complete(plan) if asks else plan
    _add(settings, plan, yes=yes, anyway=anyway, as_json=as_json)


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

    @property
    def new(self) -> NewSource:
        from monitor.config.entries import NewSource

        account = self.account.name if self.account else None
        return NewSource(self.name, self.target.plugin.name, self.brand.name, self.target.options, self.every, account)


def _add(settings: Settings, plan: _Plan, *, yes: bool, anyway: bool, as_json: bool) -> None:
    plan = replace(plan, target=_as_written(plan.target, settings.folder))
    options, target = validated(plan.whole, settings.folder)
    same = _read_already(settings, plan, options, anyway=anyway)
    brand = {"name": plan.brand.name, "keywords": plan.brand.compiled()}
    preview = looked(target, options, **brand, limit=SHOWN, profile=settings.scoring)
    if not as_json:
        show(target, preview)
    for line in same.values():
        say(line)
    if not (yes or agreed(f"Keep it as {plan.name}?")):
        raise Failure("nothing was written")
    written = _write(settings, plan, options)
    sent_to = _sent_to(settings, plan, options)
    if as_json:
        print_json({**written, "read_by": list(same), "sent_to": sent_to, "preview": told(target, preview)})
        return
    say(f"{written['file']}: source {plan.name} added for {plan.brand.name}")
    if sent_to is not None:
        say(f"send to it: {sent_to}")
        return
    next_step(
        f"sentiment-monitor pull {plan.name}" if re.fullmatch(r"[\w.-]+", plan.name) else "sentiment-monitor pull"
    )


def _read_already(settings: Settings, plan: _Plan, options: BaseModel, *, anyway: bool) -> Mapping[str, str]:
    """What is said of each source that reads the same for this brand; one that is the very same ends the command."""
    from monitor.config.twice import readers

    plugin, name = plan.target.plugin, plan.brand.name
    found = readers(plugin, options, name, settings.sources, settings.folder)
    for one in found if not anyway else ():
        if one.wholly:
            remedy = "give --anyway to add it all the same" if one.enabled else "it rests: set enabled = true there"
            raise Failure(f"{one.name}: this source reads the very same for {name}; {remedy}", 2)
    return {
        one.name: f"{one.name} reads the same for {name} already; keep one of them unless you want both"
        for one in found
    }


def _sent_to(settings: Settings, plan: _Plan, options: BaseModel) -> str | None:
    """Where others send to, for a source that is not pulled."""
    from monitor import sent_to

    pulled = plan.target.plugin.capabilities.pull
    return None if pulled else sent_to.words(settings, plan.name, options)


def _as_written(target: Target, folder: Path) -> Target:
    """The same target from a configuration in ``folder``: files were named as they are seen from the working folder."""
    from connectors.places import ON_DISK, rewritten
    from monitor.config.given import is_reference

    fields, options = target.plugin.options.model_fields, dict(target.options)
    for key, value in options.items():
        is_file = key in fields and ON_DISK in fields[key].metadata
        if is_file and isinstance(value, str) and not is_reference(value):
            options[key] = rewritten(value, Path.cwd(), folder)
    return replace(target, options=options, folder=folder)


# ------------------------------------------------------------------------------------------------- choosing


def _check_every(every: str | None) -> None:
    from monitor.schedule import parse_duration

    try:
        parse_duration(every or "15m")
    except ValueError as error:
        raise Failure(f"--every: {error}", 2) from error


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


def _sound(plan: _Plan, key: str) -> Callable[[str], str | None]:
    """What is wrong with an answer, as far as it can be told from this option alone."""
    from monitor.config.given import parsed

    place = plan.target.plugin.name

    def fault(answer: str) -> str | None:
        if not answer:
            return f"{key}: is needed"
        found = parsed(plan.model, {**plan.whole.options, **_as_option(plan.model, key, answer)}, place)
        faults = found if isinstance(found, list) else []
        return next((str(one) for one in faults if one.place.split(".")[1:2] == [key]), None)

    return fault


# ------------------------------------------------------------------------------------------------- writing


def _write(settings: Settings, plan: _Plan, options: BaseModel) -> Mapping[str, Any]:
    """Put the source, its account and its secrets into the files; what was written, without the secrets."""
    from monitor.config import ConfigError
    from monitor.config.edit import NotEditable, with_entry
    from monitor.config.entries import entries_of
    from monitor.config.writing import free_variable, ignored_by_git, keep, read

    path = _path(settings)
    file = settings.sheets.file_of("brands", plan.brand.name, path)  # a brand's own file holds its sources, too
    accounts = [account.name for account in settings.accounts]
    made = entries_of(plan.new, options, accounts, lambda wanted: free_variable(path.parent, wanted))
    try:
        text = read(file)
        text = with_entry(text, "accounts", made.account) if made.account else text
        keep(path, with_entry(text, "sources", made.source), made.secrets, None if file == path else file)
        if made.secrets:
            ignored_by_git(path.parent, ["secrets.env"])
    except ConfigError as error:
        raise Failure([*(str(fault) for fault in error.faults), f"{file}: left as it was"], 2) from error
    except OSError as error:
        raise Failure(f"{error.filename or file}: cannot be written ({error.strerror})") from error
    except (NotEditable, ValueError) as error:
        raise Failure(str(error)) from error
    if made.secrets:
        say(f"{path.parent / 'secrets.env'}: holds {', '.join(made.secrets)} now, for your eyes only")
    return {"file": str(file), "source": made.source, "account": made.account, "secrets": list(made.secrets)}


def _path(settings: Settings) -> Path:
    assert settings.path is not None, "settings that were read from a file know it"
    return settings.path
