"""The dbt projects that write the hub, as {path: text}: the library (sinks, ledgers, blueprints) and a tenant's push.

Pure: the same input gives the same bytes. No path of a machine stands in them: dbt finds files and macros by
environment variables that a build sets, or relative to the project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import Contract
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import (
    canonical_record,
    literal,
    natural_key,
    parsed_columns,
    payload_date,
    version_at,
    whole_record,
)
from pipeline.ingest.landing_tables import LOAD_TABLES
from warehouse.projects.profiles import BRIEF, FULL, PROPERTIES, SHARED, from_environment, hub_profile
from warehouse.projects.properties.first_page import first_page
from warehouse.projects.properties.hub_properties import (
    library_properties,
    platform_properties,
    platform_tables,
    pushed_and_landed,
    pusher_properties,
)
from warehouse.projects.properties.node_descriptions import MACRO_FOLDER, described_nodes
from warehouse.projects.properties.property_file import GENERATED, generated_yaml

PUSHED_TO = (
    "hub_key_registry",
    "platform_ops__push_ledger",
    "platform_ops__slice_coverage",
    "platform_sat__source_schema_history",
)
"""Tables of the hub that a push writes beside the sinks."""
SINK_COLUMNS = (
    ("tenant_slug", "varchar"),
    ("source_platform", "varchar"),
    ("source_account", "varchar"),
    ("tenant_skey", "varchar"),
    ("source_schema_hash", "varchar"),
    ("loaded_at", "timestamp"),
    ("raw_data_payload", "json"),
    ("payload_hash", "uhugeint"),
    ("payload_date", "date"),
    ("load_id", "varchar"),
    ("version_at", "timestamp"),
    ("exported_at", "timestamp"),
    ("source_position", "bigint"),
)


def project_file(
    name: str, tenant: str, *, projects: str, engines: bool = False, counted: str = "", variables: str = ""
) -> str:
    """dbt_project.yml of a generated project; its macros, and the engines of connectors, are reached by path.

    Args:
        name: Of the project.
        tenant: The slug that rows of dbt metadata carry; * for the library.
        projects: The folder of all projects, relative to this one.
        engines: Whether the macros of connectors belong to it.
        counted: The macro whose query says how many rows each node brought; its tables do, when left out.
        variables: More of dbt's variables, as YAML.
    """
    shared = SHARED if engines else {"GATA_MACROS": SHARED["GATA_MACROS"]}
    macros = ", ".join(from_environment(variable, f"{projects}/{folder}") for variable, folder in shared.items())
    results = f"results, {counted}()" if counted else "results"
    return f"""# {GENERATED}
name: {name}
profile: {name}
version: "1.0"
config-version: 2
model-paths: [models, {from_environment(PROPERTIES, FULL)}]
macro-paths: [{MACRO_FOLDER}, {macros}]
vars: {{tenant_slug: "{tenant}"{variables and ", "}{variables}}}
on-run-end:
  - "{{{{ init_artifact_tables() }}}}"
  - "{{{{ upload_model_definitions(results, described_nodes()) }}}}"
  - "{{{{ upload_test_definitions(results) }}}}"
  - "{{{{ upload_table_stats(results) }}}}"
  - "{{{{ upload_run_results({results}) }}}}"
query-comment: "" # a view of the hub keeps its text: it must name no tenant
flags:
  send_anonymous_usage_stats: false
