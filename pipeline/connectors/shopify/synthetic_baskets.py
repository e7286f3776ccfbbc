"""Nested records of Shopify orders: lines, refunds, and the note attributes of apps."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.synthetic.activity.orders import Orders, tax_of
from pipeline.synthetic.activity.payments import charge_ids, is_charged
from pipeline.synthetic.activity.simulation import LINE_IDS, order_ids
from pipeline.synthetic.activity.stock import catalog_of
from pipeline.synthetic.arrays.columns import concat_texts, digits, integers, lists, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount


def lines(shop: Shop, orders: Orders, store: ShopAccount, rows: Ints, past: Bools) -> Any:
    """The lines of each order; what has come back by a past refund is not among their current units."""
    is_present = orders.quantity[rows] > 0
    position, line = np.nonzero(is_present)
    order = rows[position]
    product, quantity = orders.product[order, line], orders.quantity[order, line]
    returned = np.where(past[position], orders.refund_quantity[order, line], 0)
    fields = {
        "id": integers(order_ids(shop, orders)[order] * LINE_IDS % 2**53 + line),
        "product_id": integers(store.base + product),
        "variant_id": integers(store.base + product + len(catalog_of(shop, store).prices)),
        "sku": concat_texts("SKU-", digits(product + 1)),
        "title": pick_texts(shop.goods.titles, product),
        "quantity": integers(quantity),
        "current_quantity": integers(quantity - returned),
        "price": money(orders.price[order, line], decimals=store.decimals),
        "total_discount": money(orders.discount[order, line], decimals=store.decimals),
        "discount_allocations": _allocations(orders.discount[order, line], store),
        "gift_card": pa.array(np.zeros(len(order), dtype=np.bool_)),
    }
    return lists(is_present.sum(axis=1), struct(fields))


def _allocations(discount: Ints, store: ShopAccount) -> Any:
    """The share of each line in the order's discount, none where it has none."""
    amount = money(discount[discount > 0], decimals=store.decimals)
    shop_money = {"amount": amount, "currency_code": repeat_text(store.currency, discount[discount > 0])}
    allocation = {"amount": amount, "amount_set": struct({"shop_money": struct(shop_money)})}
    return lists((discount > 0).astype(np.int64), struct(allocation))


def refunds(shop: Shop, orders: Orders, store: ShopAccount, rows: Ints, past: Bools) -> Any:
    """One refund for each order with a past refund, none for the others."""
    order = rows[past]
    ids = order_ids(shop, orders)[order]
    when = store.zone.texts(orders.refunded_at[order])
    transaction = {
        "id": integers(ids + 1),
        "kind": repeat_text("refund", order),
        "status": repeat_text("success", order),
        "amount": money(orders.refund[order], decimals=store.decimals),
        "currency": repeat_text(store.currency, order),
        "created_at": when,
    }
    refund = {
        "id": integers(ids + 2),
        "created_at": when,
        "refund_line_items": _refund_lines(orders, order, ids, store),
        "transactions": lists(np.ones_like(order), struct(transaction)),
    }
    return lists(past.astype(np.int64), struct(refund))


def _refund_lines(orders: Orders, order: Ints, ids: Ints, store: ShopAccount) -> Any:
    returned = orders.refund_quantity[order]
    position, line = np.nonzero(returned)
    quantity = returned[position, line]
    price = orders.price[order[position], line]
    discount = orders.discount[order[position], line] * quantity // orders.quantity[order[position], line]
    fields = {
        "line_item_id": integers(ids[position] * LINE_IDS % 2**53 + line),
        "quantity": integers(quantity),
        "restock_type": repeat_text("return", quantity),
        "subtotal": money(price * quantity - discount, decimals=store.decimals),
        "total_tax": money(tax_of(price * quantity - discount, store.smallest), decimals=store.decimals),
    }
    return lists((returned > 0).sum(axis=1), struct(fields))


def notes(shop: Shop, orders: Orders, rows: Ints, is_paid: Bools | None) -> Any:
    """Note attributes of apps: the charge of the payment, once there is one.

    Args:
        is_paid: Whether each order is paid in its version; None where the tenant has no payments platform, and an app
            still adds the charges of some orders.
    """
    has_note = orders.has_charge[rows] if is_paid is None else is_paid & is_charged(orders)[rows]
    order = rows[has_note]
    charge = concat_texts("ch_", digits(orders.number[order])) if is_paid is None else charge_ids(shop, orders, order)
    name = pick_texts(["stripe_charge_id"], np.zeros(len(order), dtype=np.int64))
    return lists(has_note.astype(np.int64), struct({"name": name, "value": charge}))
