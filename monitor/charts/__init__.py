"""Figures as charts, by one Vega-Lite grammar: pictures for mail and files, the same specifications for the dashboard."""

from __future__ import annotations

from monitor.charts.chart import Chart
from monitor.charts.figures import charts_of

__all__ = ["Chart", "charts_of"]
