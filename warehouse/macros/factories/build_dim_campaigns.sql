{#- The campaigns dimension: the current version of each campaign, and a row for each that only a report names.
    Takes  tenant: a slug.
    Gives  one row per campaign_key, its status in one vocabulary for all platforms. -#}
{% macro build_dim_campaigns(tenant) -%}
with sent as (
    select source_platform, source_account, campaign_id, campaign_name, campaign_status, false as is_inferred
    from {{ ref('int_' ~ tenant ~ '__campaigns') }}
    where in_force_to is null
    qualify row_number() over (
        partition by source_platform, source_account, campaign_id
        order by in_force_from desc nulls last, campaign_name, campaign_status
    ) = 1
),

reported as (
    select
        source_platform,
        source_account,
        campaign_id,
        arg_max(campaign_name, struct_pack(d := report_date, n := campaign_name)) as campaign_name,
        cast(null as varchar) as campaign_status,
        true as is_inferred
    from {{ ref('int_' ~ tenant ~ '__ad_performance') }}
    where campaign_id is not null
    group by source_platform, source_account, campaign_id
),

campaigns as (
    select * from sent
    union all
    select reported.*
    from reported
    anti join sent
        on
            sent.source_platform = reported.source_platform
            and sent.source_account = reported.source_account
            and sent.campaign_id = reported.campaign_id
)

select
    {{ md5_key(['campaigns.source_platform', 'campaigns.source_account', 'campaigns.campaign_id']) }} as campaign_key,
    '{{ tenant }}' as tenant_slug,
    campaigns.source_platform,
    campaigns.source_account,
    campaigns.campaign_id,
    campaigns.campaign_name,
    coalesce(statuses.campaign_status, campaigns.campaign_status) as campaign_status,
    campaigns.campaign_status as campaign_status_raw,
    campaigns.is_inferred
from campaigns
left join {{ source('hub', 'platform_ref__campaign_statuses') }} as statuses
    on
        statuses.source_platform = campaigns.source_platform
        and statuses.raw_status = {{ normalize_name('campaigns.campaign_status') }}
{%- endmacro %}
