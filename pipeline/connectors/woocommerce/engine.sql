{#- WooCommerce orders, in the canonical columns of orders.
    Takes  tenant: a slug.  platform: woocommerce, or a connector like it.
           currency: SQL giving an account's currency, for orders that do not say theirs.
           timezone: SQL giving an account's IANA time zone, for orders without a time in UTC.
    Gives  one row per order: ordered_at (UTC), total_price (tax and shipping included, major units of currency), lines, ...
    Note   total does not fall after refunds, which are negative. number is what shoppers see: shops send analytics the one
           or the other, so it is among other_ids. An order that only has the refund's status was paid back whole. The
           Stripe gateway keeps its ids in meta_data and in transaction_id. Money of lines is without tax. -#}
{% macro engine_woocommerce_orders(tenant, platform, currency, timezone) -%}
with orders as (
    select
        *,
        regexp_replace(lower({{ cast_as('status', 'text') }}), '^wc-', '') as status_key,
        {{ cast_as('total', 'decimal') }} as order_total,
        cast(coalesce(list_sum(list_transform(
            refunds, lambda refund: abs({{ cast_as('refund.total', 'decimal') }})
        )), 0) as decimal(18, 6)) as refunded,
        flatten(list_transform(
            ['_stripe_charge_id', '_stripe_intent_id'],
            lambda wanted: list_transform(
                list_filter(meta_data, lambda meta: meta.key = wanted), lambda meta: meta.value ->> '$'
            )
        )) as stripe_ids
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_orders') }}
)

select
    '{{ platform }}' as source_platform,
    orders.source_account,
    cast(orders.id as varchar) as order_id,
    list_filter([{{ cast_as('orders.number', 'text') }}], lambda other: other is not null) as other_ids,
    coalesce(
        {{ cast_as('orders.date_created_gmt', 'utc_time') }},
        timezone('UTC', timezone({{ timezone }}, {{ cast_as('orders.date_created', 'local_time') }}))
    ) as ordered_at,
    orders.order_total as total_price,
    case
        when statuses.financial_status = 'refunded' and orders.refunded = 0 then coalesce(orders.order_total, 0)
        else orders.refunded
    end as refunded_amount,
    cast(0 as bigint) as foreign_refunds,
    coalesce(upper({{ cast_as('orders.currency', 'text') }}), {{ currency }}) as currency,
    {{ after_refunds('statuses.financial_status', 'orders.refunded', 'orders.order_total') }} as financial_status,
    {{ cast_as('orders.status', 'text') }} as raw_status,
    coalesce(statuses.is_cancelled, false) as is_cancelled,
    false as is_test,
    lower({{ cast_as('orders.billing.email', 'text') }}) as customer_email,
    cast(nullif(orders.customer_id, 0) as varchar) as customer_id,
    list_filter(
        list_transform(list_append(orders.stripe_ids, orders.transaction_id), lambda said: {{ cast_as('said', 'text') }}),
        lambda said: said is not null
    ) as charge_ids,
    list_transform(
        orders.line_items,
        lambda line: struct_pack(
            line_id := cast(line.id as varchar),
            product_id := cast(nullif(line.product_id, 0) as varchar),
            sku := {{ cast_as('line.sku', 'text') }},
            item_name := {{ cast_as('line.name', 'text') }},
            quantity := line.quantity,
            unit_price := coalesce(
                cast({{ cast_as('line.subtotal', 'decimal') }} / nullif(line.quantity, 0) as decimal(18, 6)),
                {{ cast_as('line.price', 'decimal') }}
            ),
            discount_amount := cast(
                coalesce({{ cast_as('line.subtotal', 'decimal') }} - {{ cast_as('line.total', 'decimal') }}, 0) as decimal(18, 6)
            ),
            amount := {{ cast_as('line.total', 'decimal') }}
        )
    ) as lines
from orders
left join {{ source('hub', 'platform_ref__order_statuses') }} as statuses
    on statuses.source_platform = 'woocommerce' and statuses.raw_status = orders.status_key
{%- endmacro %}

{#- WooCommerce products, in the canonical columns of products.
    Takes  tenant: a slug.  platform: woocommerce, or a connector like it.
    Gives  one row per product: product_id, product_name, product_category (the first of its categories). -#}
{% macro engine_woocommerce_products(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    source_account,
    cast(id as varchar) as product_id,
    {{ cast_as('name', 'text') }} as product_name,
    {{ cast_as('categories[1].name', 'text') }} as product_category
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_products') }}
{%- endmacro %}
