"""Charts drawn: SVG and PNG, by an engine that costs a second and 100 MB. It runs in a process of its own and ends with it."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from monitor.charts.chart import Chart

SECONDS: Final = 60.0
"""How long the engine may take for all charts of one report."""
SCALE: Final = 1.6


class NotDrawn(Exception):
    """The engine is not there, failed or took too long; what was to be drawn is told in words instead."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as a picture: ``svg`` for files, ``png`` (larger than its size, for sharp screens) for mail."""

    chart: Chart
    svg: str
    png: bytes


def draw(charts: Sequence[Chart], seconds: float = SECONDS) -> list[Picture]:
    """The pictures of these charts, in their order. :class:`NotDrawn` says why there are none."""
    if not charts:
        return []
    given = json.dumps([dict(chart.spec) for chart in charts])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "monitor.charts.drawing"],
            input=given, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotDrawn(f"charts: the engine took more than {seconds:g} s") from error
    except OSError as error:
        raise NotDrawn(f"charts: the engine cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        raise NotDrawn("charts: the engine failed; is vl-convert-python installed?")
    drawn = json.loads(done.stdout)
    return [Picture(chart, one["svg"], b64decode(one["png"])) for chart, one in zip(charts, drawn, strict=True)]


def main() -> None:
    """Specifications in, pictures out: the engine's own process."""
    import vl_convert

    def pictures(spec: Any) -> dict[str, str]:
        svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
        png = vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=[])
        return {"svg": svg, "png": b64encode(png).decode("ascii")}

    json.dump([pictures(spec) for spec in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
