{#- The users dimension: analytics users, and the customers their orders make them.
    Takes  tenant: a slug.
    Gives  one row per user with a session; every user of an event has one.
    Note   a user is a customer when an order's earliest purchase event is theirs; which one is said by the first order. -#}
{% macro build_dim_users(tenant) -%}
with users as (
    select
        user_key,
        arg_min(source_platform, started_at) as source_platform,
        arg_min(source_account, started_at) as source_account,
        any_value(user_pseudo_id) as user_pseudo_id,
        arg_max(user_id, started_at) as user_id,
        min(started_at) as first_seen_at,
        max(ended_at) as last_seen_at,
        sum(events_in_session) as total_events,
        count(*) as total_sessions,
        arg_min(geo_country, started_at) as first_geo_country,
        arg_min(device_category, started_at) as first_device_category
    from {{ ref('fct_' ~ tenant ~ '__sessions') }}
    group by user_key
),

customers as (
    select user_key, customer_key, customer_email, customer_id
    from {{ ref('fct_' ~ tenant ~ '__orders') }}
    where user_key is not null
    qualify row_number() over (partition by user_key order by ordered_at, order_key) = 1
)

select
    users.user_key,
    '{{ tenant }}' as tenant_slug,
    users.source_platform,
    users.source_account,
    users.user_pseudo_id,
    users.user_id,
    customers.customer_key,
    customers.customer_email,
    customers.customer_id,
    customers.user_key is not null as is_customer,
    users.first_seen_at,
    users.last_seen_at,
    cast(users.total_events as bigint) as total_events,
    users.total_sessions,
    users.first_geo_country,
    users.first_device_category
from users
left join customers on customers.user_key = users.user_key
{%- endmacro %}
