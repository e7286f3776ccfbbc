{#- Shopify orders, in the canonical columns of orders.
    Takes  tenant: a slug.  platform: shopify.
           currency: SQL giving an account's currency, for orders that do not say theirs.
           charge_id_attributes: names of the note_attributes in which an app keeps payment ids, likeliest first.
    Gives  one row per order: ordered_at (UTC), total_price and refunded_amount (major units of the shop's currency), lines,
           refunds, and the parts of total_price, without tax in goods and shipping, ...
    Note   total_price does not fall after refunds: what was paid back is in refunds[].transactions[], and where those are in
           the shopper's currency, what the refund's lines, shipping and adjustments come to in the shop's; a refund that
           says neither makes refunded_amount NULL. Units sold are the current ones and those that came back for money: what
           an edit took off was not sold, nor is it in total_price unless it was paid for and paid back. Gift cards and tips
           are no goods, but other charges. What discounts took off shipping is deducted from shipping. Of prices with a tax
           that is not said, the parts without it are unknown. Cancelled and test orders are kept, is_cancelled and is_test
           say so. -#}
{% macro engine_shopify_orders(tenant, platform, currency, charge_id_attributes) -%}
with orders as (
    select
        *,
        coalesce(
            upper({{ cast_as('total_price_set.shop_money.currency_code', 'text') }}),
            upper({{ cast_as('currency', 'text') }}),
            {{ currency }}
        ) as order_currency,
        {{ shopify_money('total_price_set', 'total_price') }} as charged,
        {{ shopify_money('current_total_price_set', 'current_total_price') }} as current_total,
        {{ shopify_money('total_tax_set', 'total_tax') }} as stated_tax,
        {{ shopify_money('total_discounts_set', 'total_discounts') }} as stated_discount,
        {{ shopify_money('total_line_items_price_set', 'total_line_items_price') }} as stated_goods,
        {{ shopify_money('subtotal_price_set', 'subtotal_price') }} as stated_subtotal,
        lower({{ cast_as('financial_status', 'text') }}) as status_key,
        flatten(list_transform(
            [{{ text_list(charge_id_attributes) }}],
            lambda wanted: list_transform(
                list_filter(note_attributes, lambda note: note.name = wanted), lambda note: {{ cast_as('note.value', 'text') }}
            )
        )) as noted_ids
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_orders') }}
),

refunds as (
    select
        tenant_skey,
        order_currency,
        unnest(refunds) as refund
    from orders
),

paybacks as (
    select
        tenant_skey,
        cast(refund.id as varchar) as refund_id,
        coalesce(
            {{ cast_as('refund.created_at', 'instant') }}, {{ cast_as('refund.transactions[1].created_at', 'instant') }}
        ) as refunded_at,
        list_transform(
            list_filter(
                refund.transactions, lambda payment: lower(payment.kind) = 'refund' and lower(payment.status) = 'success'
            ),
            lambda payment: coalesce(
                {{ cast_as('payment.amount_set.shop_money.amount', 'decimal') }},
                case
                    when coalesce(upper({{ cast_as('payment.currency', 'text') }}), order_currency) = order_currency
                        then {{ cast_as('payment.amount', 'decimal') }}
                end
            )
        ) as payments,
        list_transform(
            refund.refund_line_items,
            lambda item: struct_pack(
                line_item_id := item.line_item_id,
                quantity := item.quantity,
                is_removed := coalesce(lower(item.restock_type), '') <> 'return'
                    and coalesce(len(list_filter(refund.transactions, lambda payment: lower(payment.kind) = 'refund')), 0) = 0,
                amount := {{ shopify_money('item.subtotal_set', 'item.subtotal') }}
                    + coalesce({{ shopify_money('item.total_tax_set', 'item.total_tax') }}, 0)
            )
        ) as items,
        list_concat(
            list_transform(
                refund.order_adjustments,
                lambda adjustment: -1 * (
                    {{ shopify_money('adjustment.amount_set', 'adjustment.amount') }}
                    + coalesce({{ shopify_money('adjustment.tax_amount_set', 'adjustment.tax_amount') }}, 0)
                )
            ),
            case
                when coalesce(not list_contains(list_transform(
                    refund.order_adjustments, lambda adjustment: lower(adjustment.kind)
                ), 'shipping_refund'), true)
                    then list_transform(
                        refund.refund_shipping_lines,
                        lambda line: {{ cast_as('line.subtotal_amount_set.shop_money.amount', 'decimal') }}
                    )
            end
        ) as extras
    from refunds
),

values_of_paybacks as (
    select
        *,
        list_concat(
            list_transform(list_filter(items, lambda item: not item.is_removed), lambda item: item.amount), extras
        ) as parts,
        case when list_count(parts) = len(parts) then list_sum(parts) end as worth,
        case
            when coalesce(len(payments), 0) = 0 then 0
            when list_count(payments) = len(payments) then list_sum(payments)
            when list_count(payments) = 0 and worth > 0 then worth
        end as repaid
    from paybacks
),

sums as (
    select
        tenant_skey,
        flatten(list(items)) as refunded_items,
        list(
            struct_pack(
                refund_id := refund_id,
                refunded_at := refunded_at,
                amount := cast(repaid as decimal(18, 6)),
                lines := list_transform(
                    items,
                    lambda item: struct_pack(
                        order_item_id := cast(item.line_item_id as varchar), quantity := item.quantity, amount := item.amount
                    )
                )
            )
            order by refunded_at, refund_id, repaid
        ) filter (where repaid is distinct from 0) as refunds_made,
        cast(sum(repaid) as decimal(18, 6)) as repaid,
        cast(sum(worth) as decimal(18, 6)) as returned,
        count(*) filter (where repaid is null) as unknown_refunds
    from values_of_paybacks
    group by tenant_skey
),

counted as (
    select
        orders.*,
        sums.refunded_items,
        case
            when orders.refunds is null and orders.status_key in ('refunded', 'partially_refunded')
                then [struct_pack(
                    refund_id := cast(null as varchar),
                    refunded_at := cast(null as timestamp),
                    amount := case when orders.status_key = 'refunded' then orders.charged end,
                    lines := cast(null as {{ list_type('refund lines') }})
                )]
            else sums.refunds_made
        end as refunds_made,
        coalesce(sums.returned, 0) as returned,
        cast(coalesce(list_sum(list_transform(
            list_filter(sums.refunded_items, lambda item: item.is_removed), lambda item: item.amount
        )), 0) as decimal(18, 6)) as removed,
        case
            when sums.unknown_refunds > 0 or (orders.refunds is null and orders.status_key = 'partially_refunded') then null
            when orders.refunds is null and orders.status_key = 'refunded' then orders.charged
            else coalesce(sums.repaid, 0)
        end as repaid,
        case
            when orders.refunds is null and orders.status_key = 'partially_refunded' then 1
            else coalesce(sums.unknown_refunds, 0)
        end as unknown_refunds
    from orders
    left join sums on sums.tenant_skey = orders.tenant_skey
),

explained as (
    select
        *,
        case
            when removed = 0 then charged
            when charged - removed - returned = current_total then charged - removed + paid_for_removed
            when charged - returned = current_total then charged + paid_for_removed
        end as explained_total
    from (
        {#- greatest leaves out what is NULL: an unknown refund pays for nothing #}
        select *, least(greatest(repaid - returned, 0), removed) as paid_for_removed
        from counted
    )
),

itemized as (
    select
        *,
        cast(coalesce(explained_total, charged) as decimal(18, 6)) as order_total,
        list_transform(
            line_items,
            lambda line: struct_pack(
                is_gift_card := coalesce(line.gift_card, false),
                is_tip := {{ shopify_is_tip('line') }},
                is_whole := coalesce({{ shopify_sold('line') }} = line.quantity, true),
                price := cast(
                    case when line.quantity is not null then cast({{ shopify_sold('line') }} as decimal(19, 6)) end
                    * {{ shopify_money('line.price_set', 'line.price') }} as decimal(18, 6)
                ),
                discount := {{ shopify_discount('line') }},
                tax := cast({{ shopify_share('line') }} * list_sum(list_transform(
                    line.tax_lines, lambda tax: {{ shopify_money('tax.price_set', 'tax.price') }}
                )) as decimal(18, 6))
            )
        ) as items,
        list_transform(
            list_filter(shipping_lines, lambda line: not coalesce(line.is_removed, false)),
            lambda line: struct_pack(
                price := {{ shopify_money('line.price_set', 'line.price') }},
                discount := coalesce(
                    list_sum(list_transform(
                        line.discount_allocations, lambda part: {{ shopify_money('part.amount_set', 'part.amount') }}
                    )),
                    {{ shopify_money('line.price_set', 'line.price') }}
                    - {{ shopify_money('line.discounted_price_set', 'line.discounted_price') }},
                    0
                ),
                tax := list_sum(list_transform(
                    line.tax_lines, lambda tax: {{ shopify_money('tax.price_set', 'tax.price') }}
                ))
            )
        ) as deliveries
    from explained
),

charges as (
    select
        *,
        list_filter(items, lambda item: not item.is_gift_card and not item.is_tip) as goods,
        coalesce(len(line_items), 0) = 0 as has_no_lines,
        coalesce(list_contains(list_transform(items, lambda item: item.price is null), true), false) as has_unknown_lines,
        coalesce(list_sum(list_transform(deliveries, lambda line: line.discount)), 0) as shipping_discount,
        coalesce(list_sum(list_transform(deliveries, lambda line: line.tax)), 0) as shipping_tax,
        case
            when shipping_lines is not null
                then coalesce(list_sum(list_transform(deliveries, lambda line: line.price - line.discount)), 0)
            else {{ cast_as('total_shipping_price_set.shop_money.amount', 'decimal') }}
        end as shipping_charged,
        coalesce(list_sum(list_transform(
            list_filter(items, lambda item: item.is_gift_card), lambda item: item.price - item.discount
        )), 0)
        + coalesce(
            {{ cast_as('total_tip_received', 'decimal') }},
            list_sum(list_transform(list_filter(items, lambda item: item.is_tip), lambda item: item.price)),
            0
        )
        + case when explained_total is null then 0 else paid_for_removed end
        + coalesce({{ cast_as('original_total_duties_set.shop_money.amount', 'decimal') }}, 0)
        + coalesce({{ cast_as('original_total_additional_fees_set.shop_money.amount', 'decimal') }}, 0) as other_charges
    from itemized
),

taxed as (
    select
        *,
        case
            when has_no_lines then stated_goods
            when not has_unknown_lines then coalesce(list_sum(list_transform(goods, lambda item: item.price)), 0)
        end as goods_price,
        case
            when has_no_lines then stated_discount - shipping_discount
            when
                list_max(list_transform(items, lambda item: item.discount)) = 0
                and list_bool_and(list_transform(items, lambda item: item.is_whole))
                then greatest(stated_discount - shipping_discount, 0)
            else coalesce(list_sum(list_transform(goods, lambda item: item.discount)), 0)
        end as goods_discount,
        case
            when list_bool_and(list_transform(items, lambda item: item.is_whole)) or list_contains(
                list_transform(line_items, lambda line: line.tax_lines is null), true
            )
                then stated_tax
            else coalesce(list_sum(list_transform(items, lambda item: item.tax)) + shipping_tax, stated_tax)
        end as tax_charged
    from charges
),

netted as (
    select
        *,
        goods_price - goods_discount - case when is_with_tax then tax_charged - shipping_tax else 0 end as goods_net,
        shipping_charged - case when is_with_tax then shipping_tax else 0 end as shipping_net
    from (
        select *, coalesce(taxes_included, charged = stated_subtotal + shipping_charged) as is_with_tax
        from taxed
    )
),

parted as (
    select
        *,
        cast(case
            when goods_price = goods_discount then goods_price
            else goods_price * (goods_net / (goods_price - goods_discount))
        end as decimal(18, 6)) as gross_sales,
        order_total - goods_net - coalesce(shipping_net, 0) - coalesce(tax_charged, 0) - other_charges as rest,
        not has_unknown_lines and (not has_no_lines or rest = 0) as has_known_parts
    from netted
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
    order_total as total_price,
    case when has_known_parts then gross_sales end as gross_sales,
    cast(case when has_known_parts then gross_sales - goods_net end as decimal(18, 6)) as discount_amount,
    cast(coalesce(shipping_net, case when rest = 0 then 0 end) as decimal(18, 6)) as shipping_amount,
    cast(coalesce(tax_charged, case when rest = 0 then 0 end) as decimal(18, 6)) as tax_amount,
    cast(case when has_known_parts then other_charges end as decimal(18, 6)) as other_charges,
    cast(repaid as decimal(18, 6)) as refunded_amount,
    cast(unknown_refunds as bigint) as foreign_refunds,
    order_currency as currency,
    statuses.financial_status,
    {{ cast_as('parted.financial_status', 'text') }} as raw_status,
    {{ cast_as('cancelled_at', 'instant') }} is not null as is_cancelled,
    coalesce(test, false) as is_test,
    lower(coalesce(
        {{ cast_as('email', 'text') }}, {{ cast_as('contact_email', 'text') }}, {{ cast_as('customer.email', 'text') }}
    )) as customer_email,
    cast(nullif(customer.id, 0) as varchar) as customer_id,
    coalesce(
        {{ cast_as('shipping_address.country_code', 'text') }}, {{ cast_as('shipping_address.country', 'text') }}
    ) as shipping_country,
    {{ joined_codes('list_transform(discount_codes, lambda used: used.code)') }} as discount_codes,
    list_filter(noted_ids, lambda noted: noted is not null) as charge_ids,
    cast(list_transform(
        list_filter(
            line_items,
            lambda line: not coalesce(line.gift_card, false)
                and not {{ shopify_is_tip('line') }}
                and not coalesce({{ shopify_sold('line') }} = 0 and line.quantity > 0, false)
        ),
        lambda line: struct_pack(
            line_id := cast(line.id as varchar),
            product_id := cast(nullif(line.product_id, 0) as varchar),
            variant_id := cast(line.variant_id as varchar),
            sku := {{ cast_as('line.sku', 'text') }},
            item_name := {{ cast_as('line.title', 'text') }},
            quantity := cast({{ shopify_sold('line') }} as decimal(19, 6)),
            unit_price := {{ shopify_money('line.price_set', 'line.price') }},
            discount_amount := {{ shopify_discount('line') }},
            amount := case
                when taxes_included and line.tax_lines is not null then cast(
                    {{ shopify_sold('line') }} * {{ shopify_money('line.price_set', 'line.price') }}
                    - {{ shopify_discount('line') }}
                    - {{ shopify_share('line') }} * coalesce(list_sum(list_transform(
                        line.tax_lines, lambda tax: {{ shopify_money('tax.price_set', 'tax.price') }}
                    )), 0) as decimal(18, 6)
                )
            end
        )
    ) as {{ list_type('order lines') }}) as lines,
    cast(refunds_made as {{ list_type('refunds') }}) as refunds,
    list_filter(
        [
            case
                when explained_total is distinct from order_total then 'unproven_edit'
                when removed = 0 and current_total not in (charged - repaid, charged - returned)
                    and list_count(list_transform(line_items, lambda line: line.current_quantity)) = 0 and len(line_items) > 0
                    then 'unproven_edit'
            end,
            case
                when taxes_included and stated_tax is distinct from 0
                    and list_contains(list_transform(line_items, lambda line: line.tax_lines is null), true)
                    then 'unproven_tax'
            end
        ],
        lambda doubt: doubt is not null
    ) as doubts
from parted
left join {{ source('hub', 'platform_ref__order_statuses') }} as statuses
    on statuses.source_platform = 'shopify' and statuses.raw_status = parted.status_key
{%- endmacro %}

{#- An amount in the shop's currency.
    Takes  set: SQL naming the amount in both currencies.  plain: SQL naming the older field, in the shop's currency alone.
    Gives  an expression: DECIMAL(18,6). -#}
{% macro shopify_money(set, plain) -%}
coalesce({{ cast_as(set ~ '.shop_money.amount', 'decimal') }}, {{ cast_as(plain, 'decimal') }})
{%- endmacro %}

{#- Whether a line is a tip.
    Takes  line: SQL naming a line.
    Gives  an expression: BOOLEAN, never NULL. -#}
{% macro shopify_is_tip(line) -%}
({{ cast_as(line ~ '.tip_payment_gateway', 'text') }} is not null or {{ cast_as(line ~ '.tip_payment_method', 'text') }} is not null)
{%- endmacro %}

{#- Units of a line that were sold: the current ones, and those that came back for money.
    Takes  line: SQL naming a line, beside refunds, refunded_items and status_key of its order.
    Gives  an expression: a number.
    Note   Without current_quantity, those ordered less what the refunds say was taken off. Where the refunds were not
           exported, the status says whether what is gone was paid back. -#}
{% macro shopify_sold(line) -%}
case
    when {{ line }}.current_quantity is null then {{ line }}.quantity - {{ shopify_units(line, 'item.is_removed') }}
    when refunds is null and status_key in ('refunded', 'partially_refunded') then {{ line }}.quantity
    else least({{ line }}.quantity, {{ line }}.current_quantity + {{ shopify_units(line, 'not item.is_removed') }})
end
{%- endmacro %}

{#- Units of a line in the refunds of its order.
    Takes  line: SQL naming a line, beside refunded_items of its order.  which: a condition over item.
    Gives  an expression: a number, 0 without one. -#}
{% macro shopify_units(line, which) -%}
coalesce(list_sum(list_transform(
    list_filter(refunded_items, lambda item: item.line_item_id = {{ line }}.id and {{ which }}), lambda item: item.quantity
)), 0)
{%- endmacro %}

{#- The share of a line's units that were sold: what is said of all units ordered, discounts and taxes, is theirs in part.
    Takes  line: as above.
    Gives  an expression: a number. -#}
{% macro shopify_share(line) -%}
coalesce({{ shopify_sold(line) }} / nullif({{ line }}.quantity, 0), 1)
{%- endmacro %}

{#- The discount of a line's units that were sold.
    Takes  line: as above.
    Gives  an expression: DECIMAL(18,6). -#}
{% macro shopify_discount(line) -%}
cast({{ shopify_share(line) }} * coalesce(
    list_sum(list_transform(
        {{ line }}.discount_allocations, lambda part: {{ shopify_money('part.amount_set', 'part.amount') }}
    )),
    {{ shopify_money(line ~ '.total_discount_set', line ~ '.total_discount') }},
    0
) as decimal(18, 6))
{%- endmacro %}

{#- Shopify products, in the canonical columns of products.
    Takes  tenant: a slug.  platform: shopify.
    Gives  one row per product: product_id, product_name, product_category (Shopify's product_type), unit_costs. -#}
{% macro engine_shopify_products(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    source_account,
    cast(id as varchar) as product_id,
    {{ cast_as('title', 'text') }} as product_name,
    {{ cast_as('product_type', 'text') }} as product_category,
    cast(list_transform(
        list_filter(variants, lambda variant: variant.inventory_item.unit_cost.amount is not null),
        lambda variant: struct_pack(
            variant_id := cast(variant.id as varchar),
            unit_cost := {{ cast_as('variant.inventory_item.unit_cost.amount', 'decimal') }},
            currency := upper({{ cast_as('variant.inventory_item.unit_cost.currency_code', 'text') }})
        )
    ) as {{ list_type('unit costs') }}) as unit_costs
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_products') }}
{%- endmacro %}
