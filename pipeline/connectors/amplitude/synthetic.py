"""The shop as Amplitude returns it: events of the Export API, and users of User Activity.

Times are UTC without an offset. The device of a visitor never changes; a user id appears once the user is known.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.synthetic.activity.event_log import EventLog, known_since, read_event_log
from pipeline.synthetic.activity.people import read_people
from pipeline.synthetic.activity.simulation import Activity, customer_ids, order_ids
from pipeline.synthetic.activity.traffic import DIRECT, utm
from pipeline.synthetic.arrays.columns import (
    digits,
    integers,
    lists,
    pick_texts,
    repeat_text,
    struct,
    take_numbers,
    take_rows,
)
from pipeline.synthetic.arrays.money import major_units
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.tokens import uuids
from pipeline.synthetic.arrays.zones import DAY, SECOND, date_texts, fine_clocks
from pipeline.synthetic.model.funnel import STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount, serial_numbers
from pipeline.synthetic.model.view import SimulatedExport, View

NAMES = (*STEPS, "[Amplitude] Page Viewed", "[Amplitude] Page Viewed")
MILLISECOND = 1_000  # microseconds
SYSTEMS = {"Macintosh": "Mac"}  # names in Amplitude, where they differ


def _events(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """Events of users; Amplitude drops events that have neither a user nor a device."""
    log = read_event_log(shop, activity, account, whole_days=False)
    log = log.rows(np.flatnonzero(log.has_user))
    visitors, visits = activity.traffic.visitors, activity.traffic.visits
    number = log.numbers(activity)
    return pa.table(
        {
            "uuid": uuids(shop.seed, "amplitude event", number),
            "$insert_id": uuids(shop.seed, "amplitude insert", number),
            "event_id": integers(visits.number[log.visit] * 10 + log.name),
            "event_type": pick_texts(NAMES, log.name),
            "event_time": fine_clocks(log.at),
            "client_event_time": fine_clocks(log.at - 20 * MILLISECOND),
            "server_upload_time": fine_clocks(log.at + SECOND + log.is_late * DAY),
            "user_id": digits(customer_ids(shop, visitors)[log.visitor], log.is_known(activity)),
            "device_id": take_rows(_devices(shop, activity), log.visitor),
            "amplitude_id": integers(_ids(activity, account)[log.visitor]),
            "session_id": integers(visits.steps[log.visit, 0] // MILLISECOND),
            **_device_columns(log.device),
            **_town_columns(log.town),
            "event_properties": _event_properties(shop, activity, log),
            "user_properties": _user_properties(activity, log),
        }
    )


def _event_properties(shop: Shop, activity: Activity, log: EventLog) -> Any:
    """Event properties: utm parameters at the beginning of a visit, and the order of a purchase."""
    orders, sold = activity.orders, log.orders(activity)
    return struct(
        {
            "$revenue": take_rows(pa.array(major_units(orders.total)), sold),
            "$currency": pick_texts([store.currency for store in shop.stores], take_numbers(orders.store, sold)),
            "order_id": take_rows(digits(order_ids(shop, orders)), sold),
            **utm(activity.traffic.origins, log.origins(activity)),
        }
    )


def _user_properties(activity: Activity, log: EventLog) -> Any:
    """User properties: the campaign of this visit, and the user's first one."""
    visits, origins = activity.traffic.visits, activity.traffic.origins
    latest = utm(origins, _without_direct(visits.origin[log.visit]))
    first = utm(origins, _without_direct(visits.origin[log.visitor]))  # a first visit has the row of its visitor
    initial = {f"initial_{name}": texts.fill_null("EMPTY") for name, texts in first.items()}
    return struct({**latest, **initial})


def _without_direct(origin: Ints) -> Ints:
    return np.where(origin == DIRECT, -1, origin)


def _users(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    """Users with an event on the days of the span, in their state at its end."""
    log = read_event_log(shop, activity, account, whole_days=False)
    visitors, visits = activity.traffic.visitors, activity.traffic.visits
    end = int(account.zone.midnights(np.array([activity.span.last + 1]))[0])
    person = np.unique(log.visitor[log.has_user])
    past = (visits.steps < end) & activity.is_after_opening[:, None]
    events, sessions, last = (np.zeros(len(visitors.cohort), dtype=np.int64) for _ in range(3))
    np.add.at(events, visits.visitor, past.sum(axis=1))
    np.add.at(sessions, visits.visitor, past[:, 0])
    np.maximum.at(last, visits.visitor, np.where(past, visits.steps, 0).max(axis=1, initial=0))
    is_known = known_since(activity)[person] < end
    known = np.where(is_known, person, -1)
    one = np.ones_like(person)
    return pa.table(
        {
            "canonical_amplitude_id": integers(_ids(activity, account)[person]),
            "user_id": digits(customer_ids(shop, visitors)[person], is_known),
            "device_ids": lists(one, take_rows(_devices(shop, activity), person)),
            "num_events": integers(events[person]),
            "num_sessions": integers(sessions[person]),
            "first_used": date_texts(account.zone.days(visits.steps[person, 0])),
            "last_used": date_texts(account.zone.days(last[person])),
            "platform": repeat_text("Web", person),
            "os": pick_texts([device.browser for device in DEVICES], visitors.device[person]),
            "device_type": pick_texts(_DEVICES, visitors.device[person]),
            **_town_columns(visitors.town[person]),
            "properties": struct({"email": take_rows(read_people(shop, visitors).emails, known)}, is_known),
        }
    )


def _device_columns(device: Ints) -> dict[str, Any]:
    """Device columns; on the web `os_name` is the browser."""
    return {
        "platform": repeat_text("Web", device),
        "os_name": pick_texts([each.browser for each in DEVICES], device),
        "device_type": pick_texts(_DEVICES, device),
        "device_family": pick_texts(_DEVICES, device),
        "language": repeat_text("English", device),
    }


def _town_columns(town: Ints) -> dict[str, Any]:
    return {name: pick_texts([getattr(each, name) for each in TOWNS], town) for name in ("country", "region", "city")}


def _ids(activity: Activity, account: ShopAccount) -> Ints:
    """The amplitude_id of every visitor."""
    visitors = activity.traffic.visitors
    return account.base + serial_numbers(visitors.cohort, visitors.position)


def _devices(shop: Shop, activity: Activity) -> Any:
    """The device id of every visitor in Amplitude."""
    visitors = activity.traffic.visitors
    return uuids(shop.seed, "amplitude device", serial_numbers(visitors.cohort, visitors.position))


_DEVICES = [
    f"{device.brand} {device.model}"
    if device.brand == "Apple" and device.model
    else device.model or SYSTEMS.get(device.system, device.system)
    for device in DEVICES
]

VIEW = View(exports={"events": SimulatedExport("jsonl", _events), "users": SimulatedExport("jsonl", _users)}, digits=13)
