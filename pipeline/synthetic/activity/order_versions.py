"""Orders as a shop tells of them: one version per day on which an order changed, as it was at the end of that day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.orders import Orders
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.traffic import NEVER
from pipeline.synthetic.arrays.columns import taken
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount


class State(IntEnum):
    """What has become of an order."""

    PENDING = 0
    PAID = 1
    FULFILLED = 2
    PARTLY_REFUNDED = 3
    REFUNDED = 4
    CANCELLED = 5  # before it was paid


@dataclass(frozen=True)
class Versions:
    """Orders as they were at the end of days on which they changed."""

    order: Ints  # row of the order
    as_of: Ints  # UTC microseconds of the last change on that day

    def is_past(self, moments: Ints) -> Bools:
        """Whether a moment of each order had passed by then."""
        return np.asarray(moments[self.order] <= self.as_of)

    def states(self, orders: Orders) -> Ints:
        """The State of each version."""
        is_whole = (orders.refund >= orders.total)[self.order]
        refunded, cancelled = self.is_past(orders.refunded_at), self.is_past(orders.cancelled_at)
        conditions = [refunded & is_whole, refunded, cancelled, self.is_past(orders.fulfilled_at)]
        states = [State.REFUNDED, State.PARTLY_REFUNDED, State.CANCELLED, State.FULFILLED]
        paid = np.where(self.is_past(orders.paid_at), State.PAID, State.PENDING)
        return np.asarray(np.select(conditions, states, paid), dtype=np.int64)

    def newest(self) -> Versions:
        """The last version of each order."""
        _, last = np.unique(self.order[::-1], return_index=True)
        rows = len(self.order) - 1 - last
        return Versions(self.order[rows], self.as_of[rows])

    def where_past(self, moments: Ints, texts: Any) -> Any:
        """What `texts` makes of the moments that had passed by then; none for the others."""
        past = self.is_past(moments)
        rows = np.where(past, np.cumsum(past) - 1, -1)
        return taken(texts(moments[self.order[past]]), rows)


def orders_of(shop: Shop, trade: Activity, store: ShopAccount, *, tests: bool) -> Ints:
    """The orders of a store since the books were opened; with the shop's own tests, where the vendor marks them."""
    orders = trade.orders
    is_booked = np.append(trade.is_booked, tests)[orders.visit]  # a test has the visit -1
    mine = np.flatnonzero((orders.store == shop.stores.index(store)) & is_booked)
    return mine[store.zone.days(orders.placed_at[mine]) >= trade.span.opening]


def read_versions(shop: Shop, trade: Activity, store: ShopAccount, *, tests: bool) -> Versions:
    """What changed on the days of the span."""
    orders, span = trade.orders, trade.span
    mine = orders_of(shop, trade, store, tests=tests)
    moments = (orders.placed_at, orders.paid_at, orders.cancelled_at, orders.fulfilled_at, orders.refunded_at)
    changes = np.sort(np.stack([moment[mine] for moment in moments], axis=1), axis=1)
    happens = changes != NEVER
    days = np.full(changes.shape, NEVER)
    days[happens] = store.zone.days(changes[happens])
    is_last = np.column_stack([days[:, 1:] != days[:, :-1], np.ones(len(mine), dtype=np.bool_)])
    row, column = np.nonzero(is_last & (days >= span.first) & (days <= span.last))
    turn = np.argsort(changes[row, column], kind="stable")
    return Versions(mine[row[turn]], changes[row, column][turn])
