"""Results of gates, and the file that keeps those of a build: `<home>/runs/<run_id>/<tenant>/gates.json`.

    {"version": 1, "run_id": "...", "tenant": "acme",
     "layers": {"landing": {"passed": 9, "warned": 1, "failed": 0, "silent": 0, "results": [
        {"gate": "row_loss", "layer": "sink", "table": "orders", "source": "shopify", "status": "passed",
         "severity": "error", "value": "0.004", "threshold": "0.01", "check": "below", "finding": null}, ...]},
        "sink": ..., "star": ..., "run": ...}}

Every layer is there, also one without a result. Numbers are decimal text. `finding` is there where a gate did not pass,
as in findings.json. Reports of a run are made of this file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.gate_rules.gate import GateLayer, Passes, Severity
from pipeline.gate_rules.gate_registry import GATES
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.finding import MOST_SAMPLES, Finding, FindingKind
from pipeline.settings import Settings
from pipeline.storage.disk import replace_text

RESULTS_VERSION = 1


class GateStatus(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SILENT = "silent"
    """There is too little history to say anything."""


class GateResult(BaseModel):
    """What one gate measured of one table."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    gate: str
    layer: GateLayer
    table: str
    source: str | None = None
    """The platform, where it is of one."""
    status: GateStatus
    severity: Severity
    value: Decimal | None = None
    """None where the gate is silent, and for tests, which have findings or none."""
    threshold: Decimal | None = None
    check: Passes | None = None
    """How the value is compared with the threshold."""
    finding: Finding | None = None


def rules_of(tenant: Tenant, settings: Settings) -> GateRules:
    """The severities and thresholds in force for a tenant."""
    return GateRules.of(settings.gates, tenant.gates)


def judge(
    rules: GateRules,
    gate_id: str,
    table: str,
    value: Decimal | int | None,
    sentence: str,
    *,
    samples: Sequence[str] = (),
    **about: Any,  # Any: fields of a finding
) -> GateResult:
    """Compare what a gate measured with the threshold in force.

    Args:
        rules: Of the tenant; the gate is on.
        gate_id: The gate.
        table: What was measured, without the tenant's name.
        value: None where there is too little history to say anything.
        sentence: What is wrong, if it does not pass.
        samples: Surrogate keys of rows that it is about.
        about: More of the finding.
    """
    gate, threshold = GATES[gate_id], rules.threshold(gate_id, table)
    measured = None if value is None else Decimal(value)
    status = GateStatus.SILENT if measured is None else _status(rules, gate_id, measured, threshold)
    finding = None
    if status in (GateStatus.WARNED, GateStatus.FAILED):
        finding = Finding(
            **{"kind": FindingKind.OTHER, "next_step": gate.next_step or None}
            | about
            | {"sentence": sentence, "rule": gate_id, "table": table, "value": measured, "threshold": threshold}
            | {"samples": tuple(samples[:MOST_SAMPLES])}
        )
    return GateResult(
        gate=gate_id,
        layer=gate.layer,
        table=table,
        source=about.get("platform"),
        status=status,
        severity=rules.severity(gate_id),
        value=measured,
        threshold=threshold,
        check=gate.check,
        finding=finding,
    )


def result_of_test(rules: GateRules, gate_id: str, table: str, finding: Finding | None, *, failed: bool) -> GateResult:
    """The result of a test of the star; one that no gate lists weighs as the test itself says.

    Args:
        rules: Of the tenant.
        gate_id: The test's name.
        table: What it looked at.
        finding: What it found, if anything.
        failed: Whether the test itself calls its findings failures.
    """
    is_listed = gate_id in GATES
    own = Severity.ERROR if failed else Severity.WARNING
    severity = rules.severity(gate_id) if is_listed else own
    if finding is None:
        status = GateStatus.PASSED
    else:
        status = GateStatus.FAILED if severity is Severity.ERROR else GateStatus.WARNED
    return GateResult(
        gate=gate_id, layer=GateLayer.STAR, table=table, status=status, severity=severity, finding=finding
    )


def _status(rules: GateRules, gate_id: str, value: Decimal, threshold: Decimal) -> GateStatus:
    gate = GATES[gate_id]
    if gate.check.holds(value, threshold):
        return GateStatus.PASSED
    is_near = gate.warns_from < 1 and value >= gate.warns_from * threshold
    return GateStatus.FAILED if rules.severity(gate_id) is Severity.ERROR and not is_near else GateStatus.WARNED


def found(results: Iterable[GateResult], *statuses: GateStatus) -> tuple[Finding, ...]:
    """The findings of results, of these statuses alone where any is named."""
    return tuple(each.finding for each in results if each.finding and (not statuses or each.status in statuses))


def failed_sentences(results: Iterable[GateResult]) -> list[str]:
    """What stops a publish in strict mode, each said once."""
    return list(dict.fromkeys(finding.sentence for finding in found(results, GateStatus.FAILED)))


def percent(share: Decimal) -> str:
    """A share as a reader takes it, such as 98.9 %; never rounded to a threshold that it is not."""
    text = f"{share * 100:.6f}".rstrip("0").rstrip(".")
    return f"{text} %"


def results_tree(run_id: str, slug: Slug, results: Sequence[GateResult]) -> dict[str, Any]:  # Any: JSON values
    """The content of gates.json, as the head of this module shows it."""
    layers = {}
    for layer in GateLayer:
        own = [each for each in results if each.layer is layer]
        counts = Counter(each.status for each in own)
        listed = [each.model_dump(mode="json") | _finding_of(each) for each in own]
        layers[layer.value] = {status.value: counts[status] for status in GateStatus} | {"results": listed}
    return {"version": RESULTS_VERSION, "run_id": run_id, "tenant": slug, "layers": layers}


def _finding_of(result: GateResult) -> dict[str, Any]:  # Any: JSON values
    return {"finding": result.finding.to_dict() if result.finding else None}


def results_file(settings: Settings, run_id: str, slug: Slug) -> Path:
    """Where the results of a build are kept."""
    return settings.run_folder(run_id, slug) / "gates.json"


def write_results(settings: Settings, run_id: str, slug: Slug, results: Sequence[GateResult]) -> None:
    """Write the results of a build so far; only the owner of the state folder reads them."""
    path = results_file(settings, run_id, slug)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(results_tree(run_id, slug, results), ensure_ascii=False) + "\n"
    replace_text(path, text)
    path.chmod(0o600)


def read_results(path: Path) -> tuple[GateResult, ...]:
    """Read the results of a build.

    Raises:
        ValueError: It is no such file.
        OSError: It cannot be read.
    """
    tree = json.loads(path.read_bytes())
    if not isinstance(tree, dict) or not isinstance(tree.get("layers"), dict):
        raise ValueError("no results of gates")  # noqa: TRY004  # what readers of damaged files catch
    layers = (layer["results"] for layer in tree["layers"].values())
    return tuple(GateResult.model_validate(each) for listed in layers for each in listed)
