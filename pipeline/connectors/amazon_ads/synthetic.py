"""The shop as the Amazon Ads API returns it: lists of Sponsored Products entities, and their reports.

Ids are text in the lists and numbers in the reports. An ad is a product: the shop's most popular ones are advertised.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.connectors.amazon_ads.contract import OBJECTS
from pipeline.connectors.amazon_ads.synthetic_brands import brands_report, display_report
from pipeline.synthetic.activity.ad_days import AdDays, read_ad_days
from pipeline.synthetic.activity.ad_entities import (
    ad_group_ids,
    ad_group_numbers,
    ad_groups_of,
    ad_ids,
    ad_numbers,
    ads_of,
    campaign_ids,
    campaign_names,
    campaign_numbers,
    campaign_spend,
    campaigns_changed_at,
    campaigns_of,
    created_at,
    daily_budgets,
    reviewed_at,
)
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import concat_texts, digits, integers, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.arrays.zones import Zone, date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount, advertised_count
from pipeline.synthetic.model.view import Channel, SimulatedExport, View

DEFAULT_BID = 0.75
WINDOW_DAYS = (1, 7, 14, 30)  # attribution windows; purchases follow at once, so all have the same values


def _campaigns(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = campaigns_of(shop, account)
    created, changed = created_at(activity, positions), campaigns_changed_at(shop, positions, activity.span.last)
    budget = {
        "budget": pa.array(_budgets(shop, account, positions, activity.span.last)),
        "budgetType": repeat_text("DAILY", positions),
    }
    return pa.table(
        {
            "campaignId": campaign_ids(account, positions),
            "name": campaign_names(shop, positions, activity.span.last),
            "state": repeat_text("ENABLED", positions),
            "targetingType": repeat_text("AUTO", positions),
            "startDate": date_texts(account.zone.days(created)),
            "budget": struct(budget),
            "extendedData": _extended(created, changed),
        }
    )


def _ad_groups(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = ad_groups_of(shop, account)
    return pa.table(
        {
            "adGroupId": ad_group_ids(account, positions),
            "campaignId": campaign_ids(account, shop.ads.campaign_of_ad_group[positions]),
            "name": pick_texts(shop.ads.ad_groups, positions),
            "state": repeat_text("ENABLED", positions),
            "defaultBid": pa.array(np.full(len(positions), DEFAULT_BID)),
            "extendedData": _extended(created_at(activity, positions), reviewed_at(positions, activity.span.last)),
        }
    )


def _product_ads(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = ads_of(shop, account)
    product = _products(shop, account, positions)
    return pa.table(
        {
            "adId": ad_ids(account, positions),
            "adGroupId": ad_group_ids(account, shop.ads.ad_group_of_ad[positions]),
            "campaignId": campaign_ids(account, shop.ads.campaign_of_ad[positions]),
            "asin": _asins(shop, product),
            "sku": concat_texts("SKU-", digits(product + 1)),
            "state": repeat_text("ENABLED", positions),
            "extendedData": _extended(created_at(activity, positions), reviewed_at(positions, activity.span.last)),
        }
    )


def _campaign_report(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """spCampaigns, one row per campaign and day."""
    contract = OBJECTS["sponsored_products_campaign_report"]
    report = read_ad_days(shop, activity, account, contract).summed(shop.ads.campaign_of_ad)
    return pa.table({**_of_campaign(shop, account, report.ad, report.day), **_numbers(report)})


def _product_report(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """spAdvertisedProduct, one row per product ad and day."""
    report = read_ad_days(shop, activity, account, OBJECTS["sponsored_products_advertised_product_report"])
    ads, product = shop.ads, _products(shop, account, report.ad)
    group = ads.ad_group_of_ad[report.ad]
    return pa.table(
        {
            **_of_campaign(shop, account, ads.campaign_of_ad[report.ad], report.day),
            "adGroupId": integers(ad_group_numbers(account, group)),
            "adGroupName": pick_texts(ads.ad_groups, group),
            "adId": integers(ad_numbers(account, report.ad)),
            "advertisedAsin": _asins(shop, product),
            "advertisedSku": concat_texts("SKU-", digits(product + 1)),
            **_numbers(report),
        }
    )


def _of_campaign(shop: Shop, account: ShopAccount, campaigns: Ints, days: Ints) -> dict[str, Any]:
    return {
        "campaignId": integers(campaign_numbers(account, campaigns)),
        "campaignName": campaign_names(shop, campaigns, days),
        "campaignStatus": repeat_text("ENABLED", campaigns),
        "campaignBudgetAmount": pa.array(_budgets(shop, account, campaigns, days)),
        "campaignBudgetType": repeat_text("DAILY_BUDGET", campaigns),
        "campaignBudgetCurrencyCode": repeat_text(account.currency, campaigns),
    }


def _numbers(report: AdDays) -> dict[str, Any]:
    purchases, sales = integers(report.purchases), pa.array(major_units(report.revenue))
    return {
        "date": date_texts(report.day),
        "impressions": integers(report.impressions),
        "clicks": integers(report.clicks),
        "cost": pa.array(major_units(report.cents)),
        **{f"purchases{days}d": purchases for days in WINDOW_DAYS},
        **{f"sales{days}d": sales for days in WINDOW_DAYS},
    }


def _budgets(shop: Shop, account: ShopAccount, campaigns: Ints, days: Ints | int) -> Any:
    return major_units(daily_budgets(account, campaigns, campaign_spend(shop.ads, campaigns), days))


def _products(shop: Shop, account: ShopAccount, ads: Ints) -> Ints:
    """The product of each ad, by its position among the goods."""
    count = advertised_count(shop.parameters.ads[account.platform], len(shop.goods.titles))
    return shop.ads.number_of_ad[ads] % count


def _asins(shop: Shop, products: Ints) -> Any:
    return concat_texts("B0", letters(shop.seed, "asin", products, 8, b"0123456789BCDFGHJKLMNPQRSTVWXYZ"))


def _extended(created: Ints, changed: Ints) -> Any:
    utc = Zone("UTC")
    times = {"creationDateTime": utc.texts(created), "lastUpdateDateTime": utc.texts(changed)}
    return struct(times | {"servingStatus": repeat_text("CAMPAIGN_STATUS_ENABLED", created)})


VIEW = View(
    exports={
        "sponsored_products_campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "sponsored_products_ad_groups": SimulatedExport("jsonl", _ad_groups),
        "sponsored_products_product_ads": SimulatedExport("jsonl", _product_ads),
        "sponsored_products_campaign_report": SimulatedExport("jsonl", _campaign_report),
        "sponsored_products_advertised_product_report": SimulatedExport("jsonl", _product_report),
        "sponsored_brands_campaign_report": SimulatedExport("jsonl", brands_report),
        "sponsored_display_campaign_report": SimulatedExport("jsonl", display_report),
    },
    channel=Channel("amazon", "cpc", "https://www.amazon.com/", ()),
    digits=15,
)
