"""Versions of orders as a shop exports them: one per day with a change, in the order's state at the end of that day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.orders import Orders
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.traffic import NEVER
from pipeline.synthetic.arrays.columns import take_rows
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount


class State(IntEnum):
    """The state of an order."""

    PENDING = 0
    PAID = 1
    FULFILLED = 2
    PARTLY_REFUNDED = 3
    REFUNDED = 4
    CANCELLED = 5  # before it was paid


@dataclass(frozen=True)
class Versions:
    """Orders in their state at the end of days on which they changed."""

    order: Ints  # row of the order
    as_of: Ints  # UTC microseconds of the last change on that day

    def is_past(self, moments: Ints) -> Bools:
        """Whether a moment of each order is past in the version."""
        return np.asarray(moments[self.order] <= self.as_of)

    def states(self, orders: Orders) -> Ints:
        """The State of each version."""
        is_full = (orders.refund >= orders.total)[self.order]
        refunded, cancelled = self.is_past(orders.refunded_at), self.is_past(orders.cancelled_at)
        conditions = [refunded & is_full, refunded, cancelled, self.is_past(orders.fulfilled_at)]
        states = [State.REFUNDED, State.PARTLY_REFUNDED, State.CANCELLED, State.FULFILLED]
        paid = np.where(self.is_past(orders.paid_at), State.PAID, State.PENDING)
        return np.asarray(np.select(conditions, states, paid), dtype=np.int64)

    def newest(self) -> Versions:
        """The last version of each order."""
        _, last = np.unique(self.order[::-1], return_index=True)
        rows = len(self.order) - 1 - last
        return Versions(self.order[rows], self.as_of[rows])

    def where_past(self, moments: Ints, texts: Any) -> Any:
        """The moments that are past in the version, as `texts` writes them; null for the others."""
        past = self.is_past(moments)
        rows = np.where(past, np.cumsum(past) - 1, -1)
        return take_rows(texts(moments[self.order[past]]), rows)


def orders_of(shop: Shop, activity: Activity, store: ShopAccount, *, tests: bool) -> Ints:
    """The orders of a store since the opening; with the shop's own test orders, where the vendor marks them."""
    orders = activity.orders
    is_after_opening = np.append(activity.is_after_opening, tests)[orders.visit]  # a test has the visit -1
    order_rows = np.flatnonzero((orders.store == shop.stores.index(store)) & is_after_opening)
    return order_rows[store.zone.days(orders.placed_at[order_rows]) >= activity.span.opening]


def read_versions(shop: Shop, activity: Activity, store: ShopAccount, *, tests: bool) -> Versions:
    """The versions of a store's orders that changed on the days of the span."""
    orders, span = activity.orders, activity.span
    order_rows = orders_of(shop, activity, store, tests=tests)
    moments = (orders.placed_at, orders.paid_at, orders.cancelled_at, orders.fulfilled_at, orders.refunded_at)
    changes = np.sort(np.stack([moment[order_rows] for moment in moments], axis=1), axis=1)
    happens = changes != NEVER
    days = np.full(changes.shape, NEVER)
    days[happens] = store.zone.days(changes[happens])
    is_last = np.column_stack([days[:, 1:] != days[:, :-1], np.ones(len(order_rows), dtype=np.bool_)])
    row, column = np.nonzero(is_last & (days >= span.first) & (days <= span.last))
    by_time = np.argsort(changes[row, column], kind="stable")
    return Versions(order_rows[row[by_time]], changes[row, column][by_time])
