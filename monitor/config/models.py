"""The settings, as tables of the TOML file. Frozen; unknown keys are refused; durations and schedules are parsed here."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator

from connectors.places import folder_of
from monitor.config.channels import (
    CHANNEL_TYPES,
    AppriseChannel,
    ChannelSettings,
    EmailChannel,
    FileChannel,
    SlackChannel,
    WebhookChannel,
)
from monitor.config.limits import Requests
from monitor.config.privacy import Keep, PrivacySettings
from monitor.config.sheets import Sheets
from monitor.config.tables import DatabaseAddress, Duration, DurationOrNever, LocalPath, Name, Names, Table, WhenMissing
from monitor.config.watching import AlertSettings, AnnotationSettings, RuleSettings, TopicSettings
from monitor.config.web import WebSettings
from monitor.matching import Keywords

Duplicates = Literal["count", "once", "once per author"]
"""What counts of items that say nearly the same."""


class MonitorSettings(Table):
    """``[monitor]``: the program as a whole."""

    include: Names = Field(
        default_factory=list,
        description="Further files, with brands, sources and other lists; * stands for any part of a name.",
    )
    timezone: str = Field(default="UTC", description="The time zone of days, schedules and times shown.")
    database: DatabaseAddress = Field(
        default="sqlite:///var/monitor.db", validate_default=True, repr=False, description="Where everything is kept."
    )
    workers: int = Field(default=4, ge=1, le=64, description="Pulls at the same time.")
    first_fetch: Duration = Field(default=timedelta(days=30), description="How far back a new source reaches.")
    refresh: DurationOrNever = Field(
        default=timedelta(days=7),
        description="Up to which age an item's counts are read again, where its platform offers that; false: never.",
    )
    keep: Keep = Field(
        default=timedelta(0), description="How long words and names are kept; false: for good. Figures stay."
    )
    keep_log: Duration = Field(
        default=timedelta(days=180), ge=timedelta(days=7), description="How long the log of pulls is kept."
    )
    lease: Duration = Field(
        default=timedelta(minutes=2),
        ge=timedelta(seconds=2),
        description="How long a daemon that has stopped answering keeps its pulls; every stored page renews it.",
    )
    duplicates: Duplicates = Field(
        default="count", description="What says nearly the same counts each time, once, or once per author."
    )
    executor: str = Field(
        default="processes",
        description='Where an import and a rescore label many texts: "processes" here, or "dask://host:8786".',
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    sleep: bool = Field(
        default=True,
        description="Let the daemon give up its memory while there is nothing to do, and come back when there is (Linux).",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f'no time zone "{name}"; write one such as "Europe/Berlin"') from error
        return name

    @field_validator("database")
    @classmethod
    def _known_database(cls, address: str) -> str:
        if not re.match(r"(sqlite|postgresql)(\+\w+)?://", address):  # which is not shown: it may hold a password
            remedy = 'write "sqlite:///var/monitor.db" or "postgresql+psycopg://user@host/name"'
            raise ValueError(f"neither the address of an SQLite file nor of a PostgreSQL server; {remedy}")
        return address

    @field_validator("executor")
    @classmethod
    def _known_executor(cls, name: str) -> str:
        if name != "processes" and not re.fullmatch(r"dask://([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}", name):
            raise ValueError(f'no executor "{name}"; write "processes", or "dask://host:8786" for a Dask scheduler')
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class BrandSettings(Table):
    """``[[brands]]``: what is watched, and which words mean it."""

    name: Name
    keywords: Names = Field(
        default_factory=list, description="Any of these names the brand; its name if none is given."
    )
    required: Names = Field(default_factory=list, description="At least one of these must occur, too.")
    exclude: Names = Field(default_factory=list, description="Any of these makes an item not count; it is kept.")
    case_sensitive: bool = False
    query: str | None = Field(default=None, description="Instead of keywords: an expression with AND, OR, NOT.")
    competitors: Names = Field(default_factory=list, description="Names of other brands here.")
    duplicates: Duplicates | None = Field(default=None, description="As in [monitor], for this brand.")
    keep: Keep | None = Field(default=None, description="How long its words are kept, where not as under [monitor].")
    values: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="What {brand.NAME} stands for where an entry serves many brands."
    )
    was: str | None = Field(default=None, description="The brand's name before it was renamed here.")

    @field_validator("values")
    @classmethod
    def _can_be_named(cls, values: dict[str, Any]) -> dict[str, Any]:
        for key, value in values.items():
            if not re.fullmatch(r"(?a:[A-Za-z_][\w-]*)", key) or key in ("name", "slug"):
                raise ValueError(f'"{key}" cannot be the name of a value; use letters and digits, not name or slug')
            plain = value if isinstance(value, list) else [value]
            if not all(isinstance(one, str | int | float | bool) for one in plain):
                raise ValueError(f'"{key}" is neither a text nor a number nor a list of these; write one of them')
        return values

    @property
    def named_by(self) -> list[str]:
        """The words that name it: its keywords, or its name where there are none; none beside a query."""
        return self.keywords if self.keywords or self.query else [self.name]

    def compiled(self) -> Keywords:
        """The keywords ready for matching. ``QueryError`` or ``ValueError`` where they make no sense."""
        return Keywords.compile(
            self.named_by,
            required=self.required,
            exclude=self.exclude,
            case_sensitive=self.case_sensitive,
            query=self.query,
        )


class AccountSettings(Table):
    """``[[accounts]]``: credentials that several sources share, and what these may ask of the platform together."""

    name: Name
    type: Name
    requests: Requests = Field(
        default_factory=list, description='At most so many requests in any such time: "60/1m", or several of these.'
    )
    options: dict[str, Any] = Field(default_factory=dict, repr=False)


class SourceSettings(Table):
    """``[[sources]]``: one place that is read."""

    name: Name
    type: Name
    account: str | None = None
    requests: Requests = Field(
        default_factory=list, description="A request budget of its own; where there is an account, that one has it."
    )
    brand: str | None = None
    brands: Names = Field(default_factory=list, description='Several; "*" is all, "Acme*" those called so.')
    when_missing: WhenMissing = "fault"
    every: Duration | None = Field(default=None, description="How often; the platform's own minimum is respected.")
    first_fetch: Duration | None = None
    refresh: DurationOrNever | None = Field(default=None, description="As in [monitor], for this source alone.")
    match: Literal["keywords", "all"] | None = Field(default=None, description="Count what names the brand, or all.")
    duplicates: Duplicates | None = Field(default=None, description="As in [monitor], for what this source brings.")
    enabled: bool = True
    was: str | None = Field(default=None, description="The source's name before it was renamed here.")
    options: dict[str, Any] = Field(default_factory=dict, repr=False)
    _parsed: Any = PrivateAttr(default=None)
    _formerly: tuple[str, ...] = PrivateAttr(default=())

    @property
    def formerly(self) -> list[str]:
        """The names it may have had before, the likeliest first."""
        return [*([self.was] if self.was else []), *self._formerly]

    @property
    def served(self) -> list[str]:
        """The names of the brands this source brings items for."""
        return [self.brand] if self.brand is not None else list(self.brands)

    @property
    def parsed(self) -> Any:
        """The options as the connector's own model, secrets resolved."""
        return self._parsed


