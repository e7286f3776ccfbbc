"""Tenants of every hostile kind among others: these are published with their numbers, and each of those is named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from server.orchestration.overview import plan_builds
from server.orchestration.run_history.status_snapshots import known_statuses
from server.orchestration.verbs import build
from tests.end_to_end.hostile_tenants import HEALTHY_ORDERS, HEALTHY_REVENUE, REFUSED, problems, write_hostile_home
from tests.end_to_end.project_fixture import open_project

pytestmark = pytest.mark.long  # builds a dozen tenants


def test_hostile_tenants_are_named_and_the_others_are_published_with_their_numbers(tmp_path: Path) -> None:
    hostile = write_hostile_home(tmp_path, 4)
    project = open_project(tmp_path, (tmp_path / "tenants.yaml").read_text(encoding="utf-8"), threads=2)
    report = build(project.context)
    assert problems(report.to_dict(), hostile) == []
    assert report.exit_code == 2, [str(tenant.error) for tenant in report.tenants if tenant.error]
    for name in (*hostile.healthy, "hostile_files", "hostile_pointer"):
        assert project.number(name, "valid_orders") == HEALTHY_ORDERS
        assert Decimal(project.number(name, "order_revenue")) == Decimal(HEALTHY_REVENUE)
    statuses = {Path(line["tenant"]).name: line for line in known_statuses(project.settings)}
    assert {name for name, line in statuses.items() if line["status"] == "refused"} == set(REFUSED)
    again = build(project.context)
    assert {
        tenant.tenant: tenant.status for tenant in again.tenants if tenant.tenant in hostile.healthy
    } == dict.fromkeys(hostile.healthy, "unchanged")
    actions = {line["tenant"]: line["action"] for line in plan_builds(project.context)}
    assert [actions[name] for name in hostile.healthy] == ["unchanged"] * len(hostile.healthy)
