"""Named ranges, periods, and the range that another is compared with."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError, UnknownName
from semantic.planning.window import (
    GRAINS,
    RANGES,
    Shift,
    Window,
    check_days,
    comparison_window,
    period_end,
    period_start,
    resolve,
)

TODAY = date(2026, 4, 15)  # a Wednesday
DAYS = st.dates(date(1980, 1, 1), date(2150, 12, 31))
WEEK_STARTS = st.sampled_from(["monday", "sunday", "saturday"])


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-04-15", "2026-04-15"),
        ("yesterday", "2026-04-14", "2026-04-14"),
        ("last_30_days", "2026-03-16", "2026-04-14"),
        ("last_1_day", "2026-04-14", "2026-04-14"),
        ("this_week", "2026-04-13", "2026-04-19"),
        ("last_week", "2026-04-06", "2026-04-12"),
        ("last_2_weeks", "2026-03-30", "2026-04-12"),
        ("this_month", "2026-04-01", "2026-04-30"),
        ("last_month", "2026-03-01", "2026-03-31"),
        ("last_3_months", "2026-01-01", "2026-03-31"),
        ("last_quarter", "2026-01-01", "2026-03-31"),
        ("last_2_quarters", "2025-10-01", "2026-03-31"),
        ("this_year", "2026-01-01", "2026-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("month_to_date", "2026-04-01", "2026-04-15"),
        ("year_to_date", "2026-01-01", "2026-04-15"),
    ],
)
def test_a_named_range_is_these_days(name: str, start: str, end: str) -> None:
    resolved = resolve(name, TODAY, "monday")
    assert (resolved.start, resolved.end) == (date.fromisoformat(start), date.fromisoformat(end))


def test_a_week_begins_where_the_tenant_says() -> None:
    assert resolve("this_week", TODAY, "sunday") == Window(date(2026, 4, 12), date(2026, 4, 18))
    assert resolve("last_week", TODAY, "saturday") == Window(date(2026, 4, 4), date(2026, 4, 10))


@pytest.mark.parametrize("name", ["last_0_days", "last_days", "next_month", "last_99999_days", "this_day", ""])
def test_another_name_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownName, match="There is no time range named"):
        resolve(name, TODAY, "monday")


def test_days_that_no_shop_has_are_refused() -> None:
    with pytest.raises(QueryError, match="Choose days from 1970-01-01 to 2200-12-31"):
        resolve("last_900_months", TODAY, "monday")
    with pytest.raises(QueryError, match="The last 9999 years begin before the calendar"):
        resolve("last_9999_years", TODAY, "monday")
    with pytest.raises(QueryError, match="Choose days from 1970-01-01 to 2200-12-31"):
        check_days(Window(date(1, 1, 1), None))


@pytest.mark.parametrize("name", RANGES)
def test_every_range_that_is_offered_has_days(name: str) -> None:
    window = resolve(name, TODAY, "monday")
    assert window.start
    assert window.end
    assert window.start <= window.end


@given(DAYS, st.sampled_from(GRAINS), WEEK_STARTS)
def test_every_day_lies_in_its_period_and_periods_follow_each_other(day: date, grain: str, week_start: str) -> None:
    start, end = period_start(day, grain, week_start), period_end(day, grain, week_start)
    assert start <= day <= end
    assert period_start(end, grain, week_start) == start
    assert period_start(end + timedelta(days=1), grain, week_start) == end + timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "comparison", "before", "shift"),
    [
        ("2026-03-01", "2026-03-31", "previous_period", ("2026-02-01", "2026-02-28"), Shift(months=1)),
        ("2026-01-01", "2026-03-31", "previous_period", ("2025-10-01", "2025-12-31"), Shift(months=3)),
        ("2026-01-01", "2026-12-31", "previous_period", ("2025-01-01", "2025-12-31"), Shift(months=12)),
        ("2026-03-02", "2026-03-31", "previous_period", ("2026-01-31", "2026-03-01"), Shift(days=30)),
        ("2026-04-06", "2026-04-12", "previous_period", ("2026-03-30", "2026-04-05"), Shift(days=7)),
        ("2024-02-10", "2024-02-29", "previous_year", ("2023-02-10", "2023-02-28"), Shift(months=12)),
        ("2025-02-01", "2025-02-28", "previous_year", ("2024-02-01", "2024-02-29"), Shift(months=12)),
    ],
)
def test_the_compared_range_is_the_unit_before_or_as_many_days(
    start: str, end: str, comparison: str, before: tuple[str, str], shift: Shift
) -> None:
    window, back = comparison_window(date.fromisoformat(start), date.fromisoformat(end), comparison)
    assert (str(window.start), str(window.end)) == before
    assert back == shift
