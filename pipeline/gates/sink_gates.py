"""Gates of the sinks, after a push: landing = sink + duplicates, unique keys, and no lost rows.

Each sink is read once; only the sinks of objects that the last push brought something of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint, Blueprints
from pipeline.contracts.sql import literal, quote
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.gate_result import GateResult, judge, percent, rules_of
from pipeline.ingest.landing_tables import LOAD_ID, dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub

SAMPLES = 5
TOMBSTONE = 0
"""The place in its file of what stands for a withdrawn record: no record of a file has it."""

Key = tuple[str, str]
"""Platform, object."""


@dataclass(frozen=True)
class PushedObject:
    """What the last push of an object brought, as its ledger and the landing table say."""

    loads: tuple[str, ...]
    taken: int
    """Rows that the push took from the landing table."""
    landed: int
    """Rows of these loads in the landing table."""


@dataclass(frozen=True)
class SinkRows:
    """What a sink holds of a tenant's object."""

    rows: int
    duplicates: int
    """Rows beyond the first of an account and payload."""
    keys: int
    brought: int
    """Rows that carry a load of the last push."""


def sink_results(
    tenant: Tenant, blueprints: Blueprints, settings: Settings, pushed_loads: Collection[str] | None = None
) -> list[GateResult]:
    """The results of the gates of the sinks.

    Args:
        tenant: Whose sinks they are.
        blueprints: Of the catalog.
        settings: With the hub.
        pushed_loads: Only for the objects that these loads brought; left out, for all, by the last push of each.
    """
    rules = rules_of(tenant, settings)
    if not any(rules.is_on(gate) for gate in ("sink_counts", "unique_keys", "row_loss")):
        return []
    with read_hub(settings) as hub:
        registered = _registered(hub, tenant)
        pushed = _pushed(hub, tenant, blueprints, pushed_loads)
        results: list[GateResult] = []
        for key in sorted(pushed):
            held = _rows_of_sink(hub, tenant, blueprints[key], pushed[key].loads)
            of = JudgedObject(tenant, blueprints[key], pushed[key], held, registered.get(key, (0, 0)))
            results += _of_object(hub, rules, of)
    return results


def ledger_loads(tenant: Tenant, settings: Settings) -> frozenset[str]:
    """The loads of a tenant that were pushed so far."""
    with read_hub(settings) as hub:
        rows = hub.execute(
            "select distinct load_id from platform_ops__push_ledger where tenant_slug = ?", [tenant.slug]
        ).fetchall()
    return frozenset(load for (load,) in rows)


def _pushed(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprints: Blueprints, loads: Collection[str] | None
) -> dict[Key, PushedObject]:
    """The last push of each object that brought rows; of these loads alone where they are given.

    All loads that were pushed together share their time, and the number of rows.
    """
    chosen = "batch_rows > 0" if loads is None else "list_contains($loads::varchar[], load_id)"
    rows = hub.execute(
        f"""select source_platform, source_object, list(distinct load_id order by load_id), max(batch_rows)
        from (
            select * from platform_ops__push_ledger where tenant_slug = $slug and {chosen}
            qualify pushed_at = max(pushed_at) over (partition by source_platform, source_object)
        ) group by all""",
        {"slug": tenant.slug} | ({} if loads is None else {"loads": sorted(loads)}),
    ).fetchall()
    found, schema = {}, quote(dataset(tenant))
    for platform, name, own, taken in rows:
        if (platform, name) in blueprints:
            table = quote(blueprints[platform, name].landing_table)
            ((landed,),) = hub.execute(
                f"select count(*) from {schema}.{table} where list_contains(?::varchar[], {LOAD_ID})", [own]
            ).fetchall()
            if taken or landed:
                found[platform, name] = PushedObject(tuple(own), taken, landed)
    return found


