"""The shop as Amplitude returns it: events of the Export API, and users of User Activity.

Times are UTC and do not say so. The device of a visitor never changes; the user is named once they are known.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.synthetic.activity.event_log import EventLog, known_since, read_event_log
from pipeline.synthetic.activity.people import read_people
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids
from pipeline.synthetic.activity.traffic import DIRECT, utm
from pipeline.synthetic.arrays.columns import at, chosen, digits, lists, same, struct, taken, whole
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.tokens import uuids
from pipeline.synthetic.arrays.zones import DAY, SECOND, date_texts, fine_clocks
from pipeline.synthetic.model.funnel import STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount, numbers
from pipeline.synthetic.model.view import SimulatedExport, View

NAMES = (*STEPS, "[Amplitude] Page Viewed", "[Amplitude] Page Viewed")
MILLISECOND = 1_000  # microseconds
SYSTEMS = {"Macintosh": "Mac"}  # as Amplitude calls them, where it differs


def _events(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """Events of users; Amplitude drops what neither a user nor a device has done."""
    log = read_event_log(shop, trade, outlet, whole_days=False)
    log = log.rows(np.flatnonzero(log.has_user))
    visitors, visits = trade.traffic.visitors, trade.traffic.visits
    number = log.numbers(trade)
    return pa.table(
        {
            "uuid": uuids(shop.seed, "amplitude event", number),
            "$insert_id": uuids(shop.seed, "amplitude insert", number),
            "event_id": whole(visits.number[log.visit] * 10 + log.name),
            "event_type": chosen(NAMES, log.name),
            "event_time": fine_clocks(log.at),
            "client_event_time": fine_clocks(log.at - 20 * MILLISECOND),
            "server_upload_time": fine_clocks(log.at + SECOND + log.is_late * DAY),
            "user_id": digits(customer_ids(shop, visitors)[log.visitor], log.is_known(trade)),
            "device_id": taken(_devices(shop, trade), log.visitor),
            "amplitude_id": whole(_ids(trade, outlet)[log.visitor]),
            "session_id": whole(visits.steps[log.visit, 0] // MILLISECOND),
            **_machine(log.machine),
            **_town(log.town),
            "event_properties": _event_properties(shop, trade, log),
            "user_properties": _user_properties(trade, log),
        }
    )


def _event_properties(shop: Shop, trade: Activity, log: EventLog) -> Any:
    """What the page's address says, at the beginning of a visit; and a purchase's order."""
    orders, sold = trade.orders, log.orders(trade)
    return struct(
        {
            "$revenue": taken(pa.array(major_units(orders.total)), sold),
            "$currency": chosen([store.currency for store in shop.stores], at(orders.store, sold)),
            "order_id": taken(digits(order_ids(shop, orders)), sold),
            **utm(trade.traffic.origins, log.origins(trade)),
        }
    )


def _user_properties(trade: Activity, log: EventLog) -> Any:
    """The campaign that brought the user to this visit, and the first one that ever did."""
    visits, origins = trade.traffic.visits, trade.traffic.origins
    latest = utm(origins, _without_direct(visits.origin[log.visit]))
    first = utm(origins, _without_direct(visits.origin[log.visitor]))  # a first visit has the row of its visitor
    initial = {f"initial_{name}": texts.fill_null("EMPTY") for name, texts in first.items()}
    return struct({**latest, **initial})


def _without_direct(origin: Ints) -> Ints:
    return np.where(origin == DIRECT, -1, origin)


def _users(shop: Shop, trade: Activity, outlet: ShopAccount) -> Any:
    """Everybody who was there on the days of the span, as they are at its end."""
    log = read_event_log(shop, trade, outlet, whole_days=False)
    visitors, visits = trade.traffic.visitors, trade.traffic.visits
    end = int(outlet.zone.midnights(np.array([trade.span.last + 1]))[0])
    person = np.unique(log.visitor[log.has_user])
    past = (visits.steps < end) & trade.is_booked[:, None]
    events, sessions, last = (np.zeros(len(visitors.cohort), dtype=np.int64) for _ in range(3))
    np.add.at(events, visits.visitor, past.sum(axis=1))
    np.add.at(sessions, visits.visitor, past[:, 0])
    np.maximum.at(last, visits.visitor, np.where(past, visits.steps, 0).max(axis=1, initial=0))
    is_known = known_since(trade)[person] < end
    known = np.where(is_known, person, -1)
    one = np.ones_like(person)
    return pa.table(
        {
            "canonical_amplitude_id": whole(_ids(trade, outlet)[person]),
            "user_id": digits(customer_ids(shop, visitors)[person], is_known),
            "device_ids": lists(one, taken(_devices(shop, trade), person)),
            "num_events": whole(events[person]),
            "num_sessions": whole(sessions[person]),
            "first_used": date_texts(outlet.zone.days(visits.steps[person, 0])),
            "last_used": date_texts(outlet.zone.days(last[person])),
            "platform": same("Web", person),
            "os": chosen([machine.browser for machine in DEVICES], visitors.machine[person]),
            "device_type": chosen(_DEVICES, visitors.machine[person]),
            **_town(visitors.town[person]),
            "properties": struct({"email": taken(read_people(shop, visitors).emails, known)}, is_known),
        }
    )


def _machine(machine: Ints) -> dict[str, Any]:
    """On the web the browser stands where elsewhere the operating system does."""
    return {
        "platform": same("Web", machine),
        "os_name": chosen([each.browser for each in DEVICES], machine),
        "device_type": chosen(_DEVICES, machine),
        "device_family": chosen(_DEVICES, machine),
        "language": same("English", machine),
    }


def _town(town: Ints) -> dict[str, Any]:
    return {name: chosen([getattr(each, name) for each in TOWNS], town) for name in ("country", "region", "city")}


def _ids(trade: Activity, outlet: ShopAccount) -> Ints:
    """The amplitude_id of every visitor."""
    visitors = trade.traffic.visitors
    return outlet.base + numbers(visitors.cohort, visitors.place)


def _devices(shop: Shop, trade: Activity) -> Any:
    """The device of every visitor, as Amplitude calls it."""
    visitors = trade.traffic.visitors
    return uuids(shop.seed, "amplitude device", numbers(visitors.cohort, visitors.place))


_DEVICES = [
    f"{machine.brand} {machine.device}"
    if machine.brand == "Apple" and machine.device
    else machine.device or SYSTEMS.get(machine.system, machine.system)
    for machine in DEVICES
]

VIEW = View(exports={"events": SimulatedExport("jsonl", _events), "users": SimulatedExport("jsonl", _users)}, digits=13)
