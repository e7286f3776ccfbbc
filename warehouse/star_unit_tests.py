"""The engines' cases as dbt unit tests of the canonical tables. `gata build` leaves them out; `make test` runs them.

A test gives its model every input: the case's records, parsed as the intermediate view parses them, and nothing in the
views of other objects and engines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.contracts.sql import literal, struct_json
from pipeline.registry import Blueprint
from pipeline.tenants import Tenant
from warehouse.canonical import CANONICAL, Canonical
from warehouse.engine_cases import CASES, Case, Rows
from warehouse.engines import Engine, engines_of
from warehouse.star_models import KEPT, plain
from warehouse.star_tests import Tree

Blueprints = Mapping[tuple[str, str], Blueprint]
NOTHING = Case("no records", {}, ())


def unit_tests(tenant: Tenant, blueprints: Blueprints) -> list[Tree]:
    """One unit test per engine that the tenant's star uses."""
    return [
        _unit_test(tenant, blueprints, canonical, engine)
        for canonical in CANONICAL
        for engine, _ in engines_of(tenant, canonical.name)
    ]


def _unit_test(tenant: Tenant, blueprints: Blueprints, canonical: Canonical, engine: Engine) -> Tree:
    pattern = tenant.conversion_pattern(engine.platform)
    case = CASES[engine.macro](plain(pattern) if pattern else None)
    given = [
        {"input": f"ref('int_{tenant.slug}__{name}')", "format": "sql", "rows": sql}
        for other, _ in engines_of(tenant, canonical.name)
        for name, sql in _inputs(other, blueprints, case if other is engine else NOTHING).items()
    ]
    return {
        "name": f"{engine.macro}__{tenant.slug}",
        "description": case.sentence,
        "model": canonical.table_name(tenant.slug),
        "given": given,
        "expect": {"rows": [dict(row) for row in case.expected]},
    }


def _inputs(engine: Engine, blueprints: Blueprints, case: Case) -> dict[str, str]:
    """What the model reads for one engine: input name to a select of its rows."""
    inputs = {}
    for name in engine.objects:
        rows = case.records.get(name, ())
        inputs[f"{engine.platform}_{name}"] = _parsed(blueprints[engine.platform, name], rows)
    for name in engine.history:
        rows = case.records.get(name, ())
        inputs[f"{engine.platform}_{name}_history"] = _parsed(blueprints[engine.platform, name], rows, is_history=True)
    for canonical in CANONICAL:
        if canonical.name in engine.canonical:
            inputs[canonical.name] = _typed(canonical, case.canonical.get(canonical.name, ()))
    return inputs


def _parsed(blueprint: Blueprint, records: Rows, *, is_history: bool = False) -> str:
    """Rows of an intermediate view: the records parsed by contract."""
    times = ("in_force_from", "in_force_to") if is_history else ()
    kept = {
        "tenant_skey": "'key ' || n",
        "source_account": "'main'",
        "source_position": "n",
        "exported_at": "timestamp '2026-03-01'",
        "raw_data_payload": "payload",
    }
    columns = [
        *(f"{kept[name]} as {name}" for name in KEPT),
        *(f"cast(payload ->> '{name}' as timestamp) as {name}" for name in times),
        f"unnest(from_json(payload, {literal(struct_json(blueprint.shape))}))",
    ]
    values = ",\n    ".join(
        f"({n}::bigint, {literal(json.dumps(row))}::json)" for n, row in enumerate(records or [{}], 1)
    )
    return (
        "select\n    "
        + ",\n    ".join(columns)
        + f"\nfrom (values\n    {values}\n) as records (n, payload)"
        + ("" if records else "\nwhere false")
    )


def _typed(canonical: Canonical, rows: Rows) -> str:
    """Rows of a canonical table; columns a row leaves out are NULL."""
    selects = []
    for row in rows or [{}]:
        values = (
            f"cast({_literal(row.get(column.name))} as {column.type}) as {column.name}" for column in canonical.columns
        )
        selects.append("select\n    " + ",\n    ".join(values))
    return "\nunion all\n".join(selects) + ("" if rows else "\nwhere false")


def _literal(value: object) -> str:
    return "null" if value is None else literal(str(value))
