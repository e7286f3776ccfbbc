{#- Last results of tests: pass, warn, fail, error or skipped, whatever word dbt has for the kind of test. -#}
{{ config(materialized='view') }}
select
    tenant_slug,
    project,
    node_id,
    name,
    resource_type,
    test_name,
    tested_node,
    column_name,
    coalesce(depends_on, []) as depends_on,
    severity,
    arguments,
    case status when 'success' then 'pass' when 'runtime error' then 'error' else status end as status,
    coalesce(failures, 0) as failures,
    seconds,
    message,
    run_id,
    invocation_id,
    recorded_at
from {{ ref('src_platform_observability__test_results') }}
