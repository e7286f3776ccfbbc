"""What other programs read of a run: they open it, get our numbers from it, and find nobody's personal data in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
import sqlglot
import yaml
from sqlglot import exp

from semantic.catalog.run_definitions import read_definitions
from semantic.interchange.ansi_sql import AnsiWriter, NotAnsi
from semantic.interchange.bsl_yaml import bsl_yaml
from semantic.interchange.ossie_yaml import VENDOR, ossie_yaml
from semantic.interchange.shared_run import SharedRun
from tests.semantic.hand_star import SLUG, HandStar, hand_shop

OSSIE = Path(__file__).resolve().parents[1] / "fixtures" / "ossie" / "osi-schema.json"
SEMANTIC: Mapping[str, Any] = {
    "metrics": {
        "margin": {"expression": "(order_revenue - refunded_amount) / order_revenue * 100"},
        "beta_spend": {"metric": "spend", "filters": [{"name": "campaign_name", "op": "contains", "value": "ET"}]},
        "google_clicks": {"metric": "clicks", "filters": [{"name": "ad_platform", "op": "=", "value": "google_ads"}]},
        "paid_between": {
            "metric": "order_revenue",
            "filters": [
                {"name": "total_price", "op": "between", "value": [100, 200.5]},
                {"name": "order_date", "op": ">=", "value": "2026-01-11"},
                {"name": "order_id", "op": "starts_with", "value": "O"},
                {"name": "financial_status", "op": "in", "value": ["paid", "it's"]},
                {"name": "campaign_key", "op": "is_not_null"},
            ],
        },
        "p95_order": {"fact": "orders", "column": "total_price", "aggregate": "p95"},
        "cpm": {"hidden": True},
        "spend": {"rename": "media_cost", "synonyms": ["kosten"]},
    },
    "expose": ["customer_email"],
}


class Shared:
    """A shop whose definitions are exported, and its file as others open it."""

    def __init__(self, folder: Path) -> None:
        self.star = hand_shop(folder, semantic=dict(SEMANTIC))
        self.star.rows["orders"][0]["customer_email"] = "ann@example.com"
        self.run_dir = self.star.write()
        self.stars = self.run_dir / "stars.duckdb"
        tables = self.star.tables.values()
        self.run = SharedRun(
            run_id="r",
            definitions=read_definitions((self.run_dir / "semantic.yml").read_bytes()),
            columns={table.table_name(SLUG): frozenset(column.name for column in table.columns) for table in tables},
        )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    star = hand_shop(tmp_path_factory.mktemp("asked"), semantic=dict(SEMANTIC))
    yield star
    star.close()


@pytest.fixture(scope="module")
def bsl(shared: Shared) -> Iterator[Any]:
    """The models as the loader of the library opens them from the file, and a way to run their SQL."""
    import ibis
    from boring_semantic_layer import from_yaml

    path = shared.run_dir / "shop.bsl.yml"
    path.write_text(bsl_yaml(shared.run), encoding="utf-8")
    con = ibis.duckdb.connect(shared.stars, read_only=True)
    models = from_yaml(str(path), tables={name: con.table(name) for name in shared.run.columns})

    def query(model: str, measures: list[str], *dimensions: str, **more: Any) -> list[tuple[Any, ...]]:
        asked = (
            models[model].query(dimensions=dimensions, measures=measures, **more)
            if more
            else models[model].group_by(*dimensions).aggregate(*measures)  # takes a tenth of the time of `query`
        )
        return sorted(con.con.execute(str(asked.sql())).fetchall(), key=repr)

    yield models, query
    con.disconnect()


def same(ours: Any, theirs: Any) -> None:
    assert len(ours) == len(theirs)
    for row, other in zip(sorted(ours, key=repr), sorted(theirs, key=repr), strict=True):
        assert [value if value is None or isinstance(value, str) else pytest.approx(float(value)) for value in row] == [
            value if value is None or isinstance(value, str) else float(value) for value in other
        ]


def test_the_library_loads_every_metric_of_one_fact_and_gives_our_total(
    shared: Shared, asked: HandStar, bsl: Any
) -> None:
    _, query = bsl
    left_out = {each.get("metric") for each in yaml.safe_load(bsl_yaml(shared.run))["left_out"]}
    compared = [name for name in shared.run.catalog.askable_metrics if name not in left_out]
    assert len(compared) > 60
    for fact in shared.run.catalog.facts:
        metrics = [name for name in compared if shared.run.catalog.facts_of(name) == (fact,)]
        prefix = f"{fact}." if shared.run.tables_on_the_way(fact) else ""
        (theirs,) = query(fact, [f"{prefix}{name}" for name in metrics])
        (ours,) = asked.ask(metrics=metrics).rows
        assert dict(zip(metrics, theirs, strict=False)) == {
            name: None if value is None else pytest.approx(float(value))
            for name, value in zip(metrics, ours, strict=True)
        }


@pytest.mark.parametrize(
    ("model", "measures", "dimension"),
    [
        ("ad_performance", ["cpc", "media_cost", "google_clicks"], "campaigns.campaign_name"),
        ("sessions", ["conversion_rate", "session_users"], "users.is_customer"),
        ("orders", ["average_order_value", "paid_between", "margin"], "campaigns.campaign_id"),
        ("order_items", ["item_revenue", "units_sold"], "orders.financial_status"),
        ("order_items", ["units_sold"], "campaigns.campaign_id"),
        ("events", ["events", "event_users"], "sessions.attribution"),
        ("events", ["events"], "campaigns.campaign_id"),
    ],
)
def test_the_library_groups_by_own_and_joined_dimensions_as_we_do(
    asked: HandStar, bsl: Any, model: str, measures: list[str], dimension: str
) -> None:
    _, query = bsl
    name = dimension.rpartition(".")[2]
    ours = asked.ask(metrics=measures, dimensions=[name], limit=1000).rows
    theirs = query(model, [f"{model}.{measure}" for measure in measures], dimension)
    same(
        [[str(row[0]), *(value or 0 for value in row[1:])] for row in ours],
        [[str(row[0]), *(value or 0 for value in row[1:])] for row in theirs],
    )


def test_the_library_takes_a_month_and_a_filter_on_a_joined_table(asked: HandStar, bsl: Any) -> None:
    _, query = bsl
    theirs = query(
        "orders",
        ["orders.order_revenue", "orders.average_order_value"],
        "orders.date",
        time_grain="month",
        filters=[{"field": "campaigns.campaign_id", "operator": "=", "value": "1"}],
    )
    ours = asked.ask(
        metrics=["order_revenue", "average_order_value"],
        dimensions=["date"],
        time_grain="month",
        filters=[{"name": "campaign_id", "value": "1"}],
    ).rows
    same(ours, [[str(day)[:10], *values] for day, *values in theirs])


def test_what_one_model_of_the_library_cannot_say_right_is_listed_with_the_reason(shared: Shared) -> None:
    left_out = {each["metric"]: each["why"] for each in yaml.safe_load(bsl_yaml(shared.run))["left_out"]}
    assert (
        left_out["roas"] == "It is of sessions and ad_performance: ask each alone, and combine them by what they share."
    )
    assert left_out["beta_spend"] == "A column of another table selects its rows."
    assert "google_clicks" not in left_out


def test_a_key_that_two_joined_tables_name_alike_joins_nothing(shared: Shared) -> None:
    table = shared.run.definitions.models["order_items"].table
    columns = {**shared.run.columns, table: shared.run.columns[table] | {"campaign_key"}}
    tree = yaml.safe_load(bsl_yaml(replace(shared.run, columns=columns)))
    assert "campaigns" not in tree["order_items"]["joins"]
    assert {"orders", "products", "users"} <= tree["order_items"]["joins"].keys()
    assert {
        "join": "order_items to campaigns",
        "why": "Its key campaign_key of orders is a column of order_items too.",
    } in (tree["left_out"])


def test_the_ossie_document_keeps_the_published_schema(shared: Shared) -> None:
    said, schema = yaml.safe_load(ossie_yaml(shared.run)), json.loads(OSSIE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(said)
    (model,) = said["semantic_model"]
    names = {dataset["name"]: {field["name"] for field in dataset["fields"]} for dataset in model["datasets"]}
    for join in model["relationships"]:
        assert set(join["from_columns"]) <= names[join["from"]]
        assert set(join["to_columns"]) <= names[join["to"]]
    assert {metric["name"] for metric in model["metrics"]} == set(shared.run.catalog.askable_metrics)
    (renamed,) = [metric for metric in model["metrics"] if metric["name"] == "media_cost"]
    assert "kosten" in renamed["ai_context"]["synonyms"]
    assert extension(renamed)["unit"] == "EUR"


def test_every_metric_of_the_ossie_document_gives_our_total_by_its_ansi_sql(shared: Shared, asked: HandStar) -> None:
    (model,) = yaml.safe_load(ossie_yaml(shared.run))["semantic_model"]
    assert "metrics_left_out" not in extension(model)
    sql = ", ".join(_executable(metric, model) for metric in model["metrics"])
    names = [metric["name"] for metric in model["metrics"]]
    with duckdb.connect(shared.stars, read_only=True) as connection:
        (theirs,) = connection.execute(f"SELECT {sql}").fetchall()
    pages = [asked.ask(metrics=names[start : start + 40]).rows for start in range(0, len(names), 40)]
    ours = [value for ((*values,),) in pages for value in values]
    assert dict(zip(names, theirs, strict=True)) == {
        name: None if value is None else pytest.approx(float(value)) for name, value in zip(names, ours, strict=True)
    }


def extension(part: Mapping[str, Any]) -> Mapping[str, Any]:
    (each,) = part["custom_extensions"]
    assert each["vendor_name"] == VENDOR
    said: dict[str, Any] = json.loads(each["data"])
    return said


def _executable(metric: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """The metric's expression with each aggregate over its own dataset, and fields as what they stand for."""
    datasets = {each["name"]: each for each in model["datasets"]}
    tree = sqlglot.parse_one(metric["expression"]["dialects"][0]["expression"])
    aggregates = [
        node for node in tree.find_all(exp.WithinGroup, exp.AggFunc) if not node.find_ancestor(exp.WithinGroup)
    ]
    for aggregate in aggregates:
        used = {column.table for column in aggregate.find_all(exp.Column)}
        (fact,) = used & set(extension(metric)["facts"])
        joins = [each for each in model["relationships"] if each["from"] == fact and each["to"] in used]
        text = " ".join(
            f"LEFT JOIN {datasets[each['to']]['source'].rpartition('.')[2]} AS {each['to']}"
            f" ON {fact}.{each['from_columns'][0]} = {each['to']}.{each['to_columns'][0]}"
            for each in joins
        )
        for column in list(aggregate.find_all(exp.Column)):
            fields = {field["name"]: field["expression"]["dialects"][0] for field in datasets[column.table]["fields"]}
            stands_for = fields[column.name]
            assert stands_for["dialect"] == "ANSI_SQL"
            written = sqlglot.parse_one(stands_for["expression"])
            for inner in [written, *written.find_all(exp.Column)]:
                if isinstance(inner, exp.Column):
                    inner.set("table", exp.to_identifier(column.table))
            column.replace(written)
        table = datasets[fact]["source"].rpartition(".")[2]
        subquery = sqlglot.parse_one(f"(SELECT {aggregate.sql('duckdb')} FROM {table} AS {fact} {text})", read="duckdb")
        if aggregate is tree:
            tree = subquery
        else:
            aggregate.replace(subquery)
    return tree.sql("duckdb")


