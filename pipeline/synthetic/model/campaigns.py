"""What the shop advertises: campaigns, their ad groups and ads on every platform, and what each ad costs and brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from pipeline.synthetic.arrays.names import APPROACHES, AUDIENCES, THEMES
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints, Purpose, normal
from pipeline.synthetic.arrays.zones import EPOCH
from pipeline.synthetic.model.parameters import AdParameters

RENAME_DAYS = 60  # so often one campaign of each platform gets a new name


@dataclass(frozen=True)
class Advertiser:
    """The shop on one ads platform.

    Attributes:
        accounts: How many ad accounts it has there, at least one.
        clicks: The platform's share of all clicks.
        kinds: The ads of each ad group, by name.
    """

    accounts: int
    levers: AdParameters
    clicks: float
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Ads:
    """Campaigns, ad groups and ads by position, over all ad accounts of a tenant, platform after platform."""

    campaigns: tuple[str, ...]  # names; one that is renamed says its month behind it
    ad_groups: tuple[str, ...]
    ads: tuple[str, ...]
    account_of_campaign: Ints
    campaign_of_ad_group: Ints
    ad_group_of_ad: Ints
    number_of_ad: Ints  # among the ads of its platform
    is_renamed: Bools
    renamed_on: Ints  # days since 1970: the first one on which each campaign was renamed, if it ever is
    clicks: Floats  # an ad's share of all clicks
    spend: Floats  # of an ad on a usual day, in its account's currency
    ctr: Floats  # of an ad: clicks per impression

    @property
    def campaign_of_ad(self) -> Ints:
        return self.campaign_of_ad_group[self.ad_group_of_ad]

    def of_account(self, account: int) -> Ints:
        """The ads of the account at this position."""
        return np.flatnonzero(self.account_of_campaign[self.campaign_of_ad] == account)

    def periods(self, campaigns: Ints, days: Ints | int) -> Ints:
        """How often campaigns were renamed up to a day (UTC); 0 for those that never are."""
        return np.where(self.is_renamed[campaigns], (days - self.renamed_on[campaigns]) // RENAME_DAYS, 0)

    def last_renames(self, campaigns: Ints, day: int) -> Ints:
        """The last day, up to this one, on which each campaign was renamed; -1 for those that never are."""
        last = self.renamed_on[campaigns] + self.periods(campaigns, day) * RENAME_DAYS
        return np.where(self.is_renamed[campaigns], last, -1)

    def name(self, campaign: int, period: int) -> str:
        """What a campaign is called in a period."""
        if not self.is_renamed[campaign]:
            return self.campaigns[campaign]
        since = EPOCH + timedelta(days=int(self.renamed_on[campaign]) + period * RENAME_DAYS)
        return f"{self.campaigns[campaign]} {since:%Y-%m}"

    def days_before_renames(self, account: int, first: int, last: int) -> list[int]:
        """Days of a range after which the names of an account's campaigns change before the range ends.

        Names change at midnight UTC: a day early, so that a day's end is before that in every zone.
        """
        days = self.renamed_on[self.is_renamed & (self.account_of_campaign == account)]
        return [day for day in range(first, last) if ((day + 2 - days) % RENAME_DAYS == 0).any()]


def plan_ads(seed: int, advertisers: Sequence[Advertiser]) -> Ads:
    """The ads of a tenant."""
    plans: list[Ads] = []
    for place, advertiser in enumerate(advertisers):
        plans.append(_plan(seed, place, advertiser, sum(len(plan.ads) for plan in plans)))
    nothing = np.zeros(0, dtype=np.int64)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(text for plan in plans for text in getattr(plan, name))

    def numbers(name: str, sizes: Sequence[int]) -> Ints:
        """What the plans say, each counting on from where the one before ended."""
        starts = np.cumsum([0, *sizes])
        return np.concatenate([nothing, *(getattr(plan, name) + starts[place] for place, plan in enumerate(plans))])

    def shares(name: str) -> Floats:
        return np.concatenate([np.zeros(0), *(getattr(plan, name) for plan in plans)])

    same = [0] * len(plans)
    return Ads(
        campaigns=texts("campaigns"),
        ad_groups=texts("ad_groups"),
        ads=texts("ads"),
        account_of_campaign=numbers("account_of_campaign", [advertiser.accounts for advertiser in advertisers]),
        campaign_of_ad_group=numbers("campaign_of_ad_group", [len(plan.campaigns) for plan in plans]),
        ad_group_of_ad=numbers("ad_group_of_ad", [len(plan.ad_groups) for plan in plans]),
        number_of_ad=numbers("number_of_ad", same),
        is_renamed=numbers("is_renamed", same).astype(np.bool_),
        renamed_on=numbers("renamed_on", same),
        clicks=shares("clicks"),
        spend=shares("spend"),
        ctr=shares("ctr"),
    )


def _plan(seed: int, platform: int, advertiser: Advertiser, ads_before: int) -> Ads:
    """The ads of one platform: campaigns in turn over its accounts, at least one ad group each, all kinds in each."""
    levers, kinds = advertiser.levers, len(advertiser.kinds)
    campaigns = levers.campaign_count
    ad_groups = max(campaigns, 2 * campaigns if levers.ad_group_count is None else levers.ad_group_count)
    campaign, round_ = np.arange(ad_groups) % campaigns, np.arange(ad_groups) // campaigns
    ad_group, kind = np.repeat(np.arange(ad_groups), kinds), np.tile(np.arange(kinds), ad_groups)
    clicks = (1.0 / np.sqrt(1.0 + campaign) / (1.0 + round_))[ad_group] / (1.0 + kind)
    chance = np.random.default_rng((seed, Purpose.SPEND)).random((ads_before + len(clicks), 2))[ads_before:]
    spend = clicks * np.exp(0.25 * normal(chance[:, 0], chance[:, 1]))
    names = [_campaign_name(place, seed % len(THEMES) + 3 * platform) for place in range(campaigns)]
    ad_group_names = [_ad_group_name(names[place % campaigns], place // campaigns) for place in range(ad_groups)]
    return Ads(
        campaigns=tuple(names),
        ad_groups=tuple(ad_group_names),
        ads=tuple(f"{name} / {kind}" for name in ad_group_names for kind in advertiser.kinds),
        account_of_campaign=np.arange(campaigns) % advertiser.accounts,
        campaign_of_ad_group=campaign,
        ad_group_of_ad=ad_group,
        number_of_ad=np.arange(len(clicks)),
        is_renamed=np.arange(campaigns) == seed // RENAME_DAYS % campaigns,
        renamed_on=np.full(campaigns, (seed + 11 * platform) % RENAME_DAYS),
        clicks=clicks / clicks.sum() * advertiser.clicks,
        spend=spend / spend.sum() * levers.daily_spend_mean,
        ctr=np.full(len(clicks), levers.avg_ctr),
    )


def _campaign_name(place: int, turn: int) -> str:
    """A name of its own, on its platform, for the campaign at this position."""
    edition, pair = divmod(place, len(THEMES) * len(APPROACHES))
    theme = THEMES[(turn + pair + pair // len(THEMES)) % len(THEMES)]
    name = f"{theme} {APPROACHES[pair % len(APPROACHES)]}"
    return name if not edition else f"{name} {edition + 1}"


def _ad_group_name(campaign: str, round_: int) -> str:
    """The name of a campaign's first, second, ... ad group."""
    edition, audience = divmod(round_, len(AUDIENCES))
    name = f"{campaign} / {AUDIENCES[audience]}"
    return name if not edition else f"{name} {edition + 1}"
