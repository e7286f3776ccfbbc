{#- Google Analytics 4 events, in the canonical columns of events.
    Takes  tenant: a slug.  platform: google_analytics.
           currency: SQL giving a property's currency, for purchases that do not say theirs.
           purchase_events: the events that are purchases.
    Gives  one row per event: occurred_at (UTC), the source the event itself carries, order_total (major units), ...
    Note   an event's own source is in event_params, else in collected_traffic_source; traffic_source is the first source
           of the user. A purchase is worth ecommerce.purchase_revenue, else the parameter value, in the parameter
           currency; without that parameter, purchase_revenue_in_usd is US dollars. -#}
{% macro engine_google_analytics_events(tenant, platform, currency, purchase_events) -%}
{%- set no_transaction = ('N/A', 'n/a', '(none)') -%}
with events as (
    select
        *,
        event_name in ({{ text_list(purchase_events) }}) as is_purchase,
        {{ nullif_empty(event_param('source')) }} as param_source,
        {{ nullif_empty('collected_traffic_source.manual_source') }} as collected_source
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_events') }}
),

paid as (
    select
        *,
        upper(case when is_purchase then {{ nullif_empty(event_param('currency')) }} end) as param_currency,
        case when is_purchase then ecommerce.purchase_revenue_in_usd end as in_usd,
        case
            when is_purchase
                then coalesce(ecommerce.purchase_revenue, try_cast({{ event_param('value') }} as decimal(18, 6)))
        end as in_currency
    from events
)

select
    '{{ platform }}' as source_platform,
    source_account,
    tenant_skey as event_key,
    event_name,
    {{ cast_as('event_timestamp', 'epoch_micros') }} as occurred_at,
    case event_name when 'session_start' then 0 when 'first_visit' then 1 else 2 end as tie_break,
    exported_at,
    source_position,
    {{ cast_as('user_pseudo_id', 'text') }} as user_pseudo_id,
    {{ cast_as('user_id', 'text') }} as user_id,
    is_purchase,
    case
        when is_purchase
            then coalesce(
                {{ nullif_empty('ecommerce.transaction_id', no_transaction) }},
                {{ nullif_empty(event_param('transaction_id'), no_transaction) }}
            )
    end as transaction_id,
    {{ cast_as("case when param_currency is null then coalesce(in_usd, in_currency) else coalesce(in_currency, in_usd) end",
               'decimal') }} as order_total,
    case
        when in_usd is not null and (param_currency is null or in_currency is null) then 'USD'
        when is_purchase then coalesce(param_currency, {{ currency }})
    end as currency,
    coalesce(param_source, collected_source) as traffic_source,
    case
        when param_source is not null then {{ nullif_empty(event_param('medium')) }}
        when collected_source is not null then {{ nullif_empty('collected_traffic_source.manual_medium') }}
    end as traffic_medium,
    case
        when param_source is not null then {{ nullif_empty(event_param('campaign')) }}
        when collected_source is not null then {{ nullif_empty('collected_traffic_source.manual_campaign_name') }}
    end as traffic_campaign,
    case
        when coalesce(param_source, collected_source) is not null
            then coalesce(
                {{ nullif_empty(event_param('campaign_id')) }},
                {{ nullif_empty('collected_traffic_source.manual_campaign_id') }},
                nullif(regexp_extract({{ event_param('page_location') }}, '[?&]utm_id=([^&#]+)', 1), '')
            )
    end as traffic_campaign_id,
    {{ nullif_empty('traffic_source.source') }} as user_source,
    {{ nullif_empty('traffic_source.medium') }} as user_medium,
    {{ nullif_empty('traffic_source.name') }} as user_campaign,
    {{ nullif_empty('geo.country') }} as geo_country,
    {{ nullif_empty('device.category') }} as device_category
from paid
{%- endmacro %}

{#- The value of one event parameter, from whichever slot it arrived in.
    Takes  key: the parameter's name; reads event_params.
    Gives  an expression: VARCHAR, NULL where the event lacks the parameter. -#}
{% macro event_param(key) -%}
{%- set value -%} list_filter(event_params, lambda param: param.key = '{{ key }}')[1].value {%- endset -%}
coalesce(
    {{ value }}.string_value, cast({{ value }}.int_value as varchar),
    cast({{ value }}.double_value as varchar), cast({{ value }}.float_value as varchar)
)
{%- endmacro %}
