"""Numbers of the real files by SQL written by hand from the vendors' meaning: none of our own code has a part in it.

`{name}` is a CSV of the connector's folder, every column as text; `{text:name}` a JSON file, one `row` for each object.
Amounts come in major units, days in the zone that the fact's day has.
"""

from __future__ import annotations

ADS: dict[str, str] = {
    # cost_micros are millionths of the customer's currency. The list of ad groups would name the campaign of a row.
    "google_ads": """
        with reports as (
            select 'customer' as account, date, null as campaign, cost_micros, impressions, clicks, conversions
            from {fivetran/account_stats_data}
            union all
            select 'campaign', date, id, cost_micros, impressions, clicks, conversions
            from {fivetran/campaign_stats_data}
            union all
            select 'ad_group', date, campaign_id, cost_micros, impressions, clicks, conversions
            from {fivetran/ad_group_stats_data}
            union all
            select 'ad', date, campaign_id, cost_micros, impressions, clicks, null from {fivetran/ad_stats_data}
            union all
            select 'keyword', date, campaign_id, cost_micros, impressions, clicks, conversions
            from {fivetran/keyword_stats_data}
        )
        select
            account, date::date, campaign, sum(cost_micros::decimal(18, 0) * 0.000001), sum(impressions::bigint),
            sum(clicks::bigint), sum(conversions::decimal(18, 9))
        from reports group by all
    """,
    # Of one day the finest report counts, campaign by campaign; spend is in major units, conversions have fractions.
    "bing_ads": """
        with reports as (
            select 3 as level, * from {fivetran/microsoft_ads_ad_performance_daily_report_data}
            union all by name
            select 2 as level, * from {fivetran/microsoft_ads_ad_group_performance_daily_report_data}
            union all by name
            select 1 as level, * from {fivetran/microsoft_ads_campaign_performance_daily_report_data}
            union all by name
            select 0 as level, * from {fivetran/microsoft_ads_account_performance_daily_report_data}
        ),
        counted as (
            select 'levels' as account, * from reports as total
            where not exists (
                select 1 from reports as part
                where
                    part.level > total.level and part.date = total.date
                    and (total.level = 0 or part.campaign_id = total.campaign_id)
                    and (total.level < 2 or part.ad_group_id = total.ad_group_id)
            )
            union all by name
            select 'keyword' as account, * from {fivetran/microsoft_ads_keyword_performance_daily_report_data}
        )
        select
            account, date::date, campaign_id, sum(spend::decimal(18, 6)), sum(impressions::bigint),
            sum(clicks::bigint), sum(coalesce(conversions_qualified, conversions)::decimal(18, 9))
        from counted group by all
    """,
    # A creative's row does not name its campaign; an empty cell is a metric without activity.
    "linkedin_ads": """
        with reports as (
            select 'campaign' as account, campaign_id as campaign, *
            from {fivetran/linkedin_ad_analytics_by_campaign_data}
            union all by name
            select 'creative' as account, null as campaign, * from {fivetran/linkedin_ad_analytics_by_creative_data}
        )
        select
            account, day::date, campaign, sum(coalesce(cost_in_local_currency::decimal(18, 6), 0)),
            sum(coalesce(impressions::bigint, 0)), sum(coalesce(clicks::bigint, 0)),
            sum(external_website_conversions::decimal(18, 9) + coalesce(one_click_leads::decimal(18, 9), 0))
        from reports group by all
    """,
    # The three reports have no day in common; an ad group's row names its campaign by the list of ad groups.
    "amazon_ads": """
        with reports as (
            select date, campaign_id, cost, impressions, clicks, purchases_30_d
            from {fivetran/campaign_level_report_data}
            union all by name
            select date, campaign_id, cost, impressions, clicks from {fivetran/advertised_product_report_data}
            union all by name
            select reports.date, ad_groups.campaign_id, reports.cost, reports.impressions, reports.clicks
            from {fivetran/ad_group_level_report_data} as reports
            join {fivetran/ad_group_history_data} as ad_groups on ad_groups.id = reports.ad_group_id
        )
        select
            'loaded', date::date, campaign_id, sum(cost::decimal(18, 6)), sum(coalesce(impressions::bigint, 0)),
            sum(coalesce(clicks::bigint, 0)), sum(purchases_30_d::double)
        from reports group by all
    """,
    # An hour is the advertiser's own and has no leading zero; what an ad belongs to is in the list of ads.
    "tiktok_ads": """
        with reports as (
            select 'ad' as account, ads.campaign_id as campaign, reports.*
            from {fivetran/tiktok_ad_report_hourly_data} as reports
            join {fivetran/tiktok_ad_history_data} as ads using (ad_id)
            union all by name
            select 'ad_group' as account, ad_groups.campaign_id as campaign, reports.*
            from {fivetran/tiktok_adgroup_report_hourly_data} as reports
            join {fivetran/tiktok_adgroup_history_data} as ad_groups using (adgroup_id)
            union all by name
            select 'campaign' as account, campaign_id as campaign, * from {fivetran/tiktok_campaign_report_hourly_data}
            union all by name
            select 'country' as account, campaign_id as campaign, * from {fivetran/tiktok_campaign_country_report_data}
        )
        select
            account, split_part(coalesce(stat_time_hour, stat_time_day), ' ', 1)::date, campaign,
            sum(spend::decimal(18, 6)), sum(impressions::bigint), sum(clicks::bigint), sum(conversion::double)
        from reports group by all
    """,
    # The loader has the actions apart, so that nothing is known of them, and of clicks those on links. The recording
    # asked for actions alone; one row of it is a job's status.
    "facebook_ads": """
        with campaigns as (
            select id, arg_max(campaign_id, updated_time) as campaign
            from {fivetran/facebook_ads_ad_history_data} group by id
        ),
        reports as (
            select
                'ad' as account, date, campaign, spend, impressions, inline_link_clicks as clicks, null as conversions
            from {fivetran/facebook_ads_basic_ad_data} as reports
            join campaigns on campaigns.id = reports.ad_id
            union all by name
            select 'country' as account, date, spend, impressions, inline_link_clicks as clicks, null as conversions
            from {fivetran/facebook_ads_demographics_country_data}
            union all by name
            select 'region' as account, date, spend, impressions, inline_link_clicks as clicks, null as conversions
            from {fivetran/facebook_ads_demographics_region_data}
            union all by name
            select
                'recorded' as account, row ->> '$.date_start' as date, row ->> '$.campaign_id' as campaign,
                null as spend, null as impressions, null as clicks, coalesce(list_sum(list_transform(
                    list_filter(
                        from_json(row -> '$.actions', '["JSON"]'), lambda each: each ->> '$.action_type' = 'link_click'
                    ),
                    lambda each: (each ->> '$.value')::bigint
                )), 0) as conversions
            from {text:graph_api/asyncinisghtscampaigns_rows.jsonl}
        )
        select
            account, date::date, campaign, sum(spend::decimal(18, 6)), sum(impressions::bigint), sum(clicks::bigint),
            sum(conversions::decimal(18, 9))
        from reports group by all
    """,
}
"""Account, day, campaign; spend, impressions, clicks, conversions."""

