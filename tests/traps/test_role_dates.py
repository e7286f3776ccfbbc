"""A date of another role, such as the day a user came: grouped by period and filtered by day at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.semantic.hand_star import HandStar, hand_shop

CAME = {"u1": date(2026, 1, 11), "u2": date(2026, 1, 17), "u3": date(2026, 2, 10)}


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    made = hand_shop(tmp_path_factory.mktemp("roles")).cover("2026-01-01", "2026-12-31")
    for user in made.rows["users"]:
        user["first_seen_date"] = CAME[user["user_key"]]
    yield made
    made.close()


@pytest.mark.parametrize("grain", ["day", "week", "month", "quarter"])
@pytest.mark.parametrize("op", [">", "<=", "="])
def test_a_day_is_compared_as_a_day_also_where_rows_are_periods(star: HandStar, grain: str, op: str) -> None:
    filters = [{"name": "first_seen_date", "op": op, "value": "2026-01-17"}]
    rows = star.table(metrics=["sessions"], dimensions=["first_seen_date"], time_grain=grain, filters=filters)
    by_hand = star.sql(f"""
        SELECT date_trunc('{grain}', first_seen_date)::date::varchar, count(*)
        FROM fct_shop__sessions JOIN dim_shop__users USING (user_key) WHERE first_seen_date {op} '2026-01-17'
        GROUP BY 1 ORDER BY 2 DESC, 1""")
    assert [tuple(row.values()) for row in rows] == by_hand


def test_two_dates_are_cut_by_one_grain_and_filtered_apart(star: HandStar) -> None:
    filters = [{"name": "first_seen_date", "op": "between", "value": ["2026-01-12", "2026-02-10"]}]
    days = {"start": "2026-02-05", "end": "2026-03-31"}
    rows = star.table(
        metrics=["sessions", "order_revenue"],
        dimensions=["date", "first_seen_date"],
        time_grain="month",
        filters=filters,
        time_range=days,
    )
    by_hand = star.sql("""
        WITH s AS (SELECT date_trunc('month', session_date) d, date_trunc('month', first_seen_date) c, count(*) n
            FROM fct_shop__sessions JOIN dim_shop__users USING (user_key)
            WHERE first_seen_date BETWEEN '2026-01-12' AND '2026-02-10'
              AND session_date BETWEEN '2026-02-05' AND '2026-03-31' GROUP BY ALL),
        o AS (SELECT date_trunc('month', order_date) d, date_trunc('month', first_seen_date) c, sum(total_price) n
            FROM fct_shop__orders JOIN dim_shop__users USING (user_key)
            WHERE first_seen_date BETWEEN '2026-01-12' AND '2026-02-10'
              AND order_date BETWEEN '2026-02-05' AND '2026-03-31' AND is_valid GROUP BY ALL)
        SELECT d::date::varchar, c::date::varchar, coalesce(s.n, 0), coalesce(o.n, 0)
        FROM s FULL JOIN o USING (d, c) ORDER BY 1, 3 DESC, 2""")
    assert [tuple(row.values()) for row in rows] == by_hand
