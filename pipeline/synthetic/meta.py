"""The shop as Meta's Marketing API returns it: campaigns, ad sets and ads as they are at the end of the span."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.synthetic.columns import chosen, digits, struct
from pipeline.synthetic.dice import Floats, Ints
from pipeline.synthetic.meta_ids import account_ids, ad_ids, ad_set_ids, campaign_ids, creative_ids
from pipeline.synthetic.meta_insights import insights
from pipeline.synthetic.shop import Outlet, Shop
from pipeline.synthetic.trade import Trade
from pipeline.synthetic.zones import DAY, HOUR

REVIEW_DAYS = 28  # how often a budget is set anew


def meta_records(shop: Shop, trade: Trade, account: int) -> dict[str, Any]:
    """The objects of the ad account at this position."""
    outlet = shop.ad_accounts[account]
    return {
        "campaigns": _campaigns(shop, trade, account, outlet),
        "ad_sets": _ad_sets(shop, trade, account, outlet),
        "ads": _ads(shop, trade, account, outlet),
        "facebook_insights": insights(shop, trade, account, outlet),
    }


def _campaigns(shop: Shop, trade: Trade, account: int, outlet: Outlet) -> Any:
    ads = shop.ads
    places = np.flatnonzero(ads.account_of_campaign == account)
    share = _shares(ads.campaign_of_ad, ads.spend, len(ads.campaigns))[places]
    return pa.table(
        {
            "id": campaign_ids(outlet, places),
            "account_id": account_ids(outlet, places),
            "name": chosen(ads.campaigns, places),
            "objective": chosen(["OUTCOME_SALES"], np.zeros_like(places)),
            **_state(shop, trade, outlet, places, share),
        }
    )


def _ad_sets(shop: Shop, trade: Trade, account: int, outlet: Outlet) -> Any:
    ads = shop.ads
    places = np.flatnonzero(ads.account_of_campaign[ads.campaign_of_ad_set] == account)
    share = _shares(ads.ad_set_of_ad, ads.spend, len(ads.ad_sets))[places]
    return pa.table(
        {
            "id": ad_set_ids(outlet, places),
            "account_id": account_ids(outlet, places),
            "campaign_id": campaign_ids(outlet, ads.campaign_of_ad_set[places]),
            "name": chosen(ads.ad_sets, places),
            **_state(shop, trade, outlet, places, share),
        }
    )


def _ads(shop: Shop, trade: Trade, account: int, outlet: Outlet) -> Any:
    ads = shop.ads
    places = ads.of_account(account)
    state = _state(shop, trade, outlet, places, ads.spend[places])
    del state["daily_budget"]
    return pa.table(
        {
            "id": ad_ids(outlet, places),
            "account_id": account_ids(outlet, places),
            "adset_id": ad_set_ids(outlet, ads.ad_set_of_ad[places]),
            "campaign_id": campaign_ids(outlet, ads.campaign_of_ad[places]),
            "name": chosen(ads.ads, places),
            "creative": struct({"id": creative_ids(outlet, places)}),
            **state,
        }
    )


def _shares(place: Ints, spend: Floats, places: int) -> Floats:
    """The share of all spend of what ads belong to."""
    shares = np.zeros(places)
    np.add.at(shares, place, spend)
    return shares


def _state(shop: Shop, trade: Trade, outlet: Outlet, places: Ints, share: Floats) -> dict[str, Any]:
    """What a campaign, ad set or ad is in. Budgets are in minor units and reviewed, so updated, every 28 days."""
    active = chosen(["ACTIVE"], np.zeros_like(places))
    made = (trade.span.opening // REVIEW_DAYS - 10) * REVIEW_DAYS * DAY + 8 * HOUR + np.zeros_like(places)
    reviewed = (trade.span.last - (trade.span.last - places) % REVIEW_DAYS) * DAY + HOUR
    room = 1.1 + 0.1 * (reviewed // DAY // REVIEW_DAYS % 3)
    return {
        "status": active,
        "effective_status": active,
        "daily_budget": digits(np.rint(share * shop.levers.daily_spend_mean * room * 100).astype(np.int64)),
        "created_time": outlet.zone.texts(made, colon=False),
        "updated_time": outlet.zone.texts(reviewed, colon=False),
    }
