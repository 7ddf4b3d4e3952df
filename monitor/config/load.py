"""TOML -> Settings. Each table is read by itself, so that one run finds everything that is wrong."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from connectors import registry
from connectors.places import folder_of, placed
from monitor.config.faults import (
    ConfigError,
    Fault,
    as_fault,
    faults_of,
    keys_of,
    names_in,
    nearest,
    salvaged,
    unknown,
    unreadable,
)
from monitor.config.including import Origin, gather
from monitor.config.located import places_of, told
from monitor.config.models import (
    CHANNEL_TYPES,
    AccountSettings,
    BrandSettings,
    DigestSettings,
    MonitorSettings,
    Settings,
    SourceSettings,
)
from monitor.config.privacy import PrivacySettings
from monitor.config.secrets import Secrets
from monitor.config.sheets import Sheets
from monitor.config.tables import Table
from monitor.config.templates import Expanded, expand
from monitor.config.watched import digest as digest_of
from monitor.config.watching import AlertSettings, AnnotationSettings, RuleSettings, TopicSettings
from monitor.config.web import WebSettings
from monitor.query import QueryError
from monitor.rules import condition
from monitor.schedule import Schedule

DEFAULT_FILE = "config.toml"
VARIABLE = "SENTIMENT_MONITOR_CONFIG"
TABLES = (
    "monitor",
    "brands",
    "accounts",
    "sources",
    "digests",
    "channels",
    "topics",
    "annotations",
    "rules",
    "alerts",
    "scoring",
    "privacy",
    "web",
)

M = TypeVar("M", bound=BaseModel)


def find(given: Path | None = None) -> Path:
    """The configuration file: the one given, else ``config.toml``, else the one the environment names."""
    if given is not None:
        return given
    named = os.environ.get(VARIABLE)
    return Path(named) if named and not Path(DEFAULT_FILE).exists() else Path(DEFAULT_FILE)


def load(path: Path) -> Settings:
    """Read a configuration file. ``ConfigError`` lists all its faults."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        remedy = "name one with --config, make one with: sentiment-monitor init, or look around first: sentiment-monitor demo"
        raise ConfigError([Fault(str(path), "there is no such file", remedy)]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([unreadable(str(path), error)]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(str(path), f"is not TOML: {error}", "mend that line")]) from error
    settings = parse(data, path)
    settings._sheets = replace(settings.sheets, digest=digest_of(path, settings.sheets))
    return settings


def parse(data: Mapping[str, Any], path: Path | None = None, texts: Mapping[Path, str] | None = None) -> Settings:
    """Settings from tables already read, and from the files that they include. ``ConfigError`` lists all their faults.

    ``texts``: included files that are to be taken for what is given here, whatever is on the disk.
    """
    whole = expand(gather(data, path, texts))
    first = path.name if path else "the first file"
    secrets = Secrets.beside(path.parent if path else Path())
    reading = _Reading(secrets, whole, first, folder_of(path))
    settings = reading.settings(whole.gathered.data, path)
    found = [*whole.gathered.faults, *whole.faults, *reading.faults, *reading.secrets.faults]
    if found or settings is None:
        raise ConfigError(told(found, whole))
    settings._sheets = reading.sheets()
    return settings


