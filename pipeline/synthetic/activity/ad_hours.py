"""The days of ads by the hour: what a day's report says, shared out among the hours in which it happened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.contracts.fields import Contract
from pipeline.synthetic.activity.ad_days import REVISIONS, AdDays, read_ad_days
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.traffic import HOURS, NEVER
from pipeline.synthetic.arrays.rng import Floats, Ints
from pipeline.synthetic.model.funnel import PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount

DAY_HOURS = 24
UNSHOWN_HOUR = 20  # to which the spend of a day without impressions belongs


def read_ad_hours(shop: Shop, trade: Activity, outlet: ShopAccount, contract: type[Contract]) -> tuple[AdDays, Ints]:
    """The last days of an account's daily report by the hour of its clock: rows, and the hour of each, 0 to 23.

    They are those days that are still revised, so that what the hours say is never older than what the days say; and a
    revision only changes rows, it takes none away. The hours of an ad add up to its day.
    """
    days = read_ad_days(shop, trade, outlet, contract)
    days = days.rows(np.flatnonzero(trade.span.last - days.day <= max(REVISIONS)))
    counts = _count(trade, outlet, days)
    usual = np.broadcast_to(HOURS.astype(np.float64), (len(days.day), DAY_HOURS))
    clicks = counts[:, :, 0]
    shown = clicks + _shared(days.impressions - days.clicks, usual)
    paid = np.where(days.impressions[:, None] > 0, shown, np.arange(DAY_HOURS) == UNSHOWN_HOUR)
    cents = _shared(days.cents // outlet.smallest, paid) * outlet.smallest
    bought = np.where(days.counts[:, PURCHASE, None] > 0, counts[:, :, PURCHASE], usual)
    purchases, revenue = _shared(days.purchases, bought), _shared(days.revenue, bought)
    row, hour = np.nonzero((shown > 0) | (cents > 0) | (counts[:, :, PURCHASE] > 0))
    hours = replace(
        days.rows(row),
        cents=cents[row, hour],
        impressions=shown[row, hour],
        counts=counts[row, hour],
        purchases=purchases[row, hour],
        revenue=revenue[row, hour],
    )
    return hours, hour


def _count(trade: Activity, outlet: ShopAccount, days: AdDays) -> Ints:
    """Clicks that reached each step of the funnel: rows of the report x hours x steps."""
    visits = trade.traffic.visits
    counts = np.zeros((len(days.day), DAY_HOURS, len(STEPS)), dtype=np.int64)
    if not len(days.day):
        return counts
    ads = days.ad.max() + 1
    cell = days.day * ads + days.ad
    turn = np.argsort(cell)
    mine = np.flatnonzero((visits.ad >= 0) & (visits.ad < ads) & trade.is_booked)
    for step in range(len(STEPS)):
        reached = mine[visits.steps[mine, step] != NEVER]
        moments = visits.steps[reached, step]
        wanted = outlet.zone.days(moments) * ads + visits.ad[reached]
        place = np.minimum(np.searchsorted(cell, wanted, sorter=turn), len(turn) - 1)
        row = np.where(cell[turn[place]] == wanted, turn[place], -1)
        found = row >= 0
        np.add.at(counts[:, :, step], (row[found], outlet.zone.hours(moments[found])), 1)
    return counts


def _shared(totals: Ints, weights: Floats | Ints) -> Ints:
    """Whole numbers shared out in proportion, so that each row adds up to its total."""
    share = np.cumsum(weights, axis=1) / np.sum(weights, axis=1, keepdims=True)
    upto = np.rint(totals[:, None] * share).astype(np.int64)
    return np.asarray(np.diff(upto, axis=1, prepend=0), dtype=np.int64)
