"""The house of real exports, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole_way.house import House, house

REAL_TENANT = """
tenants:
  - slug: real_shop
    business_name: Real Shop
    timezone: Europe/London
    currency: GBP
    sources:
      facebook_ads:
        enabled: true
        read:
          kind: files
          objects: {{facebook_insights: {data}/facebook_ads/graph_api/adsinsights_rows.jsonl}}
        tables: [{{name: facebook_insights, logic: {{conversion_event_pattern: link_click}}}}]
      shopify:
        enabled: true
        accounts:
          derived: {{read: {{kind: files, objects: {{orders: {data}/shopify/derived_orders/*.jsonl.gz}}}}}}
          fixtures:
            read:
              kind: files
              objects:
                orders: [{data}/shopify/rest/orders.json]
                products: [{data}/shopify/rest/products.json, {data}/shopify/rest/product.json]
      google_analytics:
        enabled: true
        read: {{kind: files, objects: {{events: {data}/google_analytics/events/*.parquet}}}}
"""


@pytest.fixture(scope="session")
def real_house(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> House:
    """Real exports of three connectors, built once."""
    built = house(tmp_path_factory.mktemp("real"), REAL_TENANT.format(data=real_data))
    built.build()
    return built
