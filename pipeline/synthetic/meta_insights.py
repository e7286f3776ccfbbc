"""Meta's insights: what each ad cost and did on each day of its account's zone.

Numbers are text; a number of nothing is an absent key, which `write_json_lines` makes of a missing value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa

from pipeline.synthetic.columns import at, chosen, digits, lists, money, struct, taken
from pipeline.synthetic.dice import Floats, Ints, Purpose, normal, roll
from pipeline.synthetic.funnel import PURCHASE, STEPS
from pipeline.synthetic.meta_ids import account_ids, ad_ids, ad_set_ids, campaign_ids
from pipeline.synthetic.shop import Outlet, Shop
from pipeline.synthetic.trade import Trade
from pipeline.synthetic.traffic import NEVER, WEEKDAYS
from pipeline.synthetic.zones import date_texts

SPREAD = 0.5  # sigma of an ad's daily spend
ACTIONS = (  # types that mean the same are counted under each: adding them up counts twice
    ("link_click", "session_start"),
    ("landing_page_view", "session_start"),
    ("offsite_conversion.fb_pixel_view_content", "view_item"),
    ("view_content", "view_item"),
    ("offsite_conversion.fb_pixel_add_to_cart", "add_to_cart"),
    ("add_to_cart", "add_to_cart"),
    ("omni_add_to_cart", "add_to_cart"),
    ("offsite_conversion.fb_pixel_purchase", "purchase"),
    ("purchase", "purchase"),
    ("omni_purchase", "purchase"),
)
PURCHASE_TYPES = tuple(name for name, step in ACTIONS if step == "purchase")


@dataclass(frozen=True)
class _Grid:
    """Every ad of an account on every day of the span, day after day."""

    day: Ints
    ad: Ints
    counts: dict[str, Ints]  # visits by an ad that reached each step on that day
    revenue: Ints  # cents

    @property
    def clicks(self) -> Ints:
        return self.counts[STEPS[0]]


def _grid(shop: Shop, trade: Trade, account: int, outlet: Outlet) -> _Grid:
    """What visits by ads did, by the day of each step in the account's zone."""
    visits, span = trade.traffic.visits, trade.span
    ads = shop.ads.of_account(account)
    days = np.arange(span.first, span.last + 1)
    column = np.full(len(shop.ads.ads), -1)
    column[ads] = np.arange(len(ads))
    cells = len(days) * len(ads)
    counts: dict[str, Ints] = {}
    revenue = np.zeros(cells, dtype=np.int64)
    mine = np.flatnonzero(at(column, visits.ad) >= 0)
    for step, name in enumerate(STEPS):
        reached = mine[visits.steps[mine, step] != NEVER]
        row = outlet.zone.days(visits.steps[reached, step]) - span.first
        inside = (row >= 0) & (row < len(days))
        reached, cell = reached[inside], row[inside] * len(ads) + column[visits.ad[reached[inside]]]
        counts[name] = np.bincount(cell, minlength=cells)
        if step == PURCHASE:
            np.add.at(revenue, cell, trade.orders.total[trade.order_of_visit[reached]])
    return _Grid(np.repeat(days, len(ads)), np.tile(ads, len(days)), counts, revenue)


def insights(shop: Shop, trade: Trade, account: int, outlet: Outlet) -> Any:
    """One row per ad and day on which it was shown."""
    grid = _grid(shop, trade, account, outlet)
    days = np.arange(trade.span.first, trade.span.last + 1)
    dice = roll(shop.seed, Purpose.SPEND, days, np.full(len(days), len(shop.ads.ads)), 4)
    dice = dice.reshape(len(days), len(shop.ads.ads), 4)[grid.day - trade.span.first, grid.ad]
    busy = WEEKDAYS[(grid.day + 3) % 7]
    noise = np.exp(SPREAD * normal(dice[:, 0], dice[:, 1]) - SPREAD**2 / 2)  # 1 on average
    cents = np.rint(shop.ads.spend[grid.ad] * shop.levers.daily_spend_mean * busy * noise * 100).astype(np.int64)
    shown = _impressions(shop, grid, busy * np.exp(0.3 * normal(dice[:, 2], dice[:, 3]) - 0.045))
    rows = np.flatnonzero((cents > 0) | (shown > 0))
    ad, ads = grid.ad[rows], shop.ads
    day, clicks = date_texts(grid.day[rows]), digits(grid.clicks[rows], grid.clicks[rows] > 0)
    shown = shown[rows]
    return pa.table(
        {
            "account_id": account_ids(outlet, rows),
            "account_name": chosen([f"{shop.host} {outlet.name}"], np.zeros_like(rows)),
            "account_currency": chosen([outlet.currency], np.zeros_like(rows)),
            "campaign_id": campaign_ids(outlet, ads.campaign_of_ad[ad]),
            "campaign_name": chosen(ads.campaigns, ads.campaign_of_ad[ad]),
            "adset_id": ad_set_ids(outlet, ads.ad_set_of_ad[ad]),
            "adset_name": chosen(ads.ad_sets, ads.ad_set_of_ad[ad]),
            "ad_id": ad_ids(outlet, ad),
            "ad_name": chosen(ads.ads, ad),
            "date_start": day,
            "date_stop": day,
            "spend": money(cents[rows], cents[rows] > 0),
            "impressions": digits(shown, shown > 0),
            "clicks": clicks,
            "inline_link_clicks": clicks,
            "reach": digits(shown * 4 // 5 + 1, shown > 0),
            **_actions(grid, rows),
        }
    )


def _impressions(shop: Shop, grid: _Grid, noise: Floats) -> Ints:
    """How often each ad was shown: as its share of clicks and the click rate want it, but no less than clicked."""
    levers = shop.levers
    visits = levers.daily_visitors() * levers.build_funnel().expected().visits
    expected = visits * (1 - levers.organic_traffic_ratio) * shop.ads.clicks[grid.ad] * noise
    usual = np.rint(expected / max(levers.avg_ctr, 1e-6)).astype(np.int64)
    return np.maximum(usual, grid.clicks)


def _actions(grid: _Grid, rows: Ints) -> dict[str, Any]:
    """What people did, under each action type that means it; a row without any has no such key."""
    counts = np.stack([grid.counts[step][rows] for _, step in ACTIONS], axis=1)
    values = np.repeat(grid.revenue[rows, None], len(PURCHASE_TYPES), axis=1)
    action_types = [name for name, _ in ACTIONS]
    return {
        "actions": _typed(counts, action_types, digits),
        "action_values": _typed(values, PURCHASE_TYPES, money),
    }


def _typed(numbers: Ints, names: Any, form: Any) -> Any:
    """The numbers above 0 of each row as {action_type, value}; none for a row without."""
    row, name = np.nonzero(numbers)
    counts = (numbers > 0).sum(axis=1)
    records = lists(counts, struct({"action_type": chosen(names, name), "value": form(numbers[row, name])}))
    return taken(records, np.where(counts > 0, np.arange(len(counts)), -1))
