"""Events that an analytics account receives: visit steps and first visits of tracked visitors, and anonymous events.

The last event of some visits, if it is neither the first nor a purchase, arrives late, with the next day's export.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.traffic import DIRECT, NEVER, received_by
from pipeline.synthetic.arrays.columns import take_numbers
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.funnel import MAX_VISITS, PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount, serial_numbers

FIRST_VISIT, PAGE_VIEW = len(STEPS), len(STEPS) + 1  # positions of event names, after those of the steps
PAYMENT = STEPS.index("add_payment_info")
LATE = 40  # one of so many visits that end between start and purchase has its last event a day late


@dataclass(frozen=True)
class EventLog:
    """Events of one account, by time; -1 is a missing value."""

    at: Ints  # UTC microseconds
    name: Ints  # position in STEPS, FIRST_VISIT or PAGE_VIEW
    visit: Ints
    visitor: Ints
    town: Ints
    device: Ints
    is_late: Bools

    @property
    def has_user(self) -> Bools:
        return self.visit >= 0

    def rows(self, rows: Ints) -> EventLog:
        """The events at these positions, in this order."""
        return EventLog(*(getattr(self, field.name)[rows] for field in fields(self)))

    def orders(self, activity: Activity) -> Ints:
        """The order that each event reports; -1 for all but purchases."""
        return take_numbers(activity.order_of_visit, np.where(self.name == PURCHASE, self.visit, -1))

    def origins(self, activity: Activity) -> Ints:
        """The origin of a visit at its first event; -1 for other events and for direct visits."""
        origin = take_numbers(activity.traffic.visits.origin, np.where(self.name == 0, self.visit, -1))
        return np.where(origin == DIRECT, -1, origin)

    def numbers(self, activity: Activity) -> Ints:
        """A unique number for each event, the same in every export."""
        visitors, visits = activity.traffic.visitors, activity.traffic.visits
        visitor = serial_numbers(visitors.cohort, visitors.position)
        own = take_numbers((visitor[visits.visitor] * MAX_VISITS + visits.number) * 10, self.visit) + self.name
        return np.where(self.has_user, own, self.at)

    def is_known(self, activity: Activity) -> Bools:
        """Whether the visitor is known: with an account, from the first payment details on."""
        return self.has_user & (self.at >= take_numbers(known_since(activity), self.visitor))


def known_since(activity: Activity) -> Ints:
    """The time at which each visitor became known, UTC microseconds; NEVER without an account."""
    visitors, visits = activity.traffic.visitors, activity.traffic.visits
    since = np.full(len(visitors.cohort), NEVER)
    np.minimum.at(since, visits.visitor, visits.steps[:, PAYMENT])
    since[~visitors.has_account] = NEVER
    return since


def tracked(shop: Shop, activity: Activity, account: ShopAccount) -> Bools:
    """Whether an analytics account tracks each visitor."""
    visitors = activity.traffic.visitors
    loss = shop.parameters.tracking_loss.get(account.platform, 0.0)
    return received_by(account, visitors.account_draw) & (visitors.tracking_rank >= loss)


def read_event_log(shop: Shop, activity: Activity, account: ShopAccount, *, whole_days: bool) -> EventLog:
    """The events that an account exports for the days of the span; of two at one moment, session_start is the first.

    Args:
        whole_days: An export has complete days, so the day before the span is repeated, its late events included.
    """
    events = _all_events(activity, account, tracked(shop, activity, account))
    span = activity.span
    day = account.zone.days(events.at)
    sent = day + events.is_late
    is_exported = (sent >= span.first) & (sent <= span.last)
    if whole_days:
        is_exported |= day == span.first - 1
    inside = np.flatnonzero(is_exported & (day >= span.opening))
    return events.rows(inside[np.argsort(events.at[inside], kind="stable")])


def _all_events(activity: Activity, account: ShopAccount, is_tracked: Bools) -> EventLog:
    """All events that an account receives from the traffic."""
    visitors, visits, anonymous = activity.traffic.visitors, activity.traffic.visits, activity.traffic.anonymous
    tracked_visits = np.flatnonzero(is_tracked[visits.visitor] & activity.is_after_opening)
    position, step = np.nonzero(visits.steps[tracked_visits] != NEVER)
    visit = tracked_visits[position]
    first_visits = visit[(step == 0) & (visits.number[visit] == 1)]
    anonymous_rows = np.flatnonzero(received_by(account, anonymous.account_draw))
    last = np.append(visit[1:] != visit[:-1], True) if len(visit) else np.zeros(0, dtype=np.bool_)
    is_delayed = last & (step > 0) & (step < PURCHASE) & (visitors.token[visits.visitor[visit]] % LATE == 0)
    is_late = np.concatenate([is_delayed, np.zeros(len(first_visits) + len(anonymous_rows), dtype=np.bool_)])
    visit = np.concatenate([visit, first_visits])
    name = np.concatenate([step, np.full(len(first_visits), FIRST_VISIT)])
    visitor = visits.visitor[visit]
    return EventLog(
        at=np.concatenate([visits.steps[visit, np.where(name == FIRST_VISIT, 0, name)], anonymous.at[anonymous_rows]]),
        name=np.concatenate([name, np.full(len(anonymous_rows), PAGE_VIEW)]),
        visit=np.concatenate([visit, np.full(len(anonymous_rows), -1)]),
        visitor=np.concatenate([visitor, np.full(len(anonymous_rows), -1)]),
        town=np.concatenate([visitors.town[visitor], anonymous.town[anonymous_rows]]),
        device=np.concatenate([visitors.device[visitor], anonymous.device[anonymous_rows]]),
        is_late=is_late,
    )
