"""Daily results of each ad, as an ads platform reports them: the simulated activity, except for later revisions.

For some days after a day the platform revises its results: invalid clicks are credited back, and conversions are
attributed late. So a chunk's report has the days of the span, and again all rows of earlier days that were revised in
it; never later than the contract's `restated_days`. Impressions and clicks are final at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from pipeline.contracts.fields import Contract
from pipeline.synthetic.activity.ad_entities import ads_of
from pipeline.synthetic.activity.simulation import Activity, Span
from pipeline.synthetic.activity.traffic import NEVER, WEEKDAYS
from pipeline.synthetic.arrays.columns import take_numbers
from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.rng import Floats, Ints, Purpose, draw_uniform, normal
from pipeline.synthetic.arrays.zones import Zone
from pipeline.synthetic.model.funnel import PURCHASE, STEPS
from pipeline.synthetic.model.shop import Shop, ShopAccount

SPREAD = 0.5  # sigma of an ad's daily spend
REVISIONS = (1, 3, 7)  # days after a day on which its results are revised
CREDITED = 0.03  # of spend at most, credited back at each revision
UNREPORTED = 0.12  # of conversions, reported only at each revision


@dataclass(frozen=True)
class AdDays:
    """One row per ad (or parent of ads, by `summed`) and day on which it was shown, day after day.

    Attributes:
        day: In the report's zone, days since 1970.
        ad: The position of the ad, or of the parent of ads.
        cents: Spend, in hundredths of the account's currency.
        counts: Clicks that reached each step of the funnel on that day, a column per step.
        purchases: The purchases among them that the platform reports by now.
        revenue: Of the reported purchases, in hundredths of the stores' currencies.
        reported_share: The share of conversions that is reported by now.
    """

    day: Ints
    ad: Ints
    cents: Ints
    impressions: Ints
    counts: Ints
    purchases: Ints
    revenue: Ints
    reported_share: Floats

    @property
    def clicks(self) -> Ints:
        return self.counts[:, 0]

    def rows(self, rows: Ints) -> AdDays:
        """The rows at these positions."""
        return AdDays(*(getattr(self, field.name)[rows] for field in fields(self)))

    def summed(self, position_of_ad: Ints) -> AdDays:
        """The same days, summed by the parent of each ad."""
        position = position_of_ad[self.ad]
        cells, first, cell = np.unique(
            self.day * (position.max(initial=0) + 1) + position, return_index=True, return_inverse=True
        )

        def total(numbers: Ints) -> Ints:
            sums = np.zeros((len(cells), *numbers.shape[1:]), dtype=np.int64)
            np.add.at(sums, cell, numbers)
            return sums

        return replace(
            self.rows(first),
            ad=position[first],
            cents=total(self.cents),
            impressions=total(self.impressions),
            counts=total(self.counts),
            purchases=total(self.purchases),
            revenue=total(self.revenue),
        )


def read_ad_days(shop: Shop, activity: Activity, account: ShopAccount, contract: type[Contract]) -> AdDays:
    """The report of an account, with the time zone and the revisions of the report's contract."""
    zone = Zone("UTC") if contract.zone == "utc" else account.zone
    days = report_days(activity.span, contract.restated_days)
    ads = ads_of(shop, account)
    counts, revenue = _count(shop, activity, zone, days, ads)
    day, ad = np.repeat(days, len(ads)), np.tile(ads, len(days))
    draws = _draw(shop, Purpose.SPEND, days, ads, 4)
    revision_draws = _draw(shop, Purpose.REVISIONS, days, ads, 2)
    open_revisions = _open_revisions(activity.span, contract.restated_days, day)
    busy = WEEKDAYS[(day + 3) % 7]
    noise = np.exp(SPREAD * normal(draws[:, 0], draws[:, 1]) - SPREAD**2 / 2)  # 1 on average
    credited = 1 + CREDITED * revision_draws[:, 0] * open_revisions
    cents = np.rint(shop.ads.spend[ad] * busy * noise * 100 * credited).astype(np.int64)
    reported_share = np.asarray(1 - UNREPORTED * open_revisions, dtype=np.float64)
    purchases = np.floor(counts[:, PURCHASE] * reported_share + revision_draws[:, 1]).astype(np.int64)
    purchases = np.minimum(purchases, counts[:, PURCHASE])
    report = AdDays(
        day=day,
        ad=ad,
        cents=rounded(cents, account.smallest),
        impressions=_impressions(shop, ad, counts[:, 0], busy * np.exp(0.3 * normal(draws[:, 2], draws[:, 3]) - 0.045)),
        counts=counts,
        purchases=purchases,
        revenue=revenue * purchases // np.maximum(counts[:, PURCHASE], 1),
        reported_share=reported_share,
    )
    return report.rows(np.flatnonzero((report.cents > 0) | (report.impressions > 0)))


