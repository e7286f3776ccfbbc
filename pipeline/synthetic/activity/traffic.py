"""Visitors and their visits. A visitor belongs to the cohort of the day of the first visit, with all later visits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np
import pyarrow as pa

from pipeline.config.blocks.sessions import GAP_MINUTES
from pipeline.synthetic.arrays.columns import take_rows
from pipeline.synthetic.arrays.names import DEVICES, TOWNS
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints, Purpose, draw_choice, draw_counts, draw_uniform
from pipeline.synthetic.arrays.zones import DAY, HOUR, SECOND
from pipeline.synthetic.model.funnel import MAX_VISITS, PURCHASE
from pipeline.synthetic.model.shop import Shop, ShopAccount

NEVER = np.iinfo(np.int64).max
# Seconds between two events of a visit: at most the gap that ends a session by default.
SHORTEST_STEP, LONGEST_STEP = 20, GAP_MINUTES * 60
SHORTEST_BREAK, LONGEST_BREAK = LONGEST_STEP + 60, 604_800  # seconds between two visits
COHORT_DAYS = 16  # a cohort has no visits later than this after its first day
WEEKDAYS = np.array([0.97, 0.95, 0.96, 1.00, 1.04, 1.06, 1.02])  # Monday first; 1 on average
HOURS = np.array([2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 7, 6, 6, 6, 6, 7, 8, 10, 11, 10, 7, 4])  # weight of each hour
ORGANIC: tuple[tuple[str, str, str, str | None, float], ...] = (  # source, medium, campaign, referring page, share
    ("google", "organic", "(organic)", "https://www.google.com/", 0.40),
    ("(direct)", "(none)", "(direct)", None, 0.30),
    ("newsletter", "email", "weekly_letter", None, 0.15),
    ("blog.example", "referral", "(referral)", "https://blog.example/", 0.15),
)
DIRECT, LETTER = 1, 2  # their positions in ORGANIC
WITH_ACCOUNT = 0.85  # share of visitors who have a customer account, or would open one
ANONYMOUS = 0.01  # events without a user, per visitor


@dataclass(frozen=True)
class Visitors:
    """One row per visitor, cohort after cohort. Row n's first visit is row n of the visits."""

    cohort: Ints  # days since 1970
    position: Ints  # within the cohort
    store: Ints
    account_draw: Floats  # from 0 to 1: decides which account of an analytics platform tracks the visitor
    town: Ints
    device: Ints
    has_account: Bools
    tracking_rank: Floats  # from 0 to 1: a platform that misses a share of the visitors misses those below it
    token: Ints  # number of the browser


@dataclass(frozen=True)
class Visits:
    """One row per visit: first all first visits, then all second ones, then the third."""

    visitor: Ints  # row of the visitor
    number: Ints  # 1 for the first
    steps: Ints  # UTC microseconds of each funnel step; NEVER where not reached
    origin: Ints  # position in Origins
    ad: Ints  # -1 where no ad was clicked


@dataclass(frozen=True)
class Anonymous:
    """Events without a user, of visitors who declined tracking."""

    at: Ints
    account_draw: Floats
    town: Ints
    device: Ints


@dataclass(frozen=True)
class Origins:
    """Origins of visits, as links name them: the organic ones, then every campaign under each name that visits have."""

    sources: tuple[str, ...]
    mediums: tuple[str, ...]
    campaigns: tuple[str, ...]
    sites: tuple[str | None, ...]  # referring page; None where there is none


@dataclass(frozen=True)
class Traffic:
    cohorts: Ints  # consecutive days
    visitors: Visitors
    visits: Visits
    origins: Origins
    anonymous: Anonymous


def simulate_traffic(shop: Shop, cohorts: Ints) -> Traffic:
    """All visitors with a first visit on one of these days, and all their visits."""
    means = shop.parameters.daily_visitors() * WEEKDAYS[(cohorts + 3) % 7]
    counts = draw_counts(shop.seed, Purpose.VISITORS, cohorts, means)
    draws = draw_uniform(shop.seed, Purpose.VISITORS, cohorts, counts, 7)
    visitors = _create_visitors(shop, cohorts, counts, draws)
    start = times_of_day(shop, visitors.cohort, draws[:, 6])
    origins, visits = _name_origins(shop, _all_visits(shop, cohorts, visitors, start))
    return Traffic(cohorts, visitors, visits, origins, _anonymous(shop, cohorts, means))


def _name_origins(shop: Shop, visits: Visits) -> tuple[Origins, Visits]:
    """The named origins of visits, and the visits with positions in them instead of campaign and period."""
    organic, campaigns = len(ORGANIC), max(len(shop.ads.campaigns), 1)
    kinds, kind = np.unique(np.concatenate([np.arange(organic), visits.origin]), return_inverse=True)
    periods, campaign = np.divmod(kinds[organic:] - organic, campaigns)
    channels = [shop.channels[account] for account in shop.ads.account_of_campaign[campaign]]
    names = [shop.ads.name(*named) for named in zip(campaign.tolist(), periods.tolist(), strict=True)]
    origins = Origins(
        sources=(*(origin[0] for origin in ORGANIC), *(channel.source for channel in channels)),
        mediums=(*(origin[1] for origin in ORGANIC), *(channel.medium for channel in channels)),
        campaigns=(*(origin[2] for origin in ORGANIC), *names),
        sites=(*(origin[3] for origin in ORGANIC), *(channel.site for channel in channels)),
    )
    return origins, replace(visits, origin=kind[organic:])


