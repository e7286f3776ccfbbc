"""What each ad cost and did on each day, as an ads platform reports it: the one truth, but for what it learns later.

For some days after a day the platform changes what it says of it: invalid clicks are credited back, and conversions are
attributed late. So a chunk's report has the days of the span, and again whole earlier days that were revised meanwhile;
never later than the contract's `restated_days`. Impressions and clicks are final at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from pipeline.contracts.fields import Contract
from pipeline.synthetic.activity.ad_entities import ads_of
from pipeline.synthetic.activity.simulation import Activity, Span
from pipeline.synthetic.activity.traffic import NEVER, WEEKDAYS
from pipeline.synthetic.arrays.columns import at
from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.rng import Floats, Ints, Purpose, draw_uniform, normal
from pipeline.synthetic.arrays.zones import Zone
from pipeline.synthetic.model.funnel import PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount

SPREAD = 0.5  # sigma of an ad's daily spend
REVISIONS = (1, 3, 7)  # days after a day on which what was said of it is revised
CREDITED = 0.03  # of spend at most, at each revision
UNTOLD = 0.12  # of conversions, made known at each revision


@dataclass(frozen=True)
class AdDays:
    """One row per ad (or what `summed` says) and day on which it was shown, day after day.

    Attributes:
        day: In the report's zone, days since 1970.
        ad: The position of the ad, or of what ads belong to.
        cents: Spend, in hundredths of the account's currency.
        counts: Clicks that reached each step of the funnel on that day, a column per step.
        purchases: Those of them that the platform reports by now.
        revenue: Of the reported ones, in hundredths of the stores' currencies.
        told: The share of conversions that is reported by now.
    """

    day: Ints
    ad: Ints
    cents: Ints
    impressions: Ints
    counts: Ints
    purchases: Ints
    revenue: Ints
    told: Floats

    @property
    def clicks(self) -> Ints:
        return self.counts[:, 0]

    def rows(self, rows: Ints) -> AdDays:
        """The rows at these positions."""
        return AdDays(*(getattr(self, field.name)[rows] for field in fields(self)))

    def summed(self, place_of_ad: Ints) -> AdDays:
        """The same days of what ads belong to."""
        place = place_of_ad[self.ad]
        cells, first, cell = np.unique(
            self.day * (place.max(initial=0) + 1) + place, return_index=True, return_inverse=True
        )

        def total(numbers: Ints) -> Ints:
            sums = np.zeros((len(cells), *numbers.shape[1:]), dtype=np.int64)
            np.add.at(sums, cell, numbers)
            return sums

        return replace(
            self.rows(first),
            ad=place[first],
            cents=total(self.cents),
            impressions=total(self.impressions),
            counts=total(self.counts),
            purchases=total(self.purchases),
            revenue=total(self.revenue),
        )


def read_ad_days(shop: Shop, trade: Activity, outlet: ShopAccount, contract: type[Contract]) -> AdDays:
    """The report of an account, its days and revisions as the report's contract has them."""
    zone = Zone("UTC") if contract.zone == "utc" else outlet.zone
    days = report_days(trade.span, contract.restated_days)
    ads = ads_of(shop, outlet)
    counts, revenue = _count(shop, trade, zone, days, ads)
    day, ad = np.repeat(days, len(ads)), np.tile(ads, len(days))
    dice = _roll(shop, Purpose.SPEND, days, ads, 4)
    luck = _roll(shop, Purpose.REVISIONS, days, ads, 2)
    open_revisions = _open_revisions(trade.span, contract.restated_days, day)
    busy = WEEKDAYS[(day + 3) % 7]
    noise = np.exp(SPREAD * normal(dice[:, 0], dice[:, 1]) - SPREAD**2 / 2)  # 1 on average
    credited = 1 + CREDITED * luck[:, 0] * open_revisions
    cents = np.rint(shop.ads.spend[ad] * busy * noise * 100 * credited).astype(np.int64)
    told = np.asarray(1 - UNTOLD * open_revisions, dtype=np.float64)
    purchases = np.floor(counts[:, PURCHASE] * told + luck[:, 1]).astype(np.int64)
    purchases = np.minimum(purchases, counts[:, PURCHASE])
    report = AdDays(
        day=day,
        ad=ad,
        cents=rounded(cents, outlet.smallest),
        impressions=_impressions(shop, ad, counts[:, 0], busy * np.exp(0.3 * normal(dice[:, 2], dice[:, 3]) - 0.045)),
        counts=counts,
        purchases=purchases,
        revenue=revenue * purchases // np.maximum(counts[:, PURCHASE], 1),
        told=told,
    )
    return report.rows(np.flatnonzero((report.cents > 0) | (report.impressions > 0)))


def report_days(span: Span, restated_days: int) -> Ints:
    """The days of the span, after the earlier ones that were revised on one of them."""
    lags = _lags(restated_days)
    earlier = range(max(span.opening, span.first - max(lags, default=0)), span.first)
    revised = [day for day in earlier if any(span.first <= day + lag <= span.last for lag in lags)]
    return np.concatenate([np.array(revised, dtype=np.int64), np.arange(span.first, span.last + 1)])


def _lags(restated_days: int) -> list[int]:
    return [lag for lag in REVISIONS if lag <= restated_days]


def _open_revisions(span: Span, restated_days: int, day: Ints) -> Ints:
    """How many revisions of each day are still to come."""
    lags = np.array(_lags(restated_days), dtype=np.int64)
    return np.asarray((span.last - day[:, None] < lags).sum(axis=1), dtype=np.int64)


def _count(shop: Shop, trade: Activity, zone: Zone, days: Ints, ads: Ints) -> tuple[Ints, Ints]:
    """What visits by ads did, by the day of each step and ad: counts by step, and what was bought."""
    visits = trade.traffic.visits
    column = np.full(len(shop.ads.ads), -1)
    column[ads] = np.arange(len(ads))
    cells = len(days) * len(ads)
    counts, revenue = np.zeros((cells, len(STEPS)), dtype=np.int64), np.zeros(cells, dtype=np.int64)
    mine = np.flatnonzero((at(column, visits.ad) >= 0) & trade.is_booked)
    for step in range(len(STEPS)):
        reached = mine[visits.steps[mine, step] != NEVER]
        day = zone.days(visits.steps[reached, step])
        row = np.minimum(np.searchsorted(days, day), len(days) - 1)
        inside = days[row] == day
        reached, cell = reached[inside], row[inside] * len(ads) + column[visits.ad[reached[inside]]]
        counts[:, step] = np.bincount(cell, minlength=cells)
        if step == PURCHASE:
            np.add.at(revenue, cell, trade.orders.total[trade.order_of_visit[reached]])
    return counts, revenue


def _roll(shop: Shop, purpose: Purpose, days: Ints, ads: Ints, columns: int) -> Floats:
    """The dice of these ads on these days: each ad of the tenant has its own."""
    dice = draw_uniform(shop.seed, purpose, days, np.full(len(days), len(shop.ads.ads)), columns)
    return dice.reshape(len(days), len(shop.ads.ads), columns)[:, ads].reshape(-1, columns)


def _impressions(shop: Shop, ad: Ints, clicks: Ints, noise: Floats) -> Ints:
    """How often each ad was shown: as its share of clicks and the click rate want it, but no less than clicked."""
    levers = shop.levers
    paid = levers.daily_visits() * (1 - levers.organic_traffic_ratio)
    expected = paid * shop.ads.clicks[ad] * noise
    return np.maximum(np.rint(expected / np.maximum(shop.ads.ctr[ad], 1e-6)).astype(np.int64), clicks)
