"""Three stores with every connector between them: synthetic, a week long, and two hand-made accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipeline.synthetic.generate import generate
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import write_jsonl
from tests.pipeline.raw_shop import Raw
from warehouse.projects.unit_tests import unit_test_files
from warehouse.run_dbt import run_dbt, write_files

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 21)
DAYS = 7
CHUNKS = ((TODAY - timedelta(days=2), DAYS - 2), (TODAY, DAYS))
"""Two exports: the first day each does not hold, and how many days it goes back. The later one restates some days."""
STORES = ("east_store", "north_store", "west_store")
TENANTS = """
tenants:
  - slug: north_store
    business_name: North Store
    timezone: America/New_York
    currency: USD
    sources:
      facebook_ads:
        enabled: true
        generation: {campaign_count: 2}
        tables: [{name: facebook_insights, logic: {conversion_event_pattern: purchase}}]
      instagram_ads: {enabled: true, generation: {campaign_count: 2}}
      google_ads: {enabled: true, generation: {campaign_count: 2}}
      shopify:
        enabled: true
        generation: {product_count: 7, daily_orders_mean: 4}
        accounts: {us: {}, eu: {currency: EUR, timezone: Europe/Paris}}
      google_analytics: {enabled: true, generation: {conversion_rate: 0.2}}
      stripe: {enabled: true}

  - slug: east_store
    business_name: East Store
    timezone: Asia/Tokyo
    currency: JPY
    analytics: mixpanel
    sources:
      tiktok_ads: {enabled: true, generation: {campaign_count: 2, daily_spend_mean: 4000}}
      amazon_ads: {enabled: true, generation: {campaign_count: 2, daily_spend_mean: 20000}}
      woocommerce: {enabled: true, generation: {product_count: 20, daily_orders_mean: 3, aov_mean: 9000}}
      google_analytics: {enabled: true}
      mixpanel: {enabled: true, generation: {conversion_rate: 0.2, organic_traffic_ratio: 0.7}}
      stripe: {enabled: true}

  - slug: west_store
    business_name: West Store
    timezone: Europe/Berlin
    currency: EUR
    sources:
      bing_ads:
        enabled: true
        generation: {campaign_count: 2, daily_spend_mean: 300}
        accounts:
          main: {}
          agency: {read: {kind: files, objects: {campaigns: bing/campaigns.jsonl,
            campaign_performance_report: bing/report.jsonl}}}
      linkedin_ads:
        enabled: true
        generation: {campaign_count: 2}
        accounts:
          main: {}
          agency: {read: {kind: files, objects: {campaigns: linkedin/campaigns.jsonl,
            ad_analytics_by_campaign: linkedin/report.jsonl}}}
      bigcommerce:
        enabled: true
        generation: {product_count: 10, daily_orders_mean: 6}
        accounts: {main: {}, gulf: {currency: KWD, timezone: Asia/Kuwait}}
      amplitude:
        enabled: true
        generation: {conversion_rate: 0.2}
        tables:
          - name: events
            logic: {conversion_events: [add_to_cart], funnel_steps: [session_start, add_to_cart, purchase]}
      stripe: {enabled: true}
