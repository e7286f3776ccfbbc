{#- The events star.
    Takes  tenant: a slug.  timezone: the tenant's.
    Gives  one row per event, with the source of its session. -#}
{% macro build_fct_events(tenant, timezone) -%}
with countries as (
    {{ country_names(ref('int_' ~ tenant ~ '__events'), 'geo_country') }}
)

select
    events.event_key,
    '{{ tenant }}' as tenant_slug,
    events.source_platform,
    events.source_account,
    events.event_name,
    events.occurred_at,
    {{ local_date('events.occurred_at', timezone) }} as event_date,
    {{ local_hour('events.occurred_at', timezone) }} as hour_of_day,
    events.user_key,
    events.user_pseudo_id,
    events.user_id,
    events.session_id,
    events.transaction_id as order_id,
    events.order_total,
    events.currency,
    sessions.traffic_source,
    sessions.traffic_medium,
    sessions.traffic_campaign,
    coalesce(countries.country, events.geo_country) as geo_country,
    events.device_category
from {{ ref('int_' ~ tenant ~ '__events') }} as events
left join {{ ref('fct_' ~ tenant ~ '__sessions') }} as sessions on sessions.session_id = events.session_id
left join countries on countries.said = events.geo_country
{%- endmacro %}
