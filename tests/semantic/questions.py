"""Random questions that the ground truth can answer, and some that it must refuse."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.semantic import reference
from tests.semantic.reference import GroundTruth

RANGES: tuple[tuple[str | None, str | None], ...] = (
    ("2026-02-01", "2026-02-28"),
    ("2026-03-01", "2026-03-31"),
    ("2026-01-01", "2026-03-31"),
    ("2024-02-01", "2024-02-29"),
    ("2024-02-10", "2024-02-29"),
    ("2026-01-15", "2026-02-14"),
    ("2026-01-05", "2026-01-18"),
    ("2026-01-07", "2026-01-20"),
    ("2026-03-28", "2026-03-30"),
    ("2025-12-01", "2026-02-28"),
    ("2026-02-01", None),
    (None, "2026-02-15"),
)
_GRAINS = ("day", "week", "month", "quarter", "year")
_SIZES = {"month": 1, "quarter": 3, "year": 12}
_ORDERS = ("=", "!=", ">", ">=", "<", "<=")
_NUMBERS = st.sampled_from([0, 1, 2, 1.5, 10, 0.5, 5, 12.25, -1, 100])


def questions(truth: GroundTruth, numbers: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Questions about the ground truth; `numbers` are the metrics that filters on metrics may name."""
    return _question(truth, numbers)


@st.composite
def _question(draw: DrawFn, truth: GroundTruth, numbers: tuple[str, ...]) -> dict[str, Any]:
    chance = st.integers(0, 3).map(lambda n: n == 0)
    metrics = draw(st.lists(st.sampled_from([*truth.measures, *truth.formulas]), min_size=1, max_size=3, unique=True))
    tests = draw(st.lists(_tests(numbers), max_size=1)) if numbers and draw(chance) else []
    used = [*metrics, *(test["name"] for test in tests)]
    fitting = [name for name in truth.dimensions if truth.go_together(used, [name])]
    names = st.sampled_from(list(truth.dimensions) if draw(st.integers(0, 9)) == 0 else fitting or ["date"])
    dimensions = draw(st.lists(names, max_size=2, unique=True))
    if "date" not in dimensions and draw(st.booleans()):
        dimensions.insert(draw(st.integers(0, len(dimensions))), "date")
    cut = st.sampled_from(dimensions) | names if dimensions else names
    filters = tests + [_filter(draw, name, truth) for name in draw(st.lists(cut, max_size=2))]
    question: dict[str, Any] = {"metrics": metrics, "dimensions": dimensions, "filters": filters, "limit": 10_000}
    start, end = draw(st.sampled_from(RANGES)) if draw(st.booleans()) else (None, None)
    if start or end:
        question["time_range"] = {"start": start, "end": end}
    cut_by_date = any(filter_["name"] == "date" for filter_ in filters)
    if truth.dates.intersection(dimensions) and "date" not in dimensions and draw(st.booleans()):
        question["time_grain"] = draw(st.sampled_from(_GRAINS))
    if "date" in dimensions and not cut_by_date:
        _put_along_time(draw, question, truth, start, end)
    elif start and end and not cut_by_date and draw(chance):
        question["compare"] = draw(st.sampled_from(["previous_period", "previous_year"]))
    _put_together(draw, question, truth, has_tests=bool(tests))
    if draw(chance):
        columns = [*dimensions, *(name for name in columns_of(question))]
        chosen = draw(st.lists(st.sampled_from(columns), min_size=1, max_size=2, unique=True))
        question["order_by"] = [draw(st.sampled_from(["", "-"])) + name for name in chosen]
    return question


