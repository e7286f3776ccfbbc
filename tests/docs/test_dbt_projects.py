"""docs/dbt-projects.md names every variable that a generated project reads, with the default that it has there."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.registry import blueprints
from tests.warehouse.engine_fixture import CATALOG
from warehouse.build.hub_library import platform_models
from warehouse.projects.hub_projects import library_project
from warehouse.projects.rates_table import rates_table
from warehouse.projects.reference_tables import reference_files
from warehouse.projects.tenant_files import onboard_files

ROOT = Path(__file__).resolve().parents[2]
TENANT = "tyrell_corp"
_READ = re.compile(r"env_var\('(\w+)', '([^']*)'\)")
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \|", re.MULTILINE)


def test_the_page_names_every_variable_of_a_project_with_its_defaults() -> None:
    tenant = load_tenants(ROOT / "tenants.yaml", CATALOG).get(TENANT)
    with_rates = tenant.model_copy(update={"rates": Path("rates.csv")})
    known = blueprints(load_catalog(Path("no such file")))
    files = onboard_files(tenant, known) | rates_table(with_rates)
    files |= library_project(known, platform_models(), reference_files())
    page = (ROOT / "docs/dbt-projects.md").read_text(encoding="utf-8")
    told = {name: set(re.findall(r"`([^`]+)`", default)) for name, default in _ROW.findall(page) if name.isupper()}
    read: dict[str, set[str]] = {}
    for text in files.values():
        for name, default in _READ.findall(text):
            read.setdefault(name, set()).add(default.replace(TENANT, "<tenant>"))
    assert read == told
