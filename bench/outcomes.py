"""The table of what became of injected faults: a line for each place or kind, a column for each outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from rich.table import Table

Outcome = TypeVar("Outcome", bound=Enum)


def outcome_table(heading: str, kinds: type[Outcome], outcomes: Mapping[str, Counter[Outcome]]) -> Table:
    """The faults of each line by their outcome, and of all."""
    table = Table(heading, *(outcome.value for outcome in kinds))
    for name, counts in sorted(outcomes.items()):
        table.add_row(name, *(str(counts[outcome] or "") for outcome in kinds))
    total = Counter[Outcome]()
    for counts in outcomes.values():
        total.update(counts)
    table.add_row("all", *(str(total[outcome]) for outcome in kinds))
    return table
