{#- Charges, the orders that carry their ids, and which charges say what was paid for an order.
    Takes  tenant: a slug.
    Gives  one row per charge and order that names it, or the charge alone: order_key, orders_of_charge, the charge's id and
           money, and is_counted.
    Note   ids must be equal; neither amount nor date ever links. A charge that several orders name counts for none. Charges in
           another currency than their order's, and tests, do not count; one that failed took nothing. -#}
{% macro build_int_order_charges(tenant) -%}
with orders as (
    select
        {{ md5_key(['source_platform', 'source_account', 'order_id']) }} as order_key,
        currency as order_currency,
        unnest(charge_ids) as id_text
    from {{ ref('int_' ~ tenant ~ '__orders') }}
),

charges as (
    select *
    from {{ ref('int_' ~ tenant ~ '__charges') }}
    qualify row_number() over (partition by source_platform, charge_id order by source_account) = 1
),

charge_texts as (
    select source_platform, charge_id, charge_id as id_text
    from charges
    union all
    select source_platform, charge_id, unnest(other_ids) as id_text
    from charges
),

named as (
    select distinct orders.order_key, orders.order_currency, charge_texts.source_platform, charge_texts.charge_id
    from orders
    inner join charge_texts on charge_texts.id_text = orders.id_text
)

select
    named.order_key,
    named.order_currency,
    count(named.order_key) over same_charge as orders_of_charge,
    charges.source_platform,
    charges.source_account,
    charges.charge_id,
    charges.charged_at,
    charges.currency,
    charges.captured_amount,
    charges.refunded_amount,
    charges.disputed_amount,
    charges.refunds,
    charges.status,
    charges.is_test,
    count(named.order_key) over same_charge = 1
        and not charges.is_test
        and coalesce(charges.status, 'succeeded') = 'succeeded' as is_counted
from charges
left join named on named.source_platform = charges.source_platform and named.charge_id = charges.charge_id
window same_charge as (partition by charges.source_platform, charges.charge_id)
{%- endmacro %}
