{#- Mixpanel events, in the canonical columns of events.
    Takes  tenant: a slug.  platform: mixpanel.  purchase_events: the events that are purchases.
           currency: SQL giving an account's currency, for purchases that do not say theirs.
           timezone: SQL giving the zone of an account's times.
    Gives  one row per event: occurred_at (UTC), user_pseudo_id (distinct_id), order_total (major units).
    Note   a purchase is an event whose name is in purchase_events, whatever it carries; it is worth revenue. Its id is
           order_id, else transaction_id. Its own source is in utm_source, else a click id says the ad platform (see
           ad_click). A person's first source is in their profile. -#}
{% macro engine_mixpanel_events(tenant, platform, currency, purchase_events, timezone) -%}
with sent as (
    select
        * exclude (properties),
        unnest(properties),
        timezone('UTC', timezone({{ timezone }}, {{ cast_as('properties.time', 'epoch_seconds') }})) as occurred_at,
        {{ cast_as('properties.distinct_id', 'text') }} as own_id,
        {{ cast_as('properties."$device_id"', 'text') }} as device_id,
        {{ cast_as('properties."$user_id"', 'text') }} as user_id,
        event in ({{ text_list(purchase_events) }}) as is_purchase,
        {{ nullif_empty('properties.utm_source') }} as utm_traffic_source,
        {{ ad_click(
            'properties."$current_url"',
            'coalesce(' ~ nullif_empty('properties.gclid') ~ ', ' ~ nullif_empty('properties.gbraid') ~ ', '
            ~ nullif_empty('properties.wbraid') ~ ')',
            nullif_empty('properties.dclid'),
            msclkid=nullif_empty('properties.msclkid'),
            ttclid=nullif_empty('properties.ttclid'),
        ) }} as click
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_events') }}
),

{{ identify_visitors() }},

people as (
    select source_account, "$distinct_id" as distinct_id, "$properties" as traits
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_people') }}
)

select
    '{{ platform }}' as source_platform,
    identified.source_account,
    identified.tenant_skey as event_key,
    identified.event as event_name,
    identified.occurred_at,
    case when identified.event = 'session_start' then 0 else 2 end as tie_break,
    identified.exported_at,
    identified.source_position,
    identified.user_pseudo_id,
    identified.user_id,
    identified.is_purchase,
    case
        when identified.is_purchase then coalesce({{ nullif_empty('identified.order_id') }}, {{ nullif_empty('identified.transaction_id') }})
    end as transaction_id,
    case when identified.is_purchase then {{ cast_as('identified.revenue', 'decimal') }} end as order_total,
    case
        when identified.is_purchase then coalesce(upper({{ nullif_empty('identified.currency') }}), {{ currency }})
    end as currency,
    coalesce(identified.utm_traffic_source, identified.click) as traffic_source,
    case
        when identified.utm_traffic_source is not null then {{ nullif_empty('identified.utm_medium') }}
        when identified.click is not null then {{ click_medium('identified.click') }}
    end as traffic_medium,
    case
        when identified.utm_traffic_source is not null then {{ nullif_empty('identified.utm_campaign') }}
    end as traffic_campaign,
    case
        when identified.utm_traffic_source is not null then {{ nullif_empty('identified.utm_id') }}
        when identified.click = 'google' then {{ google_campaign('identified."$current_url"') }}
    end as traffic_campaign_id,
    {{ nullif_empty('people.traits.initial_utm_source') }} as user_source,
    {{ nullif_empty('people.traits.initial_utm_medium') }} as user_medium,
    {{ nullif_empty('people.traits.initial_utm_campaign') }} as user_campaign,
    cast(null as varchar) as user_campaign_id,
    {{ nullif_empty('identified.mp_country_code') }} as geo_country,
    {{ device_category('coalesce(identified."$device", identified."$os")') }} as device_category
from identified
left join people
    on people.source_account = identified.source_account and people.distinct_id = identified.user_pseudo_id
{%- endmacro %}

{#- Mixpanel people, in the canonical columns of profiles.
    Takes  tenant: a slug.  platform: mixpanel.
    Gives  one row per person. -#}
{% macro engine_mixpanel_profiles(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    source_account,
    "$distinct_id" as user_id,
    lower({{ nullif_empty('"$properties"."$email"') }}) as email,
    {{ nullif_empty('"$properties"."$country_code"') }} as geo_country,
    {{ device_category('"$properties"."$os"') }} as device_category
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_people') }}
{%- endmacro %}
