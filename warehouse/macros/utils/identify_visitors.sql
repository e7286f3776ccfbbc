{#- One id per visitor, before and after they say who they are.
    Takes  the CTE sent: source_account, own_id (the tool's id for the event's user), device_id, user_id (known from
           login on), occurred_at.
    Gives  the CTE identified: sent, and user_pseudo_id.
    Note   an own_id that no event names a user for is a device's, before login: it counts as the id of the first user
           who logs in there. Analytics tools merge the two likewise, but not in what they have exported. -#}
{% macro identify_visitors() -%}
users as (
    select distinct source_account, own_id
    from sent
    where user_id is not null
),

first_users as (
    select
        source_account,
        device_id,
        arg_min(own_id, struct_pack(t := occurred_at, i := own_id)) as own_id
    from sent
    where user_id is not null and device_id is not null
    group by source_account, device_id
),

identified as (
    select
        sent.*,
        case when users.own_id is null then coalesce(first_users.own_id, sent.own_id) else sent.own_id end as user_pseudo_id
    from sent
    left join users on users.source_account = sent.source_account and users.own_id = sent.own_id
    left join first_users
        on first_users.source_account = sent.source_account and first_users.device_id = sent.device_id
)
{%- endmacro %}
