"""Gates of a star: each passes a good table, and a planted fault gives it, and no other gate, a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from pipeline.config.slug import slug_of
from pipeline.config.tenant import Tenant
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.gate_result import GateResult, GateStatus
from pipeline.gates.run_measures import TableMeasures
from warehouse.build.star_gates import star_results
from warehouse.star_schema import Table, star_schema

TODAY = date(2026, 3, 2)
SLUG = slug_of("acme")
TENANT = Tenant(slug=SLUG, business_name="Acme")
TABLES = star_schema()
DEFAULTS = {"VARCHAR": "x", "DATE": "2026-03-01", "BOOLEAN": "true", "TIMESTAMP": "2026-03-01 12:00:00"}
AD = {"spend": 1, "impressions": 10, "clicks": 2, "campaign_key": "k1"}
ORDER = {"order_date": "2026-03-01", "total_price": 10, "refunded_amount": 0, "discount_amount": 0}


@pytest.fixture
def star() -> Iterator[duckdb.DuckDBPyConnection]:
    """A star in which every table has a good row."""
    with duckdb.connect(config={"threads": 1}) as con:
        for table in TABLES:
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            con.execute(f"create table {table.table_name(SLUG)} ({columns})")
        add(con, "ad_performance", AD)
        add(con, "orders", ORDER)
        add(con, "order_items", {"quantity": 1, "item_amount": 10})
        add(con, "campaigns", {"campaign_key": "k1", "is_inferred": False})
        for name in ("refunds", "sessions", "events", "users", "products"):
            add(con, name, {})
        yield con


def add(con: duckdb.DuckDBPyConnection, name: str, row: dict[str, Any], times: int = 1) -> None:
    """Add rows to a table; a required column that is not given has a value, and the grain one of its own."""
    (table,) = (table for table in TABLES if table.name == name)
    ((count,),) = con.execute(f"select count(*) from {table.table_name(SLUG)}").fetchall()
    for number in range(count, count + times):
        filled = {c.name: DEFAULTS.get(c.type, "0") for c in table.columns if c.required}
        if table.grain[0] not in row:
            filled[table.grain[0]] = f"{name} {number}"
        values = filled | row
        marks = ", ".join("?" * len(values))
        con.execute(f"insert into {table.table_name(SLUG)} ({', '.join(values)}) values ({marks})", [*values.values()])


def judged(
    con: duckdb.DuckDBPyConnection, before: Sequence[TableMeasures] = (), **settings: GateSetting
) -> list[GateResult]:
    rules = GateRules(settings)
    return star_results(con, TENANT, TABLES, rules, today=TODAY, before=before)[0]


def faults(results: list[GateResult]) -> dict[str, GateResult]:
    return {each.gate: each for each in results if each.finding}


def test_a_good_star_passes_every_gate(star: duckdb.DuckDBPyConnection) -> None:
    results = judged(star)
    assert faults(results) == {}
    assert {each.gate for each in results} >= {"promised_columns", "minimum_rows", "foreign_keys", "null_rates"}


PLANTED = {
    "clicks_within_impressions": ("ad_performance", AD | {"clicks": 11}),
    "net_within_gross": ("orders", ORDER | {"refunded_amount": -1}),
    "totals_not_negative": ("orders", ORDER | {"total_price": -10}),
    "dates_not_in_future": ("ad_performance", AD | {"report_date": "2026-03-04"}),
}


@pytest.mark.parametrize("gate", PLANTED)
def test_a_row_that_breaks_a_business_rule_is_counted_and_named_by_its_key(
    star: duckdb.DuckDBPyConnection, gate: str
) -> None:
    name, row = PLANTED[gate]
    add(star, name, row, times=7)
    found = faults(judged(star))
    assert set(found) == {gate}
    assert (found[gate].status, found[gate].value, found[gate].threshold) == (GateStatus.WARNED, 7, 0)
    finding = found[gate].finding
    assert finding is not None
    assert (finding.table, finding.facts, finding.records) == (name, (name,), 7)
    assert finding.samples == tuple(f"{name} {number}" for number in range(1, 6))
    assert finding.next_step


def test_a_business_rule_holds_the_run_where_a_setting_says_so_and_is_silent_where_it_is_off(
    star: duckdb.DuckDBPyConnection,
) -> None:
    add(star, "ad_performance", AD | {"clicks": 11})
    gate = "clicks_within_impressions"
    assert faults(judged(star, **{gate: GateSetting(severity=Severity.ERROR)}))[gate].status is GateStatus.FAILED
    assert gate not in {each.gate for each in judged(star, **{gate: GateSetting(severity=Severity.OFF)})}
    assert faults(judged(star, **{gate: GateSetting(threshold=Decimal(1))})) == {}
    assert faults(judged(star, **{gate: GateSetting(tables={"ad_performance": Decimal(1)})})) == {}


def test_the_last_day_of_tomorrow_is_not_in_the_future_yet(star: duckdb.DuckDBPyConnection) -> None:
    add(star, "ad_performance", AD | {"report_date": TODAY + timedelta(days=1)})
    assert faults(judged(star)) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("drop column spend", "spend is missing"),
        ("alter column spend type double", "spend is DOUBLE, not DECIMAL(18,6)"),
    ],
)
def test_a_promised_column_that_is_missing_or_retyped_fails(
    star: duckdb.DuckDBPyConnection, change: str, said: str
) -> None:
    star.execute(f"alter table fct_acme__ad_performance {change}")
    found = faults(judged(star))
    assert (set(found), found["promised_columns"].status) == ({"promised_columns"}, GateStatus.FAILED)
    assert said in str(found["promised_columns"].finding)


def test_a_fact_without_rows_is_found_unless_it_may_be_empty(star: duckdb.DuckDBPyConnection) -> None:
    star.execute("delete from fct_acme__sessions; delete from fct_acme__refunds")
    found = faults(judged(star))
    assert {gate: each.table for gate, each in found.items()} == {"minimum_rows": "sessions"}


@pytest.mark.parametrize(
    ("known", "of", "passes"),
    [(989, 1000, False), (99, 100, False), (991, 1000, True), (1000, 1000, True)],
)
def test_more_than_99_percent_of_foreign_keys_must_be_named_and_99_are_not_enough(
    star: duckdb.DuckDBPyConnection, known: int, of: int, passes: bool
) -> None:
    add(star, "campaigns", {"campaign_key": "k2", "is_inferred": True})
    star.execute(
        f"""insert into fct_acme__ad_performance by name select ads.* replace (
            'r' || lpad(n::varchar, 4, '0') as performance_key, if(n < {known}, 'k1', 'k2') as campaign_key)
        from fct_acme__ad_performance as ads, range({of}) as numbers(n);
        delete from fct_acme__ad_performance where performance_key not like 'r%'"""
    )
    (result,) = (each for each in judged(star) if each.gate == "foreign_keys" and each.table == "ad_performance")
    assert (result.value, result.status is GateStatus.PASSED) == (Decimal(known) / of, passes)
    if result.finding:
        assert result.finding.samples[0] == f"r{known:04}"
        assert f"{Decimal(known) / of * 100:f}".rstrip("0").rstrip(".") + " %" in result.finding.sentence


def test_keys_of_a_source_that_never_sends_the_dimension_say_nothing(star: duckdb.DuckDBPyConnection) -> None:
    star.execute("update dim_acme__campaigns set is_inferred = true")
    assert "foreign_keys" not in {each.gate for each in judged(star) if each.table == "ad_performance"}


def test_a_column_that_became_null_is_found_beside_the_last_published_run(star: duckdb.DuckDBPyConnection) -> None:
    add(star, "ad_performance", AD | {"clicks": None}, times=9)
    same = TableMeasures(table="ad_performance", rows=100, filled={"clicks": 10, "spend": 100})
    better = TableMeasures(table="ad_performance", rows=100, filled={"clicks": 21, "spend": 100})
    assert "null_rates" not in faults(judged(star))
    assert "null_rates" not in faults(judged(star, [same]))
    found = faults(judged(star, [better]))["null_rates"]
    assert (found.value, found.threshold, found.status) == (Decimal("0.11"), Decimal("0.1"), GateStatus.WARNED)
    assert found.finding is not None
    assert found.finding.columns == ("clicks",)


def weeks(star: duckdb.DuckDBPyConnection, count: int, rows: int, *, on: date, found: int) -> None:
    """So many weeks with `rows` sessions on the weekday of a day, `found` on the day, and one the day after."""
    star.execute("delete from fct_acme__sessions")
    for back in range(1, count + 1):
        add(star, "sessions", {"session_date": on - timedelta(weeks=back)}, times=rows)
    add(star, "sessions", {"session_date": on}, times=found)
    add(star, "sessions", {"session_date": on + timedelta(days=1)})


@pytest.mark.parametrize(
    ("history", "found", "status"),
    [
        (3, 80, GateStatus.SILENT),
        (4, 20, GateStatus.PASSED),
        (4, 32, GateStatus.PASSED),
        (4, 33, GateStatus.WARNED),
        (8, 80, GateStatus.WARNED),
    ],
)
def test_a_days_volume_is_judged_by_its_weekday_from_four_weeks_of_history_on(
    star: duckdb.DuckDBPyConnection, history: int, found: int, status: GateStatus
) -> None:
    day = TODAY - timedelta(days=2)
    weeks(star, history, 20, on=day, found=found)
    (result,) = (each for each in judged(star) if each.gate == "volume_band" and each.table == "sessions")
    assert result.status is status
    if result.finding:
        assert (result.finding.first_day, result.finding.last_day) == (day, day)
        assert f"{found} rows of {day}, and 20 are usual" in result.finding.sentence


def test_a_day_of_few_rows_is_not_unusual_however_few_are_usual(star: duckdb.DuckDBPyConnection) -> None:
    weeks(star, 4, 1, on=TODAY - timedelta(days=2), found=19)
    (result,) = (each for each in judged(star) if each.gate == "volume_band" and each.table == "sessions")
    assert result.status is GateStatus.SILENT


def test_a_fact_that_lost_a_sum_of_its_sinks_fails(star: duckdb.DuckDBPyConnection) -> None:
    star.execute(
        "create table int_acme__ad_performance as select 3.5::decimal(18,6) as spend, 10 as impressions, 2 as clicks,"
        " null::decimal(18,6) as conversion_value, true as is_counted"
    )
    found = faults(judged(star))
    assert set(found) == {"totals_match"}
    assert (found["totals_match"].status, found["totals_match"].value) == (GateStatus.FAILED, Decimal("2.5"))
    star.execute("update int_acme__ad_performance set spend = 1")
    assert faults(judged(star)) == {}


def test_measures_are_rows_and_filled_columns(star: duckdb.DuckDBPyConnection) -> None:
    add(star, "ad_performance", AD | {"spend": None})
    measures = star_results(star, TENANT, TABLES, GateRules(), today=TODAY)[1]
    (ads,) = (each for each in measures if each.table == "ad_performance")
    assert (ads.rows, ads.filled["spend"], ads.filled["clicks"], ads.null_share("spend")) == (2, 1, 2, 0.5)


def test_no_sample_is_a_key_of_a_person(star: duckdb.DuckDBPyConnection) -> None:
    tables: list[Table] = [table for table in TABLES if table.is_dimension]
    assert [table.name for table in tables] == ["campaigns", "users", "products"]
    add(star, "ad_performance", AD | {"clicks": 11})
    samples = [key for each in judged(star) if each.finding for key in each.finding.samples]
    assert samples == ["ad_performance 1"]
