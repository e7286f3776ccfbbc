{#- The refunds star.
    Takes  tenant: a slug.  timezone: the tenant's.  has_payments: whether a payments source has charges of orders.
    Gives  one row per refund of an order, on the day it was paid back.
    Note   shops that say what was paid back and not when: where the refunds of the order's charges come to the same amount,
           those stand in their place, for they have their times. Otherwise the day is NULL. -#}
{% macro build_fct_refunds(tenant, timezone, has_payments=false) -%}
with said as (
    select
        {{ md5_key(['source_platform', 'source_account', 'order_id']) }} as order_key,
        generate_subscripts(refunds, 1) as place,
        unnest(refunds) as refund
    from {{ ref('int_' ~ tenant ~ '__orders') }}
),
{%- if has_payments %}

undated as (
    select order_key, sum(refund.amount) as amount
    from said
    group by order_key
    having count(refund.refunded_at) = 0 and count(refund.amount) = count(*)
),

charged_back as (
    select order_key, row_number() over (order by order_key, charge_id) as place, unnest(refunds) as refund
    from {{ ref('int_' ~ tenant ~ '__order_charges') }}
    where is_counted and currency = order_currency
),

dated as (
    select undated.order_key
    from undated
    inner join charged_back on charged_back.order_key = undated.order_key
    group by undated.order_key, undated.amount
    having sum(charged_back.refund.amount) = undated.amount and count(charged_back.refund.refunded_at) = count(*)
),
{%- endif %}

refunds as (
    select order_key, place, refund from said
    {%- if has_payments %}
    where order_key not in (select order_key from dated)
    union all
    select order_key, place, refund from charged_back
    where order_key in (select order_key from dated)
    {%- endif %}
)

select
    {{ md5_key(['refunds.order_key', 'refunds.refund.refund_id', 'row_number() over same_refund']) }} as refund_key,
    '{{ tenant }}' as tenant_slug,
    orders.source_platform,
    orders.source_account,
    refunds.refund.refund_id as refund_id,
    orders.order_key,
    orders.order_id,
    refunds.refund.refunded_at as refunded_at,
    {{ local_date('refunds.refund.refunded_at', timezone) }} as refund_date,
    orders.order_date,
    coalesce({{ local_date('refunds.refund.refunded_at', timezone) }}, orders.order_date) as rate_date,
    refunds.refund.amount as amount,
    orders.currency,
    refunds.refund.lines as lines,
    orders.is_valid
from refunds
inner join {{ ref('fct_' ~ tenant ~ '__orders') }} as orders on orders.order_key = refunds.order_key
window same_refund as (
    partition by refunds.order_key, refunds.refund.refund_id
    order by refunds.place, refunds.refund.refunded_at, refunds.refund.amount
)
{%- endmacro %}
