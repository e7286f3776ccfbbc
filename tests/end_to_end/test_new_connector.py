"""docs/adding-a-connector.md, done: one new folder and lines of the catalog, no other edit, right answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.small_shop import write_jsonl, write_shop

ROOT = Path(__file__).resolve().parents[2]
STALL = Path(__file__).parent / "sample_connector"
NEW_FILES = ("contract.py", "engine.py", "engine.sql", "unit_tests.py")
TENANTS = """
tenants:
  - slug: sunday_market
    business_name: Sunday Market
    currency: EUR
    sources:
      facebook_ads: {enabled: true, read: {kind: files, objects: {facebook_insights: ads/insights.jsonl}}}
      market_stall: {enabled: true, read: {kind: files, objects: {receipts: stall/*.jsonl}}}
      google_analytics: {enabled: true, read: {kind: files, objects: {events: web/events.jsonl}}}
"""
GATA = ("-c", "import sys; from server.cli.app import main; sys.exit(main())")
GENERATED = """
import hashlib, json, sys
from pathlib import Path
from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.registry import blueprints
from pipeline.config.tenants_file import load_tenants
from warehouse.build.star import onboard_files
catalog = load_catalog(Path("supported_connectors.yaml"))
routes = blueprints(catalog)
tenants = load_tenants(Path(sys.argv[1]), catalog).tenants
print(json.dumps({tenant.slug: onboard_files(tenant, routes) for tenant in tenants}))
"""


def receipt(number: str, day: str, amount: object, **more: object) -> dict[str, object]:
    line = {"what": "Honey", "pieces": 2, "each": {"amount": 500, "currency": "EUR"}}
    total = {"amount": amount, "currency": "EUR"}
    return {"receipt": {"no": number}, "sold": {"on": day}, "total": total, "lines": [line], **more}


def run(checkout: Path, *arguments: str) -> str:
    """A command with the code of that checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "GATA_TODAY": "2026-01-10", "GATA_HOME": "state"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the connector's folder and catalog lines, and a tenant who uses it."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in ("pipeline", "warehouse", "semantic", "server"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    catalog = (ROOT / "supported_connectors.yaml").read_text() + "\n" + (STALL / "catalog.yaml").read_text()
    (folder / "supported_connectors.yaml").write_text(catalog)
    shutil.copy(ROOT / "contracts.lock.yaml", folder)
    own = folder / "pipeline" / "connectors" / "market_stall"
    own.mkdir()
    (own / "__init__.py").touch()
    for name in NEW_FILES:
        shutil.copy(STALL / name, own)
    write_shop(folder)
    rows = [receipt("A-1", "31.12.2025", 1250), receipt("A-2", "01.01.2026", 99), receipt("A-2", "01.01.2026", 199)]
    write_jsonl(folder / "stall/receipts.jsonl", [*rows, receipt("A-3", "2026-01-01", 5), {"sold": {"on": "1"}}])
    (folder / "tenants.yaml").write_text(TENANTS)
    return folder


def test_its_answers_are_right_and_what_does_not_fit_is_kept_out(checkout: Path) -> None:
    report = json.loads(run(checkout, *GATA, "build", "--json"))
    (tenant,) = report["tenants"]
    assert tenant["status"] == "published"
    assert tenant["quarantined"] == 2
    query = {
        "metrics": ["orders", "order_revenue", "units_sold"],
        "dimensions": ["shop_platform", "date"],
        "time_grain": "day",
        "time_range": {"start": "2025-12-01", "end": "2026-01-09"},
    }
    answer = json.loads(
        run(checkout, *GATA, "ask", "--tenant", "sunday_market", "--query", json.dumps(query), "--json")
    )
    assert answer["rows"] == [["market_stall", "2025-12-31", 1, 12.5, 2], ["market_stall", "2026-01-01", 1, 1.99, 2]]


def test_the_library_adds_its_contract_to_the_lock_and_changes_no_line_of_it(checkout: Path) -> None:
    before = (checkout / "contracts.lock.yaml").read_text().splitlines()
    run(checkout, *GATA, "library")
    after = (checkout / "contracts.lock.yaml").read_text().splitlines()
    assert set(before) <= set(after)
    assert "market_stall_api_v1 v1:" in after


def test_the_projects_of_every_other_tenant_are_byte_for_byte_the_same(checkout: Path) -> None:
    tenants = str(ROOT / "tenants.yaml")
    assert run(checkout, "-c", GENERATED, tenants) == run(ROOT, "-c", GENERATED, tenants)