def report_days(span: Span, restated_days: int) -> Ints:
    """The earlier days that were revised on a day of the span, then the days of the span."""
    lags = _lags(restated_days)
    earlier = range(max(span.opening, span.first - max(lags, default=0)), span.first)
    revised = [day for day in earlier if any(span.first <= day + lag <= span.last for lag in lags)]
    return np.concatenate([np.array(revised, dtype=np.int64), np.arange(span.first, span.last + 1)])


def _lags(restated_days: int) -> list[int]:
    return [lag for lag in REVISIONS if lag <= restated_days]


def _open_revisions(span: Span, restated_days: int, day: Ints) -> Ints:
    """The number of revisions of each day that are still to come."""
    lags = np.array(_lags(restated_days), dtype=np.int64)
    return np.asarray((span.last - day[:, None] < lags).sum(axis=1), dtype=np.int64)


def _count(shop: Shop, activity: Activity, zone: Zone, days: Ints, ads: Ints) -> tuple[Ints, Ints]:
    """Visits by ads, by the day of each step and ad: counts by step, and revenue."""
    visits = activity.traffic.visits
    column = np.full(len(shop.ads.ads), -1)
    column[ads] = np.arange(len(ads))
    cells = len(days) * len(ads)
    counts, revenue = np.zeros((cells, len(STEPS)), dtype=np.int64), np.zeros(cells, dtype=np.int64)
    visit_rows = np.flatnonzero((take_numbers(column, visits.ad) >= 0) & activity.is_after_opening)
    for step in range(len(STEPS)):
        reached = visit_rows[visits.steps[visit_rows, step] != NEVER]
        day = zone.days(visits.steps[reached, step])
        row = np.minimum(np.searchsorted(days, day), len(days) - 1)
        inside = days[row] == day
        reached, cell = reached[inside], row[inside] * len(ads) + column[visits.ad[reached[inside]]]
        counts[:, step] = np.bincount(cell, minlength=cells)
        if step == PURCHASE:
            np.add.at(revenue, cell, activity.orders.total[activity.order_of_visit[reached]])
    return counts, revenue


def _draw(shop: Shop, purpose: Purpose, days: Ints, ads: Ints, columns: int) -> Floats:
    """Random draws of these ads on these days: each ad of the tenant has its own."""
    draws = draw_uniform(shop.seed, purpose, days, np.full(len(days), len(shop.ads.ads)), columns)
    return draws.reshape(len(days), len(shop.ads.ads), columns)[:, ads].reshape(-1, columns)


def _impressions(shop: Shop, ad: Ints, clicks: Ints, noise: Floats) -> Ints:
    """Impressions of each ad: its expected clicks divided by its click rate, but at least its clicks."""
    parameters = shop.parameters
    paid = parameters.daily_visits() * (1 - parameters.organic_traffic_ratio)
    expected = paid * shop.ads.clicks[ad] * noise
    return np.maximum(np.rint(expected / np.maximum(shop.ads.ctr[ad], 1e-6)).astype(np.int64), clicks)
