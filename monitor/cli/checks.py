"""``check`` and ``config``: is the configuration sound, does everything answer, and what is in effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    AsJson,
    ConfigPath,
    Failure,
    at_once,
    console,
    load_settings,
    next_step,
    print_json,
    whole,
)
from monitor.cli.sheets import as_toml, files_of, lines_of

if TYPE_CHECKING:
    from monitor.checking import Coming, Finding
    from monitor.config import Settings
    from monitor.config.watching import RuleSettings
    from monitor.stocktaking import Stock

UNCHECKED = "languages are not told apart (pycld2 is not installed): texts of every language are scored as English"


def check(
    config: ConfigPath = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only read the configuration; ask nobody.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the configuration, try every source and channel, and say what to mend."""
    from monitor.app import utc_now
    from monitor.checking import check_all, coming
    from monitor.cli.common import set_up_logging
    from monitor.scoring.language import is_checked
    from monitor.stocktaking import take_stock

    set_up_logging("critical", "text")
    settings = _settings_or_faults(config) if as_json else load_settings(config)
    found: list[Finding] = []
    stock: Stock | None = None
    if not offline:
        with console(err=True).status("trying every source and channel"):  # silent where nobody watches
            stock = take_stock(settings, utc_now)
            found = [stock.finding, *check_all(settings, utc_now)]
    digests = coming(settings, utc_now())
    if as_json:
        print_json(_told(settings, found, digests, stock, language_checked=is_checked()))
    else:
        _show(settings, found, digests, stock, language_checked=is_checked())
    failed = [one for one in found if not one.ok]
    if failed:
        raise Failure(f"{len(failed)} of {len(found)} failed; mend what is named above")
    if not as_json:
        next_step("sentiment-monitor check" if offline else "sentiment-monitor run")


def _settings_or_faults(config: Any) -> Settings:
    from monitor.config import ConfigError, find, load

    try:
        return load(find(config))
    except ConfigError as error:
        print_json({"ok": False, "faults": [asdict(fault) for fault in error.faults]})
        raise typer.Exit(2) from error


def _told(
    settings: Settings,
    found: Sequence[Finding],
    digests: Sequence[Coming],
    stock: Stock | None,
    *,
    language_checked: bool,
) -> Mapping[str, Any]:
    from connectors import registry
    from monitor.cli.keywords import told

    return {
        "ok": all(one.ok for one in found),
        "file": str(settings.path),
        **files_of(settings),
        "tried": [asdict(one) for one in found],
        "digests": [asdict(one) for one in digests],
        "language_checked": language_checked,
        "privacy": list(_privacy_words(settings)),
        "left_out_by_language": stock.left_out if stock else None,
        "rules": [_rule(rule, stock) for rule in settings.rules],
        "rescore_due": stock.outdated if stock else None,
        "keywords": [told(one) for one in stock.words] if stock else None,
        "connectors_refused": [asdict(one) for one in registry.refused()],
    }


def _show(
    settings: Settings,
    found: Sequence[Finding],
    digests: Sequence[Coming],
    stock: Stock | None,
    *,
    language_checked: bool,
) -> None:
    from connectors import registry
    from monitor.digest.escape import clean

    out = console()
    out.print(f"{settings.path}: sound; {_size(settings)}", soft_wrap=True)
    for line in lines_of(settings):
        out.print(clean(line, 300), soft_wrap=True)
    if found:
        out.print(_table(found))
    if stock is not None and not settings.enabled_sources:
        out.print("there is nothing to try: add a source with sentiment-monitor add TYPE", soft_wrap=True)
    for digest in digests:
        out.print(_due_words(digest), soft_wrap=True)
        if digest.left_out:
            out.print(f"  note: {digest.left_out}", soft_wrap=True)
    for rule in settings.rules:
        out.print(_rule_words(rule, stock), soft_wrap=True)
    for line in _stock_words(settings, stock) if stock is not None else ():
        out.print(line, soft_wrap=True)
    for line in _privacy_words(settings):
        out.print(clean(line, 1_000), soft_wrap=True)
    for refused in registry.refused():
        out.print(clean(f"not used: {refused}", 500), soft_wrap=True)
    if not language_checked:
        out.print(clean(UNCHECKED, 200), soft_wrap=True)


