"""Panels of a chart: which metrics share a pair of axes. Units that differ never do.

Money of one currency shares a panel along days; without days or groups the numbers of a kind and fact do, and all steps
of a funnel, so that they can be compared. A comparison has a panel per metric with two series, and a cumulative column
one of its own, because it would flatten its daily values.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantic.catalog.catalog import CUMULATIVE
from server.charts.drawn_answer import DrawnAnswer, DrawnColumn


@dataclass(frozen=True)
class ChartPanel:
    """One pair of axes: the metrics drawn on it, of one kind, and the currency of its rows where there are several."""

    metrics: tuple[DrawnColumn, ...]
    currency: str | None = None

    @property
    def is_funnel(self) -> bool:
        return len(self.metrics) > 1 and all(metric.is_funnel_step for metric in self.metrics)


def panels_of(drawn: DrawnAnswer) -> list[ChartPanel]:
    """The panels of an answer, in the order of its columns."""
    groups: dict[str, list[DrawnColumn]] = {}
    for metric in drawn.metrics:
        groups.setdefault(_panel_key(metric, drawn), []).append(metric)
    panels: list[ChartPanel] = []
    for group in groups.values():
        if group[0].unit == "currency" and drawn.currency:
            codes = dict.fromkeys(row[drawn.currency.index] for row in drawn.rows)
            panels += [ChartPanel(tuple(group), str(code)) for code in codes if code is not None]
        else:
            panels.append(ChartPanel(tuple(group)))
    return panels


def _panel_key(metric: DrawnColumn, drawn: DrawnAnswer) -> str:
    """What metrics of one panel have in common."""
    if drawn.is_compared:
        return metric.base if metric.ending != CUMULATIVE else metric.name
    if metric.ending == CUMULATIVE:
        return metric.name
    if metric.is_funnel_step and drawn.day is None and len(drawn.categories) <= 1:
        return "funnel"
    if drawn.day is None and not drawn.categories:
        return f"{metric.kind} {metric.unit} {'' if metric.kind == 'money' else metric.facts}"
    shares_money = metric.kind == "money" and not drawn.categories and not metric.ending
    return str(metric.unit) if shares_money else metric.name
