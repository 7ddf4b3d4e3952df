"""Commands about labels: ``rescore``, ``evaluate``; ``explain`` has a file of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli import explaining
from monitor.cli.common import (
    AsJson,
    Brand,
    ConfigPath,
    Failure,
    Since,
    brands_of,
    console,
    instant,
    load_settings,
    next_step,
    opened,
    print_json,
    say,
)

if TYPE_CHECKING:
    from monitor.metrics.sentiment import Tally
    from monitor.rescoring import Progress, Rescored
    from monitor.scoring import Profile
    from monitor.scoring.evaluation import Evaluated


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(rescore)
    app.command()(explaining.explain)
    app.command()(evaluate)


# ------------------------------------------------------------------------------------------------ rescore


def rescore(
    brand: Brand = None,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Processes (default: one a core).")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Label anew what was labelled by other settings than the present ones; a person's labels stay."""
    from monitor.bulk import ExecutorUnusable
    from monitor.rescoring import rescore as rescored
    from monitor.scoring.registry import ScorerError

    with opened(config) as app:
        chosen, start = brands_of(app, brand), instant(app, since)
        try:
            with _progress() as progress:
                result = rescored(app, chosen, start, dry_run=dry_run, workers=workers, progress=progress)
        except (ScorerError, ExecutorUnusable) as error:
            raise Failure([str(error), _REST]) from error
    if as_json:
        print_json(_told(result))
        return
    _show(result)
    if not result.dry_run or result.rescored:
        next_step("sentiment-monitor rescore" if result.dry_run or result.overtaken else "sentiment-monitor scores")


