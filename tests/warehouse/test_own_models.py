"""Models that a tenant writes: what is read of them, in which order they run, and what their tests find."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import BuildError, ConfigError
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gates.gate_result import GateStatus
from pipeline.settings import Settings
from tests.warehouse.own_models_fixture import Files, a_tenant, rows, run, write_star
from warehouse.own_models.own_models import own_descriptions, read_own_models
from warehouse.own_models.run_models import build_own_models, check_own_models
from warehouse.star_schema import Reference

FACT = "models/fct_acme__subscriptions.sql"
SELECT = "select order_key, customer_key, total_price from {{ ref('fct_acme__orders') }}\n"
YML = """\
version: 2
models:
  - name: fct_acme__subscriptions
    description: |
      One row per
      subscription.
    meta: {owner: finance}
    config: {meta: {gata: {synonyms: [plan]}}}
    columns:
      - name: order_key
        description: The key.
        data_tests: [unique, not_null]
      - name: customer_key
        meta: {gata: {unit: count}}
        data_tests:
          - relationships: {arguments: {to: ref('dim_acme__users'), field: user_key}}
          - accepted_values: {values: [ann, bob]}
"""


def test_a_model_becomes_a_table_of_the_star_with_the_rows_of_its_select(tmp_path: Path) -> None:
    build, file = run({FACT: SELECT}, tmp_path)
    assert rows(file, "select * from fct_acme__subscriptions order by all") == [
        ("1", "ann", Decimal(10)),
        ("2", "ann", Decimal(20)),
        ("3", "bob", Decimal(30)),
    ]
    (node,) = build.nodes
    assert (node.name, node.kind, node.rows) == ("fct_acme__subscriptions", "model", 3)
    assert node.reads == ("fct_acme__orders",)


def test_models_run_behind_those_that_they_read_whatever_their_files_are_named(tmp_path: Path) -> None:
    files = {
        "a/dim_acme__plans.sql": "select * from {{ ref('int_acme__z') }} where total > 20",
        "a/int_acme__z.sql": "select customer_key, sum(total_price) as total from {{ ref('fct_acme__subscriptions') }}"
        " group by all",
        "b/fct_acme__subscriptions.sql": SELECT,
    }
    build, file = run(files, tmp_path)
    assert [node.name for node in build.nodes] == ["fct_acme__subscriptions", "int_acme__z", "dim_acme__plans"]
    assert sorted(rows(file, "from dim_acme__plans")) == [("ann", Decimal(30)), ("bob", Decimal(30))]


def test_config_is_read_as_literals_and_a_view_is_a_table_too(tmp_path: Path) -> None:
    config = "-- Plans.\n{{ config(\n    materialized='view',\n    tags=['finance', 'daily']\n) }}\n"
    _, file = run({FACT: config + SELECT}, tmp_path)
    (model,) = read_own_models(a_tenant({FACT: config + SELECT}))
    assert (model.template.tags, model.template.materialized) == (("finance", "daily"), "view")
    assert rows(file, "select table_type from information_schema.tables where table_name like '%subscriptions'") == [
        ("BASE TABLE",)
    ]


WRITTEN = [
    (
        "with recursive months as (select date '2026-01-01' as m union all select m + interval 1 month from months"
        " where m < date '2026-03-01') select m, count(o.order_key) as n from months"
        " left join {{ ref('fct_acme__orders') }} as o on date_trunc('month', o.order_date) = m group by all"
    ),
    (
        "select *, row_number() over (partition by customer_key order by order_date asc) as n,"
        " lag(total_price) over w as b"
        " from {{ ref('fct_acme__orders') }} window w as (order by order_date desc nulls last)"
        " qualify n = 1 order by 1 limit 5"
    ),
    (
        "from {{ ref('fct_acme__orders') }} select customer_key, sum(total_price) filter (where total_price > 10) as s,"
        " string_agg(order_key, ', ' order by order_key) as k, quantile_cont(total_price, 0.5) as q group by rollup (1)"
    ),
    (
        "select case when o.total_price between 1 and 9 then 'a' else coalesce(u.user_key, 'é') end as b,"
        " o.order_date + interval 3 day as d, extract(year from order_date) as y, o.total_price::double / 2 as h,"
        " customer_key like 'a%' as l, exists(select 1 from {{ ref('dim_acme__users') }}) as e,"
        " list_transform([1, 2], lambda x: x + 1) as t, {'a': {'b': 1}} as s, try_cast(order_key as integer) as i"
        " from {{ ref('fct_acme__orders') }} as o"
        " left join {{ ref('dim_acme__users') }} as u on user_key = customer_key"
    ),
    "(select order_key from {{ ref('fct_acme__orders') }}) union all (values (1)) except select 'x'",
    "select * from (pivot {{ ref('fct_acme__orders') }} on customer_key in ('ann', 'bob') using sum(total_price))",
    (
        "select unnest(range(3)) as n, * exclude (order_key) replace (1 as total_price)"
        ' from {{ ref("fct_acme__orders") }}'
    ),
    "select n from range(3) as r(n) where n in (select 1) and n is not null; -- the end",
]


def test_what_analysts_write_is_allowed(tmp_path: Path) -> None:
    build, _ = run({f"models/int_acme__m{number}.sql": sql for number, sql in enumerate(WRITTEN)}, tmp_path)
    assert sorted(node.name for node in build.nodes) == [f"int_acme__m{number}" for number in range(len(WRITTEN))]


def test_a_column_may_be_named_as_a_function_is(tmp_path: Path) -> None:
    named = "select 1 as age, 2 as now, 3 as today, 4 as uuid, 5 as random, 6 as ago"
    inner = "select age, now, today, uuid, random, ago from {{ ref('int_acme__named') }}"
    of_user = "with o as (select customer_key as user from {{ ref('fct_acme__orders') }}) select distinct o.user from o"
    files = {"m/int_acme__named.sql": named, "m/mart_acme__ages.sql": inner, "m/mart_acme__people.sql": of_user}
    _, file = run(files, tmp_path)
    assert rows(file, "from mart_acme__ages") == [(1, 2, 3, 4, 5, 6)]
    assert rows(file, "from mart_acme__people order by all") == [("ann",), ("bob",)]


def test_the_yml_gives_descriptions_meta_and_references() -> None:
    described = own_descriptions(a_tenant({FACT: SELECT, "models/schema.yml": YML}))
    model = described["fct_acme__subscriptions"]
    assert model.description == "One row per subscription."
    assert model.meta == {"owner": "finance", "gata": {"synonyms": ["plan"]}}
    assert model.columns["order_key"].description == "The key."
    assert model.columns["customer_key"].meta == {"gata": {"unit": "count"}}
    assert model.references == (Reference("customer_key", "dim_acme__users", "user_key"),)


def test_tests_that_hold_pass_as_gates(tmp_path: Path) -> None:
    build, _ = run({FACT: SELECT, "models/schema.yml": YML}, tmp_path)
    assert [(each.gate, each.table, each.status) for each in build.results] == [
        (gate, "subscriptions", GateStatus.PASSED)
        for gate in ("unique", "not_null", "relationships", "accepted_values")
    ]


def test_each_test_counts_what_fails_it_and_quotes_no_value(tmp_path: Path) -> None:
    broken = (
        "select 'secret' as order_key, nullif(customer_key, 'bob') || 'x' as customer_key from"
        " {{ ref('fct_acme__orders') }} union all select null, 'ann'"
    )
    build, _ = run({FACT: broken, "models/schema.yml": YML}, tmp_path)
    findings = [each.finding for each in build.results if each.finding]
    assert [finding.sentence for finding in findings] == [
        "1 values of order_key are in fct_acme__subscriptions more than once.",
        "1 rows of fct_acme__subscriptions have no order_key.",
        "2 rows of fct_acme__subscriptions have a customer_key that dim_acme__users does not have.",
        "2 rows of fct_acme__subscriptions have a customer_key that is none of its accepted values.",
    ]
    assert {each.status for each in build.results} == {GateStatus.FAILED}
    assert {finding.facts for finding in findings} == {("subscriptions",)}
    assert not any("secret" in finding.model_dump_json() for finding in findings)
    assert [node.status for node in build.nodes if node.kind == "test"] == ["fail"] * 4


def test_the_registry_says_what_a_failed_test_weighs(tmp_path: Path) -> None:
    gates = {"not_null": GateSetting(severity=Severity.WARNING), "unique": GateSetting(severity=Severity.OFF)}
    broken = "select null::varchar as order_key, 'ann' as customer_key from {{ ref('fct_acme__orders') }}"
    tenant = a_tenant({FACT: broken, "models/schema.yml": YML}, gates=gates)
    settings = Settings(home=tmp_path / "home", threads=1)
    build = build_own_models(tenant, read_own_models(tenant), write_star(tmp_path), settings)
    weighed = {each.gate: each.status for each in build.results}
    assert weighed == {
        "not_null": GateStatus.WARNED,
        "relationships": GateStatus.PASSED,
        "accepted_values": GateStatus.PASSED,
    }


def test_a_star_is_tested_again_as_it_is(tmp_path: Path) -> None:
    files = {FACT: SELECT, "models/schema.yml": YML}
    tenant, settings = a_tenant(files), Settings(home=tmp_path / "home", threads=1)
    _, file = run(files, tmp_path)
    again = check_own_models(tenant, read_own_models(tenant), file, settings)
    assert [node.kind for node in again.nodes] == ["test"] * 4


def test_tenants_with_models_of_one_name_read_their_own_star_alone(tmp_path: Path) -> None:
    for slug, factor in (("acme", 1), ("globex", 2)):
        sql = f"select sum(total_price) * {factor} as total from {{{{ ref('fct_{slug}__orders') }}}}"
        _, file = run({f"models/fct_{slug}__totals.sql": sql}, tmp_path / slug, slug)
        assert rows(file, f"from fct_{slug}__totals") == [(Decimal(60 * factor),)]
        assert [
            name for (name,) in rows(file, "select table_name from duckdb_tables() where table_name like 'fct%'")
        ] == [
            f"fct_{slug}__orders",
            f"fct_{slug}__totals",
        ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"m/subscriptions.sql": SELECT},
            r"m/subscriptions\.sql:1: .* is no name of a model of acme\. Name it fct_acme__",
        ),
        ({"m/fct_globex__a.sql": SELECT}, "is no name of a model of acme"),
        ({"m/fct_acme__A.sql": SELECT}, "is no name of a model"),
        ({"m/fct_acme__ä.sql": SELECT}, "is no name of a model"),
        ({"m/fct_acme__a__b.sql": SELECT}, "is no name of a model"),
        ({"m/fct_acme__orders.sql": SELECT}, "The name orders is that of fct_acme__orders"),
        ({"m/mart_acme__users.sql": SELECT}, "The name users is that of dim_acme__users"),
        ({"m/fct_acme__a.sql": SELECT, "m/mart_acme__a.sql": SELECT}, "The name a is that of fct_acme__a"),
        ({"a/fct_acme__a.sql": SELECT, "b/fct_acme__a.sql": SELECT}, "is the model fct_acme__a too"),
        (
            {FACT: "select 1 from {{ ref('fct_acme__order') }}"},
            r":1: There is no table 'fct_acme__order'\. Did you mean fct_acme__orders",
        ),
        (
            {FACT: "select 1 as a\nfrom {{ ref('fct_globex__orders') }}"},
            r"subscriptions\.sql:2: There is no table 'fct_globex__orders'",
        ),
        (
            {FACT: "select 1 from {{ ref('fct_acme__subscriptions') }}"},
            "in a circle: fct_acme__subscriptions -> fct_acme__subs",
        ),
        (
            {
                "m/int_acme__a.sql": "from {{ ref('int_acme__b') }}",
                "m/int_acme__b.sql": "from {{ ref('int_acme__c') }}",
                "m/int_acme__c.sql": "from {{ ref('int_acme__a') }}",
            },
            "in a circle: int_acme__. -> int_acme__. -> int_acme__. -> int_acme__",
        ),
        ({FACT: ""}, "There is no SELECT"),
        ({FACT: "select 1 as\n  from where"}, r"sql:2: It is no SQL that DuckDB reads"),
    ],
)
def test_a_wrong_model_is_refused_by_file_and_line(files: Files, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_own_models(a_tenant(files))


@pytest.mark.parametrize(
    ("yml", "said"),
    [
        ("models: [{name: fct_acme__plan}]", r"schema\.yml:1: There is no file fct_acme__plan\.sql"),
        ("models:\n  - name: fct_acme__subscriptions\n    access: public", r"schema\.yml:3: .* no key named 'access'"),
        ("sources: []", r"schema\.yml:1: sources is not read"),
        ("models: [{name: fct_acme__subscriptions, config: {materialized: table}}]", "no key named 'materialized'"),
        ("models: [{name: fct_acme__subscriptions, description: '{{ doc(1) }}'}]", "which dbt takes for a template"),
        ("models: [{name: fct_acme__subscriptions, meta: {a: ['{% x %}']}}]", "which dbt takes for a template"),
        ("models: [{name: fct_acme__subscriptions}, {name: fct_acme__subscriptions}]", "is described at"),
        ("models: [{name: fct_acme__subscriptions, columns: [{name: a}, {name: a}]}]", "described twice"),
        ("models: [{name: fct_acme__subscriptions, columns: [{name: a, data_tests: [uniqe]}]}]", "Did you mean unique"),
        (
            "models: [{name: fct_acme__subscriptions, columns: [{name: a, data_tests: [{unique: {where: x}}]}]}]",
            "has no argument 'where'",
        ),
        (
            "models: [{name: fct_acme__subscriptions, columns: [{name: a, data_tests: [accepted_values]}]}]",
            "has no values",
        ),
        (
            (
                "models: [{name: fct_acme__subscriptions, columns: [{name: a, data_tests:"
                " [{relationships: {to: fct_acme__orders, field: c}}]}]}]"
            ),
            "not a ref",
        ),
        (
            (
                "models: [{name: fct_acme__subscriptions, columns: [{name: a, data_tests:"
                " [{relationships: {to: ref('fct_acme__none'), field: c}}]}]}]"
            ),
            r"schema\.yml:1: There is no table 'fct_acme__none'",
        ),
        ("models: [{name: !!python/object:os.system x}]", "has the tag"),
    ],
)
def test_a_wrong_yml_is_refused_by_file_and_line(yml: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_own_models(a_tenant({FACT: SELECT, "models/schema.yml": yml}))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {FACT: "select 1 as a,\n  no_such as b\nfrom {{ ref('fct_acme__orders') }}"},
            r"subscriptions\.sql:2: .*no_such",
        ),
        ({FACT: "select cast(customer_key as integer) as a from {{ ref('fct_acme__orders') }}"}, "try_cast"),
        ({FACT: "select 1 as a from {{ ref('fct_acme__orders') }} where error_of(1)"}, "error_of is not allowed"),
        ({"models/int_acme__orders.sql": SELECT}, "is the name of a table of the star"),
        (
            {FACT: SELECT, "models/s.yml": "models:\n  - name: fct_acme__subscriptions\n    columns: [{name: plan}]"},
            r"s\.yml:3: fct_acme__subscriptions has no column named 'plan'",
        ),
    ],
)
def test_a_model_that_fails_names_file_and_line_and_quotes_no_row(files: Files, said: str, tmp_path: Path) -> None:
    with pytest.raises((BuildError, ConfigError), match=said) as raised:
        run(files, tmp_path)
    assert "'ann'" not in str(raised.value)
