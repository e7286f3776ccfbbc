"""Questions about the hand-written shop, each answered a second time by SQL that a person wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from pipeline.errors import NoJoinPath, QueryError
from semantic.planning.reach import dimensions_for
from tests.semantic.hand_star import HandStar

ADS = "fct_shop__ad_performance LEFT JOIN dim_shop__campaigns USING (campaign_key)"
VISITS = "fct_shop__sessions"
ORDERS = "fct_shop__orders"
ITEMS = f"""fct_shop__order_items i LEFT JOIN (SELECT order_key, campaign_name, ad_platform FROM {ORDERS}) o
    USING (order_key) LEFT JOIN dim_shop__products USING (product_key)"""
FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}
ALPHA = [{"name": "campaign_name", "op": "=", "value": "Alpha"}]

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "lines reach campaigns through their orders": (
        {"metrics": ["units_sold", "item_revenue"], "dimensions": ["campaign_name"]},
        f"""SELECT campaign_name, coalesce(sum(quantity) FILTER (is_valid), 0),
            coalesce(sum(item_amount) FILTER (is_valid), 0) FROM {ITEMS} GROUP BY 1""",
    ),
    "lines by product and platform of their order": (
        {"metrics": ["units_sold"], "dimensions": ["product_name", "ad_platform"]},
        f"SELECT product_name, ad_platform, coalesce(sum(quantity) FILTER (is_valid), 0) FROM {ITEMS} GROUP BY 1, 2",
    ),
    "events reach campaigns through their visits": (
        {"metrics": ["events", "event_users"], "dimensions": ["campaign_name"]},
        """SELECT c.campaign_name, count(*), count(DISTINCT e.user_key) FROM fct_shop__events e
           LEFT JOIN fct_shop__sessions s ON e.session_id = s.session_id
           LEFT JOIN dim_shop__campaigns c ON s.campaign_key = c.campaign_key GROUP BY 1""",
    ),
    "three facts by campaign and month": (
        {
            "metrics": ["spend", "sessions", "order_revenue", "roas", "cac"],
            "dimensions": ["campaign_name", "date"],
            "time_grain": "month",
        },
        f"""WITH a AS (SELECT campaign_name n, date_trunc('month', report_date) m, sum(spend) v FROM {ADS}
            GROUP BY 1, 2),
        s AS (SELECT campaign_name n, date_trunc('month', session_date) m, count(*) v, count(*) FILTER
            (is_conversion_session) c, coalesce(sum(session_revenue) FILTER (attribution <> 'none'), 0) r
            FROM {VISITS} GROUP BY 1, 2),
        o AS (SELECT campaign_name n, date_trunc('month', order_date) m,
            coalesce(sum(total_price) FILTER (is_valid), 0) v FROM {ORDERS} GROUP BY 1, 2),
        k AS (SELECT n, m FROM a UNION SELECT n, m FROM s UNION SELECT n, m FROM o)
        SELECT k.n, k.m::date::varchar, coalesce(a.v, 0), coalesce(s.v, 0), coalesce(o.v, 0),
            coalesce(s.r, 0) / nullif(coalesce(a.v, 0), 0), a.v / nullif(coalesce(s.c, 0), 0)
        FROM k LEFT JOIN a ON k.n IS NOT DISTINCT FROM a.n AND k.m = a.m
        LEFT JOIN s ON k.n IS NOT DISTINCT FROM s.n AND k.m = s.m
        LEFT JOIN o ON k.n IS NOT DISTINCT FROM o.n AND k.m = o.m""",
    ),
    "a filter on a campaign is a filter on every fact": (
        {"metrics": ["spend", "sessions", "order_revenue", "units_sold", "events"], "filters": ALPHA},
        f"""SELECT (SELECT sum(spend) FROM {ADS} WHERE campaign_name = 'Alpha'),
            (SELECT count(*) FROM {VISITS} WHERE campaign_name = 'Alpha'),
            (SELECT sum(total_price) FILTER (is_valid) FROM {ORDERS} WHERE campaign_name = 'Alpha'),
            (SELECT sum(quantity) FILTER (i.is_valid) FROM {ITEMS} WHERE campaign_name = 'Alpha'),
            (SELECT count(*) FROM fct_shop__events WHERE session_id IN (SELECT session_id FROM {VISITS}
                WHERE campaign_name = 'Alpha'))""",
    ),
    "spend of nothing divides nothing": (
        {"metrics": ["cpc", "roas", "ctr"], "dimensions": ["campaign_id", "ad_platform"]},
        """WITH a AS (SELECT campaign_id i, source_platform p, sum(spend) s, sum(clicks) c, sum(impressions) v
            FROM fct_shop__ad_performance GROUP BY 1, 2),
        s AS (SELECT campaign_id i, ad_platform p, coalesce(sum(session_revenue) FILTER (attribution <> 'none'), 0) r
            FROM fct_shop__sessions LEFT JOIN dim_shop__campaigns USING (campaign_key) GROUP BY 1, 2)
        SELECT coalesce(a.i, s.i), coalesce(a.p, s.p), coalesce(a.s, 0) / nullif(coalesce(a.c, 0), 0),
            coalesce(s.r, 0) / nullif(coalesce(a.s, 0), 0), coalesce(a.c, 0) / nullif(coalesce(a.v, 0), 0)
        FROM a FULL JOIN s ON a.i IS NOT DISTINCT FROM s.i AND a.p IS NOT DISTINCT FROM s.p""",
    ),
    "a filter on a metric of another fact leaves groups": (
        {
            "metrics": ["spend"],
            "dimensions": ["campaign_name"],
            "filters": [{"name": "sessions", "op": ">=", "value": 2}],
        },
        f"""SELECT n, coalesce(a.v, 0) FROM (SELECT campaign_name n, count(*) v FROM {VISITS} GROUP BY 1) s
            LEFT JOIN (SELECT campaign_name n, sum(spend) v FROM {ADS} GROUP BY 1) a USING (n) WHERE s.v >= 2
            AND n IS NOT NULL UNION ALL SELECT NULL, (SELECT sum(spend) FROM {ADS} WHERE campaign_name IS NULL)
            WHERE (SELECT count(*) FROM {VISITS} WHERE campaign_name IS NULL) >= 2""",
    ),
    "people are counted once per month": (
        {"metrics": ["customers", "session_users"], "dimensions": ["date"], "time_grain": "month"},
        """SELECT m::date::varchar, coalesce(o.n, 0), coalesce(s.n, 0) FROM
            (SELECT date_trunc('month', order_date) m, count(DISTINCT customer_key) FILTER (is_valid) n
                FROM fct_shop__orders GROUP BY 1) o
            FULL JOIN (SELECT date_trunc('month', session_date) m, count(DISTINCT user_key) n
                FROM fct_shop__sessions GROUP BY 1) s USING (m)""",
    ),
    "a median and an average over a join": (
        {"metrics": ["median_order_value", "average_order_value", "largest_order"], "dimensions": ["campaign_name"]},
        f"""SELECT campaign_name, quantile_cont(total_price::double, 0.5) FILTER (is_valid),
            avg(total_price::double) FILTER (is_valid), max(total_price) FILTER (is_valid) FROM {ORDERS} GROUP BY 1""",
    ),
    "the month before": (
        {"metrics": ["spend"], "dimensions": ["campaign_name"], "time_range": FEBRUARY, "compare": "previous_period"},
        f"""SELECT *, v - p, (v - p) / nullif(p, 0) FROM (SELECT campaign_name,
            coalesce(sum(spend) FILTER (month(report_date) = 2), 0) v,
            coalesce(sum(spend) FILTER (month(report_date) = 1), 0) p
            FROM {ADS} WHERE report_date BETWEEN '2026-01-01' AND '2026-02-28' GROUP BY 1)""",
    ),
    "shares of what a filter leaves": (
        {
            "metrics": ["spend"],
            "dimensions": ["date"],
            "share_of_total": ["spend"],
            "filters": [{"name": "ad_platform", "op": "!=", "value": "google_ads"}],
            "time_range": FEBRUARY,
        },
        """SELECT report_date::varchar, sum(spend), sum(spend) / sum(sum(spend)) OVER () FROM fct_shop__ad_performance
           WHERE source_platform <> 'google_ads' AND month(report_date) = 2 GROUP BY 1""",
    ),
    "the year so far, also before the range": (
        {
            "metrics": ["spend"],
            "dimensions": ["date"],
            "time_range": FEBRUARY,
            "cumulative": {"metric": "spend", "kind": "year_to_date"},
        },
        """SELECT d::varchar, s, (SELECT sum(spend) FROM fct_shop__ad_performance WHERE report_date <= d) FROM
           (SELECT report_date d, sum(spend) s FROM fct_shop__ad_performance WHERE month(report_date) = 2
            GROUP BY 1)""",
    ),
    "ten rolling days on every day": (
        {
            "metrics": ["clicks"],
            "dimensions": ["date"],
            "time_range": FEBRUARY,
            "fill_gaps": True,
            "cumulative": {"metric": "clicks", "kind": "rolling", "days": 10},
        },
        """SELECT d::date::varchar,
               (SELECT coalesce(sum(clicks), 0) FROM fct_shop__ad_performance WHERE report_date = d),
               (SELECT coalesce(sum(clicks), 0) FROM fct_shop__ad_performance WHERE report_date BETWEEN d - 9 AND d)
           FROM (SELECT unnest(generate_series(DATE '2026-02-01', DATE '2026-02-28', INTERVAL 1 DAY))::date d)""",
    ),
    "weeks without a row are rows": (
        {
            "metrics": ["sessions", "conversion_rate"],
            "dimensions": ["date"],
            "time_grain": "week",
            "time_range": {"start": "2026-01-05", "end": "2026-03-08"},
            "fill_gaps": True,
        },
        """SELECT w::varchar, count(session_id),
               count(session_id) FILTER (is_conversion_session) / nullif(count(session_id), 0)
           FROM (SELECT unnest(generate_series(DATE '2026-01-05', DATE '2026-03-02', INTERVAL 7 DAY))::date w)
           LEFT JOIN fct_shop__sessions ON session_date BETWEEN w AND w + 6 GROUP BY 1""",
    ),
    "the highest and the rest": (
        {
            "metrics": ["spend", "cpc"],
            "dimensions": ["campaign_name"],
            "top": {"by": "spend", "n": 1, "other": True},
        },
        f"""SELECT n, sum(s), sum(s) / nullif(sum(c), 0), n <> 'Alpha' FROM (SELECT
            CASE WHEN campaign_name = 'Alpha' THEN 'Alpha' ELSE 'other' END n, spend s, clicks c FROM {ADS})
            GROUP BY n""",
    ),
    "rows without a value are a group, and only is_null finds them": (
        {"metrics": ["sessions"], "dimensions": ["geo_country"]},
        "SELECT geo_country, count(*) FROM fct_shop__sessions GROUP BY 1",
    ),
    "rows without a value": (
        {"metrics": ["sessions", "events"], "filters": [{"name": "geo_country", "op": "is_null"}]},
        """SELECT (SELECT count(*) FROM fct_shop__sessions WHERE geo_country IS NULL),
            (SELECT count(*) FROM fct_shop__events WHERE geo_country IS NULL)""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_what_sql_by_hand_gives(shop: HandStar, name: str) -> None:
    question, sql = CASES[name]
    answer = shop.ask(**question, limit=1000)
    ours, theirs = (sorted(map(_plain, rows), key=repr) for rows in (answer.rows, shop.sql(sql)))
    assert len(ours) == len(theirs), (ours, theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one == other


def _plain(row: Any) -> list[Any]:
    return [value if value is None or isinstance(value, str | bool) else round(float(value), 9) for value in row]


def test_an_answer_does_not_depend_on_the_time_zone_of_the_connection(shop: HandStar) -> None:
    question = {
        "metrics": ["spend", "sessions"],
        "dimensions": ["date"],
        "time_grain": "month",
        "time_range": {"start": "2026-01-01", "end": "2026-04-30"},
        "compare": "previous_year",
        "fill_gaps": True,
        "cumulative": {"metric": "spend"},
    }
    answers = []
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        with shop.cursor as cursor:
            cursor.execute(f"SET TimeZone = '{zone}'")
            answers.append(shop.ask_on(cursor, **question).rows)
    assert answers[0] == answers[1] == answers[2]


@pytest.fixture(scope="module")
def summer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Berlin around 29 March 2026, a day of 23 hours, and 25 October, one of 25: a visit an hour, in UTC."""
    star = HandStar(tmp_path_factory.mktemp("summer"), timezone="Europe/Berlin", week_start="sunday")
    with duckdb.connect() as connection:
        for hour in range(24 * 3):
            for first in ("2026-03-28", "2026-10-24"):
                utc = f"(TIMESTAMP '{first}' + INTERVAL {hour} HOUR)"
                sql = f"SELECT {utc}, {utc} AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'"
                [(started, local)] = connection.execute(sql).fetchall()
                star.add("sessions", {"session_date": local.date(), "started_at": started, "user_key": "u"})
    yield star
    star.close()


@pytest.mark.parametrize(
    ("day", "begins", "ends", "visits"),
    [
        ("2026-03-29", "2026-03-28 23:00", "2026-03-29 22:00", 23),
        ("2026-10-25", "2026-10-24 22:00", "2026-10-25 23:00", 25),
        ("2026-03-28", "2026-03-27 23:00", "2026-03-28 23:00", 23),  # the first of its hours lies before the rows
    ],
)
def test_a_day_is_as_long_as_it_is_where_the_tenant_lives(
    summer: HandStar, day: str, begins: str, ends: str, visits: int
) -> None:
    where = f"started_at >= TIMESTAMP '{begins}' AND started_at < TIMESTAMP '{ends}'"
    assert summer.sql(f"SELECT count(*) FROM fct_shop__sessions WHERE {where}") == [(visits,)]
    assert summer.one("sessions", time_range={"start": day, "end": day}) == visits


@pytest.mark.parametrize(
    ("moment", "today"),
    [
        (datetime(2026, 3, 28, 22, 59, tzinfo=UTC), "2026-03-28"),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), "2026-03-29"),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), "2026-03-29"),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), "2026-03-30"),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "2026-10-25"),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), "2026-10-26"),
    ],
)
def test_today_begins_at_midnight_where_the_tenant_lives(summer: HandStar, moment: datetime, today: str) -> None:
    answer = summer.ask(metrics=["sessions"], time_range="today", today=moment)
    assert answer.time_range == {"start": today, "end": today}


@pytest.mark.parametrize("week_start", ["monday", "sunday", "saturday"])
def test_weeks_begin_where_the_tenant_says(folder: Any, week_start: str) -> None:
    number = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"].index(week_start)
    star = HandStar(folder, week_start=week_start)
    star.add("sessions", *({"session_date": date(2026, 3, n), "user_key": "u"} for n in range(1, 32)))
    rows = star.table(metrics=["sessions"], dimensions=["date"], time_grain="week")
    by_hand = star.sql(f"""
        SELECT (session_date - (isodow(session_date) - {number} + 7)::int % 7)::varchar, count(*)
        FROM fct_shop__sessions GROUP BY 1 ORDER BY 1""")
    assert [tuple(row.values()) for row in rows] == by_hand
    star.close()


@pytest.mark.parametrize(
    ("metrics", "dimension", "facts_meet"),
    [
        (["spend"], "geo_country", "sessions"),
        (["spend", "session_revenue"], "traffic_source", "conversion_rate"),
        (["roas"], "financial_status", "orders"),
        (["order_revenue", "spend"], "ad_name", "spend"),
        (["sessions", "orders"], "product_name", "units_sold"),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_does(
    shop: HandStar, metrics: list[str], dimension: str, facts_meet: str
) -> None:
    for part in ({"dimensions": [dimension]}, {"filters": [{"name": dimension, "op": "is_not_null"}]}):
        with pytest.raises(NoJoinPath) as refused:
            shop.ask(metrics=metrics, **part)
        assert f"cannot be cut or filtered by {dimension}" in refused.value.what
        first, second = refused.value.fix.split("; ")
        named = first.split(" by ")[1].replace(" and ", ", ").split(", ")
        assert set(named) & set(shop.model.catalog.askable_dimensions)
        assert facts_meet in second
        for works in [name for name in named if name in shop.model.catalog.dimensions][:2]:
            shop.ask(metrics=[first.split()[1]], dimensions=[works])


def test_a_metric_filter_brings_its_fact_and_its_limits_along(shop: HandStar) -> None:
    with pytest.raises(NoJoinPath):
        shop.ask(metrics=["sessions"], dimensions=["geo_country"], filters=[{"name": "spend", "op": ">", "value": 1}])


def test_every_name_the_catalog_lists_can_be_asked_for(shop: HandStar) -> None:
    catalog = shop.model.catalog
    by_cuts: dict[tuple[str, ...], list[str]] = {}
    for name in catalog.askable_metrics:
        by_cuts.setdefault(tuple(dimensions_for(name, catalog)), []).append(name)
    asked: set[str] = set()
    for cuts, metrics in by_cuts.items():
        for n in range(0, len(cuts), 12):
            answer = shop.ask(metrics=metrics, dimensions=cuts[n : n + 12])
            asked |= {str(column["name"]) for column in answer.columns}
    assert asked >= {*catalog.askable_metrics, *catalog.askable_dimensions}


@pytest.fixture(scope="module")
def money(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Ads in euros and dollars, orders in euros and one in pounds."""
    star = HandStar(tmp_path_factory.mktemp("money"))
    for n, (spend, code) in enumerate([(10, "EUR"), (20, "USD"), (5, "EUR"), (7, None)]):
        star.add("ad_performance", {"report_date": date(2026, 1, n + 1), "spend": spend, "currency": code, "clicks": 1})
    for n, (price, code) in enumerate([(30, "EUR"), (40, "GBP"), (1, "EUR")]):
        star.add("orders", {"order_date": date(2026, 1, n + 1), "total_price": price, "currency": code})
    yield star
    star.close()


def test_money_by_currency_is_what_sql_gives_and_nothing_crosses(money: HandStar) -> None:
    rows = money.table(metrics=["spend", "order_revenue", "blended_roas", "clicks"], dimensions=["currency"])
    by_hand = money.sql("""
        WITH a AS (SELECT currency c, sum(spend) s, count(*) n FROM fct_shop__ad_performance GROUP BY 1),
        o AS (SELECT currency c, sum(total_price) r FROM fct_shop__orders GROUP BY 1)
        SELECT coalesce(a.c, o.c), coalesce(s, 0), coalesce(r, 0), coalesce(r, 0) / nullif(coalesce(s, 0), 0),
            coalesce(n, 0) FROM a FULL JOIN o ON a.c IS NOT DISTINCT FROM o.c""")
    assert sorted(map(_plain, (row.values() for row in rows)), key=repr) == sorted(map(_plain, by_hand), key=repr)


@pytest.mark.parametrize("metric", ["spend", "order_revenue", "blended_roas", "cpc", "average_order_value"])
def test_money_of_several_currencies_is_never_one_number(money: HandStar, metric: str) -> None:
    for question in (
        {},
        {"dimensions": ["date"]},
        {"filters": [{"name": "currency", "op": "!=", "value": "USD"}]},
        {"dimensions": ["currency"], "totals": True},
        {"dimensions": ["currency"], "top": {"by": metric}},
    ):
        with pytest.raises(QueryError, match=r"currenc|would mix"):
            money.ask(metrics=[metric], **question)
    assert money.ask(metrics=[metric], filters=[{"name": "currency", "value": "EUR"}]).columns[0]["unit"] in (
        "EUR",
        "ratio",
    )
