"""What of a tenant's files is in no table is a finding: of the file or the records, as long as that is so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.gates.finding import Finding, FindingKind, findings_json, read_findings
from pipeline.gates.landing_findings import landing_findings
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture
from tests.pipeline.vendor_records import insight, jsonl, order, without
from warehouse.build.finding_facts import with_facts


@pytest.fixture
def sandbox(tmp_path: Path) -> LandingFixture:
    return LandingFixture(tmp_path)


def found(sandbox: LandingFixture, **patterns: Any) -> list[Finding]:
    """The findings of a landing, with the facts that they touch."""
    tenant = sandbox.tenant(**patterns)
    findings = landing_findings(tenant, sandbox.land(tenant), BLUEPRINTS, sandbox.settings)
    return [with_facts(finding, tenant, BLUEPRINTS) for finding in findings]


def test_records_in_quarantine_are_counted_with_their_field_and_days_and_without_a_value(
    sandbox: LandingFixture,
) -> None:
    good, bad = order(1), order(2) | {"total_price": "so much", "email": "a@b.example"}
    sandbox.write("orders.jsonl", jsonl([good, good | {"id": 3}, bad]))
    [finding] = found(sandbox, orders="orders.jsonl")
    assert (finding.kind, finding.records, finding.facts) == (
        FindingKind.QUARANTINED_RECORDS,
        1,
        ("orders", "order_items", "refunds"),
    )
    assert finding.sentence.startswith(
        "1 of 3 records of orders.jsonl of shopify main is in quarantine and not counted (total_price)"
    )
    assert finding.weight == pytest.approx(1 / 3)
    assert "so much" not in finding.text
    assert "example" not in finding.text
    assert str(sandbox.files) not in finding.text


def test_a_mended_record_ends_its_finding_under_its_own_file_name_and_under_another(sandbox: LandingFixture) -> None:
    bad = order(2) | {"total_price": "so much"}
    for name, mended in (("a.jsonl", "a.jsonl"), ("b.jsonl", "c.jsonl")):
        sandbox.write(name, jsonl([order(1), bad | {"id": len(name) + ord(name[0])}]))
        assert len(found(sandbox, orders="*.jsonl")) == 1
        sandbox.write(mended, jsonl([order(1), order(2) | {"id": len(name) + ord(name[0])}]))
        assert found(sandbox, orders="*.jsonl") == []


def test_a_withheld_file_is_a_finding_until_it_is_mended_or_gone(sandbox: LandingFixture) -> None:
    lacking = [without(insight(n), "spend") for n in (1, 2)]
    path = sandbox.write("insights.jsonl", jsonl(lacking))
    for _ in range(2):
        [finding] = found(sandbox, facebook_insights="insights.jsonl")
        assert (finding.kind, finding.facts, finding.weight) == (FindingKind.WITHHELD_FILE, ("ad_performance",), 1)
        assert finding.counts_as == ("facebook_ads", "instagram_ads")
        assert finding.sentence.startswith("insights.jsonl of facebook_ads main is withheld, and nothing of it counts")
        assert "spend is in every export" in finding.sentence
    path.unlink()
    assert found(sandbox, facebook_insights="insights.jsonl") == []


def test_a_drifted_value_is_not_repeated_in_the_finding(sandbox: LandingFixture) -> None:
    sandbox.write("insights.jsonl", jsonl(insight(n) | {"spend": "secret words"} for n in (1, 2, 3)))
    [finding] = found(sandbox, facebook_insights="insights.jsonl")
    assert "secret" not in json.dumps(finding.to_dict())
    assert "other values came in 3 of 3 records" in finding.sentence


def test_a_file_that_cannot_be_read_is_a_finding_until_it_can(sandbox: LandingFixture) -> None:
    sandbox.write("orders.jsonl", "")
    for _ in range(2):
        [finding] = found(sandbox, orders="orders.jsonl")
        assert (finding.kind, finding.facts) == (FindingKind.UNREADABLE_FILE, ("orders", "order_items", "refunds"))
        assert "orders.jsonl of shopify main is in quarantine as a whole" in finding.sentence
    sandbox.write("orders.jsonl", jsonl([order(1)]))
    assert found(sandbox, orders="orders.jsonl") == []


def test_files_that_only_name_things_touch_no_number(sandbox: LandingFixture) -> None:
    sandbox.write("campaigns.jsonl", "")
    [finding] = found(sandbox, campaigns="campaigns.jsonl")
    assert finding.facts == ()


def test_findings_are_the_same_after_they_were_written_and_read() -> None:
    made = Finding(
        kind=FindingKind.FOREIGN_REFUNDS,
        sentence="2 refunds are not counted.",
        facts=("orders",),
        columns=("refunded_amount",),
        platform="shopify",
        records=2,
        first_day=date(2026, 1, 5),
        weight=0.5,
    )
    text = findings_json([made])
    assert read_findings(text) == (made,)
    assert findings_json(read_findings(text)) == text


def test_a_kind_of_a_later_release_is_read_as_another_one() -> None:
    text = json.dumps({"version": 1, "findings": [{"kind": "a_new_one", "sentence": "So it is.", "more": 1}]})
    assert read_findings(text) == (Finding(kind=FindingKind.OTHER, sentence="So it is."),)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings": [{"kind": "other"}]}'])
def test_what_is_no_list_of_findings_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # pydantic's and json's own
        read_findings(text)
