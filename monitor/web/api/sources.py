"""Sources: how each is, its pulls; pull now, pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Query
from pydantic import Field

from monitor import steering
from monitor.app import App
from monitor.health import Health, health_of_sources
from monitor.web import sight
from monitor.web.access import Visitor
from monitor.web.answers import Answer, Plain, Wish, api, problems
from monitor.web.guards import Here, Reader, Writer
from monitor.web.params import Limit, SourceName
from monitor.web.problems import Refused, not_found
from storage import queries
from storage.records import Left

router = api("sources")
T = TypeVar("T")


class GapOut(Answer):
    """What a source could not give of late."""

    since: datetime
    until: datetime
    missing: int | None = Field(description="About so many items; null: nobody knows.")
    reason: str


class BudgetOut(Answer):
    """How a limit of requests stands."""

    requests: int
    seconds: int
    spent: int
    left: int
    wait_seconds: float | None = Field(description="Until the next one is free; null: it is now.")


class LastPull(Answer):
    begun_at: datetime
    ended_at: datetime | None
    ok: bool | None = Field(description="Null: under way, or cut off.")
    pages: int
    seen: int
    new: int
    changed: int
    unmatched: int
    skipped: int


class SourceOut(Answer):
    """How a source is, in a word, in words for people, and in figures."""

    name: str
    type: str
    state: str = Field(
        description="fine, waiting, pulling, late, limited, retrying, failing, store, refused, not_there, paused, resting,"
        " imported, elsewhere or gone.",
        examples=["fine"],
    )
    words: str
    watched_since: datetime | None = Field(
        description="Of the time before nothing is known; null: of none, or not read yet."
    )
    known_until: datetime | None = Field(description="Up to here everything has been read.")
    next_run_at: datetime | None
    failures: int = Field(description="In a row.")
    held_by: str | None = Field(description="Who reads it now.")
    held_until: datetime | None
    error: str | None
    last_success_at: datetime | None
    newest_item_at: datetime | None
    last_pull: LastPull | None
    gap: GapOut | None
    budget: Sequence[BudgetOut]
    budget_of: str | None


class Sources(Answer):
    sources: Sequence[SourceOut]


class PullOut(LastPull):
    """A line of the log."""

    source: str
    fate: str | None = Field(description="How it failed, in a word.")
    error: str | None
    skips: Sequence[Sequence[str]] | None = Field(description="The first few that were left out: what, and why.")


class Pulls(Answer):
    pulls: Sequence[PullOut]


class PauseReason(Wish):
    reason: Plain = Field(
        default="", max_length=300, description="Why, for those who wonder.", examples=["the forum moves"]
    )


class PullAsked(Answer):
    """What became of asking for a pull."""

    source: str
    outcome: Literal["soon", "running", "waiting", "unattended"] = Field(
        description="soon: a daemon reads it within seconds; waiting: its platform asked to be left alone until then;"
        " unattended: no daemon runs that would read it."
    )
    until: datetime | None


# ------------------------------------------------------------------------------------------------------- reading


@router.get("/sources")
def list_sources(house: Here, visitor: Reader) -> Sources:
    """Every source and how it is."""
    return Sources(sources=[_out(one) for one in _seen(house.app, visitor)])


@router.get("/pulls", responses=problems(404))
def list_pulls(
    house: Here,
    visitor: Reader,
    source: Annotated[str | None, Query(description="Of this source.", max_length=200, examples=["reddit"])] = None,
    limit: Limit = 50,
) -> Pulls:
    """The log of pulls: when, how many, what was left out, why it ended."""
    seen = sight.sources(house.app, visitor)
    if source is not None:
        _one(house.app, visitor, source)
    rows = _log(
        house.app, None if source is None and seen is None else [source] if source else sorted(seen or ()), limit
    )
    return Pulls(pulls=[PullOut.model_validate(row) for row in rows])


def _log(app: App, names: Sequence[str] | None, limit: int) -> list[Any]:
    if names is None:
        return queries.pulls(app.database, None, limit)
    rows = [row for name in names for row in queries.pulls(app.database, name, limit)]
    return sorted(rows, key=lambda row: row["id"], reverse=True)[:limit]


@router.get("/sources/{name:path}", responses=problems(404))
def read_source(house: Here, visitor: Reader, name: SourceName) -> SourceOut:
    """One source and how it is."""
    return _out(_one(house.app, visitor, name))


# ------------------------------------------------------------------------------------------------------- steering


@router.post("/sources/{name:path}/pull", responses=problems(404, 409))
def pull_source(house: Here, visitor: Writer, name: SourceName) -> PullAsked:
    """Ask for a pull now; one that had paused itself is tried again."""
    _may_steer(house.app, visitor, name)
    asked = _steered(lambda: steering.pull_soon(house.app, name))
    return PullAsked(source=name, outcome=asked.outcome, until=asked.until)


@router.post("/sources/{name:path}/pause", responses=problems(404, 409))
def pause_source(house: Here, visitor: Writer, name: SourceName, body: PauseReason | None = None) -> SourceOut:
    """Let a source rest until somebody resumes it, across restarts."""
    _may_steer(house.app, visitor, name)
    _steered(lambda: steering.pause(house.app, name, visitor.name[:100], body.reason if body else ""))
    return _out(_one(house.app, visitor, name))


@router.post("/sources/{name:path}/resume", responses=problems(404, 409))
def resume_source(house: Here, visitor: Writer, name: SourceName) -> SourceOut:
    """Go on with a paused source, at once, whoever or whatever paused it."""
    _may_steer(house.app, visitor, name)
    _steered(lambda: steering.resume(house.app, name))
    return _out(_one(house.app, visitor, name))


def _may_steer(app: App, visitor: Visitor, name: str) -> None:
    """What rests rests for every brand that the source serves."""
    _one(app, visitor, name)
    sight.all_of(visitor, sight.served(app, name))


def _steered(step: Callable[[], T]) -> T:
    try:
        return step()
    except steering.CannotSteer as error:
        raise Refused(409, str(error)) from error


def _seen(app: App, visitor: Visitor) -> list[Health]:
    seen = sight.sources(app, visitor)
    return [one for one in health_of_sources(app) if seen is None or one.name in seen]


def _one(app: App, visitor: Visitor, name: str) -> Health:
    found = next((one for one in _seen(app, visitor) if one.name == name), None)
    if found is None:
        raise not_found(f'no source "{name[:100]}"')
    return found


def _out(one: Health) -> SourceOut:
    told = {name: getattr(one, name) for name in SourceOut.model_fields}
    return SourceOut.model_validate({**told, "budget": [_budget(left) for left in one.budget]})


def _budget(left: Left) -> BudgetOut:
    return BudgetOut(
        requests=left.limit.amount, seconds=left.limit.seconds, spent=left.spent, left=left.units,
        wait_seconds=None if left.wait is None else round(left.wait.total_seconds(), 3),
    )  # fmt: skip
