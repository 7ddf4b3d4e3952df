"""``try``: what would come from a link, a file, a connector or a configured source, labelled; nothing is stored."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
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
    say,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

    from monitor.config import Settings
    from monitor.config.models import SourceSettings
    from monitor.matching import Keywords
    from monitor.preview import Preview, Seen, Target

OptionTexts = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="An option of the connector: key=value (may be repeated).")
]


def try_(
    target: Annotated[
        str, typer.Argument(help="A link, a file, a connector's name, or a source of the configuration.")
    ],
    keyword: Annotated[
        list[str] | None, typer.Option("--keyword", "-k", help="What names the brand (may be repeated).")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", "-x", help="What makes an item not count (may be repeated).")
    ] = None,
    option: OptionTexts = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="What others would send, for a type of source that is sent to.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000, help="How many items.")] = 10,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Show what would come from a link, a file, a connector or a configured source, labelled; nothing is stored."""
    words = compiled(keyword or [], exclude or [])
    source = _configured(target.strip(), config)
    found, folder, how = (understood(target), Path(), {}) if source is None else _as_configured(*source)
    how |= {"keywords": words, "name": (keyword or [""])[0]} if words else {}
    given = _laid_over(found.options, given_options(found, option or []))
    options, found = validated(found.plus(given), folder)
    preview = looked(found, options, limit=limit, sent=_sent(file), **how)
    if as_json:
        print_json(told(found, preview))
        _refuse_unreadable(file, preview)
        return
    show(found, preview)
    _refuse_unreadable(file, preview)
    if preview.items:
        next_step(f"sentiment-monitor {'add' if source is None else 'pull'} {shlex.quote(target)}")


def _refuse_unreadable(file: Path | None, preview: Preview) -> None:
    """A body of which nothing can be read would be refused, too; why is said above."""
    if file is not None and preview.skipped and not preview.items:
        why = f": {preview.skipped[0][1]}" if len(preview.skipped) == 1 else ""
        raise Failure(f"--file {file}: nothing of it can be read{why}; the sender would be told so (status 422)")


def _sent(file: Path | None) -> bytes | None:
    try:
        return None if file is None else file.read_bytes()
    except OSError as error:
        raise Failure(f"--file {file}: cannot be read ({error.strerror}); look at its name", 2) from error


def _configured(name: str, config: Path | None) -> tuple[Settings, SourceSettings] | None:
    """The source of that name, where the configuration has one. What is no name of a source needs no configuration; of a
    faulty one the faults end the command, if it is named or seems to have the source."""
    from connectors import registry
    from monitor.config import find
    from monitor.links import readings, tidied

    file = find(config)
    if config is None and (name in registry.names() or any(readings(tidied(name))) or not _names(file, name)):
        return None
    settings = load_settings(config)
    return next(((settings, source) for source in settings.sources if source.name == name), None)


def _names(file: Path, name: str) -> bool:
    """May a source of that name stand in this file, or in one that it includes?"""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return bool(name) and not Path(name).exists() and any(sign in text for sign in (name, "include", "{brand."))


def _as_configured(settings: Settings, source: SourceSettings) -> tuple[Target, Path, dict[str, Any]]:
    """The target as the source and its account describe it, the folder of its secrets, and how it is looked at."""
    from connectors import registry
    from monitor.preview import Target

    lent = settings.account(source.account).options if source.account else {}
    target = Target(registry.plugin(source.type), folder=settings.folder).plus({**lent, **source.options})
    brand = next((brand for brand in settings.brands if brand.name in source.served), settings.brands[0])
    how = {"name": brand.name, "keywords": brand.compiled(), "match": source.match, "profile": settings.scoring}
    return target, settings.folder, how


