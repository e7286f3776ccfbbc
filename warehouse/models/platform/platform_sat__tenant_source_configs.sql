{#- One row per table of each account of a tenant's enabled sources: what tenants.yaml says now, and nothing else. -#}
{{ config(materialized='view') }}
select * exclude (valid_from, valid_to)
from {{ ref('platform_sat__tenant_source_configs__history') }}
where valid_to is null
