"""The shop as Google Analytics 4 exports it: events with nested parameters, as in the BigQuery export."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.connectors.google_analytics.contract import OBJECTS
from pipeline.synthetic.activity.event_log import EventLog, read_event_log
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids, store_bases
from pipeline.synthetic.arrays.columns import at, chosen, digits, joined, lists, same, struct, taken, whole
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.zones import SECOND, date_texts
from pipeline.synthetic.model.funnel import PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

NAMES = (*STEPS, "first_visit", "page_view")
CART = STEPS.index("add_to_cart")
PARAMS = ("ga_session_id", "ga_session_number", "source", "medium", "campaign", "currency", "value", "transaction_id")
SESSION, NUMBER, SOURCE, MEDIUM, CAMPAIGN, CURRENCY, VALUE, TRANSACTION = range(len(PARAMS))


def _events(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """The events of the property; where an export is whole days, the day before comes again with its late events."""
    log = read_event_log(shop, trade, outlet, whole_days=OBJECTS["events"].daily_slice)
    visitors, visits = trade.traffic.visitors, trade.traffic.visits
    first_at = visits.steps[: len(visitors.token), 0]
    users = joined(digits(visitors.token), ".", digits(first_at // SECOND))
    said, words = log.origins(trade), _words(trade)
    collected = {f"manual_{key}": chosen(texts, said) for key, texts in words.items()}
    collected["manual_campaign_name"] = collected.pop("manual_name")
    first_origin = at(visits.origin, log.visitor)
    columns = {
        "event_date": date_texts(outlet.zone.days(log.at), compact=True),
        "event_timestamp": whole(log.at),
        "event_name": chosen(NAMES, log.name),
        "event_params": _params(shop, trade, log, words),
        "event_bundle_sequence_id": whole(log.at // SECOND % 10**9),
        "user_id": digits(at(customer_ids(shop, visitors), log.visitor), log.is_known(trade)),
        "user_pseudo_id": taken(users, log.visitor),
        "privacy_info": _privacy(log),
        "user_first_touch_timestamp": whole(at(first_at, log.visitor), log.has_user),
        "device": _devices(shop.host).take(pa.array(log.machine)),
        "geo": _places().take(pa.array(log.town)),
        "traffic_source": struct({key: chosen(texts, first_origin) for key, texts in words.items()}, log.has_user),
        "collected_traffic_source": struct(collected, said >= 0),
        "stream_id": same(str(outlet.base % 10**10), log.at),
        "platform": same("WEB", log.at),
        "ecommerce": _ecommerce(shop, trade, log),
        "items": _items(shop, trade, log),
    }
    return pa.table(columns)


def _words(trade: Activity) -> dict[str, tuple[str, ...]]:
    """Campaign, medium and source of every origin."""
    said = trade.traffic.origins
    return {"name": said.campaigns, "medium": said.mediums, "source": said.sources}


def _params(shop: Shop, trade: Activity, log: EventLog, words: dict[str, tuple[str, ...]]) -> Any:
    """Keys with their values, each in the slot of its type: a `value` without cents is an int, as with the vendor."""
    visits, orders, sold = trade.traffic.visits, trade.orders, log.orders(trade)
    present = np.stack([log.has_user] * 2 + [log.origins(trade) >= 0] * 3 + [sold >= 0] * 3, axis=1)
    event, key = np.nonzero(present)
    visit, order = log.visit[event], np.where(key >= CURRENCY, sold[event], -1)
    cents = at(orders.total, order)
    is_value, is_round = key == VALUE, cents % 100 == 0
    integer = np.select(
        [key == SESSION, key == NUMBER], [visits.steps[visit, 0] // SECOND, visits.number[visit]], cents // 100
    )
    sets = [*words["source"], *words["medium"], *words["name"], *(store.currency for store in shop.stores)]
    size = len(words["name"])
    word = np.where(key == CURRENCY, 3 * size + at(orders.store, order), (key - SOURCE) * size + visits.origin[visit])
    is_word = (key >= SOURCE) & (key <= CURRENCY)
    ids = taken(digits(order_ids(shop, orders)), np.where(key == TRANSACTION, order, -1))
    slots = {
        "string_value": pc.coalesce(chosen(sets, np.where(is_word, word, -1)), ids),
        "int_value": whole(integer, (key < SOURCE) | (is_value & is_round)),
        "float_value": pa.nulls(len(key), pa.float64()),
        "double_value": pa.array(cents / 100, mask=~is_value | is_round),
    }
    return lists(present.sum(axis=1), struct({"key": chosen(PARAMS, key), "value": struct(slots)}))


def _ecommerce(shop: Shop, trade: Activity, log: EventLog) -> Any:
    """A purchase's totals; earlier steps from the cart on carry the vendor's '(not set)'."""
    orders, sold = trade.orders, log.orders(trade)
    order = sold[sold >= 0]
    in_usd = np.array([store.currency == "USD" for store in shop.stores])[orders.store[order]]
    revenue = orders.total[order] / 100
    fields = {
        "total_item_quantity": whole(orders.quantity[order].sum(axis=1)),
        "purchase_revenue_in_usd": pa.array(revenue, mask=~in_usd),
        "purchase_revenue": pa.array(revenue),
        "tax_value": pa.array(orders.tax[order] / 100),
        "unique_items": whole((orders.quantity[order] > 0).sum(axis=1)),
        "transaction_id": digits(order_ids(shop, orders)[order]),
    }
    purchases = struct(fields)
    not_set = pa.array([{"transaction_id": "(not set)"}], purchases.type)
    rows = np.where((log.name >= CART) & (log.name < PURCHASE), 0, -1)
    rows[sold >= 0] = np.arange(1, len(order) + 1)
    return taken(pa.concat_arrays([not_set, purchases]), rows)


def _items(shop: Shop, trade: Activity, log: EventLog) -> Any:
    """The lines of a purchase's basket; an empty list for every other event."""
    orders, sold = trade.orders, log.orders(trade)
    held = np.zeros((len(log.at), orders.quantity.shape[1]), dtype=np.bool_)
    held[sold >= 0] = orders.quantity[sold[sold >= 0]] > 0
    event, line = np.nonzero(held)
    order = sold[event]
    product, price, quantity = (of[order, line] for of in (orders.product, orders.price, orders.quantity))
    fields = {
        "item_id": digits(store_bases(shop)[orders.store[order]] + product),
        "item_name": chosen(shop.goods.titles, product),
        "item_category": chosen(shop.goods.kinds, product),
        "price": pa.array(price / 100),
        "quantity": whole(quantity),
        "item_revenue": pa.array((price * quantity - orders.discount[order, line]) / 100),
    }
    return lists(held.sum(axis=1), struct(fields))


def _privacy(log: EventLog) -> Any:
    consent = chosen(["No", "Yes"], log.has_user.astype(np.int64))
    return struct({"analytics_storage": consent, "ads_storage": consent})


def _devices(host: str) -> Any:
    return pa.array(
        [
            {
                "category": machine.category,
                "mobile_brand_name": machine.brand,
                "operating_system": machine.system,
                "language": "en-us",
                "web_info": {"browser": machine.browser, "hostname": host},
            }
            for machine in DEVICES
        ]
    )


def _places() -> Any:
    names = ("continent", "sub_continent", "country", "region", "city")
    return pa.array([{name: getattr(town, name) for name in names} for town in TOWNS])


VIEW = View(exports={"events": SimulatedExport("parquet", _events)})
