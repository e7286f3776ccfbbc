"""Tenants with hand-made stars, published for real; every text of a tenant holds its canary."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import uvicorn

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from pipeline.gates.finding import Finding, findings_json
from pipeline.publish.run_files import FINDINGS, MODELS
from pipeline.publish.run_store import commit, stage
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from pipeline.storage.run_id import new_run_id
from semantic.definitions.derive import definitions_yaml, derive
from semantic.definitions.introspect import introspect
from server.app import http_server
from server.asgi.server import listen
from server.serving.access import Access
from tests.server.hand_models import run_models
from warehouse.lineage.built_models import RunModels, write_models
from warehouse.star_schema import Table, star_schema

TODAY = date(2026, 3, 1)
FIRST = date(2026, 1, 1)
DAYS = 59  # January and February
TENANTS = """
tenants:
  - {slug: alpha, business_name: Alpha, status: pending, timezone: Europe/Berlin, currency: EUR,
     semantic: {expose: [customer_email]}}
  - {slug: beta, business_name: Beta, status: pending, currency: USD}
  - {slug: gamma, business_name: Gamma, status: pending}
"""
CANARY = {"alpha": "ALPHAXCANARY", "beta": "BETAYCANARY", "gamma": "GAMMAZCANARY"}
CURRENCY = {"alpha": "EUR", "beta": "USD", "gamma": "EUR"}
DEFAULTS: Mapping[str, object] = {"VARCHAR": "", "BOOLEAN": False, "BIGINT": 0, "DECIMAL(18,6)": Decimal(0)}

Rows = dict[str, list[dict[str, object]]]


def tenant(settings: Settings, slug: str) -> Tenant:
    return load_tenants(settings.tenants, load_catalog(Path("supported_connectors.yaml"))).get(slug)


def star_rows(slug: str, spend: int) -> Rows:
    """Two campaigns, one ad each a day, one order and two sessions a day: small numbers that can be added by hand."""
    mark, currency = CANARY[slug], CURRENCY[slug]
    source = {"tenant_slug": slug, "source_platform": "facebook_ads", "source_account": f"{mark} main"}
    shop = {**source, "source_platform": "shopify"}
    web = {**source, "source_platform": "google_analytics"}
    campaigns = [
        {**source, "campaign_key": f"{mark}-{n}", "campaign_id": f"{mark}{n}", "campaign_name": f"{mark} campaign {n}"}
        for n in (1, 2)
    ]
    found: Rows = {
        "campaigns": [{**campaign, "campaign_status": f"{mark} active"} for campaign in campaigns],
        "users": [
            {**web, "user_key": f"{mark}-u", "user_pseudo_id": f"{mark} pseudo", "customer_email": f"{mark}@x.io"}
        ],
        "products": [{**shop, "product_key": f"{mark}-p", "product_id": f"{mark}p", "product_name": f"{mark} product"}],
    }
    facts: Rows = {name: [] for name in ("ad_performance", "orders", "order_items", "refunds", "sessions", "events")}
    for n in range(DAYS):
        day = FIRST + timedelta(days=n)
        moment = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001  # stars hold UTC without saying so
        touch = {
            "traffic_source": f"{mark} source",
            "traffic_campaign": f"{mark} campaign 1",
            "campaign_key": f"{mark}-1",
            "campaign_name": f"{mark} campaign 1",
            "ad_platform": "facebook_ads",
            "attribution": "matched",
        }
        for number, campaign in enumerate(campaigns, 1):
            facts["ad_performance"].append(
                {
                    **source,
                    "performance_key": f"{day}{number}",
                    "report_date": day,
                    "campaign_id": campaign["campaign_id"],
                    "campaign_key": campaign["campaign_key"],
                    "ad_name": f"{mark} ad",
                    "spend": Decimal(spend * number) + Decimal("0.000001"),
                    "currency": currency,
                    "impressions": 1000,
                    "clicks": 10,
                }
            )
        order = {
            **shop,
            **touch,
            "order_key": f"o{n}",
            "order_id": f"{mark}{n}",
            "order_date": day,
            "currency": currency,
        }
        facts["orders"].append(
            {
                **order,
                "ordered_at": moment,
                "currency": currency,
                "total_price": Decimal("99.95"),
                "gross_sales": Decimal("99.95"),
                **dict.fromkeys(("discount_amount", "shipping_amount", "tax_amount", "other_charges"), Decimal(0)),
                "refunded_amount": Decimal(0),
                "financial_status": "paid",
                "is_valid": True,
                "customer_key": f"{mark}-c",
                "customer_email": f"{mark}{n}@x.io",
            }
        )
        facts["order_items"].append(
            {
                **shop,
                "order_item_key": f"i{n}",
                "order_key": f"o{n}",
                "order_id": f"{mark}{n}",
                "order_item_id": "1",
                "order_date": day,
                "product_key": f"{mark}-p",
                "item_name": f"{mark} product",
                "quantity": 2,
                "item_amount": Decimal("99.95"),
                "currency": currency,
                "is_valid": True,
            }
        )
        if n == DAYS - 1:
            facts["refunds"].append(
                {
                    **shop,
                    "refund_key": f"r{n}",
                    "refund_id": f"{mark} refund",
                    "order_key": f"o{n}",
                    "order_id": f"{mark}{n}",
                    "refund_date": day,
                    "amount": Decimal(1),
                    "currency": currency,
                    "is_valid": True,
                }
            )
        for number in (1, 2):
            is_sale = number == 1
            facts["sessions"].append(
                {
                    **web,
                    **(touch if is_sale else {"attribution": "none"}),
                    "session_id": f"s{n}-{number}",
                    "user_key": f"{mark}-u",
                    "started_at": moment,
                    "ended_at": moment,
                    "session_date": day,
                    "geo_country": f"{mark} land",
                    "is_conversion_session": is_sale,
                    "session_revenue": Decimal("99.95") if is_sale else Decimal(0),
                    "currency": currency if is_sale else None,
                }
            )
        facts["events"].append(
            {
                **web,
                "event_key": f"e{n}",
                "event_name": "purchase",
                "occurred_at": moment,
                "event_date": day,
                "user_key": f"{mark}-u",
                "session_id": f"s{n}-1",
                "order_id": f"{mark}{n}",
            }
        )
    return {**found, **facts}


UNMARKED = frozenset(
    {"tenant_slug", "source_platform", "ad_platform", "currency", "attribution", "event_name", "financial_status"}
)
"""Text columns whose values are ours: no tenant chooses them."""


def write_star(path: Path, slug: str, spend: int, *, marked: bool = False) -> None:
    """Write the tenant's star; `marked`: every text of it, keys and ids too, holds the canary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    rows = star_rows(slug, spend)
    with closing(duckdb.connect(str(path))) as connection:
        for table in star_schema():
            name = table.table_name(slug)
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            connection.execute(f'create table "{name}" ({columns})')
            connection.register("filled", pa.Table.from_pylist([_filled(table, row) for row in rows[table.name]]))
            connection.execute(f'insert into "{name}" by name select * from filled')
            connection.unregister("filled")
            if marked:
                connection.execute(f'update "{name}" set {", ".join(_marked(table, CANARY[slug]))}')


