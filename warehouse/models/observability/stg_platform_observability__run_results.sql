{#- Last results of models, seeds and snapshots: what dbt says of each as one word, and how long it took. -#}
{{ config(materialized='view') }}
select
    tenant_slug,
    project,
    node_id,
    name,
    resource_type,
    {{ layer_of('name', 'resource_type') }} as layer,
    case status when 'runtime error' then 'error' else status end as status,
    seconds,
    compile_seconds,
    "rows",
    message,
    thread,
    started_at,
    completed_at,
    run_id,
    invocation_id,
    recorded_at
from {{ ref('src_platform_observability__run_results') }}
where resource_type not in ('test', 'unit_test')
