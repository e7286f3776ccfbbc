"""What the earlier loads of a source were seen to hold, by the hub's schema history, and how a new load differs."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.config.tenant import Tenant

HISTORY = "platform_sat__source_schema_history"

Key = tuple[str, str, str]
"""Platform, account, object."""


@dataclass(frozen=True)
class EarlierShapes:
    """The shape of one table's pushed loads."""

    steady: frozenset[str] = frozenset()
    """Fields of the contract that, since the first load that held them, every load held."""
    unknown: frozenset[str] = frozenset()
    """Fields that any load held and the contract does not know."""


@dataclass(frozen=True)
class _Seen:
    fields: frozenset[str]
    unknown: frozenset[str]
    first_at: datetime
    last_at: datetime


def earlier_shapes(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> dict[Key, EarlierShapes]:
    """What is known of each table of a tenant; nothing where none was ever pushed."""
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
    shapes: dict[Key, list[_Seen]] = {}
    for *key, fields, unknown, first_at, last_at in rows:
        shapes.setdefault((key[0], key[1], key[2]), []).append(
            _Seen(frozenset(fields), frozenset(unknown), first_at, last_at)
        )
    return {
        key: EarlierShapes(frozenset(_steady(seen)), frozenset().union(*(s.unknown for s in seen)))
        for key, seen in shapes.items()
    }


def _steady(shapes: list[_Seen]) -> Iterator[str]:
    for field in frozenset().union(*(shape.fields for shape in shapes)):
        since = min(shape.first_at for shape in shapes if field in shape.fields)
        if all(field in shape.fields for shape in shapes if shape.last_at > since):
            yield field


def differences(before: EarlierShapes, names: AbstractSet[str], unknown: AbstractSet[str]) -> Iterator[str]:
    """What a load with records brings for the first time or no longer, told once: afterwards the history has it.

    Args:
        names: All fields that its files have, with a value or without.
        unknown: Those among them that the contract does not know.
    """
    if new := unknown - before.unknown:
        yield f"fields the contract does not know, kept in _extra: {', '.join(sorted(new))}"
    if gone := before.steady - names:
        yield f"fields that every load held so far are gone: {', '.join(sorted(gone))}"
