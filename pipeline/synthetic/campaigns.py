"""What the shop advertises: campaigns, their ad sets and ads, and each ad's share of clicks and spend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.dice import Floats, Ints, Purpose, normal
from pipeline.synthetic.names import APPROACHES, AUDIENCES, FORMATS, THEMES


@dataclass(frozen=True)
class Ads:
    """Campaigns, ad sets and ads by position, over all ad accounts of a tenant."""

    campaigns: tuple[str, ...]
    ad_sets: tuple[str, ...]
    ads: tuple[str, ...]
    account_of_campaign: Ints
    campaign_of_ad_set: Ints
    ad_set_of_ad: Ints
    clicks: Floats  # an ad's share of all clicks
    spend: Floats  # an ad's share of all spend

    @property
    def campaign_of_ad(self) -> Ints:
        return self.campaign_of_ad_set[self.ad_set_of_ad]

    def of_account(self, account: int) -> Ints:
        """The ads of the account at this position."""
        return np.flatnonzero(self.account_of_campaign[self.campaign_of_ad] == account)


def plan_ads(seed: int, accounts: int, campaign_count: int, ad_set_count: int | None) -> Ads:
    """The ads of a tenant: campaigns in turn over its accounts, at least one ad set each, two ads per ad set."""
    campaigns = campaign_count if accounts else 0
    ad_sets = max(campaigns, 2 * campaigns if ad_set_count is None else ad_set_count) if accounts else 0
    campaign_of_ad_set = np.arange(ad_sets) % max(campaigns, 1)
    round_of_ad_set = np.arange(ad_sets) // max(campaigns, 1)
    ad_set_of_ad = np.repeat(np.arange(ad_sets), len(FORMATS))
    format_of_ad = np.tile(np.arange(len(FORMATS)), ad_sets)
    weight = 1.0 / np.sqrt(1.0 + campaign_of_ad_set) / (1.0 + round_of_ad_set)
    clicks = weight[ad_set_of_ad] / (1.0 + format_of_ad)
    chance = np.random.default_rng((seed, Purpose.SPEND)).random((len(clicks), 2))
    spend = clicks * np.exp(0.25 * normal(chance[:, 0], chance[:, 1]))
    names = [_campaign_name(place, seed % len(THEMES)) for place in range(campaigns)]
    ad_set_names = [_ad_set_name(names[place % campaigns], place // campaigns) for place in range(ad_sets)]
    return Ads(
        campaigns=tuple(names),
        ad_sets=tuple(ad_set_names),
        ads=tuple(f"{name} / {kind}" for name in ad_set_names for kind in FORMATS),
        account_of_campaign=np.arange(campaigns) % max(accounts, 1),
        campaign_of_ad_set=campaign_of_ad_set,
        ad_set_of_ad=ad_set_of_ad,
        clicks=clicks / clicks.sum(),
        spend=spend / spend.sum(),
    )


def _campaign_name(place: int, turn: int) -> str:
    """A name of its own for the campaign at this position."""
    edition, pair = divmod(place, len(THEMES) * len(APPROACHES))
    theme = THEMES[(turn + pair + pair // len(THEMES)) % len(THEMES)]
    name = f"{theme} {APPROACHES[pair % len(APPROACHES)]}"
    return name if not edition else f"{name} {edition + 1}"


def _ad_set_name(campaign: str, round_: int) -> str:
    """The name of a campaign's first, second, ... ad set."""
    edition, audience = divmod(round_, len(AUDIENCES))
    name = f"{campaign} / {AUDIENCES[audience]}"
    return name if not edition else f"{name} {edition + 1}"
