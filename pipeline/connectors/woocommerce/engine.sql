{#- WooCommerce orders, in the canonical columns of orders.
    Takes  tenant: a slug.  platform: woocommerce, or a connector like it.
           currency: SQL giving an account's currency, for orders that do not say theirs.
           timezone: SQL giving an account's IANA time zone, for orders without a time in UTC.
    Gives  one row per order: ordered_at (UTC), total_price (tax and shipping included, major units of currency) and its
           parts, lines, refunds, ...
    Note   total does not fall after refunds, which are negative. number is what shoppers see: shops send analytics the one
           or the other, so it is among other_ids. An order that only has the refund's status was paid back whole. The
           Stripe gateway keeps its ids in meta_data and in transaction_id. Money of lines is without tax. The parts of an
           order, which marketplace plugins make beside it, are no orders: made within a minute of a valid parent of the
           same currency, and together what it comes to. What was paid back for a part was paid back for the order. -#}
{% macro engine_woocommerce_orders(tenant, platform, currency, timezone) -%}
with orders as (
    select
        *,
        regexp_replace(lower({{ cast_as('status', 'text') }}), '^wc-', '') as status_key,
        coalesce(
            {{ cast_as('date_created_gmt', 'utc_time') }},
            timezone('UTC', timezone({{ timezone }}, {{ cast_as('date_created', 'local_time') }}))
        ) as ordered_at,
        {{ cast_as('total', 'decimal') }} as order_total,
        coalesce(upper({{ cast_as('currency', 'text') }}), {{ currency }}) as order_currency,
        coalesce(list_sum(list_transform(refunds, lambda refund: abs({{ cast_as('refund.total', 'decimal') }}))), 0) as repaid,
        coalesce(len(list_filter(
            refunds, lambda refund: {{ cast_as('refund.total', 'decimal') }} is null
        )), 0) as unknown_refunds,
        flatten(list_transform(
            ['_stripe_charge_id', '_stripe_intent_id'],
            lambda wanted: list_transform(
                list_filter(meta_data, lambda meta: meta.key = wanted), lambda meta: meta.value ->> '$'
            )
        )) as stripe_ids
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_orders') }} as orders
),

stated as (
    select
        orders.*,
        statuses.financial_status as stated_status,
        coalesce(statuses.is_cancelled, false) as is_cancelled,
        case
            when orders.unknown_refunds > 0 then null
            when statuses.financial_status = 'refunded' and orders.repaid = 0 then orders.order_total
            else orders.repaid
        end as refunded,
        case
            when statuses.financial_status = 'refunded' and orders.repaid = 0 and orders.unknown_refunds = 0
                then [struct_pack(
                    refund_id := cast(null as varchar),
                    refunded_at := cast(null as timestamp),
                    amount := orders.order_total,
                    lines := cast(null as {{ list_type('refund lines') }})
                )]
            else list_transform(
                list_filter(orders.refunds, lambda refund: {{ cast_as('refund.total', 'decimal') }} is distinct from 0),
                lambda refund: struct_pack(
                    refund_id := cast(refund.id as varchar),
                    refunded_at := coalesce(
                        {{ cast_as('refund.date_created_gmt', 'utc_time') }},
                        timezone('UTC', timezone({{ timezone }}, {{ cast_as('refund.date_created', 'local_time') }}))
                    ),
                    amount := abs({{ cast_as('refund.total', 'decimal') }}),
                    lines := list_transform(
                        refund.line_items,
                        lambda line: struct_pack(
                            order_item_id := cast(line.id as varchar),
                            quantity := abs(line.quantity),
                            amount := abs({{ cast_as('line.total', 'decimal') }})
                        )
                    )
                )
            )
        end as refunds_made
    from orders
    left join {{ source('hub', 'platform_ref__order_statuses') }} as statuses
        on statuses.source_platform = 'woocommerce' and statuses.raw_status = orders.status_key
),

parts as (
    select
        parts.tenant_skey,
        parents.tenant_skey as parent_skey,
        parts.refunded,
        parts.unknown_refunds,
        parts.refunds_made
    from stated as parts
    inner join stated as parents
        on parents.source_account = parts.source_account and parents.id = parts.parent_id
    where
        not parents.is_cancelled
        and coalesce(parents.stated_status, '') <> 'failed'
        and parts.order_currency = parents.order_currency
        and parts.ordered_at between parents.ordered_at - interval 1 minute and parents.ordered_at + interval 1 minute
    window siblings as (partition by parents.tenant_skey)
    qualify
        abs(sum(parts.order_total) over siblings - parents.order_total) <= 0.01 * count(*) over siblings
        and count(parts.order_total) over siblings = count(*) over siblings
),

wholes as (
    select
        parent_skey,
        sum(unknown_refunds) as unknown_refunds,
        sum(refunded) as refunded,
        flatten(list(refunds_made order by parts.tenant_skey)) as refunds_made
    from parts
    group by parent_skey
),

whole_orders as (
    select
        stated.*,
        stated.unknown_refunds + coalesce(wholes.unknown_refunds, 0) as all_unknown_refunds,
        case
            when coalesce(wholes.unknown_refunds, 0) = 0
                then stated.refunded + greatest(wholes.refunded - stated.refunded, 0)
        end as paid_back,
        case when wholes.refunded > stated.refunded then wholes.refunds_made else stated.refunds_made end as all_refunds,
        not list_contains(
            list_transform(stated.line_items, lambda line: {{ cast_as('line.total', 'decimal') }} is null), true
        ) as says_totals,
        case
            when says_totals
                then coalesce(list_sum(list_transform(
                    stated.line_items, lambda line: {{ cast_as('line.total', 'decimal') }}
                )), 0)
        end as goods_net,
        case
            when says_totals and list_contains(
                list_transform(stated.line_items, lambda line: {{ cast_as('line.subtotal', 'decimal') }} is null), true
            )
                then coalesce({{ cast_as('stated.discount_total', 'decimal') }}, 0)
            when says_totals
                then coalesce(list_sum(list_transform(
                    stated.line_items,
                    lambda line: {{ cast_as('line.subtotal', 'decimal') }} - {{ cast_as('line.total', 'decimal') }}
                )), 0)
        end as goods_discount,
        {{ cast_as('stated.shipping_total', 'decimal') }} as shipping_charged,
        {{ cast_as('stated.total_tax', 'decimal') }} as tax,
        coalesce(list_sum(list_transform(stated.fee_lines, lambda fee: {{ cast_as('fee.total', 'decimal') }})), 0) as fees
    from stated
    left join wholes on wholes.parent_skey = stated.tenant_skey
    where stated.tenant_skey not in (select parts.tenant_skey from parts)
),

parted as (
    select
        *,
        order_total - goods_net - coalesce(shipping_charged, 0) - coalesce(tax, 0) - fees as rest
    from whole_orders
)

select
    '{{ platform }}' as source_platform,
    orders.source_account,
    cast(orders.id as varchar) as order_id,
    list_filter([{{ cast_as('orders.number', 'text') }}], lambda other: other is not null) as other_ids,
    orders.ordered_at,
    orders.order_total as total_price,
    cast(orders.goods_net + orders.goods_discount as decimal(18, 6)) as gross_sales,
    cast(orders.goods_discount as decimal(18, 6)) as discount_amount,
    cast(coalesce(orders.shipping_charged, case when orders.rest = 0 then 0 end) as decimal(18, 6)) as shipping_amount,
    cast(coalesce(orders.tax, case when orders.rest = 0 then 0 end) as decimal(18, 6)) as tax_amount,
    cast(orders.fees as decimal(18, 6)) as other_charges,
    cast(orders.paid_back as decimal(18, 6)) as refunded_amount,
    cast(orders.all_unknown_refunds as bigint) as foreign_refunds,
    orders.order_currency as currency,
    {{ after_refunds('orders.stated_status', 'orders.paid_back', 'orders.order_total') }} as financial_status,
    {{ cast_as('orders.status', 'text') }} as raw_status,
    orders.is_cancelled,
    false as is_test,
    lower({{ cast_as('orders.billing.email', 'text') }}) as customer_email,
    cast(nullif(orders.customer_id, 0) as varchar) as customer_id,
    {{ cast_as('orders.shipping.country', 'text') }} as shipping_country,
    {{ joined_codes('list_transform(orders.coupon_lines, lambda used: used.code)') }} as discount_codes,
    list_filter(
        list_transform(list_append(orders.stripe_ids, orders.transaction_id), lambda said: {{ cast_as('said', 'text') }}),
        lambda said: said is not null
    ) as charge_ids,
    cast(list_transform(
        orders.line_items,
        lambda line: struct_pack(
            line_id := cast(line.id as varchar),
            product_id := cast(nullif(line.product_id, 0) as varchar),
            sku := {{ cast_as('line.sku', 'text') }},
            item_name := {{ cast_as('line.name', 'text') }},
            quantity := cast(line.quantity as decimal(19, 6)),
            unit_price := coalesce(
                cast({{ cast_as('line.subtotal', 'decimal') }} / nullif(line.quantity, 0) as decimal(18, 6)),
                {{ cast_as('line.price', 'decimal') }}
            ),
            discount_amount := cast(
                coalesce({{ cast_as('line.subtotal', 'decimal') }}, {{ cast_as('line.total', 'decimal') }})
                - {{ cast_as('line.total', 'decimal') }} as decimal(18, 6)
            ),
            amount := {{ cast_as('line.total', 'decimal') }},
            cost_amount := {{ cast_as('line.cost_of_goods_sold.value', 'decimal') }}
        )
    ) as {{ list_type('order lines') }}) as lines,
    cast(orders.all_refunds as {{ list_type('refunds') }}) as refunds,
    case when orders.parent_id > 0 then ['unproven_parent'] else cast([] as varchar[]) end as doubts
from parted as orders
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
    {{ cast_as('categories[1].name', 'text') }} as product_category,
    cast(null as {{ list_type('unit costs') }}) as unit_costs
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_products') }}
{%- endmacro %}
