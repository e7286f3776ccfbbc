{#- One row per node of a dbt project: what it is, what reads it, and how well it is described and tested. -#}
{{ config(materialized='view') }}
with tested as (
    select
        tenant_slug,
        project,
        tested_node as node_id,
        count(*) as tests,
        list_sort(list_distinct(list(test_name))) as test_names
    from {{ ref('stg_platform_observability__test_results') }}
    group by all
),

edges as (
    select
        tenant_slug,
        project,
        name as child,
        unnest(depends_on) as node_id
    from {{ ref('stg_platform_observability__model_definitions') }}
),

read_by as (
    select
        tenant_slug,
        project,
        node_id,
        list(child order by child) as children
    from edges
    group by all
)

select
    definitions.*,
    coalesce(read_by.children, []) as children,
    len(definitions.columns) as column_count,
    len(list_filter(definitions.columns, lambda each: each.description <> '')) as described_column_count,
    coalesce(tested.tests, 0) as test_count,
    coalesce(tested.test_names, []) as test_names
from {{ ref('stg_platform_observability__model_definitions') }} as definitions
left join tested using (tenant_slug, project, node_id)
left join read_by using (tenant_slug, project, node_id)
