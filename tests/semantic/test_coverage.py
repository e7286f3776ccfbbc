"""What sources cover: unknown outside of it, 0 inside, and comparisons of the same days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.catalog.coverage import SourceCoverage, complete_days, coverage_json, last_complete_day, read_coverage
from semantic.catalog.day_set import DaySet
from tests.semantic.hand_star import HandStar

TODAY = date(2026, 3, 11)
SPANS = st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2026, 3, 1)), st.integers(0, 9)), max_size=6)


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Two ad platforms of 10 and 100 a day; google_ads stops on 3 March, facebook_ads goes on to the 10th."""
    star = HandStar(tmp_path_factory.mktemp("stale"))
    for number in range(10):
        day = date(2026, 3, 1) + timedelta(days=number)
        star.add("ad_performance", {"report_date": day, "spend": 10, "source_platform": "facebook_ads"})
        star.add("orders", {"order_date": day, "total_price": 20, "customer_key": f"c{number}", "is_first_order": True})
        if number < 3:
            star.add("ad_performance", {"report_date": day, "spend": 100, "source_platform": "google_ads"})
    star.cover("2026-03-01", "2026-03-10", "ad_performance", platform="facebook_ads", delivered_on=date(2026, 3, 11))
    star.cover("2026-03-01", "2026-03-03", "ad_performance", platform="google_ads", delivered_on=date(2026, 3, 11))
    star.cover("2026-03-01", "2026-03-10", "orders", platform="shopify", delivered_on=date(2026, 3, 11))
    yield star
    star.close()


def asked(star: HandStar, today: date = TODAY, **query: Any) -> tuple[list[list[Any]], tuple[str, ...]]:
    answer = star.ask(today=today, **query)
    return [list(row) for row in answer.rows], answer.notes


def span(first: str, last: str) -> dict[str, str]:
    return {"start": first, "end": last}


FACEBOOK = [{"name": "ad_platform", "op": "=", "value": "facebook_ads"}]


def test_gaps_are_filled_with_0_as_far_as_a_source_reaches_and_with_nothing_beyond(stale: HandStar) -> None:
    question = {"metrics": ["spend"], "dimensions": ["ad_platform", "date"], "order_by": ["ad_platform", "date"]}
    rows, notes = asked(stale, **question, time_range=span("2026-03-03", "2026-03-05"), fill_gaps=True)
    assert rows == [
        *(["facebook_ads", f"2026-03-0{day}", 10] for day in (3, 4, 5)),
        *(["google_ads", f"2026-03-0{day}", spend] for day, spend in ((3, 100), (4, None), (5, None))),
    ]
    assert notes == ("ad_performance: google_ads ends 2026-03-03.",)


def test_a_sum_where_one_source_of_two_covers_the_days_is_its_sum_and_the_other_is_named(stale: HandStar) -> None:
    answer = stale.ask(today=TODAY, metrics=["spend"], time_range=span("2026-03-04", "2026-03-10"))
    assert answer.rows == ([70],)
    assert answer.notes == ("ad_performance: google_ads ends 2026-03-03.",)
    assert answer.coverage == (
        {
            "fact": "ad_performance",
            "source": "google_ads",
            "account": "main",
            "from": "2026-03-01",
            "until": "2026-03-03",
            "days": 0,
            "of": 7,
        },
    )


def test_sources_that_end_on_one_day_share_a_sentence(tmp_path: Path) -> None:
    star = HandStar(tmp_path)
    for platform, first, last in (("a", 1, 9), ("b", 1, 5), ("c", 3, 5)):
        star.add("ad_performance", {"report_date": date(2026, 3, first), "spend": 1, "source_platform": platform})
        star.cover(f"2026-03-0{first}", f"2026-03-0{last}", "ad_performance", platform=platform, delivered_on=TODAY)
    with closing(star):
        assert asked(star, metrics=["spend"], time_range=span("2026-03-01", "2026-03-09"))[1] == (
            "ad_performance: b and c end 2026-03-05.",
            "ad_performance: c begins 2026-03-03.",
        )


