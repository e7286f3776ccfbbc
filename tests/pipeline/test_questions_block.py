"""Questions of tenants.yaml: read with their answers, or refused with file and line; their SQL is one SELECT."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.blocks.single_select import select_problem
from pipeline.config.slug import slug_of, star_name
from pipeline.config.tenants_file import TenantsFile, load_tenants
from tests.pipeline.landing_fixture import CATALOG

TENANTS = """
tenants:
  - {{slug: beta, business_name: Beta, status: pending}}
  - slug: acme
    business_name: Acme
    status: pending
    questions:
{questions}
"""
ASKED = "query: {metrics: [spend]}"
WRONG = {
    f"- {{question: a, {ASKED}}}": ":7: The question 'a' has neither sql nor value.",
    f"- {{question: a, {ASKED}, value: 1, sql: select 1}}": ":7: The question 'a' has sql and value.",
    f"- {{question: a, {ASKED}, value: 1}}\n- {{question: ' a', {ASKED}, value: 2}}": ":8: The question 'a' is there",
    "- {question: a, query: spend, value: 1}": ":7: query is 'spend', not a query.",
    f"- {{{ASKED}, value: 1}}": ":7: question has no question.",
    f"- {{question: a, {ASKED}, values: 1}}": "Did you mean value?",
    f"- {{question: a, {ASKED}, value: [[1], [1, 2]]}}": "The rows of value differ in length.",
    f"- question: a\n  {ASKED}\n  sql: select 1; select 2": ":9: sql has 2 statements.",
    f"- question: a\n  {ASKED}\n  sql: select sum(": ":9: sql cannot be parsed: ",
    f"- question: a\n  {ASKED}\n  sql: select {{{{ x }}}}": "which dbt takes for a template",
    f"- question: a\n  {ASKED}\n  sql: [a]": ":9: sql is a list, not one SELECT.",
    "\n".join(f"- {{question: a{n}, {ASKED}, value: 1}}" for n in range(201)): "There are 201 questions.",
}
HOSTILE = {
    "select * from read_csv('/etc/passwd')": "reads",
    "select * from '/etc/passwd'": "reads",
    'select * from "/etc/passwd"': "reads",
    "select * from fct_beta__orders": "reads 'fct_beta__orders', which is no table of acme",
    "select * from other.main.fct_acme__orders": "reads",
    "select (select max(value) from duckdb_settings())": "reads",
    "select * from duckdb_secrets": "reads",
    "select * from information_schema.tables": "reads",
    "select * from query_table('fct_acme__orders')": "reads",
    "with x as (select * from glob('/*')) select * from x": "reads",
    "select getenv('HOME')": "calls getenv, which is not permitted",
    "select current_setting('temp_directory')": "calls current_setting",
    "select nextval('s')": "calls nextval",
    "attach '/tmp/x.duckdb'": "is no SELECT",
    "copy fct_acme__orders to '/tmp/x'": "is no SELECT",
    "create table x as select 1": "is no SELECT",
    "insert into fct_acme__orders select * from fct_acme__orders": "is no SELECT",
    "delete from fct_acme__orders": "is no SELECT",
    "select 1 into x": "is no SELECT",
    "set threads = 64": "is no SELECT",
    "pragma version": "is no SELECT",
    "load httpfs": "is no SELECT",
    "call pragma_version()": "is no SELECT",
    "explain analyze select 1": "is no SELECT",
    "select 1); drop table x; (select 1": "",
    "select $secret": "has the parameter $secret",
    "select ?": "has the parameter ?",
    "-- nothing": "has 0 statements",
    "(" * 5000 + "select 1" + ")" * 5000: "",
    "select 1" + "+1" * 950: "cannot be run: it is nested too deep",
    "select * from (with sqlite_master as (select 1) from sqlite_master) a, sqlite_master": "reads 'sqlite_master', ",
}
HARMLESS = (
    "select sum(spend) filter (where clicks > 0) / nullif(sum(clicks), 0) from fct_acme__ad_performance",
    "with days as (select order_date d, count(*) n from fct_acme__orders group by 1) select max_by(d, n) from days",
    "select k from (values ('a'), ('b')) v(k) union all select channel from fct_acme__orders",
    "from fct_acme__orders select median(total_price), quantile_cont(total_price, 0.9)",
    "select d::date, count(*) from range(date '2026-01-01', $today, interval 1 day) t(d) group by all -- by day",
    "select dayname(order_date), sum(total_price) over (order by order_date) from fct_acme__orders qualify true;",
)


def read(folder: Path, questions: str) -> TenantsFile:
    path = folder / "tenants.yaml"
    indented = "\n".join(f"      {line}" for line in questions.splitlines())
    path.write_text(TENANTS.format(questions=indented).lstrip(), encoding="utf-8")
    return load_tenants(path, CATALOG)


@pytest.mark.parametrize("questions", WRONG, ids=lambda text: text[:40])
def test_a_wrong_question_refuses_its_tenant_alone_with_its_line(tmp_path: Path, questions: str) -> None:
    tenants = read(tmp_path, questions)
    assert [tenant.slug for tenant in tenants.tenants] == ["beta"]
    (refused,) = tenants.refused
    assert (refused.slug, WRONG[questions] in str(refused.error)) == ("acme", True), str(refused.error)


def test_a_question_keeps_its_query_as_callers_send_it_and_its_answer_as_rows(tmp_path: Path) -> None:
    text = f"""
