"""The tests of columns as SQL, and what they find as sentences."""

from __future__ import annotations

from pipeline.contracts.sql import literal, quote
from warehouse.own_models.own_models import OwnModel
from warehouse.own_models.schema_file import ColumnTest, Value


def failures_query(model: OwnModel, test: ColumnTest) -> str:
    """A SELECT of how many rows, or values of `unique`, fail a test."""
    table, column = f"{quote(model.name)} as tested", f"tested.{quote(test.column)}"
    if test.test == "unique":
        repeated = f"select {column} from {table} where {column} is not null group by 1 having count(*) > 1"
        return f"select count(*) from ({repeated})"
    return f"select count(*) from {table} where {_fails(test, column)}"


def _fails(test: ColumnTest, column: str) -> str:
    """The condition of a row that fails; a NULL fails not_null alone."""
    if test.test == "not_null":
        return f"{column} is null"
    if test.test == "accepted_values":
        return f"{column} not in ({', '.join(map(_value, test.values))})"
    found = f"select 1 from {quote(test.to)} as other where other.{quote(test.to_column)} = {column}"
    return f"{column} is not null and not exists ({found})"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return literal(value) if isinstance(value, str) else repr(value)


def failures_sentence(model: OwnModel, test: ColumnTest, failures: int) -> str:
    """What a test found; it quotes no value of a row."""
    column, table = test.column, model.name
    return {
        "unique": f"{failures} values of {column} are in {table} more than once.",
        "not_null": f"{failures} rows of {table} have no {column}.",
        "accepted_values": f"{failures} rows of {table} have a {column} that is none of its accepted values.",
        "relationships": f"{failures} rows of {table} have a {column} that {test.to} does not have.",
    }[test.test]