def _stock_words(settings: Settings, stock: Stock) -> Iterator[str]:
    from monitor.cli.keywords import brief
    from monitor.digest import escape, words

    for rules in stock.words:
        yield from brief(rules, settings.monitor.zone)
    for brand, languages in stock.left_out.items():
        yield f"last 30 days, {escape.name(brand)}: {words.languages(languages)}"
    if stock.outdated:
        yield f"{stock.outdated:,} items were labelled under other scoring settings; run: sentiment-monitor rescore"


def _privacy_words(settings: Settings) -> Iterator[str]:
    """What of a person is not stored, and for how long words are, where that is not everything and for good."""
    from monitor.config.shown import duration

    names = {"email": "e-mail addresses", "phone": "telephone numbers"}
    parts = ["authors as a hash"] if settings.privacy.authors == "hashed" else []
    if settings.privacy.redact:
        parts.append(f"{' and '.join(names[one] for one in settings.privacy.redact)} are taken out of texts")
    own = {brand.name: brand.keep for brand in settings.brands if brand.keep is not None}
    if settings.monitor.keep or any(own.values()):
        lengths = {name: duration(keep) if keep else "good" for name, keep in own.items()}
        besides = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        usual = duration(settings.monitor.keep) if settings.monitor.keep else "good"
        parts.append(f"words are kept for {usual}{f' ({besides})' if besides else ''}")
    if parts:
        yield f"privacy: {'; '.join(parts)}"


def _size(settings: Settings) -> str:
    counts = {
        "brand": len(settings.brands),
        "source": len(settings.enabled_sources),
        "digest": len(settings.digests),
        "channel": len(settings.channels),
        **({"rule": len(settings.rules)} if settings.rules else {}),
    }
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items())


def _table(found: Sequence[Finding]) -> Any:
    from rich.table import Table

    from monitor.digest.escape import clean

    table = Table(whole("name"), "type", "state", "asked for", "mend", box=None, pad_edge=False)
    for one in found:
        asked = "; ".join(clean(query, 80) or "" for query in one.queries)
        state = "; ".join(part for part in (one.state, one.budget) if part)
        cells = (clean(one.name, 60), one.type, clean(state, 200), asked, clean(at_once(one.mend or ""), 300))
        table.add_row(*(cell or "" for cell in cells))
    return table


def _due_words(digest: Coming) -> str:
    times = ", ".join(f"{at:%a %d %b %H:%M}" for at in digest.due)
    zone = f" ({digest.due[0].tzinfo})" if digest.due else ""
    where = f"to {', '.join(digest.channels)}" if digest.channels else 'to nobody: name channels = ["..."]'
    return f"digest {digest.digest}: {times}{zone}, {where}"


def _rule(rule: RuleSettings, stock: Stock | None) -> Mapping[str, Any]:
    told = {name: getattr(rule, name) for name in ("name", "when", "brands", "channels", "enabled")}
    return told | {"caught_30_days": stock.caught.get(rule.name) if stock else None}


def _rule_words(rule: RuleSettings, stock: Stock | None) -> str:
    from monitor.digest.escape import clean

    where = f"to {', '.join(rule.channels)}" if rule.channels else 'to nobody: name channels = ["..."]'
    caught = stock.caught.get(rule.name) if stock else None
    if not rule.enabled:
        where = "not enabled"
    elif caught is not None:
        where += f"; would have caught {caught:,} of the last 30 days' items"
    return f"rule {clean(rule.name, 60)}: {clean(rule.when, 200)}, {where}"


# -------------------------------------------------------------------------------------------------- config


def schema(_as_json: AsJson = False) -> None:
    """Print the JSON Schema of the configuration, with the options of every installed connector."""
    from monitor.config.schema import schema as made

    print_json(made())


def show(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Print the settings in effect, defaults included and secrets masked."""
    from monitor.config.shown import shown

    settings = load_settings(config)
    if as_json:
        print_json({**shown(settings), **(files_of(settings) if settings.sheets.patterns else {})})
    else:
        typer.echo(as_toml(settings, shown(settings)))
