"""Which events an analytics account saw: the steps of visits by whom it tracks, first visits, and events of nobody.

The last event of some visits, where nothing hangs on it, waits in the browser and comes with the next day's export.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.traffic import DIRECT, NEVER, seen_by
from pipeline.synthetic.arrays.columns import at
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.funnel import MAX_VISITS, PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount, numbers

FIRST_VISIT, PAGE_VIEW = len(STEPS), len(STEPS) + 1  # places of names that come after those of the steps
PAYMENT = STEPS.index("add_payment_info")
LATE = 40  # of so many visits that end between start and purchase, one's last event comes a day late


@dataclass(frozen=True)
class EventLog:
    """Events of one account, by time. -1 is none."""

    at: Ints  # UTC microseconds
    name: Ints  # place in STEPS, FIRST_VISIT or PAGE_VIEW
    visit: Ints
    visitor: Ints
    town: Ints
    machine: Ints
    is_late: Bools

    @property
    def has_user(self) -> Bools:
        return self.visit >= 0

    def rows(self, rows: Ints) -> EventLog:
        """The events at these positions, in this order."""
        return EventLog(*(getattr(self, field.name)[rows] for field in fields(self)))

    def orders(self, trade: Activity) -> Ints:
        """The order that each event reports; -1 for all but purchases."""
        return at(trade.order_of_visit, np.where(self.name == PURCHASE, self.visit, -1))

    def origins(self, trade: Activity) -> Ints:
        """Where a visit came from, said by its first event; -1 for others, and when somebody typed the address."""
        origin = at(trade.traffic.visits.origin, np.where(self.name == 0, self.visit, -1))
        return np.where(origin == DIRECT, -1, origin)

    def numbers(self, trade: Activity) -> Ints:
        """A number of each event's own, the same in every export."""
        visitors, visits = trade.traffic.visitors, trade.traffic.visits
        visitor = numbers(visitors.cohort, visitors.place)
        own = at((visitor[visits.visitor] * MAX_VISITS + visits.number) * 10, self.visit) + self.name
        return np.where(self.has_user, own, self.at)

    def is_known(self, trade: Activity) -> Bools:
        """Visitors with an account are known from the first time they give payment details."""
        return self.has_user & (self.at >= at(known_since(trade), self.visitor))


def known_since(trade: Activity) -> Ints:
    """When each visitor became known, UTC microseconds; NEVER for those without an account."""
    visitors, visits = trade.traffic.visitors, trade.traffic.visits
    since = np.full(len(visitors.cohort), NEVER)
    np.minimum.at(since, visits.visitor, visits.steps[:, PAYMENT])
    since[~visitors.has_account] = NEVER
    return since


def tracked(shop: Shop, trade: Activity, outlet: ShopAccount) -> Bools:
    """The visitors whom an analytics account sees."""
    visitors = trade.traffic.visitors
    loss = shop.levers.tracking_loss.get(outlet.platform, 0.0)
    return seen_by(outlet, visitors.whereabouts) & (visitors.shyness >= loss)


def read_event_log(shop: Shop, trade: Activity, outlet: ShopAccount, *, whole_days: bool) -> EventLog:
    """The events that an account exports for the days of the span. Of two at one moment, session_start is the first.

    Args:
        whole_days: An export holds whole days, so the day before the span comes again, its late events included.
    """
    log = _all_events(trade, outlet, tracked(shop, trade, outlet))
    span = trade.span
    day = outlet.zone.days(log.at)
    sent = day + log.is_late
    wanted = (sent >= span.first) & (sent <= span.last)
    if whole_days:
        wanted |= day == span.first - 1
    inside = np.flatnonzero(wanted & (day >= span.opening))
    return log.rows(inside[np.argsort(log.at[inside], kind="stable")])


def _all_events(trade: Activity, outlet: ShopAccount, is_tracked: Bools) -> EventLog:
    """Everything an account ever sees of the traffic."""
    visitors, visits, alone = trade.traffic.visitors, trade.traffic.visits, trade.traffic.anonymous
    seen = np.flatnonzero(is_tracked[visits.visitor] & trade.is_booked)
    place, step = np.nonzero(visits.steps[seen] != NEVER)
    visit = seen[place]
    fresh = visit[(step == 0) & (visits.number[visit] == 1)]
    nobody = np.flatnonzero(seen_by(outlet, alone.whereabouts))
    last = np.append(visit[1:] != visit[:-1], True) if len(visit) else np.zeros(0, dtype=np.bool_)
    waits = last & (step > 0) & (step < PURCHASE) & (visitors.token[visits.visitor[visit]] % LATE == 0)
    is_late = np.concatenate([waits, np.zeros(len(fresh) + len(nobody), dtype=np.bool_)])
    visit = np.concatenate([visit, fresh])
    name = np.concatenate([step, np.full(len(fresh), FIRST_VISIT)])
    visitor = visits.visitor[visit]
    return EventLog(
        at=np.concatenate([visits.steps[visit, np.where(name == FIRST_VISIT, 0, name)], alone.at[nobody]]),
        name=np.concatenate([name, np.full(len(nobody), PAGE_VIEW)]),
        visit=np.concatenate([visit, np.full(len(nobody), -1)]),
        visitor=np.concatenate([visitor, np.full(len(nobody), -1)]),
        town=np.concatenate([visitors.town[visitor], alone.town[nobody]]),
        machine=np.concatenate([visitors.machine[visitor], alone.machine[nobody]]),
        is_late=is_late,
    )
