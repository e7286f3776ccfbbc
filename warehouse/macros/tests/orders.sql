{#- Orders without any time: they are in no day's total.
    Takes  model: the orders star.
    Gives  one finding per platform and account. -#}
{% test every_order_has_a_time(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' ' || source_account || ' have no time and belong to no day.' as finding,
    source_platform,
    source_account,
    count(*) as records
from {{ model }}
where ordered_at is null
group by source_platform, source_account
{%- endtest %}

{#- Statuses of a vendor that we have no word for: financial_status is NULL, raw_status keeps them.
    Takes  model: the orders star.
    Gives  one finding per platform and status. -#}
{% test every_status_is_known(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' have the unknown financial status ' || raw_status || '.' as finding,
    source_platform,
    count(*) as records
from {{ model }}
where financial_status is null and raw_status is not null
group by source_platform, raw_status
{%- endtest %}

{#- Refunds that do not say their amount in their order's currency: it is unknown, and so is the order's refunded_amount.
    Takes  model: canonical orders.
    Gives  one finding per platform, account and currency, with the money of the orders. -#}
{% test refunds_in_the_orders_currency(model) -%}
select
    sum(foreign_refunds) || ' refunds of ' || source_platform || ' ' || source_account
    || ' do not say their amount in the currency of their order: refunded_amount of ' || count(*) || ' orders'
    || coalesce(' of ' || sum(total_price) || ' ' || currency, '') || ' is unknown.' as finding,
    source_platform,
    source_account,
    sum(foreign_refunds) as records,
    sum(total_price) as amount,
    currency,
    min(cast(ordered_at as date)) - 1 as first_day,
    max(cast(ordered_at as date)) + 1 as last_day
from {{ model }}
where foreign_refunds > 0
group by source_platform, source_account, currency
{%- endtest %}

{#- Purchases that carry an id which orders of several shops have, or several orders of one: none is guessed.
    Takes  model: the links of purchases and orders.
    Gives  one finding per analytics platform. -#}
{% test purchases_of_one_order(model) -%}
select
    count(distinct struct_pack(s := session_id, n := event_number)) || ' purchases of ' || source_platform
    || ' carry an id that several orders have, and are linked to none.' as finding
from {{ model }}
where not is_counted
group by source_platform
{%- endtest %}

{#- Charges that several orders name: they count for none, so no order's net_paid_amount has them.
    Takes  model: the charges that orders name.
    Gives  one finding per platform and account. -#}
{% test charges_of_one_order(model) -%}
select
    count(distinct charge_id) || ' charges of ' || source_platform || ' ' || source_account
    || ' are named by several orders and count for none.' as finding,
    source_platform,
    source_account,
    count(distinct charge_id) as records
from {{ model }}
where orders_of_charge > 1
group by source_platform, source_account
{%- endtest %}

{#- Charges in another currency than their order's: never added, so net_paid_amount lacks them.
    Takes  model: the charges that orders name.
    Gives  one finding per platform and account. -#}
{% test charges_in_the_orders_currency(model) -%}
select
    count(*) || ' charges of ' || source_platform || ' ' || source_account
    || ' are in another currency than their order and not in net_paid_amount.' as finding,
    source_platform,
    source_account,
    count(*) as records
from {{ model }}
where is_counted and currency <> order_currency
group by source_platform, source_account
{%- endtest %}

{#- Test charges that orders name: no money moved, so net_paid_amount lacks them.
    Takes  model: the charges that orders name.
    Gives  one finding per platform and account. -#}
{% test charges_of_real_money(model) -%}
select
    count(*) || ' charges of ' || source_platform || ' ' || source_account
    || ' that orders name are tests and not in net_paid_amount.' as finding,
    source_platform,
    source_account,
    count(*) as records
from {{ model }}
where is_test and orders_of_charge = 1
group by source_platform, source_account
{%- endtest %}

{#- Charges that took money and that no order names: net_paid_amount lacks them.
    Takes  model: the charges that orders name.
    Gives  one finding per platform, account and currency. -#}
{% test every_charge_has_an_order(model) -%}
select
    count(*) || ' charges of ' || source_platform || ' ' || source_account || ' took '
    || coalesce(sum(captured_amount) || ' ', '') || coalesce(currency, 'money') || ' and are named by no order.' as finding,
    source_platform,
    source_account,
    count(*) as records,
    sum(captured_amount) as amount,
    any_value(currency) as currency
from {{ model }}
where orders_of_charge = 0 and status = 'succeeded' and not is_test and captured_amount is distinct from 0
group by source_platform, source_account, currency
{%- endtest %}

{#- Orders of which more was paid back than was charged: their net revenue is below nothing.
    Takes  model: the orders star.
    Gives  one finding per platform and account. -#}
{% test refunds_within_the_total(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' ' || source_account || ' gave back more than they took.' as finding,
    source_platform,
    source_account,
    count(*) as records
from {{ model }}
where refunded_amount > total_price
group by source_platform, source_account
{%- endtest %}

{#- Charges in a state that we do not know: only succeeded ones have taken money.
    Takes  model: canonical charges.
    Gives  one finding per platform, account and status; a charge that says none counts as succeeded. -#}
{% test every_charge_status_is_known(model) -%}
select
    count(*) || ' charges of ' || source_platform || ' ' || source_account || ' have the unknown status '
    || status || ' and count as having taken nothing.' as finding,
    source_platform,
    source_account,
    count(*) as records
from {{ model }}
where status not in ('succeeded', 'pending', 'failed')
group by source_platform, source_account, status
{%- endtest %}
