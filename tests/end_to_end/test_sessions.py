"""A tenant that says another gap gets other sessions with its next build, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import SMALL_TENANT

SLUG = "small_shop"


def test_a_changed_gap_rebuilds_the_tenant_and_parts_its_sessions_anew(small: Project, tmp_path: Path) -> None:
    assert small.number(SLUG, "sessions") == 3
    text = SMALL_TENANT.replace("    currency: EUR\n", "    currency: EUR\n    sessions: {gap_minutes: 5}\n")
    other = copy_project(small, tmp_path, tenants=text)
    (report,) = other.build().tenants
    assert report.status == "published"
    assert other.number(SLUG, "sessions") == 4  # 5:00 minutes part no session, 8:00 do
    assert (other.number(SLUG, "events"), other.number(SLUG, "orders")) == (5, 3)
    (report,) = other.build().tenants
    assert report.status == "unchanged"