"""
TWIN = 4711
"""The id that a campaign of Microsoft's and one of LinkedIn's share; each spends in the account named agency."""
TWIN_SPEND = {"bing_ads": "12.5", "linkedin_ads": "7.25"}

Tables = dict[str, list[Any]]  # table of a database to its row count and the sum of its rows' hashes


def write_twins(folder: Path, day: date) -> None:
    """The files of the two accounts named agency: one campaign each, of the same id, on one day."""
    parts = {"year": day.year, "month": day.month, "day": day.day}
    bing = {"TimePeriod": day.isoformat(), "AccountId": "9", "AccountName": "Agency", "CampaignId": str(TWIN)}
    linkedin = {"dateRange": {"start": parts, "end": parts}, "pivotValues": [f"urn:li:sponsoredCampaign:{TWIN}"]}
    counted = {"Impressions": "100", "Clicks": "5", "Spend": TWIN_SPEND["bing_ads"], "CurrencyCode": "EUR"}
    write_jsonl(folder / "bing/report.jsonl", [bing | counted])
    write_jsonl(folder / "bing/campaigns.jsonl", [{"Id": TWIN, "Name": "Twin of Bing", "Status": "Active"}])
    spent = {"impressions": 200, "clicks": 4, "costInLocalCurrency": TWIN_SPEND["linkedin_ads"]}
    write_jsonl(folder / "linkedin/report.jsonl", [linkedin | spent])
    write_jsonl(folder / "linkedin/campaigns.jsonl", [{"id": TWIN, "name": "Twin of LinkedIn", "status": "ACTIVE"}])


@dataclass(frozen=True)
class Stores:
    """The built stores, to be read only."""

    project: Project

    @classmethod
    def at(cls, folder: Path) -> Stores:
        """The stores in a folder, before or after they were built. One process builds all: dbt is imported once."""
        stores = open_project(folder, TENANTS, today=TODAY, bare=True)
        return cls(Project(stores.settings.model_copy(update={"threads": 1})))

    @property
    def home(self) -> Path:
        return self.project.settings.home

    def build(self) -> None:
        """Build twice from nothing, run the unit tests, and note what each said and what the builds left behind."""
        write_twins(self.home.parent, TODAY - timedelta(days=1))
        for until, days in CHUNKS:
            for tenant in self.project.context.manifest.tenants:
                generate(tenant, self.home, until=until, days=days)
        builds = []
        for _ in range(2):
            report = self.project.build()
            builds.append({"exit_code": report.exit_code, **report.to_dict(), "tables": self.tables()})
        noted = {"builds": builds, "unit_tests": {slug: self._unit_tests(slug) for slug in STORES}}
        self._notes.write_text(json.dumps(noted), encoding="utf-8")

    def _unit_tests(self, slug: str) -> list[tuple[str, str]]:
        files = {"GATA_HUB_FILE": self.project.settings.hub, "GATA_STARS_FILE": self.project.settings.stars(slug)}
        project, shop = self.home / "dbt" / slug / "stars", self.project.context
        write_files(project, unit_test_files(shop.manifest.get(slug), shop.blueprints))
        nodes = run_dbt(project, ("test", "--select", "test_type:unit"), files=files, threads=1)
        return [(node.name, node.status) for node in nodes]

    @property
    def _notes(self) -> Path:
        return self.home / "noted.json"

    @property
    def are_built(self) -> bool:
        return self._notes.exists()

    @cached_property
    def _noted(self) -> Any:
        return json.loads(self._notes.read_text(encoding="utf-8"))

    @property
    def builds(self) -> list[dict[str, Any]]:
        """Of both builds: exit_code, run_id, tenants as in `gata build --json`, and tables, by file."""
        return list(self._noted["builds"])

    @property
    def unit_tests(self) -> dict[str, list[list[str]]]:
        """By store, the name and status of every unit test that dbt ran."""
        return dict(self._noted["unit_tests"])

    @cached_property
    def raw(self) -> Mapping[str, Raw]:
        """By store, its generated files, to be asked in SQL."""
        return {
            tenant.slug: Raw(tenant, self.home, days=DAYS, until=TODAY)
            for tenant in self.project.context.manifest.tenants
        }

    @cached_property
    def enabled(self) -> Mapping[str, Mapping[str, Any]]:
        """By store, the sources that it enables, as tenants.yaml has them."""
        return {tenant["slug"]: tenant["sources"] for tenant in yaml.safe_load(TENANTS)["tenants"]}

    def store_of(self, platform: str) -> str:
        """The store whose facts hold the platform: for analytics, the one whose sessions it feeds."""
        if platform == "google_analytics":
            return "north_store"
        (slug,) = [slug for slug, sources in self.enabled.items() if platform in sources]
        return slug

    def hub(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What plain SQL says about the hub."""
        with opened(self.project.settings.hub) as hub:
            return hub.execute(sql, values).fetchall()

    def star(self, slug: str, sql: str) -> list[tuple[Any, ...]]:
        """What plain SQL says about a store's published run, where fct_orders may stand for fct_<slug>__orders."""
        folder = self.project.settings.published(slug)
        run_id = json.loads((folder / "_latest.json").read_text(encoding="utf-8"))["run_id"]
        with opened(folder / run_id / "stars.duckdb") as star:
            return star.execute(re.sub(rf"\b(fct|dim)_(?!{slug}__)(?=[a-z])", rf"\1_{slug}__", sql)).fetchall()

    def tables(self) -> dict[str, Tables]:
        """Every table of the hub, of the stars and of the published runs, with its rows and their hashes."""
        files = [self.project.settings.hub, *sorted(self.home.glob("tenants/*/stars.duckdb"))]
        files += sorted(self.home.glob("published/*/*Z_*/stars.duckdb"))
        return {str(path.relative_to(self.home)): _tables(path) for path in files}


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """A database file, read only. Whoever opens it closes it: others open it with other settings."""
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _tables(path: Path) -> Tables:
    with opened(path) as file:
        names = file.execute("select schema_name || '.' || table_name from duckdb_tables() order by all").fetchall()
        return {
            name: [*file.execute(f"select count(*), sum(hash(rows))::varchar from {name} as rows").fetchall()[0]]
            for (name,) in names
        }
