"""Houses: a whole product in a temporary folder, built once and asked through the same functions as every door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.log import configure_log
from pipeline.settings import Settings
from semantic.query import read_query
from server import tools
from server.published import PublishedRuns
from server.report import BuildReport
from server.steps import build
from server.workshop import Workshop, open_workshop

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


@dataclass(frozen=True)
class House:
    """A product in a folder: its settings, and how to build and ask."""

    settings: Settings

    @property
    def shop(self) -> Workshop:
        return open_workshop(self.settings)

    def build(self, **options: Any) -> BuildReport:
        report = build(self.shop, **options)
        assert report.exit_code == 0, report.to_dict()
        return report

    def ask(self, slug: str, **query: Any) -> dict[str, Any]:
        runs = PublishedRuns(self.settings)
        try:
            with runs.run(slug) as run, run.cursor() as cursor:
                return tools.query(run, read_query(query), cursor, self.settings).to_dict()
        finally:
            runs.close()

    def number(self, slug: str, metric: str, **query: Any) -> Any:
        """The one number a metric comes to."""
        ((value,),) = self.ask(slug, metrics=[metric], **query)["rows"]
        return value


def house(folder: Path, tenants: str, *, today: date = date(2026, 11, 21), env: str = "local") -> House:
    """A house whose tenants.yaml says `tenants`; nothing is built yet."""
    configure_log()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tenants.yaml"
    path.write_text(tenants, encoding="utf-8")
    return House(Settings(home=folder / "state", tenants=path, today=today, env=env))


@pytest.fixture(scope="session")
def real_house(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> House:
    """Real exports of three connectors, built once."""
    built = house(tmp_path_factory.mktemp("real"), REAL_TENANT.format(data=real_data))
    built.build()
    return built
