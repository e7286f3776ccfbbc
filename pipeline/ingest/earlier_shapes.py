"""Shapes of earlier loads of a source, from the hub's schema history, and the differences of a new load."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.config.tenant import Tenant

HISTORY = "platform_sat__source_schema_history"

NAMES_SHOWN = 50
"""Fields that one finding names."""
NESTED_SHOWN = 10
"""Nested fields that one finding names: an order of a shop has dozens that no contract needs."""

Key = tuple[str, str, str]
"""Platform, account, object."""


@dataclass(frozen=True)
class EarlierShapes:
    """The shape of one table's pushed loads."""

    steady: frozenset[str] = frozenset()
    """Fields of the contract that every load had since the first load with them."""
    unknown: frozenset[str] = frozenset()
    """Fields of any load that the contract does not know."""


@dataclass(frozen=True)
class _ObservedShape:
    fields: frozenset[str]
    unknown: frozenset[str]
    first_at: datetime
    last_at: datetime


def earlier_shapes(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> dict[Key, EarlierShapes]:
    """The earlier shapes of each table of a tenant; none for a table that was never pushed."""
    if not hub.execute(
        "select 1 from duckdb_tables() where schema_name = 'main' and table_name = ?", [HISTORY]
    ).fetchall():
        return {}
    rows = hub.execute(
        f"""select source_platform, source_account, source_object,
            list_transform(observed_fields, lambda f: regexp_replace(f, ':[A-Z]+$', '')),
            unknown_fields, first_seen_at, last_seen_at
        from {HISTORY} where tenant_slug = ?""",
        [tenant.slug],
    ).fetchall()
    shapes: dict[Key, list[_ObservedShape]] = {}
    for *key, fields, unknown, first_at, last_at in rows:
        shapes.setdefault((key[0], key[1], key[2]), []).append(
            _ObservedShape(frozenset(fields), frozenset(unknown), first_at, last_at)
        )
    return {
        key: EarlierShapes(frozenset(_steady(observed)), frozenset().union(*(s.unknown for s in observed)))
        for key, observed in shapes.items()
    }


def _steady(shapes: list[_ObservedShape]) -> Iterator[str]:
    for field in frozenset().union(*(shape.fields for shape in shapes)):
        since = min(shape.first_at for shape in shapes if field in shape.fields)
        if all(field in shape.fields for shape in shapes if shape.last_at > since):
            yield field


def differences(before: EarlierShapes, names: AbstractSet[str], unknown: AbstractSet[str]) -> Iterator[str]:
    """New and vanished fields of a load with records, reported once: afterwards the history has them.

    Args:
        names: All fields of its files, with a value or without.
        unknown: Those of them that the contract does not know.
    """
    if new := unknown - before.unknown:
        yield f"fields the contract does not know, kept in _extra: {_first(new)}"
    if gone := before.steady - names:
        yield f"fields that every load held so far are gone: {', '.join(sorted(gone))}"


def nested_differences(before: AbstractSet[str], unknown: AbstractSet[str]) -> Iterator[str]:
    """What a load brings for the first time inside the fields that the contract knows; the first few by name."""
    if new := sorted(unknown - before):
        yield f"nested fields the contract does not know, kept in place: {_first(new, NESTED_SHOWN)}"


def _first(names: Collection[str], most: int = NAMES_SHOWN) -> str:
    """The first of some names, and the number of the others."""
    listed = sorted(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return f"{', '.join(listed[:most])}{more}"
