{#- One row per test of a dbt run: what it tests, and how much it matters. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as run_id,
    null::varchar as tenant_slug,
    null::varchar as project,
    null::varchar as node_id,
    null::varchar as name,
    null::varchar as test_name,
    null::varchar as tested_node,
    null::varchar as column_name,
    null::varchar[] as depends_on,
    null::varchar as severity,
    null::timestamp as recorded_at
where 1 = 0
