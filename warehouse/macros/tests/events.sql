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

{#- Purchases in another currency than the session's first that no rate converts: never added, so no amount has them.
    Takes  model: the sessions star.
    Gives  one finding per platform. -#}
{% test purchases_in_the_sessions_currency(model) -%}
with amounts as (
    select source_platform, unnest(map_entries(left_out_revenue)) as entry
    from {{ model }}
    where left_out_purchases > 0
),

totals as (
    select source_platform, entry.key as currency, sum(entry.value) as amount
    from amounts
    group by source_platform, entry.key
),

texts as (
    select
        source_platform,
        string_agg(cast(cast(amount as decimal(18, 2)) as varchar) || ' ' || currency, ', ' order by currency) as amounts
    from totals
    group by source_platform
)

select
    sum(visits.left_out_purchases) || ' purchases of ' || visits.source_platform
    || ' are in another currency than the first of their session and not in session_revenue: '
    || any_value(texts.amounts) || '.' as finding,
    visits.source_platform,
    sum(visits.left_out_purchases) as records
from {{ model }} as visits
inner join texts on texts.source_platform = visits.source_platform
where visits.left_out_purchases > 0
group by visits.source_platform
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
