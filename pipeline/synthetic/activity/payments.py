"""Payments of orders where Stripe charges for them: ids of charges and payment intents, and declined attempts."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.orders import Orders
from pipeline.synthetic.activity.traffic import NEVER
from pipeline.synthetic.arrays.columns import concat_texts
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.model.shop import Shop

DECLINED = 12  # one of so many orders is declined before it is paid


def charge_ids(shop: Shop, orders: Orders, rows: Ints) -> Any:
    """The charge that paid each order."""
    return concat_texts("ch_3", letters(shop.seed, "charge", orders.number[rows], 23))


def declined_ids(shop: Shop, orders: Orders, rows: Ints) -> Any:
    """The declined charge before each order's payment."""
    return concat_texts("ch_3", letters(shop.seed, "declined charge", orders.number[rows], 23))


def intent_ids(shop: Shop, orders: Orders, rows: Ints) -> Any:
    """The payment intent of each order, the same for all attempts to charge it."""
    return concat_texts("pi_3", letters(shop.seed, "payment intent", orders.number[rows], 23))


def was_declined(orders: Orders) -> Bools:
    """Whether an order has a declined charge when it is placed: orders paid later or never, and some others."""
    late = orders.paid_at > orders.placed_at
    return np.asarray(~orders.is_test & (late | (orders.number % DECLINED == 0)))


def is_charged(orders: Orders) -> Bools:
    """Whether an order is paid at some time; test orders are not."""
    return np.asarray(~orders.is_test & (orders.paid_at != NEVER))
