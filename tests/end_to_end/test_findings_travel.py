"""What is known of the records travels with the answers: a withheld file, quarantined records, rows of several days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.gates.finding import Finding, FindingKind, read_findings
from pipeline.publish.pointer import latest_run_id
from pipeline.storage.ops import Ops
from server.orchestration.build_report import TenantReport
from server.orchestration.run_history.status_snapshots import known_statuses
from server.serving.runs.observability import summary
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import EVENTS, insight, order, write_jsonl

SLUG = "small_shop"
LATER = {"time_range": {"start": "2026-03-11", "end": "2026-03-15"}}
BEFORE = {"time_range": {"start": "2026-03-01", "end": "2026-03-05"}}


@dataclass(frozen=True)
class Told:
    """What was said of a shop after a delivery that is not as it should be, and after its withheld file was removed."""

    folder: Path
    notes: Mapping[str, list[str]]
    published: tuple[Finding, ...]
    status: Mapping[str, Any]
    seen: Mapping[str, Any]
    afterwards: list[TenantReport]
    """The reports of a build without that file, and of one more."""
    notes_afterwards: list[str]


def notes(shop: Project, metric: str, **query: object) -> list[str]:
    return list(shop.ask(SLUG, metrics=[metric], **query)["notes"])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, small: Project) -> Told:
    folder = tmp_path_factory.mktemp("dirty")
    shop = copy_project(small, folder)
    write_jsonl(folder / "shop/orders_later.jsonl", [order(4, "40.00"), order(6, "1.00"), order(5, "secret price")])
    ranged = insight("1", "30.00", day="2026-03-10") | {"date_stop": "2026-03-20"}
    write_jsonl(folder / "ads/insights_range.jsonl", [ranged])
    lost = [{name: value for name, value in row.items() if name != "event_name"} for row in EVENTS]
    write_jsonl(folder / "web/events_later.jsonl", lost)
    shop.build()
    said = {name: notes(shop, name) for name in ("spend", "order_revenue", "sessions")}
    said |= {"later": notes(shop, "spend", **LATER), "before": notes(shop, "spend", **BEFORE)}
    run = shop.settings.published(SLUG) / str(latest_run_id(shop.settings.published(SLUG)))
    published, [status] = read_findings((run / "findings.json").read_bytes()), known_statuses(shop.settings)
    with Ops(shop.settings.ops) as ops:
        seen = summary(SLUG, ops, shop.settings, is_operator=False)
    (folder / "web/events_later.jsonl").unlink()
    reports = [shop.build().tenants[0] for _ in range(2)]
    return Told(folder, said, published, status, seen, reports, notes(shop, "sessions"))


def test_each_is_said_with_the_numbers_that_it_may_change_and_no_value_of_a_record_is(told: Told) -> None:
    quarantined = "1 of 3 records of orders_later.jsonl of shopify main is in quarantine and not counted (total_price)"
    ranged = (
        "1 rows of facebook_ads main cover several days between 2026-03-10 and 2026-03-20 and are not counted, with "
        "30.00 EUR of spend."
    )
    withheld = "events_later.jsonl of google_analytics main is withheld, and nothing of it counts"
    ads, orders, visits = (told.notes[name] for name in ("spend", "order_revenue", "sessions"))
    assert any(note.startswith(ranged) for note in ads)
    assert any(note.startswith(quarantined) for note in orders)
    assert any(note.startswith(withheld) for note in visits)
    assert not any(note.startswith((quarantined, withheld)) for note in ads)
    for note in (*ads, *orders, *visits):
        assert "secret" not in note
        assert str(told.folder) not in note


def test_days_of_a_range_say_where_their_money_is_and_days_outside_do_not(told: Told) -> None:
    assert any("cover several days" in note for note in told.notes["later"])
    assert not any("cover several days" in note for note in told.notes["before"])


def test_they_are_a_file_of_the_run_and_in_every_report(told: Told) -> None:
    kinds = {FindingKind.WITHHELD_FILE, FindingKind.QUARANTINED_RECORDS, FindingKind.ROWS_OF_SEVERAL_DAYS}
    assert {finding.kind for finding in told.published} >= kinds
    assert told.status["details"] == [finding.to_dict() for finding in told.published]
    assert told.seen["findings"] == [finding.text for finding in told.published]


def test_what_changes_in_the_files_alone_is_published_without_a_new_star(told: Told) -> None:
    assert [report.status for report in told.afterwards] == ["published", "unchanged"]
    for report in told.afterwards:
        assert FindingKind.WITHHELD_FILE not in {finding.kind for finding in report.details}
        assert FindingKind.QUARANTINED_RECORDS in {finding.kind for finding in report.details}
    assert not any("withheld" in note for note in told.notes_afterwards)
