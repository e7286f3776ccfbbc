"""The facts of a run that its reports show: rows of the ledger, results of gates, shapes of sources."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config.slug import Slug
from pipeline.gates.finding import field_of
from pipeline.gates.gate_result import results_file
from pipeline.settings import Settings
from pipeline.storage.ops import Ops, Row
from server.orchestration.source_states import shapes_of

RUNS_SHOWN = 12
"""Of the trend: runs in which something came through the layer."""

Entry = Mapping[str, Any]  # Any: JSON values


@dataclass(frozen=True)
class RunFacts:
    """What is known of one tenant's part of a run."""

    tenant: Slug
    run: Row
    steps: list[Row]
    audit: list[Row]
    gates: list[Entry]
    """As the gates left them in gates.json; none where they did not."""
    tests: list[Entry]
    """Results of dbt's tests."""
    shapes: Sequence[Entry]
    """Of the sources, as they are now."""
    kept_out: list[Entry]
    """What is in quarantine now: platform, account, object, field, count, since."""
    trends: Mapping[str, list[int]]
    """By layer, the rows that came out of each of the last runs, this one last."""

    def of(self, *layers: str) -> list[Row]:
        """The audit records of some layers."""
        return [record for record in self.audit if record["layer"] in layers]


def read_run_facts(settings: Settings, ops: Ops, run: Row, tenant: Slug) -> RunFacts:
    """Read the facts of a tenant's part of a run."""
    run_id = run["run_id"]
    nodes = [row["node"] for row in ops.artifacts(run_id, tenant)]
    return RunFacts(
        tenant,
        run,
        ops.steps(run_id, tenant),
        ops.audit_records(run_id, tenant),
        _gates(settings, run_id, tenant),
        [node for node in nodes if node["kind"] == "test"],
        shapes_of(tenant, ops),
        _kept_out(ops, tenant),
        _trends(ops, tenant, run_id),
    )


def _gates(settings: Settings, run_id: str, tenant: Slug) -> list[Entry]:
    """The results of gates; none where the file is missing or holds none.

    They are one list, or a list of `results` per layer, each with what its finding says of the next step.
    """
    try:
        found = json.loads(results_file(settings, run_id, tenant).read_bytes())
    except (OSError, ValueError):
        return []
    layers = found.get("layers") if isinstance(found, dict) else None
    if isinstance(layers, dict):
        found = [each for layer in layers.values() if isinstance(layer, dict) for each in layer.get("results") or ()]
    return [_gate(each) for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _gate(result: Entry) -> Entry:
    """A result under the names of the report."""
    finding = result.get("finding")
    said = finding if isinstance(finding, dict) else {}
    names = {"id": result.get("gate"), "measured": result.get("value")}
    return names | {name: said.get(name) for name in ("next_step", "since")} | dict(result)


def _kept_out(ops: Ops, tenant: Slug) -> list[Entry]:
    counts: dict[tuple[str, str, str, str | None], tuple[int, str]] = {}
    for row in ops.quarantine(tenant):
        key = (row["platform"], row["account"], row["object"], field_of(row["reason"]))
        count, since = counts.get(key, (0, row["at"]))
        counts[key] = count + row["count"], min(since, row["at"])
    names = ("platform", "account", "object", "field", "count", "since")
    return [dict(zip(names, (*key, *counts[key]), strict=True)) for key in sorted(counts, key=str)]


def _trends(ops: Ops, tenant: Slug, run_id: str) -> dict[str, list[int]]:
    rows = ops.connection.execute(
        "select layer, run_id, sum(output_rows) as rows_out from audit_records"
        " where tenant = ? and run_id <= ? group by layer, run_id order by run_id",
        (tenant, run_id),
    ).fetchall()
    trends: dict[str, list[int]] = {}
    for row in rows:
        trends.setdefault(row["layer"], []).append(row["rows_out"])
    return {layer: counts[-RUNS_SHOWN:] for layer, counts in trends.items()}
