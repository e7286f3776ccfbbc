"""Vega-Lite charts of answers, for people: a specification holds its own rows and names no address.

Days make lines; one category makes bars, two make stacks where parts add up to a total, and groups where they do not.
Every metric has a panel of its own, because units differ; money of one currency shares one. Axes say the unit. Money of
several currencies is never drawn on one axis. The colours are those of Okabe and Ito, which colour-blind people tell
apart. Source: https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError
from server.serving.plain_text import plain_text

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog
    from semantic.planning.query import Answer

Spec = dict[str, Any]  # Any: Vega-Lite is a tree of JSON values

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the language; it is never fetched."""
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
MOST_ROWS = 2_000
"""Rows of an answer that are drawn where the caller set no limit."""
MOST_SERIES = len(COLOURS)
MOST_BARS = 40
MOST_PANELS = 4
WIDTH, HEIGHT, LOW = 640, 320, 180
"""Pixels; panels below each other are low."""
LONGEST_LABEL = 60
NOTHING, OTHER = "(none)", "(other)"
_DAY_FORMATS = {"month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}
_PREVIOUS = "_previous"


@dataclass(frozen=True)
class Chart:
    """A specification, its title, and notes on what it leaves out."""

    spec: Spec
    title: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Column:
    """A column of the answer."""

    index: int
    name: str
    unit: str | None

    @property
    def heading(self) -> str:
        return self.name if self.unit in (None, "count") else f"{self.name} ({self.unit})"


@dataclass(frozen=True)
class _Panel:
    """One pair of axes: the metrics drawn on it, of one unit, and the currency of its rows where there are several."""

    metrics: tuple[_Column, ...]
    currency: str | None = None

    @property
    def heading(self) -> str:
        unit = self.currency or self.metrics[0].unit
        return _Column(0, " and ".join(metric.name for metric in self.metrics), unit).heading


@dataclass(frozen=True)
class _Table:
    """The rows of an answer as they are drawn."""

    day: _Column | None
    categories: tuple[_Column, ...]
    currency: _Column | None
    """The column of the currency, where the rows hold money of several."""
    other: int | None
    """The index of the column that marks the group of all the rest."""
    rows: Sequence[Sequence[Any]]  # Any: as Answer.rows
    grain: str | None


def chart_of(answer: Answer, catalog: Catalog) -> Chart:
    """The chart of an answer.

    Raises:
        QueryError: There is nothing to draw.
    """
    table, metrics = _table(answer), [_column(answer, n) for n in _indices(answer, "metric")]
    if not table.rows or not metrics:
        raise QueryError("There are no rows to draw.", "Ask without chart, and read the notes of the answer.")
    panels = _panels(metrics, table)
    notes = []
    if len(panels) > MOST_PANELS:
        notes.append(f"The chart shows {MOST_PANELS} of {len(panels)} panels: ask for fewer metrics at once.")
    if answer.truncated:
        notes.append(f"The chart shows the first {answer.row_count} rows; there are more.")
    adds_up = {name for name, metric in catalog.metrics.items() if metric.adds_up == "SUM"}
    height = HEIGHT if len(panels) == 1 else LOW
    views = []
    for panel in panels[:MOST_PANELS]:
        view, left_out = _view(panel, table, height, can_stack=all(metric.name in adds_up for metric in panel.metrics))
        views.append(view)
        notes += [note for note in left_out if note not in notes]
    title = _title(answer)
    head = {"text": title, "subtitle": _subtitle(answer), "anchor": "start"}
    spec: Spec = {"$schema": SCHEMA, "title": head, "background": "white", "config": _CONFIG}
    spec |= (
        views[0]
        if len(views) == 1
        else {"vconcat": views, "resolve": {"scale": {"color": "independent", "yOffset": "independent"}}}
    )
    return Chart(spec, title, tuple(notes))


_CONFIG: Spec = {
    "range": {"category": list(COLOURS)},
    "axis": {"labelLimit": 240, "titleLimit": 320},
    "legend": {"labelLimit": 240, "symbolLimit": MOST_SERIES},
    "view": {"stroke": None},
    "line": {"color": COLOURS[0]},
    "point": {"color": COLOURS[0]},
    "bar": {"color": COLOURS[0]},
}


def _indices(answer: Answer, role: str) -> list[int]:
    return [n for n, column in enumerate(answer.columns) if column["role"] == role]


def _column(answer: Answer, n: int) -> _Column:
    column = answer.columns[n]
    return _Column(n, str(column["name"]), column["unit"])


def _table(answer: Answer) -> _Table:
    """The rows without the row of totals, and the role of each dimension."""
    flags = {str(answer.columns[n]["name"]): n for n in _indices(answer, "flag")}
    total = flags.get("is_total")
    dimensions = [_column(answer, n) for n in _indices(answer, "dimension")]
    days = [column for column in dimensions if answer.columns[column.index]["type"] == "date"]
    day = next((column for column in days if column.name == "date"), days[0] if days else None)
    is_mixed = any(column["unit"] == "currency" for column in answer.columns)
    currency = next((column for column in dimensions if is_mixed and column.name == "currency"), None)
    return _Table(
        day=day,
        categories=tuple(column for column in dimensions if column not in (day, currency)),
        currency=currency,
        other=flags.get("is_other"),
        rows=[row for row in answer.rows if total is None or not row[total]],
        grain=answer.time_grain,
    )


def _panels(metrics: Sequence[_Column], table: _Table) -> list[_Panel]:
    """A panel per metric, with its value of the previous period; money of one currency shares one panel."""
    names = {metric.name for metric in metrics}
    groups: dict[str, list[_Column]] = {}
    for metric in metrics:
        base = metric.name.removesuffix(_PREVIOUS)
        key = base if base in names else metric.name
        if _is_currency(metric.unit) and not table.categories and not metric.name.endswith("_change"):
            key = str(metric.unit)
        groups.setdefault(key, []).append(metric)
    panels = []
    for group in groups.values():
        if group[0].unit == "currency" and table.currency:
            codes = dict.fromkeys(row[table.currency.index] for row in table.rows)
            panels += [_Panel(tuple(group), str(code)) for code in codes if code is not None]
        else:
            panels.append(_Panel(tuple(group)))
    return panels


def _is_currency(unit: str | None) -> bool:
    return unit is not None and len(unit) == 3 and unit.isupper()


def _view(panel: _Panel, table: _Table, height: int, *, can_stack: bool) -> tuple[Spec, list[str]]:
    """One pair of axes with its rows, and notes on what was left out of it."""
    rows = [
        row
        for row in table.rows
        if panel.currency is None or (table.currency and row[table.currency.index] == panel.currency)
    ]
    axis, series = (None, table.categories) if table.day else (table.categories[:1], table.categories[1:])
    label = _labels(series, panel, table)
    values = [
        {
            **({"day": row[table.day.index]} if table.day else {"category": _label(axis or (), row, table)}),
            "series": label(row, metric),
            "value": None if row[metric.index] is None else float(row[metric.index]),
        }
        for row in rows
        for metric in panel.metrics
    ]
    values = [value for value in values if not table.day or value["day"] is not None]
    drawn, notes = _limit_groups(values, "series", MOST_SERIES, "series")
    if not table.day:
        drawn, more = _limit_groups(drawn, "category", MOST_BARS, "bars", keep_order=True)
        notes += more
    has_series = len({value["series"] for value in drawn}) > 1
    view = _lines(table, height) if table.day else _bars(axis or (), drawn, has_series=has_series, can_stack=can_stack)
    title = " and ".join(column.name for column in series) if series else None
    if has_series:
        view["encoding"]["color"] = {"field": "series", "type": "nominal", "title": title, "sort": None}
    measured = view["encoding"]["y" if table.day else "x"]
    measured |= {"field": "value", "type": "quantitative", "title": panel.heading}
    return {"data": {"values": drawn}, "width": WIDTH, **view}, notes


def _labels(series: Sequence[_Column], panel: _Panel, table: _Table) -> Callable[[Sequence[Any], _Column], str]:
    """A function that gives the legend label of a value: its group, its metric, or both."""

    def label(row: Sequence[Any], metric: _Column) -> str:  # Any: as Answer.rows
        parts = [_label(series, row, table)] if series else []
        return ", ".join([*parts, *([metric.name] if len(panel.metrics) > 1 or not series else [])])

    return label


def _label(columns: Sequence[_Column], row: Sequence[Any], table: _Table) -> str:  # Any: as Answer.rows
    """The group of a row as text; empty where it has none."""
    if table.other is not None and row[table.other]:
        return OTHER
    texts = [
        NOTHING if row[column.index] is None else plain_text(str(row[column.index]), LONGEST_LABEL)
        for column in columns
    ]
    return " / ".join(texts)


def _lines(table: _Table, height: int) -> Spec:
    days = len({row[table.day.index] for row in table.rows}) if table.day else 0
    day = {
        "field": "day",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": {"format": _DAY_FORMATS.get(table.grain or "", "%d %b %Y"), "labelOverlap": True},
    }
    mark = {"type": "line", "point": days <= 60}
    return {"height": height, "mark": mark, "encoding": {"x": day, "y": {}}}


def _bars(axis: Sequence[_Column], values: Sequence[Spec], *, has_series: bool, can_stack: bool) -> Spec:
    """Bars from left to right, in the order of the rows."""
    title = axis[0].name if axis else None
    stacks = has_series and can_stack and all((value["value"] or 0) >= 0 for value in values)
    if not axis:  # nothing to group by: a bar per metric
        encoding: Spec = {
            "y": {"field": "series", "type": "nominal", "title": None, "sort": None},
            "x": {"stack": None},
        }
        return {"mark": "bar", "encoding": encoding, "height": {"step": 24}}
    encoding = {
        "y": {"field": "category", "type": "nominal", "title": title, "sort": None},
        "x": {"stack": "zero" if stacks else None},
    }
    if has_series and not stacks:
        encoding["yOffset"] = {"field": "series", "type": "nominal", "sort": None}
    return {"mark": "bar", "encoding": encoding, "height": {"step": 12 if has_series and not stacks else 24}}


def _limit_groups(
    values: Sequence[Spec], field: str, most: int, word: str, *, keep_order: bool = False
) -> tuple[list[Spec], list[str]]:
    """The values of the largest groups, or of the first ones where the order of the rows is kept; and a note."""
    sizes: dict[str, float] = {}
    for value in values:
        sizes[value[field]] = sizes.get(value[field], 0.0) + abs(value["value"] or 0.0)
    if len(sizes) <= most:
        return list(values), []
    ordered: Iterable[str] = sizes if keep_order else sorted(sizes, key=lambda name: -sizes[name])
    names = set(list(ordered)[:most])
    which = "first" if keep_order else "largest"
    note = f"The chart shows the {most} {which} of {len(sizes)} {word}; the rows of the answer have them all."
    return [value for value in values if value[field] in names], [note]


def _title(answer: Answer) -> str:
    metrics = [str(answer.columns[n]["name"]) for n in _indices(answer, "metric")]
    dimensions = [str(answer.columns[n]["name"]) for n in _indices(answer, "dimension")]
    by = f" by {', '.join(dimensions)}" if dimensions else ""
    return f"{', '.join(metrics[:MOST_PANELS])}{', ...' if len(metrics) > MOST_PANELS else ''}{by}"


def _subtitle(answer: Answer) -> list[str]:
    """The days, the filters, and the run of the answer."""
    days = answer.time_range or {}
    span = f"{days.get('start') or 'the first day'} to {days.get('end') or 'the last day'}" if days else "all days"
    filters = [f"{f['name']} {f['op']} {plain_text(str(f['value']), LONGEST_LABEL)}" for f in answer.filters]
    as_of = [f"data up to {answer.as_of}"] if answer.as_of else []
    return ["; ".join([f"{span}, {answer.time_zone}", *filters]), "; ".join([*as_of, f"run {answer.run_id}"])]
