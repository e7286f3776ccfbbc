"""Visitors and their visits. Whoever comes first on a day belongs to that day's cohort, later visits included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.dice import Bools, Floats, Ints, Purpose, draw_counts, pick, roll
from pipeline.synthetic.funnel import MAX_VISITS, PURCHASE
from pipeline.synthetic.names import MACHINES, TOWNS
from pipeline.synthetic.shop import Shop
from pipeline.synthetic.zones import DAY, HOUR, SECOND

NEVER = np.iinfo(np.int64).max
SHORTEST_STEP, LONGEST_STEP = 20, 1800  # seconds between two events of a visit: at most the 30 minutes of a session
SHORTEST_BREAK, LONGEST_BREAK = 1860, 604_800  # seconds between two visits
COHORT_DAYS = 16  # later than its first day and these, nobody of a cohort is seen
WEEKDAYS = np.array([0.97, 0.95, 0.96, 1.00, 1.04, 1.06, 1.02])  # Monday first; 1 on average
HOURS = np.array([2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 7, 6, 6, 6, 6, 7, 8, 10, 11, 10, 7, 4])  # how busy each is
ORGANIC = (  # source, medium, campaign, share
    ("google", "organic", "(organic)", 0.40),
    ("(direct)", "(none)", "(direct)", 0.30),
    ("newsletter", "email", "weekly_letter", 0.15),
    ("blog.example", "referral", "(referral)", 0.15),
)
DIRECT = 1  # its place in ORGANIC
WITH_ACCOUNT = 0.85  # visitors who have a customer account, or would open one
ANONYMOUS = 0.01  # events without a user, per visitor


@dataclass(frozen=True)
class Visitors:
    """One row per visitor, cohort after cohort. Row n's first visit is row n of the visits."""

    cohort: Ints  # days since 1970
    place: Ints  # in the cohort
    store: Ints
    property: Ints
    town: Ints
    machine: Ints
    has_account: Bools
    is_tracked: Bools
    token: Ints  # a number of the browser's own


@dataclass(frozen=True)
class Visits:
    """One row per visit: first all first visits, then all second ones, then the third."""

    visitor: Ints  # row of the visitor
    number: Ints  # 1 for the first
    steps: Ints  # UTC microseconds of each funnel step; NEVER for those not reached
    origin: Ints  # place in ORGANIC, or len(ORGANIC) + the campaign's place
    ad: Ints  # -1 where no ad was clicked


@dataclass(frozen=True)
class Anonymous:
    """Events that analytics sees without a user: somebody who declined to be known."""

    at: Ints
    property: Ints
    town: Ints
    machine: Ints


@dataclass(frozen=True)
class Traffic:
    cohorts: Ints  # the days, one after the other
    visitors: Visitors
    visits: Visits
    anonymous: Anonymous


def simulate_traffic(shop: Shop, cohorts: Ints) -> Traffic:
    """Everybody who first came on one of these days, and all their visits."""
    means = shop.levers.daily_visitors() * WEEKDAYS[(cohorts + 3) % 7]
    counts = draw_counts(shop.seed, Purpose.VISITORS, cohorts, means)
    dice = roll(shop.seed, Purpose.VISITORS, cohorts, counts, 7)
    visitors = _meet(shop, cohorts, counts, dice)
    start = times_of_day(shop, visitors.cohort, dice[:, 6])
    visits = _all_visits(shop, cohorts, visitors, start)
    return Traffic(cohorts, visitors, visits, _anonymous(shop, cohorts, means))


def times_of_day(shop: Shop, days: Ints, chance: Floats) -> Ints:
    """UTC microseconds on local days of the tenant, busy hours more likely."""
    busy = np.concatenate([[0.0], np.cumsum(HOURS) / HOURS.sum()])
    within = np.interp(chance, busy, np.arange(25.0) * HOUR).astype(np.int64)
    kinds, kind = np.unique(days, return_inverse=True)
    return np.asarray(shop.zone.midnights(kinds)[kind] + np.minimum(within, DAY - 1), dtype=np.int64)


