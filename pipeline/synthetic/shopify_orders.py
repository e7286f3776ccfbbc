"""Shopify orders: one record per day on which an order changed, as it was at the end of that day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its arrays and tables are Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.columns import at, chosen, digits, joined, money, struct, taken, whole
from pipeline.synthetic.dice import Bools, Ints
from pipeline.synthetic.names import FIRST_NAMES, LAST_NAMES, TOWNS
from pipeline.synthetic.orders import Orders
from pipeline.synthetic.shop import Outlet, Shop
from pipeline.synthetic.shopify_baskets import lines, notes, refunds
from pipeline.synthetic.trade import Trade, customer_ids, order_ids
from pipeline.synthetic.traffic import NEVER, ORGANIC

GUESTS_WITH_EMAIL = 2  # every second guest leaves an address


@dataclass(frozen=True)
class _Versions:
    """Orders as they were at the end of days on which they changed."""

    order: Ints
    as_of: Ints

    def is_past(self, moments: Ints) -> Bools:
        """Whether a moment of each order had passed by then."""
        return np.asarray(moments[self.order] <= self.as_of)


def _versions(trade: Trade, account: int, store: Outlet) -> _Versions:
    """What changed on the days of the span, of orders placed since the books were opened."""
    orders, span = trade.orders, trade.span
    mine = np.flatnonzero(orders.store == account)
    mine = mine[store.zone.days(orders.placed_at[mine]) >= span.opening]
    moments = (orders.placed_at, orders.paid_at, orders.cancelled_at, orders.fulfilled_at, orders.refunded_at)
    changes = np.sort(np.stack([moment[mine] for moment in moments], axis=1), axis=1)
    happens = changes != NEVER
    days = np.full(changes.shape, NEVER)
    days[happens] = store.zone.days(changes[happens])
    is_last = np.column_stack([days[:, 1:] != days[:, :-1], np.ones(len(mine), dtype=np.bool_)])
    row, column = np.nonzero(is_last & (days >= span.first) & (days <= span.last))
    turn = np.argsort(changes[row, column], kind="stable")
    return _Versions(mine[row[turn]], changes[row, column][turn])


def order_records(shop: Shop, trade: Trade, account: int) -> Any:
    """The orders of the store at this position."""
    store = shop.stores[account]
    versions = _versions(trade, account, store)
    orders, rows = trade.orders, versions.order
    ids, serial = order_ids(shop, orders)[rows], orders.number[rows]
    placed = store.zone.texts(orders.placed_at[rows])
    customer, email = _customers(shop, trade, rows)
    currency = chosen([store.currency], np.zeros_like(rows))
    refunded = versions.is_past(orders.refunded_at)
    left = orders.total[rows] - np.where(refunded, orders.refund[rows], 0)
    columns = {
        "id": whole(ids),
        "name": joined("#", digits(serial)),
        "order_number": whole(serial),
        "email": email,
        "contact_email": email,
        "created_at": placed,
        "processed_at": placed,
        "updated_at": store.zone.texts(versions.as_of),
        "cancelled_at": _moment(store, versions, orders.cancelled_at),
        "closed_at": _moment(store, versions, orders.fulfilled_at),
        "cancel_reason": chosen(["customer"], versions.is_past(orders.cancelled_at) - 1),
        "test": pa.array(orders.is_test[rows]),
        "currency": currency,
        "presentment_currency": currency,
        "financial_status": _financial_status(orders, versions),
        "fulfillment_status": chosen(["fulfilled"], versions.is_past(orders.fulfilled_at) - 1),
        "total_price": money(orders.total[rows]),
        "current_total_price": money(left),
        "subtotal_price": money(orders.subtotal[rows]),
        "total_line_items_price": money((orders.subtotal + orders.discount.sum(axis=1))[rows]),
        "total_discounts": money(orders.discount.sum(axis=1)[rows]),
        "total_tax": money(orders.tax[rows]),
        "gateway": chosen(["card_payments", "bogus"], orders.is_test[rows].astype(np.int64)),
        "source_name": chosen(["web", "shopify_draft_order"], orders.is_test[rows].astype(np.int64)),
        **_landing(shop, trade, rows),
        "customer": customer,
        **_addresses(trade, rows),
        "line_items": lines(shop, orders, store, rows),
        "refunds": refunds(shop, orders, store, rows, versions.is_past(orders.refunded_at)),
        "note_attributes": notes(orders, rows),
    }
    return pa.table(columns)


def _moment(store: Outlet, versions: _Versions, moments: Ints) -> Any:
    """When something happened; none while it had not."""
    past = versions.is_past(moments)
    rows = np.where(past, np.cumsum(past) - 1, -1)
    return taken(store.zone.texts(moments[versions.order[past]]), rows)


def _financial_status(orders: Orders, versions: _Versions) -> Any:
    names = ["pending", "paid", "partially_refunded", "refunded", "voided"]
    is_whole = (orders.refund >= orders.total)[versions.order]
    refunded, cancelled = versions.is_past(orders.refunded_at), versions.is_past(orders.cancelled_at)
    conditions = [refunded & is_whole, refunded, cancelled, versions.is_past(orders.paid_at)]
    return chosen(names, np.select(conditions, [3, 2, 4, 1], 0))


def _customers(shop: Shop, trade: Trade, rows: Ints) -> tuple[Any, Any]:
    """Customers with an account; guests and the shop's own tests have none, and guests not always an email."""
    visitors, visitor = trade.traffic.visitors, trade.orders.visitor[rows]
    first, last = visitors.token % len(FIRST_NAMES), visitors.token // 7 % len(LAST_NAMES)
    first_names, last_names = chosen(FIRST_NAMES, first), chosen(LAST_NAMES, last)
    ids = customer_ids(shop, visitors)
    handle = pc.utf8_lower(joined(first_names, ".", last_names))
    emails = joined(handle, ".", digits(ids % 10**12), "@mail.example")
    people = struct({"id": whole(ids), "email": emails, "first_name": first_names, "last_name": last_names})
    reachable = visitors.has_account | (visitors.token % GUESTS_WITH_EMAIL == 0)
    is_customer = at(visitors.has_account.astype(np.int64), visitor) == 1
    has_email = at(reachable.astype(np.int64), visitor) == 1
    return taken(people, np.where(is_customer, visitor, -1)), taken(emails, np.where(has_email, visitor, -1))


def _landing(shop: Shop, trade: Trade, rows: Ints) -> dict[str, Any]:
    """The address the visit began at, and the page before it."""
    visits = trade.traffic.visits
    campaign = "/?utm_source=facebook&utm_medium=paid_social&utm_campaign="
    paid = [campaign + quote(name) for name in shop.ads.campaigns]
    before = ["https://www.google.com/", None, None, "https://blog.example/"]
    before += ["https://www.facebook.com/"] * len(paid)
    origin = at(visits.origin, trade.orders.visit[rows])
    sites = pa.array(before, pa.string())
    return {"landing_site": chosen(["/"] * len(ORGANIC) + paid, origin), "referring_site": taken(sites, origin)}


def _addresses(trade: Trade, rows: Ints) -> dict[str, Any]:
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
