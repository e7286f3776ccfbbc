"""The shop as Google Ads' searchStream returns it: rows of resources and metrics, each an object of its own."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.connectors.google_ads.contract import OBJECTS
from pipeline.synthetic.activity.ad_days import read_ad_days
from pipeline.synthetic.activity.ad_entities import (
    account_ids,
    ad_group_ids,
    ad_groups_of,
    ad_ids,
    ads_of,
    campaign_ids,
    campaign_names,
    campaigns_of,
)
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import chosen, digits, joined, lists, same, struct
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import date_texts
from pipeline.synthetic.model.funnel import PURCHASE
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View

MICROS_PER_CENT = 10_000


def _customers(shop: Shop, _: Activity, outlet: ShopAccount) -> Any:
    one = np.zeros(1, dtype=np.int64)
    named = {
        "descriptiveName": chosen([f"{shop.host} {outlet.name}"], one),
        "currencyCode": chosen([outlet.currency], one),
        "timeZone": chosen([outlet.zone.name], one),
        "manager": pa.array([False]),
    }
    return pa.table({"customer": struct(_customer(outlet, one) | named)})


def _campaigns(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = campaigns_of(shop, outlet)
    campaign = {
        "name": campaign_names(shop, places, trade.span.last),
        "status": same("ENABLED", places),
        "advertisingChannelType": same("SEARCH", places),
    }
    return pa.table(
        {
            "customer": struct(_customer(outlet, places)),
            "campaign": struct(_campaign(outlet, places) | campaign),
        }
    )


def _ad_groups(shop: Shop, _: Activity, outlet: ShopAccount) -> Any:
    places = ad_groups_of(shop, outlet)
    campaign = _campaign(outlet, shop.ads.campaign_of_ad_group[places])
    ad_group = {
        "campaign": campaign["resourceName"],
        "name": chosen(shop.ads.ad_groups, places),
        "status": same("ENABLED", places),
        "type": same("SEARCH_STANDARD", places),
    }
    return pa.table(
        {
            "customer": struct(_customer(outlet, places)),
            "campaign": struct(campaign),
            "adGroup": struct(_ad_group(outlet, places) | ad_group),
        }
    )


def _ads(shop: Shop, _: Activity, outlet: ShopAccount) -> Any:
    places = ads_of(shop, outlet)
    named = {
        "name": chosen(shop.ads.ads, places),
        "type": same("RESPONSIVE_SEARCH_AD", places),
        "finalUrls": lists(np.ones_like(places), same(f"https://{shop.host}/", places)),
    }
    return pa.table(
        {
            "customer": struct(_customer(outlet, places)),
            "campaign": struct(_campaign(outlet, shop.ads.campaign_of_ad[places])),
            "adGroup": struct(_ad_group(outlet, shop.ads.ad_group_of_ad[places])),
            "adGroupAd": _ad_group_ad(shop, outlet, places, {"status": same("ENABLED", places)}, named),
        }
    )


def _performance(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """One row per ad and day. A conversion is shared out among clicks, some of them not told yet: it has fractions."""
    report = read_ad_days(shop, trade, outlet, OBJECTS["ad_performance"])
    ads, ad = shop.ads, report.ad
    metrics = {
        "costMicros": digits(report.cents * MICROS_PER_CENT),
        "impressions": digits(report.impressions),
        "clicks": digits(report.clicks),
        "conversions": pa.array(np.round(report.counts[:, PURCHASE] * report.told, 6)),
        "conversionsValue": pa.array(major_units(report.revenue)),
    }
    campaign = ads.campaign_of_ad[ad]
    return pa.table(
        {
            "customer": struct(_customer(outlet, ad)),
            "campaign": struct(_campaign(outlet, campaign) | {"name": campaign_names(shop, campaign, report.day)}),
            "adGroup": struct(_ad_group(outlet, ads.ad_group_of_ad[ad])),
            "adGroupAd": _ad_group_ad(shop, outlet, ad, {}, {}),
            "segments": struct({"date": date_texts(report.day)}),
            "metrics": struct(metrics),
        }
    )


def _customer(outlet: ShopAccount, places: Ints) -> dict[str, Any]:
    ids = account_ids(outlet, places)
    return {"resourceName": joined("customers/", ids), "id": ids}


def _campaign(outlet: ShopAccount, places: Ints) -> dict[str, Any]:
    ids = campaign_ids(outlet, places)
    return {"resourceName": joined(f"customers/{outlet.base}/campaigns/", ids), "id": ids}


def _ad_group(outlet: ShopAccount, places: Ints) -> dict[str, Any]:
    ids = ad_group_ids(outlet, places)
    return {"resourceName": joined(f"customers/{outlet.base}/adGroups/", ids), "id": ids}


def _ad_group_ad(shop: Shop, outlet: ShopAccount, places: Ints, link: dict[str, Any], ad: dict[str, Any]) -> Any:
    """An ad in its ad group; `link` and `ad` say more about the two."""
    ids, group = ad_ids(outlet, places), _ad_group(outlet, shop.ads.ad_group_of_ad[places])
    names = {
        "resourceName": joined(f"customers/{outlet.base}/adGroupAds/", group["id"], "~", ids),
        "adGroup": group["resourceName"],
    }
    itself = {"resourceName": joined(f"customers/{outlet.base}/ads/", ids), "id": ids}
    return struct(names | link | {"ad": struct(itself | ad)})


VIEW = View(
    exports={
        "ads": SimulatedExport("jsonl", _ads),
        "ad_groups": SimulatedExport("jsonl", _ad_groups),
        "ad_performance": SimulatedExport("jsonl", _performance),
        "campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "customers": SimulatedExport("jsonl", _customers),
    },
    channel=Channel("google", "cpc", "https://www.google.com/", ("Headline A", "Headline B")),
    digits=10,
)
