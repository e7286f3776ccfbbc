"""Traps of semantic layers, such as fan-out and averages of averages: every answer against SQL written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import pytest
from boring_semantic_layer import from_config

from pipeline.errors import NoJoinPath, QueryError, UnknownName
from tests.semantic.hand_star import HandStar

JANUARY = {"start": "2026-01-01", "end": "2026-01-31"}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Keys without a row, a price three times, names that look like days, numbers and SQL."""
    star = HandStar(tmp_path_factory.mktemp("odd"))
    names = ("2025-01-01", "42", "O'Neil; DROP TABLE x", "Größe \U0001f4c8")
    star.add(
        "campaigns",
        *({"campaign_key": f"k{n}", "campaign_id": str(n), "campaign_name": name} for n, name in enumerate(names)),
    )
    star.add(
        "ad_performance",
        *({"report_date": date(2026, 1, n + 1), "campaign_key": f"k{n}", "spend": n + 1} for n in range(4)),
    )
    star.add("ad_performance", {"report_date": date(2026, 1, 9), "campaign_key": "lost 1", "spend": 7})
    star.add("ad_performance", {"report_date": date(2026, 1, 9), "campaign_key": "lost 2", "spend": 9})
    star.add(
        "orders",
        *(
            {"order_date": date(2026, 1, 1), "total_price": price}
            for price in (Decimal("0.10"), Decimal("0.11"), Decimal("0.11"))
        ),
    )
    yield star
    star.close()


def pairs(rows: list[dict[str, Any]]) -> dict[Any, Any]:
    """The last column by the others."""
    listed = [tuple(row.values()) for row in rows]
    return {row[:-1] if len(row) > 2 else row[0]: row[-1] for row in listed}


def test_f1_a_join_to_a_dimension_table_never_changes_a_sum(shop: HandStar) -> None:
    for metric in ("spend", "order_revenue", "session_revenue", "units_sold", "events"):
        catalog = shop.model.catalog
        for dimension in catalog.dimensions_of(catalog.facts_of(metric)):
            rows = shop.table(metrics=[metric], dimensions=[dimension])
            assert sum(row[metric] for row in rows) == shop.one(metric), (metric, dimension)


def test_f2_orders_are_not_multiplied_by_their_lines(shop: HandStar) -> None:
    [row] = shop.table(metrics=["order_revenue", "units_sold", "item_revenue"])
    assert row == {"order_revenue": 550, "units_sold": 15, "item_revenue": 450}


def test_c1_three_facts_at_once_are_three_aggregates(shop: HandStar) -> None:
    by_hand = shop.sql("""
        WITH a AS (SELECT source_platform p, sum(spend) v FROM fct_shop__ad_performance GROUP BY 1),
        s AS (SELECT ad_platform p, count(*) v FROM fct_shop__sessions GROUP BY 1),
        o AS (SELECT ad_platform p, sum(total_price) FILTER (is_valid) v FROM fct_shop__orders GROUP BY 1),
        k AS (SELECT p FROM a UNION SELECT p FROM s UNION SELECT p FROM o)
        SELECT k.p, coalesce(a.v, 0), coalesce(s.v, 0), coalesce(o.v, 0) FROM k
        LEFT JOIN a ON a.p IS NOT DISTINCT FROM k.p LEFT JOIN s ON s.p IS NOT DISTINCT FROM k.p
        LEFT JOIN o ON o.p IS NOT DISTINCT FROM k.p ORDER BY 2 DESC""")
    rows = shop.table(metrics=["spend", "sessions", "order_revenue"], dimensions=["ad_platform"])
    assert [tuple(row.values()) for row in rows] == by_hand


def test_c2_rows_without_a_dimension_row_stay_in_every_sum(shop: HandStar) -> None:
    assert pairs(shop.table(metrics=["spend"], dimensions=["campaign_name"])) == {"Alpha": 300, "Beta": 50, None: 10}


def test_d1_roas_by_campaign_and_month_never_repeats_revenue(shop: HandStar) -> None:
    by_hand = shop.sql("""
        WITH a AS (SELECT campaign_name n, date_trunc('month', report_date)::date m, sum(spend) v
                   FROM fct_shop__ad_performance LEFT JOIN dim_shop__campaigns USING (campaign_key) GROUP BY ALL),
        s AS (SELECT campaign_name n, date_trunc('month', session_date)::date m,
                     coalesce(sum(session_revenue) FILTER (attribution <> 'none'), 0) v
              FROM fct_shop__sessions GROUP BY ALL)
        SELECT coalesce(a.n, s.n), coalesce(a.m, s.m)::varchar, coalesce(s.v, 0) / nullif(coalesce(a.v, 0), 0)
        FROM a FULL JOIN s ON a.n IS NOT DISTINCT FROM s.n AND a.m = s.m""")
    rows = shop.table(metrics=["roas"], dimensions=["campaign_name", "date"], time_grain="month")
    assert pairs(rows) == {(name, month): value for name, month, value in by_hand}