"""


def library_project(
    blueprints: Mapping[tuple[str, str], Blueprint], platform_models: Mapping[str, str], references: Mapping[str, str]
) -> dict[str, str]:
    """The library project: every sink, the platform models, the reference tables, and the registries of the catalog.

    Args:
        platform_models: Text of the models written by hand, by file name.
        references: Text of the seeds and of their declaration, by file name.
    """
    name = "gata_library"
    ledgers = f"landing_ledgers: [{', '.join(sorted(LOAD_TABLES))}]"
    project = project_file(name, "*", projects="..", variables=ledgers)
    files = {
        "dbt_project.yml": f'{project}on-run-start: ["{{{{ init_artifact_tables() }}}}"]\n',
        "profiles.yml": hub_profile(name, home="../.."),
    }
    files |= {f"models/platform/{name}": text for name, text in platform_models.items()}
    files |= {f"{FULL}/{name}": text for name, text in platform_properties().items()}
    files[f"{FULL}/overview.md"] = first_page(
        name,
        "The tables of the hub that all tenants share: sinks, ledgers, registries and reference tables.",
        {blueprint.sink: f"{blueprint.object} of {blueprint.master_model_id}." for blueprint in blueprints.values()},
    )
    tables = library_properties(blueprints.values())
    files[f"{FULL}/library.yml"] = generated_yaml({"models": tables})
    files |= described_nodes([*tables, *platform_tables()], properties=FULL)
    files |= {f"seeds/{name}": text for name, text in references.items()}
    for blueprint in blueprints.values():
        files[f"models/sinks/{blueprint.sink}.sql"] = _sink_model(blueprint)
    files["models/connector_blueprints.sql"] = _blueprint_model(blueprints)
    files["models/platform_ops__master_model_registry.sql"] = _sink_registry(blueprints)
    files["models/platform_ops__schema_hash_registry.sql"] = _hash_registry(blueprints)
    return dict(sorted(files.items()))


def _sink_model(blueprint: Blueprint) -> str:
    columns = ",\n    ".join(f"null::{type_} as {name}" for name, type_ in SINK_COLUMNS)
    return f"""{{#- {GENERATED}
    The {blueprint.object} records of {blueprint.master_model_id}, of all tenants: append-only, whole payloads. -#}}
{{{{ config(materialized='incremental', full_refresh=false) }}}}
select
    {columns}
where 1 = 0
"""


def _blueprint_model(blueprints: Mapping[tuple[str, str], Blueprint]) -> str:
    sentence = "One row per object and contract fingerprint: which sink it routes to, and since when it is known."
    columns = ("source_name", "source_table_name", "source_schema_hash", "master_model_id", "version")
    rows = [
        (b.platform, b.object, b.source_schema_hash, b.master_model_id, b.version)
        for _, b in sorted(blueprints.items())
    ]
    values = [", ".join(f"'{value}'" for value in row) for row in rows]
    return _growing(sentence, columns, values, key=columns[:3] + columns[4:], moment="registered_at")


def _hash_registry(blueprints: Mapping[tuple[str, str], Blueprint]) -> str:
    sentence = "One row per object and contract fingerprint: the landing columns behind it, in order."
    columns = ("source_schema_hash", "source_platform", "source_object", "version", "ordered_columns")
    values = []
    for _, b in sorted(blueprints.items()):
        listed = ", ".join(f"{{'name': {literal(name)}, 'type': '{type_}'}}" for name, type_ in b.columns)
        values.append(f"'{b.source_schema_hash}', '{b.platform}', '{b.object}', '{b.version}', [{listed}]")
    return _growing(sentence, columns, values, key=columns[:4], moment="registered_at")


def _growing(sentence: str, columns: Sequence[str], values: Sequence[str], *, key: Sequence[str], moment: str) -> str:
    """A model that adds rows of new keys, and keeps those it has."""
    rows = ",\n    ".join(f"({row})" for row in values)
    listed, named, keys = ",\n    ".join(columns), ", ".join(columns), ", ".join(key)
    return f"""{{#- {GENERATED}
    {sentence} -#}}
{{{{ config(materialized='incremental', full_refresh=false) }}}}
select
    {listed},
    now() at time zone 'UTC' as {moment}
from (values
    {rows}
) as known ({named})
{{% if is_incremental() -%}}
where ({keys}) not in (
    select ({keys}) from {{{{ this }}}}
)
{{%- endif %}}
"""


def _sink_registry(blueprints: Mapping[tuple[str, str], Blueprint]) -> str:
    """One row per sink; connectors that are alike share theirs."""
    takers: dict[str, list[Blueprint]] = {}
    for _, blueprint in sorted(blueprints.items()):
        takers.setdefault(blueprint.sink, []).append(blueprint)
    rows = ",\n    ".join(
        f"('{sink}', '{own[0].master_model_id}', '{own[0].object}', {[b.platform for b in own]}, "
        f"'{own[0].version}', '{own[0].source_schema_hash}')"
        for sink, own in sorted(takers.items())
    )
    return f"""{{#- {GENERATED}
    One row per sink of the catalog: the connectors whose records it takes, and the structure it takes them in. -#}}
{{{{ config(materialized='table') }}}}
select *
from (values
    {rows}
) as sinks (master_model, master_model_id, source_object, source_platforms, version, source_schema_hash)
"""


def push_project(tenant: Tenant, blueprints: Mapping[tuple[str, str], Blueprint]) -> dict[str, str]:
    """One staging pusher per object of the tenant's enabled sources, and the sources they read."""
    name = f"push_{tenant.slug}"
    routed = [
        blueprint
        for source in tenant.enabled
        for blueprint in sorted(blueprints.values(), key=lambda b: b.object)
        if blueprint.platform == source.platform
    ]
    pushers = pusher_properties(tenant, routed)
    files = {
        "dbt_project.yml": project_file(name, tenant.slug, projects="../..", counted="rows_of_pushers"),
        "profiles.yml": hub_profile(name, home="../../.."),
        f"{BRIEF}/hub/_sources.yml": _hub_sources(routed),
        f"{FULL}/overview.md": first_page(
            name,
            "What was landed of one tenant goes into the sinks of the hub, each payload once.",
            {_pusher_name(tenant, b): f"{b.object} of {b.platform} that are not pushed yet." for b in routed},
        ),
        f"{FULL}/push.yml": generated_yaml(
            {"sources": pushed_and_landed(tenant, routed, PUSHED_TO), "models": pushers}
        ),
        **described_nodes(pushers, properties=FULL),
    }
    for source in tenant.enabled:
        own = [blueprint for blueprint in routed if blueprint.platform == source.platform]
        files[f"{BRIEF}/{tenant.slug}/{source.platform}/_sources.yml"] = _landing_sources(tenant, own)
    for blueprint in routed:
        files[f"models/staging/{_pusher_name(tenant, blueprint)}.sql"] = _pusher(tenant, blueprint)
    return dict(sorted(files.items()))


def _pusher_name(tenant: Tenant, blueprint: Blueprint) -> str:
    return f"stg_{tenant.slug}__{blueprint.platform}_{blueprint.object}"


def _hub_sources(blueprints: list[Blueprint]) -> str:
    tables = sorted({*PUSHED_TO, *(blueprint.sink for blueprint in blueprints)})
    listed = "\n".join(f"      - name: {table}" for table in tables)
    return f"# {GENERATED}\nsources:\n  - name: hub\n    schema: main\n    tables:\n{listed}\n"


def _landing_sources(tenant: Tenant, blueprints: list[Blueprint]) -> str:
    platform = blueprints[0].platform
    tables = "\n".join(
        f"      - name: {tenant.slug}_{platform}__{b.object}\n        identifier: {b.landing_table}" for b in blueprints
    )
    return f"""# {GENERATED}
sources:
  - name: landing_{platform}
    schema: landing_{tenant.slug}
    tables:
{tables}
      - name: {tenant.slug}_{platform}__deliveries
        identifier: landed_deliveries
      - name: {tenant.slug}_{platform}__loads
        identifier: _dlt_loads
"""


def _pusher(tenant: Tenant, blueprint: Blueprint) -> str:
    contract, shape = blueprint.contract, blueprint.shape
    route = {
        "tenant": tenant.slug,
        "platform": blueprint.platform,
        "object": blueprint.object,
        "source_schema_hash": blueprint.source_schema_hash,
        "has_key": bool(contract.key) and not contract.optional_key,
        "has_dated_key": _has_dated_key(contract),
        "daily_slice": contract.daily_slice,
    }
    record = {
        "parsed": ",\n".join(parsed_columns(shape)),
        "canonical": canonical_record(shape),
        "payload": whole_record(shape),
        "key": natural_key(shape, contract.key, contract.optional_key) if contract.key else "null::varchar",
        "payload_date": payload_date(shape, contract.date_field),
        "version_at": version_at(shape, contract.version_field),
    }
    blocks = "\n".join(f"{{%- set {name} %}}{text}{{% endset %}}" for name, text in record.items())
    table = f"{tenant.slug}_{blueprint.platform}__"
    landing, loads, deliveries = (
        f"source('landing_{blueprint.platform}', '{table}{name}')" for name in (blueprint.object, "loads", "deliveries")
    )
    fields = {name: f"{name}:{type_}" for name, type_ in blueprint.columns}
    return f"""{{#- {GENERATED} -#}}
{blocks}
{{{{ config(materialized='view', post_hook=[
    "{{{{ stage_batch() }}}}",
    "{{{{ sync_to_schema_history({route}, {landing}, {loads}, {fields}) }}}}",
    "{{{{ sync_to_master_hub({route}, source('hub', '{blueprint.sink}'), {loads}, {deliveries}) }}}}",
]) }}}}
{{{{ generate_staging_pusher({route}, {landing}, {loads}, {deliveries}, {{
    'parsed': parsed, 'canonical': canonical, 'payload': payload, 'key': key,
    'payload_date': payload_date, 'version_at': version_at,
}}) }}}}
"""


def _has_dated_key(contract: type[Contract]) -> bool:
    """Whether records of one key always have one date: then the push looks for a key among the batch's dates alone."""
    parts = [part for part in contract.key if f"{contract.date_field}.".startswith(f"{part}.")]
    return not contract.key or bool(parts)
