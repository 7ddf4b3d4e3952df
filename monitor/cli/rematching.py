"""``rematch``: changed keywords, exclusions and mutes, applied to what is stored; ``marks suggest``: what to exclude."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    AsJson,
    Brand,
    ConfigPath,
    Failure,
    Since,
    brands_of,
    console,
    instant,
    next_step,
    opened,
    print_json,
    say,
    whole,
)

if TYPE_CHECKING:
    from monitor.rematching import BrandTotals, Example, Rematched, Shift
    from monitor.suggesting import Suggested

_REASONS = {
    "excluded": "excluded by keywords",
    "muted": "muted",
    "duplicate": "a duplicate",
    "not_about_us": "not about the brand",
}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(rematch)
    group = typer.Typer(help="What can be learned from what people marked.", no_args_is_help=True)
    group.command()(suggest)
    group.callback()(lambda: None)  # a group, though it has but one command
    app.add_typer(group, name="marks")


def rematch(
    brand: Brand = None,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Decide anew which stored items count, by the present keywords, exclusions and mutes."""
    from monitor.rematching import rematch as rematched

    with opened(config) as app:
        chosen, start = brands_of(app, brand), instant(app, since)
        with console(err=True).status("looking") as status:  # silent where nobody watches
            progress = lambda seen: status.update(f"{seen:,} items")  # noqa: E731
            result = rematched(app, chosen, start, dry_run=dry_run, progress=progress)
    if as_json:
        print_json(asdict(result))
    else:
        _show(result)
        next_step("sentiment-monitor rematch" if dry_run and result.changed else "sentiment-monitor scores")
    if result.overtaken:
        raise Failure(f"{result.overtaken:,} items changed meanwhile; run the command again")


def _show(result: Rematched) -> None:
    from monitor.digest.escape import clean

    out = console()
    for totals in result.brands:
        out.print(_totals(totals, dry_run=result.dry_run), soft_wrap=True)
        for line in _caught(totals):
            out.print(f"  {line}", soft_wrap=True)
        for shift in (shift for shift in result.shifts if shift.brand == totals.brand):
            out.print(f"  {_shift(shift, dry_run=result.dry_run)}", soft_wrap=True)
            for example in shift.examples:
                out.print(f"    {clean(_example(example), 160)}", soft_wrap=True)
    if not result.changed:
        out.print("everything counts as it should; nothing changes", soft_wrap=True)
    elif result.dry_run:
        out.print("nothing was changed", soft_wrap=True)


def _totals(totals: BrandTotals, *, dry_run: bool) -> str:
    from monitor.digest.escape import name

    after = "would count" if dry_run else "count now"
    looked = f"{totals.items:,} item{'' if totals.items == 1 else 's'} looked at"
    return f"{name(totals.brand)}: {looked}; {totals.counted_before:,} counted, {totals.counted_after:,} {after}"


def _caught(totals: BrandTotals) -> Iterator[str]:
    from monitor.digest.escape import clean

    for exclusion, count in totals.caught.items():
        yield f"{clean(exclusion, 80)}: catches {count:,}"


def _shift(shift: Shift, *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    before = "counted" if shift.before is None else _REASONS.get(shift.before, shift.before)
    after = "counted" if shift.after is None else _REASONS.get(shift.after, shift.after)
    return f"{shift.count:,} {would}{after} (before: {before}), such as"


def _example(example: Example) -> str:
    said = " - ".join(part for part in (example.title, example.text) if part)
    by = f" [{example.by}]" if example.by else ""
    return f"{example.id}{by}: {said[:120]}"


# ------------------------------------------------------------------------------------------------ suggest


def suggest(
    brand: Annotated[str, typer.Option("--brand", "-b", help="The brand whose exclusions are looked for.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100)] = 10,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Words that tell what was marked not about the brand from what counts: candidates for `exclude`."""
    from monitor.suggesting import suggest as suggested

    with opened(config) as app:
        brands_of(app, [brand])
        found = suggested(app, brand, limit)
    if as_json:
        print_json(asdict(found))
        return
    _show_suggested(found)


def _show_suggested(found: Suggested) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    if not found.words:
        say(f"{found.marked:,} marked as not about the brand: no word tells them from the rest clearly enough")
        return
    table = Table(whole("exclude"), "of what was marked", "of what counts", box=None, pad_edge=False)
    for one in found.words:
        table.add_row(
            clean(one.word, 40), f"{one.marked:,} of {found.marked:,}", f"{one.counted:,} of {found.counted:,}"
        )
    console().print(table)
    next_step("add the right ones to `exclude` of the brand, then: sentiment-monitor rematch --dry-run")
