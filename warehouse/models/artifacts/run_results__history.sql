{#- One row per node of a dbt run: how it went, how long it took, the rows it left or that failed. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as run_id,
    null::varchar as tenant_slug,
    null::varchar as project,
    null::varchar as node_id,
    null::varchar as name,
    null::varchar as resource_type,
    null::varchar as status,
    null::double as seconds,
    null::bigint as rows,
    null::bigint as failures,
    null::varchar as message,
    null::timestamp as recorded_at
where 1 = 0
