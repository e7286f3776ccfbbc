{#- Amazon Ads reports of Sponsored Products, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: the source that delivered the rows.
           currency: SQL giving an account's currency, for rows that do not say theirs.
    Gives  one row per report row: report_date (the profile's day), spend (major units of currency), conversions
           (purchases within 7 days of the click, else 14, else 30: the shortest of these windows that was asked for;
           NULL where none was), ...
    Note   the finest report of an account's day counts: by ad, by ad group, by campaign, by placement. Lists of campaigns,
           ad groups and ads are no reports; they name what a report knows by id alone, and a product ad is named for
           its product. -#}
{% macro engine_amazon_ads_ad_performance(tenant, platform, currency) -%}
with reports as (
    select *, 1 as level
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_advertised_product_report') }}
    union all by name
    select
        *,
        case when adGroupId is not null then 2 when placementClassification is null then 3 else 4 end as level
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_campaign_report') }}
)

select
    '{{ platform }}' as source_platform,
    reports.source_account,
    {{ cast_as('reports.date', 'date') }} as report_date,
    {{ cast_as('reports.date', 'date') }} as last_date,
    {{ cast_as('coalesce(reports.campaignId, ads.campaignId, ad_groups.campaignId)', 'text') }} as campaign_id,
    {{ cast_as('reports.campaignName', 'text') }} as campaign_name,
    {{ cast_as('coalesce(reports.adGroupId, ads.adGroupId)', 'text') }} as ad_group_id,
    coalesce(ad_groups.name, reports.adGroupName) as ad_group_name,
    {{ cast_as('reports.adId', 'text') }} as ad_id,
    coalesce(
        {{ cast_as('reports.advertisedAsin', 'text') }}, {{ cast_as('ads.asin', 'text') }},
        {{ cast_as('reports.advertisedSku', 'text') }}, {{ cast_as('ads.sku', 'text') }}
    ) as ad_name,
    coalesce({{ cast_as('coalesce(reports.cost, reports.spend)', 'decimal') }}, 0) as spend,
    coalesce(upper({{ cast_as('reports.campaignBudgetCurrencyCode', 'text') }}), {{ currency }}) as currency,
    coalesce(reports.impressions, 0) as impressions,
    coalesce(reports.clicks, 0) as clicks,
    cast(coalesce(reports.purchases7d, reports.purchases14d, reports.purchases30d) as double) as conversions,
    cast(null as varchar[]) as conversion_types,
    reports.level = min(reports.level) over (partition by reports.source_account, reports.date) as is_counted
from reports
left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_product_ads') }} as ads
    on ads.source_account = reports.source_account and ads.adId = reports.adId
left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_sponsored_products_ad_groups') }} as ad_groups
    on ad_groups.source_account = reports.source_account
    and ad_groups.adGroupId = coalesce(reports.adGroupId, ads.adGroupId)
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
