"""A run whose key figures are far from usual is published with a finding, or held, as its gates are set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import GateFailed
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gates.finding import Finding, read_findings
from pipeline.gates.gate_result import GateStatus
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_history import published_run
from pipeline.publish.run_store import move_pointer_back
from pipeline.settings import Settings
from pipeline.storage.run_id import new_run_id
from server.orchestration.build_report import TenantReport
from server.orchestration.publishing import NewRun, publish_file
from tests.server.published_fixture import new_published_home, tenant, write_star

SLUG = "alpha"
HELD = {"metric_band": GateSetting(severity=Severity.ERROR)}
ODD_DAY = "update fct_alpha__ad_performance set spend = spend * 4 where report_date = '2026-02-27'"


class Shop:
    """A tenant whose star is published again and again, each time with other rows."""

    def __init__(self, folder: Path) -> None:
        home = new_published_home(folder)
        self.settings, self.published = home.settings, 0
        self.usual = ""
        self.tenant = tenant(self.settings, SLUG)

    def publish(self, change: str = "", *, gates: Mapping[str, GateSetting] = {}, gate_mode: str = "strict") -> NewRun:
        stars = self.settings.stars(self.tenant.slug)
        write_star(stars, SLUG, 10)
        if change:
            with duckdb.connect(str(stars)) as con:
                con.execute(change)
        self.published += 1
        run_id = new_run_id(datetime.now(UTC) + timedelta(seconds=self.published))
        return publish_file(self.tenant, self._with(gates=gates, gate_mode=gate_mode), stars, run_id)

    def _with(self, **update: object) -> Settings:
        return self.settings.model_copy(update=update)

    @property
    def folder(self) -> Path:
        return self.settings.published(self.tenant.slug)

    def findings(self) -> list[Finding]:
        return list(read_findings((self.folder / str(latest_run_id(self.folder)) / "findings.json").read_bytes()))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """With one published run, as usual."""
    made = Shop(tmp_path_factory.mktemp("held"))
    made.usual = made.publish().published.run_id
    return made


def test_a_usual_run_has_no_finding_and_keeps_its_measures(shop: Shop) -> None:
    assert shop.findings() == []
    totals = {each.metric: each.total for each in published_run(shop.settings, shop.tenant.slug).measures.metrics}
    assert {"spend", "order_revenue", "sessions"} <= totals.keys()


def test_a_held_run_leaves_readers_the_one_they_have(shop: Shop) -> None:
    before = latest_run_id(shop.folder)
    with pytest.raises(GateFailed, match=r"alpha is not published: spend in EUR of 2026-02-27 is 120, and 30") as held:
        shop.publish(ODD_DAY, gates=HELD)
    report = TenantReport(shop.tenant.slug)
    report.fail(held.value, step="publish")
    assert [each.gate for each in report.gates if each.status is GateStatus.FAILED] == ["metric_band"]
    assert [finding.table for finding in report.details] == ["spend in EUR"]
    assert latest_run_id(shop.folder) == before


def test_an_unusual_day_is_published_with_its_finding_since_its_first_run(shop: Shop) -> None:
    first = shop.publish(ODD_DAY).published.run_id
    shop.publish(ODD_DAY, gates=HELD, gate_mode="warn")
    assert [(each.rule, each.since) for each in shop.findings()] == [("metric_band", first)]


def test_totals_that_shrank_since_the_run_that_readers_see_are_found_also_after_a_rollback(shop: Shop) -> None:
    for _ in range(2):
        move_pointer_back(shop.folder, shop.usual, now=datetime.now(UTC))
        run = shop.publish("delete from fct_alpha__orders where order_date < '2026-01-11'").published.run_id
        assert {each.metrics for each in shop.findings()} == {("orders",), ("order_revenue",)}
        assert {each.since for each in shop.findings()} == {run}
