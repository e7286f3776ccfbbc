"""Marks of one panel: lines along days, dashed where a period is not counted in full, and bars of groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from server.charts.chart_axes import Spec, day_axis
from server.charts.drawn_answer import CURRENT_SERIES, PREVIOUS_SERIES, DrawnAnswer, sentence_start

MOST_POINTS = 60
"""Days of a line that are also drawn as points."""
COMPARED_COLOURS = ("#0072B2", "#8A8A8A")
DASHED: Spec = {
    "field": "partial",
    "type": "nominal",
    "scale": {"domain": [False, True], "range": [[1, 0], [5, 4]]},
    "legend": None,
}


def line_marks(drawn: DrawnAnswer, values: Sequence[Spec], height: int) -> Spec:
    """Lines along the days of an answer."""
    days = [str(value["day"]) for value in values]
    x = {
        "field": "day",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": day_axis(days, drawn.grain),
    }
    encoding: Spec = {"x": x, "y": {}}
    if any("partial" in value for value in values):
        encoding |= {"strokeDash": DASHED, "detail": {"field": "segment", "type": "nominal"}}
    return {"height": height, "mark": {"type": "line", "point": len(set(days)) <= MOST_POINTS}, "encoding": encoding}


def with_segments(values: Sequence[Spec], partial: Iterable[str]) -> list[Spec]:
    """The values of lines, cut into segments that touch a partial period or do not; unchanged where none is partial.

    A point between a dashed and a solid segment belongs to both.
    """
    starts = set(partial)
    if not any(value["day"] in starts for value in values):
        return list(values)
    found: list[Spec] = []
    for series in dict.fromkeys(value["series"] for value in values):
        points = sorted((value for value in values if value["series"] == series), key=lambda value: str(value["day"]))
        segment, was_dashed = 0, points[0]["day"] in starts
        for n, point in enumerate(points):
            is_dashed = point["day"] in starts or (n > 0 and points[n - 1]["day"] in starts)
            if n and is_dashed != was_dashed:
                segment += 1
                found.append({**points[n - 1], "partial": is_dashed, "segment": segment})
            found.append({**point, "partial": is_dashed, "segment": segment})
            was_dashed = is_dashed
    return found


def bar_marks(title: str | None, values: Sequence[Spec], *, has_series: bool, can_stack: bool) -> Spec:
    """Bars from left to right, in the order of the rows; without a category one per series."""
    if not any("category" in value for value in values):
        encoding: Spec = {
            "y": {"field": "series", "type": "nominal", "title": None, "sort": None},
            "x": {"stack": None},
        }
        return {"mark": "bar", "encoding": encoding, "height": {"step": 24}}
    stacks = has_series and can_stack and all((value["value"] or 0) >= 0 for value in values)
    encoding = {
        "y": {"field": "category", "type": "nominal", "title": title and sentence_start(title), "sort": None},
        "x": {"stack": "zero" if stacks else None},
    }
    if has_series and not stacks:
        encoding["yOffset"] = {"field": "series", "type": "nominal", "sort": None}
    return {"mark": "bar", "encoding": encoding, "height": {"step": 12 if has_series and not stacks else 24}}


def series_colours(values: Sequence[Spec], title: str | None) -> Spec:
    """The colours of series; those of a comparison are the colour of one metric, and grey for before."""
    names = list(dict.fromkeys(value["series"] for value in values))
    colours: Spec = {"field": "series", "type": "nominal", "title": title and sentence_start(title), "sort": None}
    if set(names) <= {CURRENT_SERIES, PREVIOUS_SERIES}:
        colours["scale"] = {"domain": [CURRENT_SERIES, PREVIOUS_SERIES], "range": list(COMPARED_COLOURS)}
        colours["title"] = None
    return colours


def limit_groups(
    values: Sequence[Spec], field: str, most: int, word: str, *, keep_order: bool = False
) -> tuple[list[Spec], list[str]]:
    """The values of the largest groups, or of the first ones where the order of the rows is kept; and a note."""
    sizes: dict[Any, float] = {}  # Any: the text of a group
    for value in values:
        sizes[value[field]] = sizes.get(value[field], 0.0) + abs(value["value"] or 0.0)
    if len(sizes) <= most:
        return list(values), []
    ordered: Iterable[str] = sizes if keep_order else sorted(sizes, key=lambda name: -sizes[name])
    names = set(list(ordered)[:most])
    which = "first" if keep_order else "largest"
    note = f"The chart shows the {most} {which} of {len(sizes)} {word}; the rows of the answer have them all."
    return [value for value in values if value[field] in names], [note]
