"""The shop as the Amazon Ads API returns it: lists of Sponsored Products entities, and the reports made beside them.

Ids are text in the lists and numbers in the reports. An ad is a product: the shop's most popular ones are advertised.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.connectors.amazon_ads.contract import OBJECTS
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
from pipeline.synthetic.arrays.columns import chosen, digits, joined, same, struct, whole
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.arrays.zones import Zone, date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount, advertised
from pipeline.synthetic.model.view import Channel, SimulatedExport, View

DEFAULT_BID = 0.75
LATER_DAYS = (1, 7, 14, 30)  # attribution windows; the shop's buyers buy at once, so all say the same


def _campaigns(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = campaigns_of(shop, outlet)
    budget = {
        "budget": pa.array(_budgets(shop, outlet, places, trade.span.last)),
        "budgetType": same("DAILY", places),
    }
    return pa.table(
        {
            "campaignId": campaign_ids(outlet, places),
            "name": campaign_names(shop, places, trade.span.last),
            "state": same("ENABLED", places),
            "targetingType": same("AUTO", places),
            "startDate": date_texts(outlet.zone.days(created_at(trade, places))),
            "budget": struct(budget),
            "extendedData": _extended(created_at(trade, places), campaigns_changed_at(shop, places, trade.span.last)),
        }
    )


def _ad_groups(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = ad_groups_of(shop, outlet)
    return pa.table(
        {
            "adGroupId": ad_group_ids(outlet, places),
            "campaignId": campaign_ids(outlet, shop.ads.campaign_of_ad_group[places]),
            "name": chosen(shop.ads.ad_groups, places),
            "state": same("ENABLED", places),
            "defaultBid": pa.array(np.full(len(places), DEFAULT_BID)),
            "extendedData": _extended(created_at(trade, places), reviewed_at(places, trade.span.last)),
        }
    )


def _product_ads(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = ads_of(shop, outlet)
    product = _products(shop, outlet, places)
    return pa.table(
        {
            "adId": ad_ids(outlet, places),
            "adGroupId": ad_group_ids(outlet, shop.ads.ad_group_of_ad[places]),
            "campaignId": campaign_ids(outlet, shop.ads.campaign_of_ad[places]),
            "asin": _asins(shop, product),
            "sku": joined("SKU-", digits(product + 1)),
            "state": same("ENABLED", places),
            "extendedData": _extended(created_at(trade, places), reviewed_at(places, trade.span.last)),
        }
    )


def _campaign_report(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """spCampaigns, one row per campaign and day."""
    contract = OBJECTS["sponsored_products_campaign_report"]
    report = read_ad_days(shop, trade, outlet, contract).summed(shop.ads.campaign_of_ad)
    return pa.table({**_of_campaign(shop, outlet, report.ad, report.day), **_numbers(report)})


def _product_report(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """spAdvertisedProduct, one row per product ad and day."""
    report = read_ad_days(shop, trade, outlet, OBJECTS["sponsored_products_advertised_product_report"])
    ads, product = shop.ads, _products(shop, outlet, report.ad)
    group = ads.ad_group_of_ad[report.ad]
    return pa.table(
        {
            **_of_campaign(shop, outlet, ads.campaign_of_ad[report.ad], report.day),
            "adGroupId": whole(ad_group_numbers(outlet, group)),
            "adGroupName": chosen(ads.ad_groups, group),
            "adId": whole(ad_numbers(outlet, report.ad)),
            "advertisedAsin": _asins(shop, product),
            "advertisedSku": joined("SKU-", digits(product + 1)),
            **_numbers(report),
        }
    )


def _of_campaign(shop: Shop, outlet: ShopAccount, campaigns: Ints, days: Ints) -> dict[str, Any]:
    return {
        "campaignId": whole(campaign_numbers(outlet, campaigns)),
        "campaignName": campaign_names(shop, campaigns, days),
        "campaignStatus": same("ENABLED", campaigns),
        "campaignBudgetAmount": pa.array(_budgets(shop, outlet, campaigns, days)),
        "campaignBudgetType": same("DAILY_BUDGET", campaigns),
        "campaignBudgetCurrencyCode": same(outlet.currency, campaigns),
    }


def _numbers(report: AdDays) -> dict[str, Any]:
    purchases, sales = whole(report.purchases), pa.array(major_units(report.revenue))
    return {
        "date": date_texts(report.day),
        "impressions": whole(report.impressions),
        "clicks": whole(report.clicks),
        "cost": pa.array(major_units(report.cents)),
        **{f"purchases{days}d": purchases for days in LATER_DAYS},
        **{f"sales{days}d": sales for days in LATER_DAYS},
    }


def _budgets(shop: Shop, outlet: ShopAccount, campaigns: Ints, days: Ints | int) -> Any:
    return major_units(daily_budgets(outlet, campaigns, campaign_spend(shop.ads, campaigns), days))


def _products(shop: Shop, outlet: ShopAccount, ads: Ints) -> Ints:
    """The product that each ad shows, by its position among the goods."""
    count = advertised(shop.levers.ads[outlet.platform], len(shop.goods.titles))
    return shop.ads.number_of_ad[ads] % count


def _asins(shop: Shop, products: Ints) -> Any:
    return joined("B0", letters(shop.seed, "asin", products, 8, b"0123456789BCDFGHJKLMNPQRSTVWXYZ"))


def _extended(made: Ints, changed: Ints) -> Any:
    utc = Zone("UTC")
    times = {"creationDateTime": utc.texts(made), "lastUpdateDateTime": utc.texts(changed)}
    return struct(times | {"servingStatus": same("CAMPAIGN_STATUS_ENABLED", made)})


VIEW = View(
    exports={
        "sponsored_products_campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "sponsored_products_ad_groups": SimulatedExport("jsonl", _ad_groups),
        "sponsored_products_product_ads": SimulatedExport("jsonl", _product_ads),
        "sponsored_products_campaign_report": SimulatedExport("jsonl", _campaign_report),
        "sponsored_products_advertised_product_report": SimulatedExport("jsonl", _product_report),
    },
    channel=Channel("amazon", "cpc", "https://www.amazon.com/", ()),
    digits=15,
)
