"""Simulated activity of a shop on some days: the traffic and the orders that every connector's view exports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.synthetic.activity.orders import CHANGE_DAYS, Orders, place_orders
from pipeline.synthetic.activity.traffic import COHORT_DAYS, Traffic, Visitors, simulate_traffic
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop, serial_numbers

LINE_IDS = 10  # ids reserved for the lines of one order


@dataclass(frozen=True)
class Span:
    """The days of an export, both included; the shop's history begins on `opening`. Days are counted from 1970."""

    first: int
    last: int
    opening: int

    def upto(self, last: int) -> Span:
        """The same span with an earlier end."""
        return replace(self, last=last)


@dataclass(frozen=True)
class Activity:
    """All activity that an export of `span` may contain, and some of the days around it."""

    span: Span
    traffic: Traffic
    orders: Orders
    is_after_opening: Bools  # of each visit: it began on the opening day or later, in the shop's own zone

    @cached_property
    def order_of_visit(self) -> Ints:
        """The order that each visit placed; -1 where it placed none."""
        result = np.full(len(self.traffic.visits.visitor), -1)
        placed = np.flatnonzero(~self.orders.is_test)
        result[self.orders.visit[placed]] = placed
        return result


def simulate(shop: Shop, span: Span) -> Activity:
    """The cohorts whose visits, orders or changes of orders fall on days of the span, in any time zone."""
    cohorts = np.arange(span.first - COHORT_DAYS - CHANGE_DAYS - 1, span.last + 2)
    traffic = simulate_traffic(shop, cohorts)
    is_after_opening = shop.zone.days(traffic.visits.steps[:, 0]) >= span.opening
    return Activity(span, traffic, place_orders(shop, traffic), np.asarray(is_after_opening))


def order_ids(shop: Shop, orders: Orders) -> Ints:
    """The id of each order, in its store."""
    return orders.number + store_bases(shop)[orders.store]


def customer_ids(shop: Shop, visitors: Visitors) -> Ints:
    """The customer id of each visitor in its store, also where the visitor has no account."""
    return serial_numbers(visitors.cohort, visitors.position) + store_bases(shop)[visitors.store]


def store_bases(shop: Shop) -> Ints:
    """The first id of each store."""
    return np.array([store.base for store in shop.stores])
