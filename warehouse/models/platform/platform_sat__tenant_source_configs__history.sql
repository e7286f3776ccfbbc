{#- One row per table of each account of a tenant's enabled sources and version of its configuration: what tenants.yaml
    said, and from when to when (UTC). valid_to is NULL for what it says now; what stays the same gets no new row. -#}
{{ config(materialized='incremental', full_refresh=false) }}
select
    null::varchar as tenant_slug,
    null::varchar as tenant_status,
    null::varchar as source_platform,
    null::varchar as source_domain,
    null::varchar as source_account,
    null::varchar as source_object,
    null::varchar as read_kind,
    null::varchar[] as read_paths,
    null::varchar as currency,
    null::varchar as timezone,
    null::varchar as logic_hash,
    null::timestamp as valid_from,
    null::timestamp as valid_to
where 1 = 0
