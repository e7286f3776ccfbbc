"""The campaigns, ad groups and ads of an account: which are there, their ids, when they changed, what they may cost."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import chosen, digits, same
from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.rng import Floats, Ints
from pipeline.synthetic.arrays.zones import DAY, HOUR
from pipeline.synthetic.model.campaigns import Ads
from pipeline.synthetic.model.shop import Shop, ShopAccount

REVIEW_DAYS = 28  # how often a budget is set anew


def campaigns_of(shop: Shop, outlet: ShopAccount) -> Ints:
    """The campaigns of an account."""
    return np.flatnonzero(shop.ads.account_of_campaign == shop.ad_accounts.index(outlet))


def ad_groups_of(shop: Shop, outlet: ShopAccount) -> Ints:
    """The ad groups of an account."""
    ads = shop.ads
    return np.flatnonzero(ads.account_of_campaign[ads.campaign_of_ad_group] == shop.ad_accounts.index(outlet))


def ads_of(shop: Shop, outlet: ShopAccount) -> Ints:
    """The ads of an account."""
    return shop.ads.of_account(shop.ad_accounts.index(outlet))


def account_ids(outlet: ShopAccount, places: Ints) -> Any:
    """The account's own id as text, as often as there are places."""
    return same(str(outlet.base), places)


def campaign_ids(outlet: ShopAccount, places: Ints) -> Any:
    return digits(campaign_numbers(outlet, places))


def ad_group_ids(outlet: ShopAccount, places: Ints) -> Any:
    return digits(ad_group_numbers(outlet, places))


def ad_ids(outlet: ShopAccount, places: Ints) -> Any:
    return digits(ad_numbers(outlet, places))


def creative_ids(outlet: ShopAccount, places: Ints) -> Any:
    return digits(outlet.base + 4 * outlet.room + places)


def campaign_numbers(outlet: ShopAccount, places: Ints) -> Ints:
    """Ids as numbers: each kind has a range of its own after the account's base."""
    return outlet.base + outlet.room + places


def ad_group_numbers(outlet: ShopAccount, places: Ints) -> Ints:
    return outlet.base + 2 * outlet.room + places


def ad_numbers(outlet: ShopAccount, places: Ints) -> Ints:
    return outlet.base + 3 * outlet.room + places


def campaign_names(shop: Shop, places: Ints, days: Ints | int) -> Any:
    """What campaigns are called on days (UTC)."""
    ads = shop.ads
    kinds, kind = np.unique(np.stack([places, ads.periods(places, days)]), axis=1, return_inverse=True)
    return chosen([ads.name(campaign, period) for campaign, period in kinds.T.tolist()], kind.reshape(-1))


def created_at(trade: Activity, places: Ints) -> Ints:
    """When things were made: some time before the books were opened. UTC microseconds."""
    return (trade.span.opening // REVIEW_DAYS - 10) * REVIEW_DAYS * DAY + 8 * HOUR + np.zeros_like(places)


def reviewed_at(places: Ints, days: Ints | int) -> Ints:
    """When budgets were last set, as of a day: each every 28 days. UTC microseconds."""
    return (days - (days - places) % REVIEW_DAYS) * DAY + HOUR


def campaigns_changed_at(shop: Shop, campaigns: Ints, day: int) -> Ints:
    """When campaigns were last reviewed or renamed, as of a day. UTC microseconds."""
    return np.maximum(reviewed_at(campaigns, day), shop.ads.last_renames(campaigns, day) * DAY)


def daily_budgets(outlet: ShopAccount, places: Ints, spend: Floats, days: Ints | int) -> Ints:
    """What may be spent on a day, as of the last review: some more than usually is. Hundredths of the currency."""
    room = 1.1 + 0.1 * (reviewed_at(places, days) // DAY // REVIEW_DAYS % 3)
    return rounded(np.rint(spend * room * 100).astype(np.int64), outlet.smallest)


def campaign_spend(ads: Ads, campaigns: Ints) -> Floats:
    """What campaigns spend on a usual day, in their account's currency."""
    return _summed(ads.campaign_of_ad, ads.spend, len(ads.campaigns))[campaigns]


def ad_group_spend(ads: Ads, ad_groups: Ints) -> Floats:
    """What ad groups spend on a usual day, in their account's currency."""
    return _summed(ads.ad_group_of_ad, ads.spend, len(ads.ad_groups))[ad_groups]


def _summed(place: Ints, spend: Floats, places: int) -> Floats:
    sums = np.zeros(places)
    np.add.at(sums, place, spend)
    return sums
