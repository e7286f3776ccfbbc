{#- Valid orders whose total is not what its parts come to: a charge that no field of the shop names.
    Takes  model: the orders star.
    Gives  one finding per platform, account and currency, with the orders and the money that is in no part. -#}
{% test totals_are_explained(model) -%}
select
    count(*) || ' valid orders of ' || source_platform || ' ' || source_account || ' were charged something else than goods, '
    || 'discounts, shipping, tax and other charges come to, ' || sum(abs(rest)) || ' ' || coalesce(currency, '')
    || ' in all: gross_sales - discounts + shipping + tax + other_charges is not their order_revenue.' as finding,
    source_platform,
    source_account,
    count(*) as records,
    sum(abs(rest)) as amount,
    currency,
    min(order_date) as first_day,
    max(order_date) as last_day
from (
    select
        *,
        total_price - (
            gross_sales - coalesce(discount_amount, 0) + coalesce(shipping_amount, 0) + coalesce(tax_amount, 0)
            + coalesce(other_charges, 0)
        ) as rest
    from {{ model }}
    where is_valid
)
where rest <> 0
group by source_platform, source_account, currency
{%- endtest %}

{#- Customers who were charged in several currencies: their value of the first days is that of the first order's currency.
    Takes  model: the orders star.
    Gives  one finding per platform and account of the orders that are in no value. -#}
{% test customers_have_one_currency(model) -%}
select
    count(*) || ' valid orders of ' || source_platform || ' ' || source_account || ' are in another currency than their '
    || 'customer''s first one, and not in ltv of that customer.' as finding,
    source_platform,
    source_account,
    count(*) as records
from (
    select
        *,
        first_value(currency) over (partition by customer_key order by customer_order_number) as first_currency
    from {{ model }}
    where customer_order_number is not null
)
where currency <> first_currency
group by source_platform, source_account
{%- endtest %}

{#- Refunds that do not say when: they are on no day.
    Takes  model: the refunds star.
    Gives  one finding per platform, account and currency, with their money. -#}
{% test every_refund_has_a_day(model) -%}
select
    count(*) || ' refunds of ' || source_platform || ' ' || source_account || ' do not say when'
    || coalesce(', ' || sum(amount) || ' ' || currency, '') || ': they are on no day of refunds and refunds_by_refund_day. '
    || 'refunded_amount has them on the day of their order.' as finding,
    {{ about_records('amount') }}
from {{ model }}
where refund_date is null
group by source_platform, source_account, currency
{%- endtest %}
