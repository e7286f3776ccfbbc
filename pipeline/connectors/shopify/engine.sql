{#- Shopify orders, in the canonical columns of orders.
    Takes  tenant: a slug.  platform: shopify.
           currency: SQL giving an account's currency, for orders that do not say theirs.
           charge_id_attributes: names of the note_attributes in which an app keeps payment ids, likeliest first.
    Gives  one row per order: ordered_at (UTC), total_price and refunded_amount (major units of currency), lines, ...
    Note   total_price does not fall after refunds: what was paid back is in refunds[].transactions[]. Cancelled and
           test orders are kept, is_cancelled and is_test say so. -#}
{% macro engine_shopify_orders(tenant, platform, currency, charge_id_attributes) -%}
with orders as (
    select
        *,
        coalesce(upper({{ cast_as('currency', 'text') }}), {{ currency }}) as order_currency,
        list_filter(
            flatten(list_transform(refunds, lambda refund: refund.transactions)),
            lambda payment: lower(payment.kind) = 'refund' and lower(payment.status) = 'success'
        ) as repayments,
        flatten(list_transform(
            [{{ text_list(charge_id_attributes) }}],
            lambda wanted: list_transform(
                list_filter(note_attributes, lambda note: note.name = wanted), lambda note: {{ cast_as('note.value', 'text') }}
            )
        )) as noted_ids
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_orders') }}
)

select
    '{{ platform }}' as source_platform,
    source_account,
    cast(id as varchar) as order_id,
    list_filter(
        [{{ cast_as('name', 'text') }}, cast(order_number as varchar), 'gid://shopify/Order/' || id],
        lambda other: other is not null
    ) as other_ids,
    coalesce(
        {{ cast_as('created_at', 'instant') }}, {{ cast_as('processed_at', 'instant') }}, {{ cast_as('updated_at', 'instant') }}
    ) as ordered_at,
    {{ cast_as('total_price', 'decimal') }} as total_price,
    cast(coalesce(list_sum(list_transform(
        list_filter(repayments, lambda payment: coalesce(upper(payment.currency), order_currency) = order_currency),
        lambda payment: {{ cast_as('payment.amount', 'decimal') }}
    )), 0) as decimal(18, 6)) as refunded_amount,
    coalesce(len(list_filter(repayments, lambda payment: upper(payment.currency) <> order_currency)), 0) as foreign_refunds,
    order_currency as currency,
    statuses.financial_status,
    {{ cast_as('orders.financial_status', 'text') }} as raw_status,
    {{ cast_as('cancelled_at', 'instant') }} is not null as is_cancelled,
    coalesce(test, false) as is_test,
    lower(coalesce(
        {{ cast_as('email', 'text') }}, {{ cast_as('contact_email', 'text') }}, {{ cast_as('customer.email', 'text') }}
    )) as customer_email,
    cast(nullif(customer.id, 0) as varchar) as customer_id,
    list_filter(noted_ids, lambda noted: noted is not null) as charge_ids,
    list_transform(
        line_items,
        lambda line: struct_pack(
            line_id := cast(line.id as varchar),
            product_id := cast(nullif(line.product_id, 0) as varchar),
            sku := {{ cast_as('line.sku', 'text') }},
            item_name := {{ cast_as('line.title', 'text') }},
            quantity := line.quantity,
            unit_price := {{ cast_as('line.price', 'decimal') }},
            discount_amount := coalesce({{ cast_as('line.total_discount', 'decimal') }}, 0),
            amount := cast(null as decimal(18, 6))
        )
    ) as lines
from orders
left join {{ source('hub', 'platform_ref__order_statuses') }} as statuses
    on statuses.source_platform = 'shopify' and statuses.raw_status = lower({{ cast_as('orders.financial_status', 'text') }})
{%- endmacro %}

{#- Shopify products, in the canonical columns of products.
    Takes  tenant: a slug.  platform: shopify.
    Gives  one row per product: product_id, product_name, product_category (Shopify's product_type). -#}
{% macro engine_shopify_products(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    source_account,
    cast(id as varchar) as product_id,
    {{ cast_as('title', 'text') }} as product_name,
    {{ cast_as('product_type', 'text') }} as product_category
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_products') }}
{%- endmacro %}
