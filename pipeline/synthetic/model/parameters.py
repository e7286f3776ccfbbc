"""Parameters of a simulated shop: what `generation` in tenants.yaml says, and the defaults.

pipeline/config/blocks/generation.py checks their names and ranges when tenants.yaml is read; their effect is here.
Those of ads and shops hold for their own platform, so that several stand side by side. Those of analytics describe the
one traffic that every analytics source sees; only what a source misses of it (`tracking_loss`) is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any  # levers are numbers of several kinds

import numpy as np

from pipeline.config.blocks.generation import SAME
from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError
from pipeline.synthetic.model.funnel import Funnel, build_funnel

DAILY_ORDERS = 15.0  # through the default funnel; as many visitors come when nothing says how many
USER_BASE_DAYS = 90  # how long it takes until `unique_user_base` different visitors have come
CPC = 1.2  # of a platform that says none, beside others
HIGHEST_RATE = 0.5  # of visits that buy, where clicks and orders decide it


@dataclass(frozen=True)
class FunnelParameters:
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
class AdParameters:
    """What is asked of one ads platform. Numbers of a day are means over weeks: weekdays differ."""

    daily_spend_mean: float = 100.0  # over all its accounts, in their own currency
    campaign_count: int = 5
    ad_group_count: int | None = None  # over all campaigns, two for each when nothing is said
    cpc_mean: float | None = None  # spend per click; where visits are asked for otherwise, only a share of their clicks
    avg_ctr: float = 0.015  # clicks per impression
    sponsored_product_ratio: float = 0.25  # of the catalog's products, where ads are products

    @property
    def clicks(self) -> float:
        """The clicks that the spend buys on a day."""
        return self.daily_spend_mean / (self.cpc_mean or CPC)


@dataclass(frozen=True)
class ShopParameters:
    """What is asked of one shop platform, in its accounts' own currency."""

    daily_order_count: float | None = None  # test orders not counted
    avg_order_value: float = 75.0  # mean of an order's total
    product_count: int = 50

    @property
    def orders(self) -> float:
        return DAILY_ORDERS if self.daily_order_count is None else self.daily_order_count


@dataclass(frozen=True)
class SimulationParameters:
    """What a tenant asks of its shop.

    Attributes:
        ads: By platform whose campaigns are made up.
        shops: By platform, at least one.
        tracking_loss: By analytics platform, the share of visitors it never sees.
        organic_traffic_ratio: Of visits.
        conversion_rate: Purchases per visit.
    """

    ads: Mapping[str, AdParameters]
    shops: Mapping[str, ShopParameters]
    tracking_loss: Mapping[str, float]
    organic_traffic_ratio: float = 0.4
    conversion_rate: float | None = None
    daily_event_count: int | None = None
    unique_user_base: int | None = None
    funnel: FunnelParameters = FunnelParameters()

    def build_funnel(self) -> Funnel:
        """The funnel. Of clicks and orders asked for, where nothing says how many visits buy, as many as it takes."""
        rate = self.conversion_rate
        orders, visits = self.orders_asked(), self.visits_bought()
        if rate is None and self.funnel == FunnelParameters() and orders is not None and visits:
            implied = orders / visits
            rate = implied if implied <= HIGHEST_RATE else None
        return self.funnel.build(rate)

    def daily_visitors(self) -> float:
        """First visits a day.

        As many as it takes for the orders asked for; else for the events; else for the user base; else for the clicks
        that the spend buys, where a platform says its `cpc_mean`; else for 15 orders a day through the default funnel.
        """
        expected = self.build_funnel().expected()
        orders, visits = self.orders_asked(), self.visits_bought()
        if orders is not None:
            return _ratio(orders, expected.purchases)
        if self.daily_event_count is not None:
            return self.daily_event_count / expected.events
        if self.unique_user_base is not None:
            return self.unique_user_base / USER_BASE_DAYS
        if visits is not None:
            return visits / expected.visits
        return DAILY_ORDERS / FunnelParameters().build(None).expected().purchases

    def daily_visits(self) -> float:
        return self.daily_visitors() * self.build_funnel().expected().visits

    def click_shares(self) -> dict[str, float]:
        """The share of all clicks that each ads platform gets: as many as its spend buys of them."""
        total = sum(levers.clicks for levers in self.ads.values())
        return {name: levers.clicks / total if total else 1.0 / len(self.ads) for name, levers in self.ads.items()}

    def order_shares(self) -> dict[str, float]:
        """The share of all orders that each shop platform takes."""
        total = sum(levers.orders for levers in self.shops.values())
        return {name: levers.orders / total if total else 1.0 / len(self.shops) for name, levers in self.shops.items()}

    def orders_asked(self) -> float | None:
        """The orders asked for on a day, over all shops; None where none says a number."""
        if all(levers.daily_order_count is None for levers in self.shops.values()):
            return None
        return sum(levers.orders for levers in self.shops.values())

    def visits_bought(self) -> float | None:
        """The visits on a day of which the clicks that the spend buys are the paid share; None where no cpc is said."""
        paid = 1.0 - self.organic_traffic_ratio
        if paid <= 0 or all(levers.cpc_mean is None for levers in self.ads.values()):
            return None
        return sum(levers.clicks for levers in self.ads.values()) / paid


def read_parameters(tenant: Tenant, synthetic: frozenset[str]) -> SimulationParameters:
    """The levers of a tenant, from the `generation` of its sources.

    Args:
        synthetic: The platforms that have synthetic accounts.

    Raises:
        ConfigError: Orders are asked for, of visits that never buy; or two sources say different things of one traffic.
    """
    said = {source.platform: _renamed(source.generation) for source in tenant.enabled}
    of_domain = {
        domain: [source.platform for source in tenant.enabled if source.domain == domain]
        for domain in ("ads", "ecommerce", "analytics")
    }
    traffic = _traffic(tenant, {name: said[name] for name in of_domain["analytics"]})
    shops = [name for name in of_domain["ecommerce"] if name in synthetic] or of_domain["ecommerce"][:1]
    levers = SimulationParameters(
        ads={name: AdParameters(**said[name]) for name in of_domain["ads"] if name in synthetic},
        shops={name: ShopParameters(**said[name]) for name in shops} or {"shop": ShopParameters()},
        tracking_loss={name: said[name].get("tracking_loss", 0.0) for name in of_domain["analytics"]},
        **traffic,
    )
    orders = levers.orders_asked()
    if orders and not levers.build_funnel().expected().purchases:
        raise ConfigError(
            f"{tenant.slug} asks for {orders:g} orders a day of visits that never buy.",
            "Raise conversion_rate, or every share of generation.funnel, above 0.",
        )
    return levers


def _renamed(generation: Mapping[str, Any]) -> dict[str, Any]:
    return {SAME.get(name, name): value for name, value in generation.items()}


def _traffic(tenant: Tenant, said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The levers of the traffic itself, which analytics sources must not contradict."""
    traffic: dict[str, Any] = {}
    for levers in said.values():
        for name, value in levers.items():
            if name == "tracking_loss":
                continue
            if traffic.setdefault(name, value) != value:
                raise ConfigError(
                    f"{tenant.slug} gives {name} twice, under {' and '.join(said)}, and they see the same visits.",
                    f"Keep one {name}.",
                )
    if "funnel" in traffic:
        traffic["funnel"] = FunnelParameters(**{name: float(share) for name, share in traffic["funnel"].items()})
    return traffic


def _ratio(wanted: float, each: float) -> float:
    return wanted / each if wanted else 0.0
