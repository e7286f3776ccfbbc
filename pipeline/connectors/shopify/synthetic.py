"""The shop as Shopify's Admin REST API returns it: orders, and products as they are at the end of the span."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.connectors.shopify.synthetic_orders import order_records
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.stock import RESTOCK_DAYS, catalog_of, product_created_at, restocked_at
from pipeline.synthetic.arrays.columns import chosen, digits, joined, lists, same, struct, whole
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.zones import DAY
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View


def _products(shop: Shop, trade: Activity, store: ShopAccount) -> Any:
    """Products as they are at the end of the span; each is restocked, and so updated, every four weeks."""
    prices = catalog_of(shop, store).prices
    place = np.arange(len(prices))
    ids, none = store.base + place, np.zeros_like(place)
    made, restocked = product_created_at(trade, place), restocked_at(trade, place)
    variant = {
        "id": whole(ids + len(place)),
        "title": same("Default Title", none),
        "sku": joined("SKU-", digits(place + 1)),
        "price": money(prices, decimals=store.decimals),
    }
    title = chosen(shop.goods.titles, place)
    columns = {
        "id": whole(ids),
        "title": title,
        "handle": pc.replace_substring(pc.utf8_lower(title), " ", "-"),
        "product_type": chosen(shop.goods.kinds, place),
        "vendor": same(shop.host, none),
        "status": same("active", none),
        "tags": joined("restock-", digits(restocked // DAY // RESTOCK_DAYS)),
        "created_at": store.zone.texts(made),
        "updated_at": store.zone.texts(restocked),
        "published_at": store.zone.texts(made),
        "variants": lists(np.ones_like(place), struct(variant)),
    }
    return pa.table(columns)


VIEW = View(
    exports={
        "orders": SimulatedExport("jsonl", order_records, keeps_nulls=True),
        "products": SimulatedExport("jsonl", _products, keeps_nulls=True),
    }
)
