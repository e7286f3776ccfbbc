{#- Which ad campaign each visit came from.
    Takes  tenant: a slug.  the CTE visits: session_id, started_at, traffic_source, traffic_medium, traffic_campaign,
           traffic_campaign_id.
    Gives  the CTE attributed: session_id, ad_platform, campaign_key, campaign_name, attribution.
    Note   by the id the URL carries, then by a campaign text that is an id, then by the name in force when the visit
           began, then by any name a campaign had. The best way that finds anything decides; when it finds several
           campaigns, none is guessed; their name is known where they share it. -#}
{% macro attribute_visits(tenant) -%}
campaign_texts as (
    select distinct
        source_platform,
        'name' as kind,
        {{ normalize_name('campaign_name') }} as value,
        {{ md5_key(['source_platform', 'source_account', 'campaign_id']) }} as campaign_key,
        coalesce(in_force_from, timestamp '-infinity') as in_force_from,
        coalesce(in_force_to, timestamp 'infinity') as in_force_to
    from {{ ref('int_' ~ tenant ~ '__campaigns') }}
    union all
    select distinct
        source_platform,
        'name' as kind,
        {{ normalize_name('campaign_name') }} as value,
        {{ md5_key(['source_platform', 'source_account', 'campaign_id']) }} as campaign_key,
        timestamp 'infinity' as in_force_from,
        timestamp 'infinity' as in_force_to
    from {{ ref('int_' ~ tenant ~ '__ad_performance') }}
    where campaign_id is not null
    union all
    select
        source_platform,
        'id' as kind,
        campaign_id as value,
        campaign_key,
        timestamp '-infinity' as in_force_from,
        timestamp 'infinity' as in_force_to
    from {{ ref('dim_' ~ tenant ~ '__campaigns') }}
),

paid_visits as (
    select visits.*, platforms.ad_platform
    from visits
    inner join {{ ref('int_' ~ tenant ~ '__traffic_platforms') }} as platforms
        on
            platforms.traffic_source = {{ normalize_name('visits.traffic_source') }}
            and platforms.traffic_medium = {{ normalize_name('visits.traffic_medium') }}
),

visit_texts as (
    select session_id, ad_platform, started_at, 'id' as kind, trim(traffic_campaign_id) as value, 1 as way from paid_visits
    union all
    select session_id, ad_platform, started_at, 'id' as kind, trim(traffic_campaign) as value, 2 as way from paid_visits
    union all
    select session_id, ad_platform, started_at, 'name' as kind, {{ normalize_name('traffic_campaign') }} as value, 3 as way
    from paid_visits
),

found as (
    select
        visit_texts.session_id,
        campaign_texts.campaign_key,
        case
            when visit_texts.started_at >= campaign_texts.in_force_from
                and visit_texts.started_at < campaign_texts.in_force_to
                then visit_texts.way
            else 4
        end as way
    from visit_texts
    inner join campaign_texts
        on
            campaign_texts.source_platform = visit_texts.ad_platform
            and campaign_texts.kind = visit_texts.kind
            and campaign_texts.value = visit_texts.value
),

best as (
    select session_id, campaign_key
    from found
    qualify way = min(way) over (partition by session_id)
),

campaigns as (
    select
        best.session_id,
        any_value(best.campaign_key) as campaign_key,
        count(distinct best.campaign_key) as campaigns,
        case
            when count(distinct named.campaign_name) = 1 and count(*) = count(named.campaign_name)
                then any_value(named.campaign_name)
        end as campaign_name
    from best
    left join {{ ref('dim_' ~ tenant ~ '__campaigns') }} as named on named.campaign_key = best.campaign_key
    group by best.session_id
),

attributed as (
    select
        visits.session_id,
        paid_visits.ad_platform,
        case when campaigns.campaigns = 1 then campaigns.campaign_key end as campaign_key,
        campaigns.campaign_name,
        case
            when campaigns.campaigns = 1 then 'matched'
            when campaigns.campaigns > 1 then 'ambiguous'
            else 'none'
        end as attribution
    from visits
    left join paid_visits on paid_visits.session_id = visits.session_id
    left join campaigns on campaigns.session_id = visits.session_id
)
{%- endmacro %}
