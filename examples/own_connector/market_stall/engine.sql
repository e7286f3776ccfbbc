{#- Receipts of market stalls, in the canonical columns of orders.
    Takes  tenant: a slug.  platform: market_stall.
    Gives  one row per receipt; a stall takes cash, so every receipt is paid. -#}
{% macro engine_market_stall_orders(tenant, platform) -%}
select
    '{{ platform }}' as source_platform,
    source_account,
    receipt.no as order_id,
    cast([] as varchar[]) as other_ids,
    cast({{ cast_as('sold.on', 'date_as', '%d.%m.%Y') }} as timestamp) as ordered_at,
    cast(total.amount * 0.01 as decimal(18, 6)) as total_price,
    cast(total.amount * 0.01 as decimal(18, 6)) as gross_sales,
    cast(0 as decimal(18, 6)) as discount_amount,
    cast(0 as decimal(18, 6)) as shipping_amount,
    cast(0 as decimal(18, 6)) as tax_amount,
    cast(0 as decimal(18, 6)) as other_charges,
    cast(0 as decimal(18, 6)) as refunded_amount,
    cast(0 as bigint) as foreign_refunds,
    total.currency as currency,
    'paid' as financial_status,
    cast(null as varchar) as raw_status,
    false as is_cancelled,
    false as is_test,
    cast(null as varchar) as customer_email,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as shipping_country,
    cast(null as varchar) as discount_codes,
    cast([] as varchar[]) as charge_ids,
    list_transform(
        lines,
        lambda line: struct_pack(
            line_id := cast(null as varchar),
            product_id := cast(null as varchar),
            sku := cast(null as varchar),
            item_name := line.what,
            quantity := line.pieces,
            unit_price := cast(line.each.amount * 0.01 as decimal(18, 6)),
            discount_amount := cast(0 as decimal(18, 6)),
            amount := cast(null as decimal(18, 6))
        )
    ) as lines,
    cast(null as struct(refund_id varchar)[]) as refunds,
    cast([] as varchar[]) as doubts
from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_receipts') }}
{%- endmacro %}
