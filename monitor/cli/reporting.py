"""What the commands share that print one part of a report: the window, its heading, and its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from monitor.cli.common import brands_of, console, window_of

if TYPE_CHECKING:
    from monitor import figures as f
    from monitor.app import App


def reported(app: App, brand: Sequence[str] | None, since: str | None, until: str | None) -> f.Report:
    """The report that the options name; of the last seven days without them."""
    from monitor.report import build_report

    return build_report(app, brands_of(app, brand), window_of(app, since, until))


def heading(app: App, report: f.Report) -> None:
    """From when to when, and what it is compared with."""
    from monitor.digest import times

    zone = app.settings.monitor.zone
    console().print(f"{times.window(report.window, zone)}, compared with {compared_with(app, report)}", soft_wrap=True)


def compared_with(app: App, report: f.Report) -> str:
    """The window before, after "than"."""
    from monitor.digest import times

    return times.before(report.window, report.compared_with, app.settings.monitor.zone)


def part_json(report: f.Report, *parts: str) -> dict[str, Any]:
    """The report's frame with these parts of each brand."""
    frame = report.model_dump(mode="json", by_alias=True)
    frame["brands"] = [{name: one[name] for name in ("brand", *parts)} for one in frame["brands"]]
    return frame
