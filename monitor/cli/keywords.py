"""``keywords``: what each of a brand's words does, what excluding more would do, and making it so or taking it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    AsJson,
    Brand,
    ConfigPath,
    Failure,
    brands_of,
    console,
    next_step,
    opened,
    print_json,
    say,
)

if TYPE_CHECKING:
    from monitor.adopting import Adopted
    from monitor.app import App
    from monitor.keyword_rules import BrandRules, RuleCount
    from monitor.keyword_trials import Caught, Change, Scores, Trial
    from monitor.looking import Extent

OneBrand = Annotated[str | None, typer.Option("--brand", "-b", help="The brand; needed where there are several.")]
Seconds = Annotated[
    float, typer.Option("--seconds", help="Look at the newest items for so long at most.", min=0.1, max=86_400)
]
SECONDS = 30.0
KINDS = {"keyword": "keyword", "query": "query", "required": "required", "exclude": "excluded"}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="The words that say what is about a brand: what each does, tried before it is changed.")
    group.callback(invoke_without_command=True)(keywords)
    group.command("try")(try_)
    group.command()(exclude)
    app.add_typer(group, name="keywords")


def keywords(
    context: typer.Context,
    brand: Brand = None,
    seconds: Seconds = SECONDS,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Every word of a brand with how many of the stored items it catches."""
    if context.invoked_subcommand is not None:
        if brand or config or as_json:
            raise Failure(f"keywords: give options behind {context.invoked_subcommand}", 2)
        return
    from monitor.keyword_rules import rules_of

    with opened(config) as app:
        with console(err=True).status("looking"):  # silent where nobody watches
            found = rules_of(app, brands_of(app, brand), seconds=seconds)
        if as_json:
            print_json({"brands": [told(one) for one in found]})
            return
        for one in found:
            _show_rules(app, one)
    if any(one.stale for one in found):
        next_step("sentiment-monitor rematch --dry-run")
    else:
        next_step('sentiment-monitor keywords try --brand ... --exclude "..."')


def told(rules: BrandRules) -> Mapping[str, Any]:
    """A brand's rules as JSON."""
    ways = {"now_counted": rules.in_, "no_longer_counted": rules.out}
    kept = {name: value for name, value in asdict(rules).items() if name not in ("in_", "out")}
    return {**kept, "extent": told_extent(rules.extent), **ways}


def told_extent(extent: Extent) -> Mapping[str, Any]:
    """How far a look came, as JSON."""
    return {**asdict(extent), "complete": extent.complete}


def _show_rules(app: App, rules: BrandRules) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean, name
    from monitor.judging import beyond_words

    out = console()
    out.print(
        f"{name(rules.brand)}: {rules.counting:,} items count; {_how_far(app.settings.monitor.zone, rules.extent)}",
        soft_wrap=True,
    )
    table = Table("", "word", "items", "of these count", "it alone decides", box=None, pad_edge=False)
    for one in rules.rules:
        left_out = f" (leaves out {one.excluded:,})" if one.kind == "query" else ""
        cells = (clean(one.text, 80) or "", f"{one.items:,}{left_out}", f"{one.counted:,}", f"{one.alone:,}")
        table.add_row(KINDS[one.kind], *cells)
    out.print(table)
    if rules.beyond:
        out.print(clean(beyond_words(rules.beyond), 500), soft_wrap=True)
    if rules.stale:
        out.print(stale_words(rules), soft_wrap=True)


def stale_words(rules: BrandRules) -> str:
    """What a rematch would change."""
    return (
        f"decided anew now, {rules.would_count:,} would count: {rules.in_:,} more, {rules.out:,} no longer;"
        " run: sentiment-monitor rematch"
    )


