"""Shopify orders, one version per day on which an order changed."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from pipeline.connectors.shopify.synthetic_baskets import lines, notes, refunds
from pipeline.synthetic.activity.discounts import used_codes
from pipeline.synthetic.activity.order_versions import read_versions
from pipeline.synthetic.activity.people import read_people
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids
from pipeline.synthetic.activity.traffic import ORGANIC
from pipeline.synthetic.arrays.columns import (
    concat_texts,
    digits,
    integers,
    pick_texts,
    repeat_text,
    struct,
    take_numbers,
    take_rows,
)
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.names import TOWNS
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.model.shop import Shop, ShopAccount

FINANCIAL_STATUSES = ("pending", "paid", "paid", "partially_refunded", "refunded", "voided")  # by State


def order_records(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """The orders of a store."""
    versions = read_versions(shop, activity, store, tests=True)
    orders, rows = activity.orders, versions.order
    ids, serial = order_ids(shop, orders)[rows], orders.number[rows]
    placed = store.zone.texts(orders.placed_at[rows])
    customer, email = _customers(shop, activity, rows)
    currency = repeat_text(store.currency, rows)
    refunded = versions.is_past(orders.refunded_at)
    current_total = orders.total[rows] - np.where(refunded, orders.refund[rows], 0)

    def amount(cents: Ints) -> Any:
        return money(cents, decimals=store.decimals)

    def moment(moments: Ints) -> Any:
        return versions.where_past(moments, store.zone.texts)

    columns = {
        "id": integers(ids),
        "name": concat_texts("#", digits(serial)),
        "order_number": integers(serial),
        "email": email,
        "contact_email": email,
        "created_at": placed,
        "processed_at": placed,
        "updated_at": store.zone.texts(versions.as_of),
        "cancelled_at": moment(orders.cancelled_at),
        "closed_at": moment(orders.fulfilled_at),
        "cancel_reason": pick_texts(["customer"], versions.is_past(orders.cancelled_at) - 1),
        "test": pa.array(orders.is_test[rows]),
        "currency": currency,
        "presentment_currency": currency,
        "financial_status": pick_texts(FINANCIAL_STATUSES, versions.states(orders)),
        "fulfillment_status": pick_texts(["fulfilled"], versions.is_past(orders.fulfilled_at) - 1),
        "taxes_included": pa.array(np.zeros(len(rows), dtype=np.bool_)),
        "total_price": amount(orders.total[rows]),
        "current_total_price": amount(current_total),
        "subtotal_price": amount(orders.subtotal[rows]),
        "total_line_items_price": amount((orders.subtotal + orders.discount.sum(axis=1))[rows]),
        "total_discounts": amount(orders.discount.sum(axis=1)[rows]),
        "total_tax": amount(orders.tax[rows]),
        "gateway": pick_texts(["card_payments", "bogus"], orders.is_test[rows].astype(np.int64)),
        "source_name": pick_texts(["web", "shopify_draft_order"], orders.is_test[rows].astype(np.int64)),
        **_landing(activity, rows),
        "customer": customer,
        **_addresses(activity, rows),
        "line_items": lines(shop, orders, store, rows, refunded),
        "refunds": refunds(shop, orders, store, rows, refunded),
        "discount_codes": used_codes(orders, rows),
        "note_attributes": notes(shop, orders, rows, versions.is_past(orders.paid_at) if shop.takes_payments else None),
    }
    return pa.table(columns)


def _customers(shop: Shop, activity: Activity, rows: Ints) -> tuple[Any, Any]:
    """Customers and emails of orders; guests and test orders have no customer, and some guests no email."""
    visitors, visitor = activity.traffic.visitors, activity.orders.visitor[rows]
    people = read_people(shop, visitors)
    customers = struct(
        {
            "id": integers(customer_ids(shop, visitors)),
            "email": people.emails,
            "first_name": people.first_names,
            "last_name": people.last_names,
        }
    )
    is_customer = take_numbers(visitors.has_account.astype(np.int64), visitor) == 1
    has_email = take_numbers(people.has_email.astype(np.int64), visitor) == 1
    emails = take_rows(people.emails, np.where(has_email, visitor, -1))
    return take_rows(customers, np.where(is_customer, visitor, -1)), emails


def _landing(activity: Activity, rows: Ints) -> dict[str, Any]:
    """The landing page of the visit, and its referring page."""
    origins = activity.traffic.origins
    links = zip(origins.sources, origins.mediums, origins.campaigns, strict=True)
    pages = [f"/?utm_source={source}&utm_medium={medium}&utm_campaign={quote(name)}" for source, medium, name in links]
    pages[: len(ORGANIC)] = ["/"] * len(ORGANIC)
    origin = take_numbers(activity.traffic.visits.origin, activity.orders.visit[rows])
    sites = pa.array(origins.sites, pa.string())
    return {"landing_site": pick_texts(pages, origin), "referring_site": take_rows(sites, origin)}


def _addresses(activity: Activity, rows: Ints) -> dict[str, Any]:
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
    address = take_rows(towns, take_numbers(activity.traffic.visitors.town, activity.orders.visitor[rows]))
    return {"shipping_address": address, "billing_address": address}
