"""Products of the shop, their prices, and the distribution of lines and quantities in a basket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.arrays.money import rounded
from pipeline.synthetic.arrays.names import GOODS, THEMES
from pipeline.synthetic.arrays.rng import Floats, Ints, Purpose, normal

LINES = np.array([0.62, 0.28, 0.10])  # of baskets with 1, 2, 3 lines
QUANTITIES = np.array([0.80, 0.15, 0.05])  # of lines with 1, 2, 3 units
DISCOUNTED = 0.15  # of baskets
DISCOUNT_DIVISOR = 10  # a discounted line costs a tenth less
TAX_PERCENT = 8


@dataclass(frozen=True)
class Goods:
    """Products by position: every store sells the first ones of them, under ids of its own."""

    titles: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Assortment:
    """Prices and popularity of one store's products, by position among the goods."""

    prices: Ints  # hundredths of the store's currency
    popularity: Floats  # share of basket lines


def price_assortment(seed: int, product_count: int, order_value: float, smallest: int) -> Assortment:
    """Price products so that the mean order total is `order_value`, discount and tax included.

    Args:
        smallest: The smallest amount of the store's currency, in hundredths.
    """
    draws = np.random.default_rng((seed, Purpose.CATALOG)).random((product_count, 2))
    popularity = 1.0 / np.sqrt(np.arange(1, product_count + 1))
    popularity /= popularity.sum()
    relative_value = np.exp(0.6 * normal(draws[:, 0], draws[:, 1]))
    sizes = np.arange(1, 4)
    units = float(LINES @ sizes) * float(QUANTITIES @ sizes)
    factor = (1 - DISCOUNTED / DISCOUNT_DIVISOR) * (1 + TAX_PERCENT / 100)
    prices = np.rint(relative_value * order_value * 100 / (units * factor * float(popularity @ relative_value)))
    return Assortment(rounded(prices.astype(np.int64), smallest), popularity)


def name_goods(seed: int, count: int) -> Goods:
    """Unique titles of products, and their kinds."""
    offset = seed % len(THEMES)
    titles, kinds = [], []
    for position in range(count):
        edition, pair = divmod(position, len(GOODS) * len(THEMES))
        goods, kind = GOODS[pair % len(GOODS)]
        theme = THEMES[(pair // len(GOODS) + pair + offset) % len(THEMES)]
        titles.append(f"{theme} {goods}" if not edition else f"{theme} {goods} {edition + 1}")
        kinds.append(kind)
    return Goods(tuple(titles), tuple(kinds))
