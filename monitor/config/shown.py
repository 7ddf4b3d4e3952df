"""The settings as they are in effect, for people: defaults filled in, secrets as ``***``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from connectors import registry
from monitor.config.given import is_secret, refers
from monitor.config.models import AccountSettings, BrandSettings, Settings, SourceSettings
from monitor.scoring import Profile

MASK = "***"
_UNSAID: Final[Mapping[str, Any]] = {"include": [], "values": {}, "when_missing": "fault"}
"""What is not told where it is so: hardly anybody uses it."""
_UNITS = (("y", 365 * 86_400), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def shown(settings: Settings) -> dict[str, Any]:
    """Every table with every key that has a value, as TOML values. What came by reference is masked like a secret."""
    accounts = {account.name: account for account in settings.accounts}
    tables = {
        "monitor": _table(settings.monitor)
        | {"database": without_password(_from(settings, settings.monitor.database))},
        "brands": [_table(brand) | _values(brand, settings) for brand in settings.brands],
        "accounts": [_account(account) for account in settings.accounts],
        "sources": [_source(source, accounts.get(source.account or "")) for source in settings.sources],
        "digests": [_table(digest) for digest in settings.digests],
        "channels": [_table(channel) for channel in settings.channels],
        "topics": [_table(topic) for topic in settings.topics],
        "annotations": [_table(annotation) for annotation in settings.annotations],
        "rules": [_table(rule) for rule in settings.rules],
        "alerts": [_table(alert) for alert in settings.alerts],
        "scoring": _scoring(settings.scoring),
        "privacy": _table(settings.privacy),
        "web": _table(settings.web),
    }
    return {name: _seen_from(settings.folder, table) for name, table in tables.items()}


def _from(settings: Settings, database: str) -> str:
    """The address of a file below the configuration's folder as it is written there."""
    return re.sub(r"^(sqlite[^:]*:///)(.*)", lambda found: found[1] + _near(settings.folder, found[2]), database)


def _seen_from(folder: Path, value: Any) -> Any:
    """Files as they are written beside the configuration: equal configurations in other folders look the same."""
    match value:
        case Path():
            return _near(folder, str(value))
        case Mapping():
            return {key: _seen_from(folder, entry) for key, entry in value.items()}
        case list():
            return [_seen_from(folder, entry) for entry in value]
        case _:
            return value


def _near(folder: Path, path: str) -> str:
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path


def without_password(url: str) -> str:
    """A database's address with its password masked."""
    masked = re.sub(r"://([^:/@]*):.*@", rf"://\1:{MASK}@", url)
    return re.sub(r"(?i)(password=)[^&]*", rf"\1{MASK}", masked)


def duration(length: timedelta) -> str:
    """As the configuration has it: ``1h30m``."""
    seconds, words = int(length.total_seconds()), ""
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def _account(account: AccountSettings) -> dict[str, Any]:
    options = registry.plugin(account.type).options
    return {**_table(account), "options": {key: _option(options, key, v, v) for key, v in account.options.items()}}


def _source(source: SourceSettings, account: AccountSettings | None) -> dict[str, Any]:
    given = {**(account.options if account else {}), **source.options}
    options = type(source.parsed)
    known = {key: _option(options, key, value, given.get(key)) for key, value in source.parsed}
    return {**_table(source), "options": {key: value for key, value in known.items() if value is not None}}


def _option(model: type[BaseModel], key: str, value: Any, given: Any) -> Any:
    field = model.model_fields.get(key)
    if value is not None and (field is None or is_secret(model, key) or refers(given)):
        return MASK
    if field is not None and not field.repr and isinstance(value, str) and "://" in value:
        parts = urlsplit(value)
        return f"{parts.scheme}://{parts.hostname}/{MASK}"
    return _value(value)


def _table(table: BaseModel) -> dict[str, Any]:
    """The keys that have a value, by the names that the file has for them; options are seen to by themselves."""
    fields = type(table).model_fields
    values = {field.alias or name: getattr(table, name) for name, field in fields.items() if name != "options"}
    return {name: _value(value) for name, value in values.items() if value is not None and _UNSAID.get(name) != value}


def _values(brand: BrandSettings, settings: Settings) -> dict[str, Any]:
    """What a brand gives to its sources, without what is a secret there."""
    if not brand.values:
        return {}
    options = (value for source in settings.sources if brand.name in source.served for _, value in source.parsed)
    secrets = {value.get_secret_value() for value in options if isinstance(value, SecretStr)}
    return {
        "values": {key: MASK if value in secrets or refers(value) else _value(value) for key, value in _plain(brand)}
    }


def _plain(brand: BrandSettings) -> Iterable[tuple[str, Any]]:
    """A list is no member of a set, and is told as texts."""
    return ((key, tuple(value) if isinstance(value, list) else value) for key, value in brand.values.items())


def _scoring(profile: Profile) -> dict[str, Any]:
    values = {key: value for key, value in asdict(profile).items() if value is not None and key != "name"}
    pairs = {key: dict(values[key]) for key in ("lexicon", "languages")}
    return {"profile": profile.name, **{key: _value(value) for key, value in (values | pairs).items()}}


def _value(value: Any) -> Any:
    match value:
        case SecretStr():
            return MASK
        case timedelta():
            return duration(value)
        case Path():
            return value  # and in the end as it is seen from the configuration's folder
        case Mapping():
            return {str(key): _value(entry) for key, entry in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_value(entry) for entry in value]
        case _:
            return value
