"""The models of a tenant's star project, as SQL text: views over the sinks, canonical tables, one-line shells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from textwrap import indent

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import literal, quote, struct_json
from warehouse.projects.canonical_tables import CANONICAL, CAST, Canonical
from warehouse.projects.engines import engines_of, has_payments
from warehouse.projects.logic_versions import logic_hash, logic_tables
from warehouse.projects.properties.property_file import GENERATED
from warehouse.projects.properties.star_columns import KEPT
from warehouse.projects.row_filters import filter_conditions
from warehouse.star_schema import VALUE_DAYS, Table

ADDED = {"sessions": {"session_revenue": "other_revenue"}}
"""By fact: amounts of which its factory converts a part itself, with the column of that part."""
CAMPAIGN_STATUSES, COUNTRIES = "platform_ref__campaign_statuses", "platform_ref__countries"
"""The hub's reference tables that give statuses and countries one word each."""
TRAFFIC = "platform_ref__traffic_platforms"
"""The hub's reference table of traffic sources, from which attribution starts."""


def macro_call(macro: str, **arguments: object) -> str:
    """A macro call as dbt text; arguments are texts, numbers, None and lists of them."""
    listed = ", ".join(f"{name}={_jinja(value)}" for name, value in arguments.items())
    return f"{{{{ {macro}({listed}) }}}}"


class NestedCall(str):
    """A macro call as an argument of another."""

    __slots__ = ()


def _jinja(value: object) -> str:
    if isinstance(value, NestedCall):
        return value.removeprefix("{{ ").removesuffix(" }}")
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def without_quotes(text: str) -> str:
    """Text of tenants.yaml escaped for dbt's templates: a brace never begins an expression."""
    return text.replace("{", "{{ '{' }}")


def opening(sentence: str) -> str:
    return f"{{#- {GENERATED}\n    {sentence} -#}}\n"


def intermediate_views(tenant: Tenant, blueprints: Sequence[Blueprint]) -> dict[str, str]:
    """One view per object: the current version of each record, its payload parsed once."""
    views = {}
    for blueprint in blueprints:
        name = f"int_{tenant.slug}__{blueprint.platform}_{blueprint.object}"
        views[f"models/intermediate/{blueprint.platform}/{name}.sql"] = _current_view(tenant, blueprint)
    return views


def history_objects(tenant: Tenant, blueprints: Mapping[tuple[str, str], Blueprint]) -> dict[str, Blueprint]:
    """By name of a view of all versions: the object, of those that an engine reads so."""
    return {
        f"int_{tenant.slug}__{source.platform}_{name}_history": blueprints[source.platform, name]
        for canonical in CANONICAL
        for engine, source in engines_of(tenant, canonical.name)
        for name in engine.history
    }


def history_views(tenant: Tenant, histories: Mapping[str, Blueprint]) -> dict[str, str]:
    """One view per object that an engine reads with all its versions."""
    return {
        f"models/intermediate/{blueprint.platform}/{view}.sql": _history_view(tenant, blueprint)
        for view, blueprint in histories.items()
    }


def _current_view(tenant: Tenant, blueprint: Blueprint) -> str:
    sink, own = _sink(blueprint), _own_rows(tenant, blueprint)
    return f"""{opening(f"{blueprint.platform} {blueprint.object} as they are now, in the types the vendor sends.")}
with superseded as (
    select sink.source_account, sink.tenant_skey, sink.payload_hash
    from {sink} as sink
    where {own}
    qualify row_number() over (partition by sink.tenant_skey order by {{{{ version_order('sink') }}}} desc) > 1
),

parsed as (
    select
        {_kept("sink")},
        from_json(sink.raw_data_payload, {literal(struct_json(blueprint.shape))}) as record
    from {sink} as sink
    where
        {own}
        and cast(sink.raw_data_payload as varchar) <> '{{{{ tombstone_payload() }}}}'
        and not exists (
            select 1
            from superseded
            where
                superseded.source_account = sink.source_account
                and superseded.tenant_skey = sink.tenant_skey
                and superseded.payload_hash = sink.payload_hash
        )
)

select
    {_kept()},
    {_logic(tenant, blueprint)},
    {_fields(blueprint)}
from parsed{_counted(tenant, blueprint)}
"""


