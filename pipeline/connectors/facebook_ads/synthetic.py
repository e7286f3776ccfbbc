"""The shop as Meta's Marketing API returns it: campaigns, ad sets and ads as they are at the end of the span."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import pyarrow as pa

from pipeline.connectors.facebook_ads.synthetic_insights import insights
from pipeline.synthetic.activity.ad_entities import (
    account_ids,
    ad_group_ids,
    ad_group_spend,
    ad_groups_of,
    ad_ids,
    ads_of,
    campaign_ids,
    campaign_names,
    campaign_spend,
    campaigns_changed_at,
    campaigns_of,
    created_at,
    creative_ids,
    daily_budgets,
    reviewed_at,
)
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import chosen, digits, same, struct
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View


def _campaigns(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = campaigns_of(shop, outlet)
    budgets = daily_budgets(outlet, places, campaign_spend(shop.ads, places), trade.span.last)
    return pa.table(
        {
            "id": campaign_ids(outlet, places),
            "account_id": account_ids(outlet, places),
            "name": campaign_names(shop, places, trade.span.last),
            "objective": same("OUTCOME_SALES", places),
            **_status(places),
            "daily_budget": digits(budgets // outlet.smallest),
            **_times(outlet, created_at(trade, places), campaigns_changed_at(shop, places, trade.span.last)),
        }
    )


def _ad_sets(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    places = ad_groups_of(shop, outlet)
    budgets = daily_budgets(outlet, places, ad_group_spend(shop.ads, places), trade.span.last)
    return pa.table(
        {
            "id": ad_group_ids(outlet, places),
            "account_id": account_ids(outlet, places),
            "campaign_id": campaign_ids(outlet, shop.ads.campaign_of_ad_group[places]),
            "name": chosen(shop.ads.ad_groups, places),
            **_status(places),
            "daily_budget": digits(budgets // outlet.smallest),
            **_times(outlet, created_at(trade, places), reviewed_at(places, trade.span.last)),
        }
    )


def _ads(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    ads, places = shop.ads, ads_of(shop, outlet)
    return pa.table(
        {
            "id": ad_ids(outlet, places),
            "account_id": account_ids(outlet, places),
            "adset_id": ad_group_ids(outlet, ads.ad_group_of_ad[places]),
            "campaign_id": campaign_ids(outlet, ads.campaign_of_ad[places]),
            "name": chosen(ads.ads, places),
            "creative": struct({"id": creative_ids(outlet, places)}),
            **_status(places),
            **_times(outlet, created_at(trade, places), reviewed_at(places, trade.span.last)),
        }
    )


def _status(places: Ints) -> dict[str, Any]:
    active = same("ACTIVE", places)
    return {"status": active, "effective_status": active}


def _times(outlet: ShopAccount, made: Ints, changed: Ints) -> dict[str, Any]:
    return {
        "created_time": outlet.zone.texts(made, colon=False),
        "updated_time": outlet.zone.texts(changed, colon=False),
    }


VIEW = View(
    exports={
        "campaigns": SimulatedExport("jsonl", _campaigns, names_campaigns=True),
        "ad_sets": SimulatedExport("jsonl", _ad_sets),
        "ads": SimulatedExport("jsonl", _ads),
        "facebook_insights": SimulatedExport("jsonl", insights),
    },
    channel=Channel("facebook", "paid_social", "https://www.facebook.com/", ("Video", "Carousel")),
)
