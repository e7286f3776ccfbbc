{#- Microsoft Advertising reports of four levels, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: the source that delivered the rows.
           currency: SQL giving an account's currency, for rows that do not say theirs.
    Gives  one row per report row: report_date (a UTC day), spend (major units of currency), conversions
           (ConversionsQualified, which has fractions, else Conversions, which are whole; NULL where neither was asked for),
           conversion_value (Revenue, which may have a comma for each thousand; NULL where it is no number)
    Note   of one day the finest report counts, campaign by campaign (see is_no_total), and of several breakdowns of one
           thing the plainest. Only columns that are never empty tell breakdowns apart. What an ad or ad group belongs to
           is in the row where it was asked for, else in the lists of ads and ad groups. -#}
{% macro engine_bing_ads_ad_performance(tenant, platform, currency) -%}
with reports as (
    select *, 0 as level from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_account_performance_report') }}
    union all by name
    select *, 1 as level from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaign_performance_report') }}
    union all by name
    select *, 2 as level from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_group_performance_report') }}
    union all by name
    select *, 3 as level from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_performance_report') }}
),

placed as (
    select
        reports.source_account,
        {{ cast_as('reports.TimePeriod', 'date') }} as report_date,
        coalesce(reports.AccountId, reports.AccountNumber, reports.AccountName) as vendor_account,
        {{ cast_as('coalesce(reports.CampaignId, ad_groups.CampaignId)', 'text') }} as campaign_id,
        {{ cast_as('reports.CampaignName', 'text') }} as campaign_name,
        {{ cast_as('coalesce(reports.AdGroupId, ads.AdGroupId)', 'text') }} as ad_group_id,
        coalesce({{ cast_as('ad_groups.Name', 'text') }}, {{ cast_as('reports.AdGroupName', 'text') }}) as ad_group_name,
        {{ cast_as('reports.AdId', 'text') }} as ad_id,
        coalesce(
            {{ cast_as('ads.Title', 'text') }}, {{ cast_as('ads.TitlePart1', 'text') }},
            {{ cast_as('reports.AdTitle', 'text') }}, {{ cast_as('reports.TitlePart1', 'text') }}
        ) as ad_name,
        {{ cast_as('reports.Spend', 'decimal') }} as spend,
        coalesce(upper({{ cast_as('reports.CurrencyCode', 'text') }}), {{ currency }}) as currency,
        {{ cast_as('reports.Impressions', 'integer') }} as impressions,
        {{ cast_as('reports.Clicks', 'integer') }} as clicks,
        cast(coalesce(
            {{ cast_as('reports.ConversionsQualified', 'decimal') }}, {{ cast_as('reports.Conversions', 'decimal') }}
        ) as double) as conversions,
        try_cast(replace({{ cast_as('reports.Revenue', 'text') }}, ',', '') as decimal(18, 6)) as conversion_value,
        reports.level,
        concat_ws(
            ' ', reports.AdDistribution is not null, reports.Network is not null, reports.TopVsOther is not null,
            reports.DeviceType is not null, reports.DeviceOS is not null, reports.BidMatchType is not null,
            reports.DeliveredMatchType is not null, reports.KeywordId is not null
        ) as breakdown
    from reports
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads') }} as ads
        on ads.source_account = reports.source_account and ads.Id = reports.AdId
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_groups') }} as ad_groups
        on
            ad_groups.source_account = reports.source_account
            and ad_groups.Id = coalesce(reports.AdGroupId, ads.AdGroupId)
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
    spend,
    currency,
    impressions,
    clicks,
    conversions,
    {{ value_of_conversions('conversion_value', 'conversions') }} as conversion_value,
    cast(null as varchar[]) as conversion_types,
    {{ is_no_total('level', 'source_account, report_date', 'campaign_id', 'ad_group_id') }}
    and breakdown = min(breakdown) over (
        partition by source_account, report_date, vendor_account, level, campaign_id, campaign_name, ad_group_id,
            ad_group_name, ad_id
    ) as is_counted
from placed
{%- endmacro %}

{#- Microsoft Advertising campaigns, in the canonical columns of campaigns.
    Takes  tenant: a slug.  platform: the source that delivered them.
    Gives  one row per version of a campaign: campaign_name, in_force_from and in_force_to (UTC), ...
    Note   the API does not say when a campaign was made, so the first version holds from the beginning. -#}
{% macro engine_bing_ads_campaigns(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    campaigns.source_account,
    campaigns.Id as campaign_id,
    {{ cast_as('campaigns.Name', 'text') }} as campaign_name,
    {{ cast_as('campaigns.Status', 'text') }} as campaign_status,
    campaigns.in_force_from,
    campaigns.in_force_to
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns_history') }} as campaigns
{%- endmacro %}
