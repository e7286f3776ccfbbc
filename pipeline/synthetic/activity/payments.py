"""How orders are paid where Stripe takes payments: the ids of charges and payment intents, and attempts that failed."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.orders import Orders
from pipeline.synthetic.activity.traffic import NEVER
from pipeline.synthetic.arrays.columns import joined
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.model.shop import Shop

DECLINED = 12  # one of so many orders was declined before it was paid


def charge_ids(shop: Shop, orders: Orders, rows: Ints) -> Any:
    """The charge that paid each order."""
    return joined("ch_3", letters(shop.seed, "charge", orders.number[rows], 23))


def declined_ids(shop: Shop, orders: Orders, rows: Ints) -> Any:
    """The charge of each order that was declined before."""
    return joined("ch_3", letters(shop.seed, "declined charge", orders.number[rows], 23))


def intent_ids(shop: Shop, orders: Orders, rows: Ints) -> Any:
    """The payment intent of each order, the same for all attempts to charge it."""
    return joined("pi_3", letters(shop.seed, "payment intent", orders.number[rows], 23))


def was_declined(orders: Orders) -> Bools:
    """Orders with an attempt to pay that failed when they were placed: those paid later or never, and some others."""
    late = orders.paid_at > orders.placed_at
    return np.asarray(~orders.is_test & (late | (orders.number % DECLINED == 0)))


def is_charged(orders: Orders) -> Bools:
    """Orders that are paid sooner or later, with real money."""
    return np.asarray(~orders.is_test & (orders.paid_at != NEVER))