class _Reading:
    """One pass over a configuration, gathering faults."""

    def __init__(self, secrets: Secrets, whole: Expanded, first: str, folder: Path) -> None:
        self.secrets, self.whole, self.first, self.folder = secrets, whole, first, folder
        self.faults: list[Fault] = []
        self.origins: dict[tuple[str, str], Origin] = {}

    def sheets(self) -> Sheets:
        gathered = self.whole.gathered
        return Sheets(gathered.files, gathered.patterns, self.origins, self.whole.made, self.secrets.read)

    def settings(self, data: Mapping[str, Any], path: Path | None) -> Settings | None:
        self._unknown_tables(data)
        monitor = self._table(MonitorSettings, self._without_missing(data.get("monitor", {}), "monitor"), "monitor")
        brands = list(self._tables(BrandSettings, data, "brands"))
        accounts = list(self._tables(AccountSettings, data, "accounts"))
        sources = list(self._tables(SourceSettings, data, "sources"))
        digests = list(self._tables(DigestSettings, data, "digests"))
        channels = list(self._channels(data))
        topics = list(self._tables(TopicSettings, data, "topics"))
        annotations = [
            found
            for place, entry in self._entries(data, "annotations")
            if (found := self._table(AnnotationSettings, entry, place)) is not None
        ]
        rules = list(self._tables(RuleSettings, data, "rules"))
        alerts = list(self._tables(AlertSettings, data, "alerts"))
        scoring = self._scoring(data.get("scoring", {}))
        privacy = self._table(PrivacySettings, self.secrets.resolve(data.get("privacy", {}), "privacy"), "privacy")
        web = self._table(WebSettings, self._without_missing(data.get("web", {}), "web"), "web")
        named, known = names_in(data.get("channels")), names_in(data.get("sources"))
        self._check_brands(brands, data)
        self._check_sources(sources, accounts, brands, names_in(data.get("accounts")))
        self._check_topics(topics, brands)
        self._check_annotations(annotations, brands, monitor)
        self._check_rules(rules, brands, known, named)
        self._check_alerts(alerts, brands, known, named)
        for channel in channels:
            self._check_named(channel.brands, brands, f"channels.{channel.name}")
        self._check_digests(digests, brands, named, monitor)
        if self.faults or self.secrets.faults or monitor is None:
            return None
        return Settings.model_construct(
            path=path, monitor=monitor, brands=brands, accounts=accounts, sources=sources, digests=digests,
            channels=channels, topics=topics, annotations=annotations, rules=rules, alerts=alerts, scoring=scoring, privacy=privacy or PrivacySettings(),
            web=web or WebSettings(),
        )  # fmt: skip

    def _unknown_tables(self, data: Mapping[str, Any]) -> None:
        for name in data:
            if name not in TABLES:
                near = nearest(name, TABLES)
                remedy = f'did you mean "{near}"?' if near else f"remove it; known are: {', '.join(TABLES)}"
                self.faults.append(Fault(name, "not a known table", remedy))

    def _table(self, model: type[M], value: Any, place: str) -> M | None:
        try:
            return model.model_validate(value, context={"folder": self.folder})
        except ValidationError as error:
            self.faults += faults_of(error, place, keys_of(model))
            return salvaged(model, value, error, place, {"folder": self.folder})

    def _without_missing(self, value: Any, place: str) -> Any:
        """A table without the secrets that are missing: those are told by themselves, and would be too short besides."""
        found = self.secrets.resolve(value, place)
        missing = {fault.place.removeprefix(f"{place}.") for fault in self.secrets.faults}
        if not isinstance(found, Mapping):
            return found
        return {key: one for key, one in found.items() if key not in missing}

    def _tables(self, model: type[M], data: Mapping[str, Any], key: str) -> Iterator[M]:
        seen: Counter[str] = Counter()
        for place, entry in self._entries(data, key):
            found = self._table(model, entry, place)
            if found is not None:
                yield found
            self._once(seen, entry, key, place)

    def _entries(self, data: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
        entries = data.get(key, [])
        if not isinstance(entries, list):
            self.faults.append(
                Fault(key, "is one table, and needs to be a list", f"write [[{key}]] instead of [{key}]")
            )
            return
        for number, entry in enumerate(entries, 1):
            name = entry.get("name") if isinstance(entry, Mapping) else None
            if (origin := self.whole.gathered.origins.get((key, number))) is not None and isinstance(name, str):
                self.origins.setdefault((key, name), origin)
            yield (f"{key}.{name}" if isinstance(name, str) and name else f"{key}[{number}]"), entry

    def _once(self, seen: Counter[str], entry: Any, key: str, place: str) -> None:
        name = str(entry["name"]) if isinstance(entry, Mapping) and entry.get("name") else None
        if name is None:
            return  # which is a fault of its own
        seen[name] += 1
        if seen[name] == 2:
            places = places_of(self.whole, key, name, self.first)
            where = f" ({' and '.join(places)})" if len(places) > 1 else ""
            fact = f'the name "{name}" is used more than once in {key}{where}'
            self.faults.append(Fault(place, fact, "give each its own"))

    def _channels(self, data: Mapping[str, Any]) -> Iterator[Any]:
        seen: Counter[str] = Counter()
        for place, entry in self._entries(data, "channels"):
            kind = entry.get("type") if isinstance(entry, Mapping) else None
            self._once(seen, entry, "channels", place)
            if kind not in CHANNEL_TYPES:
                self.faults.append(unknown(f"{place}.type", "channel type", str(kind), CHANNEL_TYPES))
                continue
            model: type[Table] = CHANNEL_TYPES[kind]
            found = self._table(model, self.secrets.resolve(entry, place), place)
            if found is not None:
                yield found

    def _scoring(self, value: Any) -> Any:
        from monitor.scoring import ScoringOptions, build_profile

        options = self._table(ScoringOptions, value, "scoring")
        if options is None or any(fault.place.startswith("scoring") for fault in self.faults):
            return None
        try:
            if options.lexicon_file is not None:
                options = options.model_copy(update={"lexicon_file": placed(options.lexicon_file, self.folder)})
            return build_profile(options)
        except ValueError as error:
            self.faults += [as_fault("scoring", line) for line in str(error).splitlines() if line.strip()]
            return None

    def _check_brands(self, brands: Sequence[BrandSettings], data: Mapping[str, Any]) -> None:
        names = [brand.name for brand in brands]
        if not data.get("brands"):
            self.faults.append(Fault("brands", "none is named", 'add [[brands]] with name = "Your brand"'))
        for brand in brands:
            if brand.was in names:
                fact = f'"{brand.was}" is the name of a brand here'
                self.faults.append(Fault(f"brands.{brand.name}.was", fact, "remove was, or that brand"))
            for rival in brand.competitors:
                if rival not in names:
                    self.faults.append(unknown(f"brands.{brand.name}.competitors", "brand", rival, names))
            try:
                brand.compiled()
            except QueryError as error:
                self.faults.append(as_fault(f"brands.{brand.name}.query", error))
            except ValueError as error:
                self.faults.append(as_fault(f"brands.{brand.name}", error))

    def _check_sources(
        self,
        sources: Sequence[SourceSettings],
        accounts: Sequence[AccountSettings],
        brands: Sequence[BrandSettings],
        named: Sequence[str],
    ) -> None:
        by_name = {account.name: account for account in accounts}
        names = [brand.name for brand in brands]
        for source in sources:
            place = f"sources.{source.name}"
            source._formerly = tuple(self.whole.formerly.get(source.name, ()))
            self._check_served(source, names, place)
            if source.account in named and source.account not in by_name:
                continue  # the account is faulty itself
            if source.account is not None and source.account not in by_name:
                self.faults.append(unknown(f"{place}.account", "account", source.account, by_name))
            shared = by_name.get(source.account or "")
            if shared is not None and shared.type != source.type:
                fact = f'account "{shared.name}" is of type {shared.type}, the source of type {source.type}'
                self.faults.append(Fault(f"{place}.account", fact, "name an account of the same type"))
            if source.account is not None and source.requests:
                remedy = f"move it to the account {source.account}, whose sources share it"
                self.faults.append(Fault(f"{place}.requests", "the source has an account", remedy))
            self._check_options(source, shared, place)

    def _check_served(self, source: SourceSettings, names: Sequence[str], place: str) -> None:
        if source.brand is not None and source.brands:
            self.faults.append(Fault(place, "has both brand and brands", "keep one of them"))
        if not source.served:
            self.faults.append(Fault(place, "serves no brand", 'add brand = "..." or brands = [...]'))
        for name in source.served:
            if name not in names:
                self.faults.append(unknown(f"{place}.brand", "brand", name, names))

    def _check_options(self, source: SourceSettings, shared: AccountSettings | None, place: str) -> None:
        try:
            plugin = registry.plugin(source.type)
        except registry.UnknownConnector:
            self.faults.append(unknown(f"{place}.type", "connector", source.type, registry.names()))
            return
        except registry.BrokenConnector as error:
            self.faults.append(Fault(f"{place}.type", str(error), error.remedy))
            return
        least = plugin.capabilities.minimum_interval
        if source.every is not None and source.every < least:
            fact = f"is shorter than {plugin.title} allows"
            self.faults.append(Fault(f"{place}.every", fact, f'write "{int(least.total_seconds())}s" or more'))
        given = {**(shared.options if shared else {}), **source.options}
        resolved = self.secrets.resolve(given, f"{place}.options")
        missing = [fault for fault in self.secrets.faults if fault.place.startswith(f"{place}.options")]
        if not missing:
            source._parsed = self._table(plugin.options, resolved, f"{place}.options")

    def _check_topics(self, topics: Sequence[TopicSettings], brands: Sequence[BrandSettings]) -> None:
        for topic in topics:
            place = f"topics.{topic.name}"
            self._check_named(topic.brands, brands, place)
            try:
                topic.compiled()
            except QueryError as error:
                self.faults.append(as_fault(f"{place}.query", error))
            except ValueError as error:
                self.faults.append(as_fault(place, error))

    def _check_annotations(
        self,
        annotations: Sequence[AnnotationSettings],
        brands: Sequence[BrandSettings],
        monitor: MonitorSettings | None,
    ) -> None:
        zone = monitor.zone if monitor else ZoneInfo("UTC")
        for number, annotation in enumerate(annotations, 1):
            place = f"annotations[{number}]"
            self._check_named(annotation.brands, brands, place)
            try:
                at, until = annotation.span(zone)
            except ValueError as error:
                self.faults.append(as_fault(place, error))
                continue
            if until is not None and until <= at:
                self.faults.append(Fault(f"{place}.until", "is not after at", "turn them round"))

    def _check_alerts(
        self,
        alerts: Sequence[AlertSettings],
        brands: Sequence[BrandSettings],
        known: Sequence[str],
        channels: Sequence[str],
    ) -> None:
        for alert in alerts:
            place = f"alerts.{alert.name}"
            self._check_named(alert.brands, brands, place)
            self.faults += [unknown(f"{place}.sources", "source", n, known) for n in alert.sources if n not in known]
            self.faults += [
                unknown(f"{place}.channels", "channel", n, channels) for n in alert.channels if n not in channels
            ]

    def _check_rules(
        self,
        rules: Sequence[RuleSettings],
        brands: Sequence[BrandSettings],
        known: Sequence[str],
        channels: Sequence[str],
    ) -> None:
        for rule in rules:
            place = f"rules.{rule.name}"
            self._check_named(rule.brands, brands, place)
            self.faults += [
                unknown(f"{place}.channels", "channel", n, channels) for n in rule.channels if n not in channels
            ]
            try:
                condition(rule.when, tuple(one.name for one in brands), tuple(known))
            except QueryError as error:
                self.faults.append(as_fault(f"{place}.when", error))

    def _check_named(self, named: Sequence[str], brands: Sequence[BrandSettings], place: str) -> None:
        names = [brand.name for brand in brands]
        self.faults += [unknown(f"{place}.brands", "brand", name, names) for name in named if name not in names]

    def _check_digests(
        self,
        digests: Sequence[DigestSettings],
        brands: Sequence[BrandSettings],
        channels: Sequence[str],
        monitor: MonitorSettings | None,
    ) -> None:
        names = [brand.name for brand in brands]
        for digest in digests:
            place = f"digests.{digest.name}"
            self.faults += [unknown(f"{place}.brands", "brand", n, names) for n in digest.brands if n not in names]
            self.faults += [
                unknown(f"{place}.channels", "channel", n, channels) for n in digest.channels if n not in channels
            ]
            try:
                Schedule.parse(digest.schedule, monitor.zone if monitor else ZoneInfo("UTC"))
            except ValueError as error:
                self.faults.append(as_fault(f"{place}.schedule", error))