def _history_view(tenant: Tenant, blueprint: Blueprint) -> str:
    since = "coalesce(sink.version_at, sink.exported_at)"
    sentence = f"{blueprint.platform} {blueprint.object} in every version, with the time each was in force (UTC)."
    return f"""{opening(sentence)}
with parsed as (
    select
        {_kept("sink")},
        case when row_number() over in_order > 1 then {since} end as in_force_from,
        lead({since}) over in_order as in_force_to,
        from_json(sink.raw_data_payload, {literal(struct_json(blueprint.shape))}) as record
    from {_sink(blueprint)} as sink
    where {_own_rows(tenant, blueprint)} and cast(sink.raw_data_payload as varchar) <> '{{{{ tombstone_payload() }}}}'
    window in_order as (partition by sink.tenant_skey order by {{{{ version_order('sink') }}}})
)

select
    {_kept()},
    {_logic(tenant, blueprint)},
    in_force_from,
    in_force_to,
    {_fields(blueprint)}
from parsed{_counted(tenant, blueprint)}
"""


def _sink(blueprint: Blueprint) -> str:
    return f"{{{{ source('hub', '{blueprint.sink}') }}}}"


def _own_rows(tenant: Tenant, blueprint: Blueprint) -> str:
    return f"sink.tenant_slug = '{tenant.slug}' and sink.source_platform = '{blueprint.platform}'"


def _kept(alias: str = "") -> str:
    return f",\n{'        ' if alias else '    '}".join(f"{alias}.{name}" if alias else name for name in KEPT)


def _logic(tenant: Tenant, blueprint: Blueprint) -> str:
    """The version of the table's logic: rows join platform_sat__tenant_config_history by it."""
    return f"'{logic_hash(logic_tables(tenant)[blueprint.platform, blueprint.object])}' as logic_hash"


def _fields(blueprint: Blueprint) -> str:
    return ",\n    ".join(f"record.{quote(name)} as {quote(name)}" for name, _ in blueprint.shape)


def _counted(tenant: Tenant, blueprint: Blueprint) -> str:
    """The rows that meet the filters of the tenant's table logic."""
    rules = tenant.source(blueprint.platform).tables.get(blueprint.object, {}).get("filters", ())
    found = filter_conditions(rules, blueprint.shape)
    return "\nwhere\n    " + "\n    and ".join(found) if found else ""


def canonical_models(tenant: Tenant) -> dict[str, str]:
    """One table per domain: the union of its engines, or the same columns without a row."""
    models = {}
    for canonical in CANONICAL:
        text = _union(tenant, canonical)
        if canonical.name == "events":
            numbered = macro_call("number_sessions", gap_minutes=tenant.sessions.gap_minutes)
            text = f"with engine_rows as (\n{indent(text, '    ')}\n),\n\n{numbered}"
        path = f"models/intermediate/{canonical.table_name(tenant.slug)}.sql"
        models[path] = f"{opening(canonical.sentence)}{text}\n"
    return models


def _union(tenant: Tenant, canonical: Canonical) -> str:
    columns = ",\n    ".join(
        f"cast({column.name} as {column.type}) as {column.name}" if column.type in CAST else column.name
        for column in canonical.columns
    )
    engines = engines_of(tenant, canonical.name)
    if not engines:
        empty = ",\n    ".join(f"cast(null as {column.type}) as {column.name}" for column in canonical.columns)
        return f"select\n    {empty}\nwhere false"
    return "\nunion all\n".join(
        f"select\n    {columns}\nfrom (\n    {_engine_call(tenant, engine, source)}\n)" for engine, source in engines
    )


def _engine_call(tenant: Tenant, engine: Engine, source: Source) -> str:
    return macro_call(engine.macro, **engine.call(tenant, source))


