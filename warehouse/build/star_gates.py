"""Gates of a star that no test of dbt is: columns, rows, business rules, NULLs, totals, volume, known keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import literal, quote
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.bands import spreads_away, usual_of_weekday
from pipeline.gates.finding import FindingKind
from pipeline.gates.gate_result import GateResult, judge, percent
from pipeline.gates.run_measures import TableMeasures
from warehouse.build.table_measures import (
    BUSINESS_RULES,
    FUTURE,
    MeasuredTable,
    broken_rules,
    measure_table,
    unknown_key,
)
from warehouse.star_schema import Table

MEASURED = (
    *("foreign_keys", "promised_columns", "minimum_rows", *BUSINESS_RULES, FUTURE),
    *("null_rates", "totals_match", "volume_band"),
)
"""The gates that are judged here; where all are off nothing is measured."""
SAMPLES = 5
DAYS_JUDGED = 7
LEAST_ROWS_OF_A_DAY = 20
"""A day that has fewer rows, and usually has, is too small to be unusual."""
TOTALS: Mapping[str, tuple[str, Sequence[str]]] = {
    "ad_performance": (
        "from {of} where is_counted",
        ("sum(spend)", "sum(impressions)", "sum(clicks)", "sum(conversion_value)"),
    ),
    "orders": ("from {of}", ("count(*)", "sum(total_price)", "sum(refunded_amount)")),
}
"""By fact: the rows of the canonical table that it is made of, and the numbers that both have."""
_BROKEN = {
    "clicks_within_impressions": "{n} rows of {table} have more clicks than impressions.",
    "net_within_gross": "{n} rows of {table} have a net above their gross.",
    "totals_not_negative": "{n} rows of {table} have an amount or a quantity below 0.",
    FUTURE: "{n} rows of {table} are of days after {today}.",
}
_COLUMNS = {
    "clicks_within_impressions": ("clicks", "impressions"),
    "net_within_gross": ("refunded_amount", "discount_amount", "net_paid_amount"),
    "totals_not_negative": ("total_price", "item_amount", "quantity"),
}
"""By gate: the columns that answers read where the finding touches them."""


def star_results(
    star: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    tables: Sequence[Table],
    rules: GateRules,
    *,
    today: date,
    before: Iterable[TableMeasures] = (),
) -> tuple[list[GateResult], list[TableMeasures]]:
    """Measure the tables of a star, each in one pass, and judge what was measured.

    Args:
        star: Its file.
        tenant: Whose star it is.
        tables: As promised.
        rules: Severities and thresholds of the tenant.
        today: Later days are in the future.
        before: The measures of the last published run.
    """
    if not any(rules.is_on(gate) for gate in MEASURED):
        return [], []
    results: list[GateResult] = []
    measures: list[TableMeasures] = []
    earlier = {each.table: each for each in before}
    missing = _missing_columns(star, tenant.slug, tables)
    for table in tables:
        name, wrong = f"{table.kind} {table.name}", missing[table.name]
        if rules.is_on("promised_columns"):
            sentence = f"{name} is not as promised: {', '.join(wrong[:SAMPLES])}."
            results.append(judge(rules, "promised_columns", table.name, len(wrong), sentence))
        if wrong:
            continue
        measured = measure_table(star, table, tenant.slug, today)
        measures.append(measured.measures)
        results += _of_table(star, measured, tenant, rules, today)
        results += _null_rates(measured.measures, earlier.get(table.name), rules)
        results += _volume(measured, rules)
        if table.name in TOTALS and rules.is_on("totals_match"):
            results += _totals(star, table, tenant.slug, rules)
    return results, measures


def _missing_columns(star: duckdb.DuckDBPyConnection, slug: Slug, tables: Sequence[Table]) -> dict[str, list[str]]:
    """By table: the promised columns that it does not have, or has in another type."""
    rows = star.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = current_database()"
    ).fetchall()
    types = {(table, column): type_ for table, column, type_ in rows}
    found = {}
    for table in tables:
        wrong = []
        for column in table.columns:
            is_type = types.get((table.table_name(slug), column.name))
            if is_type is None:
                wrong.append(f"{column.name} is missing")
            elif not _same(is_type, column.type):
                wrong.append(f"{column.name} is {is_type}, not {column.type}")
        found[table.name] = wrong
    return found


def _same(type_: str, promised: str) -> bool:
    return type_.replace(" ", "").lower() == promised.replace(" ", "").lower()


def _of_table(
    star: duckdb.DuckDBPyConnection, measured: MeasuredTable, tenant: Tenant, rules: GateRules, today: date
) -> Iterator[GateResult]:
    table, rows = measured.table, measured.measures.rows
    is_expected = not table.may_be_empty and table.domain in tenant.domains
    if not table.is_dimension and is_expected and rules.is_on("minimum_rows"):
        yield judge(rules, "minimum_rows", table.name, rows, f"{table.name} has {rows} rows.")
    for gate, count in measured.broken.items():
        if rules.is_on(gate):
            condition = broken_rules(table, today)[gate]
            columns = {column.name for column in table.columns}
            yield judge(
                rules,
                gate,
                table.name,
                count,
                _BROKEN[gate].format(n=count, table=table.name, today=today),
                samples=_samples(star, table, tenant.slug, condition) if count else (),
                kind=FindingKind.UNUSUAL_VALUES,
                facts=(table.name,),
                columns=tuple(name for name in _COLUMNS.get(gate, ()) if name in columns),
                records=count,
                weight=min(1.0, count / rows) if rows else 0.0,
            )
    for reference in table.references if rules.is_on("foreign_keys") else ():
        keyed, known = measured.keys.get(reference.column, (0, 0))
        conditions = unknown_key(reference, tenant.slug)
        if keyed and conditions:
            share = Decimal(known) / keyed
            sentence = (
                f"{percent(share)} of the {keyed} rows of {table.name} with a {reference.column} have one that the "
                f"export of {reference.to} names."
            )
            is_unknown = " and ".join(conditions)
            samples = _samples(star, table, tenant.slug, is_unknown) if known < keyed else ()
            yield judge(
                rules,
                "foreign_keys",
                table.name,
                share,
                sentence,
                samples=samples,
                kind=FindingKind.UNLINKED_ROWS,
                records=keyed - known,
            )


def _samples(star: duckdb.DuckDBPyConnection, table: Table, slug: Slug, condition: str) -> tuple[str, ...]:
    """Keys of a few rows, of a fact alone: its keys are made by us, and say nothing about a person."""
    if table.is_dimension or len(table.grain) != 1:
        return ()
    key = quote(table.grain[0])
    rows = star.execute(
        f"select {key}::varchar from {quote(table.table_name(slug))} where {condition} order by all limit {SAMPLES}"
    ).fetchall()
    return tuple(key for (key,) in rows)


def _null_rates(now: TableMeasures, before: TableMeasures | None, rules: GateRules) -> Iterator[GateResult]:
    """One result for each table: of the column whose share of NULL rose most."""
    if not rules.is_on("null_rates") or not now.rows:
        return
    rises = {}
    for column in now.filled:
        earlier, share = before.null_share(column) if before else None, now.null_share(column)
        if earlier is not None and share is not None:
            rises[column] = (Decimal(repr(share)) - Decimal(repr(earlier)), earlier, share)
    if not rises:
        yield judge(rules, "null_rates", now.table, None, "")
        return
    column, (rise, earlier, share) = max(rises.items(), key=lambda each: each[1][0])
    sentence = (
        f"{column} of {now.table} is NULL in {share:.1%} of the rows, and was in {earlier:.1%} in the last "
        f"published run."
    )
    value = max(Decimal(0), rise.quantize(Decimal("0.000001")))
    yield judge(rules, "null_rates", now.table, value, sentence, facts=(now.table,), columns=(column,))


def _volume(measured: MeasuredTable, rules: GateRules) -> Iterator[GateResult]:
    """One result for each fact: of the most unusual of its last complete days."""
    table, days = measured.table, {day: Decimal(rows) for day, rows in measured.days.items()}
    if table.is_dimension or not days or not rules.is_on("volume_band"):
        return
    last = max(days)  # it may not be over
    found = []
    for back in range(1, DAYS_JUDGED + 1):
        day = last - timedelta(days=back)
        band = usual_of_weekday(days, day)
        if band and max(days.get(day, Decimal(0)), band.middle) >= LEAST_ROWS_OF_A_DAY:
            found.append((spreads_away(days.get(day, Decimal(0)), band), day, band.middle))
    if not found:
        yield judge(rules, "volume_band", table.name, None, "")
        return
    value, day, middle = max(found)
    sentence = (
        f"{table.name} has {int(days.get(day, 0))} rows of {day}, and {middle.normalize():f} are usual on that weekday."
    )
    yield judge(
        rules,
        "volume_band",
        table.name,
        value,
        sentence,
        kind=FindingKind.UNUSUAL_DAY,  # of no fact: answers say what a key figure of that day is
        first_day=day,
        last_day=day,
    )


def _totals(star: duckdb.DuckDBPyConnection, table: Table, slug: Slug, rules: GateRules) -> Iterator[GateResult]:
    """The numbers of a fact beside those of the canonical table that the sinks' records became."""
    rows, numbers = TOTALS[table.name]
    of = quote(f"int_{slug}__{table.name}")
    fact = quote(table.table_name(slug))
    listed = ", ".join(numbers)
    ((is_there,),) = star.execute(
        f"select count(*) from duckdb_tables() where table_name = {literal(f'int_{slug}__{table.name}')}"
    ).fetchall()
    if not is_there:
        return
    (made,), (sent,) = (
        star.execute(f"select {listed} {each}").fetchall() for each in (f"from {fact}", rows.format(of=of))
    )
    differences = [
        (abs(Decimal(one or 0) - Decimal(other or 0)), number, one or 0, other or 0)
        for number, one, other in zip(numbers, made, sent, strict=True)
    ]
    value, number, one, other = max(differences)
    sentence = f"{number} of {table.name} is {one}, and {other} in the records of the sinks that it is made of."
    yield judge(rules, "totals_match", table.name, value, sentence, facts=(table.name,))
