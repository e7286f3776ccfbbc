"""Which dimensions a fact reaches: its own columns, then the nearest table along many-to-one references."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping

from warehouse.star_schema import Table


def find_path(fact: str, homes: Container[str], tables: Mapping[str, Table]) -> tuple[str, ...] | None:
    """The tables to join, in order, from a fact to the nearest home; empty for the fact itself, None where none is.

    Every step goes from many rows to one (`introspect` proved it), so no path ever multiplies a row.
    """
    waiting: deque[tuple[str, tuple[str, ...]]] = deque([(fact, ())])
    seen = {fact}
    while waiting:
        table, path = waiting.popleft()
        if table in homes:
            return path
        for reference in tables[table].references:
            if reference.to in tables and reference.to not in seen:
                seen.add(reference.to)
                waiting.append((reference.to, (*path, reference.to)))
    return None
