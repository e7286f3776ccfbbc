"""The engines' cases as dbt unit tests of the canonical tables. `gata build` leaves them out; `make test` runs them.

A test gives its model every input: the case's records, parsed as the intermediate view parses them, and nothing in the
views of other objects and engines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.contracts.sql import literal, quote, struct_json
from pipeline.registry import Blueprint
from pipeline.tenants import Tenant
from warehouse.canonical import CANONICAL, Canonical
from warehouse.engine_cases import CASES, Case, Rows
from warehouse.engines import Engine, engines_of
from warehouse.star_models import KEPT

Blueprints = Mapping[tuple[str, str], Blueprint]
Tree = dict[str, object]


def unit_tests(tenant: Tenant, blueprints: Blueprints) -> list[Tree]:
    """One unit test per engine that the tenant's star uses."""
    tests = []
    for canonical in CANONICAL:
        engines = engines_of(tenant, canonical.name)
        for engine, source in engines:
            case = CASES[engine.macro](tenant.conversion_pattern(source.platform))
            given = [
                _input(tenant, name, sql)
                for other, _ in engines
                for name, sql in _inputs(other, blueprints, case if other is engine else None).items()
            ]
            tests.append(
                {
                    "name": f"{engine.macro}__{tenant.slug}",
                    "description": case.sentence,
                    "model": canonical.table_name(tenant.slug),
                    "given": given,
                    "expect": {"rows": [dict(row) for row in case.expected]},
                }
            )
    return tests


def _input(tenant: Tenant, name: str, sql: str) -> Tree:
    return {"input": f"ref('int_{tenant.slug}__{name}')", "format": "sql", "rows": sql}


def _inputs(engine: Engine, blueprints: Blueprints, case: Case | None) -> dict[str, str]:
    """What the model reads for one engine: input name to a select of its rows."""
    inputs = {}
    for name in engine.objects:
        inputs[f"{engine.platform}_{name}"] = _parsed(
            blueprints[engine.platform, name], case.records.get(name, ()) if case else ()
        )
    for name in engine.history:
        rows = case.records.get(name, ()) if case else ()
        inputs[f"{engine.platform}_{name}_history"] = _parsed(blueprints[engine.platform, name], rows, is_history=True)
    for canonical in CANONICAL:
        if canonical.name in engine.canonical:
            inputs[canonical.name] = _typed(canonical, case.canonical.get(canonical.name, ()) if case else ())
    return inputs


def _parsed(blueprint: Blueprint, records: Rows, *, is_history: bool = False) -> str:
    """Rows of an intermediate view: the records parsed by contract."""
    times = ("in_force_from", "in_force_to") if is_history else ()
    kept = {
        "tenant_skey": "'key ' || position",
        "source_account": "'main'",
        "source_position": "position",
        "exported_at": "timestamp '2026-03-01'",
        "raw_data_payload": "payload",
    }
    columns = [
        *(f"{kept[name]} as {name}" for name in KEPT),
        *(f"cast(payload ->> '{name}' as timestamp) as {name}" for name in times),
        *(f"record.{quote(name)} as {quote(name)}" for name, _ in blueprint.shape),
    ]
    rows = ", ".join(f"({n}, {literal(json.dumps(record))})" for n, record in enumerate(records or [{}], 1))
    return (
        f"select {', '.join(columns)} from (select position::bigint as position, payload::json as payload, "
        f"from_json(payload::json, {literal(struct_json(blueprint.shape))}) as record "
        f"from (values {rows}) as records (position, payload)){'' if records else ' where false'}"
    )


def _typed(canonical: Canonical, rows: Rows) -> str:
    """Rows of a canonical table; columns a row leaves out are NULL."""
    selects = []
    for row in rows or [{}]:
        values = (
            f"cast({'null' if (value := row.get(column.name)) is None else literal(str(value))} as {column.type}) as {column.name}"
            for column in canonical.columns
        )
        selects.append("select " + ", ".join(values))
    return " union all ".join(selects) + ("" if rows else " where false")