def brief(rules: BrandRules, zone: tzinfo) -> Iterator[str]:
    """A brand's rules in a line or two, for ``check``; nothing where nothing is stored."""
    from monitor.digest.escape import clean, name
    from monitor.judging import beyond_words

    if not rules.extent.looked_at:
        return
    parts = [_in_brief(one) for one in rules.rules]
    yield clean(f"words of {name(rules.brand)}: {'; '.join(parts)} ({_how_far(zone, rules.extent)})", 2_000) or ""
    if rules.beyond:
        yield clean(f"words of {name(rules.brand)}: {beyond_words(rules.beyond)}", 500) or ""
    if rules.stale:
        yield f"words of {name(rules.brand)}: {stale_words(rules)}"


def _in_brief(one: RuleCount) -> str:
    if one.kind == "exclude":
        return f'not "{one.text}" {one.items:,} ({one.alone:,} by it alone)'
    title = "needs " if one.kind == "required" else ""
    left_out = f" (leaves out {one.excluded:,})" if one.kind == "query" else ""
    return f'{title}"{one.text}" {one.items:,}{left_out}'


def _how_far(zone: tzinfo, extent: Extent) -> str:
    if extent.complete or extent.since is None:
        return f"all {extent.looked_at:,} stored items were looked at"
    day = extent.since.astimezone(zone)
    return f"only the newest {extent.looked_at:,} of {extent.stored:,} were looked at, back to {day:%d %b %Y}"


# ---------------------------------------------------------------------------------------------------- try


def try_(
    brand: OneBrand = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", "-x", help="A word or phrase to exclude (may be repeated).")
    ] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", help="An exclusion to give up (may be repeated).")] = None,
    query: Annotated[str | None, typer.Option("--query", help="Another query instead of the words.")] = None,
    seconds: Seconds = SECONDS,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """What other words would do to the figures; nothing is changed."""
    from monitor.keyword_trials import Change, would_catch

    if not (exclude or keep or query):
        raise Failure("keywords try: say what is to be tried: --exclude, --keep or --query", 2)
    _check_quotes("--exclude", exclude or ())
    change = Change(exclude=tuple(exclude or ()), keep=tuple(keep or ()), query=query)
    with opened(config) as app:
        chosen = _one_brand(app, brand)
        _check_kept(app, chosen, change)
        try:
            with console(err=True).status("looking"):  # silent where nobody watches
                trial = would_catch(app, chosen, change, seconds=seconds)
        except ValueError as error:
            raise Failure(str(error), 2) from error
        if as_json:
            print_json({**asdict(trial), "extent": told_extent(trial.extent), **_scores_json(trial)})
            return
        _show_trial(app, trial)
    if exclude and not (keep or query):
        next_step(f"sentiment-monitor keywords exclude --brand ... {' '.join(map(repr, exclude))}")


def _check_quotes(option: str, words: Sequence[str]) -> None:
    """A mark that opens and never closes comes from the shell, where the words were quoted otherwise than was meant."""
    for word in words:
        plain = word.strip()
        if plain.startswith('"') and plain.count('"') == 1:
            bare = plain.strip('" ') or "a phrase"
            raise Failure(f"{option}: {plain[:80]}: this quotation mark is never closed; write '{bare}' in quotes", 2)


def _one_brand(app: App, brand: str | None) -> str:
    known = brands_of(app, None)
    if brand is None and len(known) > 1:
        raise Failure(f"--brand: missing; there are: {', '.join(known)}", 2)
    return brands_of(app, [brand or known[0]])[0]


def _check_kept(app: App, brand: str, change: Change) -> None:
    known = app.settings.brand(brand).exclude
    for word in change.keep:
        if word not in known:
            raise Failure(f'--keep: "{word}" is not excluded; there are: {", ".join(known) or "none"}', 2)


def _scores_json(trial: Trial) -> Mapping[str, Any]:
    sides = {"before": trial.before, "after": trial.after}
    return {
        name: {"social": side.social.model_dump(mode="json"), "reviews": side.reviews.model_dump(mode="json")}
        for name, side in sides.items()
    }


