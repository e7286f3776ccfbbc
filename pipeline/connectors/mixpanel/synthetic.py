"""The shop as Mixpanel exports it: events with all there is to say in their properties, and the people who are known.

Before a visitor is known, the event is the device's. What an event does not have is an absent key.
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
from pipeline.synthetic.arrays.columns import at, chosen, digits, joined, struct, taken, whole
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.tokens import letters, uuids
from pipeline.synthetic.arrays.zones import DAY, SECOND, Zone
from pipeline.synthetic.model.funnel import STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount, numbers
from pipeline.synthetic.model.view import SimulatedExport, View

NAMES = (*STEPS, "$mp_web_page_view", "$mp_web_page_view")
MILLISECOND = 1_000  # microseconds
SYSTEMS = {"Macintosh": "Mac OS X"}  # as Mixpanel calls them, where it differs


def _events(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    log = read_event_log(shop, trade, outlet, whole_days=False)
    return pa.table({"event": chosen(NAMES, log.name), "properties": _properties(shop, trade, outlet, log)})


def _properties(shop: Shop, trade: Activity, outlet: ShopAccount, log: EventLog) -> Any:
    visitors, orders, sold = trade.traffic.visitors, trade.orders, log.orders(trade)
    users = digits(at(customer_ids(shop, visitors), log.visitor), log.is_known(trade))
    devices = taken(_devices(shop, trade), log.visitor)
    clock = outlet.zone if outlet.says_zone else Zone("UTC")
    said = utm(trade.traffic.origins, log.origins(trade))
    queries = joined("https://", shop.host, "/?utm_source=", said["utm_source"], "&utm_medium=", said["utm_medium"])
    currencies = [store.currency for store in shop.stores]
    return struct(
        {
            "time": whole(clock.wall(log.at) // SECOND),
            "distinct_id": pc.coalesce(users, joined("$device:", devices), ""),
            "$insert_id": letters(shop.seed, "insert", log.numbers(trade), 16),
            "$device_id": devices,
            "$user_id": users,
            "mp_processing_time_ms": whole((log.at + log.is_late * DAY) // MILLISECOND + 900),
            **said,
            "mp_country_code": chosen([town.code for town in TOWNS], log.town),
            "$city": chosen([town.city for town in TOWNS], log.town),
            "$region": chosen([town.region for town in TOWNS], log.town),
            "$os": chosen(_SYSTEMS, log.machine),
            "$browser": chosen([machine.browser for machine in DEVICES], log.machine),
            "$device": taken(pa.array([machine.device for machine in DEVICES], pa.string()), log.machine),
            "$current_url": pc.coalesce(queries, f"https://{shop.host}/"),
            "order_id": taken(digits(order_ids(shop, orders)), sold),
            "revenue": taken(pa.array(major_units(orders.total)), sold),
            "currency": chosen(currencies, at(orders.store, sold)),
        }
    )


def _people(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """Everybody who is known by the end of the span and was there on one of its days."""
    log = read_event_log(shop, trade, outlet, whole_days=False)
    visitors, visits = trade.traffic.visitors, trade.traffic.visits
    end = int(outlet.zone.midnights(np.array([trade.span.last + 1]))[0])
    seen = np.full(len(visitors.cohort), -1)
    np.maximum.at(seen, log.visitor[log.has_user], log.at[log.has_user])
    person = np.flatnonzero((seen >= 0) & (known_since(trade) < end))
    people = read_people(shop, visitors)
    first = visits.origin[person]  # a visitor's first visit has the visitor's row
    initial = utm(trade.traffic.origins, np.where(first == DIRECT, -1, first))
    town = visitors.town[person]
    traits = {
        "$email": taken(people.emails, person),
        "$city": chosen([each.city for each in TOWNS], town),
        "$region": chosen([each.region for each in TOWNS], town),
        "$country_code": chosen([each.code for each in TOWNS], town),
        "$os": chosen(_SYSTEMS, visitors.machine[person]),
        "$last_seen": Zone("UTC").clocks(seen[person]),
        **{f"initial_{name}": texts for name, texts in initial.items()},
    }
    ids = digits(customer_ids(shop, visitors)[person])
    return pa.table({"$distinct_id": ids, "$properties": struct(traits)})


def _devices(shop: Shop, trade: Activity) -> Any:
    """The device of every visitor, as Mixpanel calls it."""
    visitors = trade.traffic.visitors
    return uuids(shop.seed, "mixpanel device", numbers(visitors.cohort, visitors.place))


_SYSTEMS = [SYSTEMS.get(machine.system, machine.system) for machine in DEVICES]

VIEW = View(exports={"events": SimulatedExport("jsonl", _events), "people": SimulatedExport("jsonl", _people)})
