"""What happened in a shop on some days: its traffic and its orders, the one thing that every connector's view shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.synthetic.activity.orders import CHANGE_DAYS, Orders, place_orders
from pipeline.synthetic.activity.traffic import COHORT_DAYS, Traffic, Visitors, simulate_traffic
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop, numbers

LINE_ROOM = 10  # ids set aside for the lines of one order


@dataclass(frozen=True)
class Span:
    """Days to be exported, both included, of a shop whose books begin on `opening`. Days count from 1970."""

    first: int
    last: int
    opening: int

    def upto(self, last: int) -> Span:
        """The same, but ending on an earlier day."""
        return replace(self, last=last)


@dataclass(frozen=True)
class Activity:
    """Everything that can show on the days of `span`, and some of what happened around them."""

    span: Span
    traffic: Traffic
    orders: Orders
    is_booked: Bools  # of each visit: it began when the books were open, by the shop's own clock

    @cached_property
    def order_of_visit(self) -> Ints:
        """The order that each visit placed; -1 for none."""
        found = np.full(len(self.traffic.visits.visitor), -1)
        placed = np.flatnonzero(~self.orders.is_test)
        found[self.orders.visit[placed]] = placed
        return found


def simulate(shop: Shop, span: Span) -> Activity:
    """The cohorts whose visits, orders or changes of orders fall on days of the span, in any time zone."""
    cohorts = np.arange(span.first - COHORT_DAYS - CHANGE_DAYS - 1, span.last + 2)
    traffic = simulate_traffic(shop, cohorts)
    is_booked = shop.zone.days(traffic.visits.steps[:, 0]) >= span.opening
    return Activity(span, traffic, place_orders(shop, traffic), np.asarray(is_booked))


def order_ids(shop: Shop, orders: Orders) -> Ints:
    """The id of each order, in its store."""
    return orders.number + store_bases(shop)[orders.store]


def customer_ids(shop: Shop, visitors: Visitors) -> Ints:
    """The id that each visitor has, or would have, as a customer of a store."""
    return numbers(visitors.cohort, visitors.place) + store_bases(shop)[visitors.store]


def store_bases(shop: Shop) -> Ints:
    """Where the ids of each store begin."""
    return np.array([store.base for store in shop.stores])
