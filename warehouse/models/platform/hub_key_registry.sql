{#- One row per surrogate key of a tenant's record: where it came from, and the load that brought it first. Written in
    the transaction of the push, so a key of any sink is found here. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as source_platform,
    null::varchar as source_account,
    null::varchar as source_object,
    null::varchar as tenant_skey,
    null::timestamp as first_seen_at,
    null::varchar as first_load_id,
    null::date as first_payload_date
where 1 = 0
