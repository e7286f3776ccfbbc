{#- One row per star file whose rows of dbt metadata are in the hub: its size and time of change when they were copied. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as path,
    null::bigint as size,
    null::bigint as changed_ns,
    null::timestamp as collected_at
where 1 = 0
