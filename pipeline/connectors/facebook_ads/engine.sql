{#- Meta Ads Insights, in the canonical columns of ad performance.
    Takes  tenant: a slug.  platform: facebook_ads or instagram_ads, the source that delivered the rows.
           currency: SQL giving an account's currency, for rows that do not say theirs.
           conversion_type: the one action_type that counts as a conversion, or none.
           resembles: SQL over action.action_type, true for the types that conversion_type could have meant.
    Gives  one row per insight row: report_date (the ad account's day), spend (major units of currency), ...
    Note   metrics arrive as text; one that is absent beside others is 0 where the export has it in another row (see
           zero_if_omitted), else it was not asked for. A row with publisher_platform counts for that platform. Of a
           campaign's day the rows of the finest level (ad, ad set, campaign, account) are counted (see is_finest), and
           where one thing's day came under two breakdowns, one of them. A row of several days (a report without
           time_increment) does not say what was spent on which, and is not counted. An action_type broken down by
           reaction stands beside its own total: the total counts; an export without any actions was not asked for them,
           and its conversions are NULL. conversion_value is that of the same action_type in action_values. A report that has clicks on links alone (a loader's)
           counts those; what an ad belongs to is in the row where it was asked for, else in the list of ads. -#}
{% macro engine_facebook_ads_ad_performance(tenant, platform, currency, conversion_type, resembles) -%}
with insights as (
    select
        *,
        concat_ws(
            ' ', publisher_platform is null, platform_position is not null, impression_device is not null,
            device_platform is not null, country is not null, region is not null, age is not null, gender is not null,
            hourly_stats_aggregated_by_advertiser_time_zone is not null
        ) as breakdown,
        case
            when ad_id is not null then 0 when adset_id is not null then 1 when campaign_id is not null then 2 else 3
        end as level,
        {{ cast_as('date_start', 'date') }} as report_date,
        coalesce({{ cast_as('date_stop', 'date') }}, {{ cast_as('date_start', 'date') }}) as last_date,
        {{ cast_as('spend', 'decimal') }} as said_spend,
        {{ cast_as('impressions', 'integer') }} as said_impressions,
        {{ cast_as('coalesce(clicks, inline_link_clicks)', 'integer') }} as said_clicks,
        {% if conversion_type is not none -%}
        list_filter(actions, lambda action: action.action_type = {{ text_list([conversion_type]) }}) as conversion_actions,
        list_filter(action_values, lambda action: action.action_type = {{ text_list([conversion_type]) }}) as conversion_values
        {%- endif %}
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_facebook_insights') }}
),

placed as (
    select
        insights.*,
        {{ cast_as('coalesce(insights.campaign_id, ads.campaign_id)', 'text') }} as placed_campaign,
        {{ cast_as('coalesce(insights.adset_id, ads.adset_id)', 'text') }} as placed_ad_set,
        coalesce(ad_sets.name, insights.adset_name) as ad_set_name,
        coalesce(ads.name, insights.ad_name) as current_ad_name
    from insights
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ads') }} as ads
        on ads.source_account = insights.source_account and ads.id = insights.ad_id
    left join {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_ad_sets') }} as ad_sets
        on
            ad_sets.source_account = insights.source_account
            and ad_sets.id = coalesce(insights.adset_id, ads.adset_id)
)

select
    case
        when publisher_platform is null then '{{ platform }}'
        when lower(publisher_platform) = 'instagram' then 'instagram_ads'
        else 'facebook_ads'
    end as source_platform,
    source_account,
    report_date,
    last_date,
    placed_campaign as campaign_id,
    {{ cast_as('campaign_name', 'text') }} as campaign_name,
    placed_ad_set as ad_group_id,
    ad_set_name as ad_group_name,
    {{ cast_as('ad_id', 'text') }} as ad_id,
    current_ad_name as ad_name,
    {{ zero_if_omitted('said_spend', ['said_impressions', 'said_clicks']) }} as spend,
    coalesce(upper({{ cast_as('account_currency', 'text') }}), {{ currency }}) as currency,
    {{ zero_if_omitted('said_impressions', ['said_spend', 'said_clicks']) }} as impressions,
    {{ zero_if_omitted('said_clicks', ['said_spend', 'said_impressions']) }} as clicks,
    {% if conversion_type is none -%}
    cast(null as double) as conversions,
    cast(null as decimal(18, 6)) as conversion_value,
    cast(null as varchar[]) as conversion_types,
    {%- else -%}
    case
        when len(list_filter(conversion_actions, lambda action: {{ cast_as('action.value', 'decimal') }} is null)) > 0 then null
        when bool_or(actions is not null) over (partition by source_account, exported_at)
            then cast(coalesce(list_sum(list_transform(
                coalesce(
                    nullif(list_filter(conversion_actions, lambda action: action.action_reaction is null), []),
                    conversion_actions
                ),
                lambda action: {{ cast_as('action.value', 'decimal') }}
            )), 0) as double)
    end as conversions,
    case
        when len(list_filter(conversion_values, lambda action: {{ cast_as('action.value', 'decimal') }} is null)) > 0 then null
        when len(conversion_values) > 0
            then cast(list_sum(list_transform(
                coalesce(
                    nullif(list_filter(conversion_values, lambda action: action.action_reaction is null), []),
                    conversion_values
                ),
                lambda action: {{ cast_as('action.value', 'decimal') }}
            )) as decimal(18, 6))
        when
            coalesce(len(conversion_actions), 0) = 0
            and bool_or(actions is not null) over (partition by source_account, exported_at)
            and bool_or(action_values is not null) over (partition by source_account)
            then 0
    end as conversion_value,
    list_transform(
        list_filter(actions, lambda action: {{ resembles }}), lambda action: action.action_type
    ) as conversion_types,
    {%- endif %}
    report_date = last_date
    and breakdown = min(breakdown) over (
        partition by source_account, account_id, campaign_id, adset_id, ad_id, report_date, last_date
    )
    and {{ is_finest('level', 'source_account, account_id, report_date, last_date', 'placed_campaign') }} as is_counted
from placed
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
