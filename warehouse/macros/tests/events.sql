{#- Events without a user: kept, in no session.
    Takes  model: canonical events.
    Gives  one finding per platform. -#}
{% test every_event_has_a_user(model) -%}
select
    count(*) || ' events of ' || source_platform || ' have no user and are in no session.' as finding
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
    || ' are in another currency than the first of their session and not in session_revenue.' as finding
from {{ model }}
where is_counted and currency <> session_currency and order_total <> 0
group by source_platform
{%- endtest %}
