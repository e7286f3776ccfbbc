"""Visitors and their visits. Whoever comes first on a day belongs to that day's cohort, later visits included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np
import pyarrow as pa

from pipeline.config.blocks.sessions import GAP_MINUTES
from pipeline.synthetic.arrays.columns import taken
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints, Purpose, draw_choice, draw_counts, draw_uniform
from pipeline.synthetic.arrays.zones import DAY, HOUR, SECOND
from pipeline.synthetic.model.funnel import MAX_VISITS, PURCHASE
from pipeline.synthetic.model.shop import Shop, ShopAccount

NEVER = np.iinfo(np.int64).max
SHORTEST_STEP, LONGEST_STEP = (
    20,
    GAP_MINUTES * 60,
)  # seconds between two events of a visit: what every tool takes for one
SHORTEST_BREAK, LONGEST_BREAK = LONGEST_STEP + 60, 604_800  # seconds between two visits
COHORT_DAYS = 16  # later than its first day and these, nobody of a cohort is seen
WEEKDAYS = np.array([0.97, 0.95, 0.96, 1.00, 1.04, 1.06, 1.02])  # Monday first; 1 on average
HOURS = np.array([2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 7, 6, 6, 6, 6, 7, 8, 10, 11, 10, 7, 4])  # how busy each is
ORGANIC: tuple[tuple[str, str, str, str | None, float], ...] = (  # source, medium, campaign, the page before, share
    ("google", "organic", "(organic)", "https://www.google.com/", 0.40),
    ("(direct)", "(none)", "(direct)", None, 0.30),
    ("newsletter", "email", "weekly_letter", None, 0.15),
    ("blog.example", "referral", "(referral)", "https://blog.example/", 0.15),
)
DIRECT, LETTER = 1, 2  # their places in ORGANIC
WITH_ACCOUNT = 0.85  # visitors who have a customer account, or would open one
ANONYMOUS = 0.01  # events without a user, per visitor


@dataclass(frozen=True)
class Visitors:
    """One row per visitor, cohort after cohort. Row n's first visit is row n of the visits."""

    cohort: Ints  # days since 1970
    place: Ints  # in the cohort
    store: Ints
    whereabouts: Floats  # from 0 to 1: which account of an analytics platform sees them
    town: Ints
    machine: Ints
    has_account: Bools
    shyness: Floats  # from 0 to 1: who misses a share of the visitors misses those below it
    token: Ints  # a number of the browser's own


@dataclass(frozen=True)
class Visits:
    """One row per visit: first all first visits, then all second ones, then the third."""

    visitor: Ints  # row of the visitor
    number: Ints  # 1 for the first
    steps: Ints  # UTC microseconds of each funnel step; NEVER for those not reached
    origin: Ints  # place in Origins
    ad: Ints  # -1 where no ad was clicked


@dataclass(frozen=True)
class Anonymous:
    """Events that analytics sees without a user: somebody who declined to be known."""

    at: Ints
    whereabouts: Floats
    town: Ints
    machine: Ints


@dataclass(frozen=True)
class Origins:
    """Where visits come from, as links say it: the organic ways, then every campaign by each name that visits say."""

    sources: tuple[str, ...]
    mediums: tuple[str, ...]
    campaigns: tuple[str, ...]
    sites: tuple[str | None, ...]  # the page before; None where there was none


@dataclass(frozen=True)
class Traffic:
    cohorts: Ints  # the days, one after the other
    visitors: Visitors
    visits: Visits
    origins: Origins
    anonymous: Anonymous


def simulate_traffic(shop: Shop, cohorts: Ints) -> Traffic:
    """Everybody who first came on one of these days, and all their visits."""
    means = shop.levers.daily_visitors() * WEEKDAYS[(cohorts + 3) % 7]
    counts = draw_counts(shop.seed, Purpose.VISITORS, cohorts, means)
    dice = draw_uniform(shop.seed, Purpose.VISITORS, cohorts, counts, 7)
    visitors = _meet(shop, cohorts, counts, dice)
    start = times_of_day(shop, visitors.cohort, dice[:, 6])
    origins, visits = _name_origins(shop, _all_visits(shop, cohorts, visitors, start))
    return Traffic(cohorts, visitors, visits, origins, _anonymous(shop, cohorts, means))


def _name_origins(shop: Shop, visits: Visits) -> tuple[Origins, Visits]:
    """The names of where visits come from, and visits that count by them: until here by campaign and day of a name."""
    organic, campaigns = len(ORGANIC), max(len(shop.ads.campaigns), 1)
    kinds, kind = np.unique(np.concatenate([np.arange(organic), visits.origin]), return_inverse=True)
    periods, places = np.divmod(kinds[organic:] - organic, campaigns)
    channels = [shop.channels[account] for account in shop.ads.account_of_campaign[places]]
    names = [shop.ads.name(place, period) for place, period in zip(places.tolist(), periods.tolist(), strict=True)]
    origins = Origins(
        sources=(*(way[0] for way in ORGANIC), *(channel.source for channel in channels)),
        mediums=(*(way[1] for way in ORGANIC), *(channel.medium for channel in channels)),
        campaigns=(*(way[2] for way in ORGANIC), *names),
        sites=(*(way[3] for way in ORGANIC), *(channel.site for channel in channels)),
    )
    return origins, replace(visits, origin=kind[organic:])


