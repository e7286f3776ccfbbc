{#- One row per model, seed or other node of a dbt run, tests aside: what it was then. tenant_slug is * for the library. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as run_id,
    null::varchar as tenant_slug,
    null::varchar as project,
    null::varchar as node_id,
    null::varchar as name,
    null::varchar as resource_type,
    null::varchar as materialization,
    null::varchar[] as depends_on,
    null::varchar[] as tags,
    null::json as config,
    null::varchar as definition_hash,
    null::timestamp as recorded_at
where 1 = 0
