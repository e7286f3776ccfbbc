"""Every kind of metric against independent SQL, and what each does in totals, among others, in shares, along days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipeline.errors import QueryError
from semantic.catalog.expression import ADDS_UP, columns_in, measure_of
from tests.semantic.hand_star import HandStar, hand_shop

ORDERS = "fct_shop__orders"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> HandStar:
    """400 orders of 60 customers and guests over a year, on two platforms; some not valid, some without a price."""
    random, star = Random(4), HandStar(tmp_path_factory.mktemp("kinds"))
    days = sorted(date(2025, random.randint(1, 12), random.randint(1, 28)) for _ in range(400))
    first: dict[str, date] = {}
    placed: dict[str, int] = {}
    for n, day in enumerate(days):
        customer = f"c{random.randint(1, 60)}" if random.random() < 0.9 else None
        is_valid = random.random() < 0.85
        counts = bool(is_valid and customer)
        place = placed[customer or ""] = placed.get(customer or "", 0) + counts
        is_first = bool(is_valid and customer and customer not in first)
        if customer and is_first:
            first[customer] = day
        star.add(
            "orders",
            {
                "order_key": f"o{n}",
                "order_date": day,
                "total_price": Decimal(random.randint(1, 99999)) / 100 if random.random() < 0.95 else None,
                "customer_key": customer,
                "is_valid": is_valid,
                "is_first_order": is_first,
                "customer_order_number": place if counts else None,
                "source_platform": random.choice(["shopify", "woocommerce"]),
            },
        )
    for row in star.rows["orders"]:
        row["first_order_date"] = first.get(row["customer_key"])
        own = [each for each in star.rows["orders"] if each["customer_key"] == row["customer_key"] and each["is_valid"]]
        row["customer_order_count"] = placed[row["customer_key"]] if row["customer_order_number"] else None
        if row["is_first_order"]:
            row["days_to_second_order"] = (own[1]["order_date"] - row["order_date"]).days if len(own) > 1 else None
            early = [each["total_price"] for each in own if (each["order_date"] - row["order_date"]).days < 30]
            known = [price for price in early if price is not None]
            if (days[-1] - row["order_date"]).days >= 30 and known:
                row["customer_value_30_days"] = sum(known)
    return star


CUSTOMERS = "count(distinct customer_key) filter (where is_valid)"
RETURNING = "count(distinct customer_key) filter (where is_valid and (customer_key, order_key) in (from later))"
REPEATED = "count(distinct customer_key) filter (where is_valid and customer_key in (select customer_key from later))"
KINDS = {
    "smallest_order": "min(total_price) filter (where is_valid)",
    "largest_order": "max(total_price) filter (where is_valid)",
    "median_order_value": "quantile_cont(total_price::double, 0.5) filter (where is_valid)",
    "p90_order_value": "quantile_cont(total_price::double, 0.9) filter (where is_valid)",
    "repeat_orders": "count(*) filter (where is_valid and not is_first_order and customer_key is not null)",
    "returning_customers": RETURNING,
    "returning_customer_rate": f"{RETURNING} / nullif({CUSTOMERS}, 0)",
    "repeat_purchase_rate": f"{REPEATED} / nullif({CUSTOMERS}, 0)",
    "orders_per_customer": f"count(customer_key) filter (where is_valid) / nullif({CUSTOMERS}, 0)",
    "days_to_second_order": "quantile_cont(gap::double, 0.5) filter (where is_valid and is_first_order)",
    "ltv_30": "sum(worth) / count(worth)",
}


@pytest.mark.parametrize("metric", KINDS)
@pytest.mark.parametrize("platform", ["shopify", "woocommerce", None])
def test_a_metric_is_what_sql_says(many: HandStar, metric: str, platform: str | None) -> None:
    condition = f"source_platform = '{platform}'" if platform else "true"
    filters = [{"name": "shop_platform", "value": platform}] if platform else []
    [(expected,)] = many.sql(f"""
        with ours as (select * from {ORDERS} where is_valid and customer_key is not null),
        later as (
            select distinct b.customer_key, b.order_key from ours a join ours b
            on a.customer_key = b.customer_key and a.order_key <> b.order_key
            and (a.order_date, a.order_key[2:]::int) < (b.order_date, b.order_key[2:]::int)
        ),
        firsts as (select customer_key, min(order_date) as first, max(order_date) as last from ours group by all),
        gaps as (
            select f.customer_key, min(order_date) - any_value(first) as gap
            from firsts f join later on later.customer_key = f.customer_key
            join ours on ours.order_key = later.order_key
            group by all
        ),
        worths as (
            select customer_key, sum(total_price) as worth from ours join firsts using (customer_key)
            where order_date < first + 30 and first + 30 <= (select max(order_date) from {ORDERS}) group by all
        ),
        mine as (
            select o.*, gap, case when is_first_order then worth end as worth from {ORDERS} o
            left join gaps using (customer_key) left join worths using (customer_key)
            where {condition} and order_date between '2025-03-01' and '2025-08-31'
        )
        select {KINDS[metric]} from mine
    """)
    span = {"start": "2025-03-01", "end": "2025-08-31"}
    assert many.one(metric, time_range=span, filters=filters) == (
        pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected
    )


def test_who_comes_back_within_the_period_is_new_and_returning(many: HandStar) -> None:
    names = ["customers", "new_customers", "returning_customers"]
    for row in many.table(metrics=names, dimensions=["date"], time_grain="month"):
        assert row["customers"] <= row["new_customers"] + row["returning_customers"]
    [(twice,)] = many.sql(
        f"select count(*) from (select 1 from {ORDERS} where is_valid and customer_key is not null"
        " group by customer_key having count(*) > 1)"
    )
    assert many.one("returning_customers") == twice > 0  # over all days each customer is new once, too
    assert many.one("repeat_purchase_rate") == twice / many.one("customers")


def test_value_of_first_days_is_per_customer_of_cohorts_that_are_old_enough(many: HandStar) -> None:
    whole = many.ask(metrics=["ltv_30"])
    [(ours, mature, new)] = many.sql(
        "select sum(customer_value_30_days), count(customer_value_30_days), count(*)"
        f" from {ORDERS} where is_first_order"
    )
    assert float(whole.rows[0][0]) == pytest.approx(float(ours) / mature, rel=1e-12)
    assert f"ltv_30 is of {mature} of {new} new customers whose first 30 days have passed." in whole.notes
    cohorts, by_day = (
        many.table(metrics=["ltv_30", "new_customers"], dimensions=[day], time_grain="month", order_by=[day])
        for day in ("first_order_date", "date")
    )
    assert [row["ltv_30"] for row in cohorts if row["new_customers"]] == [
        row["ltv_30"] for row in by_day if row["new_customers"]
    ]


def test_the_total_of_what_does_not_add_up_is_made_from_the_rows_again(many: HandStar) -> None:
    metrics = ["median_order_value", "largest_order", "smallest_order", "customers", "repeat_orders"]
    rows = many.table(metrics=metrics, dimensions=["shop_platform"], totals=True)
    [total] = [row for row in rows if row["is_total"]]
    [whole] = many.table(metrics=metrics)
    assert {name: total[name] for name in metrics} == whole


def test_the_largest_of_the_others_is_the_largest_among_them(shop: HandStar) -> None:
    top = {"by": "largest_order", "n": 1, "other": True}
    rows = shop.table(metrics=["largest_order"], dimensions=["date"], top=top)
    assert [(row["largest_order"], row["is_other"]) for row in rows] == [(300, False), (150, True)]


def test_the_largest_so_far_grows_along_days_and_the_smallest_shrinks(shop: HandStar) -> None:
    for metric, so_far in (("largest_order", [150, 300, 300, 300, 300]), ("smallest_order", [150, 150, 40, 40, 40])):
        rows = shop.table(metrics=[metric], dimensions=["date"], cumulative={"metric": metric})
        assert [row[f"{metric}_cumulative"] for row in rows] == so_far


@pytest.mark.parametrize(
    "question",
    [
        {"cumulative": {"metric": "median_order_value"}, "dimensions": ["date"]},
        {"share_of_total": ["largest_order"], "metrics": ["largest_order"], "dimensions": ["shop_platform"]},
        {"top": {"by": "median_order_value", "n": 1, "other": True}, "dimensions": ["shop_platform"]},
    ],
)
def test_what_does_not_add_up_is_refused_where_parts_would_be_added(shop: HandStar, question: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        shop.ask(**{"metrics": ["median_order_value"], **question})


def test_without_rows_a_count_is_0_and_a_median_or_a_largest_is_unknown(shop: HandStar) -> None:
    span = {"start": "2026-01-12", "end": "2026-01-31"}
    metrics = ["repeat_orders", "returning_customers", "median_order_value", "largest_order", "returning_customer_rate"]
    metrics += ["ltv_30", "refund_rate", "gross_profit"]
    assert shop.table(metrics=metrics, time_range=span) == [
        dict(zip(metrics, (0, 0, None, None, None, None, None, 0), strict=True))
    ]


def test_every_metric_says_how_it_adds_up(shop: HandStar) -> None:
    said = {name: metric.adds_up for name, metric in shop.model.catalog.metrics.items()}
    names = ("spend", "orders", "largest_order", "smallest_order", "customers", "median_order_value", "roas")
    assert [said[name] for name in names] == ["SUM", "SUM", "MAX", "MIN", None, None, None]
    assert said["net_order_revenue"] == "SUM"  # a difference of sums


def test_the_rate_between_two_steps_counts_visits_that_have_both(folder: Path) -> None:
    star = HandStar(folder)
    day = date(2026, 1, 1)
    for one, two, three in ((1, 1, 0), (1, 0, 1), (0, 1, 1), (2, 3, 1), (1, 0, 0)):
        steps = {"funnel_step_1": one, "funnel_step_2": two, "funnel_step_3": three}
        star.add("sessions", {"session_date": day, **steps})
    [row] = star.table(metrics=["funnel_step_2_rate", "funnel_step_3_rate", "funnel_step_4_rate", "funnel_step_5_rate"])
    assert row == {
        "funnel_step_2_rate": 2 / 4,  # of four visits with the first step two have the second
        "funnel_step_3_rate": 2 / 3,
        "funnel_step_4_rate": 0,
        "funnel_step_5_rate": None,
    }
    star.close()


def test_customers_are_followed_by_the_month_they_came_in(many: HandStar) -> None:
    rows = many.table(
        metrics=["customers", "order_revenue"], dimensions=["first_order_date", "date"], time_grain="month", limit=1000
    )
    expected = many.sql(f"""
        select
            date_trunc('month', first_order_date)::date, date_trunc('month', order_date)::date,
            count(distinct customer_key) filter (where is_valid), coalesce(sum(total_price) filter (where is_valid), 0)
        from {ORDERS} group by 1, 2
    """)
    found = {tuple(row.values()) for row in rows}
    assert found == {(a.isoformat() if a else None, b.isoformat(), c, d) for a, b, c, d in expected}


def test_the_day_a_user_came_is_reached_along_joins_by_week_and_filtered_by_day(folder: Path) -> None:
    star = hand_shop(folder, week_start="sunday")
    days = {"u1": date(2026, 1, 11), "u2": date(2026, 1, 17), "u3": date(2026, 2, 10)}
    for user in star.rows["users"]:
        user["first_seen_date"] = days[user["user_key"]]
    rows = star.table(metrics=["sessions", "orders"], dimensions=["first_seen_date"], time_grain="week")
    assert [tuple(row.values()) for row in rows] == [
        ("2026-01-11", 4, 2),  # a Sunday: u1 and, on the Saturday after, u2
        ("2026-02-08", 2, 1),
        (None, 0, 2),
    ]
    since = [{"name": "first_seen_date", "op": ">", "value": "2026-01-11"}]
    assert star.one("sessions", filters=since) == 4
    star.close()


def test_a_measure_reads_its_columns_and_nothing_that_text_in_it_says() -> None:
    assert columns_in("(_.a.lower() == '_.b').ifelse(_.c, 0).sum()") == ("a", "c")
    assert columns_in("_.count(where=_.d & ~_.e.notnull())") == ("d", "e")
    assert columns_in("_.count()") == ()
    with pytest.raises(ValueError, match="is no expression"):
        columns_in("_.a.sum(")


def test_every_kind_has_a_measure() -> None:
    assert [measure_of(kind, "_.x", where="_.y", percent=90) for kind in ADDS_UP] == [
        "(_.y).ifelse(_.x, 0).sum()",
        "_.count(where=_.y)",
        "_.x.nunique(where=_.y)",
        "_.x.min(where=_.y)",
        "_.x.max(where=_.y)",
        "_.x.cast('float64').median(where=_.y)",
        "_.x.cast('float64').quantile(0.9, where=_.y)",
    ]


def test_the_group_of_other_days_is_compared_with_those_of_them_that_the_month_before_has(folder: Path) -> None:
    star = HandStar(folder)
    for day, spend in ((date(2026, 2, 2), 7), (date(2026, 3, 1), 20), (date(2026, 3, 2), 5), (date(2026, 3, 30), 3)):
        star.add("ad_performance", {"report_date": day, "spend": spend})
    star.cover("2026-01-01", "2026-03-31")
    march = {"metrics": ["spend"], "dimensions": ["date"], "time_range": {"start": "2026-03-01", "end": "2026-03-31"}}
    march |= {"compare": "previous_period", "order_by": ["date"]}
    columns = ("date", "spend", "spend_previous", "spend_change")

    def shown(**more: Any) -> list[tuple[Any, ...]]:
        return [tuple(row[name] for name in columns) for row in star.table(**march, **more)]

    assert shown(top={"by": "spend", "n": 1, "other": True}) == [("2026-03-01", 20, 0, 20), (None, 8, 7, 1)]
    assert shown(top={"by": "spend", "n": 2, "other": True})[-1] == (None, 3, None, None)  # 30 March alone: no such day
    star.close()