def utm(origins: Origins, places: Ints) -> dict[str, Any]:
    """The utm parameters of origins, by name; -1 is none. What stands in parentheses is no parameter."""
    texts = {"utm_source": origins.sources, "utm_medium": origins.mediums, "utm_campaign": origins.campaigns}
    return {
        name: taken(pa.array([None if text.startswith("(") else text for text in words], pa.string()), places)
        for name, words in texts.items()
    }


def seen_by(outlet: ShopAccount, whereabouts: Floats) -> Bools:
    """Whether an account sees what happens there; each of its platform sees a part of it."""
    return np.asarray((whereabouts * outlet.of).astype(np.int64) == outlet.place)


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
        store=draw_choice(dice[:, 0], np.array(shop.store_shares)),
        whereabouts=dice[:, 0],
        town=draw_choice(dice[:, 1], np.array([town.share for town in TOWNS])),
        machine=draw_choice(dice[:, 2], np.array([machine.share for machine in DEVICES])),
        has_account=dice[:, 3] < WITH_ACCOUNT,
        shyness=dice[:, 4],
        token=(dice[:, 5] * 2**31).astype(np.int64),
    )


def _all_visits(shop: Shop, cohorts: Ints, visitors: Visitors, start: Ints) -> Visits:
    """Each round of visits, of those whom the round before made come back."""
    funnel = shop.levers.build_funnel()
    visitor = np.arange(len(start))
    is_customer, came_by_ad = np.zeros((2, len(start)), dtype=np.bool_)
    rounds: list[Visits] = []
    for number in range(1, MAX_VISITS + 1):
        counts = np.bincount(visitors.cohort[visitor] - cohorts[0], minlength=len(cohorts))
        dice = draw_uniform(shop.seed, Purpose(number), cohorts, counts, 14)
        steps = _walk(start, dice, np.where(is_customer[:, None], funnel.boosted, funnel.advance))
        origin, ad = _sources(shop, dice[:, 12:], start // DAY)
        # Analytics gives a visit without a source to the visitor's first one: nobody may come twice by one click.
        origin = np.where((origin == DIRECT) & came_by_ad, LETTER, origin)
        rounds.append(Visits(visitor, np.full(len(visitor), number), steps, origin, ad))
        reached = (steps != NEVER).sum(axis=1) - 1
        back = dice[:, 10] < funnel.come_back[reached]
        pause = SHORTEST_BREAK + dice[back, 11] * (LONGEST_BREAK - SHORTEST_BREAK)
        start = steps[back, reached[back]] + (pause * SECOND).astype(np.int64)
        is_customer = (is_customer | (reached == PURCHASE))[back]
        came_by_ad = (came_by_ad | ((number == 1) & (ad >= 0)))[back]
        visitor = visitor[back]
    return Visits(*(np.concatenate([getattr(each, name) for each in rounds]) for name in Visits.__annotations__))


def _walk(start: Ints, dice: Floats, advance: Floats) -> Ints:
    """When each step of each visit was reached."""
    reached = np.logical_and.accumulate(dice[:, :PURCHASE] < advance, axis=1)
    delay = SHORTEST_STEP + np.square(dice[:, PURCHASE : 2 * PURCHASE]) * (LONGEST_STEP - SHORTEST_STEP)
    times = start[:, None] + np.cumsum((delay * SECOND).astype(np.int64), axis=1)
    return np.column_stack([start, np.where(reached, times, NEVER)])


def _sources(shop: Shop, dice: Floats, days: Ints) -> tuple[Ints, Ints]:
    """Where visits come from, and by which ad: a place in ORGANIC, or after those the campaign's, period by period."""
    organic = draw_choice(dice[:, 1], np.array([share for *_, share in ORGANIC]))
    if not len(shop.ads.ads):
        return organic, np.full(len(organic), -1)
    ad = draw_choice(dice[:, 1], shop.ads.clicks)
    is_paid = dice[:, 0] >= shop.levers.organic_traffic_ratio
    campaign = shop.ads.campaign_of_ad[ad]
    paid = len(ORGANIC) + campaign + shop.ads.periods(campaign, days) * len(shop.ads.campaigns)
    return np.where(is_paid, paid, organic), np.where(is_paid, ad, -1)


def _anonymous(shop: Shop, cohorts: Ints, means: Floats) -> Anonymous:
    counts = draw_counts(shop.seed, Purpose.ANONYMOUS, cohorts, means * ANONYMOUS)
    dice = draw_uniform(shop.seed, Purpose.ANONYMOUS, cohorts, counts, 4)
    return Anonymous(
        at=times_of_day(shop, np.repeat(cohorts, counts), dice[:, 0]),
        whereabouts=dice[:, 1],
        town=draw_choice(dice[:, 2], np.array([town.share for town in TOWNS])),
        machine=draw_choice(dice[:, 3], np.array([machine.share for machine in DEVICES])),
    )
