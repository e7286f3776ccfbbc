"""The shop as LinkedIn's Marketing API returns it: campaigns, and ad analytics by creative and by campaign.

Amounts are text with many decimals, dates are objects, what a row is about is a URN. Its days are UTC.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.connectors.linkedin_ads.contract import OBJECTS
from pipeline.synthetic.activity.ad_days import AdDays, read_ad_days
from pipeline.synthetic.activity.ad_entities import (
    ad_ids,
    campaign_ids,
    campaign_names,
    campaign_spend,
    campaigns_changed_at,
    campaigns_of,
    created_at,
    daily_budgets,
)
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import joined, lists, same, struct, whole
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import EPOCH
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View

MILLISECOND = 1_000  # microseconds


def _campaigns(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = campaigns_of(shop, outlet)
    budgets = daily_budgets(outlet, places, campaign_spend(shop.ads, places), trade.span.last)
    made = {"time": whole(created_at(trade, places) // MILLISECOND)}
    changed = {"time": whole(campaigns_changed_at(shop, places, trade.span.last) // MILLISECOND)}
    budget = {
        "amount": money(budgets, decimals=outlet.decimals),
        "currencyCode": same(outlet.currency, places),
    }
    return pa.table(
        {
            "id": campaign_ids(outlet, places),
            "account": same(f"urn:li:sponsoredAccount:{outlet.base}", places),
            "name": campaign_names(shop, places, trade.span.last),
            "status": same("ACTIVE", places),
            "type": same("SPONSORED_UPDATES", places),
            "costType": same("CPC", places),
            "objectiveType": same("WEBSITE_CONVERSION", places),
            "dailyBudget": struct(budget),
            "changeAuditStamps": struct({"created": struct(made), "lastModified": struct(changed)}),
        }
    )


def _by_creative(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    report = read_ad_days(shop, trade, outlet, OBJECTS["ad_analytics"])
    return _analytics(report, joined("urn:li:sponsoredCreative:", ad_ids(outlet, report.ad)))


def _by_campaign(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    report = read_ad_days(shop, trade, outlet, OBJECTS["ad_analytics_by_campaign"]).summed(shop.ads.campaign_of_ad)
    return _analytics(report, joined("urn:li:sponsoredCampaign:", campaign_ids(outlet, report.ad)))


def _analytics(report: AdDays, pivots: Any) -> Any:
    day = _dates(report.day)
    return pa.table(
        {
            "pivotValues": lists(np.ones_like(report.day), pivots),
            "dateRange": struct({"start": day, "end": day}),
            "costInLocalCurrency": joined(money(report.cents, decimals=2), "0" * 16),
            "impressions": whole(report.impressions),
            "clicks": whole(report.clicks),
            "externalWebsiteConversions": whole(report.purchases),
            "oneClickLeads": whole(np.zeros_like(report.day)),
        }
    )


def _dates(days: Ints) -> Any:
    """Days as objects of year, month and day."""
    kinds, kind = np.unique(days, return_inverse=True)
    dates = [EPOCH + timedelta(days=day) for day in kinds.tolist()]
    parts = {name: pa.array([getattr(date, name) for date in dates], pa.int64()) for name in ("year", "month", "day")}
    return struct(parts).take(pa.array(kind))


VIEW = View(
    exports={
        "campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "ad_analytics": SimulatedExport("jsonl", _by_creative),
        "ad_analytics_by_campaign": SimulatedExport("jsonl", _by_campaign),
    },
    channel=Channel("linkedin", "paid_social", "https://www.linkedin.com/", ("Single image", "Document")),
    digits=9,
)
