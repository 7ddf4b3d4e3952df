"""PURE  What an alert found, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from monitor.digest import escape, times
from monitor.digest.numbers import count, plural, score, stars
from monitor.figures import Alert


def alert(kind: str, figures: Mapping[str, Any], zone: tzinfo) -> str:
    """``3.1 times the usual: 62 mentions and reviews on Fri 20 Nov, usually about 20``; what an alert found."""
    when = alert_when(figures, zone)
    seen = figures.get("seen")
    if kind == "source_silent":
        return _silent(figures, zone)
    if kind in ("score_drop", "rating_drop"):
        return _dropped(kind, figures, when)
    noun = "negative item" if kind == "negative_volume" else "mention or review"
    some = plural(seen or 0, noun, "negative items" if kind == "negative_volume" else "mentions and reviews")
    expected = figures.get("expected") or 0.0
    usually = f"usually about {_about(expected)}" if expected >= 0.5 else "usually hardly any"
    ratio = figures.get("ratio")
    times_ = f"{ratio:.1f} times the usual: " if ratio is not None and expected >= 0.5 else "far more than usual: "
    return f"{times_}{some} {when}, {usually}"


def alert_span(figures: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """The stretch that an alert's figures speak of."""
    if "start" not in figures or "end" not in figures:
        return None
    return datetime.fromisoformat(figures["start"]), datetime.fromisoformat(figures["end"])


def alert_when(figures: Mapping[str, Any], zone: tzinfo) -> str:
    """``on Fri 20 Nov``, ``on Fri 20 Nov, 08:00 to 09:00``, ``from Mon 16 Nov to Fri 20 Nov``."""
    found = alert_span(figures)
    if found is None:
        return ""
    start, end = found
    if end - start <= timedelta(hours=2):
        return f"on {times.span(start, end, zone)}"
    last = end - timedelta(microseconds=1)
    if times.day(start, zone) == times.day(last, zone):
        return f"on {times.day(start, zone)}"
    return f"from {times.day(start, zone)} to {times.day(last, zone)}"


def usual_again(since: datetime, zone: tzinfo) -> str:
    """``usual again since Sat 21 Nov, 00:00``."""
    return f"usual again since {times.moment(since, zone)}"


def alert_state(since: datetime, until: datetime | None, zone: tzinfo) -> str:
    """``since Fri 20 Nov, 00:00``, or from when to when."""
    return f"since {times.moment(since, zone)}" if until is None else times.span(since, until, zone)


def _dropped(kind: str, figures: Mapping[str, Any], when: str) -> str:
    write = stars if kind == "rating_drop" else score
    what = "stars fell" if kind == "rating_drop" else "the score fell"
    noun = "rating" if kind == "rating_drop" else "item"
    some = plural(figures.get("seen") or 0, noun)
    return f"{what} from {write(figures.get('before'))} to {write(figures.get('score'))} {when} ({some})"


def _silent(figures: Mapping[str, Any], zone: tzinfo) -> str:
    if "error" in figures:
        reason = escape.clean(figures["error"] or "it fails", escape.REASON)
        return f"not read since {times.moment(datetime.fromisoformat(figures['since']), zone)} ({reason})"
    return f"nothing {alert_when(figures, zone)}, usually about {_about(figures.get('expected') or 0.0)} items"


def _about(value: float) -> str:
    return count(round(value)) if value >= 9.5 else f"{value:.2g}"


def figure(one: Alert, zone: tzinfo) -> str:
    """``spike (3): 3.1 times the usual: ..., since Fri 20 Nov, 00:00``."""
    state = alert_state(one.since, one.until, zone)
    known = "; found in the history, not sent" if one.found_in_history else ""
    source = f"{escape.name(one.subject)}: " if one.kind == "source_silent" else ""
    return f"{escape.name(one.name)} ({one.id}): {source}{one.words}; {state}{known}"
