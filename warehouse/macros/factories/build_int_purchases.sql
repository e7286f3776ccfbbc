{#- Purchase events in sessions, and which of them count.
    Takes  tenant: a slug.
    Gives  one row per purchase event: session_id, transaction_id, order_total, currency, is_counted, and
           session_currency (that of the session's first counted purchase that is worth something).
    Note   a transaction counts once over the whole source, in the session of its first occurrence; purchases without a
           transaction id each count. -#}
{% macro build_int_purchases(tenant) -%}
with purchases as (
    select
        source_platform,
        session_id,
        event_number,
        occurred_at,
        transaction_id,
        order_total,
        currency,
        transaction_id is null or row_number() over (
            partition by source_platform, transaction_id
            order by occurred_at, event_number, event_key
        ) = 1 as is_counted
    from {{ ref('int_' ~ tenant ~ '__events') }}
    where is_purchase and session_id is not null
)

select
    *,
    first_value(currency) over (
        partition by session_id
        order by not is_counted, coalesce(order_total, 0) = 0, event_number
    ) as session_currency
from purchases
{%- endmacro %}