def test_as_of_is_the_least_over_the_live_sources_that_the_filters_leave(stale: HandStar) -> None:
    assert stale.ask(today=TODAY, metrics=["spend"]).as_of == "2026-03-03"
    assert stale.ask(today=TODAY, metrics=["spend"], filters=FACEBOOK).as_of == "2026-03-10"
    assert stale.ask(today=TODAY, metrics=["spend", "orders"], filters=FACEBOOK[:0]).as_of == "2026-03-03"
    later = date(2026, 3, 20)  # no delivery for nine days: none is live, and none cuts
    assert stale.ask(today=later, metrics=["spend"]).as_of == "2026-03-10"
    notes = asked(stale, today=later, metrics=["spend"])[1]
    assert "ad_performance: google_ads ends 2026-03-03: nothing was delivered after 2026-03-11." in notes


def test_days_that_begin_before_the_data_are_counted_and_not_compared_with_nothing_as_0(stale: HandStar) -> None:
    week = {"metrics": ["spend"], "filters": FACEBOOK, "time_range": span("2026-03-04", "2026-03-10")}
    rows, notes = asked(stale, **week, compare="previous_period")
    assert rows == [[30, 30, 0, 0]]
    assert any("2026-03-08 to 2026-03-10 with 2026-03-01 to 2026-03-03 (3 of 7 days" in note for note in notes)
    rows, notes = asked(stale, **week, compare="previous_period", align="whole")
    assert rows[0][:2] == [70, 30]
    assert any("of those before 3 of 7." in note for note in notes)


def test_a_period_before_without_data_is_unknown_and_not_0(stale: HandStar) -> None:
    for align in ("to_date", "whole"):
        rows, notes = asked(stale, metrics=["orders"], time_range="this_month", compare="previous_year", align=align)
        assert rows == [[10, None, None, None]]
        assert any("no data" in note for note in notes)


@pytest.fixture(scope="module")
def two_months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """One order a day in October, two a day in November up to the 28th; today is the 29th."""
    star = HandStar(tmp_path_factory.mktemp("two_months"))
    day = date(2026, 10, 1)
    while day <= date(2026, 11, 28):
        star.add("orders", *({"order_date": day, "total_price": 10} for _ in range(day.month - 9)))
        day += timedelta(days=1)
    yield star.cover("2026-10-01", "2026-11-28", "orders", platform="shopify", delivered_on=date(2026, 11, 29))
    star.close()


@pytest.mark.parametrize("range_", ["this_month", "month_to_date", span("2026-11-01", "2026-11-30")])
def test_a_month_that_is_not_over_is_compared_with_the_same_days_of_the_month_before(
    two_months: HandStar, range_: Any
) -> None:
    question = {"metrics": ["orders"], "time_range": range_, "compare": "previous_period"}
    rows, notes = asked(two_months, date(2026, 11, 29), **question)
    assert rows == [[56, 28, 28, 1.0]]
    assert any("2026-11-01 to 2026-11-28 with 2026-10-01 to 2026-10-28" in note for note in notes)


def test_the_beginning_of_a_week_and_of_a_quarter_is_compared_with_that_of_the_one_before(two_months: HandStar) -> None:
    today = date(2026, 11, 26)  # a Thursday
    rows, _ = asked(two_months, today, metrics=["orders"], time_range="week_to_date", compare="previous_period")
    assert rows == [[6, 6, 0, 0.0]]
    rows, notes = asked(two_months, today, metrics=["orders"], time_range="quarter_to_date", compare="previous_period")
    assert rows[0][1:] == [None, None, None]
    assert any("no data for 2026-07-01 to 2026-08-26" in note for note in notes)


def test_whole_months_are_compared_whole_where_that_is_asked(two_months: HandStar) -> None:
    question = {"metrics": ["orders"], "time_range": "this_month", "compare": "previous_period", "align": "whole"}
    rows, notes = asked(two_months, date(2026, 11, 29), **question)
    assert rows[0][:2] == [56, 31]
    assert any("now 28 of 30 are complete, of those before 31 of 31" in note for note in notes)


def test_each_row_is_compared_with_the_period_right_before_it(two_months: HandStar) -> None:
    question = {"metrics": ["orders"], "dimensions": ["date"], "time_grain": "month", "compare": "row_before"}
    rows, notes = asked(two_months, date(2026, 11, 29), **question)
    assert rows == [["2026-10-01", 31, None, None, None], ["2026-11-01", 56, 28, 28, 1.0]]
    assert any("2026-10-01 with nothing" in note for note in notes)
    rows, _ = asked(two_months, date(2026, 11, 29), **question, align="whole")
    assert rows[1] == ["2026-11-01", 56, 31, 25, pytest.approx(25 / 31)]
    rows, _ = asked(two_months, date(2026, 11, 29), **question, time_range=span("2026-11-01", "2026-11-30"))
    assert rows == [["2026-11-01", 56, 28, 28, 1.0]]


