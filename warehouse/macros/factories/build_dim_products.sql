{#- The products dimension: the shop's products, and a row for each that only an order line names.
    Takes  tenant: a slug.
    Gives  one row per product_key. -#}
{% macro build_dim_products(tenant) -%}
with sent as (
    select
        {{ md5_key(['source_platform', 'source_account', "'id'", 'product_id']) }} as product_key,
        source_platform,
        source_account,
        product_id,
        cast(null as varchar) as sku,
        product_name,
        product_category,
        false as is_inferred
    from {{ ref('int_' ~ tenant ~ '__products') }}
),

ordered as (
    select
        product_key,
        any_value(source_platform) as source_platform,
        any_value(source_account) as source_account,
        any_value(product_id) as product_id,
        arg_max(sku, struct_pack(d := order_date, n := sku)) as sku,
        arg_max(item_name, struct_pack(d := order_date, n := item_name)) as product_name,
        cast(null as varchar) as product_category,
        true as is_inferred
    from {{ ref('fct_' ~ tenant ~ '__order_items') }}
    where product_key not in (select product_key from sent)
    group by product_key
),

products as (
    select * from sent
    union all
    select * from ordered
)

select
    product_key,
    '{{ tenant }}' as tenant_slug,
    source_platform,
    source_account,
    product_id,
    sku,
    product_name,
    product_category,
    is_inferred
from products
{%- endmacro %}
