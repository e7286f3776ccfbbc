"""Meta's insights: cost and results of each ad on each day of its account's zone.

Numbers are text; a zero is an absent key, which `writers.write_records` makes of a missing value.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.connectors.facebook_ads.contract import OBJECTS
from pipeline.synthetic.activity.ad_days import AdDays, read_ad_days
from pipeline.synthetic.activity.ad_entities import account_ids, ad_group_ids, ad_ids, campaign_ids, campaign_names
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import digits, lists, pick_texts, repeat_text, struct, take_rows
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import date_texts
from pipeline.synthetic.model.funnel import STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount

ACTIONS = (  # an event is counted under each of its types: a sum over types counts it twice
    ("link_click", "session_start"),
    ("landing_page_view", "session_start"),
    ("offsite_conversion.fb_pixel_view_content", "view_item"),
    ("view_content", "view_item"),
    ("offsite_conversion.fb_pixel_add_to_cart", "add_to_cart"),
    ("add_to_cart", "add_to_cart"),
    ("omni_add_to_cart", "add_to_cart"),
    ("offsite_conversion.fb_pixel_purchase", "purchase"),
    ("purchase", "purchase"),
    ("omni_purchase", "purchase"),
)
PURCHASE_TYPES = tuple(name for name, step in ACTIONS if step == "purchase")


def insights(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """One row per ad and day on which it was shown."""
    report = read_ad_days(shop, activity, account, OBJECTS["facebook_insights"])
    ad, ads = report.ad, shop.ads
    campaign, group = ads.campaign_of_ad[ad], ads.ad_group_of_ad[ad]
    day, clicks = date_texts(report.day), digits(report.clicks, report.clicks > 0)
    return pa.table(
        {
            "account_id": account_ids(account, ad),
            "account_name": repeat_text(f"{shop.host} {account.name}", ad),
            "account_currency": repeat_text(account.currency, ad),
            "campaign_id": campaign_ids(account, campaign),
            "campaign_name": campaign_names(shop, campaign, report.day),
            "adset_id": ad_group_ids(account, group),
            "adset_name": pick_texts(ads.ad_groups, group),
            "ad_id": ad_ids(account, ad),
            "ad_name": pick_texts(ads.ads, ad),
            "date_start": day,
            "date_stop": day,
            "spend": money(report.cents, report.cents > 0, decimals=account.decimals),
            "impressions": digits(report.impressions, report.impressions > 0),
            "clicks": clicks,
            "inline_link_clicks": clicks,
            "reach": digits(report.impressions * 4 // 5 + 1, report.impressions > 0),
            **_actions(report, account),
        }
    )


def _actions(report: AdDays, account: ShopAccount) -> dict[str, Any]:
    """Counts and values of events, under each of their action types; a row without events has no such key."""
    by_step = {step: report.counts[:, position] for position, step in enumerate(STEPS)} | {"purchase": report.purchases}
    counts = np.stack([by_step[step] for _, step in ACTIONS], axis=1)
    values = np.repeat(report.revenue[:, None], len(PURCHASE_TYPES), axis=1)

    def amounts(cents: Ints) -> Any:
        return money(cents, decimals=account.decimals)

    return {
        "actions": _typed(counts, [name for name, _ in ACTIONS], digits),
        "action_values": _typed(values, PURCHASE_TYPES, amounts),
    }


def _typed(numbers: Ints, names: Any, form: Any) -> Any:
    """The numbers above 0 of each row as {action_type, value}; null for a row without any."""
    row, name = np.nonzero(numbers)
    counts = (numbers > 0).sum(axis=1)
    records = lists(counts, struct({"action_type": pick_texts(names, name), "value": form(numbers[row, name])}))
    return take_rows(records, np.where(counts > 0, np.arange(len(counts)), -1))