CAMPAIGNS: dict[str, str] = {
    "google_ads": """
        select 'campaign', id, arg_max(name, updated_at), arg_max(status, updated_at)
        from {fivetran/campaign_history_data} group by id
    """,
    "bing_ads": """
        select 'levels', id, arg_max(name, modified_time), arg_max(status, modified_time)
        from {fivetran/microsoft_ads_campaign_history_data} group by id
    """,
    "linkedin_ads": """
        select 'campaign', id, arg_max(name, last_modified_time::timestamp), null
        from {fivetran/linkedin_campaign_history_data} group by id
    """,
    "amazon_ads": """
        select
            'loaded', id, arg_max(name, last_updated_date::timestamp),
            upper(arg_max(state, last_updated_date::timestamp))
        from {fivetran/campaign_history_data} group by id
        union all
        select 'api', each ->> '$.campaignId', each ->> '$.name', upper(each ->> '$.state') from (
            select unnest(from_json(row -> '$.campaigns', '["JSON"]')) as each
            from {text:api/first_call_list_sb_campaigns_success.json}
            union all
            select unnest(from_json(row -> '$.campaigns', '["JSON"]'))
            from {text:api/first_call_list_sp_campaigns_success.json}
            union all
            select row from {text:api/first_call_list_sd_campaigns_multiple_campaigns.json}
        )
    """,
    "tiktok_ads": """
        select 'campaign', campaign_id, campaign_name, operation_status from {fivetran/tiktok_campaign_history_data}
    """,
    "facebook_ads": """
        select 'ad', id, arg_max(name, updated_time), null
        from {fivetran/facebook_ads_campaign_history_data} group by id
        union all
        select 'recorded', each ->> '$.id', each ->> '$.name', null
        from (select unnest(from_json(row -> '$.body.data', '["JSON"]')) as each
            from {text:graph_api/ads_pages.jsonl} where contains(row ->> '$.request', '/campaigns?'))
    """,
}
"""Account, id; the name and the status of the latest version."""

