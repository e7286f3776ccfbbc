{#- The order items star.
    Takes  tenant: a slug.
    Gives  one row per line of an order.
    Note   a line without an id is known by its position; a second line with the same id is a line of its own. What its goods
           cost is what the line says, else its quantity at the present cost of its variant, in the order's currency. -#}
{% macro build_fct_order_items(tenant) -%}
with positions as (
    select source_platform, source_account, order_id, unnest(lines) as line, generate_subscripts(lines, 1) as line_position
    from {{ ref('int_' ~ tenant ~ '__orders') }}
),

lines as (
    select
        source_platform,
        source_account,
        {{ md5_key(['source_platform', 'source_account', 'order_id']) }} as order_key,
        coalesce(line.line_id, cast(line_position as varchar)) as order_item_id,
        line_position,
        {{ product_key('line') }} as product_key,
        unnest(line)
    from positions
),

unit_costs as (
    select source_platform, source_account, cost.variant_id, cost.currency, max(cost.unit_cost) as unit_cost
    from (
        select source_platform, source_account, unnest(unit_costs) as cost
        from {{ ref('int_' ~ tenant ~ '__products') }}
    )
    group by source_platform, source_account, cost.variant_id, cost.currency
)

select
    {{ md5_key(['lines.order_key', 'lines.order_item_id', 'row_number() over same_line']) }} as order_item_key,
    '{{ tenant }}' as tenant_slug,
    lines.source_platform,
    lines.source_account,
    orders.order_key,
    orders.order_id,
    lines.order_item_id,
    orders.order_date,
    lines.product_key,
    lines.product_id,
    lines.sku,
    lines.item_name,
    lines.quantity,
    lines.unit_price,
    lines.discount_amount,
    coalesce(
        lines.amount, cast(lines.quantity * lines.unit_price - coalesce(lines.discount_amount, 0) as decimal(18, 6))
    ) as item_amount,
    coalesce(lines.cost_amount, cast(lines.quantity * unit_costs.unit_cost as decimal(18, 6))) as item_cost,
    orders.currency,
    orders.is_valid
from lines
inner join {{ ref('fct_' ~ tenant ~ '__orders') }} as orders on orders.order_key = lines.order_key
left join unit_costs
    on
        unit_costs.source_platform = lines.source_platform
        and unit_costs.source_account = lines.source_account
        and unit_costs.variant_id = lines.variant_id
        and unit_costs.currency = orders.currency
window same_line as (partition by lines.order_key, lines.order_item_id order by lines.line_position)
{%- endmacro %}

{#- The key of the product an order line is about.
    Takes  line: SQL naming a struct with product_id, sku and item_name, beside source_platform and source_account.
    Gives  an expression: MD5 as VARCHAR; an id, a sku and a title of equal text are different products. -#}
{% macro product_key(line) -%}
{%- set kind -%}
case when {{ line }}.product_id is not null then 'id' when {{ line }}.sku is not null then 'sku' else 'title' end
{%- endset -%}
{{ md5_key(['source_platform', 'source_account', kind,
            'coalesce(' ~ line ~ '.product_id, ' ~ line ~ '.sku, ' ~ line ~ '.item_name)']) }}
{%- endmacro %}
