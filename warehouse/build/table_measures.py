"""Measures of a star's tables, in one pass per table: rows, filled columns, broken rules, known keys, rows by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import duckdb

from pipeline.config.slug import Slug
from pipeline.contracts.sql import literal, quote
from pipeline.gates.run_measures import TableMeasures
from warehouse.star_schema import Reference, Table, table_named

BUSINESS_RULES: Mapping[str, Mapping[str, str]] = {
    "clicks_within_impressions": {"ad_performance": "clicks > impressions"},
    "net_within_gross": {"orders": "refunded_amount < 0 or discount_amount < 0{paid}"},
    "totals_not_negative": {"orders": "total_price < 0", "order_items": "item_amount < 0 or quantity < 0"},
}
"""By gate and fact: the condition of a row that breaks the rule. What a row does not say breaks none."""
PAID = " or net_paid_amount > total_price"
"""Of orders with payments."""
FUTURE = "dates_not_in_future"


@dataclass(frozen=True)
class MeasuredTable:
    """What one pass over a table gives."""

    table: Table
    measures: TableMeasures
    broken: Mapping[str, int] = field(default_factory=dict)
    """By gate: the rows that break its rule."""
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By column of a reference: the keys of sources that send the dimension, and those that it names."""
    days: Mapping[date, int] = field(default_factory=dict)
    """Rows by day."""


def measure_table(star: duckdb.DuckDBPyConnection, table: Table, slug: Slug, today: date) -> MeasuredTable:
    """Measure a table that has all its promised columns, in one pass over it."""
    counted = dict(_counted(table, slug, today))
    day = quote(table.date) if table.date else "null::date"
    columns = ", ".join(f"{sql} as {quote(name)}" for name, sql in counted.items())
    sums = ", ".join(f"coalesce(sum({quote(name)}), 0)::bigint" for name in counted)
    row = star.execute(
        f"""with by_day as (select {day} as _day, {columns} from {quote(table.table_name(slug))} group by 1)
        select map_from_entries(list((_day, "rows")) filter (where _day is not null)), {sums} from by_day"""
    ).fetchall()[0]
    values = dict(zip(counted, row[1:], strict=True))
    filled = {name.removeprefix("filled "): n for name, n in values.items() if name.startswith("filled ")}
    keyed = {name.removeprefix("keyed "): n for name, n in values.items() if name.startswith("keyed ")}
    return MeasuredTable(
        table=table,
        measures=TableMeasures(table=table.name, rows=values["rows"], filled=filled),
        broken={name.removeprefix("broken "): n for name, n in values.items() if name.startswith("broken ")},
        keys={column: (n, values[f"known {column}"]) for column, n in keyed.items()},
        days=row[0] or {},
    )


def broken_rules(table: Table, today: date) -> dict[str, str]:
    """By gate: the condition of a row of the table that breaks its rule."""
    paid = PAID if any(column.name == "net_paid_amount" for column in table.columns) else ""
    rules = {gate: of[table.name].format(paid=paid) for gate, of in BUSINESS_RULES.items() if table.name in of}
    if table.date:
        rules[FUTURE] = f"{quote(table.date)} > date {literal(today.isoformat())} + 1"  # it is tomorrow somewhere
    return rules


def unknown_key(reference: Reference, slug: Slug) -> tuple[str, str] | None:
    """Conditions of a fact's row: its key counts, and its key is not named by the dimension's export.

    A key counts where the row's source sends the dimension at all. None of a reference to a fact: the test
    `relationships` finds every key without a row.
    """
    to = table_named(reference.to)
    if not any(column.name == "is_inferred" for column in to.columns):
        return None
    name, column = quote(to.table_name(slug)), quote(reference.column)
    sends = (
        f"{column} is not null and (source_platform, source_account) in"
        f" (select (source_platform, source_account) from {name} where not is_inferred)"
    )
    return sends, f"{column} in (select {quote(reference.to_column)} from {name} where is_inferred)"


def _counted(table: Table, slug: Slug, today: date) -> Iterator[tuple[str, str]]:
    """The aggregates of the pass, by name."""
    yield "rows", "count(*)"
    for column in table.columns:
        if not column.required:
            yield f"filled {column.name}", f"count({quote(column.name)})"
    for gate, condition in broken_rules(table, today).items():
        yield f"broken {gate}", f"count(*) filter (where {condition})"
    for reference in table.references if not table.is_dimension else ():
        if conditions := unknown_key(reference, slug):
            sends, unknown = conditions
            yield f"keyed {reference.column}", f"count(*) filter (where {sends})"
            yield f"known {reference.column}", f"count(*) filter (where {sends} and not {unknown})"
