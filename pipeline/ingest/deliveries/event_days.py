"""The days of the records of a batch, by the contract's date field: what a delivery covers that does not say it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, Leaf, shape_of
from pipeline.contracts.sql import parsed_columns, payload_date


class EventDays:
    """Collects the days of one file's good records: each of them for a daily slice, else the first and the last."""

    def __init__(self, con: duckdb.DuckDBPyConnection, contract: type[Contract]) -> None:
        self._con, self._contract = con, contract
        self.days: set[date] = set()

    def add(self, good: pa.Table) -> None:
        if not self._contract.date_field or not good.num_rows:
            return
        head = self._contract.date_field.partition(".")[0]
        self._con.register("batch_of_days", good.select([head]))
        day = "distinct event_day" if self._contract.daily_slice else "unnest([min(event_day), max(event_day)])"
        rows = self._con.execute(f"select {day} from ({days_query(self._contract, 'batch_of_days')})").fetchall()
        self.days.update(day for (day,) in rows if day is not None)


def days_query(contract: type[Contract], relation: str, columns: Iterable[str] = ()) -> str:
    """SQL that gives `event_day` of each landing row of a relation, NULL without one, and further expressions."""
    shape = shape_of(contract)
    head = contract.date_field.partition(".")[0]
    names = [name for name, inner in shape if not isinstance(inner, Leaf)]
    parsed = [text for name, text in zip(names, parsed_columns(shape), strict=True) if name == head]
    day = payload_date(shape, contract.date_field, fallback="null")
    source = f"select *, {parsed[0]} from {relation}" if parsed else f"select * from {relation}"
    return f"select {', '.join([f'{day} as event_day', *columns])} from ({source})"
