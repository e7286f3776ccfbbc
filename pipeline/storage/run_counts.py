"""Counts of a run: what a step took and left, and what of one table and partition came through it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class StepCounts:
    """Rows and bytes of one step of one tenant; None where such a step has none, or failed before it counted them."""

    rows_in: int | None = None
    rows_out: int | None = None
    quarantined: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class TableCounts:
    """The rows of one table and partition that went into a step, and where each of them is now."""

    layer: str
    """landing, sink or published."""
    table_name: str
    partition_value: str
    input_rows: int
    output_rows: int
    quarantine_rows: int = 0
    lost_rows: int = 0
    """Rows that are left out on purpose; `loss` says why."""
    loss: str | None = None
    bytes: int | None = None
    is_within_gates: bool = True
    """Whether no gate of the step failed for this table."""

    @property
    def reconciles(self) -> bool:
        """Whether every row that went in is in the table, in quarantine, or left out for a stated reason."""
        return self.input_rows == self.output_rows + self.quarantine_rows + self.lost_rows and self.lost_rows >= 0

    @property
    def quality_checks_passed(self) -> bool:
        return self.reconciles and self.is_within_gates


def step_total(tables: Iterable[TableCounts]) -> StepCounts:
    """The counts of a step over the tables that it counted: its row in the ledger cannot differ from their records."""
    listed = list(tables)
    sizes = [table.bytes for table in listed if table.bytes is not None]
    return StepCounts(
        sum(table.input_rows for table in listed),
        sum(table.output_rows for table in listed),
        sum(table.quarantine_rows for table in listed),
        sum(sizes) if sizes else None,
    )
