{#- One row per day and account of an object whose exports hold whole days: when its newest export was made. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as source_platform,
    null::varchar as source_object,
    null::varchar as source_account,
    null::date as slice_date,
    null::timestamp as covered_at
where 1 = 0
