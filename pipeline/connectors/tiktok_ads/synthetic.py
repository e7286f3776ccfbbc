"""The shop as TikTok's API for Business returns it: campaigns, ad groups and ads, and reports of ads by day and hour.

A report row is {dimensions, metrics}, every metric text. Reports by the hour cover an export's last days only.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.connectors.tiktok_ads.contract import OBJECTS
from pipeline.synthetic.activity.ad_days import AdDays, read_ad_days
from pipeline.synthetic.activity.ad_entities import (
    account_ids,
    ad_group_ids,
    ad_groups_of,
    ad_ids,
    ads_of,
    campaign_ids,
    campaign_names,
    campaign_spend,
    campaigns_changed_at,
    campaigns_of,
    created_at,
    daily_budgets,
    reviewed_at,
)
from pipeline.synthetic.activity.ad_hours import read_ad_hours
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import concat_texts, digits, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import major_units, money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import Zone, date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View


def _campaigns(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = campaigns_of(shop, account)
    changed = campaigns_changed_at(shop, positions, activity.span.last)
    budgets = daily_budgets(account, positions, campaign_spend(shop.ads, positions), activity.span.last)
    return pa.table(
        {
            "advertiser_id": account_ids(account, positions),
            "campaign_id": campaign_ids(account, positions),
            "campaign_name": campaign_names(shop, positions, activity.span.last),
            "objective_type": repeat_text("WEB_CONVERSIONS", positions),
            "budget": pa.array(major_units(budgets)),
            "budget_mode": repeat_text("BUDGET_MODE_DAY", positions),
            **_state("CAMPAIGN_STATUS_ENABLE", created_at(activity, positions), changed),
        }
    )


def _ad_groups(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = ad_groups_of(shop, account)
    changed = reviewed_at(positions, activity.span.last)
    return pa.table(
        {
            "advertiser_id": account_ids(account, positions),
            "campaign_id": campaign_ids(account, shop.ads.campaign_of_ad_group[positions]),
            "adgroup_id": ad_group_ids(account, positions),
            "adgroup_name": pick_texts(shop.ads.ad_groups, positions),
            **_state("ADGROUP_STATUS_DELIVERY_OK", created_at(activity, positions), changed),
        }
    )


def _ads(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = ads_of(shop, account)
    changed = reviewed_at(positions, activity.span.last)
    return pa.table(
        {
            "advertiser_id": account_ids(account, positions),
            "campaign_id": campaign_ids(account, shop.ads.campaign_of_ad[positions]),
            "adgroup_id": ad_group_ids(account, shop.ads.ad_group_of_ad[positions]),
            "ad_id": ad_ids(account, positions),
            "ad_name": pick_texts(shop.ads.ads, positions),
            **_state("AD_STATUS_DELIVERY_OK", created_at(activity, positions), changed),
        }
    )


def _daily(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    report = read_ad_days(shop, activity, account, OBJECTS["ads_reports_daily"])
    time = {"stat_time_day": concat_texts(date_texts(report.day), " 00:00:00")}
    return _rows(shop, account, report, time)


def _hourly(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    report, hour = read_ad_hours(shop, activity, account, OBJECTS["ads_reports_daily"])
    clock = concat_texts(" ", pc.utf8_lpad(digits(hour), 2, "0"), ":00:00")
    return _rows(shop, account, report, {"stat_time_hour": concat_texts(date_texts(report.day), clock)})


def _rows(shop: Shop, account: ShopAccount, report: AdDays, time: dict[str, Any]) -> Any:
    """Rows of a report of ads."""
    ads, ad = shop.ads, report.ad
    campaign, group = ads.campaign_of_ad[ad], ads.ad_group_of_ad[ad]
    metrics = {
        "campaign_id": campaign_ids(account, campaign),
        "campaign_name": campaign_names(shop, campaign, report.day),
        "adgroup_id": ad_group_ids(account, group),
        "adgroup_name": pick_texts(ads.ad_groups, group),
        "ad_name": pick_texts(ads.ads, ad),
        "currency": repeat_text(account.currency, ad),
        "spend": money(report.cents, decimals=account.decimals),
        "impressions": digits(report.impressions),
        "clicks": digits(report.clicks),
        "conversion": digits(report.purchases),
        "total_purchase_value": money(report.revenue, decimals=account.decimals),
    }
    dimensions = {"ad_id": ad_ids(account, ad), **time}
    return pa.table({"dimensions": struct(dimensions), "metrics": struct(metrics)})


def _state(status: str, created: Ints, changed: Ints) -> dict[str, Any]:
    utc = Zone("UTC")
    return {
        "operation_status": repeat_text("ENABLE", created),
        "secondary_status": repeat_text(status, created),
        "create_time": utc.clocks(created, between=" "),
        "modify_time": utc.clocks(changed, between=" "),
    }


VIEW = View(
    exports={
        "campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "ad_groups": SimulatedExport("jsonl", _ad_groups),
        "ads": SimulatedExport("jsonl", _ads),
        "ads_reports_daily": SimulatedExport("jsonl", _daily),
        "ads_reports_hourly": SimulatedExport("jsonl", _hourly),
    },
    channel=Channel("tiktok", "paid_social", "https://www.tiktok.com/", ("Spark", "In-feed")),
    digits=19,
)
