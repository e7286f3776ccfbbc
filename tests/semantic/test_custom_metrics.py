"""Custom metrics and texts of tenants.yaml: each number is added up from the rows in plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, UnknownName
from semantic.answering.listing import list_metrics
from semantic.answering.validate import validate_run
from semantic.catalog.run_definitions import SelectionCondition
from semantic.definitions.derive import check_overlay, derive
from semantic.definitions.introspect import introspect
from tests.semantic.hand_star import SLUG, HandStar, hand_shop

VALID = {"name": "is_valid", "op": "=", "value": True}
METRICS: dict[str, dict[str, Any]] = {
    "order_total": {"fact": "orders", "column": "total_price", "aggregate": "sum"},
    "order_rows": {
        "fact": "orders",
        "aggregate": "count",
        "filters": [{"name": "date", "op": ">=", "value": "2026-02-01"}],
    },
    "mean_order": {"fact": "orders", "column": "total_price", "aggregate": "average", "filters": [VALID]},
    "least_order": {"fact": "orders", "column": "total_price", "aggregate": "min", "filters": [VALID]},
    "most_order": {"fact": "orders", "column": "total_price", "aggregate": "max"},
    "middle_order": {"fact": "orders", "column": "total_price", "aggregate": "median"},
    "p75_order": {"fact": "orders", "column": "total_price", "aggregate": "p75"},
    "countries": {"fact": "sessions", "column": "geo_country", "aggregate": "count_distinct"},
    "big_lines": {
        "fact": "order_items",
        "column": "quantity",
        "aggregate": "sum",
        "filters": [{"name": "item_amount", "op": ">", "value": 150}, VALID],
    },
    "facebook_lines": {
        "fact": "order_items",
        "aggregate": "count",
        "filters": [{"name": "campaign_name", "op": "=", "value": "Alpha"}],
    },
    "alpha_spend": {"metric": "spend", "filters": [{"name": "campaign_name", "op": "starts_with", "value": "ALP"}]},
    "unnamed_spend": {"metric": "spend", "filters": [{"name": "campaign_name", "op": "is_null"}]},
    "alpha_ctr": {"metric": "ctr", "filters": [{"name": "campaign_name", "op": "=", "value": "Alpha"}]},
    "google_roas": {"metric": "roas", "filters": [{"name": "ad_platform", "op": "=", "value": "google_ads"}]},
    "alpha_in_january": {"metric": "alpha_spend", "filters": [{"name": "date", "op": "<", "value": "2026-02-01"}]},
    "alpha_part": {"expression": "alpha_spend / spend"},
    "german_customers": {
        "metric": "session_users",
        "filters": [{"name": "geo_country", "op": "in", "value": ["DE", "AT"]}],
    },
}


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    made = hand_shop(tmp_path_factory.mktemp("own"), semantic={"metrics": METRICS})
    yield made
    made.close()


def test_each_is_what_plain_python_makes_of_the_rows(star: HandStar) -> None:
    orders, lines = star.rows["orders"], star.rows["order_items"]
    valid = sorted(row["total_price"] for row in orders if row["is_valid"])
    everything = sorted(row["total_price"] for row in orders)
    [answered] = star.table(metrics=list(METRICS))
    assert answered == {
        "order_total": sum(everything),
        "order_rows": sum(row["order_date"] >= date(2026, 2, 1) for row in orders),
        "mean_order": pytest.approx(sum(valid) / len(valid)),
        "least_order": valid[0],
        "most_order": everything[-1],
        "middle_order": everything[len(everything) // 2],
        "p75_order": everything[3],  # of five values the fourth: a quarter of the four steps between them is above
        "countries": len({row["geo_country"] for row in star.rows["sessions"]} - {None}),
        "big_lines": sum(row["quantity"] for row in lines if row["item_amount"] > 150 and row["is_valid"]),
        "facebook_lines": 3,  # the orders o1 and o2, which campaign k1 brought
        "alpha_spend": 300,  # k1 and k3 are called Alpha
        "unnamed_spend": 10,  # a row without a campaign, and a campaign without a name
        "alpha_ctr": pytest.approx(50 / 3100),
        "google_roas": pytest.approx((40 + 25) / 50),  # a visit whose name two campaigns have is of google_ads
        "alpha_in_january": 100,
        "alpha_part": pytest.approx(300 / 360),
        "german_customers": 2,
    }


def test_a_filtered_metric_is_cut_like_any_other_and_its_parts_sum_to_it(star: HandStar) -> None:
    rows = star.table(metrics=["alpha_spend", "spend"], dimensions=["ad_platform"], totals=True)
    cut = {row["ad_platform"]: row["alpha_spend"] for row in rows}
    assert cut == {"facebook_ads": 300, "google_ads": 0, None: 300}
    by_name = star.table(metrics=["alpha_spend"], dimensions=["campaign_name"])
    assert {row["campaign_name"]: row["alpha_spend"] for row in by_name} == {"Alpha": 300, "Beta": 0, None: 0}


def test_a_filtered_sum_over_rows_that_say_nothing_is_0_and_says_so(folder: Path) -> None:
    metrics = {
        "beta": {"metric": "ad_conversions", "filters": [{"name": "campaign_name", "op": "=", "value": "Beta"}]},
        "gamma": {"metric": "ad_conversions", "filters": [{"name": "campaign_name", "op": "=", "value": "Gamma"}]},
    }
    star = hand_shop(folder, semantic={"metrics": metrics})
    assert star.table(metrics=["beta", "gamma"]) == [{"beta": 0, "gamma": 0}]
    notes = star.ask(metrics=["beta"]).notes
    assert notes == ("beta is of 0 of 1 rows of ad_performance: 1 row of google_ads does not say it.",)
    star.close()


def test_an_average_of_decimals_is_not_cut_to_their_scale_and_adds_up_over_days(folder: Path) -> None:
    metrics = {"mean_price": {"fact": "orders", "column": "total_price", "aggregate": "average"}}
    star = HandStar(folder, semantic={"metrics": metrics})
    star.add(
        "orders",
        *({"order_date": date(2026, 1, day), "total_price": price} for day, price in ((1, "0.000001"), (1, 0), (2, 0))),
    )
    assert star.one("mean_price") == pytest.approx(1e-6 / 3, rel=1e-12)
    question = {"metrics": ["mean_price"], "dimensions": ["date"], "cumulative": {"metric": "mean_price"}}
    assert [row["mean_price_cumulative"] for row in star.table(**question)] == pytest.approx([1e-6 / 2, 1e-6 / 3])
    star.close()


def test_the_rule_of_a_filtered_metric_is_part_of_its_description(star: HandStar) -> None:
    said = {metric["name"]: metric["description"] for metric in list_metrics(star.model)["metrics"]}
    assert said["alpha_spend"] == "What ads cost. Only rows where campaign_name starts with ALP."
    assert said["alpha_in_january"].endswith(
        "Only rows where campaign_name starts with ALP. Only rows where date < 2026-02-01."
    )
    assert said["mean_order"].endswith("Only rows where is_valid is True.")


def test_values_of_a_filter_are_text_whatever_they_look_like(folder: Path) -> None:
    names = ["$start", "_.spend", "'; DROP TABLE x; --", "a$b$$c", "{0}", 'quote " and $']
    metrics = {
        f"n{n}": {"metric": "spend", "filters": [{"name": "campaign_name", "op": "=", "value": name}]}
        for n, name in enumerate(names)
    }
    star = HandStar(folder, semantic={"metrics": metrics})
    for n, name in enumerate(names):
        star.add("campaigns", {"campaign_key": f"k{n}", "campaign_id": str(n), "campaign_name": name})
        star.add("ad_performance", {"report_date": date(2026, 1, 1), "campaign_key": f"k{n}", "spend": 2**n})
    question = {"metrics": list(metrics), "time_range": {"start": "2026-01-01", "end": "2026-01-31"}}
    assert star.table(**question) == [{f"n{n}": 2**n for n in range(len(names))}]
    [sql] = star.ask(**question, include_sql=True).sql
    assert star.sql(sql) == [tuple(2**n for n in range(len(names)))]
    star.close()


def test_a_value_that_no_row_has_is_said_with_the_nearest(folder: Path) -> None:
    metrics = {"f": {"metric": "spend", "filters": [{"name": "ad_platform", "op": "=", "value": "facebook"}]}}
    star = hand_shop(folder, semantic={"metrics": metrics})
    assert star.ask(metrics=["f"]).notes == (
        "f counts rows whose ad_platform is facebook, and none is. Did you mean facebook_ads?",
    )
    star.close()


def test_a_renamed_metric_and_dimension_are_asked_for_by_the_new_name_everywhere(folder: Path) -> None:
    words = {
        "metrics": {
            "spend": {"rename": "media_cost", "label": "Media cost"},
            "profit": {"expression": "order_revenue - media_cost"},
            "loss": {"expression": "spend - order_revenue"},
            "alpha": {"metric": "media_cost", "filters": [{"name": "campaign", "op": "=", "value": "Alpha"}]},
        },
        "dimensions": {"campaign_name": {"rename": "campaign"}},
    }
    star = hand_shop(folder, semantic=words)
    rows = star.table(metrics=["media_cost", "cpc", "profit", "loss", "alpha"], dimensions=["campaign"])
    assert rows[0] == {"campaign": "Alpha", "media_cost": 300, "cpc": 6, "profit": 190, "loss": -190, "alpha": 300}
    with pytest.raises(UnknownName, match="Did you mean media_cost"):
        star.ask(metrics=["spend"])
    assert validate_run(star.folder / star.model.run_id).catalog.metrics["media_cost"].label == "Media cost"
    star.close()


def test_synonyms_find_a_metric_and_lead_to_it(folder: Path) -> None:
    star = hand_shop(folder, semantic={"metrics": {"order_revenue": {"synonyms": ["Umsatz"]}}})
    assert [metric["name"] for metric in list_metrics(star.model, search="umsatz")["metrics"]] == ["order_revenue"]
    with pytest.raises(UnknownName, match="order_revenue"):
        star.ask(metrics=["umsatz"])
    star.close()


def filtered(of: str, **filter_: Any) -> dict[str, Any]:
    return {"metric": of, "filters": [{"op": "=", "value": "x", **filter_}]}


def column(name: str, aggregate: str = "sum", **more: Any) -> dict[str, Any]:
    return {"fact": "orders", "column": name, "aggregate": aggregate, **more}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"fact": "order", "aggregate": "count"}, "x is about 'order', which is no fact here. Did you mean orders"),
    (column("total_amount"), "x is made of 'total_amount', which is no column of orders. Did you mean"),
    (column("customer_email", "count_distinct"), "x is made of customer_email, which is personal data."),
    (column("financial_status"), "sum of financial_status of orders is no number. Write aggregate: count_distinct"),
    (column("ordered_at", "max"), "max of ordered_at of orders is no number."),
    (column("total_price", unit="EUR"), "x has a unit and is money."),
    (filtered("spent", name="ad_name"), "x is made of 'spent', which is no metric here. Did you mean spend"),
    (filtered("spend", name="geo_country"), "x is filtered by 'geo_country', which ad_performance does not have."),
    (filtered("spend", name="campain_name"), "Did you mean campaign_name"),
    (filtered("orders", name="customer_email"), "x is filtered by customer_email, which is personal data."),
    (filtered("session_users", name="user_id"), "x is filtered by user_id, which is personal data."),
    (filtered("orders", name="ordered_at"), "x is filtered by 'ordered_at', which orders does not have."),
    (filtered("spend", name="date", value="soon"), "The value of the filter on date"),
    (filtered("orders", name="is_valid", value=3), "is_valid is true or false"),
    (filtered("spend", name="campaign_name", op="between", value=["a"]), "between on campaign_name has 1 values"),
    (filtered("blended_roas", name="account"), "x is filtered by account, which is the shop account and ad account."),
    (filtered("x", name="ad_name"), "x is made of itself: x -> x."),
]


@pytest.mark.parametrize(("metric", "message"), REFUSED)
def test_what_does_not_fit_the_star_is_refused_with_its_place(
    folder: Path, metric: dict[str, Any], message: str
) -> None:
    star = HandStar(
        folder,
        semantic={"metrics": {"x": metric}, "expose": ["customer_email"]},
        semantic_locations={"metrics.x": "tenants.yaml:12"},
    )
    with pytest.raises(ConfigError) as refused:
        check_overlay(star.tenant, tuple(star.tables.values()))
    assert message in str(refused.value)
    assert str(refused.value).startswith("tenants.yaml:12: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"metrics": {"spend": {"rename": "clicks"}}}, "spend is renamed to clicks, which is taken."),
        ({"metrics": {"spend": {"rename": "campaign_name"}}}, "spend is renamed to campaign_name, which is taken."),
        ({"metrics": {"spend": {"rename": "cost"}, "clicks": {"rename": "cost"}}}, "renamed to cost, which is taken."),
        ({"metrics": {"spend": {"rename": "my_share"}}}, "which answers use for columns of their own."),
        ({"dimensions": {"date": {"rename": "day"}}}, "date keeps its name."),
        ({"dimensions": {"customer_email": {"rename": "mail"}}, "expose": ["customer_email"]}, "keeps its name."),
    ],
)
def test_a_name_that_cannot_be_given_is_refused(folder: Path, words: dict[str, Any], message: str) -> None:
    star = HandStar(folder, semantic=words)
    with pytest.raises(ConfigError) as refused:
        check_overlay(star.tenant, tuple(star.tables.values()))
    assert message in str(refused.value)


def test_words_checked_before_a_build_are_those_of_the_built_star(star: HandStar) -> None:
    tables = tuple(star.tables.values())
    check_overlay(star.tenant, tables)
    built = derive(star.tenant, tables, introspect(star.folder / star.model.run_id / "stars.duckdb", tables, SLUG))
    assert built.models["ad_performance"].selections["selected_by_alpha_spend"] == (
        SelectionCondition(
            through=("campaigns",), column="campaign_name", type="text", op="starts_with", values=("ALP",)
        ),
    )
