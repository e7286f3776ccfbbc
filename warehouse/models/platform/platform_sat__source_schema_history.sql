{#- One row per shape a source was seen to hold: the contract's fields that were present, and the unknown ones. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as source_platform,
    null::varchar as source_account,
    null::varchar as source_object,
    null::varchar as source_schema_hash,
    null::varchar as observed_hash,
    null::varchar[] as observed_fields,
    null::varchar[] as unknown_fields,
    null::timestamp as first_seen_at,
    null::timestamp as last_seen_at
where 1 = 0
