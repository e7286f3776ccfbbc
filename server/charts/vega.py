"""Vega-Lite charts of answers, for people: a specification holds its own rows and names no address.

Days make lines; one category makes bars, two make stacks where parts add up to a total, and groups where they do not.
The title is a sentence of labels and days, axes say the unit, and money of several currencies is never drawn on one
axis. The colours are those of Okabe and Ito, which colour-blind people tell apart. Source: https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError
from server.charts.chart_axes import Spec, axis_title, number_axis
from server.charts.chart_marks import bar_marks, limit_groups, line_marks, series_colours, with_segments
from server.charts.chart_panels import ChartPanel, panels_of
from server.charts.chart_titles import chart_subtitle, chart_title
from server.charts.drawn_answer import (
    CURRENT_SERIES,
    PREVIOUS,
    PREVIOUS_SERIES,
    DrawnAnswer,
    DrawnColumn,
    drawn_answer,
    sentence_start,
)

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog
    from semantic.planning.query import Answer

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the language; it is never fetched."""
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
MOST_ROWS = 2_000
"""Rows of an answer that are drawn where the caller set no limit."""
MOST_SERIES = len(COLOURS)
MOST_BARS = 40
MOST_PANELS, MOST_BAR_PANELS = 4, 10
"""Panels below each other; those of single bars are low."""
WIDTH, HEIGHT, LOW = 640, 320, 180
"""Pixels; panels below each other are low."""


@dataclass(frozen=True)
class Chart:
    """A specification, its title, and notes on what it leaves out."""

    spec: Spec
    title: str
    notes: tuple[str, ...]


def chart_of(answer: Answer, catalog: Catalog) -> Chart:
    """The chart of an answer.

    Raises:
        QueryError: There is nothing to draw.
    """
    drawn = drawn_answer(answer, catalog)
    if not drawn.rows or not drawn.metrics:
        raise QueryError("There are no rows to draw.", "Ask without chart, and read the notes of the answer.")
    panels = panels_of(drawn)
    notes = []
    most = MOST_PANELS if drawn.day or drawn.categories else MOST_BAR_PANELS
    if len(panels) > most:
        notes.append(f"The chart shows {most} of {len(panels)} panels: ask for fewer metrics at once.")
    if answer.truncated:
        notes.append(f"The chart shows the first {answer.row_count} rows; there are more.")
    adds_up = {name for name, metric in catalog.metrics.items() if metric.adds_up == "SUM"}
    height = HEIGHT if len(panels) == 1 else LOW
    views = []
    for panel in panels[:most]:
        view, left_out = _view(panel, drawn, height, can_stack=all(each.name in adds_up for each in panel.metrics))
        views.append(view)
        notes += [note for note in left_out if note not in notes]
    title = chart_title(answer, drawn)
    head = {"text": title, "subtitle": chart_subtitle(answer, drawn, catalog), "anchor": "start"}
    spec: Spec = {"$schema": SCHEMA, "title": head, "background": "white", "config": _CONFIG}
    spec |= (
        views[0]
        if len(views) == 1
        else {"vconcat": views, "resolve": {"scale": {"color": "independent", "yOffset": "independent"}}}
    )
    return Chart(spec, title, tuple(notes))


_CONFIG: Spec = {
    "range": {"category": list(COLOURS)},
    "axis": {"labelLimit": 240, "titleLimit": 320, "labelFontSize": 11, "titleFontSize": 11},
    "title": {"fontSize": 15, "subtitleFontSize": 11, "subtitleColor": "#555", "offset": 12},
    "legend": {"labelLimit": 240, "symbolLimit": MOST_SERIES},
    "view": {"stroke": None},
    "line": {"color": COLOURS[0]},
    "point": {"color": COLOURS[0]},
    "bar": {"color": COLOURS[0]},
}


def _view(panel: ChartPanel, drawn: DrawnAnswer, height: int, *, can_stack: bool) -> tuple[Spec, list[str]]:
    """One pair of axes with its rows, and notes on what was left out of it."""
    axis, series = ((), drawn.categories) if drawn.day else (drawn.categories[:1], drawn.categories[1:])
    if panel.is_funnel and axis:  # the steps are the bars, and the groups stand beside each other in each
        axis, series = (), axis
    values = _values(panel, drawn, axis, series)
    shown, notes = limit_groups(values, "series", MOST_SERIES if drawn.day or axis else MOST_BARS, "series")
    if any("category" in value for value in shown):
        shown, more = limit_groups(shown, "category", MOST_BARS, "bars", keep_order=True)
        notes += more
    has_series = len({value["series"] for value in shown}) > 1
    if drawn.day:
        shown = with_segments(shown, drawn.partial)
        view = line_marks(drawn, shown, height)
    else:
        title = axis[0].label if axis else None
        view = bar_marks(title, shown, has_series=has_series, can_stack=can_stack)
    if has_series and (drawn.day or any("category" in value for value in shown)):
        view["encoding"]["color"] = series_colours(shown, " and ".join(column.label for column in series) or None)
    numbers = [float(value["value"]) for value in shown if value["value"] is not None]
    measured = view["encoding"]["y" if drawn.day else "x"]
    named_bars = not drawn.day and not any("category" in value for value in shown)
    title = _shared_title(panel) if named_bars or panel.is_funnel else axis_title(panel.metrics, panel.currency)
    measured |= {"field": "value", "type": "quantitative", "title": title}
    measured["axis"] = number_axis(panel.metrics[0], numbers)
    return {"data": {"values": shown}, "width": WIDTH, **view}, notes


def _shared_title(panel: ChartPanel) -> str | None:
    """The unit of bars that are each named for their metric."""
    first = panel.metrics[0]
    return panel.currency or (first.unit if first.kind in ("money", "other") else None)


def _values(
    panel: ChartPanel, drawn: DrawnAnswer, axis: Sequence[DrawnColumn], series: Sequence[DrawnColumn]
) -> list[Spec]:
    """The points or bars of a panel, in the order of the rows."""
    rows = [
        row
        for row in drawn.rows
        if panel.currency is None or (drawn.currency and row[drawn.currency.index] == panel.currency)
    ]
    by_metric = panel.is_funnel and bool(series)
    found = []
    for row in rows:
        for metric in panel.metrics:
            value: Spec = {"day": row[drawn.day.index]} if drawn.day else {}
            if by_metric:
                value["category"] = sentence_start(metric.label)
            elif axis:
                value["category"] = drawn.group_of(axis, row)
            value["series"] = drawn.group_of(series, row) if by_metric else _series(row, metric, panel, drawn, series)
            number = row[metric.index]
            found.append({**value, "value": None if number is None else float(number)})
    return [value for value in found if not drawn.day or value["day"] is not None]


def _series(
    row: Sequence[Any],  # Any: as Answer.rows
    metric: DrawnColumn,
    panel: ChartPanel,
    drawn: DrawnAnswer,
    series: Sequence[DrawnColumn],
) -> str:
    """The name of the series of a value: its group, its metric, or the period that it is of."""
    group = drawn.group_of(series, row) if series else ""
    if len(panel.metrics) > 1 and drawn.is_compared:
        period = PREVIOUS_SERIES if metric.ending == PREVIOUS else CURRENT_SERIES
        return f"{group}, {period.lower()}" if group else period
    own = sentence_start(metric.label) if len(panel.metrics) > 1 or not series else ""
    return ", ".join(part for part in (group, own) if part)
