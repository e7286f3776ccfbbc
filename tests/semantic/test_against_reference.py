"""Random rows and random questions: the engine says what plain Python over the rows says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from semantic.query import read_query
from tests.semantic import reference
from tests.semantic.hand_star import HandStar
from tests.semantic.random_star import STARS, RandomStar, same

Rows = dict[str, list[dict[str, Any]]]

METRICS = [*reference.BASE, *reference.RATIOS]
FILTERS = st.sampled_from(
    [
        {"name": "traffic_source", "op": "=", "value": "google"},
        {"name": "traffic_source", "op": "!=", "value": "google"},
        {"name": "ad_platform", "op": "in", "value": ["facebook_ads", "google_ads"]},
        {"name": "ad_platform", "op": "not_in", "value": ["facebook_ads"]},
        {"name": "campaign_name", "op": "is_null"},
        {"name": "campaign_name", "op": "is_not_null"},
        {"name": "campaign_name", "op": "contains", "value": "LPH"},
        {"name": "campaign_name", "op": "starts_with", "value": "al"},
        {"name": "is_customer", "op": "=", "value": True},
        {"name": "is_customer", "op": "=", "value": False},
        {"name": "date", "op": ">", "value": "2026-02-01"},
        {"name": "date", "op": "between", "value": ["2026-01-15", "2026-03-01"]},
        {"name": "spend", "op": ">", "value": 10},
        {"name": "sessions", "op": "=", "value": 1},
        {"name": "roas", "op": "<", "value": 1.5},
        {"name": "orders", "op": "!=", "value": 1},
        {"name": "customers", "op": "in", "value": [0, 2]},
    ]
)
QUESTIONS = st.fixed_dictionaries(
    {
        "metrics": st.lists(st.sampled_from(METRICS), min_size=1, max_size=3, unique=True),
        "dimensions": st.lists(st.sampled_from(list(reference.DIMENSIONS)), max_size=2, unique=True),
        "filters": st.lists(FILTERS, max_size=2),
        "time_range": st.sampled_from([None, {"start": "2026-01-15", "end": "2026-02-14"}, {"start": "2026-02-01"}]),
        "time_grain": st.sampled_from(["day", "week", "month", "quarter", "year"]),
    }
)
ADDING = st.lists(
    st.sampled_from(["spend", "clicks", "ctr", "roas", "sessions", "order_revenue", "conversion_rate", "cac"]),
    min_size=1,
    max_size=2,
    unique=True,
)
GROUPS = st.sampled_from([(), ("ad_platform",), ("campaign_name",)])
START, END = date(2026, 2, 1), date(2026, 3, 31)
RANGE = {"start": str(START), "end": str(END)}

checked = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def star(shop: HandStar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RandomStar]:
    made = RandomStar(shop, tmp_path_factory.mktemp("random"))
    yield made
    made.connection.close()


def plain(found: dict[tuple[Any, ...], Any]) -> dict[tuple[Any, ...], Any]:
    """Keys as answers write them."""
    return {tuple(str(part) if isinstance(part, date) else part for part in key): value for key, value in found.items()}


@settings(checked, max_examples=150)
@given(rows=STARS, question=QUESTIONS)
def test_every_answer_is_what_plain_python_gives(star: RandomStar, rows: Rows, question: dict[str, Any]) -> None:
    if "date" not in question["dimensions"] or any(filter_["name"] == "date" for filter_ in question["filters"]):
        question = {**question, "time_grain": None}
    query = read_query(question)
    used = [*query.metrics, *(f.name for f in query.filters if f.name not in reference.DIMENSIONS)]
    cuts = [*query.dimensions, *(f.name for f in query.filters if f.name in reference.DIMENSIONS)]
    assume(reference.go_together(used, cuts))
    everything = star.fill(rows)
    ours, theirs = star.keyed(query), plain(reference.answer(query, everything))
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        for metric, value in values.items():
            assert same(ours[key][metric], value), (key, metric, ours[key][metric], value)


@checked
@given(rows=STARS, metric=st.sampled_from(sorted(reference.ADDS_UP)), by=st.sampled_from(list(reference.DIMENSIONS)))
def test_groups_of_a_metric_that_adds_up_add_up_to_its_total(
    star: RandomStar, rows: Rows, metric: str, by: str
) -> None:
    assume(reference.go_together([metric], [by]))
    star.fill(rows)
    groups = star.keyed(read_query({"metrics": [metric], "dimensions": [by]}))
    [whole] = star.keyed(read_query({"metrics": [metric]})).values()
    added = sum(row[metric] for row in groups.values() if row[metric] is not None)
    assert same(added, whole[metric] or 0)


@checked
@given(rows=STARS, metrics=ADDING, by=GROUPS, by_date=st.booleans())
def test_the_period_before_is_what_it_was_then(
    star: RandomStar, rows: Rows, metrics: list[str], by: tuple[str, ...], by_date: bool
) -> None:
    dimensions = [*by, *(["date"] if by_date else [])]
    march = {"start": "2026-03-01", "end": "2026-03-31"}
    query = read_query(
        {"metrics": metrics, "dimensions": dimensions, "time_range": march, "compare": "previous_period"}
    )
    everything = star.fill(rows)
    now, then = (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 2, 1), date(2026, 2, 28))
    theirs = plain(reference.compared(query, everything, now, then, 1))
    ours = star.keyed(query)
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        for metric, (current, previous) in values.items():
            assert same(ours[key][metric], current), (key, metric)
            assert same(ours[key][f"{metric}_previous"], previous), (key, metric)
            change = None if current is None or previous is None else float(current) - float(previous)
            assert same(ours[key][f"{metric}_change"], change), (key, metric)


@checked
@given(
    rows=STARS, metrics=ADDING, by=GROUPS, kind=st.sampled_from(["running", "month_to_date", "year_to_date", "rolling"])
)
def test_what_is_added_up_along_the_date_is_the_sum_of_those_days(
    star: RandomStar, rows: Rows, metrics: list[str], by: tuple[str, ...], kind: str
) -> None:
    metric = metrics[0]
    cumulative = {"metric": metric, "kind": kind, **({"days": 20} if kind == "rolling" else {})}
    query = read_query({"metrics": metrics, "dimensions": ["date", *by], "time_range": RANGE, "cumulative": cumulative})
    first = {
        "running": lambda day: START,
        "month_to_date": lambda day: day.replace(day=1),
        "year_to_date": lambda day: day.replace(month=1, day=1),
        "rolling": lambda day: day - timedelta(days=19),
    }[kind]
    everything = star.fill(rows)
    theirs = plain(reference.added_up(query, everything, metric, START, END, first))
    ours = star.keyed(query)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert same(ours[key][f"{metric}_cumulative"], value), (key, ours[key], value)


@checked
@given(rows=STARS, metrics=ADDING, by=GROUPS, grain=st.sampled_from(["day", "week", "month"]))
def test_every_gap_is_filled_and_nothing_else_changes(
    star: RandomStar, rows: Rows, metrics: list[str], by: tuple[str, ...], grain: str
) -> None:
    query = read_query(
        {
            "metrics": metrics,
            "dimensions": ["date", *by],
            "time_grain": grain,
            "time_range": RANGE,
            "fill_gaps": True,
            "limit": 10_000,
        }
    )
    everything = star.fill(rows)
    ours, theirs = star.keyed(query), plain(reference.filled(query, everything, START, END))
    assert ours.keys() == theirs.keys()
    assert all(same(ours[key][metric], row[metric]) for key, row in theirs.items() for metric in metrics)


@checked
@given(rows=STARS, metrics=ADDING, n=st.integers(1, 4), by_date=st.booleans())
def test_the_highest_groups_and_the_others_are_everything(
    star: RandomStar, rows: Rows, metrics: list[str], n: int, by_date: bool
) -> None:
    dimensions = ["campaign_name", *(["date"] if by_date else [])]
    question = {"metrics": metrics, "dimensions": dimensions, "time_grain": "month" if by_date else None}
    everything = star.fill(rows)
    ours = star.keyed(read_query({**question, "top": {"by": metrics[0], "n": n, "other": True}}))
    query = read_query(question)
    wholes = reference.groups(query, everything, metrics, None, None, rename=lambda key: key[:1])
    ranks = {name: reference.value(metrics[0], parts) for (name,), parts in wholes.items()}
    order = sorted(ranks, key=lambda name: (ranks[name] is None, -float(ranks[name] or 0), name is None, name or ""))

    def renamed(key: tuple[Any, ...]) -> tuple[Any, ...]:
        return key if key[0] in order[:n] else ("other", *key[1:])

    theirs = reference.groups(query, everything, metrics, None, None, rename=renamed)
    assert ours.keys() == plain(theirs).keys()
    for key, parts in plain(theirs).items():
        assert all(same(ours[key][metric], reference.value(metric, parts)) for metric in metrics), (key, ours[key])


@checked
@given(rows=STARS, by=st.sampled_from(["campaign_name", "date"]))
def test_totals_are_the_answer_without_groups(star: RandomStar, rows: Rows, by: str) -> None:
    metrics = ["spend", "session_users", "roas", "customers"]
    star.fill(rows)
    question = {"metrics": metrics, "time_range": RANGE, "compare": "previous_period"}
    [whole] = star.keyed(read_query(question)).values()
    answer = star.ask(read_query({**question, "dimensions": [by], "totals": True}))
    assert answer.rows[-1] == [None, *whole.values(), True]


FEATURES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "compare": ({"compare": "previous_period"}, ("spend_previous", "spend_change", "spend_change_ratio")),
    "cumulative": ({"cumulative": {"metric": "spend", "kind": "year_to_date"}}, ("spend_cumulative",)),
    "rolling": ({"cumulative": {"metric": "spend", "kind": "rolling", "days": 9}}, ("spend_cumulative",)),
    "share": ({"share_of_total": ["spend"]}, ("spend_share",)),
    "totals": ({"totals": True}, ("is_total",)),
    "top": ({"top": {"by": "spend", "n": 1}}, ()),
    "having": ({"filters": [{"name": "spend", "op": ">=", "value": 5}]}, ()),
}


@checked
@given(rows=STARS, chosen=st.lists(st.sampled_from(list(FEATURES)), min_size=2, unique=True), grain=st.booleans())
def test_parts_of_a_question_do_not_disturb_each_other(
    star: RandomStar, rows: Rows, chosen: list[str], grain: bool
) -> None:
    assume(not {"cumulative", "rolling"} <= set(chosen) and not {"totals", "having"} <= set(chosen))
    star.fill(rows)
    plain_one = {
        "metrics": ["spend", "roas"],
        "dimensions": ["date", "ad_platform"],
        "time_grain": "day" if grain or "rolling" in chosen else "month",
        "time_range": RANGE,
        "fill_gaps": True,
        "limit": 10_000,
    }
    whole = {name: value for feature in chosen for name, value in FEATURES[feature][0].items()}
    together = star.keyed(read_query({**plain_one, **whole}))
    for feature in chosen:
        alone, columns = FEATURES[feature]
        filters = whole.get("filters", ()) if feature == "share" else ()
        apart = star.keyed(read_query({**plain_one, "filters": filters, **alone} if columns else plain_one))
        for key in together.keys() & apart.keys():  # a group of another period has rows where that period is asked for
            for column in ("spend", "roas", *columns):
                assert same(together[key][column], apart[key][column]), (feature, key, column)
