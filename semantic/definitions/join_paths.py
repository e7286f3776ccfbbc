"""Finds the join path from a fact to a dimension: its own columns, else the nearest table by many-to-one references."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping

from warehouse.star_schema import Table


def find_path(fact: str, holders: Container[str], tables: Mapping[str, Table]) -> tuple[str, ...] | None:
    """Find the tables to join, in order, from a fact to the nearest holder; empty for the fact itself, None if none.

    Every step goes from many rows to one (`validate_run` checks it), so no path multiplies a row.
    """
    queue: deque[tuple[str, tuple[str, ...]]] = deque([(fact, ())])
    seen = {fact}
    while queue:
        table, path = queue.popleft()
        if table in holders:
            return path
        for reference in tables[table].references:
            if reference.to in tables and reference.to not in seen:
                seen.add(reference.to)
                queue.append((reference.to, (*path, reference.to)))
    return None
