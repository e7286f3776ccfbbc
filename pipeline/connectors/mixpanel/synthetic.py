"""The shop as Mixpanel exports it: events with all values in their properties, and profiles of known visitors.

Before a visitor is known, the event belongs to the device. A missing value is an absent key.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.activity.event_log import EventLog, known_since, read_event_log
from pipeline.synthetic.activity.people import read_people
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids
from pipeline.synthetic.activity.traffic import DIRECT, utm
from pipeline.synthetic.arrays.columns import (
    concat_texts,
    digits,
    integers,
    pick_texts,
    struct,
    take_numbers,
    take_rows,
)
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.tokens import letters, uuids
from pipeline.synthetic.arrays.zones import DAY, SECOND, Zone
from pipeline.synthetic.model.funnel import STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount, serial_numbers
from pipeline.synthetic.model.view import SimulatedExport, View

NAMES = (*STEPS, "$mp_web_page_view", "$mp_web_page_view")
MILLISECOND = 1_000  # microseconds
SYSTEMS = {"Macintosh": "Mac OS X"}  # names in Mixpanel, where they differ


def _events(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    log = read_event_log(shop, activity, account, whole_days=False)
    return pa.table({"event": pick_texts(NAMES, log.name), "properties": _properties(shop, activity, account, log)})


def _properties(shop: Shop, activity: Activity, account: ShopAccount, log: EventLog) -> Any:
    visitors, orders, sold = activity.traffic.visitors, activity.orders, log.orders(activity)
    users = digits(take_numbers(customer_ids(shop, visitors), log.visitor), log.is_known(activity))
    devices = take_rows(_devices(shop, activity), log.visitor)
    clock = account.zone if account.has_own_zone else Zone("UTC")
    utm_texts = utm(activity.traffic.origins, log.origins(activity))
    source, medium = utm_texts["utm_source"], utm_texts["utm_medium"]
    queries = concat_texts("https://", shop.host, "/?utm_source=", source, "&utm_medium=", medium)
    currencies = [store.currency for store in shop.stores]
    return struct(
        {
            "time": integers(clock.wall(log.at) // SECOND),
            "distinct_id": pc.coalesce(users, concat_texts("$device:", devices), ""),
            "$insert_id": letters(shop.seed, "insert", log.numbers(activity), 16),
            "$device_id": devices,
            "$user_id": users,
            "mp_processing_time_ms": integers((log.at + log.is_late * DAY) // MILLISECOND + 900),
            **utm_texts,
            "mp_country_code": pick_texts([town.code for town in TOWNS], log.town),
            "$city": pick_texts([town.city for town in TOWNS], log.town),
            "$region": pick_texts([town.region for town in TOWNS], log.town),
            "$os": pick_texts(_SYSTEMS, log.device),
            "$browser": pick_texts([device.browser for device in DEVICES], log.device),
            "$device": take_rows(pa.array([device.model for device in DEVICES], pa.string()), log.device),
            "$current_url": pc.coalesce(queries, f"https://{shop.host}/"),
            "order_id": take_rows(digits(order_ids(shop, orders)), sold),
            "revenue": take_rows(pa.array(major_units(orders.total)), sold),
            "currency": pick_texts(currencies, take_numbers(orders.store, sold)),
        }
    )


def _people(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """Profiles of visitors who are known by the end of the span and have an event on one of its days."""
    log = read_event_log(shop, activity, account, whole_days=False)
    visitors, visits = activity.traffic.visitors, activity.traffic.visits
    end = int(account.zone.midnights(np.array([activity.span.last + 1]))[0])
    last_seen = np.full(len(visitors.cohort), -1)
    np.maximum.at(last_seen, log.visitor[log.has_user], log.at[log.has_user])
    person = np.flatnonzero((last_seen >= 0) & (known_since(activity) < end))
    people = read_people(shop, visitors)
    first = visits.origin[person]  # a visitor's first visit has the visitor's row
    initial = utm(activity.traffic.origins, np.where(first == DIRECT, -1, first))
    town = visitors.town[person]
    traits = {
        "$email": take_rows(people.emails, person),
        "$city": pick_texts([each.city for each in TOWNS], town),
        "$region": pick_texts([each.region for each in TOWNS], town),
        "$country_code": pick_texts([each.code for each in TOWNS], town),
        "$os": pick_texts(_SYSTEMS, visitors.device[person]),
        "$last_seen": Zone("UTC").clocks(last_seen[person]),
        **{f"initial_{name}": texts for name, texts in initial.items()},
    }
    ids = digits(customer_ids(shop, visitors)[person])
    return pa.table({"$distinct_id": ids, "$properties": struct(traits)})


def _devices(shop: Shop, activity: Activity) -> Any:
    """The device id of every visitor in Mixpanel."""
    visitors = activity.traffic.visitors
    return uuids(shop.seed, "mixpanel device", serial_numbers(visitors.cohort, visitors.position))


_SYSTEMS = [SYSTEMS.get(device.system, device.system) for device in DEVICES]

VIEW = View(exports={"events": SimulatedExport("jsonl", _events), "people": SimulatedExport("jsonl", _people)})
