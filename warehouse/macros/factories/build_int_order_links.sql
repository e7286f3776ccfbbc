{#- Purchase events that carry an order's id, and which of them are linked to it.
    Takes  tenant: a slug.
    Gives  one row per purchase event and order it may mean: order_key, id_text (the id), way (0 for the vendor's id, then the
           order's names and numbers, likeliest first), is_counted, and the event's session_id, occurred_at, ...
    Note   texts must be equal. In its own shop an order's id comes before another order's name or number; a text that
           several orders have, of one shop or of several, means none: the shop a purchase was made in is not known. -#}
{% macro build_int_order_links(tenant) -%}
with orders as (
    select
        {{ md5_key(['source_platform', 'source_account', 'order_id']) }} as order_key,
        source_platform as shop_platform,
        source_account as shop_account,
        order_id,
        other_ids
    from {{ ref('int_' ~ tenant ~ '__orders') }}
),

texts as (
    select order_key, shop_platform, shop_account, order_id as id_text, 0 as way
    from orders
    union all
    select order_key, shop_platform, shop_account, unnest(other_ids) as id_text, generate_subscripts(other_ids, 1) as way
    from orders
),

best as (
    select *
    from texts
    qualify way = 0 or min(way) over (partition by shop_platform, shop_account, id_text) > 0
),

matches as (
    select *, count(distinct order_key) over (partition by id_text) = 1 as is_counted
    from best
)

select
    matches.order_key,
    matches.id_text,
    matches.way,
    matches.is_counted,
    purchases.source_platform,
    purchases.session_id,
    purchases.occurred_at,
    purchases.event_number
from matches
inner join {{ ref('int_' ~ tenant ~ '__purchases') }} as purchases on purchases.transaction_id = matches.id_text
{%- endmacro %}