@pytest.mark.parametrize("write", [bsl_yaml, ossie_yaml])
def test_personal_data_are_in_no_export_and_hidden_metrics_only_where_others_need_them(
    shared: Shared, write: Any
) -> None:
    text = write(shared.run)
    assert not [word for word in ("customer_email", "customer_id", "user_pseudo_id", "ann@") if word in text]
    assert "cpm:" not in text
    assert "name: cpm\n" not in text


@pytest.mark.parametrize("write", [bsl_yaml, ossie_yaml])
def test_an_export_of_the_same_run_has_the_same_bytes(shared: Shared, tmp_path: Path, write: Any) -> None:
    assert write(shared.run) == write(Shared(tmp_path).run)


def test_what_ansi_sql_has_no_words_for_is_refused_by_name() -> None:
    writer = AnsiWriter(column=lambda name: f"t.{name}", row="t.each_row")
    assert writer.write("_.d.month()") == "EXTRACT(MONTH FROM t.d)"
    assert (
        writer.write("_.count(where=~_.a & (_.b != 'it''s'))")
        == "COUNT(CASE WHEN (NOT t.a) AND (t.b <> 'its') THEN 1 END)"
    )
    for unsaid in (
        "_.d.strftime('%A')",
        "_.m['EUR'].sum()",
        "_.a.quantile(0.5, how='x')",
        "lambda x: x",
        "_.a if _.b else 1",
    ):
        with pytest.raises(NotAnsi):
            writer.write(unsaid)
