"""How often alerts on volume fire by chance alone, and how often they see what is really there.

    python benchmarks/alerts.py [--years 40] [--alpha 0.001]

Made-up streams of daily counts: negative binomial around a mean that follows the weekday and grows slowly, judged day by day
by the code that the daemon uses. "false a year" are episodes in a stream in which nothing happens, power is the share of days,
made so many times as large, that fire. Every number comes from one seed.
"""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta
from math import exp, log

from monitor.alerts import judge
from monitor.config.watching import DAILY_ALPHA, LEAST_COUNTS
from monitor.unusual import Finding, Period, Rule, Series, Track
from storage.records import Sums

WEEK = (1.1, 1.15, 1.1, 1.05, 1.0, 0.8, 0.8)
LEARNING = 56
YEAR = 365
SIZES = (1.5, 2.0, 2.5, 3.0)
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
EVERY = 5
"""Power is tried on every so many days."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=40, help="made-up years for each line")
    parser.add_argument("--alpha", type=float, default=DAILY_ALPHA, help="as in the configuration")
    given = parser.parse_args()
    print(f"alpha {given.alpha:g}, {given.years} years a line\n")
    print("| mean a day | variance / mean | growth a year | false a year |", *(f"{size:g}-fold |" for size in SIZES))
    print("|---|---|---|---|" + "---|" * len(SIZES))
    for mean in (20, 200):
        for phi in (2.0, 4.0):
            for growth in (0.0, 0.5):
                print_line(mean, phi, growth, given.years, given.alpha)


def print_line(mean: float, phi: float, growth: float, years: int, alpha: float) -> None:
    rng = random.Random(f"{mean} {phi} {growth}")
    alarms, seen, tried = 0, dict.fromkeys(SIZES, 0), 0
    for _ in range(years):
        means = [mean * WEEK[n % 7] * exp(log(1 + growth) * n / YEAR) for n in range(LEARNING + YEAR)]
        found, findings = judged([drawn(rng, one, phi) for one in means], alpha)
        alarms += found
        for finding in findings[::EVERY]:
            number, tried = (finding.period.start - START).days, tried + 1
            for size in SIZES:
                seen[size] += drawn(rng, size * means[number], phi) >= limit_of(finding, alpha)
    power = " | ".join(f"{seen[size] / tried:.0%}" for size in SIZES)
    print(f"| {mean:g} | {phi:g} | {growth:.0%} | {alarms / years:.1f} | {power} |", flush=True)


def judged(counts: list[int], alpha: float) -> tuple[int, list[Finding]]:
    """How many episodes there are after the first eight weeks, and what each day came to."""
    days = [Period(START + n * DAY, START + (n + 1) * DAY, n % 7, 0) for n in range(len(counts))]
    end = days[-1].end
    track = Track("made up", {n: Sums({"neutral": one}) for n, one in enumerate(counts)}, (), START, end)
    rule = Rule("volume", alpha, LEAST_COUNTS["volume"])
    found, findings = judge(Series(days, [track], end), rule, [], days[LEARNING].start)
    return len(found), findings


def limit_of(finding: Finding, alpha: float) -> int:
    """The count from which that day fires."""
    assert finding.limit is not None
    expected, least = finding.limit
    return max(least, expected.most(alpha) + 1)


def drawn(rng: random.Random, mean: float, phi: float) -> int:
    """A negative binomial number of this mean and variance ``phi * mean``: Poisson of a gamma."""
    rate, count, at = rng.gammavariate(mean / (phi - 1), phi - 1), 0, rng.expovariate(1.0)
    while at < rate:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count


if __name__ == "__main__":
    main()
