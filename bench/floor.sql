-- The floor: the facts of one tenant by hand, straight from the generated files, without gata.
-- Takes  the variables events, orders, insights, campaigns (paths) and timezone (IANA); one tenant, one account each.
-- Gives  fct_events, fct_sessions, fct_orders, fct_ad_performance with the columns and rules gata's tables have.
-- Note   No landing, no history of versions, no hashes of payloads, no tests, no dimension tables, no publishing:
--        it is what any way from these files to these facts must at least do.

create temp table raw_events as
select
    event_name,
    make_timestamp(event_timestamp) as occurred_at,
    user_pseudo_id,
    user_id,
    event_name = 'purchase' as is_purchase,
    nullif(ecommerce.transaction_id, '(not set)') as transaction_id,
    cast(ecommerce.purchase_revenue as decimal(18, 6)) as order_total,
    case when event_name = 'purchase' then list_filter(event_params, lambda p: p.key = 'currency')[1].value.string_value end as currency,
    coalesce(list_filter(event_params, lambda p: p.key = 'source')[1].value.string_value, collected_traffic_source.manual_source) as source,
    coalesce(list_filter(event_params, lambda p: p.key = 'medium')[1].value.string_value, collected_traffic_source.manual_medium) as medium,
    coalesce(list_filter(event_params, lambda p: p.key = 'campaign')[1].value.string_value, collected_traffic_source.manual_campaign_name) as campaign,
    traffic_source,
    geo.country as geo_country,
    device.category as device_category,
    row_number() over (
        partition by user_pseudo_id
        order by event_timestamp, case event_name when 'session_start' then 0 when 'first_visit' then 1 else 2 end, file_row_number
    ) as event_number,
    lag(make_timestamp(event_timestamp)) over (
        partition by user_pseudo_id
        order by event_timestamp, case event_name when 'session_start' then 0 when 'first_visit' then 1 else 2 end, file_row_number
    ) as previous_at
from read_parquet(getvariable('events'), file_row_number = true);

create temp table numbered_events as
select
    * exclude (previous_at, started_at),
    case when user_pseudo_id is not null then md5(user_pseudo_id) end as user_key,
    case when user_pseudo_id is not null then md5(user_pseudo_id || '|' || started_at) end as session_id
from (
    select
        *,
        max(case when previous_at is null or occurred_at > previous_at + interval 30 minutes then occurred_at end)
            over (partition by user_pseudo_id order by event_number) as started_at
    from raw_events
);

create temp table purchases as
select session_id, event_number, occurred_at, transaction_id, order_total, currency
from numbered_events
where is_purchase and session_id is not null
qualify transaction_id is null or row_number() over (partition by transaction_id order by occurred_at, event_number) = 1;

create table fct_sessions as
with counted as (
    select
        session_id,
        any_value(user_key) as user_key,
        any_value(user_pseudo_id) as user_pseudo_id,
        arg_max(user_id, event_number) as user_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as events_in_session,
        coalesce(
            arg_min(case when source is not null then struct_pack(s := source, m := medium, c := campaign) end, event_number),
            arg_min(struct_pack(s := traffic_source.source, m := traffic_source.medium, c := traffic_source.name), event_number)
        ) as touch,
        arg_min(geo_country, event_number) as geo_country,
        arg_min(device_category, event_number) as device_category,
        count(*) filter (where event_name = 'session_start') as funnel_step_1,
        count(*) filter (where event_name = 'view_item') as funnel_step_2,
        count(*) filter (where event_name = 'add_to_cart') as funnel_step_3,
        count(*) filter (where event_name = 'begin_checkout') as funnel_step_4,
        count(*) filter (where event_name = 'purchase') as funnel_step_5
    from numbered_events
    where session_id is not null
    group by session_id
),

revenue as (
    select session_id, sum(order_total) as session_revenue, any_value(currency) as currency, arg_min(transaction_id, event_number) as transaction_id
    from purchases
    group by session_id
),

campaigns as (
    select lower(name) as campaign_name, any_value(id) as campaign_id, count(distinct id) as ids
    from read_json(getvariable('campaigns'), format = 'newline_delimited', columns = {'id': 'varchar', 'name': 'varchar'})
    group by all
)

