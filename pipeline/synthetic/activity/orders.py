"""Orders: the purchases of visits, a few test orders of the shop, and their later changes. Money is in hundredths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.activity.traffic import NEVER, Traffic, position_in_day, times_of_day
from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints, Purpose, draw_choice, draw_counts, draw_uniform
from pipeline.synthetic.arrays.zones import DAY, HOUR, SECOND
from pipeline.synthetic.model.assortment import DISCOUNT_DIVISOR, DISCOUNTED, LINES, QUANTITIES, TAX_PERCENT
from pipeline.synthetic.model.funnel import MAX_VISITS, PURCHASE
from pipeline.synthetic.model.shop import Shop, serial_numbers

DAILY_TESTS = 0.15
CANCELLED, REFUNDED, PARTLY = 0.03, 0.06, 0.09  # of orders: upper ends of consecutive ranges
PENDING = 0.05  # share of orders that are paid days later
CHANGE_DAYS = 10  # an order does not change later than this
DRAWS = 13


@dataclass(frozen=True)
class Orders:
    """One row per order, cohort after cohort. Times are UTC microseconds on whole seconds, or NEVER."""

    number: Ints  # plus its store's base: the order's id
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
    """The orders of all visitors in the traffic, and the shop's own test orders on those days."""
    visits, visitors = traffic.visits, traffic.visitors
    visit = np.flatnonzero(visits.steps[:, PURCHASE] != NEVER)
    visit = visit[np.lexsort((visits.number[visit], visits.visitor[visit]))]
    visitor = visits.visitor[visit]
    cohort = visitors.cohort[visitor]
    counts = np.bincount(cohort - traffic.cohorts[0], minlength=len(traffic.cohorts))
    draws = draw_uniform(shop.seed, Purpose.ORDERS, traffic.cohorts, counts, DRAWS)
    test = draw_counts(shop.seed, Purpose.TEST_ORDERS, traffic.cohorts, np.full(len(traffic.cohorts), DAILY_TESTS))
    test_draws = draw_uniform(shop.seed, Purpose.TEST_ORDERS, traffic.cohorts, test, DRAWS + 2)
    test_day, no_visitor = np.repeat(traffic.cohorts, test), np.full(test.sum(), -1)
    ids_per_visitor = MAX_VISITS + 1
    placed = visits.steps[visit, PURCHASE], times_of_day(shop, test_day, test_draws[:, DRAWS])
    number = serial_numbers(cohort, visitors.position[visitor] * ids_per_visitor + visits.number[visit])
    return _fill(
        shop,
        np.concatenate([draws, test_draws[:, :DRAWS]]),
        number=np.concatenate([number, serial_numbers(test_day, position_in_day(test) * ids_per_visitor)]),
        visit=np.concatenate([visit, no_visitor]),
        visitor=np.concatenate([visitor, no_visitor]),
        store=np.concatenate(
            [visitors.store[visitor], draw_choice(test_draws[:, DRAWS + 1], np.array(shop.store_shares))]
        ),
        placed_at=np.concatenate(placed) // SECOND * SECOND,
    )


def _fill(shop: Shop, draws: Floats, *, placed_at: Ints, **identity: Ints) -> Orders:
    """Orders with baskets, amounts and later changes, decided by each order's own draws."""
    product, price = _pick_products(shop, identity["store"], draws[:, 1:4])
    step = np.array([store.smallest for store in shop.stores])[identity["store"]]
    quantity = np.where(
        np.arange(3) < 1 + draw_choice(draws[:, 0], LINES)[:, None], 1 + draw_choice(draws[:, 4:7], QUANTITIES), 0
    )
    gross = price * quantity
    tenth = rounded((gross + DISCOUNT_DIVISOR // 2) // DISCOUNT_DIVISOR, step[:, None])
    discount = np.where(draws[:, 7, None] < DISCOUNTED, tenth, 0)
    subtotal = (gross - discount).sum(axis=1)
    total = subtotal + tax_of(subtotal, step)
    outcome = np.where(identity["visit"] < 0, 1.0, draws[:, 8])
    first_unit = rounded(price[:, 0] - discount[:, 0] // quantity[:, 0], step)
    partly = (outcome >= REFUNDED) & (outcome < PARTLY)
    return Orders(
        product=product,
        price=price,
        quantity=quantity,
        discount=discount,
        subtotal=subtotal,
        tax=total - subtotal,
        total=total,
        refund=np.where(partly, first_unit + tax_of(first_unit, step), total),
        refund_quantity=np.where(partly[:, None], np.arange(3) < 1, quantity).astype(np.int64),
        has_charge=draws[:, 12] < 0.7,
        placed_at=placed_at,
        **_outcome_times(placed_at, outcome, draws[:, 9:12]),
        **identity,
    )


def _pick_products(shop: Shop, store: Ints, draws: Floats) -> tuple[Ints, Ints]:
    """The products of basket lines, from each store's own catalog, and the price of one unit."""
    product, price = np.zeros(draws.shape, dtype=np.int64), np.zeros(draws.shape, dtype=np.int64)
    for position, catalog in enumerate(shop.catalogs):
        rows = store == position
        product[rows] = draw_choice(draws[rows], catalog.popularity)
        price[rows] = catalog.prices[product[rows]]
    return product, price


def tax_of(cents: Ints, step: Ints | int) -> Ints:
    """The tax on amounts, rounded to `step`, the smallest amount of their currency."""
    return rounded((cents * TAX_PERCENT + 50) // 100, step)


def _outcome_times(placed_at: Ints, outcome: Floats, draws: Floats) -> dict[str, Ints]:
    """The times at which each order is paid, cancelled, fulfilled and refunded, within CHANGE_DAYS."""

    def later(since: Ints, least: int, most: int, uniform: Floats) -> Ints:
        return since + (least + uniform * (most - least)).astype(np.int64) // SECOND * SECOND

    is_cancelled, is_pending = outcome < CANCELLED, draws[:, 0] < PENDING
    paid = np.where(is_pending, later(placed_at, DAY, 3 * DAY, draws[:, 1]), placed_at)
    cancelled = later(placed_at, HOUR, 2 * DAY, draws[:, 1])
    refunded = np.where(is_cancelled, cancelled, later(placed_at, 6 * DAY, 9 * DAY, draws[:, 2]))
    is_refunded = (outcome < PARTLY) & ~(is_cancelled & is_pending)
    return {
        "paid_at": np.where(is_cancelled & is_pending, NEVER, paid),
        "cancelled_at": np.where(is_cancelled, cancelled, NEVER),
        "fulfilled_at": np.where(is_cancelled, NEVER, later(paid, DAY, 3 * DAY, draws[:, 2])),
        "refunded_at": np.where(is_refunded, refunded, NEVER),
    }