def place_in_day(counts: Ints) -> Ints:
    """0, 1, 2, ... within each day."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _meet(shop: Shop, cohorts: Ints, counts: Ints, dice: Floats) -> Visitors:
    return Visitors(
        cohort=np.repeat(cohorts, counts),
        place=place_in_day(counts),
        store=(dice[:, 0] * len(shop.stores)).astype(np.int64),
        property=(dice[:, 0] * len(shop.properties)).astype(np.int64),
        town=pick(dice[:, 1], np.array([town.share for town in TOWNS])),
        machine=pick(dice[:, 2], np.array([machine.share for machine in MACHINES])),
        has_account=dice[:, 3] < WITH_ACCOUNT,
        is_tracked=dice[:, 4] >= shop.levers.tracking_loss,
        token=(dice[:, 5] * 2**31).astype(np.int64),
    )


def _all_visits(shop: Shop, cohorts: Ints, visitors: Visitors, start: Ints) -> Visits:
    """Each round of visits, of those whom the round before made come back."""
    funnel = shop.levers.build_funnel()
    visitor = np.arange(len(start))
    is_customer = np.zeros(len(start), dtype=np.bool_)
    rounds: list[Visits] = []
    for number in range(1, MAX_VISITS + 1):
        counts = np.bincount(visitors.cohort[visitor] - cohorts[0], minlength=len(cohorts))
        dice = roll(shop.seed, Purpose(number), cohorts, counts, 14)
        steps = _walk(start, dice, np.where(is_customer[:, None], funnel.boosted, funnel.advance))
        origin, ad = _sources(shop, dice[:, 12:])
        rounds.append(Visits(visitor, np.full(len(visitor), number), steps, origin, ad))
        reached = (steps != NEVER).sum(axis=1) - 1
        back = dice[:, 10] < funnel.come_back[reached]
        pause = SHORTEST_BREAK + dice[back, 11] * (LONGEST_BREAK - SHORTEST_BREAK)
        start = steps[back, reached[back]] + (pause * SECOND).astype(np.int64)
        is_customer = (is_customer | (reached == PURCHASE))[back]
        visitor = visitor[back]
    return Visits(*(np.concatenate([getattr(each, name) for each in rounds]) for name in Visits.__annotations__))


def _walk(start: Ints, dice: Floats, advance: Floats) -> Ints:
    """When each step of each visit was reached."""
    reached = np.logical_and.accumulate(dice[:, :PURCHASE] < advance, axis=1)
    delay = SHORTEST_STEP + np.square(dice[:, PURCHASE : 2 * PURCHASE]) * (LONGEST_STEP - SHORTEST_STEP)
    times = start[:, None] + np.cumsum((delay * SECOND).astype(np.int64), axis=1)
    return np.column_stack([start, np.where(reached, times, NEVER)])


def _sources(shop: Shop, dice: Floats) -> tuple[Ints, Ints]:
    """Where visits come from, and by which ad."""
    organic = pick(dice[:, 1], np.array([share for *_, share in ORGANIC]))
    if not len(shop.ads.ads):
        return organic, np.full(len(organic), -1)
    ad = pick(dice[:, 1], shop.ads.clicks)
    is_paid = dice[:, 0] >= shop.levers.organic_traffic_ratio
    paid = len(ORGANIC) + shop.ads.campaign_of_ad[ad]
    return np.where(is_paid, paid, organic), np.where(is_paid, ad, -1)


def _anonymous(shop: Shop, cohorts: Ints, means: Floats) -> Anonymous:
    counts = draw_counts(shop.seed, Purpose.ANONYMOUS, cohorts, means * ANONYMOUS)
    dice = roll(shop.seed, Purpose.ANONYMOUS, cohorts, counts, 4)
    return Anonymous(
        at=times_of_day(shop, np.repeat(cohorts, counts), dice[:, 0]),
        property=(dice[:, 1] * len(shop.properties)).astype(np.int64),
        town=pick(dice[:, 2], np.array([town.share for town in TOWNS])),
        machine=pick(dice[:, 3], np.array([machine.share for machine in MACHINES])),
    )
