{#- One row per table of a tenant's source and version of its logic: what tenants.yaml said, and from when to when (UTC).
    valid_to is NULL for what is in force. A table that leaves tenants.yaml is closed; one that stays gets no new row. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as source_platform,
    null::varchar as source_object,
    null::json as logic,
    null::varchar as logic_hash,
    null::timestamp as valid_from,
    null::timestamp as valid_to
where 1 = 0
