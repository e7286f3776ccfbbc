{#- LinkedIn ad analytics, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: the source that delivered the rows.
           currency: SQL giving an account's currency, where no campaign says it.
    Gives  one row per report row: report_date (a UTC day), spend (major units of currency), conversions (on the website,
           and leads of LinkedIn's own forms; NULL where neither was asked for), ...
    Note   campaigns and creatives are known by the URNs of the row's pivots. Of a campaign's day the report by campaign
           counts, else the finest other one (see is_finest): rows by member, such as job title, come last. A report in US
           dollars alone counts in USD, and its conversion_value, which is in the account's currency, is NULL. LinkedIn has no ad groups; a creative's row does not name its campaign. A row of
           several days (timeGranularity MONTHLY or ALL) does not say what was spent on which, and is not counted. A loader
           leaves cells of metrics without activity empty. -#}
{% macro engine_linkedin_ads_ad_performance(tenant, platform, currency) -%}
{%- set export = 'reported.source_account, reported.exported_at, reported.is_by_campaign' -%}
with reports as (
    select *, true as is_by_campaign, {{ linkedin_ads_pivots('sponsoredCampaign') }} as pivots
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_analytics_by_campaign') }}
    union all by name
    select *, false as is_by_campaign, {{ linkedin_ads_pivots('sponsoredCreative') }} as pivots
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_analytics') }}
),

reported as (
    select
        source_account,
        exported_at,
        make_date(dateRange.start.year, dateRange.start.month, dateRange.start.day) as report_date,
        make_date(dateRange."end".year, dateRange."end".month, dateRange."end".day) as last_date,
        {{ linkedin_ads_id('pivots', 'sponsoredCampaign') }} as campaign_id,
        {{ linkedin_ads_id('pivots', 'sponsoredCreative') }} as ad_id,
        {{ cast_as('costInLocalCurrency', 'decimal') }} as local_cost,
        {{ cast_as('costInUsd', 'decimal') }} as dollar_cost,
        impressions,
        clicks,
        case
            when coalesce(externalWebsiteConversions, oneClickLeads) is not null
                then coalesce(externalWebsiteConversions, 0) + coalesce(oneClickLeads, 0)
        end as conversions,
        {{ cast_as('conversionValueInLocalCurrency', 'decimal') }} as conversion_value,
        is_by_campaign,
        list_transform(pivots, lambda urn: split_part(urn, ':', 3)) as kinds
    from reports
),

ranked as (
    select
        * replace (coalesce(last_date, report_date) as last_date),
        coalesce(local_cost, dollar_cost) as cost,
        local_cost is null and dollar_cost is not null as is_in_dollars,
        concat_ws(
            ' ', not is_by_campaign,
            len(list_filter(kinds, lambda kind: not starts_with(kind, 'sponsored'))) > 0,
            campaign_id is null, ad_id is null, array_to_string(kinds, ' ')
        ) as breakdown
    from reported
),

campaigns as (
    select
        source_account,
        split_part(id, ':', -1) as campaign_id,
        upper(coalesce(dailyBudget.currencyCode, totalBudget.currencyCode, unitCost.currencyCode)) as currency
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns') }}
),

accounts as (
    select source_account, any_value(currency) as currency
    from campaigns
    group by source_account
    having count(distinct currency) = 1
)

select
    '{{ platform }}' as source_platform,
    reported.source_account,
    reported.report_date,
    reported.last_date,
    reported.campaign_id,
    cast(null as varchar) as campaign_name,
    cast(null as varchar) as ad_group_id,
    cast(null as varchar) as ad_group_name,
    reported.ad_id,
    cast(null as varchar) as ad_name,
    {{ zero_if_omitted('reported.cost', ['reported.impressions', 'reported.clicks'], export) }} as spend,
    case
        when reported.is_in_dollars then 'USD'
        else coalesce(campaigns.currency, accounts.currency, {{ currency }})
    end as currency,
    {{ zero_if_omitted('reported.impressions', ['reported.cost', 'reported.clicks'], export) }} as impressions,
    {{ zero_if_omitted('reported.clicks', ['reported.cost', 'reported.impressions'], export) }} as clicks,
    cast(reported.conversions as double) as conversions,
    case
        when not reported.is_in_dollars
            then {{ value_of_conversions('reported.conversion_value', 'reported.conversions', 'reported.source_account') }}
    end as conversion_value,
    cast(null as varchar[]) as conversion_types,
    reported.report_date = reported.last_date and {{ is_finest(
        'reported.breakdown', 'reported.source_account, reported.report_date, reported.last_date', 'reported.campaign_id'
    ) }} as is_counted
from ranked as reported
left join campaigns
    on campaigns.source_account = reported.source_account and campaigns.campaign_id = reported.campaign_id
left join accounts on accounts.source_account = reported.source_account
{%- endmacro %}

{#- What a row of ad analytics is about, as URNs.
    Takes  kind: the URN type of a bare id, as pipelines deliver it that have taken the URNs apart.
    Gives  an expression: VARCHAR[], empty where the row is about the whole account. -#}
{% macro linkedin_ads_pivots(kind) -%}
list_transform(
    list_filter(coalesce(pivotValues, [pivotValue]), lambda urn: urn is not null),
    lambda urn: case when starts_with(urn, 'urn:') then urn else 'urn:li:{{ kind }}:' || urn end
)
{%- endmacro %}

{#- The bare id of the first URN of a type.
    Takes  pivots: SQL giving URNs.  kind: a URN type, such as sponsoredCampaign.
    Gives  an expression: VARCHAR, NULL where there is none. -#}
{% macro linkedin_ads_id(pivots, kind) -%}
split_part(list_filter({{ pivots }}, lambda urn: split_part(urn, ':', 3) = '{{ kind }}')[1], ':', -1)
{%- endmacro %}

{#- LinkedIn campaigns, in the canonical columns of campaigns.
    Takes  tenant: a slug.  platform: the source that delivered them.
    Gives  one row per version of a campaign: campaign_name, in_force_from and in_force_to (UTC), ... -#}
{% macro engine_linkedin_ads_campaigns(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    campaigns.source_account,
    split_part(campaigns.id, ':', -1) as campaign_id,
    {{ cast_as('campaigns.name', 'text') }} as campaign_name,
    {{ cast_as('campaigns.status', 'text') }} as campaign_status,
    coalesce(
        campaigns.in_force_from, {{ cast_as('campaigns.changeAuditStamps.created.time', 'epoch_millis') }}
    ) as in_force_from,
    campaigns.in_force_to
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns_history') }} as campaigns
{%- endmacro %}
