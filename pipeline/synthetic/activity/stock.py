"""The products of a store as a shop's catalog keeps them: when each was made, and last restocked."""

from __future__ import annotations

import numpy as np

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import DAY, HOUR
from pipeline.synthetic.model.assortment import Assortment
from pipeline.synthetic.model.shop import Shop, ShopAccount

RESTOCK_DAYS = 28


def catalog_of(shop: Shop, store: ShopAccount) -> Assortment:
    """What a store sells."""
    return shop.catalogs[shop.stores.index(store)]


def product_created_at(trade: Activity, products: Ints) -> Ints:
    """When products were made: long before the books were opened. UTC microseconds."""
    return (trade.span.opening // RESTOCK_DAYS - 20) * RESTOCK_DAYS * DAY + 9 * HOUR + np.zeros_like(products)


def restocked_at(trade: Activity, products: Ints) -> Ints:
    """When products were last restocked, and so updated: each every four weeks. UTC microseconds."""
    return (trade.span.last - (trade.span.last - products) % RESTOCK_DAYS) * DAY + HOUR
