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
from pipeline.synthetic.arrays.columns import concat_texts, digits, integers, pick_texts, repeat_text, struct, take_rows
from pipeline.synthetic.arrays.money import minor_units
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.arrays.tokens import letters
from pipeline.synthetic.arrays.zones import SECOND
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

BRANDS = ("visa", "mastercard", "amex")
PATIENCE = 90 * SECOND  # from a declined attempt to the order that is still placed


_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class _Charges:
    """Attempts to charge for orders."""

    order: Ints  # row of the order
    succeeds: Bools
    created: Ints  # UTC microseconds
    is_refunded: Bools  # in part or in full, at the end of the span


def _charges(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """Charges created or refunded on days of the span, in their state at its end; stores alternate over accounts."""
    orders = activity.orders
    count = account.platform_accounts
    stores = [store for index, store in enumerate(shop.stores) if index % count == account.position]
    placed = np.concatenate([orders_of(shop, activity, store, tests=False) for store in stores] or [_NONE])
    paid, declined = placed[is_charged(orders)[placed]], placed[was_declined(orders)[placed]]
    order = np.concatenate([declined, paid])
    succeeds = np.arange(len(order)) >= len(declined)
    created = np.where(succeeds, orders.paid_at[order], orders.placed_at[order] - PATIENCE)
    refunded_at = np.where(succeeds, orders.refunded_at[order], NEVER)
    is_exported = _on_span(activity, account, created) | _on_span(activity, account, refunded_at)
    is_exported &= account.zone.days(created) <= activity.span.last
    rows = np.flatnonzero(is_exported)[np.argsort(created[is_exported], kind="stable")]
    end = int(account.zone.midnights(np.array([activity.span.last + 1]))[0])
    charges = _Charges(order[rows], succeeds[rows], created[rows], refunded_at[rows] < end)
    return _records(shop, activity, charges)


def _on_span(activity: Activity, account: ShopAccount, moments: Ints) -> Bools:
    """Whether moments are on days of the span."""
    is_inside = np.zeros(len(moments), dtype=np.bool_)
    happens = moments != NEVER
    days = account.zone.days(moments[happens])
    is_inside[happens] = (days >= activity.span.first) & (days <= activity.span.last)
    return is_inside


def _records(shop: Shop, activity: Activity, charges: _Charges) -> Any:
    orders, order, succeeds = activity.orders, charges.order, charges.succeeds
    amount, refund = (_units(shop, orders.store[order], cents[order]) for cents in (orders.total, orders.refund))
    returned = np.where(charges.is_refunded, refund, 0)
    paid = succeeds.astype(np.int64)
    ids = pc.if_else(pa.array(succeeds), charge_ids(shop, orders, order), declined_ids(shop, orders, order))
    people, visitor = read_people(shop, activity.traffic.visitors), orders.visitor[order]
    emails = take_rows(people.emails, np.where(people.has_email[visitor], visitor, -1))
    transactions = concat_texts("txn_3", letters(shop.seed, "balance transaction", orders.number[order], 23))
    card = {"brand": pick_texts(BRANDS, orders.number[order] % 3), "last4": digits(1000 + orders.number[order] % 9000)}
    return pa.table(
        {
            "id": ids,
            "amount": integers(amount),
            "amount_captured": integers(amount * paid),
            "amount_refunded": integers(returned),
            "currency": pick_texts([store.currency.lower() for store in shop.stores], orders.store[order]),
            "created": integers(charges.created // SECOND),
            "status": pick_texts(["failed", "succeeded"], paid),
            "captured": pa.array(succeeds),
            "paid": pa.array(succeeds),
            "refunded": pa.array(charges.is_refunded & (returned == amount)),
            "disputed": pa.array(np.zeros(len(order), dtype=np.bool_)),
            "livemode": pa.array(np.ones(len(order), dtype=np.bool_)),
            "failure_code": pick_texts(["card_declined"], -paid),
            "description": concat_texts("Order ", digits(order_ids(shop, orders)[order])),
            "payment_intent": intent_ids(shop, orders, order),
            "balance_transaction": take_rows(transactions, np.where(succeeds, np.arange(len(order)), -1)),
            "receipt_email": emails,
            "billing_details": struct({"email": emails}),
            "payment_method_details": struct({"type": repeat_text("card", order), "card": struct(card)}),
            "metadata": struct({"order_id": digits(order_ids(shop, orders)[order])}),
        }
    )


def _units(shop: Shop, store: Ints, cents: Ints) -> Ints:
    """Amounts in Stripe's minor units of their store's currency."""
    units = np.zeros_like(cents)
    for index, each in enumerate(shop.stores):
        units[store == index] = minor_units(cents[store == index], each.currency)
    return units


VIEW = View(exports={"charges": SimulatedExport("jsonl", _charges, keeps_nulls=True)})
