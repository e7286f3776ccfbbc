"""Discount codes of orders. Nothing is drawn for them: the code follows from the order's number."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.activity.orders import Orders
from pipeline.synthetic.arrays.columns import lists, pick_texts, struct
from pipeline.synthetic.arrays.rng import Ints

DISCOUNT_CODES = ("BASKET10", "WELCOME10")


def codes_of(orders: Orders, rows: Ints) -> Any:
    """The code of each order, discounted or not."""
    return pick_texts(DISCOUNT_CODES, orders.number[rows] % len(DISCOUNT_CODES))


def used_codes(orders: Orders, rows: Ints) -> Any:
    """The codes that discounted each order: one `{code}` or none."""
    is_discounted = orders.discount[rows].sum(axis=1) > 0
    return lists(is_discounted.astype(np.int64), struct({"code": codes_of(orders, rows[is_discounted])}))
