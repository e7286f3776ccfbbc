"""Campaigns of the shop with their ad groups and ads on every platform; clicks, spend and click rate of each ad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from pipeline.synthetic.arrays.names import APPROACHES, AUDIENCES, THEMES
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints, Purpose, normal
from pipeline.synthetic.arrays.zones import EPOCH
from pipeline.synthetic.model.parameters import AdParameters

RENAME_DAYS = 60  # period after which one campaign of each platform is renamed


@dataclass(frozen=True)
class Advertiser:
    """The shop on one ads platform.

    Attributes:
        accounts: The number of its ad accounts there, at least one.
        clicks: The platform's share of all clicks.
        kinds: The names of the ads of each ad group.
    """

    accounts: int
    parameters: AdParameters
    clicks: float
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Ads:
    """Campaigns, ad groups and ads by position, over all ad accounts of a tenant, platform after platform."""

    campaigns: tuple[str, ...]  # names; a renamed campaign has its month appended
    ad_groups: tuple[str, ...]
    ads: tuple[str, ...]
    account_of_campaign: Ints
    campaign_of_ad_group: Ints
    ad_group_of_ad: Ints
    number_of_ad: Ints  # among the ads of its platform
    is_renamed: Bools
    renamed_on: Ints  # days since 1970: the day of each campaign's first rename, if it is ever renamed
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
        """The number of renames of campaigns up to a day (UTC); 0 for campaigns without renames."""
        return np.where(self.is_renamed[campaigns], (days - self.renamed_on[campaigns]) // RENAME_DAYS, 0)

    def last_renames(self, campaigns: Ints, day: int) -> Ints:
        """The last day of a rename of each campaign, up to `day`; -1 for campaigns without renames."""
        last = self.renamed_on[campaigns] + self.periods(campaigns, day) * RENAME_DAYS
        return np.where(self.is_renamed[campaigns], last, -1)

    def name(self, campaign: int, period: int) -> str:
        """The name of a campaign in a period."""
        if not self.is_renamed[campaign]:
            return self.campaigns[campaign]
        since = EPOCH + timedelta(days=int(self.renamed_on[campaign]) + period * RENAME_DAYS)
        return f"{self.campaigns[campaign]} {since:%Y-%m}"

    def days_before_renames(self, account: int, first: int, last: int) -> list[int]:
        """Days of a range after which the names of an account's campaigns change before the range ends.

        Names change at midnight UTC; the export is a day earlier, so that its day ends before that in every zone.
        """
        days = self.renamed_on[self.is_renamed & (self.account_of_campaign == account)]
        return [day for day in range(first, last) if ((day + 2 - days) % RENAME_DAYS == 0).any()]


def plan_ads(seed: int, advertisers: Sequence[Advertiser]) -> Ads:
    """The ads of a tenant."""
    plans: list[Ads] = []
    for index, advertiser in enumerate(advertisers):
        plans.append(_plan(seed, index, advertiser, sum(len(plan.ads) for plan in plans)))
    nothing = np.zeros(0, dtype=np.int64)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(text for plan in plans for text in getattr(plan, name))

    def numbers(name: str, sizes: Sequence[int]) -> Ints:
        """The numbers of all plans; each plan's start after the last one of the plan before."""
        starts = np.cumsum([0, *sizes])
        return np.concatenate([nothing, *(getattr(plan, name) + starts[index] for index, plan in enumerate(plans))])

    def shares(name: str) -> Floats:
        return np.concatenate([np.zeros(0), *(getattr(plan, name) for plan in plans)])

    no_shift = [0] * len(plans)
    return Ads(
        campaigns=texts("campaigns"),
        ad_groups=texts("ad_groups"),
        ads=texts("ads"),
        account_of_campaign=numbers("account_of_campaign", [advertiser.accounts for advertiser in advertisers]),
        campaign_of_ad_group=numbers("campaign_of_ad_group", [len(plan.campaigns) for plan in plans]),
        ad_group_of_ad=numbers("ad_group_of_ad", [len(plan.ad_groups) for plan in plans]),
        number_of_ad=numbers("number_of_ad", no_shift),
        is_renamed=numbers("is_renamed", no_shift).astype(np.bool_),
        renamed_on=numbers("renamed_on", no_shift),
        clicks=shares("clicks"),
        spend=shares("spend"),
        ctr=shares("ctr"),
    )


def _plan(seed: int, platform: int, advertiser: Advertiser, ads_before: int) -> Ads:
    """The ads of one platform: campaigns spread over its accounts, at least one ad group each, all kinds in each."""
    parameters, kinds = advertiser.parameters, len(advertiser.kinds)
    campaigns = parameters.campaign_count
    ad_groups = max(campaigns, 2 * campaigns if parameters.ad_group_count is None else parameters.ad_group_count)
    campaign, round_ = np.arange(ad_groups) % campaigns, np.arange(ad_groups) // campaigns
    ad_group, kind = np.repeat(np.arange(ad_groups), kinds), np.tile(np.arange(kinds), ad_groups)
    clicks = (1.0 / np.sqrt(1.0 + campaign) / (1.0 + round_))[ad_group] / (1.0 + kind)
    draws = np.random.default_rng((seed, Purpose.SPEND)).random((ads_before + len(clicks), 2))[ads_before:]
    spend = clicks * np.exp(0.25 * normal(draws[:, 0], draws[:, 1]))
    names = [_campaign_name(position, seed % len(THEMES) + 3 * platform) for position in range(campaigns)]
    ad_group_names = [_ad_group_name(names[index % campaigns], index // campaigns) for index in range(ad_groups)]
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
        spend=spend / spend.sum() * parameters.daily_spend_mean,
        ctr=np.full(len(clicks), parameters.avg_ctr),
    )


def _campaign_name(position: int, offset: int) -> str:
    """The name of the campaign at this position, unique on its platform."""
    edition, pair = divmod(position, len(THEMES) * len(APPROACHES))
    theme = THEMES[(offset + pair + pair // len(THEMES)) % len(THEMES)]
    name = f"{theme} {APPROACHES[pair % len(APPROACHES)]}"
    return name if not edition else f"{name} {edition + 1}"


def _ad_group_name(campaign: str, round_: int) -> str:
    """The name of a campaign's first, second, ... ad group."""
    edition, audience = divmod(round_, len(AUDIENCES))
    name = f"{campaign} / {AUDIENCES[audience]}"
    return name if not edition else f"{name} {edition + 1}"
