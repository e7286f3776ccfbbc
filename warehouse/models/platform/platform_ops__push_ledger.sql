{#- One row per load that was pushed into a sink: written in the transaction of its MERGE, so a load is pushed once. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as source_platform,
    null::varchar as source_object,
    null::varchar as load_id,
    null::timestamp as pushed_at,
    null::bigint as batch_rows
where 1 = 0
