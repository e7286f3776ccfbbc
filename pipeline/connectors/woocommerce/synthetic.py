"""The shop as WooCommerce's REST API returns it: orders with lines and refunds inside, and products.

Money is text; every time comes twice without an offset, by the site's clock and in UTC.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.activity.order_versions import Versions, read_versions
from pipeline.synthetic.activity.orders import Orders, tax_of
from pipeline.synthetic.activity.payments import charge_ids, intent_ids, is_charged
from pipeline.synthetic.activity.people import addresses
from pipeline.synthetic.activity.simulation import LINE_ROOM, Activity, customer_ids, order_ids
from pipeline.synthetic.activity.stock import catalog_of, product_created_at, restocked_at
from pipeline.synthetic.arrays.columns import chosen, digits, joined, lists, same, struct, whole
from pipeline.synthetic.arrays.money import major_units, money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.arrays.zones import Zone
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

ADDRESS = {"city": "city", "state": "region", "postcode": "zip", "country": "code"}
STATUSES = ("pending", "processing", "completed", "completed", "refunded", "cancelled")  # by State


def _orders(shop: Shop, trade: Activity, store: ShopAccount) -> Any:
    """Every version of an order that a day left behind."""
    versions = read_versions(shop, trade, store, tests=False)
    orders, rows = trade.orders, versions.order
    visitors, visitor = trade.traffic.visitors, orders.visitor[rows]
    ids = order_ids(shop, orders)[rows]
    customer = np.where(visitors.has_account[visitor], customer_ids(shop, visitors)[visitor], 0)

    def amount(cents: Ints) -> Any:
        return money(cents, decimals=store.decimals)

    return pa.table(
        {
            "id": whole(ids),
            "parent_id": whole(np.zeros_like(rows)),
            "number": digits(ids),
            "order_key": joined("wc_order_", letters(shop.seed, "order key", orders.number[rows], 13)),
            "status": chosen(STATUSES, versions.states(orders)),
            "currency": same(store.currency, rows),
            **_both_times("date_created", store, orders.placed_at[rows]),
            **_both_times("date_modified", store, versions.as_of),
            "date_paid_gmt": versions.where_past(orders.paid_at, _UTC.clocks),
            "date_completed_gmt": versions.where_past(orders.fulfilled_at, _UTC.clocks),
            "total": amount(orders.total[rows]),
            "total_tax": amount(orders.tax[rows]),
            "shipping_total": amount(np.zeros_like(rows)),
            "discount_total": amount(orders.discount[rows].sum(axis=1)),
            "customer_id": whole(customer),
            "billing": addresses(shop, visitors, visitor, ADDRESS),
            "payment_method": same("stripe" if shop.takes_payments else "bacs", rows),
            "created_via": same("checkout", rows),
            **_payments(shop, orders, versions),
            "line_items": _lines(shop, orders, store, rows),
            "refunds": _refunds(orders, versions, store, ids),
        }
    )


def _payments(shop: Shop, orders: Orders, versions: Versions) -> dict[str, Any]:
    """What the Stripe gateway keeps, once there is a charge: its versions differ in where they put which id.

    The charge in meta data, as old ones do; the payment intent there, as new ones do; or only transaction_id.
    """
    rows = versions.order
    is_paid = versions.is_past(orders.paid_at) & is_charged(orders)[rows] & shop.takes_payments
    kind = np.where(is_paid, orders.number[rows] % 3, -1)
    charges, intents = charge_ids(shop, orders, rows), intent_ids(shop, orders, rows)
    noted = np.flatnonzero(kind >= 0)[kind[kind >= 0] < 2]
    meta = {
        "id": whole(orders.number[rows[noted]] + 1),
        "key": chosen(["_stripe_charge_id", "_stripe_intent_id"], kind[noted]),
        "value": pc.if_else(pa.array(kind[noted] == 0), charges.take(pa.array(noted)), intents.take(pa.array(noted))),
    }
    ids = pc.if_else(pa.array(kind == 1), intents, charges)
    return {
        "transaction_id": pc.if_else(pa.array(is_paid), ids, ""),
        "meta_data": lists(((kind == 0) | (kind == 1)).astype(np.int64), struct(meta)),
    }


def _lines(shop: Shop, orders: Orders, store: ShopAccount, rows: Ints) -> Any:
    """What each order holds; `price` is the number among the texts."""
    held = orders.quantity[rows] > 0
    place, line = np.nonzero(held)
    order = rows[place]
    product, quantity = orders.product[order, line], orders.quantity[order, line]
    worth = orders.price[order, line] * quantity
    total = worth - orders.discount[order, line]
    fields = {
        "id": whole(order_ids(shop, orders)[order] * LINE_ROOM + line),
        "name": chosen(shop.goods.titles, product),
        "product_id": whole(store.base + product),
        "variation_id": whole(np.zeros_like(product)),
        "sku": joined("SKU-", digits(product + 1)),
        "quantity": whole(quantity),
        "subtotal": money(worth, decimals=store.decimals),
        "subtotal_tax": money(tax_of(worth, store.smallest), decimals=store.decimals),
        "total": money(total, decimals=store.decimals),
        "total_tax": money(tax_of(total, store.smallest), decimals=store.decimals),
        "price": pa.array(major_units(total) / quantity),
    }
    return lists(held.sum(axis=1), struct(fields))


def _refunds(orders: Orders, versions: Versions, store: ShopAccount, ids: Ints) -> Any:
    """One for each order whose refund is past, below zero; none for the others."""
    past = versions.is_past(orders.refunded_at)
    fields = {
        "id": whole(ids[past] + 1),
        "reason": same("", ids[past]),
        "total": joined("-", money(orders.refund[versions.order[past]], decimals=store.decimals)),
    }
    return lists(past.astype(np.int64), struct(fields))


def _products(shop: Shop, trade: Activity, store: ShopAccount) -> Any:
    """Products as they are at the end of the span."""
    prices = catalog_of(shop, store).prices
    place = np.arange(len(prices))
    title, kinds = chosen(shop.goods.titles, place), chosen(shop.goods.kinds, place)
    ranks = np.array([sorted(set(shop.goods.kinds)).index(kind) for kind in shop.goods.kinds[: len(place)]])
    category = {"id": whole(20 + ranks), "name": kinds, "slug": pc.utf8_lower(kinds)}
    price = money(prices, decimals=store.decimals)
    return pa.table(
        {
            "id": whole(store.base + place),
            "parent_id": whole(np.zeros_like(place)),
            "name": title,
            "slug": pc.replace_substring(pc.utf8_lower(title), " ", "-"),
            "sku": joined("SKU-", digits(place + 1)),
            "type": same("simple", place),
            "status": same("publish", place),
            "price": price,
            "regular_price": price,
            "sale_price": same("", place),
            "categories": lists(np.ones_like(place), struct(category)),
            **_both_times("date_created", store, product_created_at(trade, place)),
            **_both_times("date_modified", store, restocked_at(trade, place)),
        }
    )


def _both_times(name: str, store: ShopAccount, instants: Ints) -> dict[str, Any]:
    return {name: store.zone.clocks(instants), f"{name}_gmt": _UTC.clocks(instants)}


_UTC = Zone("UTC")

VIEW = View(
    exports={
        "orders": SimulatedExport("jsonl", _orders, keeps_nulls=True),
        "products": SimulatedExport("jsonl", _products, keeps_nulls=True),
    },
    digits=13,
)
