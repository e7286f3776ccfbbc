"""The shop as Shopify's Admin REST API returns it: orders, and products as they are at the end of the span."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.columns import chosen, digits, joined, lists, money, struct, whole
from pipeline.synthetic.shop import Outlet, Shop
from pipeline.synthetic.shopify_orders import order_records
from pipeline.synthetic.trade import Trade
from pipeline.synthetic.zones import DAY, HOUR

RESTOCK_DAYS = 28


def shopify_records(shop: Shop, trade: Trade, account: int) -> dict[str, Any]:
    """The objects of the store at this position."""
    store = shop.stores[account]
    return {
        "orders": order_records(shop, trade, account),
        "products": _products(shop, trade, store),
    }


def _products(shop: Shop, trade: Trade, store: Outlet) -> Any:
    """Products as they are at the end of the span; each is restocked, and so updated, every four weeks."""
    catalog = shop.catalog
    place = np.arange(len(catalog.titles))
    ids, none = store.base + place, np.zeros_like(place)
    made = (trade.span.opening // RESTOCK_DAYS - 20) * RESTOCK_DAYS * DAY + 9 * HOUR + none
    restocked = (trade.span.last - (trade.span.last - place) % RESTOCK_DAYS) * DAY + HOUR
    variant = {
        "id": whole(ids + len(place)),
        "title": chosen(["Default Title"], none),
        "sku": joined("SKU-", digits(place + 1)),
        "price": money(catalog.prices),
    }
    title = chosen(catalog.titles, place)
    columns = {
        "id": whole(ids),
        "title": title,
        "handle": pc.replace_substring(pc.utf8_lower(title), " ", "-"),
        "product_type": chosen(catalog.kinds, place),
        "vendor": chosen([shop.host], none),
        "status": chosen(["active"], none),
        "tags": joined("restock-", digits(restocked // DAY // RESTOCK_DAYS)),
        "created_at": store.zone.texts(made),
        "updated_at": store.zone.texts(restocked),
        "published_at": store.zone.texts(made),
        "variants": lists(np.ones_like(place), struct(variant)),
    }
    return pa.table(columns)