_REST = "what was rescored until then stays; run the command again for the rest"


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar while a person waits; silent when standard error is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console(err=True), transient=True) as bars:
        task = bars.add_task("rescoring", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _told(result: Rescored) -> Mapping[str, Any]:
    scores = [
        {"brand": one.brand, "kind": one.kind, "before": _counts(one.before), "after": _counts(one.after)}
        for one in result.scores
    ]
    return {name: getattr(result, name) for name in type(result).__slots__} | {"scores": scores}


def _counts(tally: Tally) -> Mapping[str, Any]:
    counts = {name: getattr(tally, name) for name in ("positive", "neutral", "negative", "unscored")}
    return {"score": tally.score, **counts}


def _show(result: Rescored) -> None:
    from monitor.digest.numbers import count, plural

    out = console()
    if not result.outdated:
        out.print(f"every label is up to date ({result.scorer})", soft_wrap=True)
    else:
        done = "would be rescored" if result.dry_run else "rescored"
        changed = "would change" if result.dry_run else "changed"
        of = f"{plural(result.rescored, 'item')} {done} by {result.scorer}"
        out.print(f"{of}; {plural(result.changed, 'label')} {changed}", soft_wrap=True)
        out.print(_label_table(result.labels, "before \\ after"))
    for line in _remarks(result):
        out.print(line, soft_wrap=True)
    if result.scores:
        out.print(_score_table(result))
    if result.dry_run and result.outdated:
        say(f"nothing was changed; without --dry-run, {count(result.rescored)} items are")


def _remarks(result: Rescored) -> Iterator[str]:
    from monitor.digest.numbers import plural

    reasons = {"no_text": "nothing to read in them", "language": "in a language that no scorer here reads"}
    for why, n in result.unscored.items():
        yield f"unscored: {plural(n, 'item')}, {reasons.get(why, why)}"
    if result.by_person:
        yield f"labelled by a person: {plural(result.by_person, 'item')}, whose labels stay"
    if result.overtaken:
        yield f"changed meanwhile: {plural(result.overtaken, 'item')}, left to the next run"


def _label_table(labels: Mapping[str, Mapping[str, int]], corner: str) -> Any:
    from rich.table import Table

    from monitor.digest.numbers import count

    table = Table(corner, box=None, pad_edge=False)
    for name in labels:
        table.add_column(name, justify="right")
    for name, row in labels.items():
        table.add_row(name, *(count(n) for n in row.values()))
    return table


def _score_table(result: Rescored) -> Any:
    from rich.table import Table

    from monitor.digest.escape import name
    from monitor.digest.numbers import count, score

    table = Table("brand", "kind", box=None, pad_edge=False)
    for column in ("scored before", "after", "score before", "after"):
        table.add_column(column, justify="right")
    for one in result.scores:
        scored, scores = (one.before.n, one.after.n), (one.before.score, one.after.score)
        table.add_row(name(one.brand), f"{one.kind}s", *map(count, scored), *map(score, scores))
    return table


# ----------------------------------------------------------------------------------------------- evaluate


def evaluate(
    file: Annotated[Path, typer.Argument(help="CSV, TSV or JSON Lines.", exists=True, dir_okay=False)],
    text_column: Annotated[
        str | None, typer.Option(help="The column of texts (default: text, review, content ...).")
    ] = None,
    title_column: Annotated[str | None, typer.Option(help="The column of titles (default: title, if any).")] = None,
    label_column: Annotated[
        str | None,
        typer.Option(help="The column of labels: positive/neutral/negative, 1 to 5 stars, or -1/0/1 (default: label)."),
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="A column by which to tell the errors apart: a brand, a source.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """How well each profile labels texts whose labels are known. Needs no configuration."""
    from monitor.scoring import DEFAULT, STOCK
    from monitor.scoring.evaluation import evaluate as evaluated
    from monitor.scoring.evaluation_files import Columns, FaultyFile, UnknownColumns, read_rows
    from monitor.scoring.registry import ScorerError

    own = _own_profile(config)
    try:
        rows = read_rows(file, Columns(text_column, title_column, label_column, group))
        found = evaluated(rows, [STOCK, DEFAULT, *own]).profiles
    except FaultyFile as error:
        raise Failure(str(error).splitlines(), 2 if isinstance(error, UnknownColumns) else 1) from error
    except ScorerError as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json({"profiles": [_figures(one, grouped=group is not None) for one in found]})
    else:
        _show_evaluated(found, grouped=group is not None)


def _own_profile(config: Path | None) -> list[Profile]:
    """The configuration's profile, if there is a configuration and it reads texts otherwise than stock and default."""
    from monitor.config import find
    from monitor.scoring import DEFAULT, STOCK

    if config is None and not find(None).exists():
        return []
    profile: Profile = load_settings(config).scoring
    known = [_reading(DEFAULT), _reading(STOCK)]
    return [] if _reading(profile) in known else [replace(profile, name="own")]


def _reading(profile: Profile) -> Profile:
    """What of a profile decides how a text is read: neither its name nor the steps that are off when texts are judged."""
    return replace(profile, name="", stars=False, language_gate=False)


_FIGURES = ("profile", "n", "accuracy", "macro_f1", "recall", "score_true", "score", "score_error", "confusion")


def _figures(one: Evaluated, *, grouped: bool) -> Mapping[str, Any]:
    figures = {name: getattr(one, name) for name in _FIGURES}
    return figures | ({"groups": [asdict(group) for group in one.groups]} if grouped else {})


def _show_evaluated(found: Sequence[Evaluated], *, grouped: bool) -> None:
    out = console()
    out.print(_figure_table(found))
    for one in found:
        out.print(f"\n{one.profile}: what texts of each true label were called")
        out.print(_label_table(one.confusion, "true \\ called"))
    if grouped:
        out.print("\nscore by group, and its error")
        out.print(_group_table(found))


def _figure_table(found: Sequence[Evaluated]) -> Any:
    from rich.table import Table

    from monitor.digest.numbers import count, rate, score

    lines: list[tuple[str, Callable[[Evaluated], str]]] = [
        ("texts", lambda one: count(one.n)),
        ("unscored", lambda one: count(one.unscored)),
        ("labelled right", lambda one: rate(one.accuracy)),
        ("macro F1", lambda one: "–" if one.macro_f1 is None else f"{one.macro_f1:.3f}"),
        *((f"found of {label}", _recall(label)) for label in ("positive", "neutral", "negative")),
        ("true score", lambda one: score(one.score_true)),
        ("score", lambda one: score(one.score)),
        ("error of the score", lambda one: score(one.score_error)),
    ]
    table = Table("", box=None, pad_edge=False)
    for one in found:
        table.add_column(one.profile, justify="right")
    for name, cell in lines:
        table.add_row(name, *(cell(one) for one in found))
    return table


def _recall(label: str) -> Callable[[Evaluated], str]:
    from monitor.digest.numbers import rate

    return lambda one: rate(one.recall[label])


def _group_table(found: Sequence[Evaluated]) -> Any:
    from rich.table import Table

    from monitor.digest.escape import name
    from monitor.digest.numbers import count, score

    table = Table("group", box=None, pad_edge=False)
    for column in ("texts", "true score", *(one.profile for one in found)):
        table.add_column(column, justify="right")
    by_group = [{group.group: group for group in one.groups} for one in found]
    for group in dict.fromkeys(known for groups in by_group for known in groups):
        each = [groups.get(group) for groups in by_group]
        first = next(one for one in each if one is not None)
        cells = ("–" if one is None else f"{score(one.score)} ({score(one.score_error)})" for one in each)
        table.add_row(name(group), count(first.n), score(first.score_true), *cells)
    return table