def _laid_over(held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options given, tables laid over those that are there already."""
    return {
        key: {**held[key], **value} if isinstance(value, Mapping) and isinstance(held.get(key), Mapping) else value
        for key, value in given.items()
    }


def compiled(keywords: Sequence[str], exclude: Sequence[str]) -> Keywords | None:
    """The keywords, ready for matching; wrong ones end the command."""
    from monitor.matching import Keywords

    if not keywords and exclude:
        raise Failure("--exclude: needs a --keyword that it narrows; add --keyword acme", 2)
    try:
        return Keywords.compile(keywords, exclude=exclude) if keywords else None
    except ValueError as error:
        raise Failure(f"--keyword: {error}", 2) from error


def understood(text: str) -> Target:
    """What is meant; what is not understood ends the command."""
    from connectors.errors import SourceError
    from connectors.registry import BrokenConnector
    from monitor.app import utc_now
    from monitor.preview import NotUnderstood, understand

    try:
        return understand(text, utc_now)
    except NotUnderstood as error:
        raise Failure(str(error), 2) from error
    except (SourceError, BrokenConnector) as error:
        raise Failure(at_once(str(error))) from error


def given_options(target: Target, texts: Sequence[str]) -> dict[str, Any]:
    """What ``--option key=value`` gives; a text that is none ends the command."""
    from monitor.config.given import values_of

    try:
        return values_of(target.plugin.options, texts)
    except ValueError as error:
        raise Failure(f"--option {error}", 2) from error


def validated(target: Target, folder: Path) -> tuple[BaseModel, Target]:
    """The options as the connector's model and the target with every reference followed; faulty ones end the command."""
    from monitor.config.given import parsed
    from monitor.config.secrets import Secrets

    secrets = Secrets.beside(folder)
    values = secrets.resolve(dict(target.options), target.plugin.name)
    options = parsed(target.plugin.options, values, target.plugin.name)
    if secrets.faults or isinstance(options, list):
        faults = [*secrets.faults, *(options if isinstance(options, list) else [])]
        missing = any(fault.fact == "missing" for fault in faults)
        raise Failure([*map(str, faults), *(_needs(target) if missing else [])], 2)
    return options, target.plus(values)


def _needs(target: Target) -> list[str]:
    plugin = target.plugin
    if not plugin.capabilities.needs_credentials:
        return []
    return [f"{plugin.title} wants credentials of your own. {plugin.notes}".strip()]


def looked(target: Target, options: BaseModel, **how: Any) -> Preview:
    """The first items; a source that cannot be read ends the command."""
    from connectors.errors import SourceError
    from monitor.app import utc_now
    from monitor.cli.common import set_up_logging
    from monitor.preview import NotUnderstood, look

    set_up_logging("error", "text")
    try:
        return look(target, options, utc_now, **how)
    except NotUnderstood as error:
        raise Failure(str(error), 2) from error
    except SourceError as error:
        raise Failure(f"{target.plugin.title}: {at_once(str(error))}") from error


# ---------------------------------------------------------------------------------------------- printing


def show(target: Target, preview: Preview) -> None:
    """A table of the items, and what they come to."""
    from monitor.digest.words import score_line

    if target.note:
        say(target.note)
    out = console()
    out.print(f"{target.plugin.title}{_asked(preview)}", soft_wrap=True)
    if not preview.items:
        from monitor.preview import REACH

        reads = target.plugin.capabilities.pull
        nothing = "nothing of it can be read" if preview.skipped else _NOTHING_IS_READ
        out.print(f"nothing came of the last {REACH.days} days" if reads else nothing)
    else:
        out.print(_table(preview))
        out.print(score_line(preview.sentiment), soft_wrap=True)
    for line in _remarks(preview):
        out.print(line, soft_wrap=True)


_NOTHING_IS_READ = "nothing is read from it, others send to it: give what they send with --file body.json"


def _asked(preview: Preview) -> str:
    from monitor.digest.escape import clean

    asked = "; ".join(clean(query, 120) or "" for query in preview.queries)
    return f", asked for: {asked}" if asked else ""


def _table(preview: Preview) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, expand=True)
    for title in ("date", "label", "score", "stars", "where"):
        table.add_column(title, no_wrap=True)
    table.add_column("what", no_wrap=True, overflow="ellipsis", ratio=1)
    for one in preview.items:
        table.add_row(*_cells(one))
    return table


def _cells(one: Seen) -> list[str]:
    from monitor.digest.escape import clean

    row, compound = one.row, one.scored.compound
    said = " — ".join(part for part in (clean(row.title, 120), clean(row.text, 240)) if part) or "(no text)"
    return [
        f"{row.published_at.astimezone():%Y-%m-%d %H:%M}",
        label_words(one),
        "" if compound is None else f"{compound:+.2f}",
        "" if row.stars is None else f"{row.stars:g}",
        clean(row.place, 20) or "",
        f"[{clean(one.uncounted, 80)}] {said}" if one.uncounted else said,
    ]


def label_words(one: Seen) -> str:
    """``positive``, or why there is no label."""
    match one.scored.label, one.scored.unscored:
        case None, "no_text":
            return "unscored: no text"
        case None, _:
            return f"unscored: language {one.scored.language or 'unknown'}"
        case label, _:
            return str(label)


def _remarks(preview: Preview) -> list[str]:
    from monitor.digest.escape import clean

    left_out = sum(one.uncounted is not None for one in preview.items)
    lines = [f"{left_out} of {len(preview.items)} would not count, as said in brackets"] if left_out else []
    lines += ["there is more than is shown"] if preview.more else []
    lines += [f"left out: {clean(what, 80)}: {clean(why, 200)}" for what, why in preview.skipped[:10]]
    lines += [f"left out: {len(preview.skipped) - 10} more"] if len(preview.skipped) > 10 else []
    return lines + [f"gap: {clean(gap, 200)}" for gap in preview.gaps]


def told(target: Target, preview: Preview) -> Mapping[str, Any]:
    """The same for programs."""
    return {
        "type": target.plugin.name,
        "note": target.note,
        "queries": preview.queries,
        "items": [_told_item(one) for one in preview.items],
        "sentiment": preview.sentiment.model_dump(exclude={"change", "variants"}),
        "skipped": [{"what": what, "why": why} for what, why in preview.skipped],
        "gaps": preview.gaps,
        "more": preview.more,
    }


def _told_item(one: Seen) -> Mapping[str, Any]:
    row, scored = one.row, one.scored
    names = ("external_id", "kind", "published_at", "title", "text", "url", "place", "stars")
    return {
        **{name: getattr(row, name) for name in names},
        "author": row.author_name,
        "label": scored.label,
        "label_by": scored.by,
        "compound": scored.compound,
        "unscored": scored.unscored,
        "language": scored.language or row.language,
        "uncounted": one.uncounted,
    }