def shells(tenant: Tenant, tables: Sequence[Table]) -> dict[str, str]:
    """Models of star tables, each one factory call (with rates: inside a conversion), and of tables they share."""
    slug, zone = tenant.slug, tenant.timezone
    calls = {
        f"intermediate/int_{slug}__purchases": macro_call("build_int_purchases", tenant=slug),
        f"stars/fct_{slug}__ad_performance": macro_call("build_fct_ad_performance", tenant=slug),
        f"intermediate/int_{slug}__order_links": macro_call("build_int_order_links", tenant=slug),
        f"stars/fct_{slug}__orders": macro_call(
            "build_fct_orders",
            tenant=slug,
            timezone=zone,
            value_days=list(VALUE_DAYS),
            has_payments=has_payments(tenant),
        ),
        f"stars/fct_{slug}__order_items": macro_call("build_fct_order_items", tenant=slug),
        f"stars/fct_{slug}__refunds": macro_call(
            "build_fct_refunds", tenant=slug, timezone=zone, has_payments=has_payments(tenant)
        ),
        f"stars/fct_{slug}__sessions": macro_call(
            "build_fct_sessions",
            tenant=slug,
            timezone=zone,
            attribution_model=tenant.attribution_model,
            funnel=list(tenant.funnel_events.values()),
            conversion_events=list(tenant.conversion_events),
            **({"reporting": tenant.currency} if tenant.rates else {}),
        ),
        f"stars/fct_{slug}__events": macro_call("build_fct_events", tenant=slug, timezone=zone),
        f"stars/dim_{slug}__campaigns": macro_call("build_dim_campaigns", tenant=slug),
        f"stars/dim_{slug}__users": macro_call("build_dim_users", tenant=slug),
        f"stars/dim_{slug}__products": macro_call("build_dim_products", tenant=slug),
    }
    if has_payments(tenant):
        calls[f"intermediate/int_{slug}__order_charges"] = macro_call("build_int_order_charges", tenant=slug)
    for table in tables:
        if table.converted:
            path = f"stars/{table.table_name(slug)}"
            calls[path] = _converted(calls[path], tenant, table)
    return {f"models/{path}.sql": f"{{#- {GENERATED} -#}}\n{text}\n" for path, text in calls.items()}


def _converted(shell: str, tenant: Tenant, table: Table) -> str:
    """A factory call as the fact of a conversion."""
    return macro_call(
        "in_reporting_currency",
        fact=NestedCall(shell),
        tenant=tenant.slug,
        reporting=tenant.currency,
        day=table.rate_date or table.date,
        money=list(table.converted),
        **({"added": ADDED[table.name]} if table.name in ADDED else {}),
    )


def traffic_platforms(tenant: Tenant) -> dict[str, str]:
    """The reference table of attribution: which ad platform a (source, medium) stands for; the tenant's rows win."""
    known = f"select traffic_source, traffic_medium, ad_platform\nfrom {{{{ source('hub', '{TRAFFIC}') }}}}"
    own = ",\n        ".join(
        f"({without_quotes(literal(source))}, {without_quotes(literal(medium))}, {literal(platform)})"
        for (source, medium), platform in sorted(_own_traffic(tenant).items())
    )
    if own:
        known = f"""with own as (
    select traffic_source, traffic_medium, ad_platform
    from (values
        {own}
    ) as said (traffic_source, traffic_medium, ad_platform)
)

select traffic_source, traffic_medium, ad_platform
from own
union all
{known} as known
where not exists (
    select 1
    from own
    where own.traffic_source = known.traffic_source and own.traffic_medium = known.traffic_medium
)"""
    text = f"{opening('Which ad platform a source and medium stand for; texts are folded.')}{known}\n"
    return {f"models/intermediate/int_{tenant.slug}__traffic_platforms.sql": text}


def _own_traffic(tenant: Tenant) -> dict[tuple[str, str], str]:
    """The ad platforms of tenants.yaml by normalized source and medium."""
    rows = tenant.attribution.get("platforms", [])
    return {(_normalize_name(row["source"]), _normalize_name(row["medium"])): row["ad_platform"] for row in rows}


def _normalize_name(text: str) -> str:
    return " ".join(text.lower().split())
