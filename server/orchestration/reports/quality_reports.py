"""The four quality reports of a run as Markdown. Every number is one of the ledger; no value of a record is in them.

The layers of enriched tables and of snapshots of dimensions are not there yet: their reports are about the facts and
the dimension tables of the star, and say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.storage.ops import Row
from server.orchestration.reports.markdown_text import bar_chart, code, markdown_table, number, sentence, sparkline
from server.orchestration.reports.run_facts import Entry, RunFacts


@dataclass(frozen=True)
class ReportKind:
    """One of the reports: its file, its layer of the ledger, and what it is about."""

    name: str
    title: str
    layer: str
    step: str
    gate_layers: tuple[str, ...]
    about: str
    prefix: str = ""
    """Of the tables that it is about; all of the layer where it is empty."""


REPORTS = (
    ReportKind(
        *("BRONZE_QUALITY", "Bronze quality", "landing", "land", ("landing",)),
        "Records of the deliveries in bronze, and the rows that landed of them.",
    ),
    ReportKind(
        *("SILVER_QUALITY", "Silver quality", "sink", "push", ("sink", "intermediate")),
        "Landed rows, and those of them that the sinks did not have.",
    ),
    ReportKind(
        *("ENRICHED_QUALITY", "Enriched quality", "published", "publish", ("star", "run")),
        "There is no enriched layer yet: this is about the facts of the star, and their rows in the published run.",
        "fct_",
    ),
    ReportKind(
        *("DIMS_SNAPSHOT_QUALITY", "Quality of dimension snapshots", "published", "publish", ("star",)),
        "There are no snapshots of dimensions yet: this is about the dimension tables of the star, and their rows in"
        " the published run.",
        "dim_",
    ),
)


def quality_report(kind: ReportKind, facts: RunFacts) -> str:
    """One report as Markdown."""
    records = [record for record in facts.of(kind.layer) if record["table_name"].startswith(kind.prefix)]
    sections = [
        f"# {kind.title} of {facts.tenant}\n\n{kind.about}",
        _times(kind, facts),
        _results(kind, facts, records),
        _reconciliation(records),
        _drift(facts.shapes) if kind.layer == "landing" else _tests(kind, facts),
        _quarantine(facts, records, with_reasons=kind.layer == "landing"),
    ]
    return "\n\n".join(sections) + "\n"


def _times(kind: ReportKind, facts: RunFacts) -> str:
    steps = [step for step in facts.steps if step["step"] == kind.step]
    rows = [
        ("run", code(facts.run["run_id"])),
        ("run began (UTC)", code(facts.run["started_at"])),
        ("run ended (UTC)", code(facts.run["finished_at"] or "")),
        *((f"step {step['step']}, {step['status']}", code(step["at"])) for step in steps),
        *(("seconds", number(step["seconds"])) for step in steps),
        *(("attempts", number(step["attempts"])) for step in steps),
    ]
    return f"## Timestamps\n\n{markdown_table(('what', 'when'), rows)}"


def _results(kind: ReportKind, facts: RunFacts, records: Sequence[Row]) -> str:
    failed = sum(not record["quality_checks_passed"] for record in records)
    said = f"{len(records)} tables and partitions, {len(records) - failed} passed, {failed} failed."
    parts = ["## Results", said if records else "Nothing came through in this run."]
    trend = facts.trends.get(kind.layer, [])
    if len(trend) > 1:
        parts.append(
            f"Rows out of the last {len(trend)} runs that brought some: `{sparkline(trend)}` {trend[-1]} in the last."
        )
    if records:
        parts.append(bar_chart([(record["table_name"], record["output_rows"]) for record in records]))
    gates = [gate for gate in facts.gates if gate.get("layer") in kind.gate_layers]
    if gates:
        headings = ("gate", "table", "status", "severity", "since", "next step", "measured", "threshold")
        parts.append(markdown_table(headings, map(_gate_row, gates), right=2))
    return "\n\n".join(parts)


def _gate_row(gate: Entry) -> tuple[str, ...]:
    codes = (code(gate.get(name) or "") for name in ("id", "table", "status", "severity", "since"))
    measured = (code(gate[name]) if gate.get(name) is not None else "" for name in ("measured", "threshold"))
    return (*codes, sentence(gate.get("next_step") or ""), *measured)


def _reconciliation(records: Sequence[Row]) -> str:
    """Rows in, and where each of them is; the last row is the sum."""
    names = ("input_rows", "output_rows", "quarantine_rows", "lost_rows")
    rows = [
        (
            *(code(record[name]) for name in ("table_name", "partition_value")),
            "passed" if record["quality_checks_passed"] else "**failed**",
            sentence(record["loss"] or ""),
            *(number(record[name]) for name in names),
        )
        for record in records
    ]
    sums = [number(sum(record[name] for record in records)) for name in names]
    headings = ("table", "partition", "checks", "why left out", "in", "out", "quarantine", "left out")
    table = markdown_table(headings, [*rows, ("all", "", "", "", *sums)], right=4)
    return f"## Reconciliation\n\nRows in are rows out, quarantine and what is left out.\n\n{table}"


def _drift(shapes: Iterable[Entry]) -> str:
    rows = [
        (
            code(f"{shape['platform']}.{shape['object']} {shape['account']}"),
            code(shape["advice"] or "as the contract says"),
            ", ".join(code(name) for name in shape["unknown_fields"]),
            ", ".join(code(name) for name in shape["missing_fields"]),
            code(shape["last_seen_at"]),
            number(shape["shapes"]),
        )
        for shape in shapes
    ]
    headings = ("source", "advice", "unknown fields", "missing fields", "last seen", "shapes seen")
    table = markdown_table(headings, rows, right=1) if rows else "No record of any source was seen."
    return f"## Schema drift\n\n{table}"


def _tests(kind: ReportKind, facts: RunFacts) -> str:
    """The results of dbt's tests of the tables that a report is about."""
    if kind.layer == "sink":
        return (
            "## Schema drift\n\nSinks hold whole payloads: a field that a source gains or loses changes none of them."
        )
    tests = [
        test
        for test in facts.tests
        if f".{kind.prefix}{facts.tenant}__" in f".{str(test.get('checks')).split('.')[-1]}"
    ]
    counts = {status: sum(test["status"] == status for test in tests) for status in ("pass", "warn", "fail", "error")}
    table = markdown_table(("tests", "number"), [(status, number(count)) for status, count in counts.items()], right=1)
    return f"## Schema drift\n\nColumns are those of the star's contract; its tests of these tables:\n\n{table}"


def _quarantine(facts: RunFacts, records: Sequence[Row], *, with_reasons: bool) -> str:
    count = sum(record["quarantine_rows"] for record in records)
    said = f"{count} rows of this run went into quarantine."
    if not with_reasons or not facts.kept_out:
        return f"## Quarantine\n\n{said}"
    rows = [
        (
            code(f"{entry['platform']}.{entry['object']} {entry['account']}"),
            code(entry["field"] or "whole records or files"),
            code(entry["since"]),
            number(entry["count"]),
        )
        for entry in facts.kept_out
    ]
    now = "In quarantine now, from this and earlier runs; `gata quarantine show` names file and line."
    table = markdown_table(("source", "field", "since", "records"), rows, right=1)
    return f"## Quarantine\n\n{said} {now}\n\n{table}"
