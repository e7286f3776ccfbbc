"""The shop as Google Ads' searchStream returns it: rows with one object per resource, and one for metrics."""

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
from pipeline.synthetic.arrays.columns import concat_texts, digits, lists, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import date_texts
from pipeline.synthetic.model.funnel import PURCHASE
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View

MICROS_PER_CENT = 10_000


def _customers(shop: Shop, _: Activity, account: ShopAccount) -> Any:
    one = np.zeros(1, dtype=np.int64)
    named = {
        "descriptiveName": pick_texts([f"{shop.host} {account.name}"], one),
        "currencyCode": pick_texts([account.currency], one),
        "timeZone": pick_texts([account.zone.name], one),
        "manager": pa.array([False]),
    }
    return pa.table({"customer": struct(_customer(account, one) | named)})


def _campaigns(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = campaigns_of(shop, account)
    campaign = {
        "name": campaign_names(shop, positions, activity.span.last),
        "status": repeat_text("ENABLED", positions),
        "advertisingChannelType": repeat_text("SEARCH", positions),
    }
    return pa.table(
        {
            "customer": struct(_customer(account, positions)),
            "campaign": struct(_campaign(account, positions) | campaign),
        }
    )


def _ad_groups(shop: Shop, _: Activity, account: ShopAccount) -> Any:
    positions = ad_groups_of(shop, account)
    campaign = _campaign(account, shop.ads.campaign_of_ad_group[positions])
    ad_group = {
        "campaign": campaign["resourceName"],
        "name": pick_texts(shop.ads.ad_groups, positions),
        "status": repeat_text("ENABLED", positions),
        "type": repeat_text("SEARCH_STANDARD", positions),
    }
    return pa.table(
        {
            "customer": struct(_customer(account, positions)),
            "campaign": struct(campaign),
            "adGroup": struct(_ad_group(account, positions) | ad_group),
        }
    )


def _ads(shop: Shop, _: Activity, account: ShopAccount) -> Any:
    positions = ads_of(shop, account)
    named = {
        "name": pick_texts(shop.ads.ads, positions),
        "type": repeat_text("RESPONSIVE_SEARCH_AD", positions),
        "finalUrls": lists(np.ones_like(positions), repeat_text(f"https://{shop.host}/", positions)),
    }
    return pa.table(
        {
            "customer": struct(_customer(account, positions)),
            "campaign": struct(_campaign(account, shop.ads.campaign_of_ad[positions])),
            "adGroup": struct(_ad_group(account, shop.ads.ad_group_of_ad[positions])),
            "adGroupAd": _ad_group_ad(shop, account, positions, {"status": repeat_text("ENABLED", positions)}, named),
        }
    )


def _performance(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """One row per ad and day. Conversions are fractional: a share of them is not reported yet."""
    report = read_ad_days(shop, activity, account, OBJECTS["ad_performance"])
    ads, ad = shop.ads, report.ad
    metrics = {
        "costMicros": digits(report.cents * MICROS_PER_CENT),
        "impressions": digits(report.impressions),
        "clicks": digits(report.clicks),
        "conversions": pa.array(np.round(report.counts[:, PURCHASE] * report.reported_share, 6)),
        "conversionsValue": pa.array(major_units(report.revenue)),
    }
    campaign = ads.campaign_of_ad[ad]
    return pa.table(
        {
            "customer": struct(_customer(account, ad)),
            "campaign": struct(_campaign(account, campaign) | {"name": campaign_names(shop, campaign, report.day)}),
            "adGroup": struct(_ad_group(account, ads.ad_group_of_ad[ad])),
            "adGroupAd": _ad_group_ad(shop, account, ad, {}, {}),
            "segments": struct({"date": date_texts(report.day)}),
            "metrics": struct(metrics),
        }
    )


def _customer(account: ShopAccount, positions: Ints) -> dict[str, Any]:
    ids = account_ids(account, positions)
    return {"resourceName": concat_texts("customers/", ids), "id": ids}


def _campaign(account: ShopAccount, positions: Ints) -> dict[str, Any]:
    ids = campaign_ids(account, positions)
    return {"resourceName": concat_texts(f"customers/{account.base}/campaigns/", ids), "id": ids}


def _ad_group(account: ShopAccount, positions: Ints) -> dict[str, Any]:
    ids = ad_group_ids(account, positions)
    return {"resourceName": concat_texts(f"customers/{account.base}/adGroups/", ids), "id": ids}


def _ad_group_ad(shop: Shop, account: ShopAccount, positions: Ints, link: dict[str, Any], ad: dict[str, Any]) -> Any:
    """An ad in its ad group, with further fields of the link and of the ad."""
    ids, group = ad_ids(account, positions), _ad_group(account, shop.ads.ad_group_of_ad[positions])
    names = {
        "resourceName": concat_texts(f"customers/{account.base}/adGroupAds/", group["id"], "~", ids),
        "adGroup": group["resourceName"],
    }
    base = {"resourceName": concat_texts(f"customers/{account.base}/ads/", ids), "id": ids}
    return struct(names | link | {"ad": struct(base | ad)})


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