def _marked(table: Table, mark: str) -> Iterator[str]:
    """Assignments that put the mark into every text; a key that is not there stays so."""
    for column in table.columns:
        if column.type == "VARCHAR" and column.name not in UNMARKED:
            empty = column.name if column.name.endswith("_key") else f"coalesce({column.name}, '')"
            yield f"{column.name} = if(contains({column.name}, '{mark}'), {column.name}, '{mark} ' || {empty})"


def _filled(table: Table, row: Mapping[str, object]) -> dict[str, object]:
    assert row.keys() <= {column.name for column in table.columns}
    return {**{column.name: DEFAULTS.get(column.type) for column in table.columns if column.required}, **row}


@dataclass(frozen=True)
class PublishedHome:
    """A state folder with published tenants, and tokens: each tenant's, an agency's of alpha and beta, an admin's."""

    settings: Settings
    tokens: Mapping[str, str]
    days: int = DAYS
    """How many days each star holds; the last one is 2026-02-28."""

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def copied_to(self, folder: Path) -> PublishedHome:
        """The same home, tokens and runs in another folder: that takes a tenth of publishing them again."""
        shutil.copytree(self.settings.tenants.parent, folder)
        moved = {"home": folder / "state", "tenants": folder / "tenants.yaml"}
        return PublishedHome(self.settings.model_copy(update=moved), self.tokens)

    def canary(self, slug: str) -> str:
        """The text that every text of the tenant's star holds."""
        return CANARY[slug]

    def publish(
        self,
        slug: str,
        *,
        spend: int = 10,
        marked: bool = False,
        alter: str = "",
        findings: Sequence[Finding] = (),
        models: RunModels | None = None,
    ) -> str:
        """Publish a star of the tenant as a build would; spend is 3 x `spend` (and 2 millionths) a day.

        `marked`: every text of the star holds the canary. `alter`: SQL that changes the star before it is published.
        """
        now, tables = datetime.now(UTC), star_schema()
        write_star(self.settings.stars(slug), slug, spend, marked=marked)
        if alter:
            with closing(duckdb.connect(str(self.settings.stars(slug)))) as connection:
                connection.execute(alter)
        layout = {table.table_name(slug): table.order_by for table in tables}
        folder = self.settings.published(slug)
        staged = stage(self.settings.stars(slug), folder, new_run_id(now), slug, layout)
        write_models(staged.path / MODELS, models or run_models(slug))
        (staged.path / FINDINGS).write_text(findings_json(findings), encoding="utf-8")
        observed = introspect(staged.path / "stars.duckdb", tables, slug)
        return commit(staged, definitions_yaml(derive(tenant(self.settings, slug), tables, observed)), now=now).run_id

    def sql(self, slug: str, statement: str) -> list[tuple[Any, ...]]:
        """What plain SQL says about a tenant's own star."""
        with closing(duckdb.connect(str(self.settings.stars(slug)), read_only=True)) as connection:
            return connection.execute(statement).fetchall()

    @contextmanager
    def serving(self) -> Iterator[str]:
        """A real server on a free loopback port, in a thread; gives its address."""
        with in_thread(http_server(self.settings, "127.0.0.1")) as (address, _):
            yield address


@contextmanager
def in_thread(server: uvicorn.Server) -> Iterator[tuple[str, threading.Thread]]:
    """Run a server on a free loopback port, and stop it; gives its address and its thread."""
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "The server ended before it had started."
                thread.join(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", thread
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "The server does not end."


def new_published_home(home: Path, *slugs: str) -> PublishedHome:
    home.mkdir(parents=True, exist_ok=True)
    tenants = home / "tenants.yaml"
    tenants.write_text(TENANTS, encoding="utf-8")
    settings = Settings(home=home / "state", tenants=tenants, today=TODAY, rate_per_minute=0)
    with Ops(settings.ops) as ops:
        access = Access(ops)
        tokens = {slug: access.create(tenant=slug, name=slug)[0] for slug in ("alpha", "beta", "gamma")}
        tokens["agency"] = access.create(tenant="alpha", others=("beta",), name="agency")[0]
        tokens["admin"] = access.create(tenant=None, name="admin")[0]
    published = PublishedHome(settings, tokens)
    for slug in slugs:
        published.publish(slug)
    return published
