"""What is inside Shopify orders: lines, refunds, and the notes that apps leave."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np

from pipeline.synthetic.activity.orders import Orders
from pipeline.synthetic.activity.payments import charge_ids, is_charged
from pipeline.synthetic.activity.simulation import LINE_ROOM, order_ids
from pipeline.synthetic.activity.stock import catalog_of
from pipeline.synthetic.arrays.columns import chosen, digits, joined, lists, same, struct, whole
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount


def lines(shop: Shop, orders: Orders, store: ShopAccount, rows: Ints) -> Any:
    """What each order holds."""
    held = orders.quantity[rows] > 0
    place, line = np.nonzero(held)
    order = rows[place]
    product = orders.product[order, line]
    fields = {
        "id": whole(order_ids(shop, orders)[order] * LINE_ROOM % 2**53 + line),
        "product_id": whole(store.base + product),
        "variant_id": whole(store.base + product + len(catalog_of(shop, store).prices)),
        "sku": joined("SKU-", digits(product + 1)),
        "title": chosen(shop.goods.titles, product),
        "quantity": whole(orders.quantity[order, line]),
        "price": money(orders.price[order, line], decimals=store.decimals),
        "total_discount": money(orders.discount[order, line], decimals=store.decimals),
    }
    return lists(held.sum(axis=1), struct(fields))


def refunds(shop: Shop, orders: Orders, store: ShopAccount, rows: Ints, past: Bools) -> Any:
    """One for each order whose refund is past, none for the others."""
    order = rows[past]
    ids = order_ids(shop, orders)[order]
    when = store.zone.texts(orders.refunded_at[order])
    transaction = {
        "id": whole(ids + 1),
        "kind": same("refund", order),
        "status": same("success", order),
        "amount": money(orders.refund[order], decimals=store.decimals),
        "currency": same(store.currency, order),
        "created_at": when,
    }
    refund = {
        "id": whole(ids + 2),
        "created_at": when,
        "refund_line_items": _refund_lines(orders, order, ids, store),
        "transactions": lists(np.ones_like(order), struct(transaction)),
    }
    return lists(past.astype(np.int64), struct(refund))


def _refund_lines(orders: Orders, order: Ints, ids: Ints, store: ShopAccount) -> Any:
    returned = orders.refund_quantity[order]
    place, line = np.nonzero(returned)
    quantity = returned[place, line]
    price = orders.price[order[place], line]
    saved = orders.discount[order[place], line] * quantity // orders.quantity[order[place], line]
    fields = {
        "line_item_id": whole(ids[place] * LINE_ROOM % 2**53 + line),
        "quantity": whole(quantity),
        "subtotal": money(price * quantity - saved, decimals=store.decimals),
    }
    return lists((returned > 0).sum(axis=1), struct(fields))


def notes(shop: Shop, orders: Orders, rows: Ints, is_paid: Bools | None) -> Any:
    """What apps left behind: the charge of the payment, once there is one.

    Args:
        is_paid: Whether each order was paid by then; None where no payments platform is among the tenant's sources,
            and an app notes some charges all the same.
    """
    noted = orders.has_charge[rows] if is_paid is None else is_paid & is_charged(orders)[rows]
    order = rows[noted]
    charge = joined("ch_", digits(orders.number[order])) if is_paid is None else charge_ids(shop, orders, order)
    name = chosen(["stripe_charge_id"], np.zeros(len(order), dtype=np.int64))
    return lists(noted.astype(np.int64), struct({"name": name, "value": charge}))
