"""examples/own_connector, done as its page says: one new folder and lines of the catalog, no other edit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.shown_output import commands_and_output, is_shown

pytestmark = pytest.mark.long  # builds in a copy of the checkout

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "own_connector"
GATA = ("-c", "import sys; from server.cli.app import main; sys.exit(main())")
GENERATED = """
import hashlib, json, sys
from pathlib import Path
from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.registry import blueprints
from pipeline.config.tenants_file import load_tenants
from warehouse.projects.tenant_files import onboard_files
catalog = load_catalog(Path("supported_connectors.yaml"))
routes = blueprints(catalog)
tenants = load_tenants(Path(sys.argv[1]), catalog).tenants
print(json.dumps({tenant.slug: onboard_files(tenant, routes) for tenant in tenants}))
"""


def environment(checkout: Path) -> dict[str, str]:
    """The variables of a process that runs the code of a checkout."""
    own = {"PYTHONPATH": str(checkout), "GATA_TODAY": "2026-01-10", "COLUMNS": "100"}
    own |= {"GATA_HOME": ".gata/sunday_market", "GATA_TENANTS": "examples/own_connector/tenants.yaml"}
    return {**os.environ, **own}


def run(checkout: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=checkout, env=environment(checkout), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, without the connector."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in ("pipeline", "warehouse", "semantic", "server", "examples/own_connector"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", ".gata"))
    for name in ("supported_connectors.yaml", "contracts.lock.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def printed(checkout: Path) -> str:
    """What the commands of the page print."""
    (script, _) = commands_and_output(EXAMPLE / "README.md")[0]
    gata = f"gata() {{ '{sys.executable}' -c '{GATA[1]}' \"$@\"; }}"
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{gata}\n{script}"],
        cwd=checkout,
        env=environment(checkout),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_shows_what_its_commands_print(printed: str) -> None:
    ((_, shown),) = commands_and_output(EXAMPLE / "README.md")
    assert is_shown(shown, printed)


def test_its_answers_are_right_and_what_does_not_fit_is_kept_out(checkout: Path, printed: str) -> None:
    assert re.search(r"sunday_market +published +\S+ +2$", printed, re.MULTILINE)  # two in quarantine
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


def test_the_library_adds_its_contract_to_the_lock_and_changes_no_line_of_it(checkout: Path, printed: str) -> None:
    before = (ROOT / "contracts.lock.yaml").read_text().splitlines()
    after = (checkout / "contracts.lock.yaml").read_text().splitlines()
    assert set(before) <= set(after)
    assert "market_stall_api_v1 v1:" in after


def test_the_projects_of_every_other_tenant_are_byte_for_byte_the_same(checkout: Path, printed: str) -> None:
    tenants = str(ROOT / "tenants.yaml")
    assert run(checkout, "-c", GENERATED, tenants) == run(ROOT, "-c", GENERATED, tenants)