@pytest.mark.parametrize(
    ("question", "repair"),
    [
        ({"compare": "row_before"}, 'Add "date"'),
        ({"compare": "row_before", "dimensions": ["date"], "totals": True}, "Leave out totals"),
        ({"align": "whole"}, "Add compare"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused_with_the_repair(
    two_months: HandStar, question: dict[str, Any], repair: str
) -> None:
    with pytest.raises(QueryError, match=repair):
        two_months.ask(metrics=["orders"], **question)


def test_periods_that_are_not_counted_in_full_are_marked_also_without_a_range(two_months: HandStar) -> None:
    today = date(2026, 11, 29)
    answer = two_months.ask(today=today, metrics=["orders"], dimensions=["date"], time_grain="month")
    assert answer.partial == ({"start": "2026-11-01", "covered_days": 28, "days": 30},)
    answer = two_months.ask(today=today, metrics=["orders"], dimensions=["date"], time_grain="quarter")
    assert answer.partial == ({"start": "2026-10-01", "covered_days": 59, "days": 92},)
    filters = [{"name": "date", "op": "between", "value": ["2026-10-10", "2026-10-20"]}]
    answer = two_months.ask(today=today, metrics=["orders"], dimensions=["date"], filters=filters)
    assert (answer.row_count, answer.partial) == (11, ())


def test_a_hole_in_the_days_of_a_source_is_unknown_and_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    star = HandStar(tmp_path_factory.mktemp("hole"))
    for day in (1, 2, 6, 7):
        star.add("sessions", {"session_date": date(2026, 3, day), "user_key": "u"})
    star.cover("2026-03-01", "2026-03-03", "sessions", platform="google_analytics")
    star._covers[-1] = SourceCoverage(  # days with a hole, which `cover` does not make
        fact="sessions",
        platform="google_analytics",
        account="main",
        days=DaySet.of([(date(2026, 3, 1), date(2026, 3, 3)), (date(2026, 3, 6), date(2026, 3, 7))]),
    )
    week = {"metrics": ["sessions"], "time_range": span("2026-03-02", "2026-03-07")}
    rows, notes = asked(star, **week, dimensions=["date"], fill_gaps=True)
    assert [row[1] for row in rows] == [1, 0, None, None, 1, 1]
    assert notes == ("sessions: google_analytics has no data for 2026-03-04 to 2026-03-05.",)
    assert asked(star, **week)[0] == [[3]]
    assert asked(star, metrics=["sessions"], time_range=span("2026-03-04", "2026-03-05"))[0] == [[None]]
    star.close()


def test_days_read_back_for_a_rolling_sum_are_checked_too(stale: HandStar) -> None:
    rolling = {"metric": "spend", "kind": "rolling", "days": 30}
    question = {"metrics": ["spend"], "dimensions": ["date"], "time_range": span("2026-03-02", "2026-03-02")}
    rows, notes = asked(stale, **question, cumulative=rolling)
    assert rows == [["2026-03-02", 110, 220]]
    assert "ad_performance has data from 2026-03-01 on." in notes


def test_a_filter_on_the_day_of_the_first_order_says_which_months_it_cuts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    star = HandStar(tmp_path_factory.mktemp("cohorts"))
    for day in (2, 5):
        order = {"order_date": date(2026, 3, day), "customer_key": f"c{day}", "total_price": 5}
        star.add("orders", order | {"first_order_date": date(2026, 3, day), "is_first_order": True})
    filters = [{"name": "first_order_date", "op": ">=", "value": "2026-03-04"}]
    cohorts = {"metrics": ["customers"], "dimensions": ["first_order_date"], "time_grain": "month"}
    rows, notes = asked(star, **cohorts, filters=filters)
    assert rows == [["2026-03-01", 1]]
    assert "The month of 2026-03-01 is counted from 2026-03-04 on." in notes
    assert any("2026-03-01 of first_order_date is not over" in note for note in asked(star, **cohorts)[1])
    star.close()


def test_a_leap_day_that_the_year_before_does_not_have_is_said_to_be_compared_with_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    star = HandStar(tmp_path_factory.mktemp("leap"))
    for day, spend in (("2024-02-28", 1), ("2024-02-29", 100), ("2025-02-28", 5)):
        star.add("ad_performance", {"report_date": date.fromisoformat(day), "spend": spend})
    star.cover("2024-01-01", "2026-03-10")
    february = {"metrics": ["spend"], "time_range": span("2025-02-01", "2025-02-28"), "compare": "previous_year"}
    rows, notes = asked(star, **february, dimensions=["date"])
    assert rows == [["2025-02-28", 5, 1, 4, 4.0]]
    assert "Days that only one of the two periods has are compared with nothing." in notes
    star.close()


def test_a_change_of_a_negative_number_has_the_sign_of_the_change(tmp_path_factory: pytest.TempPathFactory) -> None:
    margin = {"margin": {"expression": "order_revenue - spend"}}
    star = HandStar(tmp_path_factory.mktemp("margin"), semantic={"metrics": margin})
    for day, spend, revenue in ((1, 150, 20), (2, 10, 50)):
        star.add("ad_performance", {"report_date": date(2026, 3, day), "spend": spend})
        star.add("orders", {"order_date": date(2026, 3, day), "total_price": revenue})
    second = span("2026-03-02", "2026-03-02")
    rows, _ = asked(star, metrics=["margin"], time_range=second, compare="previous_period")
    assert rows == [[40, -130, 170, pytest.approx(170 / 130)]]
    star.close()


# ── the days themselves ────────────────────────────────────────────────────────────────────────────────────────────


def _set(spans: list[tuple[date, int]]) -> tuple[DaySet, set[date]]:
    days = {first + timedelta(days=n) for first, length in spans for n in range(length + 1)}
    return DaySet.of((first, first + timedelta(days=length)) for first, length in spans), days


@given(one=SPANS, other=SPANS)
def test_sets_of_days_behave_like_sets(one: list[tuple[date, int]], other: list[tuple[date, int]]) -> None:
    (a, days_a), (b, days_b) = _set(one), _set(other)
    assert set(a | b) == days_a | days_b
    assert set(a & b) == days_a & days_b
    assert set(a - b) == days_a - days_b
    assert (len(a), bool(a), list(a)) == (len(days_a), bool(days_a), sorted(days_a))
    assert set(a.within(date(2026, 1, 20), None)) == {day for day in days_a if day >= date(2026, 1, 20)}
    assert all((day in a) == (day in days_a) for day in days_b)


def _source(first: str, last: str, **known: Any) -> SourceCoverage:
    days = DaySet.of([(date.fromisoformat(first), date.fromisoformat(last))])
    return SourceCoverage(fact="f", platform="p", account="main", days=days, **known)


def test_a_source_that_ended_or_stopped_being_delivered_takes_no_day_from_the_others() -> None:
    goes_on = _source("2026-03-01", "2026-03-10", delivered_on=date(2026, 3, 11))
    late = _source("2026-03-05", "2026-03-10", delivered_on=date(2026, 3, 11))
    stopped = {"first": "2026-03-01", "last": "2026-03-03"}
    for source, days in (
        (_source(*stopped.values(), delivered_on=date(2026, 3, 9)), 3),
        (_source(*stopped.values(), delivered_on=date(2026, 3, 4)), 10),
        (_source(*stopped.values(), delivered_on=date(2026, 3, 4), every_days=7), 3),
        (_source(*stopped.values(), delivered_on=date(2026, 3, 11), ended=date(2026, 3, 3)), 10),
    ):
        assert len(complete_days([goes_on, late, source], TODAY)) == days
        assert last_complete_day([goes_on, source], TODAY) == date(2026, 3, days)


def test_coverage_is_read_as_it_was_written() -> None:
    coverage = (_source("2026-03-01", "2026-03-03", delivered_on=date(2026, 3, 4), every_days=7, is_by_records=True),)
    assert read_coverage(coverage_json(coverage)) == coverage
    assert coverage_json(coverage) == coverage_json(read_coverage(coverage_json(coverage)))
    with pytest.raises(ValueError, match="coverage"):
        read_coverage("{}")
