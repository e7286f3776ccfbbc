"""Proposes what each column of a table is for: its role, unit and aggregation, and whether it is personal.

From its type, its name, and whether the table has a currency; what `meta` says wins. A column whose name no expression
can have is for nothing.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass

from semantic.catalog.formula import MetricType
from semantic.definitions.found.column_meta import Aggregation, ColumnMeta, Role, read_meta
from warehouse.star_schema import Column, Table
from warehouse.table_descriptions import ColumnDescription

_METHODS = """
    agg aggregate alias anti_join any_inner_join any_left_join as_scalar as_table asof_join bind cache cast columns
    compile count cross_join describe difference distinct drop drop_null dropna equals execute fill_null fillna
    filter get_backend get_name group_by head info inner_join intersect join left_join limit mutate nunique op
    order_by outer_join pipe pivot_longer pivot_wider preview projection relocate rename right_join rowid sample
    schema select semi_join sql to_array to_csv to_delta to_json to_pandas to_pandas_batches to_parquet
    to_parquet_dir to_polars to_pyarrow to_pyarrow_batches to_sql to_torch to_xlsx topk try_cast unbind union unnest
    unpack value_counts view visualize window_by
"""
METHODS = frozenset(_METHODS.split())
"""Names that an expression over `_`, a table of ibis, reads as a method and not as a column."""
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_NUMBERS = (*INTEGERS, "FLOAT", "DOUBLE")


def words_of(name: str) -> frozenset[str]:
    """The words of a name, in lower case."""
    return frozenset(word for word in re.split(r"[^a-z0-9]+", name.lower()) if word)


_MONEY = words_of(
    "amount arr balance budget charge charges cost costs discount expense fee fees gmv income margin money mrr paid "
    "payment payout price profit refund refunded revenue sales shipping spend subtotal tax total turnover value"
)
_NOT_ADDED = words_of(
    "age average avg day days hour hours index level max mean median min month months number percent percentage "
    "position price probability quantile rank rate rating ratio score share step week weeks year years"
)
_PERSONAL = words_of("email mail phone telephone mobile iban passport ssn birthday birthdate dob ip surname")
_PERSONAL_NAMES = ("first_name", "last_name", "full_name", "given_name", "family_name", "street", "address", "birth")
"""Parts of names of columns about a person; a name of a campaign or a product is none."""


@dataclass(frozen=True, kw_only=True)
class ColumnProposal:
    """What a column of a star's table is for."""

    column: str
    type: str
    role: Role
    aggregation: Aggregation
    """How a money or measure column becomes a metric; none for the others."""
    unit: str | None
    personal: bool
    description: str
    metric: str | None = None
    """The name that meta gives its metric."""
    dimension: str | None = None
    label: str | None = None
    synonyms: tuple[str, ...] = ()


def propose(
    table: Table, types: Mapping[str, str], described: Mapping[str, ColumnDescription]
) -> tuple[ColumnProposal, ...]:
    """Propose what the columns of a built table are for, in their order.

    Args:
        table: Its keys and references are keys, whatever they are called.
        types: The DuckDB type of each column.
        described: What dbt says of them.

    Raises:
        ConfigError: The meta of a column is of another form.
    """
    keys = {*table.grain, *(reference.column for reference in table.references)}
    return tuple(
        _proposal(column, type_, table, described.get(column, ColumnDescription()), is_key=column in keys)
        for column, type_ in types.items()
    )


def sounds_personal(column: str) -> bool:
    """Whether the name of a column is one of data about a person."""
    return not _PERSONAL.isdisjoint(words_of(column)) or any(part in column.lower() for part in _PERSONAL_NAMES)


def is_plain(column: str) -> bool:
    """Whether an expression over `_` can name a column."""
    is_name = column.isascii() and column.isidentifier() and not keyword.iskeyword(column)
    return is_name and column not in METHODS


def metric_type(type_: str) -> MetricType:
    """The type of the sum of a column of numbers."""
    if type_.startswith("DECIMAL("):
        return "decimal"
    return "integer" if type_ in INTEGERS else "number"


def is_number(type_: str) -> bool:
    """Whether a DuckDB type is a number that metrics can add up."""
    return type_ in _NUMBERS or type_.startswith("DECIMAL(")


def _proposal(name: str, type_: str, table: Table, described: ColumnDescription, *, is_key: bool) -> ColumnProposal:
    meta = read_meta(described.meta, ColumnMeta, f"{name} of {table.name}")
    declared = next((column for column in table.columns if column.name == name), Column(name, type_, ""))
    has_currency = any(column.name == "currency" for column in table.columns)
    role = meta.role or _role(name, type_, has_currency=has_currency, is_key=is_key)
    role = role if is_plain(name) else "none"
    aggregation: Aggregation = "none"
    if role in ("money", "measure"):
        aggregation = meta.aggregation or ("sum" if _NOT_ADDED.isdisjoint(words_of(name)) else "average")
    personal = declared.personal if meta.personal is None else meta.personal
    return ColumnProposal(
        column=name,
        type=type_,
        role=role,
        aggregation=aggregation,
        unit=meta.unit or _unit(name, role),
        personal=personal,
        description=described.description or declared.description,
        metric=meta.metric,
        dimension=meta.dimension,
        label=meta.label,
        synonyms=meta.synonyms,
    )


def _role(name: str, type_: str, *, has_currency: bool, is_key: bool) -> Role:
    if is_key or name.endswith(("_key", "_id")):
        return "key"
    if type_ == "BOOLEAN":
        return "flag"
    if type_ == "DATE":
        return "date"
    if is_number(type_):
        is_amount = has_currency and type_ not in INTEGERS and not _MONEY.isdisjoint(words_of(name))
        return "money" if is_amount else "measure"
    return "dimension" if type_ == "VARCHAR" else "none"


def _unit(name: str, role: Role) -> str | None:
    if role == "money":
        return "currency"
    if role == "measure":
        return "seconds" if name.endswith("seconds") else "count"
    return None
