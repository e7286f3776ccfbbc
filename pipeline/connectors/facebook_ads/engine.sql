{#- Meta Ads Insights, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: facebook_ads or instagram_ads, the source that delivered the rows.
           currency: SQL giving an account's currency, for rows that do not say theirs.
           conversion_type: the one action_type that counts as a conversion, or none.
           resembles: SQL over action.action_type, true for the types that conversion_type could have meant.
    Gives  one row per insight row: report_date (the ad account's day), spend (major units of currency), ...
    Note   metrics arrive as text, an absent one is 0. A row with publisher_platform counts for that platform. Of an
           account's day the rows of the finest level (ad, ad set, campaign, account) are counted, and where one thing's
           day came under two breakdowns, one of them. An action_type broken down by reaction stands
           beside its own total: the total counts. A report that has clicks on links alone (a loader's) counts those; what
           an ad belongs to is in the row where it was asked for, else in the list of ads. -#}
{% macro engine_facebook_ads_ad_performance(tenant, platform, currency, conversion_type, resembles) -%}
with insights as (
    select
        *,
        concat_ws(
            ' ', publisher_platform is null, platform_position is not null, impression_device is not null,
            device_platform is not null, country is not null, region is not null, age is not null, gender is not null,
            hourly_stats_aggregated_by_advertiser_time_zone is not null
        ) as breakdown,
        concat_ws(' ', ad_id is not null, adset_id is not null, campaign_id is not null) as detail,
        {% if conversion_type is not none -%}
        list_filter(actions, lambda action: action.action_type = {{ text_list([conversion_type]) }}) as conversion_actions
        {%- endif %}
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_facebook_insights') }}
)

select
    case
        when insights.publisher_platform is null then '{{ platform }}'
        when lower(insights.publisher_platform) = 'instagram' then 'instagram_ads'
        else 'facebook_ads'
    end as source_platform,
    insights.source_account,
    {{ cast_as('insights.date_start', 'date') }} as report_date,
    {{ cast_as('insights.date_stop', 'date') }} as last_date,
    {{ cast_as('coalesce(insights.campaign_id, ads.campaign_id)', 'text') }} as campaign_id,
    {{ cast_as('insights.campaign_name', 'text') }} as campaign_name,
    {{ cast_as('coalesce(insights.adset_id, ads.adset_id)', 'text') }} as ad_group_id,
    coalesce(ad_sets.name, insights.adset_name) as ad_group_name,
    {{ cast_as('insights.ad_id', 'text') }} as ad_id,
    coalesce(ads.name, insights.ad_name) as ad_name,
    coalesce({{ cast_as('insights.spend', 'decimal') }}, 0) as spend,
    coalesce(upper({{ cast_as('insights.account_currency', 'text') }}), {{ currency }}) as currency,
    coalesce({{ cast_as('insights.impressions', 'integer') }}, 0) as impressions,
    coalesce({{ cast_as('coalesce(insights.clicks, insights.inline_link_clicks)', 'integer') }}, 0) as clicks,
    {% if conversion_type is none -%}
    cast(null as double) as conversions,
    cast(null as varchar[]) as conversion_types,
    {%- else -%}
    cast(coalesce(list_sum(list_transform(
        coalesce(
            nullif(list_filter(insights.conversion_actions, lambda action: action.action_reaction is null), []),
            insights.conversion_actions
        ),
        lambda action: {{ cast_as('action.value', 'decimal') }}
    )), 0) as double) as conversions,
    list_transform(
        list_filter(insights.actions, lambda action: {{ resembles }}), lambda action: action.action_type
    ) as conversion_types,
    {%- endif %}
    insights.breakdown = min(insights.breakdown) over (
        partition by insights.source_account, insights.account_id, insights.campaign_id, insights.adset_id,
            insights.ad_id, insights.date_start, insights.date_stop
    )
    and insights.detail = max(insights.detail) over (
        partition by insights.source_account, insights.account_id, insights.date_start
    ) as is_counted
from insights
left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads') }} as ads
    on ads.source_account = insights.source_account and ads.id = insights.ad_id
left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_sets') }} as ad_sets
    on
        ad_sets.source_account = insights.source_account
        and ad_sets.id = coalesce(insights.adset_id, ads.adset_id)
{%- endmacro %}

{#- Meta campaigns, in the canonical columns of campaigns.
    Takes  tenant: a slug.  platform: facebook_ads or instagram_ads, the source that delivered them.
    Gives  one row per version of a campaign, for every platform of Meta it has report rows on: campaign_name, in_force_from
           and in_force_to (UTC), ...
    Note   one Meta campaign runs on several platforms; each has its own campaign_key, as its spend has. -#}
{% macro engine_facebook_ads_campaigns(tenant, platform) -%}
with platforms as (
    select source_platform, source_account, campaign_id
    from {{ ref('int_' ~ tenant ~ '__ad_performance') }}
    where source_platform in ('facebook_ads', 'instagram_ads')
    union
    select '{{ platform }}', source_account, id
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns_history') }}
)

select
    platforms.source_platform,
    campaigns.source_account,
    campaigns.id as campaign_id,
    {{ cast_as('campaigns.name', 'text') }} as campaign_name,
    {{ cast_as('campaigns.status', 'text') }} as campaign_status,
    coalesce(campaigns.in_force_from, {{ cast_as('campaigns.created_time', 'instant') }}) as in_force_from,
    campaigns.in_force_to
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns_history') }} as campaigns
inner join platforms
    on platforms.source_account = campaigns.source_account and platforms.campaign_id = campaigns.id
{%- endmacro %}
