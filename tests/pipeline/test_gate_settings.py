"""Settings of gates: checked where they are read, with the nearest name; a tenant's stand over the environment's."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.config.layers.configuration import read_settings
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from pipeline.errors import ConfigError
from pipeline.gate_rules.gate import GateSetting, Passes, Severity
from pipeline.gate_rules.gate_registry import GATES
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.finding import Finding, FindingKind, read_findings, with_since
from pipeline.gates.gate_result import judge, percent, read_results, results_tree
from tests.pipeline.landing_fixture import CATALOG

WRONG = {
    "{row_los: {}}": r"There is no gate named 'row_los'\. Did you mean row_loss\?",
    "{row_loss: {severity: loud}}": r"severity is 'loud', which is no severity\. Choose one of: error, off, warning",
    "{row_loss: {threshold: -1}}": "threshold is -1, not a number from 0",
    "{row_loss: {limit: 1}}": "row_loss has no key named 'limit'",
    "{unique: {threshold: 1}}": "The gate unique has no threshold",
    "{definitions_compile: {severity: off}}": "The gate definitions_compile always holds a run",
    "[row_loss]": "gates is a list, not a mapping",
}


def tenant_with(folder: Path, gates: str) -> Tenant:
    path = folder / "tenants.yaml"
    path.write_text(
        f"tenants:\n  - {{slug: acme, business_name: Acme, status: pending, gates: {gates}}}\n", encoding="utf-8"
    )
    return load_tenants(path, CATALOG).get("acme")


@pytest.mark.parametrize("gates", WRONG)
def test_a_wrong_gate_of_a_tenant_is_refused_at_its_line_with_the_step_that_works(tmp_path: Path, gates: str) -> None:
    with pytest.raises(ConfigError, match=WRONG[gates]) as refused:
        tenant_with(tmp_path, gates)
    assert "tenants.yaml:2" in str(refused.value)


@pytest.mark.parametrize("name", ["row_los", "definitions_compile"])
def test_a_wrong_gate_of_the_environment_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("GATA_GATES", json.dumps({name: {"severity": "off"}}))
    with pytest.raises(ConfigError, match=f"GATA_GATES is .*{name}.*Set GATA_GATES to a valid value"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nope", r"GATA_GATES is no JSON\."),
        ('{"row_loss": {"severity": "loud"}}', r"GATA_GATES: gates\.row_loss\.severity"),
        ('{"row_loss": {"threshold": -1}}', r"GATA_GATES: gates\.row_loss\.threshold"),
    ],
)
def test_a_variable_that_is_no_setting_of_gates_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("GATA_GATES", text)
    with pytest.raises(ConfigError, match=said):
        read_settings()


def test_a_tenants_setting_stands_over_the_environments_part_by_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATA_GATES", '{"row_loss": {"severity": "warning", "threshold": 0.02, "tables": {"a": 0.5}}}')
    tenant = tenant_with(tmp_path, "{row_loss: {threshold: 0.03, tables: {b: 0.6}}}")
    rules = GateRules.of(read_settings().gates, tenant.gates)
    assert rules.severity("row_loss") is Severity.WARNING
    assert [rules.threshold("row_loss", name) for name in "abc"] == [Decimal("0.5"), Decimal("0.6"), Decimal("0.03")]
    assert rules.threshold("pass_rate", "customers") == Decimal("0.98")
    halved = GateRules({"pass_rate": GateSetting(threshold=Decimal("0.5"))})
    assert halved.threshold("pass_rate", "customers") == Decimal("0.5")


def test_business_rules_warn_and_structure_is_an_error_unless_a_setting_says_otherwise() -> None:
    errors = {gate.id for gate in GATES.values() if gate.severity is Severity.ERROR}
    assert errors >= {"landing_counts", "contract_holds", "quarantine_share", "unique_keys", "row_loss", "unique"}
    assert not errors & {"clicks_within_impressions", "net_within_gross", "totals_not_negative", "dates_not_in_future"}
    assert all(gate.next_step for gate in GATES.values() if gate.threshold is not None)


@pytest.mark.parametrize(
    ("check", "below", "at", "above"),
    [
        (Passes.AT_MOST, True, True, False),
        (Passes.BELOW, True, False, False),
        (Passes.AT_LEAST, False, True, True),
        (Passes.ABOVE, False, False, True),
    ],
)
def test_a_threshold_passes_or_fails_by_its_own_word(check: Passes, below: bool, at: bool, above: bool) -> None:
    threshold = Decimal("0.05")
    step = Decimal("0.000001")
    assert [check.holds(threshold + by, threshold) for by in (-step, Decimal(0), step)] == [below, at, above]


def test_a_share_is_never_rounded_to_what_it_is_not() -> None:
    said = {"0.989": "98.9 %", "0.05": "5 %", "0.0499999": "4.99999 %", "0": "0 %"}
    assert {text: percent(Decimal(text)) for text in said} == said


def test_a_finding_of_an_earlier_release_is_read_without_what_it_did_not_know() -> None:
    text = '{"version": 1, "findings": [{"kind": "other", "sentence": "So.", "rule": "landing", "weight": 1.0}]}'
    (finding,) = read_findings(text)
    assert (finding.table, finding.samples, finding.since, finding.metrics) == (None, (), None, ())


def test_a_finding_keeps_its_first_run_while_it_is_there_without_a_gap() -> None:
    one = Finding(kind=FindingKind.OTHER, sentence="3 rows.", rule="row_loss", table="orders", value=Decimal(3))
    (first,) = with_since([one], [], "run 1")
    more = one.model_copy(update={"sentence": "4 rows.", "value": Decimal(4)})
    other = one.model_copy(update={"table": "events"})
    assert [each.since for each in with_since([more, other], [first], "run 2")] == ["run 1", "run 2"]


def test_results_are_written_by_layer_and_read_as_they_were(tmp_path: Path) -> None:
    tenant = tenant_with(tmp_path, "{}")
    lost = judge(GateRules(), "row_loss", "orders", Decimal("0.02"), "2 of 100 are lost.", samples=list("abcdefg"))
    kept = judge(GateRules(), "row_loss", "events", 0, "")
    tree = results_tree("run 1", tenant.slug, [lost, kept])
    assert {name: layer["failed"] for name, layer in tree["layers"].items()} == {
        "landing": 0,
        "sink": 1,
        "star": 0,
        "run": 0,
    }
    assert tree["layers"]["sink"]["results"][0]["finding"]["samples"] == list("abcde")
    (tmp_path / "gates.json").write_text(json.dumps(tree), encoding="utf-8")
    assert read_results(tmp_path / "gates.json") == (lost, kept)
