{#- The orders star.
    Takes  tenant: a slug.  timezone: the tenant's.
    Gives  one row per order, with the session and the attribution of the earliest purchase event that carries its id.
    Note   texts must be equal: the vendor's id, else a name or number that one order alone has and that is no order's id. -#}
{% macro build_fct_orders(tenant, timezone) -%}
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

other_texts as (
    select order_key, unnest(other_ids) as said, generate_subscripts(other_ids, 1) as way
    from orders
),

order_texts as (
    select order_key, order_id as said, 0 as way from orders
    union all
    select order_key, said, way
    from other_texts
    where said not in (select order_id from orders)
    qualify count(distinct order_key) over (partition by said) = 1
),

linked as (
    select order_texts.order_key, purchases.session_id
    from order_texts
    inner join {{ ref('int_' ~ tenant ~ '__purchases') }} as purchases on purchases.transaction_id = order_texts.said
    qualify row_number() over (
        partition by order_texts.order_key
        order by order_texts.way, purchases.occurred_at, purchases.event_number, purchases.session_id
    ) = 1
)

select
    orders.order_key,
    '{{ tenant }}' as tenant_slug,
    orders.source_platform,
    orders.source_account,
    orders.order_id,
    orders.ordered_at,
    {{ local_date('orders.ordered_at', timezone) }} as order_date,
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
    orders.customer_key,
    orders.customer_email,
    orders.customer_id,
    sessions.user_key,
    sessions.session_id,
    sessions.traffic_source,
    sessions.traffic_medium,
    sessions.traffic_campaign,
    sessions.campaign_key,
    sessions.ad_platform,
    coalesce(sessions.attribution, 'none') as attribution
from orders
left join linked on linked.order_key = orders.order_key
left join {{ ref('fct_' ~ tenant ~ '__sessions') }} as sessions on sessions.session_id = linked.session_id
{%- endmacro %}
