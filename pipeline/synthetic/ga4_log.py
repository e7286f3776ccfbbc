"""Which events Google Analytics saw: the steps of tracked visits, first visits, and events of nobody."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.synthetic.columns import at
from pipeline.synthetic.dice import Bools, Ints
from pipeline.synthetic.funnel import PURCHASE, STEPS
from pipeline.synthetic.shop import Shop
from pipeline.synthetic.trade import Trade
from pipeline.synthetic.traffic import DIRECT, NEVER

NAMES = (*STEPS, "first_visit", "page_view")
FIRST_VISIT, PAGE_VIEW = len(STEPS), len(STEPS) + 1
PAYMENT = STEPS.index("add_payment_info")


@dataclass(frozen=True)
class Log:
    """The events of one property on the days of the span, by time. -1 is none."""

    at: Ints  # UTC microseconds
    name: Ints  # place in NAMES
    visit: Ints
    visitor: Ints
    town: Ints
    machine: Ints

    @property
    def has_user(self) -> Bools:
        return self.visit >= 0

    def turn(self, order: Ints) -> Log:
        """The events at these positions, in this order."""
        return Log(*(getattr(self, field.name)[order] for field in fields(self)))

    def orders(self, trade: Trade) -> Ints:
        """The order that each event reports; -1 for all but purchases."""
        return at(trade.order_of_visit, np.where(self.name == PURCHASE, self.visit, -1))

    def origins(self, trade: Trade) -> Ints:
        """Where a visit came from, said by its first event; -1 for others, and when somebody typed the address."""
        origin = at(trade.traffic.visits.origin, np.where(self.name == 0, self.visit, -1))
        return np.where(origin == DIRECT, -1, origin)

    def is_known(self, trade: Trade) -> Bools:
        """Visitors with an account are known from the first time they give payment details."""
        visitors, visits = trade.traffic.visitors, trade.traffic.visits
        since = np.full(len(visitors.cohort), NEVER)
        np.minimum.at(since, visits.visitor, visits.steps[:, PAYMENT])
        since[~visitors.has_account] = NEVER
        return self.has_user & (self.at >= at(since, self.visitor))


def read_log(shop: Shop, trade: Trade, account: int) -> Log:
    """The events of the property at this position. Of two at one moment, session_start is the first."""
    visitors, visits, alone = trade.traffic.visitors, trade.traffic.visits, trade.traffic.anonymous
    seen = np.flatnonzero(visitors.is_tracked[visits.visitor] & (visitors.property[visits.visitor] == account))
    place, step = np.nonzero(visits.steps[seen] != NEVER)
    visit = seen[place]
    fresh = visit[(step == 0) & (visits.number[visit] == 1)]
    nobody = np.flatnonzero(alone.property == account)
    visit = np.concatenate([visit, fresh])
    name = np.concatenate([step, np.full(len(fresh), FIRST_VISIT)])
    visitor = visits.visitor[visit]
    log = Log(
        at=np.concatenate([visits.steps[visit, np.where(name == FIRST_VISIT, 0, name)], alone.at[nobody]]),
        name=np.concatenate([name, np.full(len(nobody), PAGE_VIEW)]),
        visit=np.concatenate([visit, np.full(len(nobody), -1)]),
        visitor=np.concatenate([visitor, np.full(len(nobody), -1)]),
        town=np.concatenate([visitors.town[visitor], alone.town[nobody]]),
        machine=np.concatenate([visitors.machine[visitor], alone.machine[nobody]]),
    )
    days = shop.properties[account].zone.days(log.at)
    inside = np.flatnonzero((days >= trade.span.first) & (days <= trade.span.last))
    return log.turn(inside[np.argsort(log.at[inside], kind="stable")])
