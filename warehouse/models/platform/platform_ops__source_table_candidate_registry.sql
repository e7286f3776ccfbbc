{#- One row per landing table that is not, or not wholly, part of the way, and what to do about it.
    ONBOARD      no connector routes it: write a contract for it, or drop it.
    INVESTIGATE  the newest records of an account hold fields that the contract does not know.
    MONITOR      the newest records lack fields that earlier ones had, or tenants.yaml no longer enables the source. -#}
{{ config(materialized='view') }}
with landed as (
    select
        substr(schema_name, length('landing_') + 1) as tenant_slug,
        table_name as landing_table
    from duckdb_tables()
    where
        database_name = '{{ this.database }}'
        and starts_with(schema_name, 'landing_')
        and not ends_with(schema_name, '_staging')
        and not starts_with(table_name, '_dlt_')
        and table_name not in ({{ text_list(var('landing_ledgers')) }})
),

routes as (
    select
        unnest(source_platforms) as source_platform,
        source_object
    from {{ ref('platform_ops__master_model_registry') }}
),

tables as (
    select landed.*, routes.source_platform, routes.source_object
    from landed
    left join routes on landed.landing_table = routes.source_platform || '__' || routes.source_object
),

shapes as (
    select
        tenant_slug,
        source_platform,
        source_object,
        source_account,
        arg_max(observed_fields, last_seen_at) as fields_now,
        arg_max(unknown_fields, last_seen_at) as unknown_now,
        list_distinct(flatten(list(observed_fields))) as fields_ever
    from {{ ref('platform_sat__source_schema_history') }}
    group by all
),

found as (
    select
        tenant_slug,
        landing_table,
        null as source_account,
        'ONBOARD' as recommendation,
        'No connector routes this table.' as reason,
        [] as fields
    from tables
    where source_platform is null
    union all
    select
        tenant_slug,
        landing_table,
        source_account,
        'INVESTIGATE' as recommendation,
        'The newest records hold fields that the contract does not know.' as reason,
        unknown_now as fields
    from tables
    inner join shapes using (tenant_slug, source_platform, source_object)
    where len(unknown_now) > 0
    union all
    select
        tenant_slug,
        landing_table,
        source_account,
        'MONITOR' as recommendation,
        'The newest records lack fields that earlier ones had.' as reason,
        list_sort(list_filter(fields_ever, lambda field: not list_contains(fields_now, field))) as fields
    from tables
    inner join shapes using (tenant_slug, source_platform, source_object)
    where len(fields_ever) > len(fields_now)
    union all
    select
        tenant_slug,
        landing_table,
        null as source_account,
        'MONITOR' as recommendation,
        'The source is no longer enabled in tenants.yaml.' as reason,
        [] as fields
    from tables
    anti join {{ ref('platform_sat__tenant_source_configs') }} using (tenant_slug, source_platform, source_object)
    where source_platform is not null
)

select
    tenant_slug,
    landing_table,
    source_account,
    recommendation,
    reason,
    fields
from found
