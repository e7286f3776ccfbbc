"""The shop as Microsoft Advertising returns it: entities by its API, reports as downloads with metadata lines."""

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
from pipeline.synthetic.arrays.columns import digits, pick_texts, repeat_text
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import EPOCH, date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View
from pipeline.synthetic.writers import csv_text

Labels = Callable[[Shop, ShopAccount, Ints, Ints], dict[str, Any]]
"""Gives the identifying columns of a report's rows, from the positions of its ads, ad groups, ... and their days."""


def _campaigns(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = campaigns_of(shop, account)
    return pa.table(
        {
            "Id": campaign_ids(account, positions),
            "AccountId": account_ids(account, positions),
            "Name": campaign_names(shop, positions, activity.span.last),
            "Status": repeat_text("Active", positions),
            "CampaignType": repeat_text("Search", positions),
        }
    )


def _ad_groups(shop: Shop, _: Activity, account: ShopAccount) -> Any:
    positions = ad_groups_of(shop, account)
    return pa.table(
        {
            "Id": ad_group_ids(account, positions),
            "CampaignId": campaign_ids(account, shop.ads.campaign_of_ad_group[positions]),
            "Name": pick_texts(shop.ads.ad_groups, positions),
            "Status": repeat_text("Active", positions),
        }
    )


def _ads(shop: Shop, _: Activity, account: ShopAccount) -> Any:
    positions = ads_of(shop, account)
    return pa.table(
        {
            "Id": ad_ids(account, positions),
            "AdGroupId": ad_group_ids(account, shop.ads.ad_group_of_ad[positions]),
            "Type": repeat_text("ExpandedText", positions),
            "TitlePart1": pick_texts(shop.ads.ads, positions),
            "Status": repeat_text("Active", positions),
        }
    )


def _report(shop: Shop, activity: Activity, account: ShopAccount, *, name: str, level: str, labels: Labels) -> str:
    """A report of one level as a download: ten lines before the header, two after the rows."""
    report = read_ad_days(shop, activity, account, OBJECTS[name]).summed(_parents(shop)[level])
    rows = pa.table(
        {
            "TimePeriod": date_texts(report.day),
            "AccountId": account_ids(account, report.ad),
            "AccountName": repeat_text(f"{shop.host} {account.name}", report.ad),
            "CurrencyCode": repeat_text(account.currency, report.ad),
            **labels(shop, account, report.ad, report.day),
            **_numbers(report, account),
        }
    )
    last = EPOCH.fromordinal(EPOCH.toordinal() + activity.span.last)
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


def _parents(shop: Shop) -> dict[str, Ints]:
    """The position of each ad's parent, by the level of a report."""
    ads = shop.ads
    ad = np.arange(len(ads.ads))
    return {"account": np.zeros_like(ad), "campaign": ads.campaign_of_ad, "ad group": ads.ad_group_of_ad, "ad": ad}


def _numbers(report: AdDays, account: ShopAccount) -> dict[str, Any]:
    return {
        "Impressions": digits(report.impressions),
        "Clicks": digits(report.clicks),
        "Ctr": _percent(report.clicks, report.impressions),
        "Spend": money(report.cents, decimals=account.decimals),
        "Conversions": digits(report.purchases),
        "ConversionRate": _percent(report.purchases, report.clicks),
        "Revenue": money(report.revenue),
    }


def _percent(part: Ints, total: Ints) -> Any:
    """A share as the download writes it, to hundredths of a percent: 1.53%; of nothing, 0.00%."""
    shares = np.rint(part * 10_000 / np.maximum(total, 1)).astype(np.int64)
    return pa.array([f"{share // 100}.{share % 100:02d}%" for share in shares.tolist()], pa.string())


def _of_account(*_: Any) -> dict[str, Any]:
    return {}


def _of_campaign(shop: Shop, account: ShopAccount, campaigns: Ints, days: Ints) -> dict[str, Any]:
    return {
        "CampaignId": campaign_ids(account, campaigns),
        "CampaignName": campaign_names(shop, campaigns, days),
        "CampaignStatus": repeat_text("Active", campaigns),
        "CampaignType": repeat_text("Search & content", campaigns),
    }


def _of_ad_group(shop: Shop, account: ShopAccount, ad_groups: Ints, days: Ints) -> dict[str, Any]:
    return {
        **_of_campaign(shop, account, shop.ads.campaign_of_ad_group[ad_groups], days),
        "AdGroupId": ad_group_ids(account, ad_groups),
        "AdGroupName": pick_texts(shop.ads.ad_groups, ad_groups),
    }


def _of_ad(shop: Shop, account: ShopAccount, ads: Ints, days: Ints) -> dict[str, Any]:
    return {
        **_of_ad_group(shop, account, shop.ads.ad_group_of_ad[ads], days),
        "AdId": ad_ids(account, ads),
        "AdType": repeat_text("Expanded text ad", ads),
        "TitlePart1": pick_texts(shop.ads.ads, ads),
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
