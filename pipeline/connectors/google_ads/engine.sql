{#- Google Ads reports, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: the source that delivered the rows.
           currency: SQL giving an account's currency, where neither the row nor the customer says it.
    Gives  one row per report row: report_date (the customer's day), spend (major units of currency), conversions
           (fractional; NULL where they were not asked for), ...
    Note   a row's level is the finest resource it names: ad, ad group, campaign, else the whole account. Of one day the
           finest counts, campaign by campaign (see is_no_total), and of several breakdowns of one thing the plainest.
           segments.keyword does not tell breakdowns apart: it is absent where no keyword matched. An id that was not
           asked for is in a resource name. -#}
{% macro engine_google_ads_ad_performance(tenant, platform, currency) -%}
with reports as (
    select
        source_account,
        {{ cast_as('segments.date', 'date') }} as report_date,
        {{ google_ads_customer(['customer', 'campaign', 'adGroup', 'adGroupAd', 'adGroupCriterion', 'keywordView']) }} as customer_id,
        {{ google_ads_id('campaign.id', 'coalesce(campaign.resourceName, adGroup.campaign)', 'campaigns/') }} as campaign_id,
        {{ google_ads_id(
            'adGroup.id',
            'coalesce(
                adGroup.resourceName, adGroupAd.adGroup, adGroupAd.resourceName, adGroupCriterion.resourceName,
                keywordView.resourceName
            )',
            '(?:adGroups|adGroupAds|adGroupCriteria|keywordViews)/',
        ) }} as ad_group_id,
        {{ google_ads_id('adGroupAd.ad.id', 'adGroupAd.resourceName', 'adGroupAds/[0-9]+~') }} as ad_id,
        {{ cast_as('campaign.name', 'text') }} as campaign_name,
        {{ cast_as('adGroup.name', 'text') }} as ad_group_name,
        {{ cast_as('adGroupAd.ad.name', 'text') }} as ad_name,
        upper({{ cast_as('customer.currencyCode', 'text') }}) as currency,
        {{ currency }} as account_currency,
        {{ cast_as('metrics.costMicros', 'micros') }} as spend,
        {{ cast_as('metrics.impressions', 'integer') }} as impressions,
        {{ cast_as('metrics.clicks', 'integer') }} as clicks,
        metrics.conversions as conversions,
        {{ cast_as('metrics.conversionsValue', 'decimal') }} as conversion_value,
        concat_ws(
            ' ', segments.hour is not null, segments.device is not null, segments.adNetworkType is not null,
            segments.slot is not null, segments.clickType is not null, segments.conversionAction is not null,
            segments.conversionActionCategory is not null, segments.conversionActionName is not null,
            coalesce(adGroupCriterion.criterionId, adGroupCriterion.resourceName, keywordView.resourceName) is not null
        ) as breakdown
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_performance') }}
),

ad_groups as (
    select
        reported.source_account,
        reported.customer_id,
        reported.ad_group_id,
        arg_max(sent.campaign_id, struct_pack(e := sent.exported_at, c := sent.campaign_id)) as campaign_id,
        arg_max(sent.ad_group_name, struct_pack(e := sent.exported_at, n := sent.ad_group_name)) as ad_group_name
    from (select distinct source_account, customer_id, ad_group_id from reports) as reported
    inner join (
        select
            source_account,
            exported_at,
            {{ google_ads_customer(['customer', 'campaign', 'adGroup']) }} as customer_id,
            {{ google_ads_id('campaign.id', 'coalesce(campaign.resourceName, adGroup.campaign)', 'campaigns/') }} as campaign_id,
            adGroup.id as ad_group_id,
            adGroup.name as ad_group_name
        from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_groups') }}
    ) as sent
        on
            sent.source_account = reported.source_account
            and sent.ad_group_id = reported.ad_group_id
            and (sent.customer_id is null or sent.customer_id = reported.customer_id)
    group by reported.source_account, reported.customer_id, reported.ad_group_id
),

ads as (
    select
        reported.source_account,
        reported.customer_id,
        reported.ad_group_id,
        reported.ad_id,
        arg_max(sent.ad_name, struct_pack(e := sent.exported_at, n := sent.ad_name)) as ad_name
    from (select distinct source_account, customer_id, ad_group_id, ad_id from reports) as reported
    inner join (
        select
            source_account,
            exported_at,
            {{ google_ads_customer(['customer', 'campaign', 'adGroup', 'adGroupAd']) }} as customer_id,
            {{ google_ads_id(
                'adGroup.id', 'coalesce(adGroup.resourceName, adGroupAd.adGroup, adGroupAd.resourceName)', '(?:adGroups|adGroupAds)/'
            ) }} as ad_group_id,
            adGroupAd.ad.id as ad_id,
            adGroupAd.ad.name as ad_name
        from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads') }}
    ) as sent
        on
            sent.source_account = reported.source_account
            and sent.ad_group_id = reported.ad_group_id
            and sent.ad_id = reported.ad_id
            and (sent.customer_id is null or sent.customer_id = reported.customer_id)
    group by reported.source_account, reported.customer_id, reported.ad_group_id, reported.ad_id
),

placed as (
    select
        reports.* replace (
            coalesce(reports.campaign_id, ad_groups.campaign_id) as campaign_id,
            coalesce(ad_groups.ad_group_name, reports.ad_group_name) as ad_group_name,
            coalesce(ads.ad_name, reports.ad_name) as ad_name,
            coalesce(
                reports.currency, upper({{ cast_as('customers.customer.currencyCode', 'text') }}), reports.account_currency
            ) as currency
        ),
        case
            when reports.ad_id is not null then 3
            when reports.ad_group_id is not null then 2
            when reports.campaign_id is not null then 1
            else 0
        end as level
    from reports
    left join ad_groups
        on
            ad_groups.source_account = reports.source_account
            and ad_groups.customer_id is not distinct from reports.customer_id
            and ad_groups.ad_group_id = reports.ad_group_id
    left join ads
        on
            ads.source_account = reports.source_account
            and ads.customer_id is not distinct from reports.customer_id
            and ads.ad_group_id = reports.ad_group_id
            and ads.ad_id = reports.ad_id
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_customers') }} as customers
        on customers.source_account = reports.source_account and customers.customer.id = reports.customer_id
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
    {{ is_no_total('level', 'source_account, customer_id, report_date', 'campaign_id', 'ad_group_id') }}
    and breakdown = min(breakdown) over (
        partition by source_account, customer_id, report_date, campaign_id, ad_group_id, ad_id
    ) as is_counted
from placed
{%- endmacro %}

{#- Google Ads campaigns, in the canonical columns of campaigns.
    Takes  tenant: a slug.  platform: the source that delivered them.
    Gives  one row per version of a campaign: campaign_name, in_force_from and in_force_to (UTC), ...
    Note   the API does not say when a campaign was made, so the first version holds from the beginning. -#}
{% macro engine_google_ads_campaigns(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    campaigns.source_account,
    campaigns.campaign.id as campaign_id,
    {{ cast_as('campaigns.campaign.name', 'text') }} as campaign_name,
    {{ cast_as('campaigns.campaign.status', 'text') }} as campaign_status,
    campaigns.in_force_from,
    campaigns.in_force_to
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns_history') }} as campaigns
{%- endmacro %}

{#- An id, from its field or else from a resource name such as customers/123/adGroupAds/789~12.
    Takes  id, resource_name: SQL.  before: what stands before the id in the resource name, a regular expression.
    Gives  an expression: VARCHAR, NULL where neither says it. -#}
{% macro google_ads_id(id, resource_name, before) -%}
coalesce({{ cast_as(id, 'text') }}, nullif(regexp_extract({{ resource_name }}, '{{ before }}([0-9]+)', 1), ''))
{%- endmacro %}

{#- The id of the customer whom a row is about: every resource name begins with it.
    Takes  resources: names of the row's nested resources, the customer first.
    Gives  an expression: VARCHAR. -#}
{% macro google_ads_customer(resources) -%}
{{ google_ads_id('customer.id', 'coalesce(' ~ (resources | join('.resourceName, ')) ~ '.resourceName)', '^customers/') }}
{%- endmacro %}
