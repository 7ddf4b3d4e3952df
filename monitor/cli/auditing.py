"""Commands by which people measure how right the labels are: ``audit sample | label | report | list``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monitor.cli.common import (
    LONGEST_NAME,
    AsJson,
    ConfigPath,
    Failure,
    Since,
    Until,
    brands_of,
    console,
    next_step,
    opened,
    print_json,
    say,
    short,
    window_of,
)
from monitor.cli.showing import Sources, check_sources

if TYPE_CHECKING:
    from datetime import tzinfo

    from monitor.app import App
    from monitor.auditing import AuditReport, Scores, Sheet
    from monitor.metrics.audit import Agreement, Share
    from storage.audits import Sample, Sampled

Number = Annotated[int | None, typer.Argument(metavar="[SAMPLE]", help="A sample's number; the last one without it.")]
WINDOW = "30d"
"""What a sample is drawn from unless --since says otherwise."""
SHOWN = 1_500
"""Characters of a text that are shown to whoever labels it."""
KEYS = {"p": "positive", "u": "neutral", "n": "negative", "x": "not_about_us"}
ASKED = "p positive, u neutral, n negative, x not about {brand} | s skip, b back, q quit"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="How right are the labels? Label a random sample by hand.", no_args_is_help=True)
    group.command("sample")(sample)
    group.command("label")(label)
    group.command("report")(report)
    group.command("list")(list_)
    app.add_typer(group, name="audit")


# ------------------------------------------------------------------------------------------------- sample


def sample(
    size: Annotated[int, typer.Option("-n", "--size", min=1, max=10_000, help="How many items.")] = 200,
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="Of this brand (default: the first).")] = None,
    kind: Annotated[
        Literal["mention", "review"] | None, typer.Option("--kind", help="Only mentions or only reviews.")
    ] = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**62, help="Draws the same sample again (default: at random).")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Draw a random sample of the items whose text was scored (of the last 30 days), to be labelled by people."""
    import secrets

    from monitor.auditing import draw

    with opened(config) as app:
        name = brands_of(app, None if brand is None else [brand])[0]
        check_sources(app, source or ())
        window = window_of(app, since, until, WINDOW)
        chosen = secrets.randbits(32) if seed is None else seed
        drawn = draw(app, name, window, size, chosen, kind=kind, sources=source or ())
        if drawn is None:
            raise Failure(f"{name}: no text was scored in this window; choose another with --since and --until")
        if as_json:
            print_json(_told_sample(drawn))
            return
        typer.echo(f"sample {drawn.id}: {_population(drawn, app.settings.monitor.zone)}")
    next_step(f"sentiment-monitor audit label {drawn.id}")


def _population(one: Sample, zone: tzinfo) -> str:
    """``200 of 412 mentions and reviews of Larkspur whose text was scored, 23 October – 22 November 2026``."""
    from monitor.digest import escape, times, words
    from monitor.digest.numbers import count

    kinds = {"mention": "mentions", "review": "reviews"}.get(one.kind or "", "mentions and reviews")
    said = f"{count(one.size)} of {count(one.frame)} {kinds} of {escape.name(one.brand)} whose text was scored"
    where = f" from {words.names(one.sources)}" if one.sources else ""
    return f"{said}{where}, {times.dates(one.since, one.until, zone)}"


def _told_sample(one: Sample) -> Mapping[str, Any]:
    return {name: getattr(one, name) for name in type(one).__slots__}


def _chosen(app: App, number: int | None) -> Sample:
    from storage import audits

    known = audits.samples(app.database)
    if not known:
        raise Failure("no sample was drawn yet; draw one with: sentiment-monitor audit sample")
    if number is None:
        return known[0]
    for one in known:
        if one.id == number:
            return one
    raise Failure(f"sample {number}: there is none; `sentiment-monitor audit list` shows each with its number", 2)


# -------------------------------------------------------------------------------------------------- label