def test_d2_a_time_range_limits_every_fact_by_its_own_days(shop: HandStar) -> None:
    [row] = shop.table(metrics=["spend", "session_revenue", "order_revenue"], time_range=JANUARY)
    assert row == {"spend": 150, "session_revenue": 150, "order_revenue": 150}


def test_d3_months_and_campaigns_that_only_one_fact_has_are_kept(shop: HandStar) -> None:
    rows = shop.table(metrics=["spend", "sessions"], dimensions=["campaign_name", "date"], time_grain="month")
    assert {"campaign_name": None, "date": "2026-04-01", "spend": 0, "sessions": 1} in rows
    assert {"campaign_name": "Beta", "date": "2026-01-01", "spend": 50, "sessions": 0} in rows


def test_d6_a_fact_is_never_spread_over_a_dimension_that_it_lacks(shop: HandStar) -> None:
    for metrics in (["spend"], ["session_revenue", "spend"], ["roas"]):
        with pytest.raises(NoJoinPath):
            shop.ask(metrics=metrics, dimensions=["geo_country"])


def test_d7_a_filter_on_one_fact_is_a_filter_on_all_or_refused(shop: HandStar) -> None:
    filters = [{"name": "campaign_name", "op": "=", "value": "Beta"}]
    assert list(shop.table(metrics=["spend", "session_revenue"], filters=filters)[0].values()) == [50, 0]
    with pytest.raises(NoJoinPath):
        shop.ask(metrics=["sessions", "spend"], filters=[{"name": "traffic_source", "value": "google"}])


def test_r1_a_total_of_ratios_is_a_ratio_of_totals(shop: HandStar) -> None:
    rows = shop.table(metrics=["roas", "ctr", "cac"], dimensions=["date"], time_grain="month", totals=True)
    assert rows[-1]["roas"] == pytest.approx((490 + 25) / 360)
    assert rows[-1]["ctr"] == pytest.approx(56 / 3700)
    assert rows[-1]["cac"] == 90


def test_r2_a_metric_brings_no_columns_along_that_nobody_asked_for(shop: HandStar) -> None:
    answer = shop.ask(metrics=["cpm", "roas"], dimensions=["date"])
    assert [column["name"] for column in answer.columns] == ["date", "cpm", "roas"]


def test_r3_division_by_zero_is_empty_and_never_infinite(shop: HandStar) -> None:
    filters = [{"name": "campaign_name", "value": "Alpha"}, {"name": "ad_platform", "value": "google_ads"}]
    assert shop.table(metrics=["spend", "attributed_revenue", "roas", "cpc"], filters=filters) == [
        {"spend": 0, "attributed_revenue": 40, "roas": None, "cpc": None}
    ]


def test_r4_a_metric_may_be_named_like_its_column(shop: HandStar) -> None:
    assert shop.one("spend") == 360
    assert shop.one("cpc") == pytest.approx(360 / 56)


def test_r5_an_average_of_decimals_keeps_its_digits(odd: HandStar) -> None:
    assert odd.one("average_order_value") == pytest.approx(0.32 / 3, rel=1e-12)


def test_r6_sums_beyond_64_bits_are_exact(tmp_path: Any) -> None:
    star = HandStar(tmp_path)
    star.add("ad_performance", *({"report_date": date(2026, 1, n), "impressions": 2**62} for n in range(1, 9)))
    assert star.one("impressions") == 2**65
    long = [{"name": "impressions", "op": ">", "value": "0.1" + "0" * 30}]
    assert len(star.table(metrics=["impressions"], dimensions=["date"], filters=long)) == 8
    assert star.table(metrics=["impressions"], dimensions=["date"], totals=True)[-1]["impressions"] == 2**65
    star.close()


def test_n1_empty_values_meet_no_comparison_but_is_null(shop: HandStar) -> None:
    def sessions(op: str, value: Any = None) -> Any:
        return shop.one("sessions", filters=[{"name": "geo_country", "op": op, **({"value": value} if value else {})}])

    assert [sessions("=", "DE"), sessions("!=", "DE"), sessions("not_in", ["DE", "FR"])] == [3, 1, 0]
    assert [sessions("is_null"), sessions("is_not_null")] == [2, 4]


