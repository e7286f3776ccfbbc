{#- One row per node of a dbt project: how its last run went, with what it is made as and made from. -#}
{{ config(materialized='view') }}
select
    results.*,
    definitions.materialization,
    coalesce(definitions.depends_on, []) as depends_on,
    results.seconds / nullif(sum(results.seconds) over in_invocation, 0) as share_of_seconds
from {{ ref('stg_platform_observability__run_results') }} as results
left join {{ ref('stg_platform_observability__model_definitions') }} as definitions using (tenant_slug, project, node_id)
window in_invocation as (partition by results.tenant_slug, results.project, results.invocation_id)
