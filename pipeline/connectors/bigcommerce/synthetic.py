"""The shop as BigCommerce returns it: orders and the lines of orders by its API V2, products by V3.

V2 writes money as text with four decimals, times by RFC 2822, and absent values as empty text.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.activity.discounts import codes_of
from pipeline.synthetic.activity.order_versions import Versions, read_versions
from pipeline.synthetic.activity.orders import Orders, tax_of
from pipeline.synthetic.activity.payments import charge_ids, intent_ids, is_charged
from pipeline.synthetic.activity.people import addresses
from pipeline.synthetic.activity.simulation import LINE_IDS, Activity, customer_ids, order_ids
from pipeline.synthetic.activity.stock import catalog_of, product_created_at, restocked_at
from pipeline.synthetic.arrays.columns import concat_texts, digits, integers, lists, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import major_units, money
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import Zone, rfc_2822
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

ADDRESS = {"city": "city", "state": "region", "zip": "zip", "country": "country", "country_iso2": "code"}
STATUSES = (  # by State; source: developer.bigcommerce.com, orders V2, order statuses
    (7, "Awaiting Payment"),
    (11, "Awaiting Fulfillment"),
    (10, "Completed"),
    (14, "Partially Refunded"),
    (4, "Refunded"),
    (5, "Cancelled"),
)


def _orders(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """Orders, one version per day on which an order changed."""
    versions = read_versions(shop, activity, store, tests=False)
    orders, rows = activity.orders, versions.order
    state = versions.states(orders)
    none, discount = np.zeros_like(rows), orders.discount[rows].sum(axis=1)
    refunded = np.where(versions.is_past(orders.refunded_at), orders.refund[rows], 0)
    visitors, visitor = activity.traffic.visitors, orders.visitor[rows]
    customer = np.where(visitors.has_account[visitor], customer_ids(shop, visitors)[visitor], 0)
    return pa.table(
        {
            "id": integers(order_ids(shop, orders)[rows]),
            "customer_id": integers(customer),
            "date_created": rfc_2822(orders.placed_at[rows]),
            "date_modified": rfc_2822(versions.as_of),
            "date_shipped": pc.coalesce(versions.where_past(orders.fulfilled_at, rfc_2822), ""),
            "status_id": integers(np.array([number for number, _ in STATUSES])[state]),
            "status": pick_texts([label for _, label in STATUSES], state),
            "payment_method": repeat_text("Stripe" if shop.takes_payments else "Credit Card", rows),
            "payment_status": pick_texts(["", "captured"], versions.is_past(orders.paid_at).astype(np.int64)),
            "payment_provider_id": _payments(shop, orders, versions),
            "subtotal_ex_tax": _amount(orders.subtotal[rows] + discount),
            "subtotal_inc_tax": _amount(orders.total[rows] + discount),
            "shipping_cost_ex_tax": _amount(none),
            "shipping_cost_inc_tax": _amount(none),
            "total_ex_tax": _amount(orders.subtotal[rows]),
            "total_inc_tax": _amount(orders.total[rows]),
            "total_tax": _amount(orders.tax[rows]),
            "discount_amount": _amount(discount),
            "refunded_amount": _amount(refunded),
            "currency_code": repeat_text(store.currency, rows),
            "currency_exchange_rate": repeat_text("1.0000000000", rows),
            "default_currency_code": repeat_text(store.currency, rows),
            "items_total": integers(orders.quantity[rows].sum(axis=1)),
            "is_deleted": pa.array(np.zeros(len(rows), dtype=np.bool_)),
            "order_source": repeat_text("www", rows),
            "channel_id": integers(np.ones_like(rows)),
            "billing_address": addresses(shop, visitors, visitor, ADDRESS),
        }
    )


def _payments(shop: Shop, orders: Orders, versions: Versions) -> Any:
    """The payment's id at Stripe once there is one: of some orders the charge, of the others the payment intent."""
    rows = versions.order
    if not shop.takes_payments:
        return repeat_text("", rows)
    is_paid = versions.is_past(orders.paid_at) & is_charged(orders)[rows]
    is_intent = orders.number[rows] % 2 == 1
    ids = pc.if_else(pa.array(is_intent), intent_ids(shop, orders, rows), charge_ids(shop, orders, rows))
    return pc.if_else(pa.array(is_paid), ids, "")


