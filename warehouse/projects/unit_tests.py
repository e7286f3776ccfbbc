"""Cases of engines as dbt unit tests of the canonical tables, written on demand: no build parses them.

A test gives its model every input: the case's records, parsed as the intermediate view parses them, and nothing in the
views of other objects and engines.
"""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Case, Rows, unit_test_cases
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine
from pipeline.contracts.registry import Blueprint, Blueprints
from pipeline.contracts.sql import literal, struct_json
from warehouse.projects.canonical_tables import CANONICAL, Canonical
from warehouse.projects.engines import engines_of
from warehouse.projects.properties.property_file import Tree, generated_yaml
from warehouse.projects.properties.star_columns import KEPT
from warehouse.projects.reference_tables import reference_rows
from warehouse.projects.star_models import without_quotes

NOTHING = Case("no records", {}, ())


def unit_test_files(tenant: Tenant, blueprints: Blueprints) -> dict[str, str]:
    """The file to add to a tenant's star project before `dbt test --select test_type:unit`."""
    return {"models/unit_tests.yml": generated_yaml({"unit_tests": unit_tests(tenant, blueprints)})}


def unit_tests(tenant: Tenant, blueprints: Blueprints) -> list[Tree]:
    """One unit test per engine that the tenant's star uses, with the first source of those that share it."""
    chosen: dict[str, tuple[Canonical, Engine, Source]] = {}
    for canonical in CANONICAL:
        for engine, source in engines_of(tenant, canonical.name):
            chosen.setdefault(engine.macro, (canonical, engine, source))
    return [_unit_test(tenant, blueprints, *each) for each in chosen.values()]


def _unit_test(tenant: Tenant, blueprints: Blueprints, canonical: Canonical, engine: Engine, source: Source) -> Tree:
    pattern = tenant.conversion_pattern(source.platform)
    case = unit_test_cases(source.reads_as)[engine.macro](without_quotes(pattern) if pattern else None)
    engines = engines_of(tenant, canonical.name)
    references = sorted({name for other, _ in engines for name in other.references})
    inputs: dict[str, str] = {}
    for other, its in engines:
        inputs |= _inputs(other, its, blueprints, NOTHING)
    inputs |= _inputs(engine, source, blueprints, case)  # last: another engine may read the same table
    given = [
        {"input": f"source('hub', '{name}')", "format": "sql", "rows": reference_rows(name)} for name in references
    ]
    given += [
        {"input": f"ref('int_{tenant.slug}__{name}')", "format": "sql", "rows": sql} for name, sql in inputs.items()
    ]
    return {
        "name": f"{engine.macro}__{tenant.slug}",
        "description": case.sentence,
        "model": canonical.table_name(tenant.slug),
        "given": given,
        "expect": {"rows": resolve_expected(case, tenant, source)},
    }


def resolve_expected(case: Case, tenant: Tenant, source: Source) -> list[dict[str, object]]:
    """The rows a case expects of a tenant's source, every row with the columns of the first in their order.

    Raises:
        ValueError: The rows of the case are not of the same columns; dbt would compare the wrong ones.
    """
    columns = list(case.expected[0])
    if any(row.keys() != case.expected[0].keys() for row in case.expected):
        raise ValueError(f"The rows of a case have the same columns: {case.sentence}.")
    rows = [{name: row[name] for name in columns} for row in case.expected]
    return [{name: value(tenant, source) if callable(value) else value for name, value in row.items()} for row in rows]


def _inputs(engine: Engine, source: Source, blueprints: Blueprints, case: Case) -> dict[str, str]:
    """The inputs of the model for one engine: input name to a select of its rows."""
    inputs = {}
    for name in engine.objects:
        rows = case.records.get(name, ())
        inputs[f"{source.platform}_{name}"] = parsed_rows(blueprints[source.platform, name], rows)
    for name in engine.history:
        rows = case.records.get(name, ())
        inputs[f"{source.platform}_{name}_history"] = parsed_rows(
            blueprints[source.platform, name], rows, is_history=True
        )
    for canonical in CANONICAL:
        if canonical.name in engine.canonical:
            inputs[canonical.name] = typed_rows(canonical, case.canonical.get(canonical.name, ()))
    return inputs


def parsed_rows(blueprint: Blueprint, records: Rows, *, is_history: bool = False) -> str:
    """Rows of an intermediate view: the records parsed by contract, of the account and export they name, if they do."""
    times = ("in_force_from", "in_force_to") if is_history else ()
    kept = {
        "tenant_skey": "'key ' || n",
        "source_account": "coalesce(payload ->> '_account', 'main')",
        "source_position": "n",
        "exported_at": "coalesce(cast(payload ->> '_exported_at' as timestamp), timestamp '2026-03-01')",
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


def typed_rows(canonical: Canonical, rows: Rows) -> str:
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
