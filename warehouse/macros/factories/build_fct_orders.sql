{#- The orders star.
    Takes  tenant: a slug.  timezone: the tenant's.  has_payments: whether a payments source says what was really paid.
           value_days: over how many days from a customer's first order charges are added up, such as 30 and 90.
    Gives  one row per order, with the session of the earliest purchase event that is linked to it, what that session knows
           (attribution, channel, country, device), and with payments its charge_id and net_paid_amount (captured - refunded -
           disputed, in the order's currency).
    Note   net_paid_amount is 0 where all charges failed, and NULL where the shop named none that is known, or where one
           that counts does not say its amounts. What a customer was charged over the first days is on the first valid order,
           so that sums of it by any day or dimension are those of the customers won there; it is NULL until the shop has an
           order so many days later. Amounts in another currency than the first order's are not in it. gross_sales has what a
           total was rounded by, less than 0.01, so that the parts come to the total. -#}
{% macro build_fct_orders(tenant, timezone, value_days, has_payments=false) -%}
{%- set rest -%}
(orders.total_price - orders.gross_sales + orders.discount_amount - orders.shipping_amount - orders.tax_amount - orders.other_charges)
{%- endset -%}
{%- set kept_amount -%} captured_amount - refunded_amount - disputed_amount {%- endset -%}
with orders as (
    select
        *,
        {{ md5_key(['source_platform', 'source_account', 'order_id']) }} as order_key,
        not is_cancelled and not is_test and coalesce(financial_status, '') not in ('cancelled', 'voided', 'failed') as is_valid,
        case
            when customer_email is not null then {{ md5_key(['customer_email']) }}
            when customer_id is not null then {{ md5_key(['source_platform', 'source_account', 'customer_id']) }}
        end as customer_key
    from {{ ref('int_' ~ tenant ~ '__orders') }}
),

countries as (
    {{ country_names('orders', 'shipping_country') }}
),

dated as (
    select
        *,
        case when customer_key is not null then min(case when is_valid then order_date end) over (partition by customer_key) end
            as first_order_date
    from (
        select *, {{ local_date('ordered_at', timezone) }} as order_date from orders
    )
),

sequenced as (
    select
        order_key,
        customer_key,
        order_date,
        total_price,
        currency = first_value(currency) over in_order as is_of_first_currency,
        first_order_date,
        lead(order_date) over in_order as next_date,
        row_number() over in_order as order_number,
        count(*) over (partition by customer_key) as order_count
    from dated
    where is_valid and customer_key is not null
    window in_order as (partition by customer_key order by ordered_at, order_key)
),

first_days as (
    select
        customer_key,
        {% for days in value_days -%}
        sum(total_price) filter (where is_of_first_currency and order_date < first_order_date + {{ days }}) as value_{{ days }}{{ ',' if not loop.last }}
        {% endfor %}
    from sequenced
    group by customer_key
),

last_days as (
    select source_platform, source_account, max(order_date) as last_date
    from dated
    group by source_platform, source_account
),

linked as (
    select order_key, session_id
    from {{ ref('int_' ~ tenant ~ '__order_links') }}
    where is_counted
    qualify row_number() over (partition by order_key order by way, occurred_at, event_number, session_id) = 1
)
{%- if has_payments %},

paid as (
    select
        order_key,
        arg_min(charge_id, struct_pack(u := not is_counted, d := charged_at, i := charge_id)) as charge_id,
        case
            when count(*) filter (where is_counted and currency = order_currency and {{ kept_amount }} is null) = 0
                then sum(case when is_counted then {{ kept_amount }} else 0 end) filter (where currency = order_currency)
        end as net_paid_amount
    from {{ ref('int_' ~ tenant ~ '__order_charges') }}
    where orders_of_charge = 1
    group by order_key
)
{%- endif %}

select
    orders.order_key,
    '{{ tenant }}' as tenant_slug,
    orders.source_platform,
    orders.source_account,
    orders.order_id,
    orders.ordered_at,
    orders.order_date,
    {{ local_hour('orders.ordered_at', timezone) }} as hour_of_day,
    orders.total_price,
    orders.gross_sales + case when abs({{ rest }}) < 0.01 then {{ rest }} else 0 end as gross_sales,
    orders.discount_amount,
    orders.shipping_amount,
    orders.tax_amount,
    orders.other_charges,
    orders.refunded_amount,
    orders.currency,
    orders.financial_status,
    orders.raw_status,
    orders.is_cancelled,
    orders.is_test,
    orders.is_valid,
    coalesce(sequenced.order_number = 1, false) as is_first_order,
    orders.first_order_date,
    cast(sequenced.order_number as integer) as customer_order_number,
    cast(sequenced.order_count as integer) as customer_order_count,
    case when sequenced.order_number = 1 then cast(sequenced.next_date - sequenced.order_date as integer) end as days_to_second_order,
    case when sequenced.order_number = 1 then 'new' when sequenced.order_number > 1 then 'returning' end as customer_type,
    case when sequenced.order_number is not null then
        cast(datediff('day', orders.first_order_date, orders.order_date) as integer)
    end as days_since_first_order,
    case when sequenced.order_number is not null then
        cast(datediff('month', orders.first_order_date, orders.order_date) as integer)
    end as months_since_first_order,
    {% for days in value_days -%}
    cast(case
        when sequenced.order_number = 1 and last_days.last_date >= sequenced.order_date + {{ days }} then first_days.value_{{ days }}
    end as decimal(18, 6)) as customer_value_{{ days }}_days,
    {% endfor -%}
    orders.customer_key,
    orders.customer_email,
    orders.customer_id,
    sessions.user_key,
    sessions.session_id,
    sessions.traffic_source,
    sessions.traffic_medium,
    sessions.traffic_campaign,
    sessions.channel,
    sessions.campaign_key,
    sessions.campaign_name,
    sessions.ad_platform,
    coalesce(sessions.attribution, 'none') as attribution,
    sessions.geo_country,
    sessions.device_category,
    coalesce(countries.country, orders.shipping_country) as shipping_country,
    orders.discount_codes
    {%- if has_payments %},
    paid.charge_id,
    cast(paid.net_paid_amount as decimal(18, 6)) as net_paid_amount
    {%- endif %}
from dated as orders
left join countries on countries.said = orders.shipping_country
left join sequenced on sequenced.order_key = orders.order_key
left join first_days on first_days.customer_key = orders.customer_key
inner join last_days
    on last_days.source_platform = orders.source_platform and last_days.source_account = orders.source_account
left join linked on linked.order_key = orders.order_key
left join {{ ref('fct_' ~ tenant ~ '__sessions') }} as sessions on sessions.session_id = linked.session_id
{%- if has_payments %}
left join paid on paid.order_key = orders.order_key
{%- endif %}
{%- endmacro %}
