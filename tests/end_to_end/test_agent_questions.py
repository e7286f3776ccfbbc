"""Questions of people who run shops and ads, asked as an agent does first, and compared with SQL over the star.

`agent_questions.json` holds each question in its own words, the queries that an agent sends who knows the tools only,
and the SQL of the truth. Where a question needs one step of arithmetic, such as a projection, the step is here.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipeline.errors import QueryError
from tests.end_to_end.project_fixture import Project, open_project

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 29)
SLUG = "tyrell_corp"
QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    question["id"]: question
    for question in json.loads(Path(__file__).with_name("agent_questions.json").read_text(encoding="utf-8"))[
        "questions"
    ]
}
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The first of the bundled tenants, with its synthetic data up to the day before."""
    bundled = yaml.safe_load((ROOT / "tenants.yaml").read_text(encoding="utf-8"))
    [tenant] = [each for each in bundled["tenants"] if each["slug"] == SLUG]
    text = yaml.safe_dump({"tenants": [tenant]}, sort_keys=False)
    project = open_project(tmp_path_factory.mktemp("asked"), text, today=TODAY)
    project.build()
    return project


class Asked:
    """One question: the answers to its queries, and the rows of its SQL."""

    def __init__(self, project: Project, id_: str) -> None:
        self.question = QUESTIONS[id_]
        self.answers = [project.ask(SLUG, **query) for query in self.question["queries"]]
        self._project = project

    def rows(self, number: int = 0) -> Rows:
        names = [column["name"] for column in self.answers[number]["columns"]]
        return [dict(zip(names, row, strict=True)) for row in self.answers[number]["rows"]]

    def notes(self, number: int = 0) -> str:
        return " ".join(self.answers[number]["notes"])

    def truth(self, sql: str | None = None) -> Rows:
        [stars] = self._project.settings.published(SLUG).glob("2*/stars.duckdb")
        with duckdb.connect(stars, read_only=True) as connection:
            connection.execute(f"SET VARIABLE today = DATE '{TODAY}'")
            found = connection.execute(sql or self.question["sql"])
            names = [each[0] for each in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def same(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Compare rows, by the names of our columns and of those of the SQL; in any order."""
    assert sorted([_plain(row[name]) for name in names] for row in ours) == [
        _near(row) for row in sorted([_plain(row[name]) for name in names.values()] for row in theirs)
    ]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return str(value)
    return str(value) if isinstance(value, date) else float(value)


def _near(row: list[Any]) -> list[Any]:
    return [value if isinstance(value, str) else pytest.approx(value, rel=1e-6) for value in row]


def last_day(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def spend_and_roas_of_last_month(asked: Asked) -> None:
    same(asked.rows(), asked.truth(), {"spend": "spend", "roas": "roas"})
    assert asked.answers[0]["time_range"] == {"start": "2026-10-01", "end": "2026-10-31"}


def pace_of_the_month(asked: Asked) -> None:
    [truth], [row], [partial] = asked.truth(), asked.rows(), asked.answers[0]["partial"]
    assert (partial["start"], partial["covered_days"], partial["days"]) == ("2026-11-01", truth["n_days"], 30)
    assert float(row["spend"]) == pytest.approx(float(truth["mtd"]))
    projected = float(row["spend"]) / partial["covered_days"] * partial["days"]
    assert projected == pytest.approx(float(truth["projected"]))


def funnel_by_device(asked: Asked) -> None:
    same(
        asked.rows(),
        asked.truth(),
        {"device_category": "device_category"} | {f"funnel_step_{n}": f"s{n}" for n in range(1, 6)},
    )


def ten_products(asked: Asked) -> None:
    same(asked.rows(), asked.truth(), {"product_name": "product_name", "item_revenue": "rev", "units_sold": "units"})


def cost_per_new_customer(asked: Asked) -> None:
    paid = [row for row in asked.rows() if row["ad_platform"] is not None]
    truth = [row for row in asked.truth() if row["k"] != "total"]
    names = {"ad_platform": "k", "spend": "spend", "new_customers": "new_customers"}
    same(paid, truth, names | {"cost_per_new_customer": "cost_per_new_customer"})
    [unpaid] = [row for row in asked.rows() if row["ad_platform"] is None]
    assert unpaid["cost_per_new_customer"] is None


def paid_and_organic(asked: Asked) -> None:
    revenue = {"paid": 0.0, "organic": 0.0, "other": 0.0}
    for row in asked.rows():
        kind = (
            "paid"
            if (row["channel"] or "").startswith("Paid")
            else "organic"
            if row["channel"] == "Organic Search"
            else "other"
        )
        revenue[kind] += float(row["order_revenue"])
    truth = {"paid": 0.0, "organic": 0.0, "other": 0.0}
    for row in asked.truth():
        truth[row["k"].partition(":")[0]] += float(row["rev"])
    assert revenue == pytest.approx(truth)


def best_weekday(asked: Asked) -> None:
    same(asked.rows(), asked.truth(), {"day_of_week": "d", "orders": "orders"})
    days = [TODAY - timedelta(days=n) for n in range(1, 91)]
    best = max(asked.rows(), key=lambda row: row["orders"] / sum(f"{day:%A}" == row["day_of_week"] for day in days))
    assert best["day_of_week"] == max(asked.truth(), key=lambda row: row["per_day"])["d"]


def campaigns_month_by_month(asked: Asked) -> None:
    by_month: dict[str, Rows] = {"2026-10-01": [], "2026-11-01": []}
    for row in asked.rows():
        if row["campaign_name"] is not None:
            by_month[row["date"]].append(row)
    for month, spend, roas in (("2026-10-01", "spend_prev", "roas_prev"), ("2026-11-01", "spend_now", "roas_now")):
        truth = [row for row in asked.truth() if row[spend] is not None]
        same(by_month[month], truth, {"campaign_name": "k", "spend": spend, "roas": roas})
    assert [each["start"] for each in asked.answers[0]["partial"]] == ["2026-11-01"]


def visits_without_a_campaign(asked: Asked) -> None:
    names = ("attribution", "traffic_source", "traffic_medium")
    same(
        asked.rows(),
        asked.truth(),
        dict(zip(names, names, strict=True)) | {"session_revenue": "rev", "sessions": "sessions"},
    )


def spend_without_conversions(asked: Asked) -> None:
    named = {row["campaign_id"] for number in (0, 1) for row in asked.rows(number)}
    sql = str(asked.question["sql"]).replace("select campaign_name,", "select campaign_id,")
    assert named == {row["campaign_id"] for row in asked.truth(sql)}


def ctr_by_week(asked: Asked) -> None:
    same(asked.rows(), asked.truth(), {"date": "w", "ctr": "ctr", "impressions": "impr"})


def run_rate(asked: Asked) -> None:
    [truth], [row] = asked.truth(), asked.rows()
    assert float(row["order_revenue"]) / 30 * 31 == pytest.approx(float(truth["projected_next_month"]))


def platforms_beside_each_other(asked: Asked) -> None:
    names = {
        "ad_platform": "k",
        "cpc": "cpc",
        "ctr": "ctr",
        "cost_per_conversion": "cpa",
        "roas": "roas",
        "spend": "spend",
    }
    same([row for row in asked.rows() if row["ad_platform"]], asked.truth(), names)


def spend_by_currency(asked: Asked) -> None:
    same(asked.rows(), asked.truth(), {"currency": "currency", "spend": "sum(spend)"})


def last_week_against_the_week_before(asked: Asked) -> None:
    same(
        asked.rows(),
        asked.truth(),
        {"order_revenue": "now_", "order_revenue_previous": "prev", "order_revenue_change_ratio": "change"},
    )


def campaigns_that_return_less(asked: Asked) -> None:
    same(
        asked.rows(),
        asked.truth(),
        {"campaign_name": "k", "spend": "spend", "attributed_revenue": "rev", "roas": "roas"},
    )
    assert "has data from 2026-08-31 on." in asked.notes()


def conversion_by_source(asked: Asked) -> None:
    names = {"traffic_source": "traffic_source", "sessions": "sessions", "converting_sessions": "conv"}
    same(asked.rows(), asked.truth(), names | {"conversion_rate": "rate"})


def rolling_averages(asked: Asked) -> None:
    ours = [
        {
            "d": revenue["date"],
            "rev": revenue["order_revenue"],
            "spend": revenue["spend"],
            "rev7": float(revenue["order_revenue_cumulative"]) / 7,
            "spend7": float(spend["spend_cumulative"]) / 7,
        }
        for revenue, spend in zip(asked.rows(0), asked.rows(1), strict=True)
    ]
    truth = [{**row, "d": str(row["d"])[:10]} for row in asked.truth()]
    same(ours, truth, dict(zip(ours[0], ours[0], strict=True)))


def weekly_correlation(asked: Asked) -> None:
    [truth], rows = asked.truth(), asked.rows()
    assert len(rows) == truth["n_weeks"]
    correlation = statistics.correlation([float(row["spend"]) for row in rows], [float(row["orders"]) for row in rows])
    assert correlation == pytest.approx(truth["r"])


def discounts_of_last_month(asked: Asked) -> None:
    [row] = asked.rows()
    [truth] = asked.truth()
    assert float(row["discounts"]) == pytest.approx(float(truth["discounts_valid"]))
    of_valid = """select count(*) filter (where discount_amount > 0) n from fct_tyrell_corp__orders
        where is_valid and order_date between date '2026-10-01' and date '2026-10-31'"""
    assert row["discounted_orders"] == asked.truth(of_valid)[0]["n"]


def value_that_platforms_report(asked: Asked) -> None:
    of_platforms = """select source_platform k, sum(conversion_value) v from fct_tyrell_corp__ad_performance
        where report_date between date '2026-10-01' and date '2026-10-31' group by 1"""
    same(asked.rows(), asked.truth(of_platforms), {"ad_platform": "k", "platform_conversion_value": "v"})
    of_shop = """select sum(total_price) v from fct_tyrell_corp__orders
        where is_valid and order_date between date '2026-10-01' and date '2026-10-31'"""
    same(asked.rows(1), asked.truth(of_shop), {"order_revenue": "v"})


def shares_and_running_spend(asked: Asked) -> None:
    same(asked.rows(), asked.truth(), {"campaign_name": "campaign_name", "spend": "s", "spend_share": "share"})
    running = [row["spend_cumulative"] for row in asked.rows(1)]
    assert len(running) == 28
    assert float(running[-1]) == pytest.approx(sum(float(row["s"]) for row in asked.truth()))


def money_from_gross_to_net(asked: Asked) -> None:
    [row], [truth] = asked.rows(), asked.truth()
    money = {name: float(amount) for name, amount in row.items()}
    parts = money["gross_sales"] - money["discounts"] + money["shipping"] + money["tax"] + money["other_charges"]
    assert parts == pytest.approx(money["order_revenue"]) == pytest.approx(float(truth["total_valid"]))
    assert money["refunded_amount"] == pytest.approx(float(truth["refunds_valid"]))
    assert money["order_revenue"] - money["refunded_amount"] == pytest.approx(money["net_order_revenue"])
    assert money["discounts"] == pytest.approx(float(truth["discounts"]))
    by_day = """select sum(amount) v from fct_tyrell_corp__refunds r join fct_tyrell_corp__orders o using (order_key)
        where o.is_valid and refund_date between date '2026-10-01' and date '2026-10-31'"""
    same(asked.rows(1), asked.truth(by_day), {"refunds_by_refund_day": "v"})


CHECKS: Mapping[str, Callable[[Asked], None]] = {
    "q01": spend_and_roas_of_last_month,
    "q03": pace_of_the_month,
    "q05": funnel_by_device,
    "q08": ten_products,
    "q09": cost_per_new_customer,
    "q10": paid_and_organic,
    "q12": best_weekday,
    "q13": campaigns_month_by_month,
    "q15": visits_without_a_campaign,
    "q16": spend_without_conversions,
    "q17": ctr_by_week,
    "q18": run_rate,
    "q19": platforms_beside_each_other,
    "q21": spend_by_currency,
    "q26": last_week_against_the_week_before,
    "q28": campaigns_that_return_less,
    "q29": conversion_by_source,
    "q31": rolling_averages,
    "q32": weekly_correlation,
    "q34": discounts_of_last_month,
    "q36": value_that_platforms_report,
    "q38": shares_and_running_spend,
    "q40": money_from_gross_to_net,
}
REFUSED = {"q22": "There is no metric named 'net_profit_margin'", "q23": "withheld"}


@pytest.mark.parametrize("id_", CHECKS)
def test_the_first_query_of_an_agent_gives_what_sql_gives(shop: Project, id_: str) -> None:
    CHECKS[id_](Asked(shop, id_))


@pytest.mark.parametrize("id_", REFUSED)
def test_a_question_that_the_data_cannot_answer_is_refused_with_the_reason(shop: Project, id_: str) -> None:
    with pytest.raises(QueryError, match=REFUSED[id_]):
        Asked(shop, id_)


def test_every_question_is_checked() -> None:
    assert CHECKS.keys() | REFUSED.keys() == QUESTIONS.keys()
