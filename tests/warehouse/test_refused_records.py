"""The hub's records of a tenant stay as they are while its entry in tenants.yaml is refused."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.tenant import Tenant
from tests.end_to_end.hostile_tenants import ENTRY
from tests.end_to_end.project_fixture import open_project
from warehouse.build.hub_metadata import read_hub_records, record_configs


def test_a_refused_tenant_keeps_its_records_and_a_removed_one_ends_them(tmp_path: Path) -> None:
    project = open_project(tmp_path, f"tenants:\n{ENTRY.format(slug='one')}{ENTRY.format(slug='two')}")
    settings, (one, two) = project.settings, project.context.manifest.active

    def recorded(tenants: tuple[Tenant, ...], **only: set[str]) -> set[object]:
        record_configs(tenants, settings, read_hub_records(settings), **only)
        return {row[0] for row in read_hub_records(settings).configs}

    assert recorded((one, two)) == {"one", "two"}
    assert recorded((one,), only={"one"}) == {"one", "two"}
    changed = one.model_copy(update={"currency": "GBP"})
    assert recorded((changed,), only={"one"}) == {"one", "two"}
    assert {row[8] for row in read_hub_records(settings).configs} == {"GBP", "EUR"}
    assert recorded((changed,)) == {"one"}
