"""Tables that nobody declared: found in a star, and asked like those of our own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, GataError
from semantic.answering.validate import validate_run
from semantic.definitions import standard_metrics
from semantic.definitions.found.proposals import METHODS, propose
from tests.semantic.examples import examples
from tests.semantic.hand_star import HandStar, definitions_of, hand_shop
from warehouse.star_schema import Column, Reference, Table
from warehouse.table_descriptions import ColumnDescription, TableDescription

NAME = "fct_shop__subscriptions"
SUBSCRIPTIONS = """
    SELECT * FROM (VALUES
        ('s1', DATE '2026-01-10', 'k1', 'basic', true, 10.50::DECIMAL(18,2), 'EUR', 3, 20.0, 'a@x.test', 'c1'),
        ('s2', DATE '2026-01-20', 'k2', 'basic', false, 20.00::DECIMAL(18,2), 'EUR', 5, NULL, 'b@x.test', 'c1'),
        ('s3', DATE '2026-02-03', 'k1', 'plus', true, 40.25::DECIMAL(18,2), 'USD', 7, 40.0, 'c@x.test', 'c2')
    ) AS t(subscription_id, started_date, campaign_key, plan, is_trial, mrr, currency, seats, satisfaction_score,
           contact_email, customer_id)
"""


@pytest.fixture
def shop(tmp_path: Path) -> HandStar:
    return hand_shop(tmp_path).make(NAME, SUBSCRIPTIONS)


def described(*, meta: Mapping[str, Any] | None = None, **columns: Mapping[str, Any]) -> TableDescription:
    """What dbt says of a table: the meta of its columns, under `gata`."""
    told = {name: ColumnDescription(meta={"gata": gata}) for name, gata in columns.items()}
    return TableDescription(meta={"gata": meta} if meta else {}, columns=told)


def test_a_found_fact_is_counted_added_up_and_cut_by_its_columns(shop: HandStar) -> None:
    assert shop.table(metrics=["subscriptions", "seats"], dimensions=["plan"], order_by=["plan"]) == [
        {"plan": "basic", "subscriptions": 2, "seats": 8},
        {"plan": "plus", "subscriptions": 1, "seats": 7},
    ]
    by_month = shop.table(metrics=["seats"], dimensions=["date"], time_grain="month", order_by=["date"])
    assert [row["seats"] for row in by_month] == [8, 7]
    assert shop.table(metrics=["seats"], dimensions=["is_trial"], order_by=["is_trial"]) == [
        {"is_trial": False, "seats": 5},
        {"is_trial": True, "seats": 10},
    ]


def test_money_of_a_found_fact_is_exact_and_not_added_up_across_currencies(shop: HandStar) -> None:
    euros = [{"name": "currency", "value": "EUR"}]
    assert shop.one("mrr", filters=euros) == Decimal("30.50")
    assert definitions_of(shop).metrics["mrr"].unit == "currency"
    with pytest.raises(GataError, match="never added up"):
        shop.ask(metrics=["mrr"], order_by=["mrr"], dimensions=["plan"])


def test_money_that_no_rate_converts_is_no_metric_where_all_money_is_converted(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("date,currency,rate\n2026-01-01,USD,1.1\n")
    star = hand_shop(tmp_path / "star", currency="EUR", rates=rates).make(NAME, SUBSCRIPTIONS)
    assert "mrr" not in definitions_of(star).metrics
    assert star.one("seats") == 15


def test_what_does_not_add_up_is_averaged_over_the_rows_that_say_it(shop: HandStar) -> None:
    assert shop.one("satisfaction_score") == 30.0


def test_a_found_fact_joins_our_dimensions_by_a_key_that_the_rows_prove(shop: HandStar) -> None:
    assert shop.table(metrics=["seats", "spend"], dimensions=["campaign_name"], order_by=["campaign_name"])[:2] == [
        {"campaign_name": "Alpha", "seats": 10, "spend": Decimal(300)},
        {"campaign_name": "Beta", "seats": 5, "spend": Decimal(50)},
    ]
    [joined] = [each for each in definitions_of(shop).relationships if each.from_model == "subscriptions"]
    assert (joined.column, joined.to, joined.cardinality) == ("campaign_key", "campaigns", "many_to_one")


@pytest.mark.parametrize(
    ("plans", "reason"),
    [
        ("VALUES ('basic', 1), ('basic', 2), ('plus', 3)", None),
        ("VALUES (1, 1), (2, 2)", "plan_id is VARCHAR, and plan_id of plans is INTEGER"),
        ("VALUES ('gold', 1), ('plus', 2)", "1 of the 3 rows with a plan_id find theirs in plans"),
    ],
)
def test_a_join_that_the_rows_do_not_prove_is_a_candidate_and_joins_nothing(
    tmp_path: Path, plans: str, reason: str | None
) -> None:
    star = hand_shop(tmp_path)
    star.make(NAME, SUBSCRIPTIONS.replace("currency, seats", "unit, seats").replace(", plan,", ", plan_id,"))
    star.make("dim_shop__plans", f"SELECT * FROM ({plans}) AS t(plan_id, tier)")
    found = definitions_of(star)
    assert not any(each.to == "plans" for each in found.relationships)
    assert [each.reason for each in found.candidates] == ([reason] if reason else [])


def test_a_dimension_of_the_tenants_own_is_joined_and_says_how_many_to_how_many(tmp_path: Path) -> None:
    star = hand_shop(tmp_path).make(NAME, SUBSCRIPTIONS.replace(", plan,", ", plan_id,"))
    star.make("dim_shop__plans", "SELECT * FROM (VALUES ('basic', 'Low'), ('plus', 'High')) AS t(plan_id, tier)")
    star.make(
        "mart_shop__health", "SELECT subscription_id, started_date, seats * 2 AS logins FROM fct_shop__subscriptions"
    )
    assert star.table(metrics=["seats"], dimensions=["tier"], order_by=["tier"]) == [
        {"tier": "High", "seats": 7},
        {"tier": "Low", "seats": 8},
    ]
    joins = {(each.from_model, each.to): each.cardinality for each in definitions_of(star).relationships}
    assert joins["subscriptions", "plans"] == "many_to_one"


def test_what_a_test_of_relationships_says_is_joined_by_columns_of_different_names(tmp_path: Path) -> None:
    told = TableDescription(references=(Reference("plan", "dim_shop__plans", "code_id"),))
    star = hand_shop(tmp_path).make(NAME, SUBSCRIPTIONS, told)
    star.make("dim_shop__plans", "SELECT * FROM (VALUES ('basic', 'Low'), ('plus', 'High')) AS t(code_id, tier)")
    assert star.table(metrics=["seats"], dimensions=["tier"], order_by=["tier"])[0] == {"tier": "High", "seats": 7}


def test_what_dbt_wrote_into_the_star_describes_its_tables(tmp_path: Path) -> None:
    """As its on-run-end hooks write it: warehouse/macros/dbt_metadata."""
    star = hand_shop(tmp_path).make(NAME, SUBSCRIPTIONS)
    star.make("dim_shop__plans", "SELECT * FROM (VALUES ('basic', 'Low'), ('plus', 'High')) AS t(code_id, tier)")
    columns = [{"name": "seats", "description": "Seats sold.", "meta": {"gata": {"metric": "licences"}}}]
    star.make(
        "model_artifacts__history",
        f"""SELECT 'model.stars.{NAME}' AS node_id, '{NAME}' AS name, 'model' AS resource_type, 'r1' AS run_id,
            TIMESTAMP '2026-01-01' AS recorded_at, 'Contracts.' AS description,
            '{json.dumps(columns)}'::JSON AS columns, '{{}}'::JSON AS meta""",
    )
    arguments = json.dumps({"to": "ref('dim_shop__plans')", "field": "code_id"}).replace("'", "''")
    star.make(
        "test_artifacts__history",
        f"""SELECT 'test.stars.r' AS node_id, 'relationships' AS test_name, 'model.stars.{NAME}' AS tested_node,
            'plan' AS column_name, 'r1' AS run_id, TIMESTAMP '2026-01-01' AS recorded_at,
            '{arguments}'::JSON AS arguments""",
    )
    assert star.table(metrics=["licences"], dimensions=["tier"], order_by=["tier"])[0] == {
        "tier": "High",
        "licences": 7,
    }
    assert definitions_of(star).metrics["licences"].description == "Seats sold."


def test_personal_columns_of_a_found_table_are_withheld(shop: HandStar) -> None:
    for column in ("contact_email", "customer_id"):
        with pytest.raises(GataError, match="withheld"):
            shop.ask(metrics=["seats"], dimensions=[column])


def test_meta_wins_over_what_is_inferred(tmp_path: Path) -> None:
    told = described(
        meta={"date": "started_date", "metric": "new_contracts", "synonyms": ["signups"]},
        seats={"metric": "licences", "aggregation": "maximum", "unit": "licences", "synonyms": ["places"]},
        contact_email={"personal": False, "dimension": "contact"},
        satisfaction_score={"role": "none"},
    )
    star = hand_shop(tmp_path).make(NAME, SUBSCRIPTIONS, told)
    assert star.one("licences") == 7
    assert star.one("new_contracts") == 3
    assert star.table(metrics=["licences"], dimensions=["contact"], order_by=["contact"])[0]["contact"] == "a@x.test"
    found = definitions_of(star).metrics
    assert found["licences"].unit == "licences"
    assert found["licences"].synonyms == ("places",)
    assert found["new_contracts"].synonyms == ("signups",)
    assert not any("satisfaction" in name for name in found)


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (described(seats={"units": "x"}), "meta.gata.units of seats"),
        (described(seats={"aggregation": "add"}), "meta.gata.aggregation of seats"),
        (described(meta={"date": "plan"}), "meta.gata.date of fct_shop__subscriptions is 'plan'"),
    ],
)
def test_a_meta_of_another_form_is_refused_by_its_name(tmp_path: Path, told: TableDescription, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        _ = hand_shop(tmp_path).make(NAME, SUBSCRIPTIONS, told).model


def test_a_column_without_a_standard_metric_is_still_a_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(each for each in standard_metrics.BASE_METRICS if each.name != "spend")
    expected = hand_shop(tmp_path / "with").one("spend")
    monkeypatch.setattr(standard_metrics, "BASE_METRICS", kept)
    star = hand_shop(tmp_path / "without")
    assert star.one("spend") == expected
    assert "roas" in definitions_of(star).metrics


def test_a_table_that_is_gone_takes_its_metrics_with_it_and_the_same_star_gives_the_same_bytes(tmp_path: Path) -> None:
    plain, again = hand_shop(tmp_path / "1").write(), hand_shop(tmp_path / "2").write()
    assert (plain / "semantic.yml").read_bytes() == (again / "semantic.yml").read_bytes()
    first = hand_shop(tmp_path / "3").make(NAME, SUBSCRIPTIONS).write()
    second = hand_shop(tmp_path / "4").make(NAME, SUBSCRIPTIONS).write()
    assert (first / "semantic.yml").read_bytes() == (second / "semantic.yml").read_bytes()
    assert b"subscriptions" in (first / "semantic.yml").read_bytes()
    assert b"subscriptions" not in (plain / "semantic.yml").read_bytes()


_WORD = st.from_regex(r"[a-z]{4,9}", fullmatch=True)


@examples(15)
@given(words=st.lists(_WORD, min_size=5, max_size=5, unique=True))
def test_the_treatment_of_a_table_does_not_depend_on_its_names(
    words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table, key, day, text, number = (f"{word}q" for word in words)
    star = HandStar(tmp_path_factory.mktemp("named"))
    rows = "(1, DATE '2026-01-01', 'a', 2), (2, DATE '2026-01-02', 'b', 5), (3, DATE '2026-01-02', 'b', 7)"
    star.make(f"fct_shop__{table}", f"SELECT * FROM (VALUES {rows}) AS t({key}_id, {day}, {text}, {number})")
    assert star.table(metrics=[table, number], dimensions=[text], order_by=[text]) == [
        {text: "a", table: 1, number: 2},
        {text: "b", table: 2, number: 12},
    ]
    star.close()


def test_a_role_follows_from_type_name_and_currency() -> None:
    types = {
        "order_key": "VARCHAR", "store_id": "BIGINT", "day": "DATE", "is_open": "BOOLEAN", "revenue": "DECIMAL(18,2)",
        "visits": "BIGINT", "rating": "DOUBLE", "city": "VARCHAR", "currency": "VARCHAR", "payload": "JSON",
        "seen_at": "TIMESTAMP", "price_level": "INTEGER",
    }  # fmt: skip
    table = Table(
        kind="fct",
        name="x",
        sentence="",
        grain=(),
        columns=tuple(Column(name, type_, "") for name, type_ in types.items()),
    )
    roles = {each.column: (each.role, each.aggregation, each.unit) for each in propose(table, types, {})}
    assert roles == {
        "order_key": ("key", "none", None),
        "store_id": ("key", "none", None),
        "day": ("date", "none", None),
        "is_open": ("flag", "none", None),
        "revenue": ("money", "sum", "currency"),
        "visits": ("measure", "sum", "count"),
        "rating": ("measure", "average", "count"),
        "city": ("dimension", "none", None),
        "currency": ("dimension", "none", None),
        "payload": ("none", "none", None),
        "seen_at": ("none", "none", None),
        "price_level": ("measure", "average", "count"),
    }


@pytest.mark.parametrize(
    ("column", "type_", "metric"),
    [
        ("visits", "TINYINT", "visits"),
        ("visits", "SMALLINT", "visits"),
        ("visits", "UINTEGER", "visits"),
        ("visits", "FLOAT", "visits"),
        ("visits", "DECIMAL(9,1)", "visits"),
        ("Visits", "BIGINT", "visits"),
        ("visits__total", "BIGINT", "visits_total"),
        ("visits_change", "BIGINT", "visits_change_value"),
        ("count", "BIGINT", None),
        ("class", "BIGINT", None),
        ("visits of the day", "BIGINT", None),
    ],
)
def test_every_type_and_name_of_a_column_is_a_metric_or_left_out_and_never_stops_a_run(
    tmp_path: Path, column: str, type_: str, metric: str | None
) -> None:
    star = hand_shop(tmp_path)
    rows = f"(DATE '2026-01-01', 4::{type_}, 'here'), (DATE '2026-01-02', 5::{type_}, 'there')"
    star.make("fct_shop__doors", f'SELECT * FROM (VALUES {rows}) AS t(day, "{column}", "name")')
    validate_run(star.folder / star.model.run_id)
    assert star.one("doors") == 2
    assert star.table(metrics=["doors"], dimensions=["name"], order_by=["name"])[0] == {"name": "here", "doors": 1}
    if metric is None:
        assert not any(
            entry.fact == "doors" and name != "doors" for name, entry in definitions_of(star).metrics.items()
        )
    else:
        assert star.one(metric) == 9


def test_the_names_that_an_expression_reads_otherwise_are_those_of_the_library() -> None:
    assert {name for name in dir(ibis.Table) if not name.startswith("_")} == METHODS


def test_a_name_of_a_column_is_no_sql(tmp_path: Path) -> None:
    star = hand_shop(tmp_path)
    name = 'x") FROM (SELECT 1) --'
    quoted = name.replace('"', '""')
    star.make("fct_shop__doors", f"SELECT DATE '2026-01-01' AS day, 7 AS \"{quoted}\", 'a' AS \"{quoted}_id\"")
    assert star.one("doors") == 1