ORDERS: dict[str, str] = {
    # The loader's times are UTC. The two fixtures are one order of one moment: the file that comes later holds; it was
    # refunded in part, and does not list its refunds: how much was paid back is unknown.
    "shopify": """
        select 'loaded', created_at::timestamp::date, currency, count(*), sum(total_price::decimal(18, 6)), 0
        from {fivetran/shopify_order_data} group by all
        union all
        select
            'rest', timezone('UTC', (row ->> '$.orders[0].created_at')::timestamptz)::date,
            row ->> '$.orders[0].currency', 1, (row ->> '$.orders[0].total_price')::decimal(18, 6),
            case
                when
                    row ->> '$.orders[0].financial_status' = 'partially_refunded'
                    and (row ->> '$.orders[0].refunds') is null
                    then null
                else 0
            end
        from {text:rest/orders.json}
    """,
    # V2 writes times as RFC 2822 and money as text; the shopper pays in the default currency.
    "bigcommerce": """
        select
            'main',
            timezone('Europe/London', strptime(row ->> '$.date_created', '%a, %d %b %Y %H:%M:%S %z'))::date,
            row ->> '$.default_currency_code', 1, (row ->> '$.total_inc_tax')::decimal(18, 6),
            (row ->> '$.refunded_amount')::decimal(18, 6)
        from {text:api/order.json}
    """,
    # Times are UTC without saying so; refunds are negative; of one order the response that was changed last holds.
    "woocommerce": """
        with responses as (
            select 'derived' as account, row from {text:derived_orders/orders_2011-03.jsonl.gz}
            union all select 'documented', row from {text:wp-api-v3/orders_http_request.json}
            union all select 'documented', row from {text:wp-api-v3/orders_http_request_3.json}
            union all select 'documented', row from {text:wp-api-v3/orders_http_request_4.json}
        ),
        orders as (
            select account, arg_max(row, row ->> '$.date_modified_gmt') as row
            from responses group by account, row ->> '$.id'
        )
        select
            account, timezone('Europe/London', timezone('UTC', (row ->> '$.date_created_gmt')::timestamp))::date,
            row ->> '$.currency', count(*), sum((row ->> '$.total')::decimal(18, 6)),
            sum(coalesce(-list_sum(list_transform(
                from_json(row -> '$.refunds', '["JSON"]'), lambda refund: (refund ->> '$.total')::decimal(18, 6)
            )), 0))
        from orders group by all
    """,
}
"""Account, day of the tenant, currency; orders, revenue, refunds."""

EVENTS: dict[str, str] = {
    "amplitude": """
        select event_time::timestamp as moment, 'UTC' as zone, amplitude_id as who, event_type as name,
            (event_properties::json ->> '$."$revenue"')::decimal(18, 6) as revenue
        from {fivetran/amplitude_event_data}
    """,
    "mixpanel": """
        select time::timestamp as moment, 'Europe/London' as zone, distinct_id as who, name,
            (properties::json ->> '$.revenue')::decimal(18, 6) as revenue
        from {fivetran/event}
    """,
}
"""Every event: moment (UTC), the tenant's zone, user, name, revenue."""

VISITS = """
    with events as ({events}),
    numbered as (
        select *, moment - lag(moment) over (partition by who order by moment) as gap from events
    )
    select timezone(zone, timezone('UTC', moment))::date, count(*)
    from numbered where gap is null or gap > interval 30 minutes group by all
"""
"""Day of the tenant; visits: a gap of more than 30 minutes begins a new one."""

CHARGES: dict[str, str] = {
    # Cents, for every charge is in dollars. The loader does not say what was captured of an amount: all or nothing.
    "stripe": """
        select
            'loaded', created::timestamp::date, upper(currency), count(*), sum(
                case when captured::boolean and status = 'succeeded' then amount::decimal(18, 0) else 0 end * 0.01
            ), sum(amount_refunded::decimal(18, 0) * 0.01)
        from {fivetran/charge_data} group by all
        union all
        select
            'api', make_timestamp((row ->> '$.created')::bigint * 1000000)::date, upper(row ->> '$.currency'), 1,
            (row ->> '$.amount_captured')::decimal(18, 0) * 0.01, (row ->> '$.amount_refunded')::decimal(18, 0) * 0.01
        from {text:api/charge.json}
    """,
}
"""Account, UTC day, currency; charges, captured, refunded."""
