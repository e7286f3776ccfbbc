"""The shop as Stripe returns it: charges, the declined ones among them, in whole minor units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.activity.order_versions import orders_of
from pipeline.synthetic.activity.payments import charge_ids, declined_ids, intent_ids, is_charged, was_declined
from pipeline.synthetic.activity.people import read_people
from pipeline.synthetic.activity.simulation import Activity, order_ids
from pipeline.synthetic.activity.traffic import NEVER
from pipeline.synthetic.arrays.columns import chosen, digits, joined, same, struct, taken, whole
from pipeline.synthetic.arrays.money import minor_units
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.arrays.zones import SECOND
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

BRANDS = ("visa", "mastercard", "amex")
PATIENCE = 90 * SECOND  # from a declined attempt to the order that is placed all the same


_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class _Charges:
    """Attempts to take the money of orders."""

    order: Ints  # row of the order
    succeeds: Bools
    created: Ints  # UTC microseconds
    is_refunded: Bools  # some or all of it, by now


def _charges(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """Charges made or refunded on the days of the span, as they are at its end; stores take turns with accounts."""
    orders = trade.orders
    stores = [store for place, store in enumerate(shop.stores) if place % outlet.of == outlet.place]
    placed = np.concatenate([orders_of(shop, trade, store, tests=False) for store in stores] or [_NONE])
    paid, declined = placed[is_charged(orders)[placed]], placed[was_declined(orders)[placed]]
    order = np.concatenate([declined, paid])
    succeeds = np.arange(len(order)) >= len(declined)
    created = np.where(succeeds, orders.paid_at[order], orders.placed_at[order] - PATIENCE)
    refunded_at = np.where(succeeds, orders.refunded_at[order], NEVER)
    wanted = _on_span(trade, outlet, created) | _on_span(trade, outlet, refunded_at)
    wanted &= outlet.zone.days(created) <= trade.span.last
    rows = np.flatnonzero(wanted)[np.argsort(created[wanted], kind="stable")]
    end = int(outlet.zone.midnights(np.array([trade.span.last + 1]))[0])
    charges = _Charges(order[rows], succeeds[rows], created[rows], refunded_at[rows] < end)
    return _records(shop, trade, charges)


def _on_span(trade: Activity, outlet: ShopAccount, moments: Ints) -> Bools:
    """Whether moments fall on days of the span."""
    found = np.zeros(len(moments), dtype=np.bool_)
    happens = moments != NEVER
    days = outlet.zone.days(moments[happens])
    found[happens] = (days >= trade.span.first) & (days <= trade.span.last)
    return found


def _records(shop: Shop, trade: Activity, charges: _Charges) -> Any:
    orders, order, succeeds = trade.orders, charges.order, charges.succeeds
    amount, refund = (_units(shop, orders.store[order], cents[order]) for cents in (orders.total, orders.refund))
    returned = np.where(charges.is_refunded, refund, 0)
    paid = succeeds.astype(np.int64)
    ids = pc.if_else(pa.array(succeeds), charge_ids(shop, orders, order), declined_ids(shop, orders, order))
    people, visitor = read_people(shop, trade.traffic.visitors), orders.visitor[order]
    emails = taken(people.emails, np.where(people.has_email[visitor], visitor, -1))
    moved = joined("txn_3", letters(shop.seed, "balance transaction", orders.number[order], 23))
    card = {"brand": chosen(BRANDS, orders.number[order] % 3), "last4": digits(1000 + orders.number[order] % 9000)}
    return pa.table(
        {
            "id": ids,
            "amount": whole(amount),
            "amount_captured": whole(amount * paid),
            "amount_refunded": whole(returned),
            "currency": chosen([store.currency.lower() for store in shop.stores], orders.store[order]),
            "created": whole(charges.created // SECOND),
            "status": chosen(["failed", "succeeded"], paid),
            "captured": pa.array(succeeds),
            "paid": pa.array(succeeds),
            "refunded": pa.array(charges.is_refunded & (returned == amount)),
            "disputed": pa.array(np.zeros(len(order), dtype=np.bool_)),
            "livemode": pa.array(np.ones(len(order), dtype=np.bool_)),
            "failure_code": chosen(["card_declined"], -paid),
            "description": joined("Order ", digits(order_ids(shop, orders)[order])),
            "payment_intent": intent_ids(shop, orders, order),
            "balance_transaction": taken(moved, np.where(succeeds, np.arange(len(order)), -1)),
            "receipt_email": emails,
            "billing_details": struct({"email": emails}),
            "payment_method_details": struct({"type": same("card", order), "card": struct(card)}),
            "metadata": struct({"order_id": digits(order_ids(shop, orders)[order])}),
        }
    )


def _units(shop: Shop, store: Ints, cents: Ints) -> Ints:
    """Amounts as Stripe counts the currency of their store."""
    units = np.zeros_like(cents)
    for place, each in enumerate(shop.stores):
        units[store == place] = minor_units(cents[store == place], each.currency)
    return units


VIEW = View(exports={"charges": SimulatedExport("jsonl", _charges, keeps_nulls=True)})