def utm(origins: Origins, positions: Ints) -> dict[str, Any]:
    """The utm parameters of origins, by name; null for -1 and for values in parentheses."""
    texts = {"utm_source": origins.sources, "utm_medium": origins.mediums, "utm_campaign": origins.campaigns}
    return {
        name: take_rows(pa.array([None if text.startswith("(") else text for text in values], pa.string()), positions)
        for name, values in texts.items()
    }


def received_by(account: ShopAccount, account_draw: Floats) -> Bools:
    """Whether an account receives what has this draw; the accounts of a platform share the traffic."""
    return np.asarray((account_draw * account.platform_accounts).astype(np.int64) == account.position)


def times_of_day(shop: Shop, days: Ints, draws: Floats) -> Ints:
    """UTC microseconds on local days of the tenant, distributed by HOURS."""
    busy = np.concatenate([[0.0], np.cumsum(HOURS) / HOURS.sum()])
    within = np.interp(draws, busy, np.arange(25.0) * HOUR).astype(np.int64)
    kinds, kind = np.unique(days, return_inverse=True)
    return np.asarray(shop.zone.midnights(kinds)[kind] + np.minimum(within, DAY - 1), dtype=np.int64)


def position_in_day(counts: Ints) -> Ints:
    """0, 1, 2, ... within each day."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _create_visitors(shop: Shop, cohorts: Ints, counts: Ints, draws: Floats) -> Visitors:
    return Visitors(
        cohort=np.repeat(cohorts, counts),
        position=position_in_day(counts),
        store=draw_choice(draws[:, 0], np.array(shop.store_shares)),
        account_draw=draws[:, 0],
        town=draw_choice(draws[:, 1], np.array([town.share for town in TOWNS])),
        device=draw_choice(draws[:, 2], np.array([device.share for device in DEVICES])),
        has_account=draws[:, 3] < WITH_ACCOUNT,
        tracking_rank=draws[:, 4],
        token=(draws[:, 5] * 2**31).astype(np.int64),
    )


def _all_visits(shop: Shop, cohorts: Ints, visitors: Visitors, start: Ints) -> Visits:
    """All visits, round by round: each round has the visitors who return after the round before."""
    funnel = shop.parameters.build_funnel()
    visitor = np.arange(len(start))
    is_customer, came_by_ad = np.zeros((2, len(start)), dtype=np.bool_)
    rounds: list[Visits] = []
    for number in range(1, MAX_VISITS + 1):
        counts = np.bincount(visitors.cohort[visitor] - cohorts[0], minlength=len(cohorts))
        draws = draw_uniform(shop.seed, Purpose(number), cohorts, counts, 14)
        steps = _step_times(start, draws, np.where(is_customer[:, None], funnel.boosted, funnel.advance))
        origin, ad = _sources(shop, draws[:, 12:], start // DAY)
        # Analytics attributes a visit without a source to the visitor's first one: a click must not count twice.
        origin = np.where((origin == DIRECT) & came_by_ad, LETTER, origin)
        rounds.append(Visits(visitor, np.full(len(visitor), number), steps, origin, ad))
        reached = (steps != NEVER).sum(axis=1) - 1
        returns = draws[:, 10] < funnel.come_back[reached]
        pause = SHORTEST_BREAK + draws[returns, 11] * (LONGEST_BREAK - SHORTEST_BREAK)
        start = steps[returns, reached[returns]] + (pause * SECOND).astype(np.int64)
        is_customer = (is_customer | (reached == PURCHASE))[returns]
        came_by_ad = (came_by_ad | ((number == 1) & (ad >= 0)))[returns]
        visitor = visitor[returns]
    return Visits(*(np.concatenate([getattr(each, name) for each in rounds]) for name in Visits.__annotations__))


def _step_times(start: Ints, draws: Floats, advance: Floats) -> Ints:
    """The time of each step of each visit; NEVER where not reached."""
    reached = np.logical_and.accumulate(draws[:, :PURCHASE] < advance, axis=1)
    delay = SHORTEST_STEP + np.square(draws[:, PURCHASE : 2 * PURCHASE]) * (LONGEST_STEP - SHORTEST_STEP)
    times = start[:, None] + np.cumsum((delay * SECOND).astype(np.int64), axis=1)
    return np.column_stack([start, np.where(reached, times, NEVER)])


def _sources(shop: Shop, draws: Floats, days: Ints) -> tuple[Ints, Ints]:
    """The origin and the ad of visits: a position in ORGANIC, or after those the campaign's, period by period."""
    organic = draw_choice(draws[:, 1], np.array([share for *_, share in ORGANIC]))
    if not len(shop.ads.ads):
        return organic, np.full(len(organic), -1)
    ad = draw_choice(draws[:, 1], shop.ads.clicks)
    is_paid = draws[:, 0] >= shop.parameters.organic_traffic_ratio
    campaign = shop.ads.campaign_of_ad[ad]
    paid = len(ORGANIC) + campaign + shop.ads.periods(campaign, days) * len(shop.ads.campaigns)
    return np.where(is_paid, paid, organic), np.where(is_paid, ad, -1)


def _anonymous(shop: Shop, cohorts: Ints, means: Floats) -> Anonymous:
    counts = draw_counts(shop.seed, Purpose.ANONYMOUS, cohorts, means * ANONYMOUS)
    draws = draw_uniform(shop.seed, Purpose.ANONYMOUS, cohorts, counts, 4)
    return Anonymous(
        at=times_of_day(shop, np.repeat(cohorts, counts), draws[:, 0]),
        account_draw=draws[:, 1],
        town=draw_choice(draws[:, 2], np.array([town.share for town in TOWNS])),
        device=draw_choice(draws[:, 3], np.array([device.share for device in DEVICES])),
    )
