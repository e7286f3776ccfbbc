"""The projects that several files of tests read, built once: small, real, of every connector, the bundled ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from tests.end_to_end.bundled import Bundled
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import SMALL_TENANT, write_shop
from tests.end_to_end.three_stores import Stores

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
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small shop, built once. Read only: a test that changes it takes a copy (`copy_project`)."""
    folder = tmp_path_factory.mktemp("built")
    write_shop(folder)
    built = open_project(folder, SMALL_TENANT)
    built.build()
    return built


@pytest.fixture(scope="session")
def real_project(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Project:
    """Real exports of three connectors, built once."""
    built = open_project(tmp_path_factory.mktemp("real"), REAL_TENANT.format(data=real_data))
    built.build()
    return built


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Stores:
    """Three stores with every connector, built by the first worker that needs them; the others wait and only read."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder if worker_id == "master" else folder.parent) / "three_stores"
    shared.mkdir(exist_ok=True)
    with FileLock(shared / "build.lock"):
        stores = Stores.at(shared)
        if not stores.are_built:
            stores.build()
    return stores


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Bundled:
    """The bundled tenants after `make run`, built by the first worker that needs them; the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "bundled"
    with FileLock(f"{folder}.lock"):
        made = Bundled(folder)
        if not made.is_built:
            made.build()
    return made
