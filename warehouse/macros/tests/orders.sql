{#- Orders without any time: they are in no day's total.
    Takes  model: the orders star.
    Gives  one finding per platform and account. -#}
{% test every_order_has_a_time(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' ' || source_account || ' have no time and belong to no day.' as finding
from {{ model }}
where ordered_at is null
group by source_platform, source_account
{%- endtest %}

{#- Statuses of a vendor that we have no word for: financial_status is NULL, raw_status keeps them.
    Takes  model: the orders star.
    Gives  one finding per platform and status. -#}
{% test every_status_is_known(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' have the unknown financial status ' || raw_status || '.' as finding
from {{ model }}
where financial_status is null and raw_status is not null
group by source_platform, raw_status
{%- endtest %}

{#- Refunds in another currency than their order's: never added, so refunded_amount lacks them.
    Takes  model: canonical orders.
    Gives  one finding per platform and account. -#}
{% test refunds_in_the_orders_currency(model) -%}
select
    sum(foreign_refunds) || ' refunds of ' || source_platform || ' ' || source_account
    || ' are in another currency than their order and not in refunded_amount.' as finding
from {{ model }}
where foreign_refunds > 0
group by source_platform, source_account
{%- endtest %}
