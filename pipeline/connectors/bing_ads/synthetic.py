"""The shop as Microsoft Advertising returns it: entities by its API, and reports as downloads, lines around rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.connectors.bing_ads.contract import OBJECTS
from pipeline.synthetic.activity.ad_days import AdDays, read_ad_days
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
from pipeline.synthetic.arrays.columns import chosen, digits, same
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import EPOCH, date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View
from pipeline.synthetic.writers import csv_text

Labels = Callable[[Shop, ShopAccount, Ints, Ints], dict[str, Any]]
"""The columns that say what a report's rows are about, by the positions of the ads, ad groups, ... and their days."""


def _campaigns(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = campaigns_of(shop, outlet)
    return pa.table(
        {
            "Id": campaign_ids(outlet, places),
            "AccountId": account_ids(outlet, places),
            "Name": campaign_names(shop, places, trade.span.last),
            "Status": same("Active", places),
            "CampaignType": same("Search", places),
        }
    )


def _ad_groups(shop: Shop, _: Activity, outlet: ShopAccount) -> Any:
    places = ad_groups_of(shop, outlet)
    return pa.table(
        {
            "Id": ad_group_ids(outlet, places),
            "CampaignId": campaign_ids(outlet, shop.ads.campaign_of_ad_group[places]),
            "Name": chosen(shop.ads.ad_groups, places),
            "Status": same("Active", places),
        }
    )


def _ads(shop: Shop, _: Activity, outlet: ShopAccount) -> Any:
    places = ads_of(shop, outlet)
    return pa.table(
        {
            "Id": ad_ids(outlet, places),
            "AdGroupId": ad_group_ids(outlet, shop.ads.ad_group_of_ad[places]),
            "Type": same("ExpandedText", places),
            "TitlePart1": chosen(shop.ads.ads, places),
            "Status": same("Active", places),
        }
    )


def _report(shop: Shop, trade: Activity, outlet: ShopAccount, *, name: str, level: str, labels: Labels) -> str:
    """A report of one level as its download: ten lines before the header, two after the rows."""
    report = read_ad_days(shop, trade, outlet, OBJECTS[name]).summed(_places(shop)[level])
    rows = pa.table(
        {
            "TimePeriod": date_texts(report.day),
            "AccountId": account_ids(outlet, report.ad),
            "AccountName": same(f"{shop.host} {outlet.name}", report.ad),
            "CurrencyCode": same(outlet.currency, report.ad),
            **labels(shop, outlet, report.ad, report.day),
            **_numbers(report, outlet),
        }
    )
    last = EPOCH.fromordinal(EPOCH.toordinal() + trade.span.last)
    before = (
        f"Report Name: {name}",
        f"Report Time: {last.month}/{last.day}/{last.year}",
        "Time Zone: (GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London",
        f"Last Completed Available Day: {last.month}/{last.day}/{last.year} 11:59:59 PM (GMT)",
        f"Last Completed Available Hour: {last.month}/{last.day}/{last.year} 11:59:59 PM (GMT)",
        "Report Aggregation: Daily",
        "Report Filter: ",
        "Potential Incomplete Data: true",
        f"Rows: {rows.num_rows}",
    )
    head = "".join(f'"{line}"\n' for line in before)
    return f'\ufeff{head}\n{csv_text(rows)}\n"@{last.year} Microsoft Corporation. All rights reserved. "\n'


def _places(shop: Shop) -> dict[str, Ints]:
    """What each ad belongs to, by the level of a report."""
    ads = shop.ads
    ad = np.arange(len(ads.ads))
    return {"account": np.zeros_like(ad), "campaign": ads.campaign_of_ad, "ad group": ads.ad_group_of_ad, "ad": ad}


def _numbers(report: AdDays, outlet: ShopAccount) -> dict[str, Any]:
    return {
        "Impressions": digits(report.impressions),
        "Clicks": digits(report.clicks),
        "Ctr": _percent(report.clicks, report.impressions),
        "Spend": money(report.cents, decimals=outlet.decimals),
        "Conversions": digits(report.purchases),
        "ConversionRate": _percent(report.purchases, report.clicks),
        "Revenue": money(report.revenue),
    }


def _percent(part: Ints, whole: Ints) -> Any:
    """A share as the download writes it, to hundredths of a percent: 1.53%; of nothing, 0.00%."""
    shares = np.rint(part * 10_000 / np.maximum(whole, 1)).astype(np.int64)
    return pa.array([f"{share // 100}.{share % 100:02d}%" for share in shares.tolist()], pa.string())


def _of_account(*_: Any) -> dict[str, Any]:
    return {}


def _of_campaign(shop: Shop, outlet: ShopAccount, campaigns: Ints, days: Ints) -> dict[str, Any]:
    return {
        "CampaignId": campaign_ids(outlet, campaigns),
        "CampaignName": campaign_names(shop, campaigns, days),
        "CampaignStatus": same("Active", campaigns),
        "CampaignType": same("Search & content", campaigns),
    }


def _of_ad_group(shop: Shop, outlet: ShopAccount, ad_groups: Ints, days: Ints) -> dict[str, Any]:
    return {
        **_of_campaign(shop, outlet, shop.ads.campaign_of_ad_group[ad_groups], days),
        "AdGroupId": ad_group_ids(outlet, ad_groups),
        "AdGroupName": chosen(shop.ads.ad_groups, ad_groups),
    }


def _of_ad(shop: Shop, outlet: ShopAccount, ads: Ints, days: Ints) -> dict[str, Any]:
    return {
        **_of_ad_group(shop, outlet, shop.ads.ad_group_of_ad[ads], days),
        "AdId": ad_ids(outlet, ads),
        "AdType": same("Expanded text ad", ads),
        "TitlePart1": chosen(shop.ads.ads, ads),
    }


_LEVELS: dict[str, Labels] = {
    "account": _of_account,
    "campaign": _of_campaign,
    "ad group": _of_ad_group,
    "ad": _of_ad,
}
_REPORTS = {f"{level.replace(' ', '_')}_performance_report": (level, labels) for level, labels in _LEVELS.items()}

VIEW = View(
    exports={
        "campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "ad_groups": SimulatedExport("jsonl", _ad_groups),
        "ads": SimulatedExport("jsonl", _ads),
        **{
            name: SimulatedExport("csv", partial(_report, name=name, level=level, labels=labels))
            for name, (level, labels) in _REPORTS.items()
        },
    },
    channel=Channel("bing", "cpc", "https://www.bing.com/", ("Headline A", "Headline B")),
    digits=9,
)