PLACES: Final = ("news", "brand", "name", "period")
"""What may stand in braces in a digest's subject."""


class DigestSettings(Table):
    """``[[digests]]``: what is sent when, about whom, to where."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
    schedule: str = Field(description='Cron ("0 8 * * *") or words ("daily at 08:00"), in the time zone.')
    period: Literal["hour", "day", "week", "month"] = "day"
    brands: Names = Field(default_factory=list, description="All brands if none is named.")
    when_missing: WhenMissing = "fault"
    channels: Names = Field(default_factory=list)
    catch_up: Literal["one", "each"] = Field(default="one", description="After downtime: the latest missed, or each.")
    detail: Literal["short", "full"] = "short"
    charts: bool = Field(default=True, description="Pictures of the figures in the HTML.")
    when_empty: Literal["say", "skip"] = Field(default="say", description="What to do when there is nothing at all.")
    attach_items: bool = Field(default=False, description="The period's items as CSV, with mails and beside files.")
    subject: str | None = Field(
        default=None, max_length=200, description="A mail's subject, with {news}, {brand}, {name} and {period} in it."
    )
    logo: LocalPath | None = Field(default=None, description="A picture (PNG, JPEG or GIF) above the title.")
    logo_line: str | None = Field(
        default=None, max_length=120, description="A line above the title: your company, say."
    )
    templates: LocalPath | None = Field(
        default=None, description="A folder with your own digest.html.j2, digest.txt.j2 or digest.md.j2."
    )

    @field_validator("subject")
    @classmethod
    def _known_places(cls, text: str | None) -> str | None:
        unknown = set(re.findall(r"\{([^{}]*)\}", text or "")) - set(PLACES)
        if unknown:
            raise ValueError(f"{{{min(unknown)}}} is unknown; there are {', '.join(f'{{{one}}}' for one in PLACES)}")
        return text

    @field_validator("name", mode="before")
    @classmethod
    def _fit_for_files(cls, name: Any) -> Any:
        if isinstance(name, str) and not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f'"{name}" does not make a file name; use letters, digits, "-" and "_"')
        return name


class Settings(Table):
    """The whole configuration. ``path`` is the file it came from; what lies on this machine is placed beside it."""

    path: Path | None = None
    monitor: MonitorSettings
    brands: list[BrandSettings]
    accounts: list[AccountSettings] = Field(default_factory=list)
    sources: list[SourceSettings] = Field(default_factory=list)
    digests: list[DigestSettings] = Field(default_factory=list)
    channels: list[ChannelSettings] = Field(default_factory=list)
    topics: list[TopicSettings] = Field(default_factory=list)
    annotations: list[AnnotationSettings] = Field(default_factory=list)
    rules: list[RuleSettings] = Field(default_factory=list)
    alerts: list[AlertSettings] = Field(default_factory=list)
    scoring: Any
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    web: WebSettings = Field(default_factory=WebSettings)
    _sheets: Sheets = PrivateAttr(default_factory=Sheets)

    @property
    def folder(self) -> Path:
        """What relative paths go by: where the first file lies, whatever the working folder is."""
        return folder_of(self.path)

    @property
    def sheets(self) -> Sheets:
        """Which files the settings stand in, and what was made of their templates."""
        return self._sheets

    def brand(self, name: str) -> BrandSettings:
        return next(brand for brand in self.brands if brand.name == name)

    def source(self, name: str) -> SourceSettings:
        return next(source for source in self.sources if source.name == name)

    def account(self, name: str) -> AccountSettings:
        return next(account for account in self.accounts if account.name == name)

    def channel(self, name: str) -> ChannelSettings:
        return next(channel for channel in self.channels if channel.name == name)

    def brands_of(self, digest: DigestSettings) -> list[str]:
        """The brands a digest speaks of, each followed by its competitors."""
        chosen = digest.brands or [brand.name for brand in self.brands]
        return list(dict.fromkeys(one for name in chosen for one in (name, *self.brand(name).competitors)))

    @property
    def enabled_sources(self) -> list[SourceSettings]:
        return [source for source in self.sources if source.enabled]


__all__ = [
    "CHANNEL_TYPES",
    "AccountSettings",
    "AppriseChannel",
    "BrandSettings",
    "ChannelSettings",
    "DigestSettings",
    "EmailChannel",
    "FileChannel",
    "MonitorSettings",
    "Settings",
    "SlackChannel",
    "SourceSettings",
    "WebhookChannel",
]
