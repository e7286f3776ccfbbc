{#- One row per table of each account of a tenant's enabled sources: what tenants.yaml says now, and nothing else. -#}
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
    null::varchar as logic_hash
where 1 = 0
