"""Currency conversion: a row's money by the last rate on or before its own day, exactly; amounts stay as they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import yaml

from pipeline.config.tenant import Tenant
from tests.warehouse.conftest import BLUEPRINTS
from tests.warehouse.engine_fixture import render
from tests.warehouse.test_factories import AD, Row, fill
from warehouse.projects.canonical_tables import AD_PERFORMANCE
from warehouse.projects.rates_table import with_rates
from warehouse.projects.star_project import star_project, star_tables
from warehouse.star_schema import AD_PERFORMANCE as ADS
from warehouse.star_schema import Table

FIRST = date(2026, 1, 1)
Rates = dict[tuple[str, date], Decimal]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


def with_rates_of(con: duckdb.DuckDBPyConnection, rates: Rates) -> None:
    con.execute("create or replace table int_t__rates (currency text, rate_date date, rate decimal(28, 18))")
    for (currency, day), rate in rates.items():
        con.execute(f"insert into int_t__rates values ('{currency}', '{day}', {rate})")


def converted(fact: str, table: Table) -> str:
    said: dict[str, object] = {"fact": fact, "tenant": "t", "reporting": "EUR", "day": table.date}
    return render("in_reporting_currency", said | {"money": [column.name for column in table.money]})


def in_euros(amount: Decimal | None, currency: str | None, day: date | None, rates: Rates) -> Decimal | None:
    """What a careful person would write beside an amount."""
    if amount is None or amount == 0 or currency == "EUR":
        return amount
    days = [of for code, of in rates if code == currency and day is not None and of <= day]
    exact = amount * rates[currency or "", max(days)] if days else None
    return exact and exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def test_amounts_are_what_a_careful_person_writes_beside_them(con: duckdb.DuckDBPyConnection) -> None:
    draw = Random(4)

    def day() -> date:
        return FIRST + timedelta(days=draw.randrange(60))

    rates: Rates = {(code, day()): Decimal(draw.randrange(1, 10**18)).scaleb(-17) for code in "UG" for _ in range(15)}
    with_rates_of(con, rates)
    rows: list[tuple[Any, ...]] = [
        (
            n,
            draw.choice(["U", "G", "EUR", "BRL", None]),
            draw.choice([day(), day(), FIRST - timedelta(days=1), None]),
            draw.choice([None, Decimal(0), Decimal(draw.randrange(-(10**14), 10**14)).scaleb(-6)]),
        )
        for n in range(800)
    ]
    con.execute(
        "create table facts (n int, currency text, report_date date, spend decimal(18, 6), conversion_value int)"
    )
    con.execute(
        "insert into facts select unnest($1), unnest($2), unnest($3), unnest($4), null",
        [[row[at] for row in rows] for at in range(4)],
    )
    query = converted("select * from facts", ADS)
    found = con.execute(f"select n, currency, report_date, spend, spend_converted from ({query}) order by n").fetchall()
    assert found == [(*row, in_euros(row[3], row[1], row[2], rates)) for row in rows]
    assert sum(row[4] is None and row[3] not in (None, 0) for row in found) > 50  # some have no rate
    assert sum(row[4] is not None and row[4] != row[3] for row in found) > 50


def test_half_a_millionth_is_rounded_away_from_zero(con: duckdb.DuckDBPyConnection) -> None:
    with_rates_of(con, {("USD", FIRST): Decimal("0.5")})
    con.execute(
        f"create table facts as select unnest([0.000001, -0.000001, 0.000003])::decimal(18, 6) as spend,"
        f" 'USD' as currency, date '{FIRST}' as report_date, 0 as conversion_value"
    )
    found = con.execute(f"select spend_converted from ({converted('select * from facts', ADS)}) order by 1").fetchall()
    assert found == [(Decimal("-0.000001"),), (Decimal("0.000001"),), (Decimal("0.000002"),)]


def ads(con: duckdb.DuckDBPyConnection) -> str:
    said: list[Row] = [{"currency": "USD", "spend": 3}, {"currency": "EUR", "spend": 5}, {"currency": None, "spend": 7}]
    fill(con, AD_PERFORMANCE, [AD | each for each in said])
    return render("build_fct_ad_performance", {"tenant": "t"})


def test_other_rates_change_no_column_but_those_they_fill(con: duckdb.DuckDBPyConnection) -> None:
    fact = ads(con)
    plain = con.execute(f"select * from ({fact}) order by performance_key").fetchall()
    seen = []
    for rate in ("0.9", "0.8"):
        with_rates_of(con, {("USD", FIRST): Decimal(rate)})
        rows = con.execute(f"select * from ({converted(fact, ADS)}) order by performance_key").fetchall()
        assert [row[: len(ADS.columns)] for row in rows] == plain
        seen.append(
            {
                row[ADS.columns.index(next(c for c in ADS.columns if c.name == "currency"))]: (row[-4], *row[-2:])
                for row in rows
            }
        )
    assert seen[0]["EUR"] == seen[1]["EUR"] == (5, 1, None)
    assert seen[0][None] == seen[1][None] == (None, None, None)
    assert (seen[0]["USD"], seen[1]["USD"]) == (
        (Decimal("2.7"), Decimal("0.9"), FIRST),
        (Decimal("2.4"), Decimal("0.8"), FIRST),
    )


def test_a_fact_without_rows_has_the_promised_columns_and_types(con: duckdb.DuckDBPyConnection) -> None:
    with_rates_of(con, {})
    fill(con, AD_PERFORMANCE, [])
    query = converted(render("build_fct_ad_performance", {"tenant": "t"}), ADS)
    described = con.execute(f"describe ({query})").fetchall()
    assert [row[:2] for row in described] == [(c.name, c.type) for c in with_rates(ADS, "EUR").columns]
    assert con.execute(query).fetchall() == []


def test_only_a_tenant_with_rates_has_columns_for_them(tyrell: Callable[..., Tenant]) -> None:
    without, with_ = tyrell(currency="EUR"), tyrell(currency="EUR", rates=Path("rates.csv"))
    assert not any(table.converted for table in star_tables(without))
    assert not any(
        "rates" in path or "in_reporting" in text for path, text in star_project(without, BLUEPRINTS).items()
    )
    for table in star_tables(with_):
        assert set(table.converted) == {column.name for column in table.money}
        if table.money:
            shell = star_project(with_, BLUEPRINTS)[f"models/stars/{table.table_name('tyrell_corp')}.sql"]
            assert len(shell.splitlines()) == 2


def test_money_without_a_rate_stops_a_strict_build_and_an_old_rate_does_not(tyrell: Callable[..., Tenant]) -> None:
    tenant = tyrell(currency="EUR", rates=Path("it's {{ mine }}.csv"))
    schema = yaml.safe_load(star_project(tenant, BLUEPRINTS)["models/stars.yml"])["models"]
    for model in schema:
        tests = {name: test for tests in model.get("data_tests", ()) for name, test in tests.items()}
        if model["name"].startswith("dim"):
            assert "every_amount_has_a_rate" not in tests
            continue
        assert "config" not in tests["every_amount_has_a_rate"]
        assert tests["rates_are_recent"]["config"] == {"severity": "warn"}
        assert "{{ mine" not in tests["rates_are_recent"]["arguments"]["file"]
