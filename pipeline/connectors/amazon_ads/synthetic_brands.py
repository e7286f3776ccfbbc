"""The shop's campaigns of Sponsored Brands and Sponsored Display, one each, as their campaign reports show them.

They are beside the simulated visits: no visit, order or number of another object depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its tables are Any

import numpy as np
import pyarrow as pa

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import integers, repeat_text
from pipeline.synthetic.arrays.money import major_units, rounded
from pipeline.synthetic.arrays.rng import Purpose, draw_uniform
from pipeline.synthetic.arrays.zones import date_texts
from pipeline.synthetic.model.shop import Shop, ShopAccount

CENTS_PER_CLICK = 80
CLICK_RATE = 0.01
PURCHASE_RATE = 0.04
PURCHASE_CENTS = 4_000
MOST_CLICKS = 12  # a day


@dataclass(frozen=True)
class _OneCampaign:
    number: int
    name: str
    cost_type: str


_BRANDS = _OneCampaign(0, "Brand", "CPC")
_DISPLAY = _OneCampaign(1, "Remarketing", "VCPM")


def brands_report(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """sbCampaigns, one row per day."""
    return _campaign(shop, activity, account, _BRANDS)


def display_report(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """sdCampaigns, one row per day."""
    return _campaign(shop, activity, account, _DISPLAY)


def _campaign(shop: Shop, activity: Activity, account: ShopAccount, campaign: _OneCampaign) -> Any:
    days = np.arange(activity.span.first, activity.span.last + 1)
    draws = draw_uniform(shop.seed, Purpose.BRAND_ADS, days, np.full(len(days), 2), 3)[campaign.number :: 2]
    clicks = np.floor(draws[:, 0] * MOST_CLICKS).astype(np.int64)
    purchases = np.floor(clicks * PURCHASE_RATE + draws[:, 1]).astype(np.int64)
    bought = np.minimum(purchases, clicks)
    cents = rounded(np.rint(clicks * CENTS_PER_CLICK * (0.5 + draws[:, 2])).astype(np.int64), account.smallest)
    revenue = rounded(bought * PURCHASE_CENTS, account.smallest)
    return pa.table(
        {
            "date": date_texts(days),
            "campaignId": integers(np.full(len(days), account.base + 5 * account.id_range + campaign.number)),
            "campaignName": repeat_text(campaign.name, days),
            "campaignStatus": repeat_text("ENABLED", days),
            "campaignBudgetCurrencyCode": repeat_text(account.currency, days),
            "costType": repeat_text(campaign.cost_type, days),
            "impressions": integers(np.rint(clicks / CLICK_RATE).astype(np.int64) + 100),
            "clicks": integers(clicks),
            "cost": pa.array(major_units(cents)),
            "purchases": integers(purchases),
            "purchasesClicks": integers(bought),
            "sales": pa.array(major_units(revenue)),
            "salesClicks": pa.array(major_units(revenue)),
        }
    )