def test_n2_keys_without_a_dimension_row_are_one_group(odd: HandStar) -> None:
    rows = odd.table(metrics=["spend"], dimensions=["campaign_id"])
    assert [row["spend"] for row in rows if row["campaign_id"] is None] == [26]
    assert pairs(odd.table(metrics=["spend"], dimensions=["campaign_name"]))[None] == 16


def test_h1_filters_on_dimensions_and_metrics_hold_together(shop: HandStar) -> None:
    filters = [{"name": "ad_platform", "value": "facebook_ads"}, {"name": "spend", "op": "between", "value": [5, 150]}]
    rows = shop.table(metrics=["clicks"], dimensions=["date"], filters=filters)
    assert pairs(rows) == {"2026-01-10": 10, "2026-02-07": 1}


def test_s3_columns_that_are_not_in_the_catalog_cannot_be_reached(shop: HandStar) -> None:
    for name in ("customer_email", "order_id", "tenant_slug", "orders.total_price", "campaigns.campaign_name"):
        with pytest.raises((UnknownName, QueryError)):
            shop.ask(metrics=["orders"], dimensions=[name])
        with pytest.raises((UnknownName, QueryError)):
            shop.ask(metrics=["orders"], filters=[{"name": name, "value": "x"}])


@pytest.mark.parametrize(
    ("name", "spend"), [("2025-01-01", 1), ("42", 2), ("O'Neil; DROP TABLE x", 3), ("Größe \U0001f4c8", 4)]
)
def test_s4_s5_s6_text_is_text_whatever_it_looks_like(odd: HandStar, name: str, spend: int) -> None:
    assert odd.one("spend", filters=[{"name": "campaign_name", "value": name}]) == spend
    assert (
        odd.one("spend", filters=[{"name": "campaign_name", "op": "starts_with", "value": name[:3].upper()}]) == spend
    )


def test_t1_the_last_day_of_a_range_belongs_to_it(shop: HandStar) -> None:
    assert shop.one("spend", time_range={"start": "2026-02-07", "end": "2026-02-07"}) == 7


def test_w1_shares_of_a_filtered_whole_add_up_to_one(shop: HandStar) -> None:
    filters = [{"name": "ad_platform", "value": "facebook_ads"}]
    rows = shop.table(metrics=["spend"], dimensions=["campaign_name"], share_of_total=["spend"], filters=filters)
    assert sum(row["spend_share"] for row in rows) == pytest.approx(1)


def test_w2_ties_are_always_in_the_same_order(shop: HandStar) -> None:
    question = {
        "metrics": ["sessions"],
        "dimensions": ["date", "traffic_source"],
        "order_by": ["-sessions"],
        "limit": 3,
    }
    assert len({str(shop.ask(**question).rows) for _ in range(5)}) == 1


def test_two_campaigns_of_one_name_are_one_name_and_two_ids_of_two_platforms_stay_apart(shop: HandStar) -> None:
    rows = shop.table(metrics=["attributed_revenue", "roas"], dimensions=["campaign_name", "ad_platform"])
    assert {(row["campaign_name"], row["ad_platform"]): row["attributed_revenue"] for row in rows}[
        "Alpha", "google_ads"
    ] == 40
    assert pairs(shop.table(metrics=["attributed_revenue"], dimensions=["campaign_id", "ad_platform"])) == {
        ("1", "facebook_ads"): 450,
        ("1", "google_ads"): 40,
        (None, None): 0,
        (None, "google_ads"): 25,
    }
    answer = shop.ask(metrics=["spend"], dimensions=["campaign_id"])
    assert "Several rows share one campaign_id: they are added up." in answer.notes


def test_pinned_bsl_forgets_the_joins_of_a_model_that_comes_later_in_the_config() -> None:
    def columns(names: list[str]) -> tuple[str, ...]:
        def one(to: str, key: str) -> dict[str, Any]:
            return {to: {"model": to, "type": "one", "left_on": key, "right_on": key}}

        config = {
            "a": {"table": "a", "dimensions": {}, "measures": {"n": "_.count()"}, "joins": one("b", "b_id")},
            "b": {"table": "b", "dimensions": {}, "joins": one("c", "c_id")},
            "c": {"table": "c", "dimensions": {"name": "_.name"}},
        }
        keys = {
            "a": {"b_id": "string"},
            "b": {"b_id": "string", "c_id": "string"},
            "c": {"c_id": "string", "name": "string"},
        }
        tables = {name: ibis.table(schema, name=name) for name, schema in keys.items()}
        return tuple(from_config({name: config[name] for name in names}, tables=tables)["a"].dimensions)

    assert columns(["c", "b", "a"]) == ("c.name",)
    assert columns(["a", "b", "c"]) == ()  # so `semantic.sql.fact_aggregate` puts the farthest first