def label(
    number: Number = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="Who labels (default: your name on this machine).", show_default=False, callback=short
        ),
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Label a sample, a key for each item. What the scorer said is not shown; you may stop at any time and go on later."""
    from monitor.auditing import sheet

    person = _person(by)
    with opened(config) as app:
        chosen = _chosen(app, number)
        before_us = sheet(app, chosen, person)
        before = before_us.done
        _go_through(app, chosen, before_us, person)
    if as_json:
        done = {"sample": chosen.id, "by": person, "labelled": before_us.done - before}
        print_json({**done, "labelled_in_all": before_us.done, "of": len(before_us.items)})
        return
    typer.echo(f"{before_us.done - before} labelled now, {before_us.done} of {len(before_us.items)} in all by {person}")
    next_step(f"sentiment-monitor audit report {chosen.id}")


def _person(by: str | None) -> str:
    """Who labels, as a name that is harmless wherever it is shown."""
    import getpass

    from monitor.digest import escape

    if by is None:
        try:
            by = getpass.getuser()
        except (OSError, KeyError):  # a user whom the system does not know
            by = "somebody"
    if (name := escape.clean(by, LONGEST_NAME)) is None:
        raise Failure("--by: is empty; write a name", 2)
    return name


def _go_through(app: App, chosen: Sample, before_us: Sheet, person: str) -> None:
    from monitor.cli.keys import keys
    from monitor.digest import escape

    with keys() as typed:
        while (item := before_us.shown) is not None:
            _show_item(item, before_us, app.settings.monitor.zone)
            say(ASKED.format(brand=escape.name(chosen.brand)))
            if not _answered(app, chosen, before_us, item, person, typed):
                return
    say(
        "all is labelled"
        if before_us.done == len(before_us.items)
        else "that was the last one; what was skipped is left"
    )


def _answered(app: App, chosen: Sample, before_us: Sheet, item: Sampled, person: str, typed: Iterator[str]) -> bool:
    """Do what the next key says; ``False`` to end."""
    from monitor.auditing import say as keep

    for key in typed:
        match key:
            case "p" | "u" | "n" | "x":
                keep(app, chosen, item, person, KEYS[key])
                before_us.said[item.id] = KEYS[key]
                say(f"> {KEYS[key].replace('_', ' ')}")
                before_us.on()
            case "s":
                before_us.on()
            case "b":
                if not before_us.back():
                    say("this is the first one")
                    continue
            case "q":
                return False
            case _:
                say("press p, u, n, x, s, b or q")
                continue
        return True
    return False


def _show_item(item: Sampled, before_us: Sheet, zone: tzinfo) -> None:
    """The item as its readers saw it: neither stars nor label."""
    from monitor.digest import escape, times

    place = [escape.name(item.source), escape.clean(item.place, escape.NAME), times.moment(item.published_at, zone)]
    say("")
    say(f"{before_us.at + 1}/{len(before_us.items)} | {item.kind} | {' | '.join(part for part in place if part)}")
    if item.parent_title:
        say(f"in: {escape.clean(item.parent_title, escape.TITLE)}")
    for words in (escape.clean(item.title, escape.QUOTE), escape.clean(item.text, SHOWN)):
        if words:
            say(f"  {words}")
    if item.id in before_us.said:
        say(f"(you said: {before_us.said[item.id].replace('_', ' ')})")


# ------------------------------------------------------------------------------------------------- report


def report(number: Number = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """What a sample says: how often people and scorer agree, and the score without the scorer's errors."""
    from monitor.auditing import report as made

    with opened(config) as app:
        chosen = _chosen(app, number)
        found = made(app, chosen)
        if as_json:
            print_json(_told_report(found))
            return
        if not found.labelled:
            raise Failure(
                f"sample {chosen.id}: nothing is labelled yet; begin with: sentiment-monitor audit label {chosen.id}"
            )
        for line in _lines(found, app.settings.monitor.zone):
            console().print(line, soft_wrap=True)


def _told_report(found: AuditReport) -> Mapping[str, Any]:
    return {
        "sample": _told_sample(found.sample),
        **{name: getattr(found, name) for name in ("labelled", "passed_over", "left", "confusion")},
        **_told_scores(found.scores),
        "by_kind": {kind: _told_scores(one) for kind, one in found.by_kind.items()},
        "accuracy": _told_share(found.accuracy),
        "recall": {name: _told_share(one) for name, one in found.recall.items()},
        "precision": {name: _told_share(one) for name, one in found.precision.items()},
        "relevance": _told_share(found.relevance),
        "agreements": [_told_agreement(one) for one in found.agreements],
    }


def _told_scores(one: Scores) -> Mapping[str, Any]:
    raw, span = one.raw, one.raw_interval
    audited = one.audited
    return {
        "raw": {
            "score": raw.score,
            "low": span and span.low,
            "high": span and span.high,
            "n": raw.n,
            "by_stars": one.by_stars,
        },
        "audited": audited and {name: getattr(audited, name) for name in type(audited).__slots__},
    }


def _told_share(one: Share) -> Mapping[str, Any]:
    span = one.interval
    return {"share": one.share, "low": span and span.low, "high": span and span.high, "count": one.count, "n": one.n}


def _told_agreement(one: Agreement) -> Mapping[str, Any]:
    span = one.interval
    kappa = {"kappa": one.kappa, "low": span and span.low, "high": span and span.high, "few": one.is_rough}
    return {"persons": one.persons, "n": one.n, "share": one.share, **kappa}


