{#- The orders star.
    Takes  tenant: a slug.  timezone: the tenant's.  has_payments: whether a payments source says what was really paid.
    Gives  one row per order, with the session of the earliest purchase event that is linked to it, what that session
           knows (attribution, channel, country, device), and with payments its charge_id and net_paid_amount (captured - refunded - disputed, in the order's currency).
    Note   net_paid_amount is 0 where all charges failed, and NULL where the shop named none that is known, or where one
           that counts does not say its amounts. -#}
{% macro build_fct_orders(tenant, timezone, has_payments=false) -%}
{%- set kept_amount -%} captured_amount - refunded_amount - disputed_amount {%- endset -%}
with orders as (
    select
        *,
        {{ md5_key(['source_platform', 'source_account', 'order_id']) }} as order_key,
        not is_cancelled and not is_test and coalesce(financial_status, '') not in ('cancelled', 'voided', 'failed') as is_valid,
        case
            when customer_email is not null then {{ md5_key(['customer_email']) }}
            when customer_id is not null then {{ md5_key(['source_platform', 'source_account', 'customer_id']) }}
        end as customer_key
    from {{ ref('int_' ~ tenant ~ '__orders') }}
),

countries as (
    {{ country_names('orders', 'shipping_country') }}
),

linked as (
    select order_key, session_id
    from {{ ref('int_' ~ tenant ~ '__order_links') }}
    where is_counted
    qualify row_number() over (partition by order_key order by way, occurred_at, event_number, session_id) = 1
)
{%- if has_payments %},

paid as (
    select
        order_key,
        arg_min(charge_id, struct_pack(u := not is_counted, d := charged_at, i := charge_id)) as charge_id,
        case
            when count(*) filter (where is_counted and currency = order_currency and {{ kept_amount }} is null) = 0
                then sum(case when is_counted then {{ kept_amount }} else 0 end) filter (where currency = order_currency)
        end as net_paid_amount
    from {{ ref('int_' ~ tenant ~ '__order_charges') }}
    where orders_of_charge = 1
    group by order_key
)
{%- endif %}

select
    orders.order_key,
    '{{ tenant }}' as tenant_slug,
    orders.source_platform,
    orders.source_account,
    orders.order_id,
    orders.ordered_at,
    {{ local_date('orders.ordered_at', timezone) }} as order_date,
    {{ local_hour('orders.ordered_at', timezone) }} as hour_of_day,
    orders.total_price,
    orders.refunded_amount,
    orders.currency,
    orders.financial_status,
    orders.raw_status,
    orders.is_cancelled,
    orders.is_test,
    orders.is_valid,
    orders.is_valid and orders.customer_key is not null and row_number() over (
        partition by orders.customer_key, orders.is_valid
        order by orders.ordered_at, orders.order_key
    ) = 1 as is_first_order,
    case when orders.customer_key is not null then
        min(case when orders.is_valid then {{ local_date('orders.ordered_at', timezone) }} end) over (
            partition by orders.customer_key
        )
    end as first_order_date,
    case when orders.is_valid and orders.customer_key is not null then
        case when is_first_order then 'new' else 'returning' end
    end as customer_type,
    case when customer_type is not null then
        cast(datediff('day', first_order_date, order_date) as integer)
    end as days_since_first_order,
    case when customer_type is not null then
        cast(datediff('month', first_order_date, order_date) as integer)
    end as months_since_first_order,
    orders.customer_key,
    orders.customer_email,
    orders.customer_id,
    sessions.user_key,
    sessions.session_id,
    sessions.traffic_source,
    sessions.traffic_medium,
    sessions.traffic_campaign,
    sessions.channel,
    sessions.campaign_key,
    sessions.campaign_name,
    sessions.ad_platform,
    coalesce(sessions.attribution, 'none') as attribution,
    sessions.geo_country,
    sessions.device_category,
    coalesce(countries.country, orders.shipping_country) as shipping_country,
    orders.discount_codes
    {%- if has_payments %},
    paid.charge_id,
    cast(paid.net_paid_amount as decimal(18, 6)) as net_paid_amount
    {%- endif %}
from orders
left join countries on countries.said = orders.shipping_country
left join linked on linked.order_key = orders.order_key
left join {{ ref('fct_' ~ tenant ~ '__sessions') }} as sessions on sessions.session_id = linked.session_id
{%- if has_payments %}
left join paid on paid.order_key = orders.order_key
{%- endif %}
{%- endmacro %}
