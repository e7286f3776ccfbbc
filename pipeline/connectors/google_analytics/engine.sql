{#- Google Analytics 4 events, in the canonical columns of events.
    Takes  tenant: a slug.  platform: google_analytics.
           currency: SQL giving a property's currency, for purchases that do not say theirs.
           purchase_events: the events that are purchases.
    Gives  one row per event: occurred_at (UTC), the source the event itself carries, order_total (major units), ...
    Note   an event's own source is in event_params, else in collected_traffic_source. Where it names none that was paid
           for, a click id says the ad platform (see ad_click), and google / organic gives way to the google click that
           session_traffic_source_last_click has; the campaign is that record's, else gad_campaignid of the address. A
           session whose events carry nothing has that record's source, else traffic_source, the first one of the user.
           A purchase is worth ecommerce.purchase_revenue, else the parameter value, else its items, in the parameter
           currency; without that parameter, purchase_revenue_in_usd is US dollars. An event that two exports have, such
           as events_intraday_ beside the day, counts once, by its place in its batch. -#}
{% macro engine_google_analytics_events(tenant, platform, currency, purchase_events) -%}
{%- set no_transaction = ('N/A', 'n/a', '(none)') -%}
{%- set batch = [
    'stream_id', 'user_pseudo_id', 'event_timestamp', 'event_name', 'batch_page_id', 'batch_ordering_id', 'batch_event_index'
] -%}
{%- set last_click = 'session_traffic_source_last_click' -%}
{%- set cross = last_click ~ '.cross_channel_campaign' -%}
{%- set google = last_click ~ '.google_ads_campaign' -%}
{%- set manual = last_click ~ '.manual_campaign' -%}
with sent as (
    select * from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_events') }}
),

sent_again as (
    select source_account, {{ batch | join(', ') }}, max(exported_at) as newest
    from sent
    where {{ batch | join(' is not null and ') }} is not null
    group by all
    having min(exported_at) < max(exported_at)
),

events as (
    select
        sent.*,
        event_name in ({{ text_list(purchase_events) }}) as is_purchase,
        {{ nullif_empty(event_param('source')) }} as param_source,
        {{ nullif_empty('collected_traffic_source.manual_source') }} as collected_source,
        {{ event_param('page_location') }} as page_location,
        case
            when {{ nullif_empty(cross ~ '.source') }} is not null
                then struct_pack(
                    s := {{ nullif_empty(cross ~ '.source') }},
                    m := {{ nullif_empty(cross ~ '.medium') }},
                    c := coalesce({{ nullif_empty(cross ~ '.campaign_name') }}, {{ nullif_empty(google ~ '.campaign_name') }}),
                    i := coalesce({{ nullif_empty(cross ~ '.campaign_id') }}, {{ nullif_empty(google ~ '.campaign_id') }})
                )
            when {{ nullif_empty(google ~ '.campaign_id') }} is not null
                then struct_pack(
                    s := 'google',
                    m := 'cpc',
                    c := {{ nullif_empty(google ~ '.campaign_name') }},
                    i := {{ nullif_empty(google ~ '.campaign_id') }}
                )
            when {{ nullif_empty(manual ~ '.source') }} is not null
                then struct_pack(
                    s := {{ nullif_empty(manual ~ '.source') }},
                    m := {{ nullif_empty(manual ~ '.medium') }},
                    c := {{ nullif_empty(manual ~ '.campaign_name') }},
                    i := {{ nullif_empty(manual ~ '.campaign_id') }}
                )
        end as last_click
    from sent
    anti join sent_again
        on
            sent_again.source_account = sent.source_account
            {% for name in batch -%} and sent_again.{{ name }} = sent.{{ name }} {% endfor %}
            and sent_again.newest > sent.exported_at
),

paid as (
    select
        *,
        upper(case when is_purchase then {{ nullif_empty(event_param('currency')) }} end) as param_currency,
        case
            when is_purchase
                then coalesce(
                    ecommerce.purchase_revenue_in_usd, list_sum(list_transform(items, lambda item: item.item_revenue_in_usd))
                )
        end as in_usd,
        case
            when is_purchase
                then coalesce(
                    ecommerce.purchase_revenue,
                    try_cast({{ event_param('value') }} as decimal(18, 6)),
                    list_sum(list_transform(items, lambda item: item.item_revenue))
                )
        end as in_currency,
        case
            when param_source is not null
                then struct_pack(
                    s := param_source,
                    m := {{ nullif_empty(event_param('medium')) }},
                    c := {{ nullif_empty(event_param('campaign')) }}
                )
            when collected_source is not null
                then struct_pack(
                    s := collected_source,
                    m := {{ nullif_empty('collected_traffic_source.manual_medium') }},
                    c := {{ nullif_empty('collected_traffic_source.manual_campaign_name') }}
                )
        end as own,
        {{ ad_click(
            'page_location',
            'coalesce(' ~ nullif_empty('collected_traffic_source.gclid') ~ ', ' ~ nullif_empty(event_param('gclid')) ~ ')',
            'coalesce(' ~ nullif_empty('collected_traffic_source.dclid') ~ ', ' ~ nullif_empty(event_param('dclid')) ~ ')',
            nullif_empty(event_param('gclsrc')),
        ) }} as click
    from events
),

traced as (
    select
        *,
        coalesce(
            {{ nullif_empty(event_param('campaign_id')) }},
            {{ nullif_empty('collected_traffic_source.manual_campaign_id') }},
            nullif(regexp_extract(page_location, '[?&]utm_id=([^&#]+)', 1), '')
        ) as own_id,
        {{ google_campaign('page_location') }} as google_id,
        click is not null and {{ is_unpaid('own.m') }} as is_of_click,
        (is_of_click or (lower(own.s) = 'google' and lower(own.m) = 'organic'))
        and not {{ is_unpaid('last_click.m') }}
        and (lower(last_click.s) = coalesce(click, lower(own.s)) or click = 'dv360') as is_of_last_click
    from paid
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
    case
        when is_of_last_click then last_click.s
        when is_of_click then click
        else own.s
    end as traffic_source,
    case
        when is_of_last_click then last_click.m
        when is_of_click then {{ click_medium('click') }}
        else own.m
    end as traffic_medium,
    case
        when is_of_last_click then last_click.c
        when is_of_click then case when not starts_with(own.c, '(') then own.c end
        else own.c
    end as traffic_campaign,
    case
        when is_of_last_click then coalesce(last_click.i, own_id, google_id)
        when is_of_click and click = 'google' then coalesce(own_id, google_id)
        when is_of_click then own_id
        when own is not null then coalesce(own_id, case when lower(own.s) = 'google' then google_id end)
    end as traffic_campaign_id,
    coalesce(last_click.s, {{ nullif_empty('traffic_source.source') }}) as user_source,
    case when last_click is not null then last_click.m else {{ nullif_empty('traffic_source.medium') }} end as user_medium,
    case when last_click is not null then last_click.c else {{ nullif_empty('traffic_source.name') }} end as user_campaign,
    last_click.i as user_campaign_id,
    {{ nullif_empty('geo.country') }} as geo_country,
    {{ nullif_empty('device.category') }} as device_category
from traced
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