def _lines(found: AuditReport, zone: tzinfo) -> Iterator[Any]:
    from monitor.digest.numbers import count, plural

    people = ", ".join(f"{name} ({count(n)})" for name, n in found.sample.said.items())
    yield f"sample {found.sample.id}: {_population(found.sample, zone)}"
    yield f"labelled: {count(found.labelled)} of {count(found.sample.size)}, by {people}"
    if found.passed_over:
        yield f"passed over: {plural(found.passed_over, 'item')}; where the hard ones are left out, all below is too good"
    if found.left:
        yield f"left out: {plural(found.left, 'item')} that no longer count or are no longer scored by their text"
    yield ""
    yield from _scores(found)
    yield ""
    yield f"the scorer agrees with people on {_share_words(found.accuracy)} of the labels"
    yield _confusion(found)
    yield f"about the brand: {_share_words(found.relevance)}"
    for one in found.agreements:
        yield _agreement(one)


def _scores(found: AuditReport) -> Iterator[str]:
    kinds = {"mention": "mentions", "review": "reviews"}
    parts = [("", found.scores), *((f"{kinds[kind]}, ", one) for kind, one in found.by_kind.items())]
    for name, one in parts:
        yield from _score_lines(name, one)
    yield "The range without errors speaks of what this window's items are drawn from, not of these items alone."


def _score_lines(name: str, one: Scores) -> Iterator[str]:
    from monitor.digest.numbers import count, likely, plural, score
    from monitor.metrics.audit import FEW

    span = one.raw_interval
    stars = f", {count(one.by_stars)} of them by their stars, which have no error" if one.by_stars else ""
    sized = f" ({likely(span.low, span.high)})" if span else ""
    yield f"{name + 'score by the scorer:':<36}{score(one.raw.score)}{sized} of {plural(one.raw.n, 'item')}{stars}"
    if one.audited is None:
        all_stars = one.raw.n > 0 and one.by_stars == one.raw.n
        why = "the same: stars have no error" if all_stars else "not known: too few labels"
        yield f"{name + 'score without its errors:':<36}{why}"
        return
    found = one.audited
    rough = f", few: from {FEW} labels on the range is to be trusted" if found.m < FEW else ""
    sized = f" ({likely(found.low, found.high)})"
    yield f"{name + 'score without its errors:':<36}{score(found.score)}{sized} by {plural(found.m, 'label')}{rough}"


def _share_words(one: Share) -> str:
    from monitor.digest.numbers import count, percent

    span = one.interval
    if one.share is None or span is None:
        return "–"
    return f"{percent(one.count, one.n)} (likely {percent(span.low, 1)} to {percent(span.high, 1)}) of {count(round(one.n))}"


def _confusion(found: AuditReport) -> Any:
    from rich.table import Table

    labels = list(found.confusion)
    table = Table("people \\ scorer", *labels, "found", box=None, pad_edge=False)
    for column in table.columns[1:-1]:
        column.justify = "right"
    for truth in labels:
        cells = [f"{found.confusion[truth][one]:g}" for one in labels]
        table.add_row(truth, *cells, _share_words(found.recall[truth]))
    table.add_row("right", *(_short(found.precision[one]) for one in labels), "")
    return table


def _short(one: Share) -> str:
    from monitor.digest.numbers import percent

    return percent(one.count, one.n)


def _agreement(one: Agreement) -> str:
    from monitor.digest.numbers import count, percent

    said = f"{' and '.join(one.persons)} agree on {percent(one.share, 1)} of {count(one.n)}"
    if one.kappa is None:
        return f"{said}; beyond chance: not known, since both always said the same one thing"
    span = "" if one.interval is None else f" (likely {one.interval.low:.2f} to {one.interval.high:.2f})"
    few = "; few: the range is rough" if one.is_rough else ""
    return f"{said}; beyond chance: {one.kappa:.2f}{span}, where 1 is always and 0 what chance makes{few}"


# --------------------------------------------------------------------------------------------------- list


def list_(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """The samples drawn so far, and how far each is labelled."""
    from storage import audits

    with opened(config) as app:
        found = audits.samples(app.database)
        if as_json:
            print_json({"samples": [_told_sample(one) for one in found]})
            return
        for one in found:
            typer.echo(f"sample {one.id}: {_population(one, app.settings.monitor.zone)}; {_progress(one.said)}")
    if not found:
        say("no sample was drawn yet")
    next_step("sentiment-monitor audit label" if found else "sentiment-monitor audit sample")


def _progress(said: Mapping[str, int]) -> str:
    parts: Sequence[str] = [f"{name} has labelled {n}" for name, n in said.items()]
    return ", ".join(parts) or "nothing labelled yet"
