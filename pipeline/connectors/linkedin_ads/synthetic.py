"""The shop as LinkedIn's Marketing API returns it: campaigns, and ad analytics by creative and by campaign.

Amounts are text with many decimals, dates are objects, the subject of a row is a URN. Days are UTC.
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
from pipeline.synthetic.arrays.columns import concat_texts, integers, lists, repeat_text, struct
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import EPOCH
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View

MILLISECOND = 1_000  # microseconds


def _campaigns(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = campaigns_of(shop, account)
    budgets = daily_budgets(account, positions, campaign_spend(shop.ads, positions), activity.span.last)
    created = {"time": integers(created_at(activity, positions) // MILLISECOND)}
    changed = {"time": integers(campaigns_changed_at(shop, positions, activity.span.last) // MILLISECOND)}
    budget = {
        "amount": money(budgets, decimals=account.decimals),
        "currencyCode": repeat_text(account.currency, positions),
    }
    return pa.table(
        {
            "id": campaign_ids(account, positions),
            "account": repeat_text(f"urn:li:sponsoredAccount:{account.base}", positions),
            "name": campaign_names(shop, positions, activity.span.last),
            "status": repeat_text("ACTIVE", positions),
            "type": repeat_text("SPONSORED_UPDATES", positions),
            "costType": repeat_text("CPC", positions),
            "objectiveType": repeat_text("WEBSITE_CONVERSION", positions),
            "dailyBudget": struct(budget),
            "changeAuditStamps": struct({"created": struct(created), "lastModified": struct(changed)}),
        }
    )


def _by_creative(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    report = read_ad_days(shop, activity, account, OBJECTS["ad_analytics"])
    return _analytics(report, concat_texts("urn:li:sponsoredCreative:", ad_ids(account, report.ad)))


def _by_campaign(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    report = read_ad_days(shop, activity, account, OBJECTS["ad_analytics_by_campaign"]).summed(shop.ads.campaign_of_ad)
    return _analytics(report, concat_texts("urn:li:sponsoredCampaign:", campaign_ids(account, report.ad)))


def _analytics(report: AdDays, pivots: Any) -> Any:
    day = _dates(report.day)
    return pa.table(
        {
            "pivotValues": lists(np.ones_like(report.day), pivots),
            "dateRange": struct({"start": day, "end": day}),
            "costInLocalCurrency": concat_texts(money(report.cents, decimals=2), "0" * 16),
            "impressions": integers(report.impressions),
            "clicks": integers(report.clicks),
            "externalWebsiteConversions": integers(report.purchases),
            "oneClickLeads": integers(np.zeros_like(report.day)),
            "conversionValueInLocalCurrency": money(report.revenue, decimals=2),
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
