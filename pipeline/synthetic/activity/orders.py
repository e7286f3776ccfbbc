"""Orders: the purchases of visits, a few tests of the shop itself, and what becomes of each. Money is in cents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.activity.traffic import NEVER, Traffic, place_in_day, times_of_day
from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints, Purpose, draw_choice, draw_counts, draw_uniform
from pipeline.synthetic.arrays.zones import DAY, HOUR, SECOND
from pipeline.synthetic.model.assortment import DISCOUNT_DIVISOR, DISCOUNTED, LINES, QUANTITIES, TAX_PERCENT
from pipeline.synthetic.model.funnel import MAX_VISITS, PURCHASE
from pipeline.synthetic.model.shop import Shop, numbers

DAILY_TESTS = 0.15
CANCELLED, REFUNDED, PARTLY = 0.03, 0.06, 0.09  # of orders; each share begins where the one before ends
PENDING = 0.05  # of orders, paid days later
CHANGE_DAYS = 10  # an order does not change later than this
DICE = 13


@dataclass(frozen=True)
class Orders:
    """One row per order, cohort after cohort. Times are UTC microseconds on whole seconds, or NEVER."""

    number: Ints  # with its store's base, the order's id
    visit: Ints  # row of the visit; -1 for a test
    visitor: Ints  # row of the visitor; -1 for a test
    store: Ints
    product: Ints  # three lines each, by position in the store's catalog; a line of quantity 0 does not exist
    price: Ints  # of one unit
    quantity: Ints
    discount: Ints
    subtotal: Ints
    tax: Ints
    total: Ints
    placed_at: Ints
    paid_at: Ints
    cancelled_at: Ints
    fulfilled_at: Ints
    refunded_at: Ints
    refund: Ints
    refund_quantity: Ints
    has_charge: Bools

    @property
    def is_test(self) -> Bools:
        return self.visit < 0


def place_orders(shop: Shop, traffic: Traffic) -> Orders:
    """The orders of everybody in the traffic, and the shop's own tests on those days."""
    visits, visitors = traffic.visits, traffic.visitors
    visit = np.flatnonzero(visits.steps[:, PURCHASE] != NEVER)
    visit = visit[np.lexsort((visits.number[visit], visits.visitor[visit]))]
    visitor = visits.visitor[visit]
    cohort = visitors.cohort[visitor]
    counts = np.bincount(cohort - traffic.cohorts[0], minlength=len(traffic.cohorts))
    dice = draw_uniform(shop.seed, Purpose.ORDERS, traffic.cohorts, counts, DICE)
    test = draw_counts(shop.seed, Purpose.TEST_ORDERS, traffic.cohorts, np.full(len(traffic.cohorts), DAILY_TESTS))
    test_dice = draw_uniform(shop.seed, Purpose.TEST_ORDERS, traffic.cohorts, test, DICE + 2)
    test_day, nobody = np.repeat(traffic.cohorts, test), np.full(test.sum(), -1)
    room = MAX_VISITS + 1
    placed = visits.steps[visit, PURCHASE], times_of_day(shop, test_day, test_dice[:, DICE])
    number = numbers(cohort, visitors.place[visitor] * room + visits.number[visit])
    return _fill(
        shop,
        np.concatenate([dice, test_dice[:, :DICE]]),
        number=np.concatenate([number, numbers(test_day, place_in_day(test) * room)]),
        visit=np.concatenate([visit, nobody]),
        visitor=np.concatenate([visitor, nobody]),
        store=np.concatenate(
            [visitors.store[visitor], draw_choice(test_dice[:, DICE + 1], np.array(shop.store_shares))]
        ),
        placed_at=np.concatenate(placed) // SECOND * SECOND,
    )


def _fill(shop: Shop, dice: Floats, *, placed_at: Ints, **who: Ints) -> Orders:
    """Baskets and fates, by the orders' own numbers."""
    product, price = _pick_products(shop, who["store"], dice[:, 1:4])
    grain = np.array([store.smallest for store in shop.stores])[who["store"]]
    quantity = np.where(
        np.arange(3) < 1 + draw_choice(dice[:, 0], LINES)[:, None], 1 + draw_choice(dice[:, 4:7], QUANTITIES), 0
    )
    worth = price * quantity
    saved = rounded((worth + DISCOUNT_DIVISOR // 2) // DISCOUNT_DIVISOR, grain[:, None])
    discount = np.where(dice[:, 7, None] < DISCOUNTED, saved, 0)
    subtotal = (worth - discount).sum(axis=1)
    total = subtotal + tax_of(subtotal, grain)
    fate = np.where(who["visit"] < 0, 1.0, dice[:, 8])
    first_unit = rounded(price[:, 0] - discount[:, 0] // quantity[:, 0], grain)
    partly = (fate >= REFUNDED) & (fate < PARTLY)
    return Orders(
        product=product,
        price=price,
        quantity=quantity,
        discount=discount,
        subtotal=subtotal,
        tax=total - subtotal,
        total=total,
        refund=np.where(partly, first_unit + tax_of(first_unit, grain), total),
        refund_quantity=np.where(partly[:, None], np.arange(3) < 1, quantity).astype(np.int64),
        has_charge=dice[:, 12] < 0.7,
        placed_at=placed_at,
        **_fates(placed_at, fate, dice[:, 9:12]),
        **who,
    )


def _pick_products(shop: Shop, store: Ints, chance: Floats) -> tuple[Ints, Ints]:
    """What the lines of baskets hold, by each store's own catalog, and the price of one unit."""
    product, price = np.zeros(chance.shape, dtype=np.int64), np.zeros(chance.shape, dtype=np.int64)
    for place, catalog in enumerate(shop.catalogs):
        rows = store == place
        product[rows] = draw_choice(chance[rows], catalog.popularity)
        price[rows] = catalog.prices[product[rows]]
    return product, price


def tax_of(cents: Ints, grain: Ints | int) -> Ints:
    """The tax on amounts, in whole smallest amounts of their currency."""
    return rounded((cents * TAX_PERCENT + 50) // 100, grain)


def _fates(placed_at: Ints, fate: Floats, dice: Floats) -> dict[str, Ints]:
    """When each order is paid, cancelled, fulfilled and refunded, within CHANGE_DAYS."""

    def later(since: Ints, least: int, most: int, chance: Floats) -> Ints:
        return since + (least + chance * (most - least)).astype(np.int64) // SECOND * SECOND

    is_cancelled, is_pending = fate < CANCELLED, dice[:, 0] < PENDING
    paid = np.where(is_pending, later(placed_at, DAY, 3 * DAY, dice[:, 1]), placed_at)
    cancelled = later(placed_at, HOUR, 2 * DAY, dice[:, 1])
    refunded = np.where(is_cancelled, cancelled, later(placed_at, 6 * DAY, 9 * DAY, dice[:, 2]))
    is_refunded = (fate < PARTLY) & ~(is_cancelled & is_pending)
    return {
        "paid_at": np.where(is_cancelled & is_pending, NEVER, paid),
        "cancelled_at": np.where(is_cancelled, cancelled, NEVER),
        "fulfilled_at": np.where(is_cancelled, NEVER, later(paid, DAY, 3 * DAY, dice[:, 2])),
        "refunded_at": np.where(is_refunded, refunded, NEVER),
    }
