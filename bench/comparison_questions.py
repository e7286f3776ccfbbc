"""Questions about covered days: aligned comparisons, rows after each other, cohorts, periods that are not over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from bench.big_star import DAYS, FIRST_DAY
from bench.questions import ADS, COUNTRIES, ORDERS, PLATFORMS, SESSIONS, Asked, Days, Question, days

LAST_DAY = date.fromisoformat(FIRST_DAY) + timedelta(days=DAYS - 1)
"""The last covered day."""


def to_come(draw: Random) -> Days:
    """Days of which most are covered, and some are to come."""
    return Days(LAST_DAY - timedelta(days=draw.randint(200, 300)), LAST_DAY + timedelta(days=draw.randint(5, 30)))


def aligned_by_device(draw: Random) -> Asked:
    when, country = to_come(draw), draw.choice(COUNTRIES)
    back = when.end - when.start + timedelta(days=1)
    now, before = Days(when.start, LAST_DAY), Days(when.start - back, LAST_DAY - back)
    query = {
        "metrics": ["sessions", "session_revenue"],
        "dimensions": ["device_category"],
        "time_range": when.range,
        "filters": [{"name": "geo_country", "op": "!=", "value": country}],
        "compare": "previous_period",
    }

    def side(of: Days) -> str:
        return f"""select device_category as device, count(*) as visits, sum(session_revenue) as won from {SESSIONS}
            where geo_country <> '{country}' and {of.sql("session_date")} group by 1"""

    return (
        query,
        f"""
        with now as ({side(now)}), before as ({side(before)})
        select device, now.visits as visits, before.visits, now.visits - before.visits,
            (now.visits - before.visits) / nullif(before.visits, 0),
            now.won, before.won, now.won - before.won, (now.won - before.won) / nullif(before.won, 0)
        from now join before using (device) order by visits desc limit 100""",
    )


def month_after_month(draw: Random) -> Asked:
    start, country = date(2025, draw.randint(1, 5), 1), draw.choice(COUNTRIES)
    when = Days(start, date(2026, draw.randint(7, 11), 1) - timedelta(days=1))
    query = {
        "metrics": ["session_revenue"],
        "dimensions": ["date"],
        "time_grain": "month",
        "time_range": when.range,
        "filters": [{"name": "geo_country", "op": "!=", "value": country}],
        "compare": "row_before",
    }
    read = Days((start - timedelta(days=1)).replace(day=1), when.end)
    return (
        query,
        f"""
        with months as (
            select date_trunc('month', session_date)::date as month, sum(session_revenue) as won,
                lag(won) over (order by month) as before
            from {SESSIONS} where geo_country <> '{country}' and {read.sql("session_date")} group by 1
        )
        select month, won, before, won - before, (won - before) / nullif(before, 0)
        from months where month >= date '{start}' order by 1 limit 100""",
    )


def orders_by_cohort(draw: Random) -> Asked:
    when = days(draw)
    query = {
        "metrics": ["valid_orders", "order_revenue"],
        "dimensions": ["first_order_date"],
        "order_by": ["first_order_date"],
        "time_grain": "month",
        "time_range": when.range,
    }
    return (
        query,
        f"""
        select date_trunc('month', first_order_date)::date, count(*) filter (where is_valid),
            sum(case when is_valid then total_price else 0 end)
        from {ORDERS} where {when.sql("order_date")} group by 1 order by 1 limit 100""",
    )


def weeks_not_over(draw: Random) -> Asked:
    when, platform = to_come(draw), draw.choice(PLATFORMS)
    query = {
        "metrics": ["spend", "ctr"],
        "dimensions": ["date"],
        "time_grain": "week",
        "time_range": when.range,
        "filters": [{"name": "ad_platform", "op": "!=", "value": platform}],
    }
    return (
        query,
        f"""
        select date_trunc('week', report_date)::date, sum(spend), sum(clicks) / nullif(sum(impressions), 0)
        from {ADS} where {when.sql("report_date")} and source_platform <> '{platform}'
        group by 1 order by 1 limit 100""",
    )


COMPARISON_QUESTIONS: Mapping[str, Question] = {
    "aligned comparison by device": Question(aligned_by_device),
    "revenue by month, month before": Question(month_after_month),
    "orders by cohort": Question(orders_by_cohort, adds_up=False),
    "spend by week, one not over": Question(weeks_not_over),
}
"""Newer than the others; `bench.semantic` compares both kinds."""