def _tests(numbers: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    name = st.sampled_from(numbers)
    single = st.fixed_dictionaries({"name": name, "op": st.sampled_from(_ORDERS), "value": _NUMBERS})
    several = st.fixed_dictionaries(
        {"name": name, "op": st.sampled_from(["in", "not_in"]), "value": st.lists(_NUMBERS, min_size=1, max_size=3)}
    )
    two = st.lists(_NUMBERS, min_size=2, max_size=2).map(sorted)
    between = st.fixed_dictionaries({"name": name, "op": st.just("between"), "value": two})
    return single | several | between | st.fixed_dictionaries({"name": name, "op": st.just("is_not_null")})


def _filter(draw: DrawFn, name: str, truth: GroundTruth) -> dict[str, Any]:
    members = sorted(truth.members(name))
    if not members or draw(st.integers(0, 5)) == 0:
        return {"name": name, "op": draw(st.sampled_from(["is_null", "is_not_null"]))}
    some = st.sampled_from(members)
    if name in truth.flags:
        return {"name": name, "op": draw(st.sampled_from(["=", "!="])), "value": draw(some)}
    if name in truth.dates:
        low, high = sorted((draw(some), draw(some)))
        ops = st.sampled_from([*_ORDERS, "between"])
        op = draw(ops)
        return {"name": name, "op": op, "value": [str(low), str(high)] if op == "between" else str(low)}
    only_text = [] if isinstance(members[0], int) else ["contains", "starts_with"]
    op = draw(st.sampled_from([*_ORDERS, "in", "not_in", *only_text, "between"]))
    if op in ("in", "not_in"):
        return {"name": name, "op": op, "value": draw(st.lists(some, min_size=1, max_size=2))}
    if op == "between":
        return {"name": name, "op": op, "value": sorted((draw(some), draw(some)))}
    text = draw(some)
    return {"name": name, "op": op, "value": text[:2].upper() if op in ("contains", "starts_with") else text}


def _put_along_time(
    draw: DrawFn, question: dict[str, Any], truth: GroundTruth, start: str | None, end: str | None
) -> None:
    grain = draw(st.sampled_from(_GRAINS))
    chance = st.integers(0, 2).map(lambda n: n == 0)
    if draw(st.booleans()) or grain != "day":
        question["time_grain"] = grain
    if start and end:
        question["fill_gaps"] = draw(chance)
        compare = draw(st.sampled_from(["previous_period", "previous_year"]))
        if draw(chance) and _lines_up(date.fromisoformat(start), date.fromisoformat(end), compare, grain):
            question["compare"] = compare
    added = [metric for metric in question["metrics"] if truth.adds_up(metric)]
    if added and draw(st.booleans()):
        kinds = ["running"]
        kinds += ["rolling", "month_to_date"] if grain == "day" else []
        first = start and date.fromisoformat(start)
        if grain in ("day", "month", "quarter") and (not first or first == reference.period_start(first, grain)):
            kinds.append("year_to_date")
        kind = draw(st.sampled_from(kinds))
        question["cumulative"] = {"metric": draw(st.sampled_from(added)), "kind": kind}
        if kind == "rolling":
            question["cumulative"]["days"] = draw(st.sampled_from([1, 2, 3, 5, 14, 28]))


def _lines_up(start: date, end: date, compare: str, grain: str) -> bool:
    is_whole = start.day == 1 and (end + timedelta(days=1)).day == 1
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    if compare == "previous_year":
        return grain != "week"
    if is_whole:
        return grain == "day" or (grain in _SIZES and months % _SIZES[grain] == 0)
    return grain == "day" or (grain == "week" and ((end - start).days + 1) % 7 == 0)


def _put_together(draw: DrawFn, question: dict[str, Any], truth: GroundTruth, *, has_tests: bool) -> None:
    """Shares, totals and the highest groups, where they have one right answer."""
    chance = st.integers(0, 2).map(lambda n: n == 0)
    metrics, dimensions = question["metrics"], question["dimensions"]
    summed = [metric for metric in metrics if truth.is_sum(metric)]
    if summed and draw(chance):
        question["share_of_total"] = [draw(st.sampled_from(summed))]
    if not dimensions:
        return
    tested = [filter_["name"] for filter_ in question["filters"] if filter_["name"] not in truth.dimensions]
    by_day = "date" in dimensions and question.get("time_grain") in (None, "day")
    all_add_up = all(map(truth.adds_up, [*metrics, *tested]))
    if draw(chance) and (not has_tests or (all_add_up and not ("compare" in question and by_day))):
        question["totals"] = True
    ranking = metrics if "date" not in dimensions or len(dimensions) == 1 else [m for m in metrics if truth.adds_up(m)]
    if ranking and draw(chance):
        question["top"] = {"by": draw(st.sampled_from(ranking)), "n": draw(st.integers(1, 3))}
        if all(map(truth.adds_up, metrics)) and "cumulative" not in question:
            question["top"]["other"] = draw(st.booleans())


def columns_of(question: dict[str, Any]) -> list[str]:
    """The columns of an answer after its dimensions, without flags."""
    names = []
    for metric in question["metrics"]:
        names.append(metric)
        if "compare" in question:
            names += [f"{metric}_previous", f"{metric}_change", f"{metric}_change_ratio"]
        names += [f"{metric}_share"] if metric in question.get("share_of_total", ()) else []
        names += [f"{metric}_cumulative"] if question.get("cumulative", {}).get("metric") == metric else []
    return names
