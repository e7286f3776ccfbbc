{#- BigCommerce orders, in the canonical columns of orders.
    Takes  tenant: a slug.  platform: bigcommerce, or a connector like it.
           currency: SQL giving an account's currency, for orders that do not say theirs.
    Gives  one row per order: ordered_at (UTC), total_price (tax included, major units of currency) and its parts, lines, ...
    Note   money is in default_currency_code, which the shopper paid in; currency_code is what prices were shown in. The
           status is known by its id, whose label merchants rename; an order that only has the refund's status was
           paid back whole. A deleted (archived) order is no valid one. Lines come as order_products; their money is without
           tax, as the vendor's line totals; one that sells a gift certificate is no line of goods. Codes are those of
           the coupons that lines were discounted by; where an order is sent is not in its record. Discounts of an order are
           with tax where the store's prices are: what they took off without tax is what the other parts leave of the total,
           where all of those are known. -#}
{% macro engine_bigcommerce_orders(tenant, platform, currency) -%}
with order_lines as (
    select
        source_account,
        order_id,
        list(
            struct_pack(
                line_id := cast(id as varchar),
                product_id := cast(nullif(product_id, 0) as varchar),
                sku := {{ cast_as('sku', 'text') }},
                item_name := {{ cast_as('name', 'text') }},
                quantity := cast(quantity as decimal(19, 6)),
                unit_price := {{ cast_as('price_ex_tax', 'decimal') }},
                discount_amount := discount,
                amount := cast({{ cast_as('total_ex_tax', 'decimal') }} - discount as decimal(18, 6))
            )
            order by id
        ) filter (where not is_certificate) as lines,
        sum({{ cast_as('total_ex_tax', 'decimal') }}) filter (where is_certificate) as certificates,
        {{ joined_codes('flatten(list(list_transform(applied_discounts, lambda applied: applied.code)))') }} as discount_codes
    from (
        select
            *,
            coalesce(gift_certificate_id, 0) <> 0 as is_certificate,
            cast(coalesce(list_sum(list_transform(
                applied_discounts, lambda applied: {{ cast_as('applied.amount', 'decimal') }}
            )), 0) as decimal(18, 6)) as discount
        from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_order_products') }}
    )
    group by source_account, order_id
),

orders as (
    select
        *,
        coalesce(cast(status_id as varchar), lower({{ cast_as('status', 'text') }})) as status_key,
        {{ cast_as('total_inc_tax', 'decimal') }} as total,
        coalesce({{ cast_as('refunded_amount', 'decimal') }}, 0) as refunded,
        {{ cast_as('subtotal_ex_tax', 'decimal') }} as goods,
        {{ cast_as('total_tax', 'decimal') }} as tax,
        {{ cast_as('shipping_cost_ex_tax', 'decimal') }} as shipping,
        coalesce({{ cast_as('handling_cost_ex_tax', 'decimal') }}, 0)
        + coalesce({{ cast_as('wrapping_cost_ex_tax', 'decimal') }}, 0) as fees,
        coalesce({{ cast_as('discount_amount', 'decimal') }}, 0)
        + coalesce({{ cast_as('coupon_discount', 'decimal') }}, 0) as stated_discount
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_orders') }}
),

parted as (
    select
        orders.*,
        statuses.financial_status as stated_status,
        coalesce(statuses.is_cancelled, false) or coalesce(orders.is_deleted, false) as is_cancelled,
        case
            when statuses.financial_status = 'refunded' and orders.refunded = 0 then orders.total else orders.refunded
        end as repaid,
        goods + shipping + fees + tax - total as implied_discount,
        case when implied_discount between 0 and stated_discount then implied_discount else stated_discount end as discount,
        goods + coalesce(shipping, 0) + fees + coalesce(tax, 0) - discount - total as rest
    from orders
    left join {{ source('hub', 'platform_ref__order_statuses') }} as statuses
        on statuses.source_platform = 'bigcommerce' and statuses.raw_status = orders.status_key
)

select
    '{{ platform }}' as source_platform,
    orders.source_account,
    cast(orders.id as varchar) as order_id,
    cast([] as varchar[]) as other_ids,
    coalesce({{ cast_as('orders.date_created', 'rfc_2822') }}, {{ cast_as('orders.date_modified', 'rfc_2822') }}) as ordered_at,
    orders.total as total_price,
    cast(orders.goods - coalesce(order_lines.certificates, 0) as decimal(18, 6)) as gross_sales,
    cast(orders.discount as decimal(18, 6)) as discount_amount,
    cast(coalesce(orders.shipping, case when orders.rest = 0 then 0 end) as decimal(18, 6)) as shipping_amount,
    cast(coalesce(orders.tax, case when orders.rest = 0 then 0 end) as decimal(18, 6)) as tax_amount,
    cast(orders.fees + coalesce(order_lines.certificates, 0) as decimal(18, 6)) as other_charges,
    orders.repaid as refunded_amount,
    cast(0 as bigint) as foreign_refunds,
    upper(coalesce(
        {{ cast_as('orders.default_currency_code', 'text') }}, {{ cast_as('orders.currency_code', 'text') }}, {{ currency }}
    )) as currency,
    {{ after_refunds('orders.stated_status', 'orders.repaid', 'orders.total') }} as financial_status,
    coalesce({{ cast_as('orders.status', 'text') }}, orders.status_key) as raw_status,
    orders.is_cancelled,
    false as is_test,
    lower({{ cast_as('orders.billing_address.email', 'text') }}) as customer_email,
    cast(nullif(orders.customer_id, 0) as varchar) as customer_id,
    cast(null as varchar) as shipping_country,
    order_lines.discount_codes,
    list_filter([{{ cast_as('orders.payment_provider_id', 'text') }}], lambda said: said is not null) as charge_ids,
    cast(order_lines.lines as {{ list_type('order lines') }}) as lines,
    cast(case
        when orders.repaid is distinct from 0
            then [struct_pack(
                refund_id := cast(null as varchar),
                refunded_at := cast(null as timestamp),
                amount := cast(orders.repaid as decimal(18, 6))
            )]
    end as {{ list_type('refunds') }}) as refunds,
    cast([] as varchar[]) as doubts
from parted as orders
left join order_lines
    on order_lines.source_account = orders.source_account and order_lines.order_id = orders.id
{%- endmacro %}

{#- BigCommerce products, in the canonical columns of products.
    Takes  tenant: a slug.  platform: bigcommerce, or a connector like it.
    Gives  one row per product: product_id, product_name, product_category (physical or digital).
    Note   categories are ids, whose names are not among the objects. -#}
{% macro engine_bigcommerce_products(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    source_account,
    cast(id as varchar) as product_id,
    {{ cast_as('name', 'text') }} as product_name,
    {{ cast_as('type', 'text') }} as product_category,
    cast(null as {{ list_type('unit costs') }}) as unit_costs
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_products') }}
{%- endmacro %}
