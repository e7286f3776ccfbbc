{#- TikTok reports, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: the source that delivered the rows.
           currency: SQL giving an account's currency, for rows that do not say theirs.
    Gives  one row per report row, an hour's or a day's: report_date (the advertiser's day), spend (major units of
           currency), conversions (NULL where they were not asked for), conversion_value (of purchases), ...
    Note   metrics arrive as text. Of a campaign's day the finest report counts (see is_finest): a basic one before one by
           audience, by ad, ad group, campaign, advertiser, and by the day before by the hour, whose hours may have been
           asked for too early. What an ad or ad group belongs to is in the row where it was asked for, else in the lists
           of ads and ad groups. A row of a GMV Max report has cost for spend, orders for conversions and gross_revenue for
           their value, and counts unless the basic report has its campaign's day. -#}
{% macro engine_tiktok_ads_ad_performance(tenant, platform, currency) -%}
with reports as (
    select
        {{ tiktok_ads_row() }},
        {{ cast_as('dimensions.stat_time_day', 'date') }} as report_date,
        {{ tiktok_ads_breakdown(is_hourly=false) }} as breakdown
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads_reports_daily') }}
    union all
    select
        {{ tiktok_ads_row() }},
        cast({{ cast_as('dimensions.stat_time_hour', 'local_time') }} as date) as report_date,
        {{ tiktok_ads_breakdown(is_hourly=true) }} as breakdown
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads_reports_hourly') }}
),

placed as (
    select
        reports.source_account,
        reports.report_date,
        reports.metrics,
        {{ cast_as('coalesce(reports.campaign_id, ads.campaign_id, ad_groups.campaign_id)', 'text') }} as campaign_id,
        {{ cast_as('coalesce(reports.ad_group_id, ads.adgroup_id)', 'text') }} as ad_group_id,
        coalesce(ad_groups.adgroup_name, reports.metrics.adgroup_name) as ad_group_name,
        {{ cast_as('reports.ad_id', 'text') }} as ad_id,
        coalesce(ads.ad_name, reports.metrics.ad_name) as ad_name,
        coalesce(upper({{ cast_as('reports.metrics.currency', 'text') }}), {{ currency }}) as currency,
        coalesce(
            {{ cast_as('reports.metrics.total_purchase_value', 'decimal') }},
            {{ cast_as('reports.metrics.gross_revenue', 'decimal') }}
        ) as conversion_value,
        cast(coalesce(
            {{ cast_as('reports.metrics.conversion', 'decimal') }}, {{ cast_as('reports.metrics.orders', 'decimal') }}
        ) as double) as conversions,
        coalesce(reports.metrics.spend, '') = '' and coalesce(reports.metrics.cost, '') <> '' as is_gmv_max,
        reports.breakdown
    from reports
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads') }} as ads
        on ads.source_account = reports.source_account and ads.ad_id = reports.ad_id
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_groups') }} as ad_groups
        on ad_groups.source_account = reports.source_account
        and ad_groups.adgroup_id = coalesce(reports.ad_group_id, ads.adgroup_id)
)

select
    '{{ platform }}' as source_platform,
    source_account,
    report_date,
    report_date as last_date,
    campaign_id,
    {{ cast_as('metrics.campaign_name', 'text') }} as campaign_name,
    ad_group_id,
    ad_group_name,
    ad_id,
    ad_name,
    coalesce({{ cast_as('metrics.spend', 'decimal') }}, {{ cast_as('metrics.cost', 'decimal') }}) as spend,
    currency,
    {{ cast_as('metrics.impressions', 'integer') }} as impressions,
    {{ cast_as('metrics.clicks', 'integer') }} as clicks,
    conversions,
    {{ value_of_conversions('conversion_value', 'conversions') }} as conversion_value,
    cast(null as varchar[]) as conversion_types,
    {{ is_finest('breakdown', 'source_account, report_date, is_gmv_max', 'campaign_id') }}
    and not (is_gmv_max and campaign_id is not null and bool_or(not is_gmv_max) over (
        partition by source_account, report_date, campaign_id
    )) as is_counted
from placed
{%- endmacro %}

{#- What daily and hourly rows have in common.
    Gives  select items: source_account, metrics, and the ids that the row itself says. -#}
{% macro tiktok_ads_row() -%}
source_account,
        metrics,
        dimensions.ad_id as ad_id,
        coalesce(dimensions.adgroup_id, metrics.adgroup_id) as ad_group_id,
        coalesce(dimensions.campaign_id, metrics.campaign_id) as campaign_id
{%- endmacro %}

{#- How a row is broken down, as text: the first in alphabetical order is the one to count.
    Takes  is_hourly: whether it is of an hour.
    Gives  an expression: VARCHAR. -#}
{% macro tiktok_ads_breakdown(is_hourly) -%}
concat_ws(
            ' ', dimensions.country_code is not null, dimensions.province_id is not null,
            dimensions.gender is not null, dimensions.age is not null, dimensions.language is not null,
            dimensions.platform is not null, dimensions.placement is not null, dimensions.ac is not null,
            dimensions.interest_category is not null,
            case
                when dimensions.ad_id is not null then '1 ad'
                when dimensions.adgroup_id is not null then '2 ad group'
                when dimensions.campaign_id is not null then '3 campaign'
                else '4 advertiser'
            end,
            '{{ '2 hour' if is_hourly else '1 day' }}'
        )
{%- endmacro %}

{#- TikTok campaigns, in the canonical columns of campaigns.
    Takes  tenant: a slug.  platform: the source that delivered them.
    Gives  one row per version of a campaign: campaign_name, in_force_from and in_force_to (UTC), ...
    Note   the status is what the advertiser switched, else what came of it. -#}
{% macro engine_tiktok_ads_campaigns(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    campaigns.source_account,
    campaigns.campaign_id,
    {{ cast_as('campaigns.campaign_name', 'text') }} as campaign_name,
    coalesce(
        {{ cast_as('campaigns.operation_status', 'text') }}, {{ cast_as('campaigns.secondary_status', 'text') }}
    ) as campaign_status,
    coalesce(campaigns.in_force_from, {{ cast_as('campaigns.create_time', 'utc_time') }}) as in_force_from,
    campaigns.in_force_to
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns_history') }} as campaigns
{%- endmacro %}
