"""Parameters of a simulated shop: `generation` in tenants.yaml, and the defaults.

pipeline/config/blocks/generation.py checks their names and ranges when tenants.yaml is read; their effect is here.
Those of ads and shops apply to their own platform, so that a tenant may have several. Those of analytics describe the
one traffic that every analytics source tracks; only the share that a source misses (`tracking_loss`) is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any  # parameters are numbers of several kinds

import numpy as np

from pipeline.config.blocks.generation import SAME
from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError
from pipeline.synthetic.model.funnel import Funnel, build_funnel

DAILY_ORDERS = 15.0  # through the default funnel; decides the visitors when no parameter does
USER_BASE_DAYS = 90  # the days in which `unique_user_base` different visitors come
CPC = 1.2  # of a platform without cpc_mean
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
    returning_customer_boost: float = 1.4  # factor of every share, for visitors who have bought before

    def build(self, rate: float | None) -> Funnel:
        """The funnel; with a `rate`, all steps are scaled until that share of visits buys."""
        shares = [float(getattr(self, field.name)) for field in fields(self)]
        return build_funnel(np.array(shares[:5]), np.array(shares[5:11]), shares[11], rate)


@dataclass(frozen=True)
class AdParameters:
    """Parameters of one ads platform. Daily numbers are means over weeks: weekdays differ."""

    daily_spend_mean: float = 100.0  # over all its accounts, in their own currency
    campaign_count: int = 5
    ad_group_count: int | None = None  # over all campaigns; two for each by default
    cpc_mean: float | None = None  # spend per click; where visits are decided otherwise, only their share of the clicks
    avg_ctr: float = 0.015  # clicks per impression
    sponsored_product_ratio: float = 0.25  # of the catalog's products, where ads are products

    @property
    def clicks(self) -> float:
        """The clicks that the spend buys on a day."""
        return self.daily_spend_mean / (self.cpc_mean or CPC)


@dataclass(frozen=True)
class ShopParameters:
    """Parameters of one shop platform, in its accounts' own currency."""

    daily_order_count: float | None = None  # test orders not counted
    avg_order_value: float = 75.0  # mean of an order's total
    product_count: int = 50

    @property
    def orders(self) -> float:
        return DAILY_ORDERS if self.daily_order_count is None else self.daily_order_count


@dataclass(frozen=True)
class SimulationParameters:
    """Parameters of a tenant's simulated shop.

    Attributes:
        ads: By platform with synthetic campaigns.
        shops: By platform, at least one.
        tracking_loss: By analytics platform, the share of visitors that it never tracks.
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
        """The funnel; its rate follows from requested orders and clicks, where neither rate nor funnel is given."""
        rate = self.conversion_rate
        orders, visits = self.requested_orders(), self.visits_from_spend()
        if rate is None and self.funnel == FunnelParameters() and orders is not None and visits:
            implied = orders / visits
            rate = implied if implied <= HIGHEST_RATE else None
        return self.funnel.build(rate)

    def daily_visitors(self) -> float:
        """First visits a day.

        Derived from the requested orders; else from the events; else from the user base; else from the clicks that the
        spend buys, where a platform has a `cpc_mean`; else from 15 orders a day through the default funnel.
        """
        expected = self.build_funnel().expected()
        orders, visits = self.requested_orders(), self.visits_from_spend()
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
        """The share of all clicks that each ads platform gets: that of the clicks its spend buys."""
        total = sum(ads.clicks for ads in self.ads.values())
        return {name: ads.clicks / total if total else 1.0 / len(self.ads) for name, ads in self.ads.items()}

    def order_shares(self) -> dict[str, float]:
        """The share of all orders that each shop platform takes."""
        total = sum(shop.orders for shop in self.shops.values())
        return {name: shop.orders / total if total else 1.0 / len(self.shops) for name, shop in self.shops.items()}

    def requested_orders(self) -> float | None:
        """The requested orders a day, over all shops; None where no shop has a number."""
        if all(shop.daily_order_count is None for shop in self.shops.values()):
            return None
        return sum(shop.orders for shop in self.shops.values())

    def visits_from_spend(self) -> float | None:
        """The visits a day whose paid share is the clicks that the spend buys; None without a `cpc_mean`."""
        paid = 1.0 - self.organic_traffic_ratio
        if paid <= 0 or all(ads.cpc_mean is None for ads in self.ads.values()):
            return None
        return sum(ads.clicks for ads in self.ads.values()) / paid


def read_parameters(tenant: Tenant, synthetic: frozenset[str]) -> SimulationParameters:
    """The parameters of a tenant, from the `generation` of its sources.

    Args:
        synthetic: The platforms that have synthetic accounts.

    Raises:
        ConfigError: Orders are requested from visits that never buy; or two analytics sources contradict each other.
    """
    generation = {source.platform: _renamed(source.generation) for source in tenant.enabled}
    by_domain = {
        domain: [source.platform for source in tenant.enabled if source.domain == domain]
        for domain in ("ads", "ecommerce", "analytics")
    }
    traffic = _traffic(tenant, {name: generation[name] for name in by_domain["analytics"]})
    shops = [name for name in by_domain["ecommerce"] if name in synthetic] or by_domain["ecommerce"][:1]
    parameters = SimulationParameters(
        ads={name: AdParameters(**generation[name]) for name in by_domain["ads"] if name in synthetic},
        shops={name: ShopParameters(**generation[name]) for name in shops} or {"shop": ShopParameters()},
        tracking_loss={name: generation[name].get("tracking_loss", 0.0) for name in by_domain["analytics"]},
        **traffic,
    )
    orders = parameters.requested_orders()
    if orders and not parameters.build_funnel().expected().purchases:
        raise ConfigError(
            f"{tenant.slug} asks for {orders:g} orders a day of visits that never buy.",
            "Raise conversion_rate, or every share of generation.funnel, above 0.",
        )
    return parameters


def _renamed(generation: Mapping[str, Any]) -> dict[str, Any]:
    return {SAME.get(name, name): value for name, value in generation.items()}


def _traffic(tenant: Tenant, by_platform: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of the traffic itself, about which analytics sources must agree."""
    traffic: dict[str, Any] = {}
    platforms = " and ".join(by_platform)
    for parameters in by_platform.values():
        for name, value in parameters.items():
            if name == "tracking_loss":
                continue
            if traffic.setdefault(name, value) != value:
                raise ConfigError(
                    f"{tenant.slug} gives {name} twice, under {platforms}, and they see the same visits.",
                    f"Keep one {name}.",
                )
    if "funnel" in traffic:
        traffic["funnel"] = FunnelParameters(**{name: float(share) for name, share in traffic["funnel"].items()})
    return traffic


def _ratio(total: float, each: float) -> float:
    return total / each if total else 0.0
