{#- Amazon Ads reports, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: the source that delivered the rows.
           currency: SQL giving an account's currency, for rows that do not say theirs.
    Gives  one row per report row: report_date (the profile's day), spend (major units of currency), conversions
           (purchases within 7 days of the click, else 14, else 30: the shortest of these windows that was asked for; of
           Sponsored Brands and Display those after a click, else all; NULL where none was), conversion_value (the sales of
           the same purchases), ...
    Note   of Sponsored Products the finest report of a campaign's day counts: by ad, by ad group, by campaign, by
           placement (see is_finest); Brands and Display stand beside it. Lists of campaigns, ad groups and ads are no
           reports; they name what a report knows by id alone, and a product ad is named for its product. A loader leaves
           cells of metrics without activity empty. -#}
{% macro engine_amazon_ads_ad_performance(tenant, platform, currency) -%}
{%- set export = 'source_account, exported_at, report' -%}
with reports as (
    select *, 'sp ads' as report, 1 as level
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_advertised_product_report') }}
    union all by name
    select
        *,
        'sp campaigns' as report,
        case when adGroupId is not null then 2 when placementClassification is null then 3 else 4 end as level
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_campaign_report') }}
    union all by name
    select *, 'sb' as report, 3 as level
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_brands_campaign_report') }}
    union all by name
    select *, 'sd' as report, case when matchedTargetAsin is null then 3 else 4 end as level
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_display_campaign_report') }}
),

placed as (
    select
        reports.source_account,
        reports.exported_at,
        reports.report,
        reports.report[:2] as product,
        reports.level,
        {{ cast_as('reports.date', 'date') }} as report_date,
        {{ cast_as('coalesce(reports.campaignId, ads.campaignId, ad_groups.campaignId)', 'text') }} as campaign_id,
        {{ cast_as('reports.campaignName', 'text') }} as campaign_name,
        {{ cast_as('coalesce(reports.adGroupId, ads.adGroupId)', 'text') }} as ad_group_id,
        coalesce(ad_groups.name, reports.adGroupName) as ad_group_name,
        {{ cast_as('reports.adId', 'text') }} as ad_id,
        coalesce(
            {{ cast_as('reports.advertisedAsin', 'text') }}, {{ cast_as('ads.asin', 'text') }},
            {{ cast_as('reports.advertisedSku', 'text') }}, {{ cast_as('ads.sku', 'text') }}
        ) as ad_name,
        {{ cast_as('coalesce(reports.cost, reports.spend)', 'decimal') }} as spend,
        coalesce(upper({{ cast_as('reports.campaignBudgetCurrencyCode', 'text') }}), {{ currency }}) as currency,
        reports.impressions,
        reports.clicks,
        coalesce(
            reports.purchases7d, reports.purchases14d, reports.purchases30d, reports.purchasesClicks, reports.purchases
        ) as conversions,
        {{ cast_as(
            'case
                when reports.purchases7d is not null then reports.sales7d
                when reports.purchases14d is not null then reports.sales14d
                when reports.purchases30d is not null then reports.sales30d
                when reports.purchasesClicks is not null then reports.salesClicks
                else reports.sales
            end',
            'decimal',
        ) }} as conversion_value
    from reports
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_product_ads') }} as ads
        on ads.source_account = reports.source_account and ads.adId = reports.adId
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_ad_groups') }} as ad_groups
        on ad_groups.source_account = reports.source_account
        and ad_groups.adGroupId = coalesce(reports.adGroupId, ads.adGroupId)
)

select
    '{{ platform }}' as source_platform,
    source_account,
    report_date,
    report_date as last_date,
    campaign_id,
    campaign_name,
    ad_group_id,
    ad_group_name,
    ad_id,
    ad_name,
    {{ zero_if_omitted('spend', ['impressions', 'clicks'], export) }} as spend,
    currency,
    {{ zero_if_omitted('impressions', ['spend', 'clicks'], export) }} as impressions,
    {{ zero_if_omitted('clicks', ['spend', 'impressions'], export) }} as clicks,
    cast(conversions as double) as conversions,
    {{ value_of_conversions('conversion_value', 'conversions') }} as conversion_value,
    cast(null as varchar[]) as conversion_types,
    {{ is_finest('level', 'source_account, report_date, product', 'campaign_id') }} as is_counted
from placed
{%- endmacro %}

{#- Amazon's campaigns of Sponsored Products, in the canonical columns of campaigns.
    Takes  tenant: a slug.  platform: the source that delivered them.
    Gives  one row per version of a campaign: campaign_name, in_force_from and in_force_to (UTC), ...
    Note   a state is in upper case, however old the API that sent it. -#}
{% macro engine_amazon_ads_campaigns(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    campaigns.source_account,
    campaigns.campaignId as campaign_id,
    {{ cast_as('campaigns.name', 'text') }} as campaign_name,
    upper({{ cast_as('campaigns.state', 'text') }}) as campaign_status,
    coalesce(
        campaigns.in_force_from, {{ cast_as('campaigns.extendedData.creationDateTime', 'instant') }}
    ) as in_force_from,
    campaigns.in_force_to
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_campaigns_history') }} as campaigns
{%- endmacro %}
