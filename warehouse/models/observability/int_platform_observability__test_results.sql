{#- One row per test of a dbt project: how it went last, and the model that it checks. -#}
{{ config(materialized='view') }}
select
    results.*,
    definitions.name as tested_model,
    definitions.layer as tested_layer
from {{ ref('stg_platform_observability__test_results') }} as results
left join {{ ref('stg_platform_observability__model_definitions') }} as definitions
    on
        results.tenant_slug = definitions.tenant_slug
        and results.project = definitions.project
        and results.tested_node = definitions.node_id
