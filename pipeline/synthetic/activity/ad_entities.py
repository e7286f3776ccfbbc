"""The campaigns, ad groups and ads of an account: positions, ids, names, times of changes, budgets."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import digits, pick_texts, repeat_text
from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.rng import Floats, Ints
from pipeline.synthetic.arrays.zones import DAY, HOUR
from pipeline.synthetic.model.campaigns import Ads
from pipeline.synthetic.model.shop import Shop, ShopAccount

REVIEW_DAYS = 28  # period of budget reviews


def campaigns_of(shop: Shop, account: ShopAccount) -> Ints:
    """The campaigns of an account."""
    return np.flatnonzero(shop.ads.account_of_campaign == shop.ad_accounts.index(account))


def ad_groups_of(shop: Shop, account: ShopAccount) -> Ints:
    """The ad groups of an account."""
    ads = shop.ads
    return np.flatnonzero(ads.account_of_campaign[ads.campaign_of_ad_group] == shop.ad_accounts.index(account))


def ads_of(shop: Shop, account: ShopAccount) -> Ints:
    """The ads of an account."""
    return shop.ads.of_account(shop.ad_accounts.index(account))


def account_ids(account: ShopAccount, positions: Ints) -> Any:
    """The account's own id as text, repeated for every position."""
    return repeat_text(str(account.base), positions)


def campaign_ids(account: ShopAccount, positions: Ints) -> Any:
    return digits(campaign_numbers(account, positions))


def ad_group_ids(account: ShopAccount, positions: Ints) -> Any:
    return digits(ad_group_numbers(account, positions))


def ad_ids(account: ShopAccount, positions: Ints) -> Any:
    return digits(ad_numbers(account, positions))


def creative_ids(account: ShopAccount, positions: Ints) -> Any:
    return digits(account.base + 4 * account.id_range + positions)


def campaign_numbers(account: ShopAccount, positions: Ints) -> Ints:
    """Campaign ids as numbers: each kind of entity has a range of its own after the account's base."""
    return account.base + account.id_range + positions


def ad_group_numbers(account: ShopAccount, positions: Ints) -> Ints:
    return account.base + 2 * account.id_range + positions


def ad_numbers(account: ShopAccount, positions: Ints) -> Ints:
    return account.base + 3 * account.id_range + positions


def campaign_names(shop: Shop, positions: Ints, days: Ints | int) -> Any:
    """The names of campaigns on days (UTC)."""
    ads = shop.ads
    kinds, kind = np.unique(np.stack([positions, ads.periods(positions, days)]), axis=1, return_inverse=True)
    return pick_texts([ads.name(campaign, period) for campaign, period in kinds.T.tolist()], kind.reshape(-1))


def created_at(activity: Activity, positions: Ints) -> Ints:
    """The creation times of entities: some time before the opening. UTC microseconds."""
    return (activity.span.opening // REVIEW_DAYS - 10) * REVIEW_DAYS * DAY + 8 * HOUR + np.zeros_like(positions)


def reviewed_at(positions: Ints, days: Ints | int) -> Ints:
    """The times of the last budget reviews, as of a day: each every 28 days. UTC microseconds."""
    return (days - (days - positions) % REVIEW_DAYS) * DAY + HOUR


def campaigns_changed_at(shop: Shop, campaigns: Ints, day: int) -> Ints:
    """The times of the last review or rename of campaigns, as of a day. UTC microseconds."""
    return np.maximum(reviewed_at(campaigns, day), shop.ads.last_renames(campaigns, day) * DAY)


def daily_budgets(account: ShopAccount, positions: Ints, spend: Floats, days: Ints | int) -> Ints:
    """Daily budgets as of the last review: somewhat above usual spend. Hundredths of the currency."""
    factor = 1.1 + 0.1 * (reviewed_at(positions, days) // DAY // REVIEW_DAYS % 3)
    return rounded(np.rint(spend * factor * 100).astype(np.int64), account.smallest)


def campaign_spend(ads: Ads, campaigns: Ints) -> Floats:
    """The spend of campaigns on a usual day, in their account's currency."""
    return _summed(ads.campaign_of_ad, ads.spend, len(ads.campaigns))[campaigns]


def ad_group_spend(ads: Ads, ad_groups: Ints) -> Floats:
    """The spend of ad groups on a usual day, in their account's currency."""
    return _summed(ads.ad_group_of_ad, ads.spend, len(ads.ad_groups))[ad_groups]


def _summed(position: Ints, spend: Floats, length: int) -> Floats:
    sums = np.zeros(length)
    np.add.at(sums, position, spend)
    return sums