def _order_products(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """The lines of every order that changed, in their state at the end of the span."""
    versions = read_versions(shop, activity, store, tests=False).newest()
    orders = activity.orders
    position, line = np.nonzero(orders.quantity[versions.order])
    order = versions.order[position]
    price, quantity = orders.price[order, line], orders.quantity[order, line]
    gross, discount = price * quantity, orders.discount[order, line]
    returned = np.where(versions.is_past(orders.refunded_at)[position], orders.refund_quantity[order, line], 0)
    step = store.smallest
    refunded = (gross - discount) * returned // quantity
    applied = struct(
        {
            "id": repeat_text("basket-tenth", order[discount > 0]),
            "amount": _amount(discount[discount > 0]),
            "target": repeat_text("order", order[discount > 0]),
            "code": codes_of(orders, order[discount > 0]),
        }
    )
    product = orders.product[order, line]
    return pa.table(
        {
            "id": integers(order_ids(shop, orders)[order] * LINE_IDS + line),
            "order_id": integers(order_ids(shop, orders)[order]),
            "product_id": integers(store.base + product),
            "variant_id": integers(store.base + product + len(catalog_of(shop, store).prices)),
            "name": pick_texts(shop.goods.titles, product),
            "sku": concat_texts("SKU-", digits(product + 1)),
            "type": repeat_text("physical", product),
            "quantity": integers(quantity),
            "base_price": _amount(price),
            "price_ex_tax": _amount(price),
            "price_inc_tax": _amount(price + tax_of(price, step)),
            "base_total": _amount(gross),
            "total_ex_tax": _amount(gross),
            "total_inc_tax": _amount(gross + tax_of(gross, step)),
            "total_tax": _amount(tax_of(gross, step)),
            "quantity_refunded": integers(returned),
            "refund_amount": _amount(refunded + tax_of(refunded, step)),
            "applied_discounts": lists((discount > 0).astype(np.int64), applied),
        }
    )


def _products(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """Products in their state at the end of the span."""
    prices = catalog_of(shop, store).prices
    position = np.arange(len(prices))
    utc = Zone("UTC")
    sku, price = concat_texts("SKU-", digits(position + 1)), pa.array(major_units(prices))
    variant = {
        "id": integers(store.base + position + len(position)),
        "sku": sku,
        "price": pa.nulls(len(position), pa.float64()),
    }
    categories = sorted(set(shop.goods.kinds))
    category = np.array([categories.index(kind) for kind in shop.goods.kinds[: len(position)]])
    return pa.table(
        {
            "id": integers(store.base + position),
            "name": pick_texts(shop.goods.titles, position),
            "sku": sku,
            "type": repeat_text("physical", position),
            "price": price,
            "calculated_price": price,
            "categories": lists(np.ones_like(position), integers(20 + category)),
            "availability": repeat_text("available", position),
            "is_visible": pa.array(np.ones(len(position), dtype=np.bool_)),
            "date_created": utc.texts(product_created_at(activity, position)),
            "date_modified": utc.texts(restocked_at(activity, position)),
            "variants": lists(np.ones_like(position), struct(variant)),
        }
    )


def _amount(cents: Ints) -> Any:
    """Money as V2 writes it, in every currency: "35.6300"."""
    return money(cents, decimals=4)


VIEW = View(
    exports={
        "orders": SimulatedExport("jsonl", _orders, keeps_nulls=True),
        "order_products": SimulatedExport("jsonl", _order_products, keeps_nulls=True),
        "products": SimulatedExport("jsonl", _products, keeps_nulls=True),
    },
    digits=13,
)