def _registered(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> Mapping[Key, tuple[int, int]]:
    """Rows and keys of the registry, by object."""
    rows = hub.execute(
        """select source_platform, source_object, count(*), count(distinct tenant_skey)
        from hub_key_registry where tenant_slug = ? group by all""",
        [tenant.slug],
    ).fetchall()
    return {(platform, name): (count, keys) for platform, name, count, keys in rows}


def _own(tenant: Tenant, blueprint: Blueprint) -> str:
    return f"tenant_slug = {literal(tenant.slug)} and source_platform = {literal(blueprint.platform)}"


def _rows_of_sink(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, loads: Collection[str]
) -> SinkRows:
    row = hub.execute(
        f"""select count(*), count(*) - count(distinct struct_pack(a := source_account, p := payload_hash)),
            count(distinct tenant_skey),
            count(*) filter (where source_position <> {TOMBSTONE} and list_contains(?::varchar[], load_id))
        from {quote(blueprint.sink)} where {_own(tenant, blueprint)}""",
        [sorted(loads)],
    ).fetchall()[0]
    return SinkRows(*row)


@dataclass(frozen=True)
class JudgedObject:
    """What is known of one object of a tenant after a push."""

    tenant: Tenant
    blueprint: Blueprint
    pushed: PushedObject
    held: SinkRows
    registered: tuple[int, int]
    """Rows and keys of the registry."""

    @property
    def name(self) -> str:
        return f"{self.blueprint.object} of {self.blueprint.platform}"

    @property
    def about(self) -> dict[str, Any]:  # Any: fields of a finding
        return {"platform": self.blueprint.platform, "object": self.blueprint.object}


def _of_object(hub: duckdb.DuckDBPyConnection, rules: GateRules, of: JudgedObject) -> Iterator[GateResult]:
    if rules.is_on("sink_counts"):
        yield _counts(rules, of)
    if rules.is_on("unique_keys"):
        yield _unique(hub, rules, of)
    if rules.is_on("row_loss"):
        yield _loss(hub, rules, of)


def _counts(rules: GateRules, of: JudgedObject) -> GateResult:
    landed, taken, brought = of.pushed.landed, of.pushed.taken, of.held.brought
    sentence = (
        f"{landed} rows of {of.name} are landed, the push took {taken}, and {of.blueprint.sink} has {brought} of them."
    )
    value = max(0, landed - taken) + max(0, brought - taken)  # a person who was forgotten since is not landed
    return judge(rules, "sink_counts", of.blueprint.object, value, sentence, **of.about)


def _unique(hub: duckdb.DuckDBPyConnection, rules: GateRules, of: JudgedObject) -> GateResult:
    value = of.held.duplicates + of.registered[0] - of.registered[1]
    samples = _twice(hub, of) if value else ()
    sentence = f"{value} rows of {of.name} are there twice, in {of.blueprint.sink} or by their key."
    about = of.about | {"records": value}
    return judge(rules, "unique_keys", of.blueprint.object, value, sentence, samples=samples, **about)


def _loss(hub: duckdb.DuckDBPyConnection, rules: GateRules, of: JudgedObject) -> GateResult:
    left_behind = max(0, of.pushed.landed - of.pushed.taken)
    missing = max(0, of.registered[1] - of.held.keys) + left_behind
    share = Decimal(missing) / max(of.registered[1] + left_behind, 1)
    samples = _missing(hub, of) if missing else ()
    sentence = (
        f"{missing} of {of.registered[1] + left_behind} records of {of.name} ({percent(share)}) are not in "
        f"{of.blueprint.sink}."
    )
    about = of.about | {"records": missing}
    return judge(rules, "row_loss", of.blueprint.object, share, sentence, samples=samples, **about)


def _twice(hub: duckdb.DuckDBPyConnection, of: JudgedObject) -> tuple[str, ...]:
    """Keys of rows that are there twice."""
    rows = hub.execute(
        f"""select any_value(tenant_skey) as key from {quote(of.blueprint.sink)} where {_own(of.tenant, of.blueprint)}
        group by source_account, payload_hash having count(*) > 1
        union
        select tenant_skey from hub_key_registry
        where {_own(of.tenant, of.blueprint)} and source_object = {literal(of.blueprint.object)}
        group by tenant_skey having count(*) > 1
        order by key limit {SAMPLES}"""
    ).fetchall()
    return tuple(key for (key,) in rows)


def _missing(hub: duckdb.DuckDBPyConnection, of: JudgedObject) -> tuple[str, ...]:
    """Keys that were registered and that the sink does not have."""
    rows = hub.execute(
        f"""select tenant_skey from hub_key_registry
        where {_own(of.tenant, of.blueprint)} and source_object = {literal(of.blueprint.object)}
            and tenant_skey not in (
                select tenant_skey from {quote(of.blueprint.sink)} where {_own(of.tenant, of.blueprint)})
        order by all limit {SAMPLES}"""
    ).fetchall()
    return tuple(key for (key,) in rows)
