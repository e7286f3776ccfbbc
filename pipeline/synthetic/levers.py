"""The levers of a tenant's shop: what `generation` in tenants.yaml says, and what holds where it says nothing.

Their names and ranges are checked when tenants.yaml is read (pipeline/config/levers.py); their effect is here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.config.levers import SAME
from pipeline.errors import ConfigError
from pipeline.synthetic.funnel import Funnel, build_funnel
from pipeline.tenants import Tenant

PLATFORMS = ("facebook_ads", "shopify", "google_analytics")
DAILY_ORDERS = 15.0  # through the default funnel; as many visitors come when nothing says how many
USER_BASE_DAYS = 90  # how long it takes until `unique_user_base` different visitors have come


@dataclass(frozen=True)
class FunnelLevers:
    """Shares of visits that take each step, shares of visitors who come back after a visit ended there."""

    session_to_view: float = 0.55
    view_to_cart: float = 0.25
    cart_to_checkout: float = 0.55
    checkout_to_payment: float = 0.75
    payment_to_purchase: float = 0.88
    return_after_bounce: float = 0.06
    return_after_view: float = 0.15
    return_after_cart: float = 0.35
    return_after_checkout: float = 0.50
    return_after_payment: float = 0.60
    return_after_purchase: float = 0.45
    returning_customer_boost: float = 1.4  # of every share, for who has bought before

    def build(self, rate: float | None) -> Funnel:
        """The funnel; with a `rate`, its steps are moved alike until that share of visits buys."""
        chances = [float(getattr(self, field.name)) for field in fields(self)]
        return build_funnel(np.array(chances[:5]), np.array(chances[5:11]), chances[11], rate)


@dataclass(frozen=True)
class Levers:
    """What a tenant asks of its shop. Numbers of a day are means over weeks: weekdays differ."""

    daily_spend_mean: float = 100.0  # over all ad accounts, in their own currency
    campaign_count: int = 5
    ad_group_count: int | None = None  # ad sets over all campaigns, two for each when nothing is said
    cpc_mean: float | None = None  # spend per click
    avg_ctr: float = 0.015  # clicks per impression
    daily_order_count: float | None = None  # test orders not counted
    avg_order_value: float = 75.0  # mean of `total_price`
    product_count: int = 50
    organic_traffic_ratio: float = 0.4  # of visits
    conversion_rate: float | None = None  # purchases per visit
    tracking_loss: float = 0.0  # share of visitors whom analytics never sees
    daily_event_count: int | None = None
    unique_user_base: int | None = None
    funnel: FunnelLevers = FunnelLevers()

    def build_funnel(self) -> Funnel:
        return self.funnel.build(self.conversion_rate)

    def daily_visitors(self) -> float:
        """First visits a day.

        As many as it takes for the orders asked for; else for the events; else for the user base; else for the clicks
        that the spend buys; else for 15 orders a day through the default funnel.
        """
        expected = self.build_funnel().expected()
        if self.daily_order_count is not None:
            return _ratio(self.daily_order_count, expected.purchases)
        if self.daily_event_count is not None:
            return self.daily_event_count / expected.events
        if self.unique_user_base is not None:
            return self.unique_user_base / USER_BASE_DAYS
        paid = 1.0 - self.organic_traffic_ratio
        if self.cpc_mean is not None and paid > 0:
            return self.daily_spend_mean / self.cpc_mean / paid / expected.visits
        return DAILY_ORDERS / FunnelLevers().build(None).expected().purchases


def read_levers(tenant: Tenant) -> Levers:
    """The levers of a tenant, from the `generation` of its sources: names differ by domain, so none hides another.

    Raises:
        ConfigError: Orders are asked for, of visits that never buy.
    """
    said = {
        SAME.get(name, name): value
        for source in tenant.enabled
        if source.platform in PLATFORMS
        for name, value in source.generation.items()
    }
    shares = {name: float(share) for name, share in said.pop("funnel", {}).items()}
    levers = Levers(**said, funnel=FunnelLevers(**shares))
    if levers.daily_order_count and not levers.build_funnel().expected().purchases:
        raise ConfigError(
            f"{tenant.slug} asks for {levers.daily_order_count} orders a day of visits that never buy.",
            "Raise conversion_rate, or every share of generation.funnel, above 0.",
        )
    return levers


def _ratio(wanted: float, each: float) -> float:
    return wanted / each if wanted else 0.0
