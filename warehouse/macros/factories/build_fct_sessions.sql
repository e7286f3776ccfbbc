{#- The sessions star.
    Takes  tenant: a slug.  timezone: the tenant's.  attribution_model: first_touch or last_non_direct.
           funnel: for each step, by position, the event names that reach it.  conversion_events: event names.
           reporting: the currency that rates convert to; none without rates.
    Gives  one row per session.
    Note   source, medium and campaign are taken together from one event, else from what the tool says brought the
           session, else from the user's own first source. session_revenue is in the currency of the session's
           first purchase that is worth something. What its purchases of other currencies are worth is converted where a
           rate is known (other_revenue, for the amounts in the reporting currency), else it is left out and counted. -#}
{% macro build_fct_sessions(tenant, timezone, attribution_model, funnel, conversion_events, reporting=none) -%}
with touched as (
    select
        *,
        case
            when traffic_source is not null
                then struct_pack(s := traffic_source, m := traffic_medium, c := traffic_campaign, i := traffic_campaign_id)
        end as touch,
        case
            when user_source is not null
                then struct_pack(s := user_source, m := user_medium, c := user_campaign, i := user_campaign_id)
        end as user_touch
    from {{ ref('int_' ~ tenant ~ '__events') }}
    where session_id is not null
),

counted as (
    select
        session_id,
        any_value(source_platform) as source_platform,
        arg_min(source_account, event_number) as source_account,
        any_value(user_key) as user_key,
        any_value(user_pseudo_id) as user_pseudo_id,
        arg_max(user_id, event_number) as user_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as events_in_session,
        coalesce(
            {% if attribution_model == 'last_non_direct' -%}
            arg_max(touch, event_number) filter (where lower(traffic_source) not in ('(direct)', 'direct')),
            {% endif -%}
            arg_min(touch, event_number),
            arg_min(user_touch, event_number)
        ) as touch,
        arg_min(geo_country, event_number) as geo_country,
        arg_min(device_category, event_number) as device_category,
        {% for names in funnel -%}
        count(*) filter (where event_name in ({{ text_list(names) }})) as funnel_step_{{ loop.index }},
        {% endfor -%}
        count(*) filter (where event_name in ({{ text_list(conversion_events) }})) as funnel_conversion_count
    from touched
    group by session_id
),

visits as (
    select *, touch.s as traffic_source, touch.m as traffic_medium, touch.c as traffic_campaign, touch.i as traffic_campaign_id
    from counted
),

{{ attribute_visits(tenant) }},

{{ channels_of_visits(tenant) }},

countries as (
    {{ country_names('visits', 'geo_country') }}
),

revenue as (
    select
        session_id,
        any_value(session_currency) as currency,
        sum(order_total) filter (where currency = session_currency) as session_revenue,
        arg_min(transaction_id, event_number) as transaction_id
    from {{ ref('int_' ~ tenant ~ '__purchases') }}
    where is_counted
    group by session_id
),

foreign_amounts as (
    select session_id, currency, sum(order_total) as amount, count(*) as purchases
    from {{ ref('int_' ~ tenant ~ '__purchases') }}
    where is_counted and currency <> session_currency and order_total <> 0
    group by session_id, currency
),

foreign_purchases as (
    select
        found.session_id,
        {%- if reporting %}
        sum(cast(
            case when found.currency = '{{ reporting }}' then found.amount else found.amount * rates.rate end as decimal(18, 6)
        )) as other_revenue,
        {%- endif %}
        {%- set is_left_out -%}
            {% if reporting %}found.currency <> '{{ reporting }}' and rates.rate is null{% else %}true{% endif %}
        {%- endset %}
        sum(found.purchases) filter (where {{ is_left_out }}) as left_out_purchases,
        map_from_entries(
            list(struct_pack(k := found.currency, v := cast(found.amount as decimal(18, 6))) order by found.currency)
                filter (where {{ is_left_out }})
        ) as left_out_revenue
    from {% if reporting -%}
    (
        select foreign_amounts.*, {{ local_date('visits.started_at', timezone) }} as session_date
        from foreign_amounts
        inner join visits on visits.session_id = foreign_amounts.session_id
    ) as found
    asof left join {{ ref('int_' ~ tenant ~ '__rates') }} as rates
        on rates.currency = found.currency and rates.rate_date <= found.session_date
    {%- else -%}
    foreign_amounts as found
    {%- endif %}
    group by found.session_id
)

select
    visits.session_id,
    '{{ tenant }}' as tenant_slug,
    visits.source_platform,
    visits.source_account,
    visits.user_key,
    visits.user_pseudo_id,
    visits.user_id,
    visits.started_at,
    visits.ended_at,
    {{ local_date('visits.started_at', timezone) }} as session_date,
    {{ local_hour('visits.started_at', timezone) }} as hour_of_day,
    cast((epoch_us(visits.ended_at) - epoch_us(visits.started_at)) * 0.000001 as decimal(19, 6)) as session_duration_seconds,
    visits.events_in_session,
    channels.source_text as traffic_source,
    channels.medium_text as traffic_medium,
    visits.traffic_campaign,
    channels.channel,
    attributed.campaign_key,
    attributed.campaign_name,
    attributed.ad_platform,
    attributed.attribution,
    coalesce(countries.country, visits.geo_country) as geo_country,
    visits.device_category,
    cast(greatest(0, 0
        {%- for names in funnel %}, case when visits.funnel_step_{{ loop.index }} > 0 then {{ loop.index }} end {%- endfor -%}
    ) as bigint) as funnel_max_step,
    {% for names in funnel -%}
    visits.funnel_step_{{ loop.index }},
    {% endfor -%}
    visits.funnel_conversion_count,
    visits.funnel_conversion_count > 0 as is_conversion_session,
    cast(coalesce(revenue.session_revenue, 0) as decimal(18, 6)) as session_revenue,
    revenue.currency,
    revenue.transaction_id,
    cast(coalesce(foreign_purchases.left_out_purchases, 0) as bigint) as left_out_purchases,
    foreign_purchases.left_out_revenue
    {%- if reporting %},
    cast(coalesce(foreign_purchases.other_revenue, 0) as decimal(18, 6)) as other_revenue
    {%- endif %}
from visits
inner join attributed on attributed.session_id = visits.session_id
left join channels
    on
        channels.traffic_source is not distinct from visits.traffic_source
        and channels.traffic_medium is not distinct from visits.traffic_medium
        and channels.traffic_campaign is not distinct from visits.traffic_campaign
left join countries on countries.said = visits.geo_country
left join revenue on revenue.session_id = visits.session_id
left join foreign_purchases on foreign_purchases.session_id = visits.session_id
{%- endmacro %}
