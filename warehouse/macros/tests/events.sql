{#- Events without a user: kept, in no session.
    Takes  model: canonical events.
    Gives  one finding per platform. -#}
{% test every_event_has_a_user(model) -%}
select
    count(*) || ' events of ' || source_platform || ' have no user and are in no session.' as finding,
    source_platform,
    count(*) as records
from {{ model }}
where session_id is null
group by source_platform
{%- endtest %}

{#- Purchases in another currency than the session's first: never added, so session_revenue lacks them.
    Takes  model: the purchases of sessions.
    Gives  one finding per platform. -#}
{% test purchases_in_the_sessions_currency(model) -%}
select
    count(*) || ' purchases of ' || source_platform
    || ' are in another currency than the first of their session and not in session_revenue.' as finding,
    source_platform,
    count(*) as records
from {{ model }}
where is_counted and currency <> session_currency and order_total <> 0
group by source_platform
{%- endtest %}

{#- Purchases that carry no transaction id: each counts, also when it was sent twice, and none is linked to an order.
    Takes  model: the purchases of sessions.
    Gives  one finding per platform. -#}
{% test every_purchase_has_an_id(model) -%}
select
    count(*) || ' purchases of ' || source_platform || ' carry no transaction id and are linked to no order.' as finding,
    source_platform,
    count(*) as records
from {{ model }}
where transaction_id is null
group by source_platform
{%- endtest %}

{#- Visits that last longer than a day: a machine that never rests, or a clock that counts in another unit.
    Takes  model: the sessions star.
    Gives  one finding per platform. -#}
{% test visits_of_a_day_at_most(model) -%}
select
    count(*) || ' sessions of ' || source_platform || ' last longer than a day.' as finding,
    source_platform,
    count(*) as records
from {{ model }}
where session_duration_seconds > 86400
group by source_platform
{%- endtest %}
