{#- One row per landing table of a tenant: the sink it goes to, and what there is to do about it.
    ROUTED means nothing; ONBOARD, INVESTIGATE and MONITOR are those of platform_ops__source_table_candidate_registry. -#}
{{ config(materialized='view') }}
with seen as (
    select distinct
        tenant_slug,
        source_platform || '__' || source_object as landing_table
    from {{ ref('platform_sat__source_schema_history') }}
),

advice as (
    select
        tenant_slug,
        landing_table,
        arg_min(recommendation, list_position(['ONBOARD', 'INVESTIGATE', 'MONITOR'], recommendation)) as recommendation,
        list(distinct reason order by reason) as reasons,
        list_sort(list_distinct(flatten(list(fields)))) as fields
    from {{ ref('platform_ops__source_table_candidate_registry') }}
    group by all
),

routes as (
    select
        master_model,
        unnest(source_platforms) as source_platform,
        source_object,
        source_platform || '__' || source_object as landing_table
    from {{ ref('platform_ops__master_model_registry') }}
)

select
    tenant_slug,
    landing_table,
    routes.source_platform,
    routes.source_object,
    routes.master_model,
    coalesce(advice.recommendation, 'ROUTED') as recommendation,
    coalesce(advice.reasons, []) as reasons,
    coalesce(advice.fields, []) as fields
from seen
full join advice using (tenant_slug, landing_table)
left join routes using (landing_table)
