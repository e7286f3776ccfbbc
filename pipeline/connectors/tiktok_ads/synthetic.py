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
from pipeline.synthetic.arrays.columns import chosen, digits, joined, same, struct
from pipeline.synthetic.arrays.money import major_units, money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import Zone, date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View


def _campaigns(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = campaigns_of(shop, outlet)
    changed = campaigns_changed_at(shop, places, trade.span.last)
    budgets = daily_budgets(outlet, places, campaign_spend(shop.ads, places), trade.span.last)
    return pa.table(
        {
            "advertiser_id": account_ids(outlet, places),
            "campaign_id": campaign_ids(outlet, places),
            "campaign_name": campaign_names(shop, places, trade.span.last),
            "objective_type": same("WEB_CONVERSIONS", places),
            "budget": pa.array(major_units(budgets)),
            "budget_mode": same("BUDGET_MODE_DAY", places),
            **_state("CAMPAIGN_STATUS_ENABLE", created_at(trade, places), changed),
        }
    )


def _ad_groups(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = ad_groups_of(shop, outlet)
    return pa.table(
        {
            "advertiser_id": account_ids(outlet, places),
            "campaign_id": campaign_ids(outlet, shop.ads.campaign_of_ad_group[places]),
            "adgroup_id": ad_group_ids(outlet, places),
            "adgroup_name": chosen(shop.ads.ad_groups, places),
            **_state("ADGROUP_STATUS_DELIVERY_OK", created_at(trade, places), reviewed_at(places, trade.span.last)),
        }
    )


def _ads(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = ads_of(shop, outlet)
    return pa.table(
        {
            "advertiser_id": account_ids(outlet, places),
            "campaign_id": campaign_ids(outlet, shop.ads.campaign_of_ad[places]),
            "adgroup_id": ad_group_ids(outlet, shop.ads.ad_group_of_ad[places]),
            "ad_id": ad_ids(outlet, places),
            "ad_name": chosen(shop.ads.ads, places),
            **_state("AD_STATUS_DELIVERY_OK", created_at(trade, places), reviewed_at(places, trade.span.last)),
        }
    )


def _daily(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    report = read_ad_days(shop, trade, outlet, OBJECTS["ads_reports_daily"])
    time = {"stat_time_day": joined(date_texts(report.day), " 00:00:00")}
    return _rows(shop, outlet, report, time)


def _hourly(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    report, hour = read_ad_hours(shop, trade, outlet, OBJECTS["ads_reports_daily"])
    clock = joined(" ", pc.utf8_lpad(digits(hour), 2, "0"), ":00:00")
    return _rows(shop, outlet, report, {"stat_time_hour": joined(date_texts(report.day), clock)})


def _rows(shop: Shop, outlet: ShopAccount, report: AdDays, time: dict[str, Any]) -> Any:
    """Rows of a report of ads."""
    ads, ad = shop.ads, report.ad
    campaign, group = ads.campaign_of_ad[ad], ads.ad_group_of_ad[ad]
    metrics = {
        "campaign_id": campaign_ids(outlet, campaign),
        "campaign_name": campaign_names(shop, campaign, report.day),
        "adgroup_id": ad_group_ids(outlet, group),
        "adgroup_name": chosen(ads.ad_groups, group),
        "ad_name": chosen(ads.ads, ad),
        "currency": same(outlet.currency, ad),
        "spend": money(report.cents, decimals=outlet.decimals),
        "impressions": digits(report.impressions),
        "clicks": digits(report.clicks),
        "conversion": digits(report.purchases),
    }
    dimensions = {"ad_id": ad_ids(outlet, ad), **time}
    return pa.table({"dimensions": struct(dimensions), "metrics": struct(metrics)})


def _state(status: str, made: Ints, changed: Ints) -> dict[str, Any]:
    utc = Zone("UTC")
    return {
        "operation_status": same("ENABLE", made),
        "secondary_status": same(status, made),
        "create_time": utc.clocks(made, between=" "),
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
