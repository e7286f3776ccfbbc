"""A large star of one tenant, made by SQL in the form that builds give, and published as a build publishes.

Run as `python -P -m bench.big_star --home HOME`: prints what publishing took, as a JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import duckdb

from bench.shop import SLUG, open_shop, write_tenants
from pipeline.publish.run_store import STAR_STORAGE_VERSION
from pipeline.storage.run_id import new_run_id
from warehouse.projects.star_project import star_tables

FIRST_DAY = "2024-11-21"
DAYS = 730
CAMPAIGNS = 1_000
ADS_OF_A_CAMPAIGN = 7
AD_ROWS_IN_1000 = 979  # of every ad on every day: 5.0 million rows
SESSIONS = 5_000_000
ORDERS = 500_000
USERS = 600_000
_MACROS = f"""
create macro drawn(n, what, size) as (hash(n, what) % size)::bigint;
create macro day_of(n, rows) as date '{FIRST_DAY}' + (n * {DAYS} // rows)::integer;
create macro platform_of(campaign) as ['google_ads', 'facebook_ads', 'tiktok_ads', 'linkedin_ads'][1 + campaign % 4];
create macro source_of(draw, campaign) as case
    when draw < 60 then ['google', 'facebook', 'tiktok', 'linkedin'][1 + campaign % 4]
    else ['(direct)', 'google', 'newsletter', 'bing', 'instagram', 'partner'][1 + draw % 6] end;
create macro medium_of(draw) as case
    when draw < 60 then 'cpc' else ['(none)', 'organic', 'email', 'organic', 'social', 'referral'][1 + draw % 6] end;
"""
_WORDS = f"'{SLUG}' as tenant_slug, 'main' as source_account"
_VISIT = """
    source_of(draw, campaign) as traffic_source, medium_of(draw) as traffic_medium,
    case when draw < 60 then 'Campaign ' || campaign end as traffic_campaign,
    case
        when draw < 60 then 'Paid Search'
        else ['Direct', 'Organic Search', 'Email', 'Organic Search', 'Organic Social', 'Referral'][1 + draw % 6]
    end as channel,
    case when draw < 50 then md5('c' || campaign) end as campaign_key,
    case when draw < 60 then 'Campaign ' || campaign end as campaign_name,
    case when draw < 60 then platform_of(campaign) end as ad_platform,
    case when draw < 50 then 'matched' when draw < 60 then 'ambiguous' else 'none' end as attribution,
"""
ROWS = {
    "campaigns": f"""
        select {_WORDS}, md5('c' || range) as campaign_key, platform_of(range) as source_platform,
            (10000 + range)::varchar as campaign_id, 'Campaign ' || range as campaign_name,
            ['ACTIVE', 'PAUSED', 'ENDED'][1 + range % 3] as campaign_status, false as is_inferred
        from range({CAMPAIGNS})""",
    "ad_performance": f"""
        select {_WORDS}, md5(day || '-' || campaign || '-' || ad) as performance_key,
            platform_of(campaign) as source_platform, date '{FIRST_DAY}' + day::integer as report_date,
            (10000 + campaign)::varchar as campaign_id, md5('c' || campaign) as campaign_key,
            (campaign * 10 + ad // 3)::varchar as ad_group_id, 'Group ' || (campaign * 10 + ad // 3) as ad_group_name,
            (campaign * 10 + ad)::varchar as ad_id, 'Ad ' || (campaign * 10 + ad) as ad_name,
            drawn(n, 'spend', 40000) / 100 as spend, 'USD' as currency, 100 + drawn(n, 'seen', 5000) as impressions,
            drawn(n, 'clicks', 100) as clicks, drawn(n, 'bought', 4)::double as conversions,
            30 * drawn(n, 'bought', 4) as conversion_value
        from (
            select day.range as day, campaign.range as campaign, ad.range as ad,
                (day.range * {CAMPAIGNS} + campaign.range) * {ADS_OF_A_CAMPAIGN} + ad.range as n
            from range({DAYS}) as day, range({CAMPAIGNS}) as campaign, range({ADS_OF_A_CAMPAIGN}) as ad
        )
        where drawn(n, 'runs', 1000) < {AD_ROWS_IN_1000}""",
    "users": f"""
        select {_WORDS}, md5('u' || range) as user_key, 'google_analytics' as source_platform,
            'visitor ' || range as user_pseudo_id, drawn(range, 'customer', 10) = 0 as is_customer
        from range({USERS})""",
    "sessions": f"""
        select {_WORDS}, md5('s' || n) as session_id, 'google_analytics' as source_platform,
            md5('u' || drawn(n, 'user', {USERS})) as user_key, day + interval 1 second * drawn(n, 'second', 86000)
            as started_at, started_at + interval 5 minute as ended_at, day as session_date,
            hour(started_at)::integer as hour_of_day,
            drawn(n, 'seconds', 900) as session_duration_seconds, 1 + drawn(n, 'events', 30) as events_in_session,
            {_VISIT}
            ['US', 'CA', 'GB', 'DE', 'FR', 'ES', 'IT', 'MX', 'BR', 'JP', 'IN', 'AU'][1 + drawn(n, 'land', 12)]
            as geo_country, ['mobile', 'desktop', 'tablet'][1 + drawn(n, 'device', 3)] as device_category,
            1 as funnel_step_1, drawn(n, 'viewed', 2) as funnel_step_2, drawn(n, 'carted', 20) // 19 as funnel_step_3,
            drawn(n, 'checkout', 30) // 29 as funnel_step_4, buys::bigint as funnel_step_5,
            buys as is_conversion_session,
            case when buys then 10 + drawn(n, 'revenue', 20000) / 100 else 0 end as session_revenue,
            case when buys then 'USD' end as currency, 0 as left_out_purchases
        from (
            select range as n, day_of(range, {SESSIONS}) as day, drawn(range, 'draw', 100) as draw,
                drawn(range, 'campaign', {CAMPAIGNS}) as campaign, drawn(range, 'buys', 40) = 0 as buys
            from range({SESSIONS})
        )""",
    "orders": f"""
        select {_WORDS}, md5('o' || n) as order_key, 'shopify' as source_platform, n::varchar as order_id,
            day + interval 1 second * drawn(n, 'second', 86000) as ordered_at, day as order_date,
            hour(ordered_at)::integer as hour_of_day,
            ['new', 'returning'][1 + drawn(n, 'first', 3) // 2] as customer_type,
            10 + drawn(n, 'price', 30000) / 100 as total_price, total_price as gross_sales, 0 as discount_amount,
            0 as shipping_amount, 0 as tax_amount, 0 as other_charges, 3 as customer_order_count,
            1 + drawn(n, 'first', 3) as customer_order_number,
            case when drawn(n, 'refunded', 20) = 0 then 10 else 0 end as refunded_amount, 'USD' as currency,
            ['paid', 'paid', 'paid', 'refunded', 'pending'][1 + drawn(n, 'status', 5)] as financial_status,
            false as is_cancelled, false as is_test, drawn(n, 'valid', 50) > 0 as is_valid,
            drawn(n, 'first', 3) = 0 as is_first_order,
            day - (drawn(n, 'first', 3) * (30 + drawn(n, 'since', 60)))::integer as first_order_date,
            md5('p' || drawn(n, 'person', 200000)) as customer_key,
            md5('u' || drawn(n, 'user', {USERS})) as user_key, {_VISIT}
        from (
            select range as n, day_of(range, {ORDERS}) as day, drawn(range, 'source', 100) as draw,
                drawn(range, 'of', {CAMPAIGNS}) as campaign
            from range({ORDERS})
        )""",
    "products": f"""
        select {_WORDS}, md5('product ' || range) as product_key, 'shopify' as source_platform,
            range::varchar as product_id, 'Product ' || range as product_name,
            'Category ' || range % 8 as product_category, false as is_inferred
        from range(200)""",
    "order_items": f"""
        select {_WORDS}, md5('i' || n) as order_item_key, 'shopify' as source_platform, md5('o' || n) as order_key,
            n::varchar as order_id, '1' as order_item_id, day_of(n, {ORDERS}) as order_date,
            md5('product ' || drawn(n, 'product', 200)) as product_key, 1 + drawn(n, 'quantity', 3) as quantity,
            10 + drawn(n, 'price', 30000) / 100 as item_amount, item_amount / 2 as item_cost, 'USD' as currency,
            true as is_valid
        from (select range as n from range({ORDERS}))""",
    "refunds": f"""
        select {_WORDS}, md5('r' || n) as refund_key, 'shopify' as source_platform, md5('o' || n) as order_key,
            n::varchar as order_id, day_of(n, {ORDERS}) as refund_date, 10 as amount, 'USD' as currency,
            true as is_valid
        from (select range as n from range({ORDERS})) where drawn(n, 'refunded', 20) = 0""",
    "events": f"""
        select {_WORDS}, '' as event_key, '' as source_platform, '' as event_name, now()::timestamp as occurred_at,
            today() as event_date
        where false""",
}


def write_star(path: Path, home: Path) -> None:
    """The star file: every table with the columns and types that builds promise."""
    _, tenant = open_shop(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(path, config={"storage_compatibility_version": STAR_STORAGE_VERSION}) as star:
        star.execute("set preserve_insertion_order = false")
        star.execute(_MACROS.replace("create macro", "create temp macro"))
        for table in star_tables(tenant):
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            star.execute(f'create table "{table.table_name(SLUG)}" ({columns})')
            star.execute(f'insert into "{table.table_name(SLUG)}" by name {ROWS[table.name]}')


def make(home: Path) -> dict[str, object]:
    """The published run: how long publishing took, and how many bytes it has."""
    from server.orchestration.publishing import publish_file

    home.mkdir(parents=True, exist_ok=True)
    write_tenants(home, rows=100_000, days=DAYS)
    shop, tenant = open_shop(home)
    began = time.perf_counter()
    write_star(shop.settings.stars(SLUG), home)
    written, cpu = time.perf_counter(), time.process_time()
    published = publish_file(
        tenant, shop.settings, shop.settings.stars(SLUG), new_run_id(shop.settings.now())
    ).published
    rollups = published.manifest.rollups
    return {
        "written_seconds": written - began,
        "publish_seconds": time.perf_counter() - written,
        "publish_cpu_seconds": time.process_time() - cpu,
        "bytes": published.manifest.file.bytes,
        "rollups": [rollup.table.rows for rollup in rollups.rollups] if rollups else [],
        "rows": {table.name: table.rows for table in published.manifest.tables},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    print(json.dumps(make(parser.parse_args().home.resolve())))


if __name__ == "__main__":
    main()