- question: What did  ads cost?
  {ASKED}
  sql: |
    select sum(spend)  -- all of it
    from fct_acme__ad_performance
- {{question: b, query: {{metrics: spend, filters: [{{name: clicks, op: '>', value: 1}}]}}, value: 12.5}}
- {{question: c, query: {{metrics: [spend], dimensions: [date]}}, value: [[2026-01-01, 1], [null, 2]]}}
""".lstrip()
    first, second, third = read(tmp_path, text).get("acme").questions
    assert first.question == "What did ads cost?"
    assert first.sql == "select sum(spend)  -- all of it\nfrom fct_acme__ad_performance"
    assert second.query == {"metrics": "spend", "filters": [{"name": "clicks", "op": ">", "value": 1}]}
    assert (second.value, third.value) == (((12.5,),), (("2026-01-01", 1), (None, 2)))


def test_another_question_is_another_configuration_and_another_line_is_not(tmp_path: Path) -> None:
    def fingerprint(text: str) -> str:
        return read(tmp_path, text).get("acme").star_fingerprint

    one = f"- {{question: a, {ASKED}, value: 1}}"
    assert fingerprint(one) == fingerprint(f"# below\n{one}") != fingerprint(one.replace("value: 1", "value: 2"))


@pytest.mark.parametrize("sql", HOSTILE, ids=lambda text: text[:40])
def test_sql_that_is_not_one_select_over_the_tenants_own_tables_is_refused(sql: str) -> None:
    problem = select_problem(sql, slug_of("acme"))
    assert problem is not None
    assert problem.startswith(HOSTILE[sql]), problem


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_select_over_the_tenants_own_tables_is_taken(sql: str) -> None:
    assert select_problem(sql, slug_of("acme")) is None


def test_sql_may_read_each_table_that_is_published_however_it_is_named() -> None:
    slug = slug_of("acme")
    for name in ("fct_acme__orders", "dim_acme__Größe", "mart_acme__A_1"):
        assert star_name(name, slug) == (name, name.partition("_")[0], name.partition("__")[2])
        assert select_problem(f'select 1 from "{name}"', slug) is None
    for name in ("int_acme__orders", "fct_other__orders", "fct_acme__", "fct_acme_orders", "fct_acme__a b"):
        assert star_name(name, slug) is None
        assert "no table of acme" in str(select_problem(f'select 1 from "{name}"', slug))
