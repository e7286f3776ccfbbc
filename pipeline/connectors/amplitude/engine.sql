{#- Amplitude events, in the canonical columns of events.
    Takes  tenant: a slug.  platform: amplitude.  purchase_events: the event types that are purchases.
           currency: SQL giving an account's currency, for purchases that do not say theirs.
    Gives  one row per event: occurred_at (UTC), user_pseudo_id (amplitude_id, else device_id), order_total (major units).
    Note   a purchase is an event whose type is in purchase_events, whatever it carries; it is worth $revenue, else
           revenue, else $price times $quantity (1 where it is left out). Its id is order_id, else transaction_id.
           An $insert_id that a device has sent before is the same event again. An event's own source is in its own
           utm properties, else in its user's, which keep the latest campaign also on later visits without one, else a click
           id of its user's says the ad platform (see ad_click);
           initial_utm_ is the user's first source. -#}
{% macro engine_amplitude_events(tenant, platform, currency, purchase_events) -%}
{%- set empty = ('EMPTY',) -%}
with sent as (
    select
        * exclude (user_id, device_id),
        {{ cast_as('event_time', 'utc_time') }} as occurred_at,
        {{ cast_as('user_id', 'text') }} as user_id,
        {{ cast_as('device_id', 'text') }} as device_id,
        coalesce(cast(amplitude_id as varchar), {{ cast_as('device_id', 'text') }}) as own_id,
        event_type in ({{ text_list(purchase_events) }}) as is_purchase,
        {{ nullif_empty('event_properties.utm_source') }} as event_source,
        {{ nullif_empty('user_properties.utm_source', empty) }} as latest_source,
        {{ ad_click(
            'cast(null as varchar)',
            'coalesce(' ~ nullif_empty('user_properties.gclid', empty) ~ ', '
            ~ nullif_empty('user_properties.gbraid', empty) ~ ', ' ~ nullif_empty('user_properties.wbraid', empty) ~ ')',
            nullif_empty('user_properties.dclid', empty),
            msclkid=nullif_empty('user_properties.msclkid', empty),
            ttclid=nullif_empty('user_properties.ttclid', empty),
        ) }} as click
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_events') }}
    qualify nullif(trim("$insert_id"), '') is null or row_number() over (
        partition by source_account, device_id, "$insert_id"
        order by {{ cast_as('server_upload_time', 'utc_time') }} nulls last, source_position, tenant_skey
    ) = 1
),

{{ identify_visitors() }}

select
    '{{ platform }}' as source_platform,
    source_account,
    tenant_skey as event_key,
    event_type as event_name,
    occurred_at,
    case when event_type in ('session_start', '[Amplitude] Start Session') then 0 else 2 end as tie_break,
    exported_at,
    source_position,
    user_pseudo_id,
    user_id,
    is_purchase,
    case
        when is_purchase
            then coalesce({{ nullif_empty('event_properties.order_id') }}, {{ nullif_empty('event_properties.transaction_id') }})
    end as transaction_id,
    case
        when is_purchase
            then coalesce(
                {{ cast_as('event_properties."$revenue"', 'decimal') }},
                {{ cast_as('event_properties.revenue', 'decimal') }},
                cast(
                    {{ cast_as('event_properties."$price"', 'decimal') }} * coalesce(event_properties."$quantity", 1)
                    as decimal(18, 6)
                )
            )
    end as order_total,
    case
        when is_purchase
            then coalesce(
                upper({{ nullif_empty('event_properties."$currency"') }}), upper({{ nullif_empty('event_properties.currency') }}), {{ currency }}
            )
    end as currency,
    coalesce(event_source, latest_source, click) as traffic_source,
    case
        when event_source is not null then {{ nullif_empty('event_properties.utm_medium') }}
        when latest_source is not null then {{ nullif_empty('user_properties.utm_medium') }}
        when click is not null then {{ click_medium('click') }}
    end as traffic_medium,
    case
        when event_source is not null then {{ nullif_empty('event_properties.utm_campaign') }}
        when latest_source is not null then {{ nullif_empty('user_properties.utm_campaign') }}
    end as traffic_campaign,
    case
        when event_source is not null then {{ nullif_empty('event_properties.utm_id') }}
        when latest_source is not null then {{ nullif_empty('user_properties.utm_id') }}
    end as traffic_campaign_id,
    {{ nullif_empty('user_properties.initial_utm_source', empty) }} as user_source,
    {{ nullif_empty('user_properties.initial_utm_medium', empty) }} as user_medium,
    {{ nullif_empty('user_properties.initial_utm_campaign', empty) }} as user_campaign,
    cast(null as varchar) as user_campaign_id,
    {{ nullif_empty('country') }} as geo_country,
    {{ device_category('coalesce(device_type, device_family)') }} as device_category
from identified
{%- endmacro %}

{#- Amplitude users, in the canonical columns of profiles.
    Takes  tenant: a slug.  platform: amplitude.
    Gives  one row per amplitude_id of a user: the one they have, and those that were merged into it. -#}
{% macro engine_amplitude_profiles(tenant, platform) -%}
with ids as (
    select *, unnest(list_distinct(list_concat([canonical_amplitude_id], merged_amplitude_ids))) as amplitude_id
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_users') }}
)

select
    '{{ platform }}' as source_platform,
    source_account,
    cast(amplitude_id as varchar) as user_id,
    lower({{ nullif_empty('properties.email') }}) as email,
    {{ nullif_empty('country') }} as geo_country,
    {{ device_category('coalesce(device_type, device)') }} as device_category
from ids
{%- endmacro %}
