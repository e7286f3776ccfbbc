"""The shop as Meta's Marketing API returns it: campaigns, ad sets and ads in their state at the end of the span."""

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
from pipeline.synthetic.arrays.columns import digits, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport, View


def _campaigns(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = campaigns_of(shop, account)
    budgets = daily_budgets(account, positions, campaign_spend(shop.ads, positions), activity.span.last)
    changed = campaigns_changed_at(shop, positions, activity.span.last)
    return pa.table(
        {
            "id": campaign_ids(account, positions),
            "account_id": account_ids(account, positions),
            "name": campaign_names(shop, positions, activity.span.last),
            "objective": repeat_text("OUTCOME_SALES", positions),
            **_status(positions),
            "daily_budget": digits(budgets // account.smallest),
            **_times(account, created_at(activity, positions), changed),
        }
    )


def _ad_sets(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    positions = ad_groups_of(shop, account)
    budgets = daily_budgets(account, positions, ad_group_spend(shop.ads, positions), activity.span.last)
    return pa.table(
        {
            "id": ad_group_ids(account, positions),
            "account_id": account_ids(account, positions),
            "campaign_id": campaign_ids(account, shop.ads.campaign_of_ad_group[positions]),
            "name": pick_texts(shop.ads.ad_groups, positions),
            **_status(positions),
            "daily_budget": digits(budgets // account.smallest),
            **_times(account, created_at(activity, positions), reviewed_at(positions, activity.span.last)),
        }
    )


def _ads(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    ads, positions = shop.ads, ads_of(shop, account)
    return pa.table(
        {
            "id": ad_ids(account, positions),
            "account_id": account_ids(account, positions),
            "adset_id": ad_group_ids(account, ads.ad_group_of_ad[positions]),
            "campaign_id": campaign_ids(account, ads.campaign_of_ad[positions]),
            "name": pick_texts(ads.ads, positions),
            "creative": struct({"id": creative_ids(account, positions)}),
            **_status(positions),
            **_times(account, created_at(activity, positions), reviewed_at(positions, activity.span.last)),
        }
    )


def _status(positions: Ints) -> dict[str, Any]:
    active = repeat_text("ACTIVE", positions)
    return {"status": active, "effective_status": active}


def _times(account: ShopAccount, created: Ints, changed: Ints) -> dict[str, Any]:
    return {
        "created_time": account.zone.texts(created, colon=False),
        "updated_time": account.zone.texts(changed, colon=False),
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