select
    counted.* exclude (touch),
    cast(timezone(getvariable('timezone'), timezone('UTC', counted.started_at)) as date) as session_date,
    (epoch_us(counted.ended_at) - epoch_us(counted.started_at)) // 1000000 as session_duration_seconds,
    touch.s as traffic_source,
    touch.m as traffic_medium,
    touch.c as traffic_campaign,
    md5(campaigns.campaign_id) as campaign_key,
    case when touch.m = 'paid_social' then 'facebook_ads' end as ad_platform,
    case campaigns.ids when 1 then 'matched' else 'none' end as attribution,
    cast(coalesce(revenue.session_revenue, 0) as decimal(18, 6)) as session_revenue,
    revenue.currency,
    revenue.transaction_id
from counted
left join revenue on revenue.session_id = counted.session_id
left join campaigns on counted.touch.m = 'paid_social' and campaigns.campaign_name = lower(counted.touch.c)
order by session_date, started_at, session_id;

create table fct_events as
select
    md5(events.session_id || '|' || events.event_number) as event_key,
    events.event_name,
    events.occurred_at,
    cast(timezone(getvariable('timezone'), timezone('UTC', events.occurred_at)) as date) as event_date,
    events.user_key,
    events.user_pseudo_id,
    events.user_id,
    events.session_id,
    events.transaction_id as order_id,
    events.order_total,
    events.currency,
    sessions.traffic_source,
    sessions.traffic_medium,
    sessions.traffic_campaign,
    events.geo_country,
    events.device_category
from numbered_events as events
left join fct_sessions as sessions on sessions.session_id = events.session_id
order by event_date, occurred_at, event_key;

create table fct_orders as
with versions as (
    select * replace (timezone('UTC', cast(created_at as timestamptz)) as created_at, timezone('UTC', cast(updated_at as timestamptz)) as updated_at)
    from read_json(getvariable('orders'), format = 'newline_delimited', columns = {
        id: 'bigint', created_at: 'varchar', updated_at: 'varchar', cancelled_at: 'varchar', test: 'boolean', currency: 'varchar',
        financial_status: 'varchar', total_price: 'decimal(18, 6)', email: 'varchar', customer: 'struct(id bigint)',
        refunds: 'struct(transactions struct(kind varchar, status varchar, amount decimal(18, 6))[])[]'
    })
),

current_orders as (
    select * from versions qualify row_number() over (partition by id order by updated_at desc) = 1
)

select
    orders.id as order_id,
    orders.created_at as ordered_at,
    cast(timezone(getvariable('timezone'), timezone('UTC', orders.created_at)) as date) as order_date,
    orders.total_price,
    coalesce(list_sum(list_transform(
        list_filter(flatten(list_transform(orders.refunds, lambda r: r.transactions)), lambda t: t.kind = 'refund' and t.status = 'success'),
        lambda t: t.amount
    )), 0) as refunded_amount,
    orders.currency,
    orders.financial_status,
    orders.cancelled_at is not null as is_cancelled,
    orders.test as is_test,
    orders.cancelled_at is null and not orders.test and orders.financial_status not in ('voided', 'expired') as is_valid,
    md5(lower(orders.email)) as customer_key,
    orders.customer.id as customer_id,
    sessions.user_key,
    sessions.session_id,
    sessions.traffic_source,
    sessions.traffic_medium,
    sessions.traffic_campaign,
    sessions.campaign_key,
    sessions.ad_platform,
    sessions.attribution
from current_orders as orders
left join purchases on purchases.transaction_id = cast(orders.id as varchar)
left join fct_sessions as sessions on sessions.session_id = purchases.session_id
order by order_date, ordered_at, order_id;

create table fct_ad_performance as
select
    date_start as report_date,
    campaign_id,
    adset_id as ad_group_id,
    any_value(adset_name) as ad_group_name,
    ad_id,
    any_value(ad_name) as ad_name,
    sum(spend) as spend,
    account_currency as currency,
    sum(impressions) as impressions,
    sum(clicks) as clicks,
    sum(list_sum(list_transform(list_filter(actions, lambda a: a.action_type = 'purchase'), lambda a: a.value))) as conversions
from read_json(getvariable('insights'), format = 'newline_delimited', columns = {
    date_start: 'date', campaign_id: 'varchar', adset_id: 'varchar', adset_name: 'varchar', ad_id: 'varchar', ad_name: 'varchar',
    spend: 'decimal(18, 6)', account_currency: 'varchar', impressions: 'bigint', clicks: 'bigint',
    actions: 'struct(action_type varchar, value double)[]'
})
group by all
order by report_date, ad_id;
