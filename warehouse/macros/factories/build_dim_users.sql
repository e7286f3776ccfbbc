{#- The users dimension: analytics users, the customers their orders make them, and what the analytics tool's profiles add.
    Takes  tenant: a slug.
    Gives  one row per user with a session; every user of an event has one.
    Note   a user is a customer when an order's earliest purchase event is theirs; the first order says which one.
           Email, country and device are those of orders and sessions, else of the profile of the user's own id, else of
           the shop's id for the user. -#}
{% macro build_dim_users(tenant) -%}
with users as (
    select
        user_key,
        arg_min(source_platform, started_at) as source_platform,
        arg_min(source_account, started_at) as source_account,
        any_value(user_pseudo_id) as user_pseudo_id,
        arg_max(user_id, started_at) as user_id,
        min(started_at) as first_seen_at,
        min(session_date) as first_seen_date,
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
),

user_texts as (
    select user_key, source_platform, source_account, user_pseudo_id as id_text, 0 as way from users
    union all
    select user_key, source_platform, source_account, user_id as id_text, 1 as way from users
),

profiles as (
    select user_texts.user_key, profiles.email, profiles.geo_country, profiles.device_category
    from user_texts
    inner join {{ ref('int_' ~ tenant ~ '__profiles') }} as profiles
        on
            profiles.source_platform = user_texts.source_platform
            and profiles.source_account = user_texts.source_account
            and profiles.user_id = user_texts.id_text
    qualify row_number() over (
        partition by user_texts.user_key
        order by user_texts.way, profiles.email, profiles.geo_country, profiles.device_category
    ) = 1
),

countries as (
    {{ country_names('profiles', 'geo_country') }}
)

select
    users.user_key,
    '{{ tenant }}' as tenant_slug,
    users.source_platform,
    users.source_account,
    users.user_pseudo_id,
    users.user_id,
    customers.customer_key,
    coalesce(customers.customer_email, profiles.email) as customer_email,
    customers.customer_id,
    customers.user_key is not null as is_customer,
    users.first_seen_at,
    users.first_seen_date,
    users.last_seen_at,
    cast(users.total_events as bigint) as total_events,
    users.total_sessions,
    coalesce(users.first_geo_country, countries.country, profiles.geo_country) as first_geo_country,
    coalesce(users.first_device_category, profiles.device_category) as first_device_category
from users
left join customers on customers.user_key = users.user_key
left join profiles on profiles.user_key = users.user_key
left join countries on countries.said = profiles.geo_country
{%- endmacro %}
