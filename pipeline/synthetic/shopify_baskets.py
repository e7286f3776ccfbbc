"""What is inside Shopify orders: lines, refunds, and the notes that apps leave."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np

from pipeline.synthetic.columns import chosen, digits, joined, lists, money, struct, whole
from pipeline.synthetic.dice import Bools, Ints
from pipeline.synthetic.orders import Orders
from pipeline.synthetic.shop import Outlet, Shop
from pipeline.synthetic.trade import order_ids

LINE_ROOM = 10  # ids set aside for the lines of one order


def lines(shop: Shop, orders: Orders, store: Outlet, rows: Ints) -> Any:
    """What each order holds."""
    catalog = shop.catalog
    held = orders.quantity[rows] > 0
    place, line = np.nonzero(held)
    order = rows[place]
    product = orders.product[order, line]
    fields = {
        "id": whole(order_ids(shop, orders)[order] * LINE_ROOM % 2**53 + line),
        "product_id": whole(store.base + product),
        "variant_id": whole(store.base + product + len(catalog.titles)),
        "sku": joined("SKU-", digits(product + 1)),
        "title": chosen(catalog.titles, product),
        "quantity": whole(orders.quantity[order, line]),
        "price": money(catalog.prices[product]),
        "total_discount": money(orders.discount[order, line]),
    }
    return lists(held.sum(axis=1), struct(fields))


def refunds(shop: Shop, orders: Orders, store: Outlet, rows: Ints, past: Bools) -> Any:
    """One for each order whose refund is past, none for the others."""
    order = rows[past]
    ids = order_ids(shop, orders)[order]
    when = store.zone.texts(orders.refunded_at[order])
    transaction = {
        "id": whole(ids + 1),
        "kind": chosen(["refund"], np.zeros_like(order)),
        "status": chosen(["success"], np.zeros_like(order)),
        "amount": money(orders.refund[order]),
        "currency": chosen([store.currency], np.zeros_like(order)),
        "created_at": when,
    }
    refund = {
        "id": whole(ids + 2),
        "created_at": when,
        "refund_line_items": _refund_lines(shop, orders, order, ids),
        "transactions": lists(np.ones_like(order), struct(transaction)),
    }
    return lists(past.astype(np.int64), struct(refund))


def _refund_lines(shop: Shop, orders: Orders, order: Ints, ids: Ints) -> Any:
    returned = orders.refund_quantity[order]
    place, line = np.nonzero(returned)
    quantity = returned[place, line]
    price = shop.catalog.prices[orders.product[order[place], line]]
    saved = orders.discount[order[place], line] * quantity // orders.quantity[order[place], line]
    fields = {
        "line_item_id": whole(ids[place] * LINE_ROOM % 2**53 + line),
        "quantity": whole(quantity),
        "subtotal": money(price * quantity - saved),
    }
    return lists((returned > 0).sum(axis=1), struct(fields))


def notes(orders: Orders, rows: Ints) -> Any:
    """What apps left behind: the charge of the payment, where one was taken that way."""
    has_charge = orders.has_charge[rows]
    charge = joined("ch_", digits(orders.number[rows[has_charge]]))
    name = chosen(["stripe_charge_id"], np.zeros(has_charge.sum(), dtype=np.int64))
    return lists(has_charge.astype(np.int64), struct({"name": name, "value": charge}))
