"""Shopify orders, in every version that a day left behind."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from pipeline.connectors.shopify.synthetic_baskets import lines, notes, refunds
from pipeline.synthetic.activity.order_versions import read_versions
from pipeline.synthetic.activity.people import read_people
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids
from pipeline.synthetic.activity.traffic import ORGANIC
from pipeline.synthetic.arrays.columns import at, chosen, digits, joined, same, struct, taken, whole
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.names import TOWNS
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount

FINANCIAL_STATUSES = ("pending", "paid", "paid", "partially_refunded", "refunded", "voided")  # by State


def order_records(shop: Shop, trade: Activity, store: ShopAccount) -> Any:
    """The orders of a store."""
    versions = read_versions(shop, trade, store, tests=True)
    orders, rows = trade.orders, versions.order
    ids, serial = order_ids(shop, orders)[rows], orders.number[rows]
    placed = store.zone.texts(orders.placed_at[rows])
    customer, email = _customers(shop, trade, rows)
    currency = same(store.currency, rows)
    refunded = versions.is_past(orders.refunded_at)
    left = orders.total[rows] - np.where(refunded, orders.refund[rows], 0)

    def amount(cents: Ints) -> Any:
        return money(cents, decimals=store.decimals)

    def moment(moments: Ints) -> Any:
        return versions.where_past(moments, store.zone.texts)

    columns = {
        "id": whole(ids),
        "name": joined("#", digits(serial)),
        "order_number": whole(serial),
        "email": email,
        "contact_email": email,
        "created_at": placed,
        "processed_at": placed,
        "updated_at": store.zone.texts(versions.as_of),
        "cancelled_at": moment(orders.cancelled_at),
        "closed_at": moment(orders.fulfilled_at),
        "cancel_reason": chosen(["customer"], versions.is_past(orders.cancelled_at) - 1),
        "test": pa.array(orders.is_test[rows]),
        "currency": currency,
        "presentment_currency": currency,
        "financial_status": chosen(FINANCIAL_STATUSES, versions.states(orders)),
        "fulfillment_status": chosen(["fulfilled"], versions.is_past(orders.fulfilled_at) - 1),
        "total_price": amount(orders.total[rows]),
        "current_total_price": amount(left),
        "subtotal_price": amount(orders.subtotal[rows]),
        "total_line_items_price": amount((orders.subtotal + orders.discount.sum(axis=1))[rows]),
        "total_discounts": amount(orders.discount.sum(axis=1)[rows]),
        "total_tax": amount(orders.tax[rows]),
        "gateway": chosen(["card_payments", "bogus"], orders.is_test[rows].astype(np.int64)),
        "source_name": chosen(["web", "shopify_draft_order"], orders.is_test[rows].astype(np.int64)),
        **_landing(trade, rows),
        "customer": customer,
        **_addresses(trade, rows),
        "line_items": lines(shop, orders, store, rows),
        "refunds": refunds(shop, orders, store, rows, refunded),
        "note_attributes": notes(shop, orders, rows, versions.is_past(orders.paid_at) if shop.takes_payments else None),
    }
    return pa.table(columns)


def _customers(shop: Shop, trade: Activity, rows: Ints) -> tuple[Any, Any]:
    """Customers with an account; guests and the shop's own tests have none, and guests not always an email."""
    visitors, visitor = trade.traffic.visitors, trade.orders.visitor[rows]
    people = read_people(shop, visitors)
    customers = struct(
        {
            "id": whole(customer_ids(shop, visitors)),
            "email": people.emails,
            "first_name": people.first_names,
            "last_name": people.last_names,
        }
    )
    is_customer = at(visitors.has_account.astype(np.int64), visitor) == 1
    has_email = at(people.has_email.astype(np.int64), visitor) == 1
    return taken(customers, np.where(is_customer, visitor, -1)), taken(people.emails, np.where(has_email, visitor, -1))


def _landing(trade: Activity, rows: Ints) -> dict[str, Any]:
    """The address the visit began at, and the page before it."""
    said = trade.traffic.origins
    links = zip(said.sources, said.mediums, said.campaigns, strict=True)
    pages = [f"/?utm_source={source}&utm_medium={medium}&utm_campaign={quote(name)}" for source, medium, name in links]
    pages[: len(ORGANIC)] = ["/"] * len(ORGANIC)
    origin = at(trade.traffic.visits.origin, trade.orders.visit[rows])
    sites = pa.array(said.sites, pa.string())
    return {"landing_site": chosen(pages, origin), "referring_site": taken(sites, origin)}


def _addresses(trade: Activity, rows: Ints) -> dict[str, Any]:
    towns = pa.array(
        [
            {
                "country": town.country,
                "country_code": town.code,
                "province": town.region,
                "city": town.city,
                "zip": town.zip,
            }
            for town in TOWNS
        ]
    )
    address = taken(towns, at(trade.traffic.visitors.town, trade.orders.visitor[rows]))
    return {"shipping_address": address, "billing_address": address}
