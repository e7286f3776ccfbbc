"""The shop as WooCommerce's REST API returns it: orders with lines and refunds inside, and products.

Money is text; every time comes twice without an offset, in the site's zone and in UTC.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.activity.discounts import used_codes
from pipeline.synthetic.activity.order_versions import Versions, read_versions
from pipeline.synthetic.activity.orders import Orders, tax_of
from pipeline.synthetic.activity.payments import charge_ids, intent_ids, is_charged
from pipeline.synthetic.activity.people import addresses
from pipeline.synthetic.activity.simulation import LINE_IDS, Activity, customer_ids, order_ids
from pipeline.synthetic.activity.stock import catalog_of, product_created_at, restocked_at
from pipeline.synthetic.arrays.columns import concat_texts, digits, integers, lists, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import major_units, money
from pipeline.synthetic.arrays.names import TOWNS
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.arrays.zones import Zone
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

ADDRESS = {"city": "city", "state": "region", "postcode": "zip", "country": "code"}
STATUSES = ("pending", "processing", "completed", "completed", "refunded", "cancelled")  # by State


def _orders(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """Orders, one version per day on which an order changed."""
    versions = read_versions(shop, activity, store, tests=False)
    orders, rows = activity.orders, versions.order
    visitors, visitor = activity.traffic.visitors, orders.visitor[rows]
    ids = order_ids(shop, orders)[rows]
    customer = np.where(visitors.has_account[visitor], customer_ids(shop, visitors)[visitor], 0)

    def amount(cents: Ints) -> Any:
        return money(cents, decimals=store.decimals)

    return pa.table(
        {
            "id": integers(ids),
            "parent_id": integers(np.zeros_like(rows)),
            "number": digits(ids),
            "order_key": concat_texts("wc_order_", letters(shop.seed, "order key", orders.number[rows], 13)),
            "status": pick_texts(STATUSES, versions.states(orders)),
            "currency": repeat_text(store.currency, rows),
            **_both_times("date_created", store, orders.placed_at[rows]),
            **_both_times("date_modified", store, versions.as_of),
            "date_paid_gmt": versions.where_past(orders.paid_at, _UTC.clocks),
            "date_completed_gmt": versions.where_past(orders.fulfilled_at, _UTC.clocks),
            "total": amount(orders.total[rows]),
            "total_tax": amount(orders.tax[rows]),
            "shipping_total": amount(np.zeros_like(rows)),
            "discount_total": amount(orders.discount[rows].sum(axis=1)),
            "customer_id": integers(customer),
            "billing": addresses(shop, visitors, visitor, ADDRESS),
            "payment_method": repeat_text("stripe" if shop.takes_payments else "bacs", rows),
            "created_via": repeat_text("checkout", rows),
            **_payments(shop, orders, versions),
            "line_items": _lines(shop, orders, store, rows),
            "shipping": struct({"country": pick_texts([town.code for town in TOWNS], visitors.town[visitor])}),
            "coupon_lines": used_codes(orders, rows),
            "refunds": _refunds(orders, versions, store, ids),
        }
    )


def _payments(shop: Shop, orders: Orders, versions: Versions) -> dict[str, Any]:
    """Ids that the Stripe gateway stores once there is a charge; the place depends on its version.

    Old versions put the charge in meta data, new ones the payment intent; others only set transaction_id.
    """
    rows = versions.order
    is_paid = versions.is_past(orders.paid_at) & is_charged(orders)[rows] & shop.takes_payments
    kind = np.where(is_paid, orders.number[rows] % 3, -1)
    charges, intents = charge_ids(shop, orders, rows), intent_ids(shop, orders, rows)
    in_meta = np.flatnonzero(kind >= 0)[kind[kind >= 0] < 2]
    meta = {
        "id": integers(orders.number[rows[in_meta]] + 1),
        "key": pick_texts(["_stripe_charge_id", "_stripe_intent_id"], kind[in_meta]),
        "value": pc.if_else(
            pa.array(kind[in_meta] == 0), charges.take(pa.array(in_meta)), intents.take(pa.array(in_meta))
        ),
    }
    ids = pc.if_else(pa.array(kind == 1), intents, charges)
    return {
        "transaction_id": pc.if_else(pa.array(is_paid), ids, ""),
        "meta_data": lists(((kind == 0) | (kind == 1)).astype(np.int64), struct(meta)),
    }


def _lines(shop: Shop, orders: Orders, store: ShopAccount, rows: Ints) -> Any:
    """The lines of each order; `price` is a number, other amounts are text."""
    is_present = orders.quantity[rows] > 0
    position, line = np.nonzero(is_present)
    order = rows[position]
    product, quantity = orders.product[order, line], orders.quantity[order, line]
    gross = orders.price[order, line] * quantity
    total = gross - orders.discount[order, line]
    fields = {
        "id": integers(order_ids(shop, orders)[order] * LINE_IDS + line),
        "name": pick_texts(shop.goods.titles, product),
        "product_id": integers(store.base + product),
        "variation_id": integers(np.zeros_like(product)),
        "sku": concat_texts("SKU-", digits(product + 1)),
        "quantity": integers(quantity),
        "subtotal": money(gross, decimals=store.decimals),
        "subtotal_tax": money(tax_of(gross, store.smallest), decimals=store.decimals),
        "total": money(total, decimals=store.decimals),
        "total_tax": money(tax_of(total, store.smallest), decimals=store.decimals),
        "price": pa.array(major_units(total) / quantity),
    }
    return lists(is_present.sum(axis=1), struct(fields))


def _refunds(orders: Orders, versions: Versions, store: ShopAccount, ids: Ints) -> Any:
    """One refund, a negative amount, for each order with a past refund; none for the others."""
    past = versions.is_past(orders.refunded_at)
    fields = {
        "id": integers(ids[past] + 1),
        "reason": repeat_text("", ids[past]),
        "total": concat_texts("-", money(orders.refund[versions.order[past]], decimals=store.decimals)),
    }
    return lists(past.astype(np.int64), struct(fields))


def _products(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """Products in their state at the end of the span."""
    prices = catalog_of(shop, store).prices
    position = np.arange(len(prices))
    title, kinds = pick_texts(shop.goods.titles, position), pick_texts(shop.goods.kinds, position)
    ranks = np.array([sorted(set(shop.goods.kinds)).index(kind) for kind in shop.goods.kinds[: len(position)]])
    category = {"id": integers(20 + ranks), "name": kinds, "slug": pc.utf8_lower(kinds)}
    price = money(prices, decimals=store.decimals)
    return pa.table(
        {
            "id": integers(store.base + position),
            "parent_id": integers(np.zeros_like(position)),
            "name": title,
            "slug": pc.replace_substring(pc.utf8_lower(title), " ", "-"),
            "sku": concat_texts("SKU-", digits(position + 1)),
            "type": repeat_text("simple", position),
            "status": repeat_text("publish", position),
            "price": price,
            "regular_price": price,
            "sale_price": repeat_text("", position),
            "categories": lists(np.ones_like(position), struct(category)),
            **_both_times("date_created", store, product_created_at(activity, position)),
            **_both_times("date_modified", store, restocked_at(activity, position)),
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
