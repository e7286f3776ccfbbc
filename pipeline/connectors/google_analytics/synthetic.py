"""The shop as Google Analytics 4 exports it: events with nested parameters, as in the BigQuery export."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.connectors.google_analytics.contract import OBJECTS
from pipeline.synthetic.activity.event_log import EventLog, read_event_log
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids, store_bases
from pipeline.synthetic.arrays.columns import (
    concat_texts,
    digits,
    integers,
    lists,
    pick_texts,
    repeat_text,
    struct,
    take_numbers,
    take_rows,
)
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.zones import SECOND, date_texts
from pipeline.synthetic.model.funnel import PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View

NAMES = (*STEPS, "first_visit", "page_view")
CART = STEPS.index("add_to_cart")
PARAMS = ("ga_session_id", "ga_session_number", "source", "medium", "campaign", "currency", "value", "transaction_id")
SESSION, NUMBER, SOURCE, MEDIUM, CAMPAIGN, CURRENCY, VALUE, TRANSACTION = range(len(PARAMS))


def _events(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """The events of the property; an export of complete days repeats the day before, with its late events."""
    log = read_event_log(shop, activity, account, whole_days=OBJECTS["events"].daily_slice)
    visitors, visits = activity.traffic.visitors, activity.traffic.visits
    first_at = visits.steps[: len(visitors.token), 0]
    users = concat_texts(digits(visitors.token), ".", digits(first_at // SECOND))
    origin, labels = log.origins(activity), _origin_labels(activity)
    collected = {f"manual_{key}": pick_texts(texts, origin) for key, texts in labels.items()}
    collected["manual_campaign_name"] = collected.pop("manual_name")
    first_origin = take_numbers(visits.origin, log.visitor)
    columns = {
        "event_date": date_texts(account.zone.days(log.at), compact=True),
        "event_timestamp": integers(log.at),
        "event_name": pick_texts(NAMES, log.name),
        "event_params": _params(shop, activity, log, labels),
        "event_bundle_sequence_id": integers(log.at // SECOND % 10**9),
        "user_id": digits(take_numbers(customer_ids(shop, visitors), log.visitor), log.is_known(activity)),
        "user_pseudo_id": take_rows(users, log.visitor),
        "privacy_info": _privacy(log),
        "user_first_touch_timestamp": integers(take_numbers(first_at, log.visitor), log.has_user),
        "device": _devices(shop.host).take(pa.array(log.device)),
        "geo": _geo().take(pa.array(log.town)),
        "traffic_source": struct({key: pick_texts(texts, first_origin) for key, texts in labels.items()}, log.has_user),
        "collected_traffic_source": struct(collected, origin >= 0),
        "stream_id": repeat_text(str(account.base % 10**10), log.at),
        "platform": repeat_text("WEB", log.at),
        "ecommerce": _ecommerce(shop, activity, log),
        "items": _items(shop, activity, log),
    }
    return pa.table(columns)


def _origin_labels(activity: Activity) -> dict[str, tuple[str, ...]]:
    """Campaign, medium and source of every origin."""
    origins = activity.traffic.origins
    return {"name": origins.campaigns, "medium": origins.mediums, "source": origins.sources}


def _params(shop: Shop, activity: Activity, log: EventLog, labels: dict[str, tuple[str, ...]]) -> Any:
    """Keys with values, each in the slot of its type: a `value` without cents is an int, as the vendor sends it."""
    visits, orders, sold = activity.traffic.visits, activity.orders, log.orders(activity)
    present = np.stack([log.has_user] * 2 + [log.origins(activity) >= 0] * 3 + [sold >= 0] * 3, axis=1)
    event, key = np.nonzero(present)
    visit, order = log.visit[event], np.where(key >= CURRENCY, sold[event], -1)
    cents = take_numbers(orders.total, order)
    is_value, is_round = key == VALUE, cents % 100 == 0
    integer = np.select(
        [key == SESSION, key == NUMBER], [visits.steps[visit, 0] // SECOND, visits.number[visit]], cents // 100
    )
    texts = [*labels["source"], *labels["medium"], *labels["name"], *(store.currency for store in shop.stores)]
    size = len(labels["name"])
    currency = 3 * size + take_numbers(orders.store, order)
    text = np.where(key == CURRENCY, currency, (key - SOURCE) * size + visits.origin[visit])
    is_text = (key >= SOURCE) & (key <= CURRENCY)
    ids = take_rows(digits(order_ids(shop, orders)), np.where(key == TRANSACTION, order, -1))
    slots = {
        "string_value": pc.coalesce(pick_texts(texts, np.where(is_text, text, -1)), ids),
        "int_value": integers(integer, (key < SOURCE) | (is_value & is_round)),
        "float_value": pa.nulls(len(key), pa.float64()),
        "double_value": pa.array(cents / 100, mask=~is_value | is_round),
    }
    return lists(present.sum(axis=1), struct({"key": pick_texts(PARAMS, key), "value": struct(slots)}))


def _ecommerce(shop: Shop, activity: Activity, log: EventLog) -> Any:
    """A purchase's totals; earlier steps from the cart on carry the vendor's '(not set)'."""
    orders, sold = activity.orders, log.orders(activity)
    order = sold[sold >= 0]
    in_usd = np.array([store.currency == "USD" for store in shop.stores])[orders.store[order]]
    revenue = orders.total[order] / 100
    fields = {
        "total_item_quantity": integers(orders.quantity[order].sum(axis=1)),
        "purchase_revenue_in_usd": pa.array(revenue, mask=~in_usd),
        "purchase_revenue": pa.array(revenue),
        "tax_value": pa.array(orders.tax[order] / 100),
        "unique_items": integers((orders.quantity[order] > 0).sum(axis=1)),
        "transaction_id": digits(order_ids(shop, orders)[order]),
    }
    purchases = struct(fields)
    not_set = pa.array([{"transaction_id": "(not set)"}], purchases.type)
    rows = np.where((log.name >= CART) & (log.name < PURCHASE), 0, -1)
    rows[sold >= 0] = np.arange(1, len(order) + 1)
    return take_rows(pa.concat_arrays([not_set, purchases]), rows)


def _items(shop: Shop, activity: Activity, log: EventLog) -> Any:
    """The lines of a purchase's basket; an empty list for every other event."""
    orders, sold = activity.orders, log.orders(activity)
    is_present = np.zeros((len(log.at), orders.quantity.shape[1]), dtype=np.bool_)
    is_present[sold >= 0] = orders.quantity[sold[sold >= 0]] > 0
    event, line = np.nonzero(is_present)
    order = sold[event]
    product, price, quantity = (of[order, line] for of in (orders.product, orders.price, orders.quantity))
    fields = {
        "item_id": digits(store_bases(shop)[orders.store[order]] + product),
        "item_name": pick_texts(shop.goods.titles, product),
        "item_category": pick_texts(shop.goods.kinds, product),
        "price": pa.array(price / 100),
        "quantity": integers(quantity),
        "item_revenue": pa.array((price * quantity - orders.discount[order, line]) / 100),
    }
    return lists(is_present.sum(axis=1), struct(fields))


def _privacy(log: EventLog) -> Any:
    consent = pick_texts(["No", "Yes"], log.has_user.astype(np.int64))
    return struct({"analytics_storage": consent, "ads_storage": consent})


def _devices(host: str) -> Any:
    return pa.array(
        [
            {
                "category": device.category,
                "mobile_brand_name": device.brand,
                "operating_system": device.system,
                "language": "en-us",
                "web_info": {"browser": device.browser, "hostname": host},
            }
            for device in DEVICES
        ]
    )


def _geo() -> Any:
    names = ("continent", "sub_continent", "country", "region", "city")
    return pa.array([{name: getattr(town, name) for name in names} for town in TOWNS])


VIEW = View(exports={"events": SimulatedExport("parquet", _events)})
