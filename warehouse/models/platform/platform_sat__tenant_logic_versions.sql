{#- One row per version of a tenant's whole logic, the hashes of all its tables taken together, and when it was in force. -#}
{{ config(materialized='view') }}
with moments as (
    select
        tenant_slug,
        valid_from as moment
    from {{ ref('platform_sat__tenant_config_history') }}
    union
    select
        tenant_slug,
        valid_to as moment
    from {{ ref('platform_sat__tenant_config_history') }}
    where valid_to is not null
),

versions as (
    select
        moments.tenant_slug,
        moments.moment,
        md5(string_agg(
            logic.source_platform || '.' || logic.source_object || '.' || logic.logic_hash,
            ',' order by logic.source_platform, logic.source_object
        )) as logic_version
    from moments
    left join {{ ref('platform_sat__tenant_config_history') }} as logic
        on moments.tenant_slug = logic.tenant_slug
        and moments.moment >= logic.valid_from
        and (logic.valid_to is null or moments.moment < logic.valid_to)
    group by moments.tenant_slug, moments.moment
)

select
    tenant_slug,
    logic_version,
    moment as valid_from,
    lead(moment) over (partition by tenant_slug order by moment) as valid_to
from versions
qualify logic_version is not null
