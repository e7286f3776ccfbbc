{#- One row per published run of a tenant: the metrics and dimensions that its definitions hold, and their version. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as run_id,
    null::varchar as definitions_version,
    null::varchar[] as metrics,
    null::varchar[] as dimensions,
    null::timestamp as published_at
where 1 = 0
