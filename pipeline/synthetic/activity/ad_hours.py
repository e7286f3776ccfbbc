"""Hourly results of ads: the daily report, distributed over the hours of each day."""

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
UNSHOWN_HOUR = 20  # gets the spend of a day without impressions


def read_ad_hours(
    shop: Shop, activity: Activity, account: ShopAccount, contract: type[Contract]
) -> tuple[AdDays, Ints]:
    """The last days of an account's daily report by the hour of its clock: rows, and the hour of each, 0 to 23.

    These are the days that are still revised, so that hours are never older than days; a revision only changes rows and
    removes none. The hours of an ad add up to its day.
    """
    days = read_ad_days(shop, activity, account, contract)
    days = days.rows(np.flatnonzero(activity.span.last - days.day <= max(REVISIONS)))
    counts = _count(activity, account, days)
    usual = np.broadcast_to(HOURS.astype(np.float64), (len(days.day), DAY_HOURS))
    clicks = counts[:, :, 0]
    impressions = clicks + _distributed(days.impressions - days.clicks, usual)
    paid = np.where(days.impressions[:, None] > 0, impressions, np.arange(DAY_HOURS) == UNSHOWN_HOUR)
    cents = _distributed(days.cents // account.smallest, paid) * account.smallest
    bought = np.where(days.counts[:, PURCHASE, None] > 0, counts[:, :, PURCHASE], usual)
    purchases, revenue = _distributed(days.purchases, bought), _distributed(days.revenue, bought)
    row, hour = np.nonzero((impressions > 0) | (cents > 0) | (counts[:, :, PURCHASE] > 0))
    hours = replace(
        days.rows(row),
        cents=cents[row, hour],
        impressions=impressions[row, hour],
        counts=counts[row, hour],
        purchases=purchases[row, hour],
        revenue=revenue[row, hour],
    )
    return hours, hour


def _count(activity: Activity, account: ShopAccount, days: AdDays) -> Ints:
    """Clicks that reached each step of the funnel: rows of the report x hours x steps."""
    visits = activity.traffic.visits
    counts = np.zeros((len(days.day), DAY_HOURS, len(STEPS)), dtype=np.int64)
    if not len(days.day):
        return counts
    ads = days.ad.max() + 1
    cell = days.day * ads + days.ad
    by_cell = np.argsort(cell)
    visit_rows = np.flatnonzero((visits.ad >= 0) & (visits.ad < ads) & activity.is_after_opening)
    for step in range(len(STEPS)):
        reached = visit_rows[visits.steps[visit_rows, step] != NEVER]
        moments = visits.steps[reached, step]
        target = account.zone.days(moments) * ads + visits.ad[reached]
        position = np.minimum(np.searchsorted(cell, target, sorter=by_cell), len(by_cell) - 1)
        row = np.where(cell[by_cell[position]] == target, by_cell[position], -1)
        matched = row >= 0
        np.add.at(counts[:, :, step], (row[matched], account.zone.hours(moments[matched])), 1)
    return counts


def _distributed(totals: Ints, weights: Floats | Ints) -> Ints:
    """Integers in proportion to the weights, such that each row adds up to its total."""
    share = np.cumsum(weights, axis=1) / np.sum(weights, axis=1, keepdims=True)
    upto = np.rint(totals[:, None] * share).astype(np.int64)
    return np.asarray(np.diff(upto, axis=1, prepend=0), dtype=np.int64)
