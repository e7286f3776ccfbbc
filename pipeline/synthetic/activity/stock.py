"""The catalog of a store: its products, with creation times and times of the last restocking."""

from __future__ import annotations

import numpy as np

from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.rng import Ints
from pipeline.synthetic.arrays.zones import DAY, HOUR
from pipeline.synthetic.model.assortment import Assortment
from pipeline.synthetic.model.shop import Shop, ShopAccount

RESTOCK_DAYS = 28


def catalog_of(shop: Shop, store: ShopAccount) -> Assortment:
    """The products that a store sells."""
    return shop.catalogs[shop.stores.index(store)]


def product_created_at(activity: Activity, products: Ints) -> Ints:
    """The creation times of products: long before the opening. UTC microseconds."""
    return (activity.span.opening // RESTOCK_DAYS - 20) * RESTOCK_DAYS * DAY + 9 * HOUR + np.zeros_like(products)


def restocked_at(activity: Activity, products: Ints) -> Ints:
    """The times at which products were last restocked, and so updated: each every four weeks. UTC microseconds."""
    return (activity.span.last - (activity.span.last - products) % RESTOCK_DAYS) * DAY + HOUR
