"""The shop as Shopify's Admin REST API returns it: orders, and products in their state at the end of the span."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays and tables are Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.connectors.shopify.synthetic_orders import order_records
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.activity.stock import RESTOCK_DAYS, catalog_of, product_created_at, restocked_at
from pipeline.synthetic.arrays.columns import concat_texts, digits, integers, lists, pick_texts, repeat_text, struct
from pipeline.synthetic.arrays.money import money
from pipeline.synthetic.arrays.zones import DAY
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import SimulatedExport, View


def _products(shop: Shop, activity: Activity, store: ShopAccount) -> Any:
    """Products in their state at the end of the span; each is restocked, and so updated, every four weeks."""
    prices = catalog_of(shop, store).prices
    position = np.arange(len(prices))
    ids, none = store.base + position, np.zeros_like(position)
    created, restocked = product_created_at(activity, position), restocked_at(activity, position)
    variant = {
        "id": integers(ids + len(position)),
        "title": repeat_text("Default Title", none),
        "sku": concat_texts("SKU-", digits(position + 1)),
        "price": money(prices, decimals=store.decimals),
    }
    title = pick_texts(shop.goods.titles, position)
    columns = {
        "id": integers(ids),
        "title": title,
        "handle": pc.replace_substring(pc.utf8_lower(title), " ", "-"),
        "product_type": pick_texts(shop.goods.kinds, position),
        "vendor": repeat_text(shop.host, none),
        "status": repeat_text("active", none),
        "tags": concat_texts("restock-", digits(restocked // DAY // RESTOCK_DAYS)),
        "created_at": store.zone.texts(created),
        "updated_at": store.zone.texts(restocked),
        "published_at": store.zone.texts(created),
        "variants": lists(np.ones_like(position), struct(variant)),
    }
    return pa.table(columns)


VIEW = View(
    exports={
        "orders": SimulatedExport("jsonl", order_records, keeps_nulls=True),
        "products": SimulatedExport("jsonl", _products, keeps_nulls=True),
    }
)