def _show_trial(app: App, trial: Trial) -> None:
    from monitor.digest.escape import clean, name

    out = console()
    for line in (
        f"{name(trial.brand)}: {trial.excluded:,} of {trial.counting:,} that count would count no more,"
        f" {trial.back:,} would come back; {_how_far(app.settings.monitor.zone, trial.extent)}",
        *_details(trial),
        *_scores(trial.before, trial.after),
    ):
        out.print(clean(line, 500), soft_wrap=True)
    if trial.examples:
        out.print("such as, the likeliest mistakes first" if _doubted(trial) else "such as")
    for one in trial.examples:
        out.print(f"  {clean(_example(one), 200)}", soft_wrap=True)
    out.print("nothing was changed")


def _doubted(trial: Trial) -> bool:
    return any(one.doubt for one in trial.examples)


def _details(trial: Trial) -> Iterator[str]:
    from monitor.judging import beyond_words

    for title, counts in (("by word", trial.by_word), ("by source", trial.by_source), ("by label", trial.by_label)):
        if counts:
            yield f"{title}: {', '.join(f'{name} {count:,}' for name, count in counts.items())}"
    if trial.beyond:
        yield beyond_words(trial.beyond)
    if trial.marked:
        yield f"{trial.marked:,} that people marked as not about the brand would have been caught, too"
    if trial.pending:
        yield f"{trial.pending:,} of all would change by the present words already; run: sentiment-monitor rematch"


def _scores(before: Scores, after: Scores) -> Iterator[str]:
    from monitor.digest.words import score_words

    pairs = (("mentions", before.social, after.social), ("reviews", before.reviews, after.reviews))
    for title, was, would in pairs:
        if was.total or would.total:
            yield (
                f"score of the {title}: {score_words(was)} of {was.total:,} now,"
                f" {score_words(would)} of {would.total:,} then"
            )


def _example(one: Caught) -> str:
    said = " - ".join(part for part in (one.title, one.text) if part)
    doubt = f" (wrong? {one.doubt})" if one.doubt else ""
    return f"{one.id}{doubt}: {said[:140]}"


# ------------------------------------------------------------------------------------------------ exclude


def exclude(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words or phrases, each in quotes.")],
    brand: OneBrand = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take them out again.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Write exclusions into the configuration, and let the stored items follow at once."""
    from monitor.adopting import AdoptError, adopt
    from monitor.adopting import undo as taken_back

    _check_quotes("exclude", () if undo else words)
    with opened(config) as app:
        chosen = _one_brand(app, brand)
        with console(err=True).status("looking") as status:  # silent where nobody watches
            progress = lambda seen: status.update(f"{seen:,} items")  # noqa: E731
            try:
                done = (taken_back if undo else adopt)(app, chosen, words, progress=progress)
            except AdoptError as error:
                raise Failure(error.lines, 2) from error
    _tell(done, words, undo=undo, as_json=as_json)
    if done.history.overtaken:
        raise Failure(f"{done.history.overtaken:,} items changed meanwhile; run: sentiment-monitor rematch")


def _tell(done: Adopted, words: Sequence[str], *, undo: bool, as_json: bool) -> None:
    from monitor.digest.escape import clean, name
    from monitor.judging import beyond_words

    (totals,) = done.history.brands
    if as_json:
        print_json(
            {
                "brand": done.brand,
                "file": str(done.file),
                "words": list(done.words),
                "undo": undo,
                "history": asdict(done.history),
            }
        )
        return
    state = "no longer excluded" if undo else "excluded"
    as_before = "" if done.words else f", as {'they were not' if undo else 'before'}"
    shown = ", ".join(f'"{clean(word, 80)}"' for word in done.words or words)
    say(f"{done.file}: {shown} {state}{as_before}")
    typer.echo(f"{name(done.brand)}: {totals.counted_before:,} counted, {totals.counted_after:,} count now")
    if totals.beyond:
        typer.echo(clean(beyond_words(totals.beyond), 500))
    if not undo and done.words:
        next_step("to take it back: the same command with --undo")
